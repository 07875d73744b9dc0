"""RTF → its text, paragraph by paragraph, as striprtf gives it: rows of tables and items, but no headings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from clusterqa.documents import items, tables
from clusterqa.documents.encoding import mojibake
from clusterqa.documents.extract import Extract, TextBuilder, left_out, one_line, unknown_signs
from clusterqa.documents.metadata import Metadata
from clusterqa.documents.symbols import UNKNOWN, is_symbol_font, low, raised, sign, symbol_field
from clusterqa.errors import UnreadableDocument

_MARGINS = re.compile(rb"\\(?:(?:header|footer)[lrf]?|footnote|annotation)\b")
_NOT_READ = (
    "Headers, footers, notes and comments of an RTF document are not read, and this one has some. Save it as DOCX to have "
    "them read."
)
_STRUCK = re.compile(rb"\\strike(?:d1)?(?![\da-z])")
_BOXES = re.compile(rb"\\(?:shptxt|dptxbxtext)\b|\bgtextUNICODE\b")
_FORMULAS = re.compile(rb"\\moMath(?:Para)?\b")
_FORMULAS_NOT_READ = (
    "Formulas of an RTF document are not read, and this one has some. Save it as DOCX to have them read."
)
_BOXES_NOT_READ = (
    "Text boxes of an RTF document are not read, and this one has some. Save it as DOCX to have them read."
)
_TITLE = re.compile(rb"\{\\title\s+([^\\{}]+)\}")


_TOKEN = re.compile(
    r"\\(?P<word>[a-z]{1,32})(?P<value>-?\d{1,10})?[ ]?|\\'(?P<hex>[0-9a-f]{2})|\\(?P<sign>[^a-z])|(?P<brace>[{}])|[\r\n]+|(?P<letter>.)",
    re.IGNORECASE | re.DOTALL,
)
_CHARSETS = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
"""What a file says that names no code page, and its encoding."""
_FONT = re.compile(r"\\f(\d+)(?=[\\ ])((?:[^;{}]|\{[^{}]{0,100}+\}){0,200}+);")
"""What the table of fonts says of one: its number, and its name behind words and groups about it."""
_ABOUT = re.compile(r"\{[^{}]*\}|\\[a-z]+-?\d*[ ]?")
_START, _CELL, _ROW, _NEST_CELL, _NEST_ROW, _END = "\x01\x02\x03\x04\x05\x06"
"""
What stands in the text where a row of a table begins, a cell ends, a row ends, and a cell or a row of a table in a cell ends.
After the end of a row come the places of its cells, up to `_END`.
"""
_MARKS = {"cell": _CELL, "nestcell": _NEST_CELL, "nestrow": _NEST_ROW}
MAX_CODE = 1_000
"""Letters; so much of the code of a field is looked at."""
MOST_CELLS = 100
"""In a row; Word makes 63."""
_PLACE = re.compile(r"(\d+)([lnhv])")
_LETTERS = frozenset("u tab line emdash endash bullet lquote rquote ldblquote rdblquote emspace enspace".split())
"""Words that stand for a letter."""


@dataclass(frozen=True, slots=True)
class _Places:
    """
    Where a row begins and its cells end, in twips from the left, and which are merged; the last first, as rows often share the
    others.
    """

    last: str = ""
    rest: _Places | None = None
    count: int = 0

    def written(self) -> str:
        """All of them in their order; nothing for more than any program makes."""
        found: list[str] = []
        here: _Places | None = self if self.count <= MOST_CELLS else None
        while here is not None:
            found.append(here.last)
            here = here.rest
        return "".join(reversed(found)) or "-"


def _as_seen(source: str) -> str:
    """
    The source without hidden, deleted and struck-out text and without the addresses of links, with the numbers of items, with raised figures
    as raised letters („5²“ is not „52“), with the signs that symbol fonts draw, with marks in its tables, and letters that stand in it as bare
    bytes as the escapes that the reader decodes.
    """
    hidden = high = down = struck = in_row = False
    passing = upper = -1  # how deep a group lies that is passed over, and one with two forms of a name
    fonts = ((number, _ABOUT.sub("", told)) for number, told in _FONT.findall(source))
    symbols = {number: name for number, name in fonts if is_symbol_font(name)}
    font = ""  # of signs, "" for one of letters
    inside = ""  # the table of fonts, or what tells a field what to show
    merged = "n"  # "h" with the cell before it, "v" with the one above it
    places = told = _Places()
    stands_in, passed_over = (
        0,
        1,
    )  # letters that old programs draw for the \\u before them: still to come, and how many there are
    code = ""  # what tells a field what to show, and the states of a box to tick in it
    box: dict[str, str] = {}
    replaced = -1  # how deep a field lies whose result is known from its code
    outer: list[tuple[bool, bool, bool, bool, _Places, str, str, int]] = []
    parts: list[str] = []
    for token in _TOKEN.finditer(source):
        word, value, letter = token["word"], token["value"], token["letter"]
        if token["brace"] == "{":
            passing = len(outer) if passing < 0 and upper == len(outer) else passing
            upper = -1 if passing == len(outer) else upper
            outer.append((hidden, high, down, struck, places, inside, font, passed_over))
        elif token["brace"] and outer:
            told_inside = inside
            hidden, high, down, struck, places, inside, font, passed_over = outer.pop()
            replaced = -1 if len(outer) < replaced else replaced
            ends_code = told_inside == "fldinst" != inside and passing < 0 and not (hidden or struck)
            if ends_code and (drawn_by_code := _drawn_field(code, box)):
                parts += ["}", drawn_by_code]
                replaced = len(outer)
                continue
            if passing == len(outer):
                passing = -1
                continue
        elif word == "uc":
            passed_over = int(value or 1)
        elif word in ("fldinst", "fonttbl"):
            inside, code, box = word, "", {}
        elif word in ("ffres", "ffdefres"):
            box[word] = value or "0"
        elif word == "f":
            font = symbols.get(value, "")
        elif word in ("v", "deleted"):
            hidden = value != "0"
        elif word == "plain":
            hidden = high = down = struck = False
            font = ""
        elif word in ("strike", "striked"):
            struck = value != "0"
        elif word in ("super", "up"):
            high, down = value != "0", False
        elif word in ("nosupersub", "sub", "dn"):
            high, down = False, word != "nosupersub" and value != "0"
        elif word == "upr":  # a name in the letters of old programs, then in all
            upper = len(outer)
            continue
        elif word == "trowd":
            places, merged = _Places(), "n"
        elif word == "trleft" and not places.count:
            places = _Places(f"{max(0, int(value or 0))}l")
        elif word in ("clmrg", "clvmrg"):
            merged = "h" if word == "clmrg" else "v"
        elif word == "cellx":
            places, merged = _Places(f"{max(0, int(value or 0))}{merged}", places, places.count + 1), "n"
        elif word in ("nesttableprops", "ud") and parts[-1:] == ["\\*"]:
            parts.pop()
        if passing >= 0 or word == "ud":
            continue
        mark = _MARKS.get(word or "", "")
        if word in ("trowd", "intbl") and not in_row:
            mark, in_row = _START, True
        elif word == "row":
            mark, in_row = f"{_ROW}{'' if places is told else places.written()}{_END}", False
            told = places
        drawn = letter or token["hex"] or word in _LETTERS or token["sign"] in ("~", "-", "_", "\\", "{", "}")
        if inside == "fldinst" and len(code) < MAX_CODE:
            code += letter or ("\\" if token["sign"] == "\\" else "\0" if word == "ffl" else "")
            code += token[0] if token["hex"] or word == "u" else ""
        if (hidden or struck or inside == "fldinst" or replaced >= 0) and drawn:
            continue
        if stands_in and drawn and word is None:
            stands_in -= 1
            parts.append(f"\\'{ord(letter):02x}" if letter and letter > "\x7f" else token[0])
            continue
        stands_in = passed_over if word == "u" else 0
        if mark:
            parts.append(f"\\plain {mark}")  # a word before it, as a letter after \u may be passed over
        elif word == "nesttableprops" or (letter and letter < " " and letter != "\t"):
            continue
        elif not inside and (told_sign := _sign(token, font)):
            parts.append(told_sign)
        elif letter and letter > "\x7f":
            parts.append(f"\\'{ord(letter):02x}")
        elif letter and (high or down):
            parts.append(low(letter) if down else raised(letter) or letter)
        elif word == "pntext":  # the number of an item, as older programs write it
            parts.append("\\listtext ")
        else:
            parts.append(token[0])
    return "".join(parts)


def _drawn_field(code: str, box: dict[str, str]) -> str:
    """
    What Word draws from the code of a field alone, as RTF: a sign of a font, a box that is ticked or not, the line of a list that is
    picked; the lines stand behind NULs in `code`.
    """
    state = box.get("ffres", "25")  # 25 says that nobody has touched it
    state = box.get("ffdefres", "0") if state == "25" else state
    if found := symbol_field(code):
        number, font = found
        drawn = sign(number, font) if is_symbol_font(font) else chr(number) if 0x20 <= number < 0xD800 else UNKNOWN
        return _escaped(drawn)
    if code.strip().upper().startswith("FORMCHECKBOX"):
        return _escaped("☒" if state != "0" else "☐")
    kind, *lines = code.split("\0")
    picked = lines[int(state)] if kind.strip().upper() == "FORMDROPDOWN" and 0 <= int(state) < len(lines) else ""
    return f"{{{picked.strip()}}}" if picked else ""


def _escaped(text: str) -> str:
    halves = memoryview(text.encode("utf-16-le")).cast("H")
    return "{\\uc0" + "".join(f"\\u{half} " for half in halves) + "}"


def _sign(token: re.Match[str], font: str) -> str:
    """
    What a letter of a symbol font draws, or one that says its place in such a font, as RTF; "" for another token.
    """
    code = 0
    if token["word"] == "u":
        code = int(token["value"] or 0) & 0xFFFF
        if not 0xF000 <= code <= 0xF0FF:
            return ""
    elif font and (token["hex"] or token["letter"] or token["sign"] in ("\\", "{", "}")):
        code = int(token["hex"], 16) if token["hex"] else ord(token["letter"] or token["sign"])
    if code <= 0x20:
        return ""
    told = sign(code, font)
    # What stands for it in old programs comes after a letter, and is passed over.
    return f"\\u{ord(told)} " if token["word"] and ord(told) < 0x10000 else _escaped(told)


def extract(raw: bytes, document: str) -> Extract:
    """
    Read an RTF document. Raises UnreadableDocument for one that is broken.

    Its words are read, and the rows of its tables and its items; headings are paragraphs. Hidden text is left out. Headers, footers, notes and
    pictures are left out, and a warning names them.
    """
    from striprtf.striprtf import rtf_to_text

    try:
        source = raw.decode("latin-1")
        known = next(
            (name for word, name in _CHARSETS.items() if re.search(rf"\\{word}(?![a-z])", source[:200])), "cp1252"
        )
        text = rtf_to_text(_as_seen(source), encoding=known, errors="replace")
        text = text.encode("utf-16-le", "surrogatepass").decode(
            "utf-16-le", "replace"
        )  # signs that RTF writes in two halves
    except (ValueError, OverflowError, LookupError, AttributeError, TypeError) as error:
        raise UnreadableDocument(
            document, "It is no whole RTF document.", "Open it in Word or LibreOffice and save it as DOCX."
        ) from error
    builder = TextBuilder()
    _lay_out(text, builder)
    warnings = mojibake(builder.text(), document)
    warnings += left_out(pictures=len(re.findall(rb"\\pict\b", raw)), files=len(re.findall(rb"\\object\b", raw)))
    warnings += left_out(struck=len(_STRUCK.findall(raw)))
    warnings += unknown_signs(text.count(UNKNOWN))
    if _MARGINS.search(raw):
        warnings.append(_NOT_READ)
    if _BOXES.search(raw):
        warnings.append(_BOXES_NOT_READ)
    if _FORMULAS.search(raw):
        warnings.append(_FORMULAS_NOT_READ)
    title = _TITLE.search(raw)
    metadata = Metadata(title=one_line(title[1].decode("ascii", "ignore")) or None if title else None)
    return Extract(builder.text(), tuple(builder.blocks), metadata, warnings=tuple(warnings))


@dataclass(frozen=True, slots=True)
class _Row:
    """The cells of a row, where it begins, where each ends and with what it is merged, and the rows of the tables in its cells."""

    cells: tuple[str, ...]
    start: int
    places: tuple[tuple[int, str], ...]
    nested: tuple[tuple[str, ...], ...]


def _lay_out(text: str, builder: TextBuilder) -> None:
    """Add a text with the marks of its tables."""
    parts = [part.rpartition(_END) for part in text.split(_ROW)]
    places = ""
    table: list[_Row] = []
    for number, (_, _, part) in enumerate(parts):
        is_last = number + 1 == len(parts)
        own, _, inside = part.partition(_START)
        if not inside and _CELL in part:  # nothing says where the row begins: with the line of its first cell
            first, cell, others = part.partition(_CELL)
            own, _, first = first.rpartition("\n")
            inside = first + cell + others
        if is_last and _CELL not in inside:
            own, inside = part, ""
        if own.strip():
            _add_table(table, builder)
            table = []
            lines = own.split("\n")
            marks = items.marks(lines)
            for place, line in enumerate(lines):
                mark = line[: marks.get(place, 0)]
                builder.add("list_item" if mark else "paragraph", line[len(mark) :], mark=mark.strip())
        if inside:
            places = ("" if is_last else parts[number + 1][0]) or places
            table.append(_row(inside, places))
    _add_table(table, builder)


def _row(inside: str, places: str) -> _Row:
    texts = inside.split(_CELL)
    if not texts[-1].strip(_START + " \n"):
        texts.pop()
    cells: list[str] = []
    nested: list[tuple[str, ...]] = []
    for text in texts:
        own: list[str] = []
        for part in text.split(_NEST_ROW):
            before, cell, others = part.partition(_NEST_CELL)
            if cell:
                before, _, first = before.rpartition("\n")
                nested.append((one_line(first), *map(one_line, others.removesuffix(_NEST_CELL).split(_NEST_CELL))))
            own.append(before)
        cells.append(one_line(" ".join(own)))
    found = [(int(place), kind) for place, kind in _PLACE.findall(places)]
    start = next((place for place, kind in found if kind == "l"), 0)
    return _Row(tuple(cells), start, tuple(end for end in found if end[1] != "l"), tuple(nested))


def _add_table(rows: Sequence[_Row], builder: TextBuilder) -> None:
    grid = _grid(rows)
    joined = False
    for row, made in zip(rows, tables.laid_out(grid, tables.header_rows(grid)), strict=True):
        joined = tables.add_row(builder, made, joined)
        if row.nested:
            inner = [_side_by_side(cells) for cells in row.nested]
            joined = False
            for made_inside in tables.laid_out(inner, tables.header_rows(inner)):
                joined = tables.add_row(builder, made_inside, joined)
            joined = False


def _grid(rows: Sequence[_Row]) -> list[list[tables.Cell]]:
    """The cells of a table where the file places them, or side by side where it does not say it of every row."""
    if not all(
        len(row.places) == len(row.cells) and _rises([row.start, *(end for end, _ in row.places)]) for row in rows
    ):
        return [_side_by_side(row.cells) for row in rows]
    grid: list[list[tables.Cell]] = []
    above: dict[int, tables.Cell] = {}
    for row in rows:
        line: list[tables.Cell] = []
        start = row.start
        for text, (end, merged) in zip(row.cells, row.places, strict=True):
            if merged == "h" and line and not text:
                line[-1] = replace(line[-1], end=end)
            elif merged == "v" and start in above and not text:
                line.append(above[start])
            else:
                line.append(tables.Cell(text, start, end))
            start = end
        above = {cell.start: cell for cell in line}
        grid.append(line)
    return tables.snapped(grid)


def _rises(ends: Sequence[int]) -> bool:
    return all(before < after for before, after in pairwise(ends))


def _side_by_side(texts: Sequence[str]) -> list[tables.Cell]:
    return [tables.Cell(text, n, n + 1) for n, text in enumerate(texts)]
