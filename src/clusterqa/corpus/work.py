"""
What is encoded is kept until the store has it, so that whoever dies loses a minute's work and memory holds little of it: in a file
in the data folder or, where the store is in PostgreSQL, in a queue beside it that processes and machines share.

Whoever indexes puts the passages to be encoded there and takes its share of them; `clusterqa work`, started as often as wanted,
takes others. What one has taken is locked for it, and given back by the database when it dies; what is encoded stays, whoever
dies. The queue is the database's: nothing here knows who works, or how many do.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from clusterqa.books import Book, Connection, Part, Title, open_book
from clusterqa.corpus.encoding import encode_texts
from clusterqa.errors import SettingsError, StoreError
from clusterqa.passages import PassageTexts
from clusterqa.ports import Encoder
from clusterqa.records import PassageVectors, TokenStates
from clusterqa.settings import IN_A_FILE, Home
from clusterqa.store.batches import parts
from clusterqa.store.seal import seal

AT_ONCE = 16
"""Passages that are taken at once: some seconds of work, which is what a death costs."""
KEPT = ".encoding"
"""The folder in the data folder, as long as something is kept in it; no backup needs it."""
FEW = 256
"""Passages, some twenty seconds of work: no fewer are kept, and so many at once."""
LOOK_SECONDS = 0.2
"""How often somebody who waits looks again."""
FROZEN = "10min"
"""Who has taken something and is not heard of for so long, the machine being frozen or cut off, loses it."""

_SCHEMA = """
CREATE TABLE waiting (                  -- to be encoded, and not yet
    digest TEXT NOT NULL, encoder TEXT NOT NULL, texts TEXT NOT NULL, PRIMARY KEY (digest, encoder)
);
CREATE TABLE encoded (
    digest TEXT NOT NULL, encoder TEXT NOT NULL,
    rows INTEGER NOT NULL, data BLOB NOT NULL, states BLOB NOT NULL, ids BLOB NOT NULL, cuts BLOB NOT NULL,
    seal INTEGER NOT NULL, PRIMARY KEY (digest, encoder)
);
"""
_QUEUE = Part("queue", 1, _SCHEMA)


def _unusable(shown: str, error: object) -> StoreError:
    return StoreError(f"The queue {shown} cannot be used ({error}). Start PostgreSQL, or correct the setting store.")


def _not_kept(shown: str, error: object) -> StoreError:
    return StoreError(
        f"What is encoded cannot be kept in {shown} ({error}), so nothing was changed. Check the space on the disk, or delete "
        "that file, then run: clusterqa index"
    )


WORK = Title("work", _unusable)
ENCODED = Title("encoded", _not_kept)

Count = Callable[[int], None]
"""Told how many more texts are encoded."""


class Shelf:
    """A book in which stands what one encoder has encoded."""

    def __init__(self, book: Book, encoder: Encoder) -> None:
        self._book = book
        self._encoder = encoder
        self._name = encoder.fingerprint
        book.prepare(_QUEUE)

    def clear(self) -> None:
        """Forget what was encoded: it is in the store."""
        with self._book.changing() as db:
            for table in ("waiting", "encoded"):
                db.execute(f"DELETE FROM {table} WHERE encoder = ?", (self._name,))

    def digests(self) -> set[str]:
        """Of what is encoded."""
        with self._book.using() as db:
            return {row[0] for row in db.execute("SELECT digest FROM encoded WHERE encoder = ?", (self._name,))}

    def put(self, db: Connection, vectors: Mapping[str, PassageVectors]) -> None:
        rows = [(digest, self._name, *_packed(one)) for digest, one in vectors.items()]
        marks = "?, ?, ?, ?, ?, ?, ?, ?"
        db.executemany(
            f"INSERT INTO encoded VALUES ({marks}) ON CONFLICT DO NOTHING", [(*row, seal(*row)) for row in rows]
        )

    def get(self, digest: str) -> PassageVectors:
        with self._book.using() as db:
            row = db.execute("SELECT * FROM encoded WHERE digest = ? AND encoder = ?", (digest, self._name)).fetchone()
        if row is None or seal(*row[:-1]) != row[-1]:
            self.clear()
            raise self._book.title.unusable(
                self._book.shown, "what was encoded does not have its checksum, and is forgotten; try again"
            )
        return _unpacked(row[2], row[3:7])


class _Shelved(Mapping[str, PassageVectors]):
    """What stands on a shelf, each read when it is asked for."""

    def __init__(self, shelf: Shelf, digests: Iterable[str]) -> None:
        self._shelf = shelf
        self._digests = dict.fromkeys(digests)

    def __getitem__(self, digest: str) -> PassageVectors:
        if digest not in self._digests:
            raise KeyError(digest)
        return self._shelf.get(digest)

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)


class Kept:
    """What a long run has encoded, in a folder beside a store in a file."""

    def __init__(self, home: Home, encoder: Encoder) -> None:
        self._home = Home(home.data / KEPT)
        self._encoder = encoder
        self._book: Book | None = None

    def encode(self, texts: Mapping[str, PassageTexts], encoder: Encoder, count: Count) -> Mapping[str, PassageVectors]:
        """What `encode_texts` gives; but for what a run that was killed had encoded. Raises StoreError."""
        if len(texts) <= FEW:
            return encode_texts(texts, encoder, count)
        self._book = book = open_book(ENCODED, self._home)
        shelf = Shelf(book, self._encoder)
        done = shelf.digests()
        count(sum(1 + len(one.sentences) for digest, one in texts.items() if digest in done))
        for some in parts((digest for digest in texts if digest not in done), FEW):
            vectors = encode_texts({digest: texts[digest] for digest in some}, encoder, count)
            with book.changing() as db:
                shelf.put(db, vectors)
        return _Shelved(shelf, texts)

    def close(self) -> None:
        if self._book is not None:
            self._book.close()
            self._book = None

    def clear(self) -> None:
        """Forget what was encoded: it is in the store."""
        self.close()
        shutil.rmtree(self._home.data, ignore_errors=True)


class Queue(Shelf):
    """The queue of one encoder."""

    def work(self) -> int:
        """Take some passages and encode them; gives how many, 0 where none wait that nobody has taken."""
        with self._book.taking() as db:
            db.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{FROZEN}'")
            taken = db.execute(
                "SELECT digest, texts FROM waiting WHERE encoder = ? ORDER BY digest LIMIT ? FOR UPDATE SKIP LOCKED",
                (self._name, AT_ONCE),
            ).fetchall()
            if taken:
                texts = {digest: PassageTexts(*map(tuple, json.loads(packed))) for digest, packed in taken}
                self.put(db, encode_texts(texts, self._encoder))
                db.executemany("DELETE FROM waiting WHERE digest = ? AND encoder = ?", [(d, self._name) for d in texts])
        return len(taken)

    def encode(self, texts: Mapping[str, PassageTexts], encoder: Encoder, count: Count) -> Mapping[str, PassageVectors]:
        """What `encode_texts` gives, encoded by all who work. Raises StoreError."""
        done = self.digests()
        with self._book.changing() as db:
            db.executemany(
                "INSERT INTO waiting VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [
                    (digest, self._name, json.dumps([one.parts, one.sentences], ensure_ascii=True))
                    for digest, one in texts.items()
                    if digest not in done
                ],
            )
        told, total = 0, sum(1 + len(one.sentences) for one in texts.values())
        while left := self._left():
            if not self.work():
                time.sleep(LOOK_SECONDS)  # others have the rest; what they lose, they give back
            now = total * (len(texts) - min(left, len(texts))) // max(len(texts), 1)
            count(max(now - told, 0))
            told = max(now, told)
        count(total - told)
        return _Shelved(self, texts)

    def others(self) -> list[str]:
        """The encoders that others wait for."""
        with self._book.using() as db:
            rows = db.execute("SELECT DISTINCT encoder FROM waiting WHERE encoder <> ?", (self._name,))
            return sorted(name for (name,) in rows)

    def _left(self) -> int:
        with self._book.using() as db:
            return int(db.execute("SELECT count(*) FROM waiting WHERE encoder = ?", (self._name,)).fetchone()[0])


def _packed(vectors: PassageVectors) -> tuple[int, bytes, bytes, bytes, bytes]:
    tokens = vectors.tokens
    return (
        len(vectors.rows),
        vectors.rows.tobytes(),
        tokens.states.tobytes(),
        tokens.ids.tobytes(),
        tokens.cuts.tobytes(),
    )


def _unpacked(rows: int, packed: Iterable[bytes]) -> PassageVectors:
    data, states, ids, cuts = packed
    numbers = np.frombuffer(ids, dtype=np.int32)
    tokens = TokenStates()
    if len(numbers):
        width = np.frombuffer(states, dtype=np.int8).reshape(len(numbers), -1)
        tokens = TokenStates(width, numbers, np.frombuffer(cuts, dtype=np.int32))
    return PassageVectors(np.frombuffer(data, dtype=np.float16).reshape(rows, -1), tokens)


@contextmanager
def keeping(home: Home, encoder: Encoder) -> Iterator[Kept | Queue]:
    """Where a run keeps what it has encoded. Raises StoreError, MissingExtra."""
    if home.store != IN_A_FILE:
        with queue(home, encoder) as shared:
            yield shared
        return
    kept = Kept(home, encoder)
    try:
        yield kept
    finally:
        kept.close()


@contextmanager
def queue(home: Home, encoder: Encoder) -> Iterator[Queue]:
    """The queue beside a store in PostgreSQL. Raises SettingsError where the store is in a file, StoreError, MissingExtra."""
    if home.store == IN_A_FILE:
        raise SettingsError(
            'Encoding is shared through PostgreSQL. Set store = "postgresql://…" here and where documents are indexed.'
        )
    book = open_book(WORK, home)
    try:
        yield Queue(book, encoder)
    finally:
        book.close()
