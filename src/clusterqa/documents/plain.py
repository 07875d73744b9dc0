"""
Plain text → blocks, by empty lines, line lengths and the marks that people type.

The text is the file itself and is never changed. Two habits are distinguished line by line: one line a paragraph
(the line is longer than a screen) and lines broken by hand at some width.
"""

from __future__ import annotations

import re
from itertools import pairwise

from clusterqa.documents import items
from clusterqa.documents.extract import Extract, first_heading, trimmed
from clusterqa.documents.metadata import Metadata, front_matter
from clusterqa.records import Block, BlockKind

UNWRAPPED = 120
"""A line of more characters than this was not broken by hand, so the next line is another paragraph."""

LONGEST_HEADING = 80
"""A heading is one line of at most so many characters; a newspaper headline fits."""

_NEWLINE = re.compile(r"\r\n?|\n|\f")
_UNDERLINE = re.compile(r"(?:={3,}|-{3,}|~{3,})\s*\Z")
_RULE = re.compile(r"[\s\-=_*~#.·–—]+\Z")
_SENTENCE_END = re.compile(r"[.!?…:;][\"'”“’»)\]]*\s*\Z")

Line = tuple[int, int]


def extract(text: str) -> Extract:
    """Read a plain text file; its first heading is the title where no front matter gives one."""
    metadata, body, warnings = front_matter(text)
    blocks = find_blocks(text, body)
    title = first_heading(text, blocks) or None
    return Extract(text, tuple(blocks), metadata.over(Metadata(title=title)), warnings=tuple(warnings))


def find_blocks(text: str, body: int = 0) -> list[Block]:
    """The blocks of `text[body:]`, in order, with offsets into `text`."""
    lines = _lines(text, body)
    lengths = items.marks(text[start:end] for start, end in lines)
    marks = {lines[place][0]: length for place, length in lengths.items()}
    groups = [group for run in _runs(text, lines) for group in _groups(text, run, marks)]
    blocks: list[Block] = []
    for number, (kind, start, end, level) in enumerate(groups):
        if kind == "paragraph" and _may_be_heading(text, start, end):
            # A heading has something below it, and no more than one other heading directly around it.
            alone = [
                0 <= other < len(groups)
                and groups[other][0] == "paragraph"
                and _may_be_heading(text, *groups[other][1:3])
                for other in (number - 1, number + 1, number + 2)
            ]
            last = number + 1 == len(groups)
            if not last and not (alone[1] and (alone[0] or alone[2])):
                kind, level = "heading", 2 if blocks else 1
        blocks.append(Block(kind, start, end, level))
    return blocks


def _lines(text: str, body: int) -> list[Line]:
    """The spans of the lines; form feeds, which divide pages of old text files, divide lines too."""
    lines = []
    start = body
    for newline in _NEWLINE.finditer(text, body):
        lines.append((start, newline.start()))
        start = newline.end()
    lines.append((start, len(text)))
    return lines


def _runs(text: str, lines: list[Line]) -> list[list[Line]]:
    """The runs of lines between empty lines; a line of nothing but rules (-----) counts as empty."""
    runs: list[list[Line]] = [[]]
    for start, end in lines:
        line = text[start:end]
        if not line.strip() or (_RULE.match(line) and not (_UNDERLINE.match(line) and len(runs[-1]) == 1)):
            if runs[-1]:
                runs.append([])
        else:
            runs[-1].append((start, end))
    return [run for run in runs if run]


Group = tuple[BlockKind, int, int, int]


def _groups(text: str, run: list[Line], marks: dict[int, int]) -> list[Group]:
    """A run of lines as blocks: kind, start, end, level. `marks` has the length of an item's mark by where it stands."""
    groups: list[Group] = []
    place = 0
    while place + 1 < len(run) and _UNDERLINE.match(text[slice(*run[place + 1])]):
        mark = text[run[place + 1][0]]
        groups.append(("heading", *trimmed(text, *run[place]), 1 if mark == "=" else 2))
        place += 2
    run = run[place:]
    if not run:
        return groups
    width = max(end - start for start, end in run)
    cuts = [0]
    for number, (above, below) in enumerate(pairwise(run), start=1):
        if _breaks(text, above, below, width, in_list=run[cuts[-1]][0] in marks, marked=below[0] in marks):
            cuts.append(number)
    margin = None
    for first, last in pairwise([*cuts, len(run)]):
        start, end = run[first][0], run[last - 1][1]
        if length := marks.get(start, 0):
            mark = text[start : start + length].expandtabs(4)
            indent = len(mark) - len(mark.lstrip())
            margin = indent if margin is None else min(margin, indent)
            groups.append(("list_item", *trimmed(text, start + length, end), min(6, (indent - margin) // 2)))
        else:
            groups.append(("paragraph", *trimmed(text, start, end), 0))
    return groups


def _breaks(text: str, above: Line, below: Line, width: int, in_list: bool, marked: bool) -> bool:
    """
    Whether a new block starts between two neighbouring lines of a run whose longest line is `width` long.
    """
    upper, lower = text[slice(*above)], text[slice(*below)]
    if len(upper) > UNWRAPPED or len(lower) > UNWRAPPED:
        return True
    ended = _SENTENCE_END.search(upper) is not None
    if marked or items.NUMBERED.match(lower):
        # A line may begin with a dash in the middle of a sentence: „Klasteris / – tai įmonių grupė“.
        return in_list or ended
    indented = len(lower) - len(lower.lstrip()) > len(upper) - len(upper.lstrip())
    if indented and not in_list and ended:
        return True
    return ended and not upper.rstrip().endswith((":", ";", ",")) and len(upper.rstrip()) < 0.7 * width


def _may_be_heading(text: str, start: int, end: int) -> bool:
    line = text[start:end]
    return (
        len(line) <= LONGEST_HEADING
        and not _NEWLINE.search(line)
        and not _SENTENCE_END.search(line)
        and not line.endswith((",", "–", "-"))
        and (line[0].isupper() or line[0].isdigit() or line[0] in '„“"')
        and any(c.isalpha() for c in line)
    )
