"""EPUB → its chapters in reading order, each read as a web page; a chapter is a page."""

from __future__ import annotations

import io
import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

from clusterqa.documents.extract import Extract, TextBuilder, first_heading, left_out, one_line
from clusterqa.documents.html import add_all
from clusterqa.documents.metadata import Metadata, iso_date, language_of
from clusterqa.documents.packages import ZIP_BROKEN, parsed, refuse_zip_bomb
from clusterqa.errors import UnreadableDocument
from clusterqa.records import Page

_DC = "{http://purl.org/dc/elements/1.1/}"
_OPF = "{http://www.idpf.org/2007/opf}"
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


def extract(raw: bytes, document: str) -> Extract:
    """
    Read an e-book. Raises UnreadableDocument for one that is broken or locked. Its table of contents is left out;
    pictures are named in a warning.
    """
    refuse_zip_bomb(raw, document)
    from lxml import etree

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            _refuse_locked(archive, document)
            return _read(archive)
    except (KeyError, AttributeError, ValueError, *ZIP_BROKEN, etree.LxmlError) as error:
        raise UnreadableDocument(
            document, "It is no whole e-book.", "Copy it from its source again, or save it as HTML or DOCX."
        ) from error


def _refuse_locked(archive: zipfile.ZipFile, document: str) -> None:
    if "META-INF/encryption.xml" in archive.namelist():
        root = parsed(archive.read("META-INF/encryption.xml"))
        ways = [
            e.get("Algorithm", "")
            for e in root.iter()
            if isinstance(e.tag, str) and e.tag.endswith("}EncryptionMethod")
        ]
        if any(not way.startswith(_FONTS) for way in ways):
            raise UnreadableDocument(
                document, "It is locked by its publisher (DRM).", "Ask its publisher for a copy without a lock."
            )


def _read(archive: zipfile.ZipFile) -> Extract:
    container = parsed(archive.read("META-INF/container.xml"))
    files = (e for e in container.iter() if isinstance(e.tag, str) and e.tag.endswith("}rootfile"))
    path = next((e.get("full-path") or "" for e in files), "")  # there is no file of no name
    package = parsed(archive.read(path))
    items = {e.get("id"): e for e in package.iter(f"{_OPF}item")}
    styles = [_within(path, item) for item in items.values() if item.get("media-type") == "text/css"]
    style = "\n".join(archive.read(name).decode("utf-8", "replace") for name in styles if name in archive.namelist())
    builder = TextBuilder()
    chapters: list[tuple[int, int, int, int]] = []
    pictures = struck = 0
    for reference in package.iter(f"{_OPF}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or "nav" in (item.get("properties") or "").split():
            continue
        if "html" not in (item.get("media-type") or ""):
            pictures += 1
            continue
        name = _within(path, item)
        before = builder.length()
        blocks = len(builder.blocks)
        start = builder.new_page()
        drawn, crossed = add_all(archive.read(name), name, builder, style=style)
        pictures, struck = pictures + drawn, struck + crossed
        if len(builder.blocks) == blocks and builder.length() > before:
            start = builder.length()
        chapters.append((start, builder.length(), blocks, len(builder.blocks)))
    text = builder.text()
    pages = [
        Page(number, first_heading(text, builder.blocks[first:last])[:60] or str(number), start, end)
        for number, (start, end, first, last) in enumerate(chapters, start=1)
    ]
    warnings = left_out(pictures, struck=struck)

    def told(name: str) -> str:
        found: Any = package.find(f".//{_DC}{name}")
        return one_line(found.text or "") if found is not None else ""

    metadata = Metadata(
        title=told("title") or None,
        language=language_of(told("language")),
        date=iso_date(told("date")),
        publisher=told("publisher") or None,
    )
    return Extract(text, tuple(builder.blocks), metadata, tuple(pages), tuple(warnings))


def _within(path: str, item: Any) -> str:
    """The name in the archive of what the package at `path` lists."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(item.get("href") or "")))
