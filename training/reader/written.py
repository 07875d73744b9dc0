"""
Bundles as people write them, and as JSON lines.

    python training/reader/written.py bundles.jsonl training/reader/written/*.txt

A file holds bundles, each some documents and then the questions about them:

    ##### w27-001                       a bundle, with its id
    #DOC lt rules | Title               a document; its text follows, Markdown, up to the next line that begins so
    #Q en plain                         a question of a language and a type (`TYPES`); then lines of it:
    < an earlier question               of the conversation, oldest first
    ? the question
    = part of a sentence that [answers] one line for each place; in brackets the shortest answer
    ~ part of a sentence that tempts    and is wrong

A question without "=" is not answered by the bundle. Each part stands in the documents of its bundle exactly once.
Faults are told with their lines, and then nothing is written.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bundles import Bundle

TYPES = frozenset("plain keyword colloquial long typo nodia followup yesno compare list why how".split())
PARTS = {"< ": "history", "= ": "answers", "~ ": "tempting"}
_DOCUMENT = re.compile(r"#DOC (lt|en) ([\w-]+) \| (.+)")
_QUESTION = re.compile(r"#Q (lt|en) (\w+)\s*")
_SHORT = re.compile(r"\[([^\[\]]+)\]")


class Fault(ValueError):
    """What is wrong with a bundle, and in which line."""


def bundles_of(lines: list[str]) -> list[Bundle]:
    """The bundles of a file. Raises Fault."""
    found: list[Bundle] = []
    for number, line in enumerate(lines, start=1):
        try:
            _take_up(line, found)
        except (Fault, IndexError, KeyError) as error:
            raise Fault(f"line {number}: {error}: {line[:80]}") from error
    for bundle in found:
        for document in bundle["documents"]:
            document["text"] = document["text"].strip() + "\n"
        for question in bundle["questions"]:
            _place_parts(bundle, question)
    return found


def _take_up(line: str, found: list[Bundle]) -> None:
    """Put a line where it belongs in the last bundle; the answers and what tempts still as they are written."""
    if line.startswith("##### "):
        found.append({"id": line[6:].strip(), "documents": [], "questions": []})
        return
    bundle = found[-1]
    if line.startswith("#DOC "):
        language, kind, title = _matched(_DOCUMENT, line)
        bundle["documents"].append({"lang": language, "kind": kind, "title": title.strip(), "text": ""})
    elif line.startswith("#Q "):
        language, kind = _matched(_QUESTION, line)
        if kind not in TYPES:
            raise Fault("no such type of question")
        bundle["questions"].append(
            {"lang": language, "type": kind, "history": [], "question": "", "answers": [], "tempting": []}
        )
    elif not bundle["questions"]:
        bundle["documents"][-1]["text"] += line + "\n"
    elif line.strip():
        mark, text = line[:2], line[2:].strip()
        if mark == "? ":
            bundle["questions"][-1]["question"] = text
        elif mark in PARTS:
            bundle["questions"][-1][PARTS[mark]].append(text)
        else:
            raise Fault("neither a question nor a part of one")


def _matched(pattern: re.Pattern[str], line: str) -> tuple[str, ...]:
    if (match := pattern.fullmatch(line)) is None:
        raise Fault("a mark that cannot be read")
    return match.groups()


def _place_parts(bundle: Bundle, question: dict[str, Any]) -> None:
    if not question["question"] or (question["type"] == "followup" and not question["history"]):
        raise Fault(f"{bundle['id']}: a question without its words, or a follow-up without what it follows")
    for kind in ("answers", "tempting"):
        question[kind] = [_placed(bundle, part) for part in question[kind]]


def _placed(bundle: Bundle, part: str) -> dict[str, Any]:
    """Where a part stands: the number of its document, `start` and `end` in that document's text, and `short` within."""
    short = _SHORT.search(part)
    plain = part if short is None else part[: short.start()] + short[1] + part[short.end() :]
    places = [
        (number, match.start())
        for number, document in enumerate(bundle["documents"])
        for match in re.finditer(re.escape(plain), document["text"])
    ]
    if len(places) != 1:
        raise Fault(f"{bundle['id']}: found {len(places)} times: {part[:80]}")
    ((number, start),) = places
    placed = {"document": number, "start": start, "end": start + len(plain), "text": plain}
    if short is not None:
        begin = start + short.start()
        placed["short"] = {"start": begin, "end": begin + len(short[1]), "text": short[1]}
    return placed


def _read(paths: list[Path]) -> Iterator[Bundle]:
    known: set[str] = set()
    for path in paths:
        try:
            for bundle in bundles_of(path.read_text(encoding="utf-8").splitlines()):
                if bundle["id"] in known:
                    raise Fault(f"{bundle['id']} is there already")
                known.add(bundle["id"])
                yield bundle
        except Fault as fault:
            sys.exit(f"{path}: {fault}")


def main() -> None:
    output, *paths = map(Path, sys.argv[1:])
    lines = [json.dumps(bundle, ensure_ascii=False) + "\n" for bundle in _read(paths)]
    output.write_text("".join(lines), encoding="utf-8")
    print(f"{len(lines)} bundles")


if __name__ == "__main__":
    main()
