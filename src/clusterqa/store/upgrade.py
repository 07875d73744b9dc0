"""
An index of an earlier version becomes one of this version where it stands, in one transaction: of version 4, which had no
checksums of whole rows, of version 5, which did not know until when a document is valid, of version 6, which did not find
passages by the checksum of their words, or of version 7, which read every text for the checksum over all.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from clusterqa.store.damage import Rows, fits, of_passages
from clusterqa.store.seal import seal

_TABLES = ("documents", "versions", "passages", "vectors", "tokens")
_INDEXES = ("passages_document", "passages_generation", "vectors_digest")


def from_version_4(run: Rows, schema: Iterable[str], insert: Callable[..., None]) -> str:
    """
    Copy every row into tables of `schema`, with its checksum; `insert` adds one to a table.

    Gives what is damaged, so that it would be sealed as it is; "" when the old checksums hold. The caller ends the transaction.
    """
    last = [row[0] for row in run("SELECT seq FROM sqlite_sequence WHERE name = 'passages'", ())]
    for index in _INDEXES:
        _do(run, f"DROP INDEX {index}")
    for table in _TABLES:
        _do(run, f"ALTER TABLE {table} RENAME TO old_{table}")
    for statement in schema:
        if any(f" {name} " in statement for name in (*_TABLES, *_INDEXES)):
            _do(run, statement)
    texts: dict[tuple[str, str], str] = {}
    for row in run("SELECT * FROM old_versions ORDER BY rowid", ()):
        if hashlib.sha256(row["text"].encode()).hexdigest() != row["sha256"]:
            return f"the stored text of {row['document']}"
        texts[row["document"], row["sha256"]] = row["text"]
        insert("versions", *row)
    versions = {row["id"]: row["version"] for row in run("SELECT id, version FROM old_documents", ())}
    sql = "SELECT p.*, s.body, s.head FROM old_passages p JOIN stems s ON s.rowid = p.id ORDER BY p.id"
    for row in run(sql, ()):
        *values, body, head = row
        text = texts.get((row["document"], versions.get(row["document"], "")), "")
        insert("passages", *values, seal(body, head), beside=text[row["start"] : row["end"]])
    for table in ("vectors", "tokens"):
        for row in run(f"SELECT * FROM old_{table}", ()):
            *values, checksum = row
            if zlib.crc32(b"".join(value for value in values if isinstance(value, bytes))) != checksum:
                return f"the {table} of passage {row['passage']}"
            insert(table, *values)
    for row in run("SELECT * FROM old_documents", ()):
        insert("documents", *row, None, None, of_passages(run, row["id"]))
    for table in _TABLES:
        _do(run, f"DROP TABLE old_{table}")
    _do(run, "DELETE FROM sqlite_sequence WHERE name = 'passages'")
    for number in last:
        _do(run, "INSERT INTO sqlite_sequence VALUES ('passages', ?)", number)
    return ""


def from_version_5(run: Rows, schema: Iterable[str], insert: Callable[..., None]) -> str:
    """As `from_version_4`; only the table of documents changes, and what version 6 lacks is added."""
    _do(run, "ALTER TABLE documents RENAME TO old_documents")
    _do(run, next(statement for statement in schema if " documents " in statement))
    for row in run("SELECT * FROM old_documents", ()):
        if not fits(row):
            return f"what is known of {row['id']},"
        *values, passages, _ = row
        insert("documents", *values, None, None, passages)
    _do(run, "DROP TABLE old_documents")
    return from_version_6(run, schema, insert)


def from_version_6(run: Rows, schema: Iterable[str], insert: Callable[..., None]) -> str:
    """As `from_version_4`; only an index is added."""
    _do(run, next(statement for statement in schema if " passages_terms " in statement))
    return from_version_7(run, schema, insert)


def from_version_7(run: Rows, schema: Iterable[str], insert: Callable[..., None]) -> str:
    """As `from_version_4`; only an index is added."""
    _do(run, next(statement for statement in schema if " versions_seal " in statement))
    return ""


UPGRADES = {"4": from_version_4, "5": from_version_5, "6": from_version_6, "7": from_version_7}
"""From which version, with what."""


def _do(run: Rows, statement: str, *values: Any) -> None:
    for _ in run(statement, values):
        pass
