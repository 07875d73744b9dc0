"""How much of a text stands in another document already: shared runs of words."""

from __future__ import annotations

import re
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from clusterqa.ports import Store
from clusterqa.records import Document

RUN = 5
"""Words in a run. Two texts about one thing share words; they share runs of five when one was copied."""
SAMPLE = 4
"""Of long texts every fourth run is kept, chosen by its checksum, so that equal runs are kept in both texts."""
LONG = 2_000
SHOWN = 0.3
"""Share from which another document is worth showing."""
REMEMBERED = 20_000

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another document with a share in [0, 1] of this one's runs of words; `same` when the texts are equal."""

    document: str
    title: str
    share: float
    same: bool


@dataclass(frozen=True, slots=True)
class Runs:
    """Checksums of a text's runs of words; of a long text only a sample."""

    sums: frozenset[int]
    sampled: bool

    def share_in(self, other: Runs) -> float:
        """Which share of these runs `other` holds, in [0, 1]; 0 for a text without words."""
        own = self.sums
        if other.sampled and not self.sampled:  # compare like with like
            own = frozenset(value for value in own if value % SAMPLE == 0)
        return len(own & other.sums) / len(own) if own else 0.0


class Likenesses:
    """Remembers the runs of every version it has seen. Thread-safe."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, Runs] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, document: Document, store: Store, k: int = 3) -> list[Likeness]:
        """The live documents that hold at least SHOWN of this one's runs: equal texts first, then the greatest share."""
        own = self._runs(document.version, lambda: document.text)
        found: list[Likeness] = []
        for stored in store.documents():
            name, version = stored.id, stored.version
            same = version == document.version
            share = 1.0 if same else own.share_in(self._runs(version, partial(_text, store, name, version)))
            if share >= SHOWN:
                found.append(Likeness(name, stored.title, share, same))
        return sorted(found, key=lambda other: (-other.same, -other.share, other.document))[:k]

    def _runs(self, version: str, text: Callable[[], str]) -> Runs:
        with self._lock:
            known = self._seen.get(version)
        if known is None:
            known = runs(text())
            with self._lock:
                self._seen[version] = known
                while len(self._seen) > REMEMBERED:
                    self._seen.popitem(last=False)
        return known


def runs(text: str) -> Runs:
    """The runs of RUN words of a text (fewer words are one run)."""
    words = [word.encode("utf-8", "replace") for word in _WORD.findall(text.lower())]
    width = min(RUN, len(words))
    sums = {zlib.crc32(b" ".join(words[i : i + width])) for i in range(len(words) - width + 1)} if words else set()
    if len(words) <= LONG:
        return Runs(frozenset(sums), False)
    return Runs(frozenset(value for value in sums if value % SAMPLE == 0), True)


def _text(store: Store, document: str, version: str) -> str:
    return store.text(document, version) or ""
