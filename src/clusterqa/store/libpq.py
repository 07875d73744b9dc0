"""Addresses of PostgreSQL, and what all connections to it have in common. Passwords stay in `Address.conninfo`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from clusterqa.errors import SettingsError

CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Address:
    """A schema of a database."""

    conninfo: str = field(repr=False)
    """As libpq takes it."""
    schema: str
    shown: str
    """As it may be shown to anybody: without user and password."""

    @classmethod
    def parse(cls, text: str, setting: str, example: str, schema: str) -> Address:
        """
        One of libpq's addresses, as `postgresql://user@host/database`; `?schema=NAME` names another schema than `schema`.

        Raises SettingsError that names the setting and an example; nothing of the address itself, which may hold a password.
        """
        wrong = SettingsError(
            f"{setting} is no address of PostgreSQL. It looks like {example}. In a password write @ : / ? # % as %40 %3A %2F "
            "%3F %23 %25."
        )
        try:
            parts = urlsplit(text)
            pairs = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
            place = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
            named = pairs.pop("schema", "") or schema
            conninfo = urlunsplit(parts._replace(query=urlencode(pairs)))
            conninfo_to_dict(conninfo)
        except (ValueError, psycopg.Error):
            raise wrong from None
        # Where a password was not written as it must be, parts of it stand in what follows.
        cut = parts.netloc.count("@") > 1 or "@" in parts.path or parts.fragment
        if cut or parts.scheme not in ("postgresql", "postgres"):
            raise wrong
        return cls(conninfo, named, f"{parts.scheme}://{place}{parts.path} (schema {named})")

    def connect(self) -> psycopg.Connection[Any]:
        """A connection that commits each statement by itself."""
        return psycopg.connect(self.conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS, client_encoding="utf8")

    def beside(self, name: str) -> Address:
        """The schema whose name is this one's, with another name after it."""
        schema = f"{self.schema}_{name}"
        return replace(self, schema=schema, shown=self.shown.replace(f"(schema {self.schema})", f"(schema {schema})"))

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema)


def told(error: psycopg.Error) -> str:
    """What PostgreSQL says, on one line and without a full stop."""
    return " ".join(str(error).split()).rstrip(".")


def one(db: psycopg.Connection[Any], statement: str, *parameters: object) -> Any:
    """The first value of the first row; None where there is no row."""
    row = db.execute(statement, parameters).fetchone()
    return row[0] if row else None


def size_of(db: psycopg.Connection[Any], schema: str) -> int:
    """Bytes that the tables of a schema take on the server's disk."""
    bytes_of = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relkind = 'r' AND relnamespace = "
    return one(db, bytes_of + "to_regnamespace(quote_ident(%s))", schema) or 0


def table_id(db: psycopg.Connection[Any], schema: str, name: str) -> int | None:
    """What tells a table from another one that takes its place; None where there is none."""
    # `to_regclass` may still answer from before a lock was waited for.
    asked = "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s"
    return one(db, asked, schema, name)  # type: ignore[no-any-return]
