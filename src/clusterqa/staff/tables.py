"""The tables of the desk's book, in one place. Those of the activity log stand with what keeps it, in `staff/audit.py`."""

from __future__ import annotations

from clusterqa.books import Connection, Part
from clusterqa.staff.audit import AUDIT

_ACCOUNTS = """
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
    password TEXT NOT NULL, password_at TEXT NOT NULL, must_change INTEGER NOT NULL, added_at TEXT NOT NULL, seen_at TEXT
);
CREATE TABLE sessions (
    digest TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    begun_at TEXT NOT NULL, used_at TEXT NOT NULL, message TEXT NOT NULL DEFAULT ''
);
CREATE TABLE attempts (name TEXT NOT NULL, client TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX attempts_name ON attempts (name);
CREATE TABLE keys (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""
_PLACES = """
CREATE TABLE places (
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE, client TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (account, client)
);
"""
_IDENTITIES = """
CREATE TABLE identities (
    account INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE, issuer TEXT NOT NULL, subject TEXT NOT NULL,
    UNIQUE (issuer, subject)
);
"""


def _upgrade_accounts(db: Connection, version: int) -> None:
    """What an earlier version did not have."""
    if version < 2:
        db.execute(_PLACES)
    db.execute(_IDENTITIES)


ACCOUNTS = Part("accounts", 3, _ACCOUNTS + _PLACES + _IDENTITIES, _upgrade_accounts)

_FACTORS = """
CREATE TABLE factors (
    account INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE, secret TEXT NOT NULL,
    confirmed_at TEXT,                  -- NULL until the first right code
    last_step INTEGER NOT NULL          -- of the last code taken: none is taken twice
);
CREATE TABLE recovery_codes (
    digest TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES factors (account) ON DELETE CASCADE
);
CREATE TABLE code_failures (
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE, client TEXT NOT NULL, at TEXT NOT NULL
);
"""
FACTORS = Part("factors", 1, _FACTORS)

_HISTORY = """
CREATE TABLE document_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL,
    who TEXT,                       -- NULL when the file was changed by hand
    what TEXT NOT NULL, document TEXT NOT NULL,
    version TEXT,                   -- sha256 of the text that the document has now, or had last
    generation INTEGER NOT NULL,    -- of the index that was the first to answer so
    detail TEXT NOT NULL            -- JSON
);
CREATE INDEX document_history_document ON document_history (document);
"""
_CHANGES = """
CREATE TABLE document_changes (         -- begun and not yet ended
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, document TEXT NOT NULL,
    detail TEXT NOT NULL                -- JSON
);
"""
HISTORY = Part("document_history", 1, _HISTORY)
CHANGES = Part("document_changes", 1, _CHANGES)

_KEYS = """
CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE,
    beginning TEXT NOT NULL, rate_limit INTEGER NOT NULL, origins TEXT NOT NULL,
    made_by TEXT NOT NULL, made_at TEXT NOT NULL, used_at TEXT
);
"""
KEYS = Part("api_keys", 1, _KEYS)

_ANSWERS = """
CREATE TABLE answers (
    id TEXT PRIMARY KEY, stem TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL, state TEXT NOT NULL,
    written_at TEXT NOT NULL, written_by TEXT NOT NULL, content TEXT NOT NULL, checks TEXT NOT NULL, trouble TEXT NOT NULL
);
"""
ANSWERS = Part("answers", 1, _ANSWERS)

_DECISIONS = """
CREATE TABLE decisions (
    question TEXT PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('dismissed', 'answered')), at TEXT NOT NULL,
    who TEXT NOT NULL, answer TEXT
);
CREATE INDEX decisions_answer ON decisions (answer);
"""
DECISIONS = Part("demand", 1, _DECISIONS)

_JUDGEMENTS = """
CREATE TABLE judgements (
    question TEXT NOT NULL, passage TEXT NOT NULL, version TEXT NOT NULL, who TEXT NOT NULL,
    grade TEXT NOT NULL CHECK (grade IN ('right', 'partly', 'wrong')), at TEXT NOT NULL,
    PRIMARY KEY (question, passage, version, who)
);
"""
JUDGEMENTS = Part("judgements", 1, _JUDGEMENTS)

PARTS = (AUDIT, ACCOUNTS, FACTORS, HISTORY, CHANGES, KEYS, ANSWERS, DECISIONS, JUDGEMENTS)
"""All of them; a table stands after those that its rows refer to."""
