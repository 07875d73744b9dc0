"""
HTML → the main text of the page, as trafilatura finds it: no menus, no scripts, no styles, no comments.
"""

from __future__ import annotations

import re
from typing import Any

from clusterqa.documents import encoding
from clusterqa.documents.extract import Extract, TextBuilder, one_line
from clusterqa.documents.metadata import Metadata, iso_date, language_of, web_address
from clusterqa.errors import UnreadableDocument
from clusterqa.records import BlockKind

_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]+encoding\s*=\s*[\"']([\w.:-]+)", re.I)
_DECLARATION = re.compile(r"(<meta[^>]+charset\s*=\s*[\"']?\s*)[\w.:-]+", re.IGNORECASE)
_XML = re.compile(r"\A\s*<\?xml[^>]*>")
_LANG = re.compile(r"<html\b[^>]*?\slang\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n]+")
_BLOCK_TAGS = frozenset({"p", "head", "list", "item", "table", "row", "cell", "quote", "code", "div", "body", "main"})


def extract(raw: bytes, document: str) -> Extract:
    """
    Read an HTML page. Raises UnreadableDocument when no main text is found in it.

    Inside a block, white space is collapsed as a browser does it and `<br>` is a line break.
    """
    import trafilatura

    found = _CHARSET.search(raw[:4096])
    declared = (found[1] or found[2]).decode("ascii") if found else None
    source, warnings = encoding.decode(raw, document, declared)
    # lxml would read the declared encoding once more from the text already decoded.
    page = _DECLARATION.sub(r"\1utf-8", _XML.sub("", source))
    result = trafilatura.bare_extraction(
        page,
        include_comments=False,
        include_tables=True,
        with_metadata=True,
        date_extraction_params={"extensive_search": False, "original_date": True, "outputformat": "%Y-%m-%d"},
    )
    builder = TextBuilder()
    if result is not None and result.body is not None and result.body.tag == "body":
        _Walk(builder).children(result.body, "paragraph", 0)
    if not builder.blocks:
        raise UnreadableDocument(
            document,
            "No main text was found in the page (it may be made up of menus, or be filled in by a script).",
            "Open it in a browser, copy the text into a .md or .txt file, and add that.",
        )
    lang = _LANG.search(page)
    metadata = Metadata(
        title=one_line(result.title or "") or None,
        language=language_of(lang[1]) if lang else None,
        url=web_address(result.url or ""),
        date=iso_date(result.date or ""),
        publisher=one_line(result.sitename or "") or None,
    )
    return Extract(builder.text(), tuple(builder.blocks), metadata, warnings=tuple(warnings))


class _Walk:
    """Walks the tree that trafilatura returns (tags of TEI) and adds its blocks in order."""

    def __init__(self, builder: TextBuilder) -> None:
        self.builder = builder

    def children(self, element: Any, kind: BlockKind, level: int, depth: int = -1) -> None:
        """
        Add the element's own text as `kind`, and each block inside it as what it is; `depth` is that of its
        list.

        Once the first text is out, what else a list item holds is paragraphs.
        """
        pending = [_collapsed(element.text)]
        for child in element:
            if child.tag in _BLOCK_TAGS:
                kind = self._flush(pending, kind, level)
                if kind == "list_item" and child.tag == "p":
                    self.children(child, kind, level, depth)
                    kind = "paragraph"
                else:
                    self._block(child, depth)
                pending = [_collapsed(child.tail)]
            else:
                pending += [_inline(child), _collapsed(child.tail)]
        self._flush(pending, kind, level)

    def _flush(self, pending: list[str], kind: BlockKind, level: int) -> BlockKind:
        text = re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", "".join(pending))).strip()
        if not text:
            return kind
        self.builder.add(kind, text, level if kind != "paragraph" else 0)
        return "paragraph" if kind == "list_item" else kind

    def _block(self, element: Any, depth: int) -> None:
        match element.tag:
            case "head":
                rank = re.search(r"[1-6]", element.get("rend") or "")
                self.builder.add("heading", one_line(" ".join(element.itertext())), int(rank[0]) if rank else 2)
            case "list":
                self.children(element, "paragraph", 0, depth + 1)
            case "item":
                self.children(element, "list_item", max(depth, 0), depth)
            case "table":
                self._table(element)
            case "code":
                self.builder.add("paragraph", "".join(element.itertext()))
            case _:
                self.children(element, "paragraph", 0, depth)

    def _table(self, table: Any) -> None:
        header = ""
        first = True
        for row in table.iter("row"):
            cells = list(row.iter("cell"))
            if len(cells) == 1:  # a table that only lays out the page
                self.children(cells[0], "paragraph", 0)
                continue
            texts = [one_line(" ".join(cell.itertext())) for cell in cells]
            line = " | ".join(texts).strip(" |")
            heads = [cell.get("role") == "head" for cell in cells if one_line("".join(cell.itertext()))]
            if heads and all(heads):
                header = line
                self.builder.add_uncovered(line)
                first = False
            else:
                self.builder.add("table_row", line, header=header, joined=not first)
                first = False


def _inline(element: Any) -> str:
    if element.tag == "lb":
        return "\n"
    parts = [_collapsed(element.text)]
    for child in element:
        parts += [_inline(child), _collapsed(child.tail)]
    return "".join(parts)


def _collapsed(text: str | None) -> str:
    return _SPACES.sub(" ", text or "")
