"""
Vectors and passages in PostgreSQL with pgvector: the only importer of pgvector.

A generation is one transaction, and whoever reads does so in a transaction of their own, so PostgreSQL itself sees to it that a
reader has one generation whole. The search is exact as long as nobody makes an approximate index on the table of units.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg import sql

from clusterqa.errors import StoreError
from clusterqa.ports import Vectors
from clusterqa.records import LANGUAGES, IndexedPassage, Language
from clusterqa.store.batches import parts
from clusterqa.store.libpq import Address, one, told
from clusterqa.store.moments import Backgrounds, count
from clusterqa.store.served import Changes, Engine, State
from clusterqa.store.view import UNITS_PER_PASSAGE, packed, unpacked

EXAMPLE = '"pgvector:postgresql://user@host/database"'
LAYOUT = 1
"""Rises when the tables change."""
AT_ONCE = 500
"""So many passages are written at a time, which bounds the memory that it takes."""

_TABLES = """
CREATE TABLE IF NOT EXISTS state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),   -- there is a single row, which is locked by whoever writes
    layout integer NOT NULL, place text NOT NULL, generation bigint NOT NULL, epoch text NOT NULL
);
CREATE TABLE IF NOT EXISTS passages (
    id bigint PRIMARY KEY, language text NOT NULL, document text NOT NULL, packed text NOT NULL
);
CREATE INDEX IF NOT EXISTS passages_document ON passages (document);
CREATE TABLE IF NOT EXISTS moments (language text PRIMARY KEY, packed bytea NOT NULL);
"""


class PgvectorEngine(Engine):
    """One connection to a schema of a PostgreSQL database; made again when it breaks."""

    def __init__(self, address: str, dimension: int, place: str) -> None:
        """
        `address` is one of libpq's, as `postgresql://user@host/database`; `?schema=NAME` names another schema than
        "clusterqa". `place` says whose index this is. Raises SettingsError, StoreError.
        """
        self._address = Address.parse(address, "index", EXAMPLE, "clusterqa")
        self._schema, self._shown = self._address.schema, self._address.shown
        self._dimension = dimension
        self._place = place
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    # ── the connection ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _db(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            connection = self._address.connect()
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: psycopg.Connection) -> None:
        schema = self._address.identifier
        with connection.transaction():
            connection.execute(
                "SELECT pg_advisory_xact_lock(hashtext('clusterqa'))"
            )  # two at once would both make the tables
            if one(connection, "SELECT to_regclass(quote_ident(%s) || '.meta')", self._schema) is not None:
                raise StoreError(
                    f"{self._shown} is where the setting store keeps documents. Give the index a schema of its own: ?schema=NAME"
                )
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
            if one(connection, "SELECT to_regtype('vector')") is None:
                connection.execute("CREATE EXTENSION vector")
            if one(connection, "SELECT to_regtype('halfvec')") is None:
                raise StoreError(f"The pgvector of {self._shown} is older than 0.7. Update it, then try again.")
            path = one(connection, "SHOW search_path")
            connection.execute(sql.SQL("SET search_path TO {}, {}").format(schema, sql.SQL(path)))
            connection.execute(_TABLES)
            if one(connection, "SELECT to_regclass('units')") is None:
                self._make_units(connection)
            connection.execute("INSERT INTO state VALUES (true, %s, '', -1, '') ON CONFLICT DO NOTHING", (LAYOUT,))
            if one(connection, "SELECT layout FROM state") != LAYOUT:
                raise StoreError(
                    f"The index at {self._shown} was made by another version of clusterqa. It is made anew by itself after: "
                    f'DROP SCHEMA "{self._schema}" CASCADE'
                )
        # For whoever makes an approximate index: it looks at no fewer than are asked for.
        connection.execute("SET hnsw.ef_search = 500")
        register_vector(connection)

    def _make_units(self, connection: psycopg.Connection) -> None:
        connection.execute(
            "CREATE TABLE units (passage bigint NOT NULL, position integer NOT NULL, language text NOT NULL, "
            f"embedding halfvec({self._dimension}) NOT NULL, PRIMARY KEY (passage, position, language)) "
            "PARTITION BY LIST (language)"
        )
        for language in LANGUAGES:
            connection.execute(f"CREATE TABLE units_{language} PARTITION OF units FOR VALUES IN ('{language}')")

    @contextmanager
    def _explained(self) -> Iterator[psycopg.Connection]:
        """The connection; what PostgreSQL says is raised as a StoreError with the next step."""
        try:
            yield self._db
        except psycopg.OperationalError as error:
            raise StoreError(
                f"The index at {self._shown} cannot be reached ({told(error)}). Start PostgreSQL, or correct the setting "
                'index; index = "faiss" goes without a server.'
            ) from error
        except psycopg.Error as error:
            raise StoreError(
                f"PostgreSQL refuses what the index at {self._shown} needs ({told(error)}). The user must own the database, and "
                "pgvector must be installed: CREATE EXTENSION vector"
            ) from error

    # ── one generation ──────────────────────────────────────────────────────────────────────────────────────────

    def state(self) -> State:
        try:
            return _state(self._db)
        except psycopg.Error:  # the server was started again since the last question, or the tables were dropped
            self.close()
        with self._explained() as db:
            return _state(db)

    @contextmanager
    def reading(self) -> Iterator[State]:
        with self._explained() as db:
            db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield _state(db)
            finally:
                if not db.closed:
                    db.execute("ROLLBACK")

    @contextmanager
    def changing(self) -> Iterator[State]:
        with self._explained() as db, db.transaction():
            yield _state(db, "FOR UPDATE")

    def change(self, changes: Changes) -> None:
        db = self._db
        backgrounds = {language: Backgrounds.none(self._dimension) for language in LANGUAGES}
        if changes.fresh:
            self._empty(db)
        else:
            backgrounds |= self.backgrounds()
            for part in parts(changes.gone, AT_ONCE):
                count(backgrounds, list(self.fetch(part)), -1)
                for statement in (
                    "DELETE FROM passages WHERE id = ANY(%s)",
                    "DELETE FROM units WHERE passage = ANY(%s)",
                ):
                    db.execute(statement, (part,))
        for entries in parts(changes.new, AT_ONCE):
            count(backgrounds, entries, +1)
            self._write(db, entries)
        for language, found in backgrounds.items():
            db.execute(
                "INSERT INTO moments VALUES (%s, %s) ON CONFLICT (language) DO UPDATE SET packed = excluded.packed",
                (language, found.as_bytes()),
            )
        if (
            changes.fresh
        ):  # later PostgreSQL looks by itself; without having looked it reads whole tables for a few rows
            db.execute("ANALYZE passages, units")
        db.execute("UPDATE state SET place = %s, generation = %s, epoch = %s", (self._place, *changes.to))

    def _empty(self, db: psycopg.Connection) -> None:
        whose = one(db, "SELECT place FROM state")
        if whose not in ("", self._place):
            raise StoreError(
                f"The index at {self._shown} belongs to {whose}, not to {self._place}. Give each store a "
                f"schema of its own (?schema=NAME in the setting index); if that one is gone: DROP SCHEMA "
                f'"{self._schema}" CASCADE'
            )
        db.execute("DELETE FROM passages")
        if one(
            db, "SELECT atttypmod FROM pg_attribute WHERE attrelid = 'units'::regclass AND attname = 'embedding'"
        ) == (self._dimension):
            db.execute("DELETE FROM units")  # what others read stays as it is to them, which a dropped table would not
        else:
            db.execute("DROP TABLE units")
            self._make_units(db)

    @staticmethod
    def _write(db: psycopg.Connection, entries: Sequence[IndexedPassage]) -> None:
        with db.cursor() as cursor:
            with cursor.copy("COPY passages (id, language, document, packed) FROM STDIN") as copy:
                for e in entries:
                    copy.write_row((e.id, e.language, e.passage.document, packed(e.passage)))
            with cursor.copy("COPY units (passage, position, language, embedding) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(("int8", "int4", "text", "halfvec"))
                for e in entries:
                    for position, row in enumerate(e.rows):
                        copy.write_row((e.id, position, e.language, HalfVector(row)))

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def nearest(self, language: Language, vector: Vectors, k: int) -> list[int]:
        rows = self._rows(
            "SELECT passage, position FROM units WHERE language = %s ORDER BY embedding <#> %s LIMIT %s",
            (language, HalfVector(vector.astype(np.float16)), k),
        )
        return [passage * UNITS_PER_PASSAGE + position for passage, position in rows]

    def fetch(self, ids: Sequence[int]) -> Iterator[IndexedPassage]:
        rows = self._rows(
            "SELECT p.id, p.language, CASE WHEN u.position = 0 THEN p.packed END, u.embedding "
            "FROM passages p JOIN units u ON u.passage = p.id WHERE p.id = ANY(%s) ORDER BY p.id, u.position",
            (list(ids),),
        )
        for _, group in groupby(rows, key=lambda row: row[0]):
            units = list(group)
            number, language, text, _ = units[0]
            yield IndexedPassage(number, unpacked(text), language, np.stack([row[3].to_numpy() for row in units]))

    def passages_of(self, document: str) -> list[int]:
        return [i for (i,) in self._rows("SELECT id FROM passages WHERE document = %s ORDER BY id", (document,))]

    def languages(self, above: int) -> dict[Language, NDArray[np.int64]]:
        found: dict[Language, list[int]] = {language: [] for language in LANGUAGES}
        for number, language in self._rows("SELECT id, language FROM passages WHERE id > %s", (above,)):
            found[language].append(number)
        return {language: np.array(ids, dtype=np.int64) for language, ids in found.items()}

    def backgrounds(self) -> dict[Language, Backgrounds]:
        return {
            language: Backgrounds.from_bytes(packed, self._dimension)
            for language, packed in self._rows("SELECT language, packed FROM moments")
        }

    def held(self) -> dict[str, int]:
        ((passages, vectors),) = self._rows("SELECT (SELECT count(*) FROM passages), (SELECT count(*) FROM units)")
        return {"passages": passages, "vectors": vectors}

    def _rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._explained() as db, db.cursor(binary=True) as cursor:
            return cursor.execute(statement, parameters).fetchall()


def _state(db: psycopg.Connection, lock: str = "") -> State:
    generation, epoch = db.execute(f"SELECT generation, epoch FROM state {lock}").fetchall()[0]
    return State(generation, epoch)
