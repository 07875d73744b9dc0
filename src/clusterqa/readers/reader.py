"""
The small reader as an OpenVINO graph: three narrow layers over the encoder's states of question and passage.

States once a text (MORES, Gao, Dai and Callan 2020). First the two texts are *aligned* (Parikh et al. 2016): each piece gets the
mean of the other text's pieces that are near it, by the projection of late interaction, which is alike across the
languages. Then few layers join both. `training/reader/README.md` tells how it was taught, `training/reader/model.py` is
the same arithmetic for learning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from importlib.resources import files
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clusterqa.errors import EncoderError
from clusterqa.inference import Arithmetic, Parts, Tensors, compiled, openvino
from clusterqa.readers.features import PASSAGE_FEATURES, SENTENCE_FEATURES, Features
from clusterqa.records import Reading, Short

BUNDLED_FOLDER = "small-192x3"

LONGEST_QUESTION = 64
"""Pieces read of a question: the last ones, as a long one asks at its end."""
BESIDE = (-2, -1, 1, 2)
"""Which pieces of the same text are seen beside each."""
MARGIN = max(BESIDE)
"""Pieces behind each text that are none: as far as one sees beside it."""
STEP = 16
"""Lengths are rounded up to a multiple: OpenVINO makes kernels for each, and keeps them."""
TOGETHER = 4
"""Passages read in one grid: more fill no core better, and the shortest of them is filled up to the longest."""
LONGEST_SHORT = 24
"""Pieces of a short answer at most."""

States = NDArray[np.int8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Read:
    """
    A passage as it is kept for reading: of each of its pieces, those of the prompt and of the ends included, the `states`,
    shape (pieces, width), its number in the vocabulary in `ids`, and in `sentence` the number of the passage's sentence it
    stands in, -1 for what stands above them. `sentences` is how many there are.
    """

    states: States
    ids: NDArray[np.int32]
    sentence: NDArray[np.int16]
    sentences: int


class Reader:
    """
    Reads passages for questions. Thread-safe. Each grid of passages is one core's: those of one question are read side by
    side, and so are those of several.
    """

    def __init__(
        self, facts: Mapping[str, Any], tensors: Tensors, fingerprint: str, threads: int, precision: Arithmetic
    ) -> None:
        self.encoder: str = facts["encoder"]
        """Fingerprint of the encoder on whose states it was taught."""
        self.fingerprint = fingerprint
        """Changes whenever what it says would."""
        self.width: int = facts["states"]
        """Numbers kept of a piece."""
        self._rarity = tensors["rarity"]
        self._features = [
            (tensors[f"{name}_mean"], tensors[f"{name}_scale"]) for name in ("passage_features", "sentence_features")
        ]
        self._idle: SimpleQueue[Any] = SimpleQueue()
        for request in compiled(_graph(facts, tensors), threads, precision, at_once=threads):
            self._idle.put(request)
        self._workers = ThreadPoolExecutor(threads, "clusterqa-reader")

    @classmethod
    def load(cls, folder: Path, threads: int = 2, precision: Arithmetic = "float32") -> Reader:
        """A reader from its folder (`config.json`, `model.safetensors`). Raises EncoderError with the next step."""
        from safetensors.numpy import load_file

        try:
            facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            weights = folder / "model.safetensors"
            with weights.open("rb") as file:
                fingerprint = f"{folder.name}@{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
            tensors = {name: tensor.astype(np.float32) for name, tensor in load_file(weights).items()}
            if (facts["passage_features"], facts["sentence_features"]) != _names():
                raise ValueError("it was taught with other features of the search than this version has")
            return cls(facts, tensors, fingerprint, threads, precision)
        except Exception as error:
            raise EncoderError(
                f"The reader of the folder {folder} cannot be loaded ({type(error).__name__}: {str(error)[:200]}). "
                "Install the package again, or go without a reader."
            ) from error

    def read(
        self, question: States, ids: NDArray[np.int32], passages: Sequence[Read], features: Features | None = None
    ) -> list[Reading]:
        """
        Read passages for a question of which `states` and the pieces' numbers are given, those of its prompt and ends included.

        `features` are of the same passages, from one search; without them the passages are judged by their texts alone.
        """
        question, ids = question[-LONGEST_QUESTION:], ids[-LONGEST_QUESTION:]
        # Alike in length together; the longest first, so that no core reads them alone at the end.
        order = sorted(range(len(passages)), key=lambda i: -len(passages[i].ids))
        grids = [order[begin : begin + TOGETHER] for begin in range(0, len(order), TOGETHER)]

        def read(some: Sequence[int]) -> list[Reading]:
            inputs = self._inputs(question, ids, [passages[i] for i in some])
            if features is not None:
                self._add_features(inputs, [(features.passages[i], features.sentences[i]) for i in some])
            return self._together(inputs, [passages[i] for i in some])

        readings = chain.from_iterable(self._workers.map(read, grids))
        found = dict(zip(order, readings, strict=True))
        return [found[i] for i in range(len(passages))]

    def _together(self, inputs: dict[str, NDArray[Any]], passages: Sequence[Read]) -> list[Reading]:
        request = self._idle.get()
        try:
            results = request.infer(inputs)
            answers, by_text, sentences, edges = (results[number].copy() for number in range(4))
        finally:
            self._idle.put(request)
        return [
            Reading(
                float(answers[row]),
                float(by_text[row]),
                tuple(sentences[row, : passage.sentences].tolist()),
                tuple(_shorts(edges[row], passage)),
            )
            for row, passage in enumerate(passages)
        ]

    def _inputs(self, question: States, ids: NDArray[np.int32], passages: Sequence[Read]) -> dict[str, NDArray[Any]]:
        """Question and passages of unlike length in grids, without features."""
        asked = _rounded(len(ids))
        count, longest = len(passages), _rounded(max(len(passage.ids) for passage in passages))
        most = max(passage.sentences for passage in passages)
        states = np.zeros((count, longest, self.width), dtype=np.int8)
        there, rarity = (np.zeros((count, asked + longest), dtype=np.float32) for _ in range(2))
        within = np.zeros((count, most, longest), dtype=np.float32)
        there[:, : len(ids)], rarity[:, : len(ids)] = 1, self._rarity[ids]
        for row, passage in enumerate(passages):
            length = len(passage.ids)
            states[row, :length] = passage.states
            there[row, asked : asked + length] = 1
            rarity[row, asked : asked + length] = self._rarity[passage.ids]
            inside = np.flatnonzero(passage.sentence >= 0)
            within[row, passage.sentence[inside], inside] = 1
        return {
            "question": np.pad(question, ((0, asked - len(ids)), (0, 0))),
            "passages": states,
            "there": there,
            "rarity": rarity,
            "within": within / np.maximum(within.sum(axis=2, keepdims=True), 1),
            "passage_features": np.zeros((count, len(PASSAGE_FEATURES)), dtype=np.float32),
            "sentence_features": np.zeros((count, most, len(SENTENCE_FEATURES)), dtype=np.float32),
        }

    def _add_features(self, inputs: dict[str, NDArray[Any]], known: Sequence[tuple[Floats, Floats]]) -> None:
        for row, (passage, sentences) in enumerate(known):
            (mean, scale), (below, unit) = self._features
            inputs["passage_features"][row] = (passage - mean) / scale
            inputs["sentence_features"][row, : len(sentences)] = (sentences - below) / unit


def bundled_reader() -> Path:
    """Folder of the reader inside the package."""
    return Path(str(files("clusterqa"))) / "readers" / BUNDLED_FOLDER


def _names() -> tuple[list[str], list[str]]:
    return list(PASSAGE_FEATURES), list(SENTENCE_FEATURES)


def _shorts(edges: Floats, passage: Read) -> list[Short]:
    """For each sentence its best stretch of pieces; `edges`, shape (pieces, 2), are logits of the first and the last."""
    found = []
    for number in range(passage.sentences):
        rows = np.flatnonzero(passage.sentence == number)
        if not len(rows):  # of a passage that is too long the last sentences have no piece
            found.append(Short(0, 0, float("-inf")))
            continue
        sums = edges[rows, 0][:, None] + edges[rows, 1][None, :]
        length = np.arange(len(rows))[None, :] - np.arange(len(rows))[:, None]
        sums = np.where((length >= 0) & (length < LONGEST_SHORT), sums, -np.inf)
        first, last = divmod(int(sums.argmax()), len(rows))
        found.append(Short(int(rows[first]), int(rows[last]) + 1, float(sums[first, last])))
    return found


def _rounded(pieces: int) -> int:
    """So many pieces with a margin behind them, across which no piece sees another beside it, and few lengths in all."""
    return -(-(pieces + MARGIN) // STEP) * STEP


def _graph(facts: Mapping[str, Any], tensors: Tensors) -> Any:
    """
    Inputs: a question's states (pieces, width); passages' states (n, pieces, width); 1 where there is a piece, and rarities,
    both (n, pieces of question and passage); `within` (n, sentences, pieces), the share of each piece in a sentence's mean;
    features. At the end of each text are at least MARGIN pieces that are none.
    Outputs: logits of the passages (n,), the same without features, of the sentences (n, sentences), of first and last piece (n, pieces, 2).
    """
    parts = Parts(tensors, facts["width"], facts["heads"], 1e-5)
    ops, whole, scalar, linear, normal = parts.ops, parts.indices, parts.scalar, parts.linear, parts.normal

    question = ops.parameter([-1, facts["states"]], np.int8, name="question")
    passages = ops.parameter([-1, -1, facts["states"]], np.int8, name="passages")
    there = ops.parameter([-1, -1], np.float32, name="there")
    rarity = ops.parameter([-1, -1], np.float32, name="rarity")
    within = ops.parameter([-1, -1, -1], np.float32, name="within")
    passage_features = ops.parameter([-1, len(PASSAGE_FEATURES)], np.float32, name="passage_features")
    sentence_features = ops.parameter([-1, -1, len(SENTENCE_FEATURES)], np.float32, name="sentence_features")

    count = ops.gather(ops.shape_of(passages), whole(0), parts.index(0))
    length = ops.gather(ops.shape_of(question), whole(0), parts.index(0))

    def apart(x: Any) -> tuple[Any, Any]:
        """What belongs to the question, and to the passage."""
        end = whole(np.iinfo(np.int64).max)
        return ops.slice(x, whole(0), length, whole(1), whole(1)), ops.slice(x, length, end, whole(1), whole(1))

    def opened(states: Any) -> tuple[Any, Any]:
        """What is joined, and unit rows to align by."""
        x = linear(ops.convert(states, np.float32), "widen")
        head = ops.slice(x, whole(0), whole(facts["aligned"]), whole(1), whole(-1))
        return normal(x, "plain"), ops.normalize_l2(head, whole(-1), 1e-12, "max")

    sharpness = scalar(float(np.clip(tensors["sharpness"], 4, 40)))

    def nearest(cosines: Any, others: Any, own: Any, met: Any) -> tuple[Any, Any]:
        """Of the other text the mean of what is near, and facts: how near the nearest, how rare either, both."""
        best, place = ops.topk(cosines, parts.index(1), -1, "max", "none", "i64").outputs()
        mean = ops.matmul(ops.softmax(ops.multiply(cosines, sharpness), -1), others, False, False)
        own, met = ops.unsqueeze(own, whole(-1)), ops.gather_elements(ops.unsqueeze(met, whole(-1)), place, 1)
        return mean, ops.concat([best, own, met, ops.multiply(best, met)], -1)

    absent = ops.multiply(ops.subtract(there, scalar(1)), scalar(1e9))
    not_asked, not_told = (ops.unsqueeze(x, whole(1)) for x in apart(absent))
    asked_rarity, told_rarity = apart(rarity)
    asked, unit = opened(ops.unsqueeze(question, whole(0)))
    asked = ops.broadcast(asked, ops.concat([count, length, whole(facts["states"])], 0))
    told, units = opened(passages)
    near = ops.matmul(units, unit, False, True)  # (n, pieces of the passage, pieces of the question)
    far = ops.add(ops.transpose(near, whole(0, 2, 1)), not_told)
    told_mean, told_facts = nearest(ops.add(near, not_asked), asked, told_rarity, asked_rarity)
    asked_mean, asked_facts = nearest(far, told, asked_rarity, told_rarity)

    def joined(own: Any, mean: Any, known: Any, side: int) -> Any:
        x = linear(ops.concat([own, mean, ops.multiply(own, mean)], -1), "mix")
        x = ops.add(x, ops.constant(tensors["side.weight"][side][None, None]))
        return normal(ops.add(x, linear(known, "facts")), "norm")

    x = ops.concat([joined(asked, asked_mean, asked_facts, 0), joined(told, told_mean, told_facts, 1)], 1)
    seen = ops.unsqueeze(absent, whole(1, 2))
    pieces = ops.unsqueeze(there, whole(-1))

    def with_beside(x: Any, weights: NDArray[np.float32]) -> Any:
        """Each piece and those beside it, these by `weights` (places, width): a convolution of each number by itself."""
        kernel = ops.constant(np.insert(weights, MARGIN, 1, axis=0).T[:, None, None])
        one, edge = np.array([1]), np.array([MARGIN])
        found = ops.group_convolution(ops.transpose(x, whole(0, 2, 1)), kernel, one, edge, edge, one)
        return ops.transpose(found, whole(0, 2, 1))

    for number in range(facts["layers"]):
        layer = f"layers.{number}"
        x = with_beside(ops.multiply(x, pieces), tensors[f"{layer}.near"])
        query, key, value = ops.split(
            linear(normal(x, f"{layer}.before_attention"), f"{layer}.attention"), parts.index(-1), 3
        ).outputs()
        x = ops.add(x, linear(parts.attention(query, key, value, seen), f"{layer}.out"))
        wide = ops.gelu(linear(normal(x, f"{layer}.before_wide"), f"{layer}.up"), "erf")
        x = ops.add(x, linear(wide, f"{layer}.down"))
    x = ops.multiply(normal(x, "end"), pieces)
    asked, told = apart(x)
    first = ops.squeeze(ops.slice(asked, whole(0), whole(1), whole(1), whole(1)), whole(1))

    def mean(x: Any, weight: Any) -> Any:
        return ops.divide(ops.reduce_sum(x, whole(1)), ops.reduce_sum(weight, whole(1)))

    question_mean, passage_mean = map(mean, (asked, told), apart(pieces))

    def head(known: Any, scores: Any, name: str) -> Any:
        hidden = ops.tanh(ops.add(linear(known, f"{name}.hidden"), linear(scores, f"{name}.from_search")))
        return ops.squeeze(ops.add(linear(hidden, f"{name}.logit"), linear(scores, f"{name}.straight")), whole(-1))

    of_passages = ops.concat([first, question_mean, passage_mean], -1)
    answers = head(of_passages, passage_features, "passage")
    by_text = head(of_passages, ops.multiply(passage_features, scalar(0)), "passage")
    sentence = ops.matmul(within, told, False, False)
    context = ops.broadcast(ops.unsqueeze(question_mean, whole(1)), ops.shape_of(sentence))
    sentences = head(ops.concat([sentence, context], -1), sentence_features, "sentence")
    # A product for each place, moved there: what is moved has two columns then, not five times the width.
    places = (0, *BESIDE)
    weights = tensors["edges.weight"].reshape(2, len(places), -1).transpose(1, 0, 2).reshape(2 * len(places), -1)
    columns = ops.split(ops.matmul(told, ops.constant(weights), False, True), parts.index(-1), len(places)).outputs()
    moved = [ops.roll(column, whole(-place), whole(1)) for place, column in zip(places, columns, strict=True)]
    edges = ops.add(reduce(ops.add, moved), parts.constant("edges.bias"))
    inputs = [question, passages, there, rarity, within, passage_features, sentence_features]
    for node in inputs:
        node.output(0).get_tensor().set_names({node.get_friendly_name()})
    return openvino().Model([ops.result(node) for node in (answers, by_text, sentences, edges)], inputs, "reader")
