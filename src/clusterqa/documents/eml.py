"""EML → an e-mail: who wrote to whom about what, its text, and the names of what is attached."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
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
    body = message.get_body(preferencelist=("html", "plain"))
    if not any(message.get(name) for name in ("From", "To", "Subject", "Date")) or body is None:
        raise UnreadableDocument(
            document, "It is no e-mail, or there is no text in it.", "Save it from its mail program again, or as PDF."
        )
    builder = TextBuilder()
    subject = one_line(str(message.get("Subject") or ""))
    builder.add("heading", subject, 1)
    for name in ("From", "To", "Cc", "Date"):
        if value := one_line(str(message.get(name) or "")):
            builder.add_uncovered(f"{name}: {value}")
    if body.get_content_subtype() == "html":
        content = body.get_content()
        add_all(content.encode() if isinstance(content, str) else content, document, builder, decoded=True)
    else:
        builder.add_extract(plain.extract(str(body.get_content()).strip()))
    names = [one_line(part.get_filename() or part.get_content_type()) for part in message.iter_attachments()]
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
