"""
What people asked and did not get, grouped by meaning across both languages, most wanted first.

    journal ─unmet─▶ entries ─same words─▶ Wording ─alike in meaning─▶ Group ─▶ dismissed, answered, or still open

Groups are computed from the journal each time and never stored: what is decided (dismissed, answered) is kept for each question
of the journal, so that a question asked tomorrow can join a group without anything being rewritten. A group is named by any of
its questions' ids.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clusterqa.journal import Entry, Journal
from clusterqa.ports import Encoder
from clusterqa.records import Language
from clusterqa.retrieval.understand import is_follow_up
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database, stamp, when
from clusterqa.staff.tables import DECISIONS
from clusterqa.text.analysis import content_terms, content_words, terms, words
from clusterqa.text.lexicon import Lexicon

# Measured on evaluation/question-groups.jsonl (45 questions in 144 wordings of both languages); evaluation/question_groups.py measures again.
WORDS_SHARE = 0.2
"""What shared words count beside the cosine of two questions."""
LEAST_LIKENESS = 0.79
"""Groups are joined while the mean likeness between their wordings is at least this."""
TRANSLATION_FLOOR = 0.1
TRANSLATION_STRENGTH = 0.8
MAX_VARIANTS = 8
"""Terms that one word of a question may be met by: its own and its likeliest translations and synonyms."""

OWN_WORDS = 2
"""A question that points back ("ir kiek tai kainuoja?") but has more words of its own than this can be understood by itself."""

MAX_ENTRIES = 5000
"""Questions of the journal looked at, the newest ones."""
MAX_WORDINGS = 1200
"""Distinct wordings grouped, the newest ones: work and memory grow with their square."""

Decided = Literal["dismissed", "answered"]
State = Literal["open", "dismissed", "answered"]
Holding = Callable[[Sequence[str]], int]
"""How many passages of the corpus hold one of these index terms."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one question of the journal; `answer` the id of the answer written for it, if one was."""

    state: Decided
    at: datetime
    who: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class Wording:
    """Questions of the same words, however they were capitalised and punctuated; `entries` newest first, at least one."""

    text: str
    language: Language
    entries: tuple[Entry, ...]
    follow_up: bool
    """It leans on an earlier question, which the journal does not keep: nobody can tell from it what was asked."""

    @property
    def count(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True)
class Group:
    """
    Wordings of one meaning, the most asked first.

    `fresh` are the questions nothing was decided about. `returned` says that somebody asked again, and again in vain,
    after the group was answered; `partly` that an answer was written which the chat does not give to every wording yet.
    """

    wordings: tuple[Wording, ...]
    decisions: tuple[tuple[str, Decision], ...]
    state: State
    fresh: tuple[str, ...]
    returned: bool = False
    partly: bool = False

    @property
    def id(self) -> str:
        """The newest question of the group; any other of its questions names the group as well."""
        return max(self.entries, key=lambda entry: (entry.asked_at, entry.id)).id

    @property
    def entries(self) -> list[Entry]:
        return [entry for wording in self.wordings for entry in wording.entries]

    @property
    def count(self) -> int:
        return sum(wording.count for wording in self.wordings)

    @property
    def unhelpful(self) -> int:
        """How many of the questions were answered, and the asker said that it was of no help."""
        return sum(entry.status == "answered" for entry in self.entries)

    @property
    def waiting(self) -> int:
        """How many of the askers left an address to be answered at."""
        return sum(entry.reply_to is not None for entry in self.entries)

    @property
    def first(self) -> datetime:
        return min(entry.asked_at for entry in self.entries)

    @property
    def last(self) -> datetime:
        return max(entry.asked_at for entry in self.entries)

    @property
    def languages(self) -> tuple[Language, ...]:
        return tuple(sorted({wording.language for wording in self.wordings}, reverse=True))

    @property
    def answers(self) -> tuple[str, ...]:
        """Ids of the answers that were written for questions of this group."""
        return tuple(dict.fromkeys(decision.answer for _, decision in self.decisions if decision.answer))

    def wording(self, language: Language) -> str:
        """The most asked wording in a language that stands for itself; "" when there is none."""
        mine = [wording for wording in self.wordings if wording.language == language]
        return next((wording.text for wording in mine if not wording.follow_up), mine[0].text if mine else "")


class Decisions:
    """What was decided about questions of the journal, in the desk's book. Thread-safe."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit
        database.prepare(DECISIONS)

    def all(self) -> dict[str, Decision]:
        with self._database.using() as db:
            rows = db.execute("SELECT question, state, at, who, answer FROM decisions").fetchall()
        return {row[0]: Decision(row[1], when(row[2]), row[3], row[4]) for row in rows}

    def dismiss(self, questions: Sequence[str], who: str) -> None:
        """Take questions off the list that need no answer."""
        self._decide(questions, "dismissed", who, None, "questions.dismissed")

    def answer(self, questions: Sequence[str], who: str, answer: str) -> None:
        """Note that the chat, asked, gives this answer to these questions."""
        self._decide(questions, "answered", who, answer, "questions.answered")

    def reopen(self, questions: Sequence[str], who: str) -> None:
        """Put questions back on the list."""
        with self._database.changing() as db:
            db.executemany("DELETE FROM decisions WHERE question = ?", [(question,) for question in questions])
            # The log outlives the journal, so it says how many and not what.
            self._audit.note(db, who, "questions.reopened", detail=str(len(questions)))

    def _decide(self, questions: Sequence[str], state: Decided, who: str, answer: str | None, what: str) -> None:
        rows = [(question, state, stamp(), who, answer) for question in questions]
        with self._database.changing() as db:
            db.executemany(
                "INSERT INTO decisions VALUES (?, ?, ?, ?, ?) ON CONFLICT (question) DO UPDATE "
                "SET state = excluded.state, at = excluded.at, who = excluded.who, answer = excluded.answer",
                rows,
            )
            self._audit.note(db, who, what, target=answer or "", detail=str(len(rows)))

    def keep_only(self, questions: Iterable[str]) -> None:
        """Forget decisions about questions that are not in the journal any more."""
        known = set(questions)
        gone = [(question,) for question in self.all() if question not in known]
        if gone:
            with self._database.changing() as db:
                db.executemany("DELETE FROM decisions WHERE question = ?", gone)


class Demand:
    """
    The groups of what people asked and did not get. Thread-safe.

    Vectors and words of a question are worked out once and kept in memory while the question is in the journal.
    """

    def __init__(self, journal: Journal, decisions: Decisions, lexicon: Lexicon) -> None:
        self._journal = journal
        self._decisions = decisions
        self._lexicon = lexicon
        self._lock = threading.Lock()
        self._fingerprint = ""
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._labels: tuple[tuple[tuple[str, ...], str], list[int]] | None = None

    def groups(self, encoder: Encoder, holding: Holding, passages: int) -> list[Group]:
        """
        Every group, the most wanted first: open before others, then by questions nothing was decided about, then newest.

        `passages` is how many there are in the corpus, `holding` how many of them hold a word.
        """
        entries = self._journal.unmet(MAX_ENTRIES)
        wordings = _wordings(entries)[:MAX_WORDINGS]
        decisions = self._decisions.all()
        if any(question not in {entry.id for entry in entries} for question in decisions):
            self._decisions.keep_only(self._journal.known(decisions))
        with self._lock:
            labels = self._grouped(wordings, encoder, holding, passages)
        members: dict[int, list[Wording]] = defaultdict(list)
        for wording, label in zip(wordings, labels, strict=True):
            members[label].append(wording)
        groups = [_group(chosen, decisions) for chosen in members.values()]
        return sorted(groups, key=lambda g: (g.state != "open", -len(g.fresh), -g.last.timestamp(), g.id))

    def _grouped(self, wordings: Sequence[Wording], encoder: Encoder, holding: Holding, passages: int) -> list[int]:
        texts = tuple(wording.text for wording in wordings)
        if encoder.fingerprint != self._fingerprint:
            self._fingerprint, self._vectors, self._labels = encoder.fingerprint, {}, None
        if self._labels is not None and self._labels[0] == (texts, self._fingerprint):
            return self._labels[1]
        missing = [text for text in texts if text not in self._vectors]
        if missing:
            self._vectors.update(zip(missing, encoder.encode_queries(missing), strict=True))
        self._vectors = {text: self._vectors[text] for text in texts}
        languages = [wording.language for wording in wordings]
        rows = [self._vectors[text] for text in texts]
        vectors = np.stack(rows) if rows else np.zeros((0, encoder.dimension), dtype=np.float32)
        labels = alike(vectors, shared_words(texts, languages, self._lexicon, holding, passages))
        self._labels = ((texts, self._fingerprint), labels)
        return labels


def alike(
    vectors: NDArray[np.float32],
    shares: NDArray[np.float64],
    words_share: float = WORDS_SHARE,
    least_likeness: float = LEAST_LIKENESS,
) -> list[int]:
    """
    Number the groups of questions alike in meaning: one number for each of the n questions, in their order.

    `vectors` are unit rows of shape (n, dimension), `shares` what `shared_words` gives. Agglomerative clustering with average
    linkage on (1 − words_share) · cosine + words_share · share, as long as its mean is at least `least_likeness`.
    """
    if len(vectors) < 2:
        return list(range(len(vectors)))
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    likeness = (1 - words_share) * (vectors @ vectors.T) + words_share * shares
    distance = np.clip(1 - likeness, 0, None)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    return [int(label) for label in fcluster(tree, 1 - least_likeness, "distance")]


def shared_words(
    texts: Sequence[str], languages: Sequence[Language], lexicon: Lexicon, holding: Holding, passages: int
) -> NDArray[np.float64]:
    """
    Which share of their words two questions have in common, in [0, 1], as a symmetric matrix of shape (n, n).

    A word is met by itself, by a likely translation, or by a synonym that shares a translation; it counts by its rarity in the
    corpus. A question without words of its own shares nothing.
    """
    n = len(texts)
    shares = np.zeros((n, n))
    holders: dict[str, list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        for term in content_terms(text):
            holders[term].append(i)
    known: dict[tuple[str, Language], tuple[dict[str, float], float]] = {}
    for i, (text, language) in enumerate(zip(texts, languages, strict=True)):
        total = 0.0
        for word in content_words(text):
            if (word, language) not in known:
                variants = _variants(word, language, lexicon)
                found = holding(tuple(variants))
                known[word, language] = variants, math.log(1 + (passages - found + 0.5) / (found + 0.5))
            variants, weight = known[word, language]
            total += weight
            strongest: dict[int, float] = {}
            for term, strength in variants.items():
                for j in holders.get(term, ()):
                    strongest[j] = max(strength, strongest.get(j, 0.0))
            for j, strength in strongest.items():
                shares[i, j] += weight * strength
        if total > 0:
            shares[i] /= total
    return (shares + shares.T) / 2


def _variants(word: str, language: Language, lexicon: Lexicon) -> dict[str, float]:
    """The index terms by which a word may be met, with their strength in (0, 1]."""
    found = dict.fromkeys(terms(word), 1.0)
    for term, probability in lexicon.related(word, language):
        if len(found) >= MAX_VARIANTS or probability < TRANSLATION_FLOOR:
            break
        found.setdefault(term, TRANSLATION_STRENGTH)
    return found


def _wordings(entries: Sequence[Entry]) -> list[Wording]:
    """Entries (newest first) by their words; the newest wording first."""
    same: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        same[" ".join(words(entry.question)) or entry.question.strip()].append(entry)
    return [
        Wording(
            text=" ".join(chosen[0].question.split()),
            language=chosen[0].language,
            entries=tuple(chosen),
            follow_up=is_follow_up(chosen[0].question) and len(content_words(chosen[0].question)) <= OWN_WORDS,
        )
        for chosen in same.values()
    ]


def _group(wordings: Sequence[Wording], decisions: dict[str, Decision]) -> Group:
    ordered = tuple(sorted(wordings, key=lambda w: (-w.count, w.follow_up, -w.entries[0].asked_at.timestamp(), w.text)))
    entries = [entry for wording in ordered for entry in wording.entries]
    decided = tuple((entry.id, decisions[entry.id]) for entry in entries if entry.id in decisions)
    fresh = tuple(entry.id for entry in entries if entry.id not in decisions)
    answered = sum(decision.state == "answered" for _, decision in decided)
    dismissed = len(decided) - answered
    state: State = "open"
    if not fresh:
        state = "answered" if answered else "dismissed"
    elif not answered and dismissed >= len(fresh):
        # What nobody needs to answer is asked again and again; it comes back when as many more people have asked.
        state = "dismissed"
    since = min((decision.at for _, decision in decided if decision.state == "answered"), default=None)
    waiting = set(fresh)
    returned = since is not None and any(entry.id in waiting and entry.asked_at > since for entry in entries)
    return Group(ordered, decided, state, fresh, returned, partly=bool(fresh and answered and not returned))


def find(groups: Iterable[Group], question: str) -> Group | None:
    """The group that holds a question of the journal."""
    return next((group for group in groups if any(entry.id == question for entry in group.entries)), None)
