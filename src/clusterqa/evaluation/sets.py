"""Question sets: reading, checking against the stored documents, the fixed split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from clusterqa.errors import EvaluationError
from clusterqa.evaluation.files import read_text
from clusterqa.evaluation.splits import Split
from clusterqa.jsontext import parsed
from clusterqa.ports import Store
from clusterqa.records import LANGUAGES, Language, Question

Variant = Literal["", "folded", "typo"]


@dataclass(frozen=True, slots=True)
class Gold:
    """One place that answers: an exact quote from a document, and the shortest answer in it ("" where none is known)."""

    document: str
    quote: str
    short: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A question with every place that answers it; none for an unanswerable one."""

    id: str
    question: str
    language: Language
    type: str
    history: tuple[str, ...]
    answers: tuple[Gold, ...]
    variant: Variant = ""
    """What it is of the question with the same id: "folded" (without diacritics), "typo", or the question itself."""
    pair: str = ""
    """The same for the versions of one question in both languages; "" for a question without a counterpart."""

    @property
    def split(self) -> Split:
        """
        "fit" (may be tuned and fitted on) or "held" (only measured).

        Fixed by a hash of the id, so that a question never changes sides when others are added.
        """
        return "fit" if hashlib.sha256(self.id.encode()).digest()[0] % 2 == 0 else "held"

    def ask(self) -> Question:
        return Question(self.question, self.history, None, self.id)


def read_set(path: Path) -> list[Item]:
    """The questions of a JSONL file, in its order. Raises EvaluationError that names every wrong line."""
    lines = read_text(path, "a question set: one JSON object a line").split("\n")
    items: list[Item] = []
    wrong: list[str] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = _item(parsed(line))
            if item.id in seen:
                raise ValueError(f"the id {item.id} is there twice")
            seen.add(item.id)
            items.append(item)
        except (KeyError, TypeError, ValueError) as error:
            wrong.append(f"line {number}: {error}")
    if wrong or not items:
        problems = "\n  ".join(wrong[:20]) or "it is empty"
        raise EvaluationError(f"The question set {path} cannot be used:\n  {problems}")
    return items


_KEYS = ("id", "question", "language", "type", "history", "answer", "pair")
_ANSWER_KEYS = ("document", "quote", "short")


def _item(data: Any) -> Item:
    _check(data, _KEYS, ("id", "question", "language"))
    if data["language"] not in LANGUAGES:
        raise ValueError(f'"language" is {data["language"]!r}, not "lt" or "en"')
    if not isinstance(data["question"], str) or not data["question"].strip():
        raise ValueError('"question" is empty')
    history, answers = data.get("history") or [], data.get("answer") or []
    if not isinstance(history, list) or not all(isinstance(earlier, str) for earlier in history):
        raise ValueError('"history" is not a list of questions, like ["…", "…"]')
    if not isinstance(answers, list):
        raise ValueError('"answer" is not a list, like [{"document": "…", "quote": "…"}]')
    return Item(
        id=str(data["id"]),
        question=data["question"],
        language=data["language"],
        type=str(data.get("type", "plain")),
        history=tuple(history),
        answers=tuple(_gold(answer) for answer in answers),
        pair=str(data.get("pair") or ""),
    )


def _gold(data: Any) -> Gold:
    _check(data, _ANSWER_KEYS, ("document", "quote"), "an answer: ")
    quote, short = str(data["quote"]), str(data.get("short") or "")
    if not quote.strip():
        raise ValueError("an answer has an empty quote")
    if short not in quote:
        raise ValueError(f'"short" {short[:60]!r} does not stand in its quote')
    return Gold(str(data["document"]), quote, short)


def _check(data: Any, known: Sequence[str], needed: Sequence[str], where: str = "") -> None:
    """Raise ValueError for what is no object, lacks a key, or has one that is all but a known one."""
    if not isinstance(data, dict):
        raise ValueError(f"{where}this is no JSON object {{…}}")
    if missing := [f'"{key}"' for key in needed if data.get(key) is None]:
        raise ValueError(f"{where}{' and '.join(missing)} is missing")
    for key in data:
        # "answers" for "answer" would make the question one that has no answer, without a word.
        if key not in known and (meant := get_close_matches(key.lower(), known, n=1, cutoff=0.8)):
            raise ValueError(f'{where}"{key}" is not known; write "{meant[0]}"')


def spans(item: Item, store: Store) -> dict[str, list[tuple[int, int]]]:
    """Document → where the item's quotes stand in its stored text today; places that are gone are left out."""
    found: dict[str, list[tuple[int, int]]] = {}
    for gold in item.answers:
        if here := places(gold, store):
            found.setdefault(gold.document, []).extend(here)
    return found


def places(gold: Gold, store: Store) -> list[tuple[int, int]]:
    """Where a quote stands in the stored text of its document today, every time it does; empty when it is gone."""
    stored = store.document(gold.document)
    if stored is None or stored.state != "live" or not gold.quote:
        return []
    text = store.text(gold.document, stored.version) or ""
    found, start = [], text.find(gold.quote)
    while start >= 0:
        found.append((start, start + len(gold.quote)))
        start = text.find(gold.quote, start + 1)
    return found


def stale(items: Sequence[Item], store: Store) -> list[str]:
    """For each quote that no longer stands in its document, a line that says so."""
    lines = []
    for item in items:
        for gold in item.answers:
            stored = store.document(gold.document)
            if stored is None or stored.state != "live":
                lines.append(f"{item.id}: there is no document {gold.document}")
            elif gold.quote not in (store.text(gold.document, stored.version) or ""):
                lines.append(f"{item.id}: not in {gold.document}: {gold.quote[:80]}")
    return lines


def digest(items: Sequence[Item]) -> str:
    """sha256 over everything that changes a result, in the order of the ids."""
    rows = sorted(
        [i.id, i.question, i.language, *i.history, *(f"{g.document}\t{g.quote}" for g in i.answers)] for i in items
    )
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()
