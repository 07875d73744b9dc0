"""Files that are zip archives with parts inside (DOCX, ODT, PPTX, XLSX, EPUB): what is alike in reading them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from clusterqa.errors import UnreadableDocument

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

    return etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
