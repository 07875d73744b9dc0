"""
Which format a file is in: by its first bytes, then by its suffix; a file whose name says otherwise is
refused.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from clusterqa.errors import UnreadableDocument

Format = Literal["markdown", "plain", "html", "pdf", "docx", "odt", "rtf", "pptx", "xlsx", "csv", "epub", "eml"]
PageKind = Literal["page", "slide", "sheet", "chapter"]

MAX_FILE_BYTES = 100_000_000
MAX_TEXT_BYTES = 20_000_000
"""For text, HTML and the like: some forty novels; more is a data dump, and would be slow to parse."""


@dataclass(frozen=True, slots=True)
class Kind:
    """
    One format: how its files end (the first ending is the usual one), what it is called in a sentence and in a list,
    whether it is text, and what its pages are. The module of its name in this package reads it.
    """

    format: Format
    suffixes: tuple[str, ...]
    media_type: str
    told: str
    label: str
    is_text: bool = False
    page: PageKind = "page"


_OFFICE = "application/vnd.openxmlformats-officedocument"
KINDS: tuple[Kind, ...] = (
    Kind("markdown", ("md", "markdown"), "text/markdown", "Markdown", "Markdown", is_text=True),
    Kind("plain", ("txt",), "text/plain", "plain text", "TXT", is_text=True),
    Kind("html", ("html", "htm"), "text/html", "an HTML page", "HTML", is_text=True),
    Kind("pdf", ("pdf",), "application/pdf", "a PDF document", "PDF"),
    Kind("docx", ("docx",), f"{_OFFICE}.wordprocessingml.document", "a Word document (DOCX)", "Word (DOCX)"),
    Kind("odt", ("odt",), "application/vnd.oasis.opendocument.text", "an OpenDocument text (ODT)", "ODT"),
    Kind("rtf", ("rtf",), "application/rtf", "an RTF document", "RTF"),
    Kind("pptx", ("pptx",), f"{_OFFICE}.presentationml.presentation", "a presentation (PPTX)", "PowerPoint (PPTX)", page="slide"),
    Kind("xlsx", ("xlsx",), f"{_OFFICE}.spreadsheetml.sheet", "a spreadsheet (XLSX)", "Excel (XLSX)", page="sheet"),
    Kind("csv", ("csv", "tsv"), "text/csv", "a table (CSV)", "CSV", is_text=True),
    Kind("epub", ("epub",), "application/epub+zip", "an e-book (EPUB)", "EPUB", page="chapter"),
    Kind("eml", ("eml",), "message/rfc822", "an e-mail (EML)", "EML", is_text=True),
)  # fmt: skip
"""Every format that is read; the one place that lists them."""

KIND: dict[Format, Kind] = {kind.format: kind for kind in KINDS}
FORMAT_OF_SUFFIX: dict[str, Format] = {suffix: kind.format for kind in KINDS for suffix in kind.suffixes}
MEDIA_TYPES: dict[Format, str] = {kind.format: kind.media_type for kind in KINDS}
PAGE_KINDS: dict[str, PageKind] = {kind.media_type: kind.page for kind in KINDS}
"""What a document of a media type is divided into, for citations: pages, slides, sheets or chapters."""

# Nothing that was passed over is tried again: many comments could be cut into as many as two to their number.
_HTML = re.compile(rb"(?:\s|(?><!--.*?-->)|<\?xml[^>]*>)*+<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL)
_OLD = "Open it in Word or LibreOffice and save it as DOCX."

# First bytes, what it is, what to do.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a picture (PNG)", "Recognise its text first (for a PDF of pictures: ocrmypdf -l lit+eng)."),
    (
        b"\xff\xd8\xff",
        "a picture (JPEG)",
        "Recognise its text first (for a PDF of pictures: ocrmypdf -l lit+eng).",
    ),
    (b"GIF8", "a picture (GIF)", "Recognise its text first (for a PDF of pictures: ocrmypdf -l lit+eng)."),
    (b"II*\0", "a picture (TIFF)", "Recognise its text first (for a PDF of pictures: ocrmypdf -l lit+eng)."),
    (b"MM\0*", "a picture (TIFF)", "Recognise its text first (for a PDF of pictures: ocrmypdf -l lit+eng)."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and add the documents in it."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it and add the documents in it."),
    (b"Rar!", "a RAR archive", "Unpack it and add the documents in it."),
    (b"MZ\x90", "a program", "Remove it."),
    (b"\x7fELF", "a program", "Remove it."),
    (b"SQLite format 3\0", "a database", "Remove it."),
    (b"%!PS", "a PostScript document", "Save it as PDF."),
)


def format_of(raw: bytes, name: str, document: str) -> Format:
    """
    The format of a file with these bytes and this name. Raises UnreadableDocument where the two do not agree.
    """
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    expected = FORMAT_OF_SUFFIX.get(suffix)
    if not raw.strip():
        raise UnreadableDocument(document, "The file is empty.", "Put text into it or remove it.")
    if not raw.strip(b"\0"):
        raise UnreadableDocument(document, "The file holds nothing but NUL bytes.", "Copy it from its source again.")
    found = _by_content(raw, document)
    if expected is None:
        known = ", ".join(FORMAT_OF_SUFFIX)
        step = f"Rename it to end in .{_suffix(found)}." if found else f"Save it as one of: {known}."
        raise UnreadableDocument(document, f"Files ending in “.{suffix}” are not read.", step)
    if found is None:
        if not KIND[expected].is_text:
            raise UnreadableDocument(
                document,
                f"It is not {KIND[expected].told}, although its name says so.",
                "Save it from its source again, or, if it is plain text, rename it to end in .txt.",
            )
        found = expected
    elif found != expected:
        raise UnreadableDocument(
            document,
            f"It is {KIND[found].told}, although its name ends in .{suffix}.",
            f"Rename it to end in .{_suffix(found)}.",
        )
    limit = MAX_TEXT_BYTES if KIND[found].is_text else MAX_FILE_BYTES
    if len(raw) > limit:
        raise UnreadableDocument(
            document, f"It is larger than {limit // 1_000_000} MB.", "Split it into several documents."
        )
    return found


def _suffix(format: Format) -> str:
    return KIND[format].suffixes[0]


def _by_content(raw: bytes, document: str) -> Format | None:
    """
    What the first bytes say; None when they could be text. Raises UnreadableDocument for what is never read.
    """
    # A PDF may have some bytes before its mark, but a text may speak of "%PDF-" too: then no version follows.
    if re.search(rb"%PDF-\d\.\d", raw[:1024]) and (raw.startswith(b"%PDF-") or b"\0" in raw or b"%%EOF" in raw):
        return "pdf"
    if raw.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _by_zip(raw, document)
    if raw.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if "EncryptedPackage".encode("utf-16-le") in raw:
            raise UnreadableDocument(
                document,
                "It is protected with a password.",
                "Open it in Word and save it without a password.",
            )
        if "WordDocument".encode("utf-16-le") in raw:
            raise UnreadableDocument(
                document, "It is an old Word document (.doc).", "Open it in Word and save it as DOCX."
            )
        raise UnreadableDocument(document, "It is an old Office file.", _OLD)
    for mark, what, step in _OTHERS:
        if raw.startswith(mark):
            raise UnreadableDocument(document, f"It is {what}.", step)
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        raise UnreadableDocument(document, "It is a picture (WebP).", "Recognise its text first.")
    if raw.startswith(b"{\\rtf"):
        return "rtf"
    return "html" if _HTML.match(_ascii_head(raw)) else None


def _ascii_head(raw: bytes) -> bytes:
    """The first bytes with byte order marks and, for UTF-16, the NULs between ASCII letters taken out."""
    head = raw[:4096]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[2:].replace(b"\0", b"")
    return head.removeprefix(b"\xef\xbb\xbf")


def _by_zip(raw: bytes, document: str) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except Exception as error:  # zipfile raises many kinds on broken archives, struct.error among them
        raise UnreadableDocument(
            document, "Its container (zip) is broken or incomplete.", "Copy it from its source again."
        ) from error
    if "word/document.xml" in names or ("[Content_Types].xml" in names and any(n.startswith("word/") for n in names)):
        return "docx"
    if kind.startswith(b"application/vnd.oasis.opendocument.text"):
        return "odt"
    if kind.startswith(b"application/vnd.oasis.opendocument"):
        raise UnreadableDocument(
            document, "It is an OpenDocument file that is no text (such as .ods, .odp).",
            "Open it in LibreOffice and save it as XLSX, PPTX or PDF.",
        )  # fmt: skip
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "ppt/presentation.xml" in names:
        return "pptx"
    if kind.startswith(b"application/epub"):
        return "epub"
    raise UnreadableDocument(document, "It is a zip archive.", "Unpack it and add the documents in it.")
