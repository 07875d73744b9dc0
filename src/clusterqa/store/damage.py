"""
What is wrong in a database of the store: every row with its checksum, every row that another one needs.

Each table's last column is the checksum of the columns before it; a passage's covers the text that it was cut as, too. A
document holds the checksum of its passages' checksums, the row "seal" of `meta` that of all documents, versions and facts. So
a row that changed, went, came or took another's place is found from above.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from clusterqa.store.batches import parts
from clusterqa.store.seal import seal

Rows = Callable[[str, Sequence[Any]], Iterable[Any]]
"""Runs a statement; gives its rows, each a sequence of values."""

ALL = 1 << 62
"""In place of a number of rows: every one of them."""
DRAWN = 200
"""Documents that are looked at, each with the list of its passages, where not all are: few enough to take milliseconds."""

_ORPHANS = {
    "passages without vectors": "passages p WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.passage = p.id)",
    "vectors without a passage": "vectors v WHERE NOT EXISTS (SELECT 1 FROM passages p WHERE p.id = v.passage)",
    "passages without tokens": "passages p WHERE NOT EXISTS (SELECT 1 FROM tokens t WHERE t.passage = p.id)",
    "tokens without a passage": "tokens t WHERE NOT EXISTS (SELECT 1 FROM passages p WHERE p.id = t.passage)",
    "passages without stems": "passages p WHERE NOT EXISTS (SELECT 1 FROM stems s WHERE s.rowid = p.id)",
    "stems without a passage": "stems s WHERE NOT EXISTS (SELECT 1 FROM passages p WHERE p.id = s.rowid)",
    "passages of a document that is not live": "passages p WHERE NOT EXISTS "
    "(SELECT 1 FROM documents d WHERE d.id = p.document AND d.state = 'live')",
    "documents without their text": "documents d WHERE NOT EXISTS "
    "(SELECT 1 FROM versions v WHERE v.document = d.id AND v.sha256 = d.version)",
}


def whole(rows: Rows) -> int:
    """The checksum over everything that no other one covers, and over the checksums of documents and versions."""
    parts = (
        "SELECT key, value FROM meta WHERE key <> 'seal' ORDER BY key",
        "SELECT seal FROM documents ORDER BY id",
        "SELECT seal FROM versions ORDER BY document, sha256",
        "SELECT passage, generation FROM removals ORDER BY passage",
        "SELECT id, reason, next_step FROM unreadable ORDER BY id",
        "SELECT seq FROM sqlite_sequence WHERE name = 'passages'",
    )
    return seal(*(seal(*(value for row in rows(sql, ()) for value in row)) for sql in parts))


def of_passages(rows: Rows, document: str) -> int:
    """The checksum over the passages of a document, in the order they were put."""
    return seal(*(row[0] for row in rows("SELECT seal FROM passages WHERE document = ? ORDER BY id", (document,))))


def fits(row: Iterable[Any], *beside: Any) -> bool:
    """Whether a row, with what else its checksum covers, has that checksum, which is its last value."""
    *values, kept = row
    return bool(seal(*values, *beside) == kept)


def missing_rows(rows: Rows) -> Iterator[str]:
    """Rows that lack another one which belongs to them, counted, in words."""
    for what, where in _ORPHANS.items():
        for (count,) in rows(f"SELECT count(*) FROM {where}", ()):
            if count:
                yield f"{count} {what}"


def wrong_rows(rows: Rows, most: int = ALL) -> Iterator[str]:
    """
    Rows without their checksum, in words: all of them, or as many of versions, of passages and of what stands beside these, and
    as many documents as are looked at then. They are drawn anew each time, and what it takes hardly grows with the corpus.
    """
    kept = [row[0] for row in rows("SELECT value FROM meta WHERE key = 'seal'", ())]
    if kept != [str(whole(rows))]:
        yield "the list of documents and facts does not have its checksum"
    names = [row[0] for row in rows("SELECT id FROM documents", ())]
    for some in parts(names if most == ALL else random.sample(names, min(DRAWN, len(names)))):
        yield from _wrong_documents(rows, some)
    which = [("", ())] if most == ALL else _drawn_versions(rows, most)
    for where, key in which:
        for row in rows(f"SELECT * FROM versions {where}", key):
            if not fits(row) or hashlib.sha256(row["text"].encode()).hexdigest() != row["sha256"]:
                yield f"the stored text of {row[0]} does not have its checksum"
    yield from _wrong_passages(rows, most)


def _wrong_documents(rows: Rows, names: Sequence[str]) -> Iterator[str]:
    among = f"({', '.join('?' * len(names))})"
    seals: dict[str, list[int]] = {}
    for document, of_passage in rows(
        f"SELECT document, seal FROM passages WHERE document IN {among} ORDER BY document, id", names
    ):
        seals.setdefault(document, []).append(of_passage)
    found = list(rows(f"SELECT * FROM documents WHERE id IN {among}", names))
    if len(found) < len(names):
        yield f"{len(names) - len(found)} documents are not found by their names"
    for row in found:
        if not fits(row):
            yield f"what is known of {row[0]} does not have its checksum"
        if seal(*seals.get(row[0], ())) != row["passages"]:
            yield f"passages of {row[0]} are missing, or others than were put"


def _wrong_passages(rows: Rows, most: int) -> Iterator[str]:
    ids = None if most == ALL else _drawn_passages(rows, most)
    if ids == []:
        return
    drawn = f"IN ({', '.join('?' * len(ids))})" if ids else "IS NOT NULL"
    texts: tuple[str, str] = ("", "")
    wrong = dict.fromkeys(("passages", "vectors", "tokens", "stems"), 0)
    for row in rows(f"SELECT * FROM passages WHERE id {drawn} ORDER BY document", ids or ()):
        if row["document"] != texts[0]:
            texts = row["document"], _text(rows, row["document"])
        text = texts[1][row["start"] : row["end"]] if is_span(row) else ""
        wrong["passages"] += not fits(row, text)
    for table in ("vectors", "tokens"):
        for row in rows(f"SELECT * FROM {table} WHERE passage {drawn}", ids or ()):
            wrong[table] += not fits(row)
    sql = f"SELECT s.body, s.head, p.terms FROM passages p JOIN stems s ON s.rowid = p.id WHERE p.id {drawn}"
    for row in rows(sql, ids or ()):
        wrong["stems"] += not fits(row)
    for what, count in wrong.items():
        if count:
            yield f"{count} {what} without their checksum"


def _drawn_versions(rows: Rows, most: int) -> list[tuple[str, Sequence[Any]]]:
    keys = [tuple(row) for row in rows("SELECT document, sha256 FROM versions", ())]
    return [("WHERE document = ? AND sha256 = ?", key) for key in random.sample(keys, min(most, len(keys)))]


def _drawn_passages(rows: Rows, most: int) -> list[int]:
    """Ids of at most so many passages: those that follow numbers drawn between the first and the last."""
    ((first, last),) = rows("SELECT (SELECT min(id) FROM passages), (SELECT max(id) FROM passages)", ())
    if first is None:
        return []
    following = ", ".join(["(SELECT min(id) FROM passages WHERE id >= ?)"] * most)
    (found,) = rows(f"SELECT {following}", [random.randint(first, last) for _ in range(most)])
    return sorted(set(found))


def is_span(row: Any) -> bool:
    """Whether the offsets of a passage's row are numbers at all."""
    return isinstance(row["start"], int) and isinstance(row["end"], int)


def _text(rows: Rows, document: str) -> str:
    sql = "SELECT v.text FROM documents d JOIN versions v ON v.document = d.id AND v.sha256 = d.version WHERE d.id = ?"
    return next((str(row[0]) for row in rows(sql, (document,))), "")
