"""What is encoded and looked up for a passage, and encoding the passages of many documents."""

from __future__ import annotations

import hashlib
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from clusterqa.passages import PassageTexts, passage_texts
from clusterqa.ports import Encoder, Vectors
from clusterqa.records import Document, Encoded, NewPassage, Passage, PassageVectors, TokenStates, as_bytes
from clusterqa.text.analysis import terms, words

CONTEXT_VERSION = "3"
"""Part of the index's fingerprint: raise it whenever `passage_texts` or the way of splitting changes."""

ENCODED_AT_ONCE = 512
"""Passages whose token states are in memory in full precision at one time."""

Split = tuple[Document, Sequence[Passage]]

Work = Callable[[Mapping[str, PassageTexts], Encoder, Callable[[int], None]], Mapping[str, PassageVectors]]
"""Encodes passages, by digest, as `encode_texts` does."""


def encode(
    split: Sequence[Split],
    encoder: Encoder,
    known: Callable[[Sequence[str]], Mapping[str, PassageVectors]],
    progress: Callable[[int, int], None] | None = None,
    work: Work | None = None,
) -> Iterator[list[NewPassage]]:
    """
    The passages of each document with vectors and terms, made one document at a time when all of them are encoded; `work` encodes
    them elsewhere too, and need not have them in memory.

    `known` gives the vectors that there are already for digests of texts: those are not encoded again. `progress` is called
    with how many texts are encoded and how many there are.
    """
    texts = [[passage_texts(document.title, passage) for passage in passages] for document, passages in split]
    digests = [[_digest(group) for group in groups] for groups in texts]
    flat = {
        d: group for groups, names in zip(texts, digests, strict=True) for group, d in zip(groups, names, strict=True)
    }
    vectors = ChainMap(dict(known(list(flat))))
    missing = [digest for digest in flat if digest not in vectors]
    total = sum(1 + len(flat[digest].sentences) for digest in missing)
    done = 0

    def count(n: int) -> None:
        nonlocal done
        done += n
        if progress:
            progress(done, total)

    if missing:
        vectors.maps.append((work or encode_texts)({digest: flat[digest] for digest in missing}, encoder, count))  # type: ignore[arg-type]
    return (
        [
            NewPassage(
                passage=passage,
                vectors=vectors[digest],
                digest=digest,
                body_terms=_terms(" ".join((passage.lead, passage.text))),
                head_terms=_terms(" ".join((document.title, *passage.heading, *document.tags))),
            )
            for passage, digest in zip(passages, names, strict=True)
        ]
        for (document, passages), names in zip(split, digests, strict=True)
    )


def encode_texts(
    texts: Mapping[str, PassageTexts], encoder: Encoder, count: Callable[[int], None] = lambda n: None
) -> dict[str, PassageVectors]:
    """The vectors of passages, by digest; `count` is told how many more texts are encoded."""
    vectors: dict[str, PassageVectors] = {}
    digests = list(texts)
    for begin in range(0, len(digests), ENCODED_AT_ONCE):
        some = digests[begin : begin + ENCODED_AT_ONCE]
        wholes = encoder.read_passages([texts[digest].whole for digest in some], count)
        rows = encoder.encode_passages([text for digest in some for text in texts[digest].sentences], count)
        first = 0
        for digest, whole in zip(some, wholes, strict=True):
            last = first + len(texts[digest].sentences)
            vectors[digest] = _vectors(texts[digest], whole, rows[first:last])
            first = last
    return vectors


def cut_off(document: Document, passages: Sequence[Passage], encoder: Encoder) -> str | None:
    """A warning where texts of a document are longer than the encoder reads; None where all are read whole."""
    texts = [passage_texts(document.title, passage) for passage in passages]
    cut = encoder.cut_off([text for group in texts for text in (group.whole, *group.sentences)])
    if not cut:
        return None
    return (
        f"{len(cut)} of its passages or sentences are longer than the encoder reads; their ends are "
        "found by words only. Set a smaller passage_chars, or shorten the sentences."
    )


def _terms(text: str) -> str:
    return " ".join(term for word in words(text) for term in terms(word))


def _digest(texts: PassageTexts) -> str:
    return hashlib.sha256("\x00".join(texts.parts + texts.sentences).encode("utf-8", "surrogatepass")).hexdigest()


def _vectors(texts: PassageTexts, whole: Encoded, sentences: Vectors) -> PassageVectors:
    """What is stored of a passage as encoded; a token belongs to the part that its last character stands in."""
    rows = np.concatenate([whole.vector[None], sentences]).astype(np.float16)
    if not len(whole.states):
        return PassageVectors(rows)
    own = np.flatnonzero(whole.ends > 0)
    begins = np.cumsum([0, *(len(part) + 1 for part in texts.parts)])
    first = own[0] if len(own) else 0
    cuts = (first + np.searchsorted(whole.ends[own] - 1, begins)).astype(np.int32)
    return PassageVectors(rows, TokenStates(as_bytes(whole.states), whole.ids.astype(np.int32), cuts))
