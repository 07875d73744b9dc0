"""How stored text is shown to a person: the words without what only marks them. Offsets always name the stored text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from clusterqa.documents.symbols import raised
from clusterqa.records import Part, Quote, Span

PDF, MARKDOWN = "application/pdf", "text/markdown"

_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[-\u00ad]\s*\n\s*(?=[^\W\d_])")
_NOTE = re.compile(r"\A[ ]{0,3}\[\^[^\]\s]+\]:[ \t]*|\[\^[^\]\s]+\]")
_REFERENCE = re.compile(r"(?<![!\w`\]])\[([^\W\d_][^\[\]`]+)\]\[[^\[\]`]*\](?!\[)")
"""A link whose address stands elsewhere in the file; neither sources („[12][13]“) nor code („a[i][j]“)."""
_TAG = re.compile(r"</?[A-Za-z][\w-]*(?:\s[^<>]*)?/?>|<!--.*?-->", re.DOTALL)
_PARTING = re.compile(r"</?(?:br|p|div|li|[uo]l|d[ldt]|t[drh]|h[1-6]|hr|table|blockquote|summary)\b", re.IGNORECASE)
"""Tags between words that do not stand together."""
_STRUCK = re.compile(r"<(/?)(?:del|s|strike)\b", re.IGNORECASE)
_HIGH = re.compile(r"<(/?)sup\b", re.IGNORECASE)
_QUOTED_LINE = re.compile(r"(?m)^[ \t]*>[ \t]?")
_TARGET = re.compile(r"(?<=\])\([^)\n]*\)")
_NUMBERED = re.compile(r"\(?(?:\d{1,3}(?:\.\d{1,3})*|[a-zA-Z])[.)]\s")


class Piece(NamedTuple):
    """A stretch of shown text in which nothing changes: whether it is `strong`, and the name of the `mark` it lies in, or ""."""

    text: str
    strong: bool = False
    mark: str = ""


class Mark(NamedTuple):
    """A stretch of the stored text that is to be marked."""

    start: int
    end: int
    name: str


def as_shown(text: str, media_type: str, is_cell: bool = False) -> str:
    """
    A quote or a passage as a person reads it: in a PDF, words broken at a line end are whole and lines run on; in
    Markdown, links, stress and the marks of notes are gone. Text of other formats stays as it is. `is_cell` says that it is
    one of a table.
    """
    if media_type not in (PDF, MARKDOWN):
        return text
    return "".join(character for character, _ in _shown(text, media_type, is_cell))


def pieces(text: str, media_type: str, marks: Sequence[Mark] = (), is_cell: bool = False) -> list[Piece]:
    """
    The shown text, or with `is_cell` that of a cell, in pieces, each with what it is marked as. `marks` count in `text`; of two at
    one place the later counts.

    A mark whose place cannot be told in the shown text is left out.
    """
    marks = [mark for mark in marks if mark.start < len(text) and mark.end > 0]
    if not marks and media_type not in (PDF, MARKDOWN):
        return [Piece(text)] if text else []
    shown = _shown(text, media_type, is_cell)
    places = _places(text, shown, media_type) if marks else [-1] * len(shown)
    names = [next((mark.name for mark in reversed(marks) if mark.start <= place < mark.end), "") for place in places]
    runs = groupby(zip(shown, names, strict=True), lambda one: (one[0][1], one[1]))
    return [Piece("".join(text for (text, _), _ in run), strong, name) for (strong, name), run in runs]


def short_marks(quote: Quote) -> list[Mark]:
    """The short answer of a quote as a mark, where a reader is sure of it."""
    return [Mark(quote.short.start, quote.short.end, "short")] if quote.short and quote.sure else []


def named_cells(part: Part, media_type: str) -> list[tuple[str, str]]:
    """The cells of a row as they are shown, each with the name of its column, "" where it has none."""
    return [(name, as_shown(part.cut(cell), media_type, is_cell=True)) for name, cell in _named(part, media_type)]


def _named(part: Part, media_type: str) -> Iterator[tuple[str, Span]]:
    for number, cell in enumerate(part.cells):
        yield as_shown(part.header[number], media_type) if number < len(part.header) else "", cell


def as_lines(
    parts: Sequence[Part],
    media_type: str,
    marks: Sequence[Mark] = (),
    marked: Callable[[str], str] = str,
) -> str:
    """
    A selection as plain text: sentences run on; an item, a table row, each cell of a row alone has a line of its own.

    What `marked` makes of a text stands in place of what is marked; `marks` count in the document.
    """

    def shown(text: str, start: int, is_cell: bool = False) -> str:
        here = [Mark(mark.start - start, mark.end - start, mark.name) for mark in marks]
        return "".join(
            marked(piece.text) if piece.mark else piece.text for piece in pieces(text, media_type, here, is_cell)
        )

    lines: list[str] = []
    alone = sum(part.kind == "row" for part in parts) == 1
    for index, part in enumerate(parts):
        if part.kind == "row":
            cells = [(name, shown(part.cut(cell), cell.start, is_cell=True)) for name, cell in _named(part, media_type)]
            told = [f"{name}: {cell}" if name else cell for name, cell in cells if cell]
            lines += told if alone else ["; ".join(told)]
        elif part.kind == "item":
            mark = part.number or ("" if begins_with_number(part.text) else "–")
            lines.append("  " * part.level + f"{mark} {shown(part.text, part.start)}".strip())
        elif index and goes_on(parts[index - 1], part):
            lines[-1] += f" {shown(part.text, part.start)}"
        else:
            lines.append(shown(part.text, part.start))
    return "\n".join(lines)


def goes_on(one: Part, other: Part) -> bool:
    """Whether a sentence follows the other in the same paragraph."""
    return not {one.kind, other.kind} & {"item", "row"} and other.start - one.end <= 1


def begins_with_number(text: str) -> bool:
    """Whether an item of a list has its number in its text."""
    return _NUMBERED.match(text) is not None


def _shown(text: str, media_type: str, is_cell: bool) -> list[tuple[str, bool]]:
    """The shown characters, each with whether it is strong."""
    if media_type == PDF:
        return [(character, False) for character in " ".join(_BROKEN_WORD.sub(_joined, text).split())]
    if media_type == MARKDOWN:
        parser = _parser()
        children: list[Token] = []
        told = _REFERENCE.sub(r"\1", _NOTE.sub("", _QUOTED_LINE.sub("", text)))
        told = told.replace(r"\|", "|") if is_cell else told  # a bar in code too, as it would part cells
        parser.inline.parse(told, parser, {}, children)
        return list(_single_spaced(words(children)))
    return [(character, False) for character in text]


def _joined(found: re.Match[str]) -> str:
    """Nothing before a small letter; the hyphen where the next part is a name of its own („Vilniaus-Kauno“)."""
    return "" if found.string[found.end()].islower() else "-"


def _single_spaced(characters: Iterator[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """One space in place of any white space, none at the ends."""
    waiting: list[tuple[str, bool]] = []
    begun = False
    for character, strong in characters:
        if character.isspace():
            waiting = [(" ", strong)] if begun else []
            continue
        yield from waiting
        yield character, strong
        waiting, begun = [], True


def _places(text: str, shown: Sequence[tuple[str, bool]], media_type: str) -> list[int]:
    """Where in the stored text each shown character comes from; -1 from where it cannot be told."""
    if media_type == MARKDOWN:  # an address holds letters that are not shown
        for pattern in (_NOTE, _TARGET, _TAG):
            text = pattern.sub(lambda found: "\0" * len(found[0]), text)
        text = _REFERENCE.sub(lambda found: f"\0{found[1]}" + "\0" * (len(found[0]) - len(found[1]) - 1), text)
    places, at = [], 0
    for character, _ in shown:
        plain = unicodedata.normalize("NFKC", character)[:1]  # of a raised figure
        while 0 <= at < len(text) and not (text[at] in (character, plain) or (character == " " and text[at].isspace())):
            at += 1
        if not 0 <= at < len(text):
            at = -1
        places.append(at)
        at += at >= 0
    return places


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("strikethrough")


def words(tokens: Sequence[Token]) -> Iterator[tuple[str, bool]]:
    """The letters of a parsed line that are shown, each with whether it is strong."""
    strong = struck = 0
    high: list[tuple[str, bool]] | None = None  # letters that stand above their line: "10" and a raised "6" are not 106
    for token in tokens:
        if token.type in ("s_open", "s_close"):
            struck += token.nesting
        elif token.type == "html_inline" and (tag := _STRUCK.match(token.content)):
            struck = max(0, struck + (-1 if tag[1] else 1))
        elif struck:  # what is struck out is no text
            continue
        elif token.type == "html_inline" and (tag := _HIGH.match(token.content)):
            yield from _raised(high)
            high = None if tag[1] else []
        elif token.type in ("strong_open", "strong_close"):
            strong += token.nesting
        elif token.type in ("text", "code_inline", "text_special"):
            letters = [(character, strong > 0) for character in token.content]
            if high is None:
                yield from letters
            else:
                high += letters
        elif token.type == "html_inline":
            if _PARTING.match(token.content):
                yield " ", strong > 0
        elif token.type == "image":
            yield from words(token.children or [])
        elif token.type in ("softbreak", "hardbreak"):
            yield " ", strong > 0
    yield from _raised(high)


def _raised(letters: list[tuple[str, bool]] | None) -> Iterator[tuple[str, bool]]:
    text = "".join(character for character, _ in letters or ())
    yield from ((character, any(strong for _, strong in letters or ())) for character in raised(text) or text)
