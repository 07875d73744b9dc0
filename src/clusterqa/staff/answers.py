"""
Writing the answer to what people asked: a short question-and-answer document, in Lithuanian, English or both.

    form ─▶ Answer ─compose─▶ corpus/answers/NAME.lt.md, NAME.en.md ─publish─▶ live ─asked─▶ Check for each wording
                                                                                     └─▶ data/questions-staff.jsonl

The question stands in the document as a heading, for a sentence is found by the heading above it too. Where an answer is
written in one language only, the other language's question stands there as a heading of its own: that is how it is found by
people who ask in that language. Further wordings are added only when the chat, asked, does not find the answer by them.

A wording counts as answered when the chat quotes this document first. What was checked is kept; a server that is killed in
the middle goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import logging
import queue
import re
import secrets
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import yaml

from clusterqa import documents
from clusterqa.books import storable
from clusterqa.documents.metadata import iso_date, web_address
from clusterqa.errors import ClusterQAError, UnreadableDocument
from clusterqa.files import sweep, write_whole
from clusterqa.records import LANGUAGES, Language, Status
from clusterqa.runtime import KnowledgeBase
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database, stamp, unpacked, unreadable, when
from clusterqa.staff.demand import Decisions
from clusterqa.staff.jobs import Stopped
from clusterqa.staff.tables import ANSWERS
from clusterqa.text.analysis import fold, words
from clusterqa.text.sentences import sentences

log = logging.getLogger(__name__)

FOLDER = "answers"
"""Below the corpus folder."""
QUESTIONS = "questions-staff.jsonl"
"""In the data folder; in the format of an evaluation question set."""
MAX_QUESTION = 300
MAX_ANSWER = 5000
MAX_LINE = 500
MAX_WORDINGS = 12
TAGS: dict[Language, str] = {"lt": "DUK", "en": "FAQ"}

State = Literal["publishing", "checking", "live", "failed"]
Publish = Callable[[str, str, str], int]
"""Makes a text the live document of an id, for a person: (document, text, who) → generation. Waits until it is live."""

# What Markdown would read as something else than text: headings, quotes, code, rules, HTML.
_MARKUP = re.compile(r"^(?:#{1,6}(?:\s|$)|>|```|~~~|(?:[-=*_]\s*){2,}$|<[a-zA-Z/!])", re.MULTILINE)
_LIST_MARK = re.compile(r"^(?:[-*+]|\d{1,4}[.)])\s+")


class AnswerError(ClusterQAError):
    """What a form holds cannot be published; `problems` maps a field to the key of the words that say why."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        told = ", ".join(f"{field}: {key}" for field, key in problems.items())
        super().__init__(f"The answer cannot be published yet ({told}). Put these fields right and send it again.")
        self.problems = dict(problems)


class AnswerChanged(ClusterQAError):
    """Somebody else changed the answer since its form was opened."""

    def __init__(self) -> None:
        super().__init__("Somebody else has changed this answer meanwhile. Look at theirs, then change it again.")


@dataclass(frozen=True, slots=True)
class Heading:
    """A wording with its language."""

    language: Language
    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """
    What the form of an answer holds, tidied up.

    `question` and `answer` by language; "" where there is none. `wordings` are further headings of the document. `asked` are
    the wordings that the desk asks to check the answer, `questions` the ids of the journal's questions behind them.
    """

    question: Mapping[Language, str]
    answer: Mapping[Language, str]
    sources: tuple[str, ...]
    date: str
    publisher: str
    wordings: tuple[Heading, ...] = ()
    asked: tuple[Heading, ...] = ()
    questions: tuple[tuple[str, ...], ...] = ()
    """For each of `asked` the ids of the journal's questions that were worded so."""

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages that an answer is written in."""
        return tuple(language for language in LANGUAGES if self.answer[language])


@dataclass(frozen=True, slots=True)
class Check:
    """
    What the chat said when it was asked `text`: `right` when it quoted this answer's document first.

    `place` is that of the first quote of this document among those shown (1–3), 0 when there was none; `document` and `quote`
    are what was quoted first, "" when nothing was found; `confidence` in [0, 1].
    """

    language: Language
    text: str
    status: Status
    right: bool
    place: int
    document: str
    quote: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is kept. `trouble` says why publishing failed; `revision` grows with every change of the content."""

    id: str
    stem: str
    revision: int
    state: State
    written_at: datetime
    written_by: str
    content: Content
    checks: tuple[Check, ...] = ()
    trouble: str = ""

    @property
    def documents(self) -> dict[Language, str]:
        """The ids of its documents, by language."""
        return {language: f"{FOLDER}/{self.stem}.{language}.md" for language in self.content.languages}

    @property
    def title(self) -> str:
        return next(text for language in self.content.languages if (text := self.content.question[language]))

    @property
    def missed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.right)

    @property
    def over(self) -> bool:
        return self.state in ("live", "failed")


def content_of(
    fields: Mapping[str, str],
    asked: Sequence[Heading] = (),
    questions: Sequence[tuple[str, ...]] = (),
    wordings: Sequence[Heading] = (),
    today: date | None = None,
) -> Content:
    """
    What a form holds: question_lt, answer_lt, question_en, answer_en, sources (one a line), date, publisher.

    Raises AnswerError that names every field to be put right: "needed", "too_long", "markup", "no_words", "wrong_date", "damaged".
    """
    problems: dict[str, str] = {}
    question: dict[Language, str] = {}
    answer: dict[Language, str] = {}
    for language in LANGUAGES:
        question[language] = " ".join(_clean(fields.get(f"question_{language}", "")).split())
        answer[language] = _paragraphs(fields.get(f"answer_{language}", ""))
        name = f"question_{language}"
        if answer[language] and not question[language]:
            problems[name] = "needed"
        elif question[language] and not any(words(question[language])):
            problems[name] = "no_words"
        elif len(question[language]) > MAX_QUESTION:
            problems[name] = "too_long"
        name = f"answer_{language}"
        if answer[language] and not any(words(answer[language])):
            problems[name] = "no_words"
        elif len(answer[language]) > MAX_ANSWER:
            problems[name] = "too_long"
        elif _MARKUP.search(answer[language]):
            problems[name] = "markup"
    if not any(answer.values()):
        problems["answer_lt"] = "needed"
    sources = tuple(
        dict.fromkeys(line for raw in fields.get("sources", "").splitlines() if (line := " ".join(_clean(raw).split())))
    )
    if not sources:
        problems["sources"] = "needed"
    elif any(len(line) > MAX_LINE for line in sources) or len(sources) > 20:
        problems["sources"] = "too_long"
    publisher = " ".join(_clean(fields.get("publisher", "")).split())
    if len(publisher) > MAX_LINE:
        problems["publisher"] = "too_long"
    given = _clean(fields.get("date", "")).strip() or (today or date.today()).isoformat()
    if iso_date(given) is None:
        problems["date"] = "wrong_date"
    if problems:
        raise AnswerError(problems)
    return readable(
        Content(
            question=question,
            answer=answer,
            sources=sources,
            date=iso_date(given) or "",
            publisher=publisher,
            wordings=tuple(wordings),
            asked=tuple(asked),
            questions=tuple(tuple(ids) for ids in questions),
        )
    )


def readable(content: Content) -> Content:
    """
    The content, if its documents can be read as they would be written.

    Raises AnswerError: "no_words" for a wording without words, "damaged" for letters that some program has spoilt.
    """
    problems = {"wordings": "no_words"} if any(not any(words(w.text)) for w in content.wordings) else {}
    with TemporaryDirectory() as folder:
        for language in content.languages:
            path = Path(folder) / f"answer.{language}.md"
            path.write_text(compose(content, language), encoding="utf-8")
            try:
                documents.read(path, path.name)
            except UnreadableDocument:
                problems[f"answer_{language}"] = "damaged"
    if problems:
        raise AnswerError(problems)
    return content


def compose(content: Content, language: Language) -> str:
    """
    The Markdown of one language: front matter, then every question that leads to the answer as a heading above it.

    The answer is repeated under each heading, for search reads a sentence with the heading right above it; equal passages are
    one place to the reader. Questions of the other language stand here when the answer is not written in that language.
    """
    other: Language = "en" if language == "lt" else "lt"
    mine = {language} if content.answer[other] else {language, other}
    headings = [content.question[language]]
    if other in mine and content.question[other]:
        headings.append(content.question[other])
    headings += [wording.text for wording in content.wordings if wording.language in mine]
    url = next((line for line in content.sources if web_address(line)), None)
    facts: dict[str, Any] = {
        "title": content.question[language],
        "language": language,
        "date": content.date,
        "publisher": content.publisher or None,
        "url": url,
        "tags": [TAGS[language]],
        "sources": list(content.sources),
    }
    front = yaml.safe_dump(
        {key: value for key, value in facts.items() if value}, allow_unicode=True, sort_keys=False, width=10_000
    )
    seen: dict[str, str] = {}
    for heading in headings:
        seen.setdefault(_key(heading), heading)
    sections = "\n".join(f"## {_heading(heading)}\n\n{content.answer[language]}\n" for heading in seen.values())
    return f"---\n{front}---\n{sections}"


def gold(content: Content, names: Mapping[Language, str]) -> list[dict[str, str]]:
    """The sentences of an answer as an evaluation set names them: an exact quote from each document."""
    places = []
    for language, document in names.items():
        for line in content.answer[language].split("\n"):
            text = _LIST_MARK.sub("", line)
            for span in sentences(text, 0, len(text), language):
                if any(words(text[span.start : span.end])):
                    places.append({"document": document, "quote": text[span.start : span.end]})
    return places


def stem_of(question: str) -> str:
    """A file name of plain letters from a question: „Ar galima mokėti dalimis?“ gives "ar-galima-moketi-dalimis"."""
    plain = "-".join(re.findall(r"[a-z0-9]+", fold(question)))[:60].strip("-")
    return plain or "question"


class Answers:
    """What was written, in the desk's book. Thread-safe."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit
        database.prepare(ANSWERS)

    def all(self) -> list[Answer]:
        """The newest first."""
        with self._database.using() as db:
            return [_answer(row) for row in db.execute("SELECT * FROM answers ORDER BY written_at DESC, id")]

    def get(self, identifier: str) -> Answer | None:
        with self._database.using() as db:
            row = db.execute("SELECT * FROM answers WHERE id = ?", (identifier,)).fetchone()
        return _answer(row) if row else None

    def begin(self, content: Content, who: str, taken: Callable[[str], bool] = lambda _: False) -> Answer:
        """Keep a new answer, about to be published; `taken` says whether a document of an id is there already."""
        identifier = secrets.token_hex(8)
        base = stem_of(next(content.question[language] for language in content.languages))
        with self._database.changing() as db:
            number, stem = 1, base
            while db.execute("SELECT 1 FROM answers WHERE stem = ?", (stem,)).fetchone() or any(
                taken(f"{FOLDER}/{stem}.{language}.md") for language in LANGUAGES
            ):
                number += 1
                stem = f"{base}-{number}"
            row = (identifier, stem, 1, "publishing", stamp(), who, _packed(content), "[]", "")
            db.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._audit.note(db, who, "answer.written", f"{FOLDER}/{stem}", str(sum(map(len, content.questions))))
        return self._existing(identifier)

    def change(self, identifier: str, content: Content, who: str, seen: int) -> Answer:
        """Put another content in its place, about to be published. Raises AnswerChanged when it is not revision `seen`."""
        with self._database.changing() as db:
            changed = db.execute(
                "UPDATE answers SET content = ?, revision = revision + 1, state = 'publishing', written_at = ?, written_by = ?, "
                "checks = '[]', trouble = '' WHERE id = ? AND revision = ?",
                (_packed(content), stamp(), who, identifier, seen),
            ).rowcount
            if not changed:
                raise AnswerChanged
            stem = db.execute("SELECT stem FROM answers WHERE id = ?", (identifier,)).fetchone()[0]
            self._audit.note(db, who, "answer.changed", f"{FOLDER}/{stem}")
        return self._existing(identifier)

    def set_state(self, answer: Answer, state: State, checks: Sequence[Check] | None = None, trouble: str = "") -> None:
        """Note how far this revision is; nothing when there is a newer one by now."""
        this = (answer.id, answer.revision)
        with self._database.changing() as db:
            db.execute(
                "UPDATE answers SET state = ?, trouble = ? WHERE id = ? AND revision = ?",
                (state, storable(trouble), *this),
            )
            if checks is not None:
                packed = storable(json.dumps([asdict(check) for check in checks], ensure_ascii=False))
                db.execute("UPDATE answers SET checks = ? WHERE id = ? AND revision = ?", (packed, *this))

    def _existing(self, identifier: str) -> Answer:
        found = self.get(identifier)
        assert found is not None
        return found


class Answering:
    """
    Publishes answers and asks the chat, one after another in a thread of its own; `start` and `stop` bracket its life.
    """

    def __init__(
        self,
        answers: Answers,
        decisions: Decisions,
        data: Path,
        publish: Publish,
        assistant: Callable[[], KnowledgeBase],
    ) -> None:
        self._answers = answers
        self._decisions = decisions
        self._data = data
        self._publish = publish
        self._assistant = assistant
        self._work: queue.Queue[tuple[str, str] | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Go on with what a stopped server left unfinished."""
        for answer in self._answers.all():
            if not answer.over:
                self._work.put((answer.id, answer.written_by))
        self._thread = threading.Thread(target=self._run, name="clusterqa-answers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._work.put(None)
        if self._thread is not None:
            self._thread.join(timeout=20)

    def publish(self, answer: Answer) -> None:
        """Make it live and check it, in the background; its state says how far it is."""
        self._work.put((answer.id, answer.written_by))

    def check(self, answer: Answer, who: str) -> None:
        """Ask its wordings again, in the background: search, documents or encoder may have changed."""
        self._answers.set_state(answer, "checking")
        self._work.put((answer.id, who))

    def _run(self) -> None:
        while (task := self._work.get()) is not None:
            try:
                self.work(*task)
            except Exception:
                log.exception("an answer could not be published")

    def work(self, identifier: str, who: str) -> None:
        """What there is to do for one answer: publish it when it is not live yet, then ask."""
        answer = self._answers.get(identifier)
        if answer is None or answer.over:
            return
        try:
            if answer.state == "publishing":
                for language, document in answer.documents.items():
                    self._publish(document, compose(answer.content, language), who)
                add_questions(self._data / QUESTIONS, answer)
                self._answers.set_state(answer, "checking")
            assistant = self._assistant()
            checks = [check(assistant, answer, heading) for heading in to_ask(answer.content)]
        except Stopped:
            return  # the next server goes on with it
        except ClusterQAError as error:
            self._answers.set_state(answer, "failed", trouble=str(error))
            log.warning("%s", error)
            return
        except Exception:
            self._answers.set_state(answer, "failed", trouble="The server made a mistake; its log says which.")
            raise
        self._note(answer, checks, who)
        self._answers.set_state(answer, "live", checks)

    def _note(self, answer: Answer, checks: Sequence[Check], who: str) -> None:
        """Mark the questions that the chat answers from this document now, and put those back that it does not."""
        right = {_key(check.text) for check in checks if check.right}
        answered: list[str] = []
        missed: list[str] = []
        for heading, ids in zip(answer.content.asked, answer.content.questions, strict=True):
            (answered if _key(heading.text) in right else missed).extend(ids)
        decided = self._decisions.all()
        answered = [i for i in answered if i not in decided or decided[i].answer != answer.id]
        missed = [i for i in missed if i in decided and decided[i].answer == answer.id]
        if answered:
            self._decisions.answer(answered, who, answer.id)
        if missed:
            self._decisions.reopen(missed, who)


def to_ask(content: Content) -> list[Heading]:
    """The wordings an answer is checked by: its own questions, then those that people used; each once."""
    own = [Heading(language, text) for language in LANGUAGES if (text := content.question[language])]
    found: dict[str, Heading] = {}
    for heading in (*own, *content.asked):
        found.setdefault(_key(heading.text), heading)
    return list(found.values())


def check(assistant: KnowledgeBase, answer: Answer, heading: Heading) -> Check:
    """Ask the chat one wording and see what it quotes."""
    reply = assistant.ask(heading.text, language=heading.language)
    mine = set(answer.documents.values())
    places = [quote.source.document in mine for quote in reply.quotes]
    first = (reply.quotes or reply.nearest)[:1]
    return Check(
        language=heading.language,
        text=heading.text,
        status=reply.status,
        right=bool(places and places[0]),
        place=places.index(True) + 1 if True in places else 0,
        document=first[0].source.document if first else "",
        quote=first[0].text if first else "",
        confidence=reply.confidence,
    )


_file_lock = threading.Lock()


def add_questions(path: Path, answer: Answer) -> int:
    """
    Put an answer's wordings into an evaluation question set, in place of those it had there; gives how many.

    The file is there whole or not at all. Lines that are not ours stay as they are.
    """
    prefix = f"staff-{answer.id}-"
    places = gold(answer.content, answer.documents)
    lines = [
        json.dumps(
            {
                "id": prefix + hashlib.sha256(_key(heading.text).encode()).hexdigest()[:8],
                "question": heading.text,
                "language": heading.language,
                "type": "staff",
                "history": [],
                "answer": places,
            },
            ensure_ascii=False,
        )
        for heading in to_ask(answer.content)
    ]
    with _file_lock:
        earlier = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        kept = [line for line in earlier if line.strip() and f'"id": "{prefix}' not in line]
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        write_whole(path, "".join(f"{line}\n" for line in [*kept, *lines]).encode(), opener=None)
    return len(lines)


def _key(text: str) -> str:
    return " ".join(words(text)) or text.strip()


def _clean(text: str) -> str:
    """Composed letters, plain line ends, nothing invisible that would end up in a file."""
    text = unicodedata.normalize("NFC", storable(text)).replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))


def _paragraphs(text: str) -> str:
    """Lines without surrounding white space, at most one blank line between them."""
    lines = [" ".join(line.split()) for line in _clean(text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _heading(text: str) -> str:
    """One line; number signs at its end would be taken for the closing marks of a heading."""
    return re.sub(r"\s+#+\s*$", "", " ".join(text.split())).lstrip("#").strip() or "?"


def _packed(content: Content) -> str:
    return storable(json.dumps(asdict(content), ensure_ascii=False))


def _answer(row: tuple[Any, ...]) -> Answer:
    """An answer as it was kept. Raises DeskUnusable where damage left another thing."""
    try:
        return _kept(row)
    except (TypeError, KeyError, AttributeError) as error:
        raise unreadable(error) from error


def _kept(row: tuple[Any, ...]) -> Answer:
    content = unpacked(row[6])
    return Answer(
        id=row[0],
        stem=row[1],
        revision=row[2],
        state=row[3],
        written_at=when(row[4]),
        written_by=row[5],
        content=Content(
            question=content["question"],
            answer=content["answer"],
            sources=tuple(content["sources"]),
            date=content["date"],
            publisher=content["publisher"],
            wordings=tuple(Heading(**item) for item in content["wordings"]),
            asked=tuple(Heading(**item) for item in content["asked"]),
            questions=tuple(tuple(ids) for ids in content["questions"]),
        ),
        checks=tuple(Check(**item) for item in unpacked(row[7])),
        trouble=row[8],
    )
