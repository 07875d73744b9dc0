"""EML → an e-mail: who wrote to whom about what, its text, and the names of what is attached."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy
from email.utils import parsedate_to_datetime
from itertools import groupby, islice
from typing import Any

from clusterqa.documents import encoding, plain
from clusterqa.documents.extract import Extract, TextBuilder, left_out, one_line
from clusterqa.documents.html import add_all
from clusterqa.documents.metadata import Metadata
from clusterqa.errors import UnreadableDocument

MOST_PARTS = 1_000
LONGEST_FIELD = 2_000
"""Characters; the parser's work on a field of the head grows with their square."""

LEAST_SHARE = 1 / 3
"""Of the letters of the longest form of a text, those that its HTML has at least where it says the same."""

_TAG = re.compile(rb"<(style|script|title)\b.*?</\1\s*>|<[^<>]*>|https?://\S+|\s+", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r"(?:>[ ]?)+")
_ATTACHED_PICTURE = re.compile(rb"<img\b[^>]*\ssrc\s*=\s*[\"']?cid:", re.IGNORECASE)

_PLAIN_FIELDS = frozenset({"from", "to", "cc", "bcc", "reply-to", "subject"})
"""What is shown as it is written, so that only its letters have to be decoded."""


class _FieldTooLong(Exception):
    """A field of the head is so long that it would have to be guessed what it says."""


class _Policy(EmailPolicy):
    """How the parser reads the fields of a head: long ones without taking them apart."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        value = _letters(value)
        if len(value) <= LONGEST_FIELD:
            # Python's parser trips over some broken fields, "To: <" is one; those are shown as they are written.
            with suppress(LookupError, ValueError, TypeError, AttributeError):
                return super().header_fetch_parse(name, value)
        elif name.lower() not in _PLAIN_FIELDS:
            raise _FieldTooLong(name)
        value = re.sub(r"[\r\n]+[ \t]?", " ", value)
        with suppress(LookupError, ValueError, HeaderParseError):  # letters in an encoding that nobody knows
            return str(make_header(decode_header(value)))
        return value


def _letters(value: str) -> str:
    """A field with the letters that stand in it uncoded, in UTF-8 or windows-1257, which the parser would lose."""
    raw = value.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1257", "replace")


def extract(raw: bytes, document: str) -> Extract:
    """
    Read an e-mail. Raises UnreadableDocument for one without text. Its subject is the title, its day the date. What is
    attached is not read: its names stand under the text, and a warning lists them.
    """
    try:
        message = email.message_from_bytes(raw, policy=_Policy())
        assert isinstance(message, EmailMessage)
        return _read(message, document)
    except _FieldTooLong as error:
        raise UnreadableDocument(
            document,
            f"The field “{error}” in its head is longer than {LONGEST_FIELD} characters.",
            "Open it in a mail program and save it as PDF.",
        ) from error


def _read(message: EmailMessage, document: str) -> Extract:
    if sum(1 for _ in islice(message.walk(), MOST_PARTS + 1)) > MOST_PARTS:
        raise UnreadableDocument(
            document, f"It has more than {MOST_PARTS} parts.", "Open it in a mail program and save it as PDF."
        )
    bodies = _bodies(message)
    if not any(message.get(name) for name in ("From", "To", "Subject", "Date")) or not bodies:
        raise UnreadableDocument(
            document, "It is no e-mail, or there is no text in it.", "Save it from its mail program again, or as PDF."
        )
    builder = TextBuilder()
    subject = one_line(str(message.get("Subject") or ""))
    builder.add("heading", subject, 1)
    for name in ("From", "Reply-To", "To", "Cc", "Bcc", "Date"):
        value = one_line(" ".join(map(str, message.get_all(name, []))))
        if value and not (name == "Reply-To" and value == one_line(str(message.get("From")))):
            builder.add_uncovered(f"{name}: {value}")
    pictures = struck = 0
    for body in bodies:
        if body.get_content_subtype() == "html":
            raw = _content(body, document).encode("utf-8", "replace")
            drawn, crossed = add_all(raw, document, builder, decoded=True)
            # Those that come with the e-mail are among what is attached.
            pictures, struck = pictures + max(0, drawn - len(_ATTACHED_PICTURE.findall(raw))), struck + crossed
        else:
            for part in _unquoted(_content(body, document)):
                builder.add_extract(plain.extract(part))
    names = [_name(part) for part in _attached(message)]
    warnings = left_out(pictures, struck=struck)
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


def _content(body: MIMEPart, document: str) -> str:
    """The text of a part, in the encoding that it names where that can be right: many say ISO-8859-1 and mean another."""
    payload, named = body.get_payload(decode=True), body.get_content_charset("us-ascii")
    raw = payload if isinstance(payload, bytes) else b""
    told = body["Content-Type"].params if body["Content-Type"] is not None else {}
    if told.get("format", "").lower() == "flowed" and told.get("delsp", "").lower() == "yes":
        raw = re.sub(rb"(?<!\n--) \r?\n(?!>)", b"", raw)  # a space at the end of a line only says that the line goes on
    if named in ("us-ascii", "utf-8") or encoding.is_eight_bit(named):
        with suppress(UnreadableDocument):
            return encoding.decode(raw, document, named)[0]
    if encoding.is_for_texts(named):
        return raw.decode(named, "replace")
    return encoding.decode(raw, document)[0]


def _unquoted(text: str) -> Iterator[str]:
    """
    The parts of a text that others wrote and that are its own, in their order, without the marks ("> ") before lines that are quoted:
    several of them, or what a line that ends with a colon introduces. A single one may say "more than".
    """
    above = ""
    for depth, run in groupby(text.split("\n"), lambda line: (_QUOTED.match(line) or [""])[0].count(">")):
        lines = list(run)
        if depth and (len(lines) > 1 or above.rstrip().endswith(":")):
            lines = [_QUOTED.sub("", line) for line in lines]
        above = next((line for line in reversed(lines) if line.strip()), above)
        if part := "\n".join(lines).strip():
            yield part


def _name(part: MIMEPart) -> str:
    """What something attached is called: its file, or the subject of an e-mail."""
    if part.get_content_type() == "message/rfc822" and isinstance(inner := part.get_content(), EmailMessage):
        return one_line(part.get_filename() or str(inner.get("Subject") or "")) or "message/rfc822"
    return one_line(part.get_filename() or part.get_content_type())


def _bodies(part: MIMEPart) -> list[MIMEPart]:
    """
    The parts of an e-mail that are its text, in their order; of several forms of one text HTML, and the plain form
    before it where it says much more, as beside pictures of words.
    """
    if part.get_content_type() in ("text/plain", "text/html"):
        return [] if part.is_attachment() or part.get_filename() else [part]
    if part.get_content_maintype() != "multipart":
        return []
    parts = [_bodies(inner) for inner in part.iter_parts()]
    if part.get_content_subtype() != "alternative":
        return [body for found in parts for body in found]
    rich = next((f for f in parts if any(body.get_content_subtype() == "html" for body in f)), [])
    longest = max(parts, key=_length, default=[])
    if rich and _length(rich) < LEAST_SHARE * _length(longest):
        return [*longest, *rich]
    return rich or next(filter(None, parts), [])


def _length(bodies: list[MIMEPart]) -> int:
    """How many letters there are in some parts, tags and addresses aside."""
    payloads = (body.get_payload(decode=True) for body in bodies)
    return sum(len(_TAG.sub(b"", raw)) for raw in payloads if isinstance(raw, bytes))


_FORMS = frozenset(f"text/{form}" for form in ("plain", "html", "enriched", "richtext", "x-amp-html", "watch-html"))
"""The forms in which a mail program writes the text itself; a date or a card beside it is something else."""


def _attached(part: MIMEPart) -> Iterator[MIMEPart]:
    """Files and other e-mails inside an e-mail."""
    if part.get_content_maintype() == "multipart":
        for inner in part.iter_parts():
            yield from _attached(inner)
    elif part.get_filename() or part.is_attachment() or part.get_content_type() not in _FORMS:
        yield part
