"""Question sets: reading, checking against the stored documents, the fixed split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clusterqa.errors import EvaluationError
from clusterqa.ports import Store
from clusterqa.records import LANGUAGES, Language, Question

Split = Literal["fit", "held"]
Variant = Literal["", "folded", "typo"]


@dataclass(frozen=True, slots=True)
class Gold:
    """One place that answers: an exact quote from a document."""

    document: str
    quote: str


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
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"The question set {path} cannot be read ({error}).") from error
    items: list[Item] = []
    wrong: list[str] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = _item(json.loads(line))
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


def _item(data: dict[str, Any]) -> Item:
    if data["language"] not in LANGUAGES:
        raise ValueError(f'"language" is {data["language"]!r}, not "lt" or "en"')
    if not str(data["question"]).strip():
        raise ValueError('"question" is empty')
    if not all(str(answer["quote"]).strip() for answer in data.get("answer") or ()):
        raise ValueError("an answer has an empty quote")
    return Item(
        id=str(data["id"]),
        question=str(data["question"]),
        language=data["language"],
        type=str(data.get("type", "plain")),
        history=tuple(data.get("history") or ()),
        answers=tuple(Gold(str(a["document"]), str(a["quote"])) for a in data.get("answer") or ()),
    )


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
