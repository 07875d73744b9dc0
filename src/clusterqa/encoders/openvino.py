"""
BERT sentence encoders as OpenVINO graphs.

Most small sentence-transformers models are the same thing: a BERT, the mean of its last layer, unit length. Read from
their folder and run by OpenVINO, such a model gives the same vectors as by sentence-transformers, starts in about a
second instead of five (torch is not loaded) and takes half of the time for a question or less; `training/README.md` has
the figures. A folder that holds something else is left to sentence-transformers (`sentence.py`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from clusterqa.inference import Arithmetic, Parts, Tensors, compiled, openvino

ROWS = 16
"""Texts multiplied at once: more fill no processor better, and the shortest of them is padded to the longest."""

PROJECTION = "late_interaction.safetensors"
"""File beside the weights of a model for late interaction: `projection`, shape (token dimension, hidden)."""

Rows = NDArray[np.float32]
T = TypeVar("T")


class Tokens(NamedTuple):
    """
    The tokens of a text: of each the last layer, through the folder's projection if there is one, shape (tokens, width); its
    number in the vocabulary; and where it stands in the text, shape (tokens, 2), (0, 0) for what begins and ends it.
    """

    states: NDArray[np.float32]
    ids: NDArray[np.int32]
    spans: NDArray[np.int64]


class Bert:
    """Texts to vectors by mean pooling. Thread-safe: texts of several threads wait for each other."""

    def __init__(
        self, folder: Path, facts: Mapping[str, Any], limit: int, threads: int, arithmetic: Arithmetic
    ) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self.limit = limit
        own = folder / "config_sentence_transformers.json"
        self.prompts: dict[str, str] = (_json(own).get("prompts") or {}) if own.is_file() else {}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        tensors = {
            name.removeprefix("bert."): tensor.astype(np.float32)
            for name, tensor in load_file(folder / "model.safetensors").items()
        }
        projection = load_file(folder / PROJECTION)["projection"] if (folder / PROJECTION).is_file() else None
        self.token_dimension: int | None = None if projection is None else len(projection)
        graph = _graph(facts, tensors, projection, eight_bits=arithmetic == "int8")
        (self._request,) = compiled(graph, threads, arithmetic)
        self._lock = threading.Lock()
        self._pad = int(facts.get("pad_token_id") or 0)
        self._end = self._tokenizer.encode("").ids[-1:]

    @classmethod
    def read(cls, folder: Path, threads: int = 2, arithmetic: Arithmetic = "float32") -> Bert | None:
        """The model of a sentence-transformers folder; None when it is not a BERT with mean pooling in safetensors."""
        try:
            facts = _json(folder / "config.json")
            modules = _json(folder / "modules.json")
            limit = _limit(folder, facts)
        except (OSError, ValueError, KeyError):
            return None
        kinds = [module["type"].rpartition(".")[2] for module in modules]
        if (
            kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
            or facts.get("model_type") != "bert"
            or facts.get("hidden_act") != "gelu"
            or facts.get("position_embedding_type", "absolute") != "absolute"
            or not _takes_the_mean(folder / modules[1]["path"] / "config.json")
            or not all((folder / name).is_file() for name in ("model.safetensors", "tokenizer.json"))
        ):
            return None
        return cls(folder, facts, limit, threads, arithmetic)

    def tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text is cut into, those that begin and end it included."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text, shape (n, dimension), not yet of unit length. Of a longer text the first `limit` tokens count."""
        ids = [self._cut(encoding.ids, self._end) for encoding in self._tokenizer.encode_batch(list(texts))]
        return self._run(ids)[0]

    def with_tokens(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], list[Tokens]]:
        """The texts' vectors as above, and their tokens, those that begin and end them included."""
        encodings = self._tokenizer.encode_batch(list(texts))
        ids = [self._cut(encoding.ids, self._end) for encoding in encodings]
        vectors, each = self._run(ids)
        return vectors, [
            Tokens(states, np.array(numbers, dtype=np.int32), np.array(self._spans(encoding), dtype=np.int64))
            for states, numbers, encoding in zip(each, ids, encodings, strict=True)
        ]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where in a text each of its tokens stands, as `Tokens.spans`."""
        return self._spans(self._tokenizer.encode(text))

    def _spans(self, encoding: Any) -> list[tuple[int, int]]:
        return self._cut(encoding.offsets, [(0, 0)] * len(self._end))

    def _run(self, ids: list[list[int]]) -> tuple[NDArray[np.float32], list[Rows]]:
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))  # alike in length together: little is padded
        found = []
        each: list[Rows] = [np.empty(0, dtype=np.float32)] * len(ids)
        for begin in range(0, len(order), ROWS):
            rows = [ids[i] for i in order[begin : begin + ROWS]]
            grid = np.full((len(rows), len(rows[-1])), self._pad, dtype=np.int32)
            mask = np.zeros_like(grid)
            for row, line in enumerate(rows):
                grid[row, : len(line)] = line
                mask[row, : len(line)] = 1
            with self._lock:
                results = self._request.infer({0: grid, 1: mask})
                found.append(results[0].copy())
                tokens_of = results[1].copy()
            for row, line in enumerate(rows):
                each[order[begin + row]] = tokens_of[row, : len(line)]
        vectors = np.empty((len(ids), found[0].shape[1]), dtype=np.float32)
        vectors[order] = np.concatenate(found)
        return vectors, each

    def _cut(self, line: list[T], closing: list[T]) -> list[T]:
        """As much of a line, a number for each token, as the model reads, with what closes it."""
        return line if len(line) <= self.limit else line[: self.limit - len(closing)] + closing


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _limit(folder: Path, facts: Mapping[str, Any]) -> int:
    """Tokens read of a text, as sentence-transformers has it: its own figure, else the tokenizer's, at most the positions."""
    own = _json(folder / "sentence_bert_config.json").get("max_seq_length")
    limit = own or _json(folder / "tokenizer_config.json").get("model_max_length") or facts["max_position_embeddings"]
    return int(min(limit, facts["max_position_embeddings"]))


def _takes_the_mean(path: Path) -> bool:
    facts = _json(path)
    modes = {name for name, on in facts.items() if name.startswith("pooling_mode_") and on}
    return facts.get("pooling_mode") == "mean" if "pooling_mode" in facts else modes == {"pooling_mode_mean_tokens"}


def _graph(
    facts: Mapping[str, Any], tensors: Tensors, projection: NDArray[np.floating[Any]] | None, eight_bits: bool
) -> Any:
    """
    Devlin et al. 2019 (arXiv:1810.04805). Outputs: the mean over a text's tokens, and each token's last layer, projected.

    Inputs are int32 arrays of shape (texts, tokens): the tokens' numbers, and 1 where there is a token.
    """
    parts = Parts(tensors, facts["hidden_size"], facts["num_attention_heads"], facts["layer_norm_eps"], eight_bits)
    ops, whole, linear, normal = parts.ops, parts.indices, parts.linear, parts.normal
    ids = ops.parameter([-1, -1], np.int32, name="ids")
    mask = ops.parameter([-1, -1], np.int32, name="mask")
    there = ops.convert(mask, np.float32)
    length = ops.gather(ops.shape_of(ids), whole(1), whole(0))
    places = ops.slice(parts.constant("embeddings.position_embeddings.weight"), whole(0), length, whole(1), whole(0))
    kind = ops.constant(tensors["embeddings.token_type_embeddings.weight"][:1])
    words = ops.gather(parts.constant("embeddings.word_embeddings.weight"), ids, whole(0))
    x = normal(ops.add(words, ops.add(places, kind)), "embeddings.LayerNorm")
    absent = ops.unsqueeze(ops.multiply(ops.subtract(there, parts.scalar(1)), parts.scalar(1e9)), whole(1, 2))
    for number in range(facts["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        query, key, value = (linear(x, f"{layer}.attention.self.{name}") for name in ("query", "key", "value"))
        seen = parts.attention(query, key, value, absent)
        x = ops.add(x, linear(seen, f"{layer}.attention.output.dense"))
        x = normal(x, f"{layer}.attention.output.LayerNorm")
        wide = ops.gelu(linear(x, f"{layer}.intermediate.dense"), "erf")
        x = normal(ops.add(x, linear(wide, f"{layer}.output.dense")), f"{layer}.output.LayerNorm")
    weight = ops.unsqueeze(there, whole(-1))
    mean = ops.divide(ops.reduce_sum(ops.multiply(x, weight), whole(1)), ops.reduce_sum(weight, whole(1)))
    each = x if projection is None else ops.matmul(x, ops.constant(projection.astype(np.float32)), False, True)
    return openvino().Model([ops.result(mean), ops.result(each)], [ids, mask], "bert")
