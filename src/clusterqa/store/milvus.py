"""
Vectors and passages in Milvus, or in a file by Milvus Lite: the only importer of pymilvus.

Milvus has no transactions. So each unit says with which change it came and with which it went, a reader asks for those of one
change, and a change counts from the moment that one row names it. What went is deleted by the change after, when nobody reads
it any more. Whatever was broken off is cleared away by the next change.
"""

from __future__ import annotations

import base64
import json
import logging
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from pymilvus import DataType, MilvusClient
from pymilvus.exceptions import MilvusException

from clusterqa.errors import SettingsError, StoreError
from clusterqa.ports import Vectors
from clusterqa.records import LANGUAGES, IndexedPassage, Language
from clusterqa.store.batches import parts
from clusterqa.store.moments import Backgrounds, count
from clusterqa.store.served import Changes, Engine, State
from clusterqa.store.view import packed, units_of, unpacked

LAYOUT = 1
"""Rises when the collections change."""
NEVER = 2**62
LONGEST = 65_535
"""Of a text in Milvus, in bytes."""
AT_ONCE = 1000
MOST = 16_384
"""Rows that Milvus gives at a time."""
LOCK_SECONDS = 600

Fields = tuple[tuple[str, DataType, dict[str, Any]], ...]
_UNITS: Fields = (
    ("id", DataType.INT64, {"is_primary": True}),
    ("passage", DataType.INT64, {}),
    ("position", DataType.INT64, {}),
    ("language", DataType.VARCHAR, {"max_length": 8}),
    ("document", DataType.VARCHAR, {"max_length": LONGEST}),
    ("packed", DataType.VARCHAR, {"max_length": LONGEST}),  # of the unit that is the passage itself; else ""
    ("born", DataType.INT64, {}),
    ("gone", DataType.INT64, {}),
)
_STATE: Fields = (("id", DataType.INT64, {"is_primary": True}), ("value", DataType.VARCHAR, {"max_length": LONGEST}))


@dataclass(frozen=True, slots=True)
class _Published:
    """The row that says what counts: `serial` rises with each change, `units` is the collection that they stand in."""

    layout: int
    place: str
    serial: int
    generation: int
    epoch: str
    units: str

    @property
    def seen(self) -> str:
        """The filter of the units that a reader of this change sees."""
        return f"born <= {self.serial} and gone > {self.serial}"


class MilvusEngine(Engine):
    """One client of a Milvus."""

    def __init__(self, address: str, dimension: int, place: str) -> None:
        """
        `address` is a file, for Milvus Lite, or `http://user:password@host:19530/database`; `?collection=NAME` names others than
        those that begin with "clusterqa". `place` is the data folder whose index this is. Raises SettingsError.
        """
        self._address, self._name, self._shown = _split(address)
        self._dimension = dimension
        self._place = place
        self._open: MilvusClient | None = None
        self._loaded: set[str] = set()
        self._read: _Published | None = None
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what it says is raised, and told by us

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    # ── the client ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _client(self) -> MilvusClient:
        if self._open is None:
            self._open = MilvusClient(**self._address, timeout=60)
            self._loaded = set()
            if self._open.has_collection(self._states):
                self._load(self._open, self._states)
            else:
                self._make(self._open, self._states, _STATE, 2)
        return self._open

    @property
    def _states(self) -> str:
        return f"{self._name}_state"

    def _load(self, client: MilvusClient, name: str) -> None:
        """Nothing can be asked of a collection before; a server that was started again has forgotten it."""
        if name not in self._loaded:
            client.load_collection(name)
            self._loaded.add(name)

    def _make(self, client: MilvusClient, name: str, fields: Fields, dimension: int) -> None:
        schema = client.create_schema(auto_id=False)
        for field, kind, options in fields:
            schema.add_field(field, kind, **options)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
        index = client.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="IP")  # compares with all of them: exact
        # Strong: whoever asks sees all that was written before. A reader must not miss units of the change that it reads.
        client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
        self._load(client, name)

    @contextmanager
    def _explained(self) -> Iterator[MilvusClient]:
        try:
            yield self._client
        except MilvusException as error:
            self.close()
            raise StoreError(
                f"The index at {self._shown} cannot be used ({' '.join(error.message.split()).rstrip('.')}). Start Milvus, or correct "
                'the setting index; a file of Milvus Lite is for one process at a time. index = "faiss" goes without.'
            ) from error

    # ── one generation ──────────────────────────────────────────────────────────────────────────────────────────

    def _published(self) -> _Published:
        if self._read is not None:
            return self._read
        with self._explained() as client:
            rows = client.query(self._states, filter="id == 0", output_fields=["value"])
        if not rows:
            return _Published(LAYOUT, "", 0, -1, "", "")
        told = json.loads(rows[0]["value"])
        if told["layout"] != LAYOUT:
            raise StoreError(
                f"The index at {self._shown} was made by another version of clusterqa. Drop its collections, which begin with "
                f"{self._name}_, and it is made anew by itself."
            )
        found = _Published(**told)
        with self._explained() as client:
            self._load(client, found.units)
        return found

    def state(self) -> State:
        found = self._published()
        return State(found.generation, found.epoch)

    @contextmanager
    def reading(self) -> Iterator[State]:
        self._read = found = self._published()
        try:
            yield State(found.generation, found.epoch)
        finally:
            self._read = None
        if self._published().serial > found.serial + 1:
            raise StoreError("The documents changed twice while a question was answered. Ask it again.")

    @contextmanager
    def changing(self) -> Iterator[State]:
        lock = FileLock(Path(self._place) / "index.lock", timeout=LOCK_SECONDS)
        try:
            lock.acquire()
        except Timeout as error:
            raise StoreError(
                "Another program has been filling the index for long. Wait for it, then try again."
            ) from error
        try:
            yield self.state()
        finally:
            lock.release()

    def change(self, changes: Changes) -> None:
        before = self._published()
        with self._explained() as client:
            serial = before.serial + 1
            backgrounds = {language: Backgrounds.none(self._dimension) for language in LANGUAGES}
            if changes.fresh:
                self._refuse_another(before)
                units = f"{self._name}_units_{serial}"
                if client.has_collection(units):  # of a change that was broken off
                    client.drop_collection(units)
                self._make(client, units, _UNITS, self._dimension)
            else:
                units = before.units
                client.delete(units, filter=f"born > {before.serial}")
                self._leave(client, units, f"gone > {before.serial} and gone < {NEVER}", NEVER)
                backgrounds |= self.backgrounds()
                for part in parts(changes.gone, AT_ONCE):
                    count(backgrounds, list(self.fetch(part)), -1)
                    self._leave(client, units, f"passage in {part} and gone == {NEVER}", serial)
            for entries in parts(changes.new, AT_ONCE // 4):
                count(backgrounds, entries, +1)
                client.insert(units, [row for entry in entries for row in _rows(entry, serial)])
            self._keep(client, serial, backgrounds)
            now = _Published(LAYOUT, self._place, serial, *changes.to, units)
            client.upsert(self._states, [_state_row(0, json.dumps(asdict(now)))])
            # From here on the new generation counts. What the one before needs stays until the next.
            for name in client.list_collections():
                if name.startswith(f"{self._name}_units_") and name not in (units, before.units):
                    client.drop_collection(name)
            if units == before.units:
                client.delete(units, filter=f"gone <= {before.serial}")

    def _refuse_another(self, before: _Published) -> None:
        if before.place not in ("", self._place):
            raise StoreError(
                f"The index at {self._shown} belongs to {before.place}, not to {self._place}. Give each data folder "
                f"collections of its own (?collection=NAME in the setting index); if that one is gone, drop those that begin with "
                f"{self._name}_."
            )

    @staticmethod
    def _leave(client: MilvusClient, units: str, which: str, serial: int) -> None:
        """Say of units with which change they go."""
        found = [row["id"] for row in _each(client, units, which, ["id"])]
        for part in parts(found, AT_ONCE):
            client.upsert(units, [{"id": i, "gone": serial} for i in part], partial_update=True)

    def _keep(self, client: MilvusClient, serial: int, backgrounds: dict[Language, Backgrounds]) -> None:
        """The moments, in rows that a text of Milvus can hold; those of the change before stay for whoever reads it."""
        first = 1_000_000 * serial
        texts = [
            f"{language} {piece}"
            for language, found in backgrounds.items()
            for piece in _pieces(base64.b64encode(zlib.compress(found.as_bytes())).decode("ascii"))
        ]
        client.delete(self._states, filter=f"id >= {first} or (id > 0 and id < {first - 1_000_000})")
        for part in parts(list(enumerate(texts)), 100):
            client.insert(self._states, [_state_row(first + i, text) for i, text in part])

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def nearest(self, language: Language, vector: Vectors, k: int) -> list[int]:
        now = self._published()
        with self._explained() as client:
            (hits,) = client.search(
                now.units, data=[vector.tolist()], anns_field="vector", limit=min(k, MOST), output_fields=["id"],
                filter=f'language == "{language}" and {now.seen}',
            )  # fmt: skip
        return [hit["id"] for hit in hits]

    def fetch(self, ids: Sequence[int]) -> Iterator[IndexedPassage]:
        wanted = ["id", "passage", "position", "language", "packed", "vector"]
        rows = sorted(self._seen(f"passage in {list(ids)}", wanted), key=lambda row: row["id"])
        for number, group in groupby(rows, key=lambda row: row["passage"]):
            units = list(group)
            text = zlib.decompress(base64.b64decode(units[0]["packed"])).decode("ascii")
            vectors = np.array([row["vector"] for row in units], dtype=np.float32).astype(np.float16)
            yield IndexedPassage(number, unpacked(text), units[0]["language"], vectors)

    def passages_of(self, document: str) -> list[int]:
        rows = self._seen(f"position == 0 and document == {json.dumps(document, ensure_ascii=False)}", ["passage"])
        return sorted(row["passage"] for row in rows)

    def languages(self, above: int) -> dict[Language, NDArray[np.int64]]:
        found: dict[Language, list[int]] = {language: [] for language in LANGUAGES}
        for row in self._seen(f"position == 0 and passage > {above}", ["passage", "language"]):
            found[row["language"]].append(row["passage"])
        return {language: np.array(sorted(ids), dtype=np.int64) for language, ids in found.items()}

    def backgrounds(self) -> dict[Language, Backgrounds]:
        first = 1_000_000 * self._published().serial
        with self._explained() as client:
            rows = _each(client, self._states, f"id >= {first} and id < {first + 1_000_000}", ["id", "value"])
            texts: dict[str, str] = {}
            for row in sorted(rows, key=lambda row: row["id"]):
                language, _, piece = row["value"].partition(" ")
                texts[language] = texts.get(language, "") + piece
        return {
            language: Backgrounds.from_bytes(zlib.decompress(base64.b64decode(texts[language])), self._dimension)
            for language in LANGUAGES
            if language in texts
        }

    def held(self) -> dict[str, int]:
        found = [row["position"] for row in self._seen("position >= 0", ["position"])]
        return {"passages": found.count(0), "vectors": len(found)}

    def _seen(self, which: str, fields: Sequence[str]) -> list[dict[str, Any]]:
        now = self._published()
        if not now.units:
            return []
        with self._explained() as client:
            return _each(client, now.units, f"{which} and {now.seen}", fields)


def _split(address: str) -> tuple[dict[str, str], str, str]:
    """What a client takes, how the names of the collections begin, and the address as it may be shown: without a password."""
    try:
        split = urlsplit(address)
        pairs = parse_qsl(split.query, keep_blank_values=True, strict_parsing=bool(split.query))
        host = f"{split.hostname or ''}:{split.port or 19530}"
    except ValueError as error:
        raise SettingsError(
            f'index is no address of Milvus ({error}). It looks like "milvus:http://host:19530".'
        ) from error
    name = dict(pairs).get("collection", "") or "clusterqa"
    if not split.scheme:
        return {"uri": str(Path(split.path).expanduser())}, name, split.path
    where = {"uri": urlunsplit((split.scheme, host, "", "", ""))}
    if split.username:
        where["token"] = f"{split.username}:{split.password or ''}"
    if database := split.path.strip("/"):
        where["db_name"] = database
    return where, name, f"{split.scheme}://{host}{split.path}"


def _rows(entry: IndexedPassage, serial: int) -> Iterator[dict[str, Any]]:
    text = base64.b64encode(zlib.compress(packed(entry.passage).encode("ascii"))).decode("ascii")
    for position, (unit, row) in enumerate(zip(units_of(entry), entry.rows.astype(np.float32), strict=True)):
        yield {
            "id": unit, "passage": entry.id, "position": position, "language": entry.language,
            "document": entry.passage.document, "packed": "" if position else text, "born": serial, "gone": NEVER,
            "vector": row.tolist(),
        }  # fmt: skip


def _state_row(number: int, value: str) -> dict[str, Any]:
    return {"id": number, "value": value, "vector": [1.0, 0.0]}  # Milvus has no collection without a vector


def _pieces(text: str) -> Iterable[str]:
    size = LONGEST - 16
    return (text[begin : begin + size] for begin in range(0, len(text), size))


def _each(client: MilvusClient, collection: str, which: str, fields: Sequence[str]) -> list[dict[str, Any]]:
    """All rows, however many; one query gives no more than so many."""
    found: list[dict[str, Any]] = list(client.query(collection, filter=which, output_fields=list(fields), limit=MOST))
    if len(found) < MOST:
        return found
    found = []
    rows = client.query_iterator(collection, batch_size=AT_ONCE, filter=which, output_fields=list(fields))
    try:
        while part := rows.next():
            found += part
    finally:
        rows.close()
    return found
