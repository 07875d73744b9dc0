"""
The tables of the store, and everything that is done with them alike in SQLite and in PostgreSQL.

A store of one of the two brings its connection, its transactions, its lexical index, and what its errors mean.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clusterqa.errors import StoreDamaged, StoreError
from clusterqa.ports import Store
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
from clusterqa.store.batches import parts
from clusterqa.store.damage import fits, is_span, missing_rows, of_passages, whole, wrong_rows
from clusterqa.store.seal import Value, seal
from clusterqa.store.upgrade import UPGRADES

# What the last column of a table, `seal`, covers, and what the others mean in it, stands in `store/damage.py`.
SCHEMA = """
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
CREATE INDEX versions_seal ON versions (document, sha256, seal);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL, ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, sentences TEXT NOT NULL, heading TEXT NOT NULL, lead TEXT NOT NULL,
    page INTEGER, page_label TEXT, generation INTEGER NOT NULL,
    terms INTEGER NOT NULL,         -- checksum of its entry in the lexical index
    seal INTEGER NOT NULL           -- covers the text of the passage, which the offsets alone do not
);
CREATE INDEX passages_document ON passages (document);
CREATE INDEX passages_generation ON passages (generation);
CREATE INDEX passages_terms ON passages (terms, id);
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
"""
"""In the words of SQLite, each statement ending in ";" and a new line; the lexical index, `stems`, is each one's own."""

SCHEMA_VERSION = "8"
UNFINISHED = "unfinished"
"""In place of the version, as long as only a part of another store has been copied."""
SAMPLED = 32
"""Rows of each kind that are looked at when a generation is taken up: a few milliseconds."""

DAMAGED = (
    "The index at {path} is damaged ({error}). The documents are whole; build it again with: clusterqa index --rebuild"
)


_OF_DOCUMENT = {
    "documents": "SELECT * FROM documents WHERE id = ?",
    "versions": "SELECT * FROM versions WHERE document = ? ORDER BY generation",
    "passages": "SELECT * FROM passages WHERE document = ? ORDER BY id",
    "vectors": "SELECT * FROM vectors WHERE passage IN (SELECT id FROM passages WHERE document = ?)",
    "tokens": "SELECT * FROM tokens WHERE passage IN (SELECT id FROM passages WHERE document = ?)",
    "stems (rowid, body, head)": "SELECT rowid, body, head FROM stems WHERE rowid IN (SELECT id FROM passages WHERE document = ?)",
}
"""Where rows that belong to a document are put, and how they are read."""
_OF_THE_WHOLE = ("removals", "unreadable", "meta", "sqlite_sequence")

Copied = dict[str, list[tuple[Value, ...]]]
"""Rows to be put into another store, by where they are put."""


class Row(Protocol):
    """A row of a result: its values in order, and by the names of their columns."""

    def __getitem__(self, key: int | str, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def keys(self) -> Iterable[str]: ...


class TableStore(Store):
    """
    A store in tables. Statements are written with "?" for each value; they are the same for all that are made of it.

    Not for use by several threads at once: each opens its own.
    """

    shown: object
    """Where it is, as it may be shown to anybody."""

    @abstractmethod
    def _each(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """Run a statement; gives its rows. Raises StoreError."""

    @abstractmethod
    def _many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once for each row of values."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[None]:
        """The transaction of the one writer, which ends with `_seal_whole`. Anything raised inside leaves all as it was."""

    def _engine_faults(self) -> Iterator[str]:
        """What the database itself says is wrong with it, in words."""
        return iter(())

    def _lexical_faults(self) -> Iterator[str]:
        """What the lexical index says is wrong with it, in words; asked outside of any transaction."""
        return iter(())

    def _make_tables(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self._run(statement)
        for key, value in (("schema", SCHEMA_VERSION), ("generation", "0")):
            self.set_meta(key, value)
        self._seal_whole()

    def _bring_up_to_date(self, statements: Sequence[str]) -> None:
        """Make tables of an earlier version those of this one, which `statements` make, in one transaction."""
        if self.meta("schema") not in UPGRADES:
            return
        with self._transaction():
            if upgrade := UPGRADES.get(self.meta("schema") or ""):  # else somebody was quicker
                if found := upgrade(self._rows, statements, self._insert):
                    raise self._damaged(f"{found} without its checksum")
                self.set_meta("schema", SCHEMA_VERSION)

    # ── transactions ────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def writing(self) -> Iterator[int]:
        """
        The one transaction in which a new generation is written; gives its number.

        Anything raised inside, a full disk among it, leaves the previous generation as it was.
        """
        with self._transaction():
            generation = self.generation() + 1
            yield generation
            self.set_meta("generation", str(generation))

    @contextmanager
    def noting(self) -> Iterator[None]:
        """A transaction for what changes no answer (`touch`): the generation stays."""
        with self._transaction():
            yield

    def _seal_whole(self) -> None:
        self.set_meta("seal", str(whole(self._each)))

    def _check_version(self, unfinished: bool) -> None:
        version = self.meta("schema")
        if version == UNFINISHED and not unfinished:
            raise StoreError(
                f"Only a part of what is moved to {self.shown} is there. Go on with: clusterqa move --from … --to … Or "
                "delete what is there."
            )
        if version not in (SCHEMA_VERSION, UNFINISHED):
            raise StoreDamaged(
                f"The index at {self.shown} was made by another version of clusterqa. "
                "Build it again with: clusterqa index --rebuild"
            )

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return list(self._each(sql, parameters))

    def _run(self, sql: str, *values: Value) -> None:
        """Run a statement that gives no rows."""
        self._many(sql, [values])

    def _sealed(self, what: str, row: Row, *beside: Any) -> Row:
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

    def documents(self, state: str | None = "live", after_generation: int = -1) -> list[Stored]:
        """The documents that changed after a generation, in the order of their ids; all of them when `state` is None."""
        # All are looked at: one whose state alone is damaged would not be missed.
        rows = self._rows("SELECT * FROM documents WHERE generation > ? ORDER BY id", (after_generation,))
        known = [self._stored(row) for row in rows]
        return [stored for stored in known if state is None or stored.state == state]

    def document(self, document: str) -> Stored | None:
        rows = self._rows("SELECT * FROM documents WHERE id = ?", (document,))
        return self._stored(rows[0]) if rows else None

    def _stored(self, row: Row) -> Stored:
        return _stored(self._sealed(f"what is known of {row['id']},", row))

    def versions(self, document: str) -> list[str]:
        """sha256 of every stored version of a document, oldest first."""
        rows = self._rows("SELECT sha256 FROM versions WHERE document = ? ORDER BY generation", (document,))
        return [str(row[0]) for row in rows]

    def text(self, document: str, version: str) -> str | None:
        row = self._version(document, version)
        return str(row["text"]) if row else None

    def _version(self, document: str, version: str) -> Row | None:
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
        stored: Stored | None = None
        text = ""
        # First the ids alone: the rows of a million passages do not belong into memory at once.
        sql = "SELECT id FROM passages WHERE generation > ? ORDER BY id"
        ids = [int(row[0]) for row in self._rows(sql, (after_generation,))]
        for part in parts(ids):
            vectors = self._vectors(part)
            for row in self._rows(f"SELECT * FROM passages WHERE id IN ({_marks(part)}) ORDER BY id", part):
                if stored is None or stored.id != row["document"]:
                    stored = self.document(row["document"])
                    if stored is None or stored.state != "live":
                        raise self._damaged(f"a passage of {row['document']}, which is not live")
                    text = self.text(stored.id, stored.version) or ""
                yield IndexedPassage(int(row["id"]), self._passage(row, text), stored.language, vectors[row["id"]])

    def shuffled(self, among: Sequence[int] | None = None) -> Iterator[int]:
        if among is not None:
            found: list[tuple[int, int]] = []
            for part in parts(among):
                rows = self._rows(f"SELECT terms, id FROM passages WHERE id IN ({_marks(part)})", part)
                found += [(row["terms"], row["id"]) for row in rows]
            yield from (i for _, i in sorted(found))
            return
        after = (-1, -1)
        sql = "SELECT terms, id FROM passages WHERE (terms, id) > (?, ?) ORDER BY terms, id LIMIT 500"
        while rows := self._rows(sql, after):
            yield from (int(row["id"]) for row in rows)
            after = (rows[-1]["terms"], rows[-1]["id"])

    def _passage(self, row: Row, document: str) -> Passage:
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
        for part in parts(ids):
            for row in self._rows(f"SELECT * FROM tokens WHERE passage IN ({_marks(part)})", part):
                found[row["passage"]] = _tokens(self._sealed(f"the tokens of passage {row['passage']}", row))
        if missing := set(ids) - found.keys():
            raise self._damaged(f"{len(missing)} passages without tokens")
        return [found[i] for i in ids]

    def _vectors(self, passages: Sequence[int]) -> dict[int, NDArray[np.float16]]:
        """By passage, for at most as many as one statement may name."""
        rows = self._rows(f"SELECT * FROM vectors WHERE passage IN ({_marks(passages)})", passages)
        found = {
            row["passage"]: _vectors(self._sealed(f"the vectors of passage {row['passage']}", row)) for row in rows
        }
        if missing := set(passages) - found.keys():
            raise self._damaged(f"{len(missing)} passages without vectors")
        return found

    def _damaged(self, what: str) -> StoreDamaged:
        return StoreDamaged(DAMAGED.format(path=self.shown, error=what))

    def removed_since(self, generation: int) -> list[int]:
        return [int(row[0]) for row in self._rows("SELECT passage FROM removals WHERE generation > ?", (generation,))]

    def vectors_by_digest(self, digests: Iterable[str]) -> dict[str, PassageVectors]:
        """Vectors already computed for equal texts, by digest."""
        found: dict[str, PassageVectors] = {}
        for part in parts(dict.fromkeys(digests)):
            rows = self._rows(f"SELECT * FROM vectors WHERE digest IN ({_marks(part)})", part)
            tokens = self.tokens([row["passage"] for row in rows])
            for row, own in zip(rows, tokens, strict=True):
                vectors = _vectors(self._sealed(f"the vectors of passage {row['passage']}", row))
                found[row["digest"]] = PassageVectors(vectors, own)
        return found

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
            "LEFT JOIN vectors x ON x.passage = p.id LEFT JOIN stems s ON s.rowid = p.id WHERE p.document = coalesce(?, p.document)",
            (document,),
        )[0]
        return {"passages": int(row[0]), "vectors": int(row[1]), "stems": int(row[2])}

    def damage(self) -> list[str]:
        """What is wrong inside, in words; empty when everything is whole. Reads all of it."""
        with self.reading():
            found = [*self._engine_faults(), *missing_rows(self._each), *wrong_rows(self._each)]
        return [*found, *self._lexical_faults()]

    def spot_check(self) -> None:
        for found in wrong_rows(self._each, SAMPLED):
            raise self._damaged(found)

    # ── writing; only inside `writing()` ────────────────────────────────────────────────────────────────────────

    def set_meta(self, key: str, value: str) -> None:
        self._run("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)

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
        self._put_passages(list(enumerate(passages, self._next_passage())), generation)
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
        self._run("DELETE FROM documents WHERE id = ?", document.id)
        self._insert("documents", *values)

    def _insert(self, table: str, *values: Value, beside: Value = None, instead: str = "") -> None:
        """Add a row with its checksum, which covers `beside` where there is something; `instead` of failing, where it stands."""
        self._insert_all(table, [_with_seal(*values, beside=beside)], instead)

    def _insert_all(self, table: str, rows: Sequence[Sequence[Value]], instead: str = "") -> None:
        if rows:
            self._many(f"INSERT INTO {table} VALUES ({_marks(rows[0])}) {instead and f'ON CONFLICT {instead}'}", rows)

    def _next_passage(self) -> int:
        """The id of the passage that comes next; no id is used again."""
        rows = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'passages'")
        return int(rows[0][0]) + 1 if rows else 1

    def _put_passages(self, numbered: Sequence[tuple[int, NewPassage]], generation: int) -> None:
        self._insert_all("passages", [_passage_row(number, new, generation) for number, new in numbered])
        self._insert_all("vectors", [_vectors_row(number, new) for number, new in numbered])
        self._insert_all("tokens", [_tokens_row(number, new.vectors.tokens) for number, new in numbered])
        self._many(
            "INSERT INTO stems (rowid, body, head) VALUES (?, ?, ?)",
            [(number, new.body_terms, new.head_terms) for number, new in numbered],
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
            self._run("DELETE FROM documents WHERE id = ?", document)
            self._insert("documents", *list(known.values())[:-1])

    def _drop_passages(self, document: str, generation: int) -> None:
        """Delete the passages of a document with their vectors and stems."""
        gone = [int(row[0]) for row in self._rows("SELECT id FROM passages WHERE document = ?", (document,))]
        self._delete_passages(gone)
        self._many("INSERT INTO removals VALUES (?, ?)", [(number, generation) for number in gone])

    def _delete_passages(self, numbers: Sequence[int]) -> None:
        for table, column in (("stems", "rowid"), ("vectors", "passage"), ("tokens", "passage"), ("passages", "id")):
            self._many(f"DELETE FROM {table} WHERE {column} = ?", [(number,) for number in numbers])

    def set_unreadable(self, files: Iterable[tuple[str, str, str]]) -> None:
        self._run("DELETE FROM unreadable")
        self._many("INSERT INTO unreadable VALUES (?, ?, ?)", list(files))

    # ── copying, row by row; what changes is only inside `noting` ───────────────────────────────────────────────

    def unfinished(self) -> bool:
        return self.meta("schema") == UNFINISHED

    def set_unfinished(self) -> None:
        """From here until `take_whole` nobody else can open it."""
        self.set_meta("schema", UNFINISHED)

    def seals(self) -> dict[str, tuple[int, ...]]:
        """The checksums of each document, which covers those of its passages, and of its versions."""
        found: dict[str, list[int]] = {}
        for name, own in self._each("SELECT id, seal FROM documents ORDER BY id"):
            found[name] = [own]
        for name, own in self._each("SELECT document, seal FROM versions ORDER BY document, generation"):
            found.setdefault(name, []).append(own)
        return {name: tuple(seals) for name, seals in found.items()}

    def copy_of(self, document: str) -> Copied:
        return {where: [tuple(row) for row in self._rows(sql, (document,))] for where, sql in _OF_DOCUMENT.items()}

    def drop(self, document: str) -> None:
        """Undo what an earlier try has put of a document."""
        mine = self._rows("SELECT id FROM passages WHERE document = ?", (document,))
        self._delete_passages([int(row[0]) for row in mine])
        self._run("DELETE FROM versions WHERE document = ?", document)
        self._run("DELETE FROM documents WHERE id = ?", document)

    def take(self, copy: Copied) -> None:
        for where, rows in copy.items():
            if rows:
                self._many(f"INSERT INTO {where} VALUES ({_marks(rows[0])})", rows)

    def copy_of_whole(self) -> Copied:
        """What belongs to no document."""
        return {table: [tuple(row) for row in self._rows(f"SELECT * FROM {table}")] for table in _OF_THE_WHOLE}

    def take_whole(self, copy: Copied) -> None:
        """The last step. Raises StoreDamaged where a row is missing, or a checksum, that over everything among them, is another."""
        for table in copy:
            self._run(f"DELETE FROM {table}")
        self.take(copy)
        if faults := [*missing_rows(self._each), *wrong_rows(self._each)]:
            raise self._damaged("; ".join(faults)[:300])


def statements(schema: str) -> list[str]:
    """The statements of a schema one by one."""
    return [statement for statement in schema.split(";\n") if statement.strip()]


def by_place(body: Iterable[int], head: Iterable[int]) -> dict[int, tuple[bool, bool]]:
    """Passage id → (in the body, in the head), from the passages that hold a term in each of them."""
    found = dict.fromkeys(body, (True, False))
    found.update([(row, (row in found, True)) for row in head])
    return found


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# ── records and rows ────────────────────────────────────────────────────────────────────────────────────────────


def _with_seal(*values: Value, beside: Value = None) -> tuple[Value, ...]:
    return (*values, seal(*values) if beside is None else seal(*values, beside))


def _passage_row(number: int, new: NewPassage, generation: int) -> tuple[Value, ...]:
    p = new.passage
    return _with_seal(
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


def _vectors_row(number: int, new: NewPassage) -> tuple[Value, ...]:
    rows = new.vectors.rows
    return _with_seal(number, new.digest, len(rows), rows.astype(np.float16).tobytes())


def _tokens_row(number: int, tokens: TokenStates) -> tuple[Value, ...]:
    return _with_seal(
        number,
        tokens.states.astype(np.int8).tobytes(),
        tokens.ids.astype(np.int32).tobytes(),
        tokens.cuts.astype(np.int32).tobytes(),
    )


def _passage(row: Row, text: str) -> Passage:
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


def _vectors(row: Row) -> NDArray[np.float16]:
    return np.frombuffer(row["data"], dtype=np.float16).reshape(row["rows"], -1)


def _tokens(row: Row) -> TokenStates:
    ids = np.frombuffer(row["ids"], dtype=np.int32)
    if not len(ids):
        return TokenStates()
    states = np.frombuffer(row["states"], dtype=np.int8).reshape(len(ids), -1)
    return TokenStates(states, ids, np.frombuffer(row["cuts"], dtype=np.int32))


def _stored(row: Row) -> Stored:
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


def faults(opened: Callable[[], TableStore]) -> list[str]:
    """What is wrong with a store, in words, also with one that is too damaged to be opened; empty when it is whole."""
    try:
        with opened() as store:
            return store.damage()
    except StoreDamaged as error:
        return [str(error)]
