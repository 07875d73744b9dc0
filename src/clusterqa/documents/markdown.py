"""
Markdown → blocks, by the lines that markdown-it reports.

The text is the file itself and is never changed; markdown-it parses a copy with its own line ends, and every
block is placed by line number and by how much of that line it holds. Content always reaches to the end of its
line (but for the closing marks of a heading and the bars of a table), so its start follows from its length,
whatever marks precede it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from clusterqa.documents.extract import Extract, first_heading, left_out, one_line, trimmed
from clusterqa.documents.metadata import Metadata, front_matter
from clusterqa.documents.plain import find_blocks
from clusterqa.documents.shown import words
from clusterqa.records import Block, BlockKind

MAX_NESTING = 100
"""How deep quotes and lists may lie inside each other (two levels a list); a deeper text is read as plain text."""

USUAL_NESTING = 5
"""So many quotes and lists in each other are read in any number of lines."""

MOST_NESTED = 100_000
"""
Lines times the quotes and lists, where they are more than `USUAL_NESTING`, that the deepest of their paragraph lies in; each
line is looked at once for each. A text of more is read as plain text.
"""

MOST_MARKS = 1_000_000
"""
The squares of the numbers of marks in headings and names of columns, added up: the parser's work on them. What comes after
so many keeps its marks.
"""

# The same line ends that markdown-it knows; form feeds and the like are ordinary characters to both.
_NEWLINE = re.compile(r"\r\n?|\n")
_COMMENT = r"<!--(?:(?!-->).)*(?:-->|\Z)"
_TAG = re.compile(r"<[^<>]*>")
_OF_TABLE = re.compile(r"<(/?)(table|thead|tbody|tfoot|tr|t[dh]|caption)\b([^<>]*)>", re.IGNORECASE)
_MERGED = re.compile(r"\b(?:col|row)span\s*=\s*[\"']?(?!1\b)\d", re.IGNORECASE)
_PICTURE = re.compile(r"`[^`]*`|(!\[[^\[\]]{0,1000}\][(\[]|<img\b)", re.IGNORECASE)
"""A picture, in the group; or code, in which there is none."""
_STRUCK = re.compile(r"`[^`]*`|(~~(?=[^\s~])(?:(?!~~).)+(?<=[^\s~])~~(?!~)|<(?:del|s|strike)\b)", re.DOTALL)
"""What is struck out, in the group; or code, in which nothing is."""
_HIDDEN = re.compile(r"<\w+(?=[\s>])[^<>]*(?:\shidden\b|display\s*:\s*none)", re.IGNORECASE)
_SIGNS = {
    "table": re.compile(r"\|"),
    "fence": re.compile(r"```|~~~"),
    "blockquote": re.compile(r">"),
    "hr": re.compile(r"[-_*][ \t]*[-_*][ \t]*[-_*]"),
    "reference": re.compile(r"\["),
    "html_block": re.compile(r"<"),
    "heading": re.compile(r"#"),
    "lheading": re.compile(r"[=-][ \t]*(?:[\r\n]|\Z)"),
}
"""What a text has in which one of the parser's rules finds something."""
_NESTED = re.compile(r"(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])))+")
_MARK = re.compile(r"[\[\]!*_`<&\\]")


def extract(text: str) -> Extract:
    """
    Read a Markdown file: its front matter, its blocks, and the first heading as a title where none is given.
    """
    metadata, body, warnings = front_matter(text)
    reader = _Reader(text, body)
    if reader.is_too_deep():
        blocks = find_blocks(text, body)
        heading = first_heading(text, blocks) or None
        warnings.append(
            "Its quotes and lists lie too deeply in each other; it was read as plain text, with their marks."
        )
    else:
        blocks, heading = reader.read()
        warnings += left_out(pictures=reader.count(_PICTURE), struck=reader.count(_STRUCK))
        if reader.merged:
            warnings.append(
                f"Cells of tables in HTML that reach over several columns or rows, and are said once only: {reader.merged}."
            )
    return Extract(text, tuple(blocks), metadata.over(Metadata(title=heading)), warnings=tuple(warnings))


class _Reader:
    """One walk over the tokens of one text; `body` is where the text after the front matter starts."""

    def __init__(self, text: str, body: int) -> None:
        self.text = text
        self.body = body
        self.lines: list[tuple[int, int]] = []
        start = body
        for newline in _NEWLINE.finditer(text, body):
            self.lines.append((start, newline.start()))
            start = newline.end()
        self.lines.append((start, len(text)))
        self.blocks: list[Block] = []
        self.heading: str | None = None
        # What stands inside the blocks is looked at for headings and names of columns alone: a line of thousands of
        # brackets takes the time of their square.
        self.parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
        self.parser.core.ruler.disable("inline")
        # Each rule is tried on each line; one whose sign the text does not have finds nothing.
        self.parser.block.ruler.disable([rule for rule, sign in _SIGNS.items() if not sign.search(text, body)])
        self.merged = 0
        """Cells of tables in HTML that reach over several columns or rows."""
        self.names: list[str] = []
        """Of the columns of the table in HTML that is read."""
        self.known: dict[str, object] = {}
        self.tokens: list[Token] = []

    def is_too_deep(self) -> bool:
        """Parse the text, unless its quotes would take too long; whether they, or its lists, are too deep to be read."""
        work = lines = depth = 0
        for start, end in self.lines:
            found = _NESTED.match(self.text, start, end)
            depth = max(depth, len(re.findall(r"[>.)*+-]", found[0]))) if found else depth
            lines += 1
            if not self.text[start:end].strip(" \t>"):  # no line goes on over an empty one
                work += lines * depth if depth > USUAL_NESTING else 0
                lines = depth = 0
        if work + (lines * depth if depth > USUAL_NESTING else 0) > MOST_NESTED:
            return True
        self.tokens = self.parser.parse(self.text[self.body :], self.known)
        return any(token.level >= MAX_NESTING - 1 and token.type != "inline" for token in self.tokens)

    def count(self, what: re.Pattern[str]) -> int:
        """In how many places there is what the group of a pattern is."""
        contents = (token.content for token in self.tokens if token.type in ("inline", "html_block"))
        return sum(bool(found) for content in contents for found in what.findall(content))

    def read(self) -> tuple[list[Block], str | None]:
        """The blocks, and what the first heading says; `is_too_deep` has been asked before."""
        parser, known, tokens = self.parser, self.known, self.tokens
        marks = 0

        def plain(inline: Token) -> str:
            nonlocal marks
            marks += len(_MARK.findall(inline.content)) ** 2
            if marks > MOST_MARKS:
                return one_line(inline.content)
            inline.children = []
            parser.inline.parse(inline.content, parser, known, inline.children)
            return one_line("".join(character for character, _ in words(inline.children)))

        alone = _alone(tokens)
        lists = quotes = 0
        fresh_item = False  # the next paragraph is the first content of a list item
        level = 0
        header = ""
        position = 0
        while position < len(tokens):
            token = tokens[position]
            match token.type:
                case "bullet_list_open" | "ordered_list_open":
                    lists += 1
                case "bullet_list_close" | "ordered_list_close":
                    lists -= 1
                case "blockquote_open":
                    quotes += 1
                case "blockquote_close":
                    quotes -= 1
                case "list_item_open":
                    fresh_item = True
                case "list_item_close":
                    fresh_item = False
                case "heading_open":
                    level = int(token.tag[1])
                    inline = tokens[position + 1]
                    if token.markup in ("=", "-"):
                        self._add_content("heading", inline, level)
                    else:
                        self._add_atx_heading(inline, level)
                    if self.heading is None:
                        self.heading = plain(inline) or None
                    fresh_item = False
                case "paragraph_open":
                    inline = tokens[position + 1]
                    if fresh_item and position - 1 in alone:
                        self._add_content("paragraph", inline, numbered=True)
                    elif fresh_item:
                        self._add_content("list_item", inline, lists - 1)
                    else:
                        self._add_content("paragraph", inline)
                    fresh_item = False
                case "fence" | "code_block":
                    self._add_code(token)
                    fresh_item = False
                case "html_block":
                    self._add_html(token)
                    fresh_item = False
                case "table_open":
                    header = ""
                    fresh_item = False
                case "tr_open":
                    if tokens[position - 1].type == "thead_open":
                        cells = [plain(inline) for inline in _cells(tokens, position)]
                        header = " | ".join(cell.replace("|", r"\|") for cell in cells) if any(cells) else ""
                    else:
                        self._add_row(token, header, quotes)
            position += 1
        return self.blocks, self.heading

    def _add(self, kind: BlockKind, start: int, end: int, level: int = 0, header: str = "") -> None:
        start, end = trimmed(self.text, start, end)
        while self.text.startswith("<!--", start, end):
            close = self.text.find("-->", start + 4, end)
            start, end = trimmed(self.text, close + 3 if close >= 0 else end, end)
        while self.text.endswith("-->", start, end):
            before = self.text.rfind("-->", start, end - 3) + 3
            comment = self.text.find("<!--", max(start, before if before >= 3 else start), end - 3)
            if comment < 0:
                break
            start, end = trimmed(self.text, start, comment)
        if start < end:
            self.blocks.append(Block(kind, start, end, level, header))

    def _add_content(self, kind: BlockKind, inline: Token, level: int = 0, numbered: bool = False) -> None:
        """A block whose content is whole lines, up to the marks before each, or with the number before the first."""
        if span := self._placed(inline.content.split("\n"), *_map(inline)):
            start, end = span
            line = self.text[self.lines[_map(inline)[0]][0] : start]
            if numbered and (mark := re.search(r"\d{1,9}[.)][ \t]+\Z", line)):
                start -= len(mark[0])
            self._add(kind, start, end, level)

    def _add_code(self, token: Token) -> None:
        first, last = _map(token)
        if span := self._placed(token.content.split("\n"), first + (token.type == "fence"), last):
            self._add("paragraph", *span)

    def _placed(self, content: list[str], first: int, last: int) -> tuple[int, int] | None:
        """Where the lines of `content` stand in the text, given that they lie in the lines [first, last)."""
        while content and not content[0].strip():
            content = content[1:]
            first += 1
        while content and not content[-1].strip():
            content = content[:-1]
        if not content:
            return None
        # Lines of nothing but exotic white space are stripped from the content; look for where it begins.
        head = content[0].strip()
        for number in range(first, max(first, last - len(content)) + 1):
            start, end = self.lines[number]
            line = self.text[start:end].rstrip()
            if line.replace("\0", "\ufffd").endswith(head):
                tail = self.lines[min(number + len(content), len(self.lines)) - 1]
                return start + len(line) - len(head), tail[1]
        return self.lines[first][0], self.lines[last - 1][1]

    def _add_atx_heading(self, inline: Token, level: int) -> None:
        start, end = self.lines[_map(inline)[0]]
        content = re.escape(inline.content).replace("\ufffd", "[\0\ufffd]")
        found = re.compile(rf"#[ \t]+({content})[ \t]*(?:[ \t]#+)?\s*\Z").search(self.text[start:end])
        if inline.content and found:
            self._add("heading", start + found.start(1), start + found.end(1), level)

    def _add_html(self, token: Token) -> None:
        content = token.content.lstrip().lower()
        if _HIDDEN.match(content):
            return
        if content.startswith(("<script", "<style", "<?", "<![cdata[", "<!doctype")):
            return
        if not re.search(r"\w", _TAG.sub(" ", re.sub(_COMMENT, " ", token.content, flags=re.DOTALL))):
            return
        if span := self._placed(token.content.split("\n"), *_map(token)):
            if _OF_TABLE.search(self.text, *span):
                self._add_html_table(*span)
            else:
                self._add("paragraph", *span)

    def _add_html_table(self, start: int, end: int) -> None:
        """The rows of a table that is written in HTML, or of a part of one, and what stands around them."""
        cells: list[tuple[int, int, str, str]] = []  # start, end, th or td, attributes
        nested = 0
        at = start
        opened: tuple[int, str, str] | None = None

        def close(place: int) -> None:
            nonlocal opened
            if opened is not None:
                cells.append((opened[0], place, *opened[1:]))
                opened = None

        for tag in _OF_TABLE.finditer(self.text, start, end):
            name, closing = tag[2].lower(), bool(tag[1])
            if name == "table":
                nested += -1 if closing else 1
            if nested > 1 or (name == "table" and closing and nested == 1):
                continue  # a table in a cell is part of its text
            if opened is None and not cells:
                self._add_html_text(at, tag.start())
            if name in ("td", "th"):
                close(tag.start())
                opened = None if closing else (tag.end(), name, tag[3])
            elif name != "caption":
                close(tag.start())
                self._add_html_row(cells)
                cells = []
                if name == "table":
                    self.names = []
            at = tag.end()
        close(end)
        self._add_html_row(cells)
        if not cells:
            self._add_html_text(at, end)

    def _add_html_text(self, start: int, end: int) -> None:
        if re.search(r"\w", _TAG.sub(" ", self.text[start:end])):
            self._add("paragraph", start, end)

    def _add_html_row(self, cells: list[tuple[int, int, str, str]]) -> None:
        if not cells:
            return
        merged = sum(_MERGED.search(attributes) is not None for _, _, _, attributes in cells)
        self.merged += merged
        if len(cells) > 1 and all(kind == "th" for _, _, kind, _ in cells):
            names = [one_line(_TAG.sub(" ", self.text[start:end])) for start, end, _, _ in cells]
            self.names = [] if merged or self.names else names  # names in two rows are not put together
            return
        fits = len(cells) == len(self.names) and not merged
        header = " | ".join(name.replace("|", r"\|") for name in self.names) if fits else ""
        self._add("table_row", cells[0][0], cells[-1][1], header=header)

    def _add_row(self, token: Token, header: str, quotes: int) -> None:
        start, end = self.lines[_map(token)[0]]
        if marks := re.match(rf"(?:[ \t]*>){{0,{quotes}}}", self.text[start:end]):
            start += marks.end()
        row = self.text[start:end]
        inner = re.sub(r"\A[ \t]*\|?[ \t]*", "", row)  # the bars of empty cells at the beginning stay
        start += len(row) - len(inner)
        row = inner.rstrip(" \t|")
        if row.endswith("\\") and inner[len(row) :].startswith("|"):
            row += "|"  # an escaped bar belongs to the cell
        if row:
            self._add("table_row", start, start + len(row), header=header)


def _alone(tokens: list[Token]) -> set[int]:
    """Where the only item of a numbered list, itself in no list, opens: "2. Auflage" is rather a sentence than a list of one item."""
    open_lists: list[list[int]] = []
    found = set()
    for position, token in enumerate(tokens):
        if token.type in ("ordered_list_open", "bullet_list_open"):
            open_lists.append([])
        elif token.type == "list_item_open":
            open_lists[-1].append(position)
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            items = open_lists.pop()
            if len(items) == 1 and token.type == "ordered_list_close" and not open_lists:
                found.add(items[0])
    return found


def _map(token: Token) -> tuple[int, int]:
    if token.map is None:
        raise ValueError(f"markdown-it gave no lines for {token.type}")  # it does for every token used here
    return token.map[0], token.map[1]


def _cells(tokens: list[Token], row: int) -> Iterator[Token]:
    """The contents of the cells of the row that begins at a token."""
    for position in range(row + 1, len(tokens)):
        if tokens[position].type == "tr_close":
            return
        if tokens[position].type == "inline":
            yield tokens[position]
