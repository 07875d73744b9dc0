"""
Bundles: a few documents with questions about them, one JSON line each, and which of them are kept for judging.

A bundle has an `id` ("w15-003", of the kind "w15"), `documents` (lang, title, text) and `questions`: lang, type, history,
question, `answers` and `tempting` (document, start, end, and `short` within an answer: the shortest answer). Two documents of
a bundle are translations of each other, but in kinds that are `RELATED`. `written.py` makes such lines of what people write.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Bundle = dict[str, Any]

SHARE = 11
"""One bundle in so many of a kind is kept for judging, but never fewer than two."""
TOGETHER = 12
"""Bundles in one index, or one more."""

RELATED = frozenset({"w33"})
"""Kinds whose documents are about one thing and do not say the same: this year's rules and last year's."""

DEVELOPMENT = Path(__file__).parent / "development.txt"
"""The ids of those kept for judging; written by `evaluation_sets.py` from the rule, read by everything else."""

END = "---\n\n"
"""Ends the front matter; the text that answers are counted in follows."""


def read(path: Path) -> list[Bundle]:
    """All bundles of a JSONL file, in the order of their ids."""
    with path.open(encoding="utf-8") as file:
        return sorted((json.loads(line) for line in file), key=lambda bundle: bundle["id"])


def kind(bundle: str) -> str:
    return bundle.partition("-")[0]


def chosen(ids: Iterable[str]) -> list[str]:
    """The bundles to keep for judging: of every kind those with the smallest sha256 of their id."""
    kinds = defaultdict(list)
    for name in ids:
        kinds[kind(name)].append(name)
    kept = (sorted(names, key=_digest)[: max(2, round(len(names) / SHARE))] for names in kinds.values())
    return sorted(name for names in kept for name in names)


def development() -> list[str]:
    """The ids of the bundles that nothing is ever learnt from."""
    return DEVELOPMENT.read_text(encoding="utf-8").split()


def indexes(bundles: Sequence[Bundle]) -> list[list[Bundle]]:
    """The bundles in lots that are indexed together, about a dozen each and of mixed kinds; the same every time."""
    mixed = sorted(bundles, key=lambda bundle: _digest(bundle["id"]))
    count = max(1, len(mixed) // TOGETHER)
    return [mixed[first::count] for first in range(count)]


def file_name(bundle: Bundle, document: int) -> str:
    own = f"-{document + 1}" if kind(bundle["id"]) in RELATED else ""
    return f"{bundle['id']}{own}.{bundle['documents'][document]['lang']}.md"


def write(bundle: Bundle, folder: Path) -> None:
    """The documents as files of a corpus. The names tell which are translations of each other."""
    names = {file_name(bundle, number) for number in range(len(bundle["documents"]))}
    assert len(names) == len(bundle["documents"]), f"{bundle['id']} has two documents in one language"
    for number, document in enumerate(bundle["documents"]):
        title = json.dumps(document["title"], ensure_ascii=False)
        head = f"---\ntitle: {title}\nlanguage: {document['lang']}\n{END}"
        (folder / file_name(bundle, number)).write_text(head + document["text"], encoding="utf-8")


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
