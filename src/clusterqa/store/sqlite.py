"""
The store in one SQLite file: documents, versions, passages, vectors and stems change in one transaction.

Readers never see half of a generation: they work inside a read transaction (WAL), while one writer at a time prepares the
next. The only module that knows the schema and the file's name.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from clusterqa import private
from clusterqa.errors import IndexNotFound, StoreDamaged, StoreError
from clusterqa.ports import Store
from clusterqa.private import FAILURES
from clusterqa.records import (
    Block,
    Document,
    FileState,
    IndexedPassage,
    NewPassage,
    Page,
    Passage,
    PassageVectors,
    Source,
    Span,
    Stored,
    TokenStates,
)
from clusterqa.store.damage import fits, is_span, missing_rows, of_passages, whole, wrong_rows
from clusterqa.store.seal import Value, seal
from clusterqa.store.upgrade import UPGRADES

log = logging.getLogger(__name__)

T = TypeVar("T")

DATABASE = "clusterqa.sqlite3"
_PARTS = ("", "-wal", "-shm")
SCHEMA_VERSION = "6"
SAMPLED = 32
"""Rows of each kind that are looked at when a generation is taken up: a few milliseconds."""

# What the last column of a table, `seal`, covers, and what the others mean in it, stands in `store/damage.py`.
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    id TEXT PRIMARY KEY, version TEXT NOT NULL, title TEXT NOT NULL, language TEXT NOT NULL, media_type TEXT NOT NULL,
    url TEXT, date TEXT, publisher TEXT, tags TEXT NOT NULL, sources TEXT NOT NULL, translation_of TEXT,
    warnings TEXT NOT NULL,
    file_sha256 TEXT NOT NULL,      -- of the file's bytes and its sidecar's: tells whether it must be read again
    file_size INTEGER NOT NULL, file_mtime_ns INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'removed')),
    generation INTEGER NOT NULL,    -- of its last change
    valid_until TEXT, review_by TEXT,
    passages INTEGER NOT NULL,      -- checksum over those of its passages
    seal INTEGER NOT NULL
);
CREATE TABLE versions (
    document TEXT NOT NULL, sha256 TEXT NOT NULL, text TEXT NOT NULL, blocks TEXT NOT NULL, pages TEXT NOT NULL,
    generation INTEGER NOT NULL, seal INTEGER NOT NULL, PRIMARY KEY (document, sha256)
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL, ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, sentences TEXT NOT NULL, heading TEXT NOT NULL, lead TEXT NOT NULL,
    page INTEGER, page_label TEXT, generation INTEGER NOT NULL,
    terms INTEGER NOT NULL,         -- checksum of its entry in the lexical index
    seal INTEGER NOT NULL           -- covers the text of the passage, which the offsets alone do not
);
CREATE INDEX passages_document ON passages (document);
CREATE INDEX passages_generation ON passages (generation);
CREATE TABLE removals (passage INTEGER PRIMARY KEY, generation INTEGER NOT NULL);
CREATE INDEX removals_generation ON removals (generation);
CREATE TABLE vectors (
    passage INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,           -- of the texts that were encoded: equal texts need no second encoding
    rows INTEGER NOT NULL, data BLOB NOT NULL,  -- half precision; row 0 the passage, then one a sentence
    seal INTEGER NOT NULL
);
CREATE TABLE tokens (               -- apart from the vectors: read for the few passages that are looked at closely
    passage INTEGER PRIMARY KEY,
    states BLOB NOT NULL,           -- bytes; a row for each token of the passage, empty when the encoder has none
    ids BLOB NOT NULL,              -- 32-bit integers; numbers in the vocabulary
    cuts BLOB NOT NULL,             -- 32-bit integers; where in `states` the head and each sentence begins, and the end
    seal INTEGER NOT NULL
);
CREATE INDEX vectors_digest ON vectors (digest);
CREATE TABLE unreadable (id TEXT PRIMARY KEY, reason TEXT NOT NULL, next_step TEXT NOT NULL);
CREATE VIRTUAL TABLE stems USING fts5(body, head, tokenize = "unicode61 remove_diacritics 0", detail = column);
"""

_TABLES = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name"

# By SQLite's name of the error; the first that the name begins with counts. Anything else is damage.
_DAMAGED = (
    "The index at {path} is damaged ({error}). The documents are whole; build it again with: clusterqa index --rebuild"
)
_MESSAGES: tuple[tuple[str, type[StoreError], str], ...] = (
    ("SQLITE_IOERR_SHORT_READ", StoreDamaged, _DAMAGED),
    ("SQLITE_IOERR_READ", StoreError, "The index at {path} cannot be read ({error}). Check the disk, then try again."),
    ("SQLITE_IOERR", StoreError, "The disk refused to write to {path} ({error}), so nothing was changed. "
     "Check its space and run: clusterqa index"),
    ("SQLITE_FULL", StoreError, "There is no space left for {path} ({error}), so nothing was changed. "
     "Free some space on the disk and run: clusterqa index"),
    ("SQLITE_BUSY", StoreError, "Another program is writing to {path} ({error}). Wait for it, then try again."),
    ("SQLITE_LOCKED", StoreError, "Another program is writing to {path} ({error}). Wait for it, then try again."),
    ("SQLITE_READONLY", StoreError, "{path} cannot be written ({error}). Check its permissions, or name another "
     "data folder: --data DIR"),
    ("SQLITE_CANTOPEN", StoreError, "{path} cannot be opened ({error}). Check its permissions, or name another "
     "data folder: --data DIR"),
    ("SQLITE_PERM", StoreError, "{path} cannot be opened ({error}). Check its permissions, or name another "
     "data folder: --data DIR"),
)  # fmt: skip


def explain(error: Exception, path: Path) -> StoreError:
    """A StoreError for SQLite's error, with the next step; StoreDamaged when only a rebuild helps."""
    if isinstance(error, sqlite3.ProgrammingError):
        raise error  # a bug of ours keeps its traceback
    name = getattr(error, "sqlite_errorname", "")
    for beginning, kind, message in _MESSAGES:
        if name.startswith(beginning):
            return kind(message.format(path=path, error=error))
    return StoreDamaged(_DAMAGED.format(path=path, error=error))


class SqliteStore(Store):
    """One connection to the database. Not for use by several threads at once: each opens its own."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        self._inode = _inode(path)

    @classmethod
    def open(cls, data: Path, *, create: bool = False) -> SqliteStore:
        """
        Open the store in a data folder.

        Raises IndexNotFound when there is none (unless `create`), StoreError when it is damaged or of another version.
        """
        path = data / DATABASE
        if not path.is_file() or path.stat().st_size == 0:
            if not create:
                raise IndexNotFound(data)
            try:
                data.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"The data folder {data} cannot be made ({error.strerror}). Name another one: --data DIR"
                ) from error
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("PRAGMA temp_store = MEMORY")
            store = cls(path, connection)
            store._prepare(create)
            return store
        except FAILURES as error:
            if connection is not None:
                connection.close()
            raise explain(error, path) from error
        except StoreError:
            if connection is not None:
                connection.close()
            raise

    def _prepare(self, create: bool) -> None:
        exists = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
        if not exists:
            if not create:
                raise IndexNotFound(self.path.parent)
            self._db.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";\n"):
                if statement.strip():
                    self._db.execute(statement)
            self._db.executemany("INSERT INTO meta VALUES (?, ?)", [("schema", SCHEMA_VERSION), ("generation", "0")])
            self._seal_whole()
            self._db.execute("COMMIT")
            return
        if self.meta("schema") in UPGRADES:
            self._upgrade()
        if self.meta("schema") != SCHEMA_VERSION:
            raise StoreDamaged(
                f"The index at {self.path} was made by another version of clusterqa. "
                "Build it again with: clusterqa index --rebuild"
            )
        if [
            tuple(row) for row in self._rows(_TABLES)
        ] != _tables():  # a column that is called otherwise, a tokenizer that folds otherwise
            raise self._damaged("its tables are not as they were made")

    def _upgrade(self) -> None:
        with self._transaction():
            if upgrade := UPGRADES.get(self.meta("schema") or ""):  # else somebody was quicker
                if found := upgrade(self._rows, _SCHEMA.split(";\n"), self._insert):
                    raise self._damaged(f"{found} without its checksum")
                self.set_meta("schema", SCHEMA_VERSION)

    def close(self) -> None:
        self._db.close()

    def current(self) -> bool:
        return _inode(self.path) == self._inode

    # ── transactions ────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One consistent view of the database for everything inside."""
        try:
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                if self._db.in_transaction:  # some errors end it on their own
                    self._db.execute("ROLLBACK")
        except FAILURES as error:
            raise explain(error, self.path) from error

    @contextmanager
    def writing(self) -> Iterator[int]:
        """
        The one transaction in which a new generation is written; gives its number.

        Anything raised inside, a full disk among it, leaves the previous generation as it was.
        """
        with self._transaction():
            generation = self.generation() + 1
            yield generation
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'generation'", (str(generation),))

    @contextmanager
    def noting(self) -> Iterator[None]:
        """A transaction for what changes no answer (`touch`): the generation stays."""
        with self._transaction():
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._seal_whole()
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except FAILURES as error:
            raise explain(error, self.path) from error

    def _seal_whole(self) -> None:
        self.set_meta("seal", str(whole(self._each)))

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _each(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[sqlite3.Row]:
        try:
            yield from self._db.execute(sql, parameters)
        except FAILURES as error:
            raise explain(error, self.path) from error

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        return list(self._each(sql, parameters))

    def _sealed(self, what: str, row: sqlite3.Row, *beside: Any) -> sqlite3.Row:
        """The row, which has its checksum. Raises StoreDamaged before anybody reads from one that has not."""
        if not fits(row, *beside):
            raise self._damaged(f"{what} without its checksum")
        return row

    def meta(self, key: str) -> str | None:
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def generation(self) -> int:
        number = self.meta("generation") or "0"
        if not number.isdecimal():
            raise self._damaged(f"its generation is {number!r}")
        return int(number)

    def documents(self, state: str | None = "live") -> list[Stored]:
        """The documents in the order of their ids; all of them when `state` is None."""
        # All are looked at: one whose state alone is damaged would not be missed.
        known = [self._stored(row) for row in self._rows("SELECT * FROM documents ORDER BY id")]
        return [stored for stored in known if state is None or stored.state == state]

    def document(self, document: str) -> Stored | None:
        rows = self._rows("SELECT * FROM documents WHERE id = ?", (document,))
        return self._stored(rows[0]) if rows else None

    def _stored(self, row: sqlite3.Row) -> Stored:
        return _stored(self._sealed(f"what is known of {row['id']},", row))

    def versions(self, document: str) -> list[str]:
        """sha256 of every stored version of a document, oldest first."""
        rows = self._rows("SELECT sha256 FROM versions WHERE document = ? ORDER BY generation, rowid", (document,))
        return [str(row[0]) for row in rows]

    def text(self, document: str, version: str) -> str | None:
        row = self._version(document, version)
        return str(row["text"]) if row else None

    def _version(self, document: str, version: str) -> sqlite3.Row | None:
        rows = self._rows("SELECT * FROM versions WHERE document = ? AND sha256 = ?", (document, version))
        return self._sealed(f"the stored text of {document}", rows[0]) if rows else None

    def read(self, document: str) -> Document | None:
        """A document as it was read last, with its structure; None when there is none or its text is lost."""
        stored = self.document(document)
        text = self.text(document, stored.version) if stored else None
        if stored is None or text is None:
            return None
        blocks, pages = self.structure(document, stored.version)
        return Document(
            id=stored.id,
            text=text,
            title=stored.title,
            language=stored.language,
            blocks=blocks,
            media_type=stored.media_type,
            url=stored.url,
            date=stored.date,
            publisher=stored.publisher,
            tags=stored.tags,
            sources=stored.sources,
            translation_of=stored.translation_of,
            pages=pages,
            warnings=stored.warnings,
            valid_until=stored.valid_until,
            review_by=stored.review_by,
        )

    def structure(self, document: str, version: str) -> tuple[tuple[Block, ...], tuple[Page, ...]]:
        """Blocks and pages of one version, for showing the document."""
        row = self._version(document, version)
        if row is None:
            return (), ()
        return (
            tuple(Block(*values) for values in json.loads(row["blocks"])),
            tuple(Page(*values) for values in json.loads(row["pages"])),
        )

    def passages(self, after_generation: int = -1) -> Iterator[IndexedPassage]:
        live = {stored.id: stored for stored in self.documents()}
        text: tuple[str, str] = ("", "")
        sql = "SELECT * FROM passages WHERE generation > ? ORDER BY id"
        for row in self._rows(sql, (after_generation,)):
            stored = live.get(row["document"])
            if stored is None:
                raise self._damaged(f"a passage of {row['document']}, which is not live")
            if text[0] != stored.id:
                text = stored.id, self.text(stored.id, stored.version) or ""
            yield IndexedPassage(
                int(row["id"]), self._passage(row, text[1]), stored.language, self._vectors(int(row["id"]))
            )

    def _passage(self, row: sqlite3.Row, document: str) -> Passage:
        """The passage of a row, cut from the text of its document."""
        text = document[row["start"] : row["end"]] if is_span(row) else ""
        self._sealed(f"passage {row['id']} of {row['document']}", row, text)
        return _passage(row, text)

    def confirm(self, entry: IndexedPassage, source: Source) -> None:
        known, text = entry.passage, entry.passage.text
        for row in self._rows("SELECT * FROM passages WHERE id = ?", (entry.id,)):
            stored = self.document(known.document)
            found = _passage(self._sealed(f"passage {entry.id} of {known.document}", row, text), text)
            if found == known and stored and stored.state == "live" and stored.source(source.translation) == source:
                return
        raise self._damaged(f"passage {entry.id} of {known.document} is not what it was read as")

    def tokens(self, ids: Sequence[int]) -> list[TokenStates]:
        found: dict[int, TokenStates] = {}
        for part in _parts(list(ids)):
            marks = ",".join("?" * len(part))
            for row in self._rows(f"SELECT * FROM tokens WHERE passage IN ({marks})", part):
                found[row["passage"]] = _tokens(self._sealed(f"the tokens of passage {row['passage']}", row))
        if missing := set(ids) - found.keys():
            raise self._damaged(f"{len(missing)} passages without tokens")
        return [found[i] for i in ids]

    def _vectors(self, passage: int) -> NDArray[np.float16]:
        rows = self._rows("SELECT * FROM vectors WHERE passage = ?", (passage,))
        if not rows:
            raise self._damaged(f"passage {passage} without vectors")
        return _vectors(self._sealed(f"the vectors of passage {passage}", rows[0]))

    def _damaged(self, what: str) -> StoreDamaged:
        return StoreDamaged(_DAMAGED.format(path=self.path, error=what))

    def removed_since(self, generation: int) -> list[int]:
        return [int(row[0]) for row in self._rows("SELECT passage FROM removals WHERE generation > ?", (generation,))]

    def vectors_by_digest(self, digests: Iterable[str]) -> dict[str, PassageVectors]:
        """Vectors already computed for equal texts, by digest."""
        found: dict[str, PassageVectors] = {}
        for part in _parts(list(dict.fromkeys(digests))):
            marks = ",".join("?" * len(part))
            rows = self._rows(f"SELECT * FROM vectors WHERE digest IN ({marks})", part)
            tokens = self.tokens([row["passage"] for row in rows])
            for row, own in zip(rows, tokens, strict=True):
                vectors = _vectors(self._sealed(f"the vectors of passage {row['passage']}", row))
                found[row["digest"]] = PassageVectors(vectors, own)
        return found

    def matching(self, terms: Sequence[str]) -> dict[int, tuple[bool, bool]]:
        """Passage id → (in the body, in the head) for the passages that hold at least one of the terms."""
        query = " OR ".join(f'"{term}"' for term in terms)
        body, head = (
            [row for (row,) in self._rows("SELECT rowid FROM stems WHERE stems MATCH ?", (f"{column} : ({query})",))]
            for column in ("body", "head")
        )
        found = dict.fromkeys(body, (True, False))
        found.update([(row, (row in found, True)) for row in head])
        return found

    def vocabulary(self) -> list[str]:
        """Every term of the lexical index, in order."""
        self._rows("CREATE VIRTUAL TABLE IF NOT EXISTS temp.stem_terms USING fts5vocab(main, stems, row)")
        return [str(row[0]) for row in self._rows("SELECT term FROM temp.stem_terms ORDER BY term")]

    def unreadable(self) -> list[tuple[str, str, str]]:
        """(id, reason, next step) of the files that could not be read at the last run."""
        return [tuple(row) for row in self._rows("SELECT id, reason, next_step FROM unreadable ORDER BY id")]

    def counts(self) -> dict[str, int]:
        """Rows by table, for `doctor` and the metrics."""
        tables = ("documents", "versions", "passages", "vectors", "stems")
        return {table: int(self._rows(f"SELECT count(*) FROM {table}")[0][0]) for table in tables}

    def held(self, document: str | None) -> dict[str, int]:
        """
        How many passages, vectors (of passages and sentences) and entries of the lexical index a document has; all
        documents together for None.
        """
        row = self._rows(
            "SELECT count(*), coalesce(sum(x.rows), 0), count(s.rowid) FROM passages p "
            "LEFT JOIN vectors x ON x.passage = p.id LEFT JOIN stems s ON s.rowid = p.id WHERE ?1 IS NULL OR p.document = ?1",
            (document,),
        )[0]
        return {"passages": int(row[0]), "vectors": int(row[1]), "stems": int(row[2])}

    def damage(self) -> list[str]:
        """What is wrong inside the database, in words; empty when it is whole. Reads all of it."""
        with self.reading():
            found = [str(row[0]) for row in self._rows("PRAGMA integrity_check(10)") if row[0] != "ok"]
            found += [*missing_rows(self._each), *wrong_rows(self._each)]
        if not self._stems_are_whole():
            found.append("the lexical index does not fit the passages")
        return found

    def spot_check(self) -> None:
        for found in wrong_rows(self._each, SAMPLED):
            raise self._damaged(found)

    def _stems_are_whole(self) -> bool:
        try:
            self._db.execute("BEGIN")
            try:
                self._db.execute("INSERT INTO stems (stems) VALUES ('integrity-check')")  # changes nothing
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
        except FAILURES as error:  # busy or not writable: cannot be looked at now
            return not isinstance(explain(error, self.path), StoreDamaged)
        return True

    # ── writing; only inside `writing()` ────────────────────────────────────────────────────────────────────────

    def set_meta(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def put(self, document: Document, file: FileState, passages: Sequence[NewPassage], generation: int) -> None:
        """Make `document` live with these passages, in place of what it had before."""
        self._drop_passages(document.id, generation)
        version = document.version
        known = self._version(document.id, version)
        # The text of a version never changes; how it is divided may, when reading gets better.
        self._insert(
            "versions",
            document.id,
            version,
            document.text,
            _json([[b.kind, b.start, b.end, b.level, b.header] for b in document.blocks]),
            _json([[p.number, p.label, p.start, p.end] for p in document.pages]),
            known["generation"] if known else generation,
            instead="(document, sha256) DO UPDATE SET blocks = excluded.blocks, pages = excluded.pages, seal = excluded.seal",
        )
        for number, new in enumerate(passages, self._next_passage()):
            self._put_passage(number, new, generation)
        values = (
            document.id,
            version,
            document.title,
            document.language,
            document.media_type,
            document.url,
            document.date,
            document.publisher,
            _json(document.tags),
            _json(document.sources),
            document.translation_of,
            _json(document.warnings),
            file.sha256,
            file.size,
            file.mtime_ns,
            "live",
            generation,
            document.valid_until,
            document.review_by,
            of_passages(self._each, document.id),
        )
        self._db.execute("DELETE FROM documents WHERE id = ?", (document.id,))
        self._insert("documents", *values)

    def _insert(self, table: str, *values: Value, beside: Value = None, instead: str = "") -> None:
        """Add a row with its checksum, which covers `beside` where there is something; `instead` of failing, where it stands."""
        row = (*values, seal(*values) if beside is None else seal(*values, beside))
        marks = ",".join("?" * len(row))
        self._db.execute(f"INSERT INTO {table} VALUES ({marks}) {instead and f'ON CONFLICT {instead}'}", row)

    def _next_passage(self) -> int:
        """The id of the passage that comes next; no id is used again."""
        rows = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'passages'")
        return int(rows[0][0]) + 1 if rows else 1

    def _put_passage(self, number: int, new: NewPassage, generation: int) -> None:
        p, tokens = new.passage, new.vectors.tokens
        self._insert(
            "passages",
            number,
            p.document,
            p.ordinal,
            p.start,
            p.end,
            _json([[s.start, s.end] for s in p.sentences]),
            _json(p.heading),
            p.lead,
            p.page,
            p.page_label,
            generation,
            seal(new.body_terms, new.head_terms),
            beside=p.text,
        )
        self._insert(
            "vectors", number, new.digest, len(new.vectors.rows), new.vectors.rows.astype(np.float16).tobytes()
        )
        self._insert(
            "tokens",
            number,
            tokens.states.astype(np.int8).tobytes(),
            tokens.ids.astype(np.int32).tobytes(),
            tokens.cuts.astype(np.int32).tobytes(),
        )
        self._db.execute(
            "INSERT INTO stems (rowid, body, head) VALUES (?, ?, ?)", (number, new.body_terms, new.head_terms)
        )

    def touch(self, document: str, file: FileState) -> None:
        """Note that a file was touched without its content changing; inside `writing()` or `noting()`."""
        self._change(document, file_size=file.size, file_mtime_ns=file.mtime_ns)

    def remove(self, document: str, generation: int) -> None:
        """Take a document out of every answer; its text stays, so that old citations still open."""
        self._drop_passages(document, generation)
        self._change(document, state="removed", generation=generation, passages=of_passages(self._each, document))

    def _change(self, document: str, **values: Value) -> None:
        """Set columns of a document's row, where there is one."""
        for row in self._rows("SELECT * FROM documents WHERE id = ?", (document,)):
            known = dict(self._sealed(f"what is known of {document}", row)) | values
            self._db.execute("DELETE FROM documents WHERE id = ?", (document,))
            self._insert("documents", *list(known.values())[:-1])

    def _drop_passages(self, document: str, generation: int) -> None:
        """Delete the passages of a document with their vectors and stems."""
        rows = [int(row[0]) for row in self._rows("SELECT id FROM passages WHERE document = ?", (document,))]
        for row in rows:
            self._db.execute("DELETE FROM stems WHERE rowid = ?", (row,))
            self._db.execute("DELETE FROM vectors WHERE passage = ?", (row,))
            self._db.execute("DELETE FROM tokens WHERE passage = ?", (row,))
            self._db.execute("DELETE FROM passages WHERE id = ?", (row,))
            self._db.execute("INSERT INTO removals VALUES (?, ?)", (row, generation))

    def forget_terms(self) -> None:
        """
        Merge the lexical index into one segment, so that deleted terms are gone from the file and not only marked.

        Costs time that grows with the corpus: called after a removal, which is rare, not after every addition.
        """
        self._db.execute("INSERT INTO stems (stems) VALUES ('optimize')")

    def forget_log(self) -> None:
        """
        Carry the write-ahead log into the database and empty it, so that nothing deleted remains in it either.

        Outside of `writing()`. A reader at work may keep the log; it is then emptied with the next change.
        """
        with suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def set_unreadable(self, files: Iterable[tuple[str, str, str]]) -> None:
        self._db.execute("DELETE FROM unreadable")
        self._db.executemany("INSERT INTO unreadable VALUES (?, ?, ?)", list(files))


def exists(data: Path) -> bool:
    """Whether there is a database in a data folder."""
    return (data / DATABASE).is_file()


def put_aside(data: Path) -> None:
    """
    Rename a database that a rebuild in place cannot repair; a full disk or missing permission is raised, not renamed away.
    """
    path = data / DATABASE
    if not path.exists():
        return
    try:
        with SqliteStore.open(data, create=True) as store:
            damage = store.damage()
    except StoreDamaged as error:
        damage = [str(error)]
    if not damage:
        return
    number = 1
    while (aside := path.with_name(f"{DATABASE}.damaged-{number}")).exists():
        number += 1
    for suffix in _PARTS:
        part = path.with_name(path.name + suffix)
        if part.exists():
            os.replace(part, aside.with_name(aside.name + suffix))
    log.warning("The damaged index was put aside as %s: %s", aside.name, "; ".join(damage)[:300])


def asides(data: Path) -> list[str]:
    """Names of the damaged databases that were put aside, in the order of their names."""
    return sorted(path.name for path in data.glob(f"{DATABASE}.damaged-*"))


def size(data: Path) -> int:
    """Bytes that the database takes on the disk."""
    parts = [data / (DATABASE + suffix) for suffix in _PARTS]
    return sum(part.stat().st_size for part in parts if part.exists())


def copy_database(source: Path, target: Path) -> None:
    """
    Make one SQLite file, whatever is in it, hold what another holds at this moment; both may be in use.

    The target changes in one transaction, and is made for its owner alone when it is not there. Raises StoreDamaged when either
    of them cannot be read as a database, else StoreError.
    """
    try:
        private.prepare(target)
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=30)) as here:
            here.execute("SELECT count(*) FROM sqlite_master").fetchone()
            with closing(sqlite3.connect(target, timeout=30)) as there:
                here.backup(there)
    except (sqlite3.Error, OSError) as error:
        damaged = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT"))
        raise (StoreDamaged if damaged else StoreError)(
            f"{source} cannot be copied to {target} ({error}). Look at both with: clusterqa doctor"
        ) from error


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _parts(values: list[T], size: int = 500) -> Iterator[list[T]]:
    """As many values at a time as one statement may name."""
    for begin in range(0, len(values), size):
        yield values[begin : begin + size]


@cache
def _tables() -> list[tuple[str, str, str]]:
    """What the database's own list of its tables says in a new one."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_SCHEMA)
        return db.execute(_TABLES).fetchall()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _passage(row: sqlite3.Row, text: str) -> Passage:
    return Passage(
        document=row["document"],
        ordinal=row["ordinal"],
        start=row["start"],
        end=row["end"],
        text=text,
        sentences=tuple(Span(a, b) for a, b in json.loads(row["sentences"])),
        heading=tuple(json.loads(row["heading"])),
        lead=row["lead"],
        page=row["page"],
        page_label=row["page_label"],
    )


def _vectors(row: sqlite3.Row) -> NDArray[np.float16]:
    return np.frombuffer(row["data"], dtype=np.float16).reshape(row["rows"], -1)


def _tokens(row: sqlite3.Row) -> TokenStates:
    ids = np.frombuffer(row["ids"], dtype=np.int32)
    if not len(ids):
        return TokenStates()
    states = np.frombuffer(row["states"], dtype=np.int8).reshape(len(ids), -1)
    return TokenStates(states, ids, np.frombuffer(row["cuts"], dtype=np.int32))


def _stored(row: sqlite3.Row) -> Stored:
    return Stored(
        id=row["id"],
        version=row["version"],
        title=row["title"],
        language=row["language"],
        media_type=row["media_type"],
        url=row["url"],
        date=row["date"],
        publisher=row["publisher"],
        tags=tuple(json.loads(row["tags"])),
        sources=tuple(json.loads(row["sources"])),
        translation_of=row["translation_of"],
        warnings=tuple(json.loads(row["warnings"])),
        file_sha256=row["file_sha256"],
        file_size=row["file_size"],
        file_mtime_ns=row["file_mtime_ns"],
        state=row["state"],
        valid_until=row["valid_until"],
        review_by=row["review_by"],
    )
