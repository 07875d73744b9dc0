"""EML → an e-mail: who wrote to whom about what, its text, and the names of what is attached."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime

from clusterqa.documents import plain
from clusterqa.documents.extract import Extract, TextBuilder, one_line
from clusterqa.documents.html import add_all
from clusterqa.documents.metadata import Metadata
from clusterqa.errors import UnreadableDocument


def extract(raw: bytes, document: str) -> Extract:
    """
    Read an e-mail. Raises UnreadableDocument for one without text. Its subject is the title, its day the date. What is
    attached is not read: its names stand under the text, and a warning lists them.
    """
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    bodies = _bodies(message)
    if not any(message.get(name) for name in ("From", "To", "Subject", "Date")) or not bodies:
        raise UnreadableDocument(
            document, "It is no e-mail, or there is no text in it.", "Save it from its mail program again, or as PDF."
        )
    builder = TextBuilder()
    subject = one_line(str(message.get("Subject") or ""))
    builder.add("heading", subject, 1)
    for name in ("From", "To", "Cc", "Date"):
        if value := one_line(str(message.get(name) or "")):
            builder.add_uncovered(f"{name}: {value}")
    for body in bodies:
        if body.get_content_subtype() == "html":
            content = body.get_content()
            add_all(content.encode() if isinstance(content, str) else content, document, builder, decoded=True)
        else:
            builder.add_extract(plain.extract(str(body.get_content()).strip()))
    names = [one_line(part.get_filename() or part.get_content_type()) for part in _attached(message)]
    warnings = []
    if names:
        builder.add_uncovered("\n".join(names))
        warnings.append(f"What is attached to the e-mail is not read: {', '.join(names)}. Add it as documents.")
    try:
        day = parsedate_to_datetime(str(message.get("Date"))).date().isoformat()
    except ValueError:
        day = None
    return Extract(
        builder.text(), tuple(builder.blocks), Metadata(title=subject or None, date=day), warnings=tuple(warnings)
    )


def _bodies(part: MIMEPart) -> list[MIMEPart]:
    """The parts of an e-mail that are its text, in their order; of several forms of one text, HTML before plain."""
    if part.get_content_type() in ("text/plain", "text/html"):
        return [] if part.is_attachment() or part.get_filename() else [part]
    if part.get_content_maintype() != "multipart":
        return []
    parts = [_bodies(inner) for inner in part.iter_parts()]
    if part.get_content_subtype() != "alternative":
        return [body for found in parts for body in found]
    rich = [found for found in parts if any(body.get_content_subtype() == "html" for body in found)]
    return next(iter([*rich, *(found for found in parts if found)]), [])


def _attached(part: MIMEPart) -> Iterator[MIMEPart]:
    """Files and other e-mails inside an e-mail."""
    if part.get_content_maintype() == "multipart":
        for inner in part.iter_parts():
            yield from _attached(inner)
    elif part.get_filename() or part.is_attachment() or part.get_content_maintype() not in ("text", "multipart"):
        yield part
