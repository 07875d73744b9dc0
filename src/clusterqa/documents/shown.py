"""How stored text is shown to a person: the words without what only marks them. Offsets always name the stored text."""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[-\u00ad]\s*\n\s*(?=[^\W\d_])")
_NOTE = re.compile(r"\[\^[^\]\s]+\]")
_QUOTED_LINE = re.compile(r"(?m)^[ \t]*>[ \t]?")
_CELL_BAR = re.compile(r"(?<!\\)\s*\|\s*")


def as_shown(text: str, media_type: str) -> str:
    """
    A quote or a passage as a person reads it: in a PDF, words broken at a line end are whole and lines run on; in
    Markdown, links, stress and the marks of notes are gone. Text of other formats stays as it is.
    """
    if media_type == "application/pdf":
        return " ".join(_BROKEN_WORD.sub(_joined, text).split())
    if media_type == "text/markdown":
        parser = _parser()
        children: list[Token] = []
        parser.inline.parse(_NOTE.sub("", _QUOTED_LINE.sub("", text)), parser, {}, children)
        return " ".join(_words(children).split())
    return text


def columns(row: str, header: str) -> list[tuple[str, str]]:
    """The cells of a stored table row, each with the name of its column, "" where it has none."""
    cells, names = _CELL_BAR.split(row), _CELL_BAR.split(header) if header else []
    return [(names[n].strip() if n < len(names) else "", cell.strip()) for n, cell in enumerate(cells)]


def _joined(found: re.Match[str]) -> str:
    """Nothing before a small letter; the hyphen where the next part is a name of its own („Vilniaus-Kauno“)."""
    return "" if found.string[found.end()].islower() else "-"


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark")


def _words(tokens: list[Token]) -> str:
    parts = []
    for token in tokens:
        if token.type in ("text", "code_inline", "text_special"):
            parts.append(token.content)
        elif token.type == "image":
            parts.append(_words(token.children or []))
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
    return "".join(parts)
