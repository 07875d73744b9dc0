"""Files that are zip archives with parts inside (DOCX, ODT, PPTX, XLSX, EPUB): what is alike in reading them."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from typing import Any

from clusterqa.errors import UnreadableDocument

_STRICT = b"http://purl.oclc.org/ooxml/"
_USUAL = b"http://schemas.openxmlformats.org/"
_TRANSITIONAL = (
    (b"officeDocument/", _USUAL + b"officeDocument/2006/"),
    (b"wordprocessingml/", _USUAL + b"wordprocessingml/2006/"),
    (b"spreadsheetml/", _USUAL + b"spreadsheetml/2006/"),
    (b"presentationml/", _USUAL + b"presentationml/2006/"),
    (b"drawingml/", _USUAL + b"drawingml/2006/"),
)
_KINDS = re.compile(
    rb"application/vnd\.ms-(?:word|powerpoint)\.(?:document|template|presentation|slideshow)\.macroEnabled(?:Template)?\.main\+xml"
    rb"|application/vnd\.openxmlformats-officedocument\.(?:wordprocessingml\.template|presentationml\.(?:template|slideshow))\.main\+xml"
)
"""How a document that is a template, holds macros or opens as a show is declared."""

ZIP_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
"""What unpacking a damaged part raises."""
MAX_UNZIPPED_BYTES = 200_000_000
MAX_RATIO = 200
"""Unzipped size over zipped size; documents of plain words stay below 30."""


def refuse_zip_bomb(raw: bytes, document: str) -> None:
    """Raise UnreadableDocument for an archive that would unzip to too much, or that is locked with a password."""
    # The sizes come from the archive's directory; zipfile never reads more of a member than is stated there.
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        unzipped = sum(member.file_size for member in archive.infolist())
        encrypted = any(member.flag_bits & 1 for member in archive.infolist())
    if encrypted:
        raise UnreadableDocument(document, "It is protected with a password.", "Save it without a password.")
    if unzipped > MAX_UNZIPPED_BYTES or unzipped > MAX_RATIO * len(raw):
        raise UnreadableDocument(
            document,
            f"It would unzip to {unzipped / 1e6:.0f} MB, {unzipped / len(raw):.0f} times its size.",
            "Open it in Word, take out what makes it so large, and save it again.",
        )


def parsed(raw: bytes) -> Any:
    """The root element of a part in XML; nothing outside it is fetched. Raises lxml.etree.XMLSyntaxError."""
    from lxml import etree

    return etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True, collect_ids=False))


def transitional(raw: bytes) -> bytes:
    """
    A document of Open XML as the libraries know it: the strict form with the names of the usual one, and a template, a
    show or a document with macros as a plain document.
    """
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        strict = any(_STRICT in archive.read(name) for name in archive.namelist() if name.endswith("_rels/.rels"))
        if not strict and not _KINDS.search(archive.read("[Content_Types].xml")):
            return raw
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as new:
            for member in archive.infolist():
                content = archive.read(member.filename)
                if strict and member.filename.endswith((".xml", ".rels")):
                    for part, name in _TRANSITIONAL:
                        content = content.replace(_STRICT + part, name)
                if member.filename == "[Content_Types].xml":
                    content = _KINDS.sub(_plain_kind, content)
                new.writestr(member.filename, content)
    return file.getvalue()


def _plain_kind(found: re.Match[bytes]) -> bytes:
    kind = b"wordprocessingml.document" if b"word" in found[0] else b"presentationml.presentation"
    return b"application/vnd.openxmlformats-officedocument." + kind + b".main+xml"


def relations(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """The parts that a part of an Open XML package names: (kind, name in the archive) by the id of the relation."""
    folder, name = posixpath.split(part)
    listed = f"{folder}/_rels/{name}.rels".lstrip("/")
    if listed not in archive.namelist():
        return {}
    return {
        relation.get("Id", ""): (
            relation.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, relation.get("Target", ""))).lstrip("/"),
        )
        for relation in parsed(archive.read(listed))
        if isinstance(relation.tag, str) and relation.get("TargetMode") != "External"
    }
