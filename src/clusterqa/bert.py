"""
BERT sentence encoders as OpenVINO graphs: with the reader (`readers`) the only importer of openvino.

Most small sentence-transformers models are the same thing: a BERT, the mean of its last layer, unit length. Read from
their folder and run by OpenVINO, such a model gives the same vectors as by sentence-transformers, starts in about a
second instead of five (torch is not loaded) and takes half of the time for a question or less; `training/README.md` has
the figures. A folder that holds something else is left to sentence-transformers (`encoder.py`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Arithmetic = Literal["float32", "bfloat16", "int8"]

GROUP = 32
"""int8: activations that share a scale. One scale for a row loses four to five times as much to this family's outliers."""
ROWS = 16
"""Texts multiplied at once: more fill no processor better, and the shortest of them is padded to the longest."""

PROJECTION = "late_interaction.safetensors"
"""File beside the weights of a model whose pieces are compared one by one: `projection`, shape (piece dimension, hidden)."""

Rows = NDArray[np.float32]
Places = NDArray[np.int64]
Tensors = Mapping[str, NDArray[np.float32]]


class Bert:
    """Texts to vectors by mean pooling. Thread-safe: texts of several threads wait for each other."""

    def __init__(
        self, folder: Path, facts: Mapping[str, Any], limit: int, threads: int, arithmetic: Arithmetic
    ) -> None:
        import openvino
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
        self.piece_dimension: int | None = None if projection is None else len(projection)
        compiled = openvino.Core().compile_model(
            _graph(facts, tensors, projection, eight_bits=arithmetic == "int8"),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if arithmetic == "bfloat16" else "f32",
                "INFERENCE_NUM_THREADS": threads,
                "PERFORMANCE_HINT": "LATENCY",
                "ENABLE_CPU_PINNING": False,  # or two processes would share one core
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP if arithmetic == "int8" else 0,
            },
        )
        self._request = compiled.create_infer_request()
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

    def pieces(self, texts: Sequence[str]) -> list[int]:
        """How many pieces each text is cut into, those that begin and end it included."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text, shape (n, dimension), not yet of unit length. Of a longer text the first `limit` pieces count."""
        ids = [self._cut(encoding.ids, self._end) for encoding in self._tokenizer.encode_batch(list(texts))]
        return self._run(ids)[0]

    def with_pieces(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], list[Rows], list[Places]]:
        """
        The texts' vectors as above; for each text a unit row for each of its pieces, those that begin and end it
        included, which is the last layer, through the folder's projection if there is one; and for each piece how many
        characters of the text are read with its last one, 0 for what begins and ends it.
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        vectors, each = self._run([self._cut(encoding.ids, self._end) for encoding in encodings])
        nowhere = [0] * len(self._end)
        ends = [self._cut([end for _, end in encoding.offsets], nowhere) for encoding in encodings]
        return vectors, each, [np.array(line, dtype=np.int64) for line in ends]

    def _run(self, ids: list[list[int]]) -> tuple[NDArray[np.float32], list[Rows]]:
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))  # alike in length together: little is padded
        found = []
        each: list[Rows] = [np.empty(0, dtype=np.float32)] * len(ids)
        for begin in range(0, len(order), ROWS):
            rows = [ids[i] for i in order[begin : begin + ROWS]]
            grid = np.full((len(rows), len(rows[-1])), self._pad, dtype=np.int32)
            mask = np.zeros_like(grid)
            for row, pieces in enumerate(rows):
                grid[row, : len(pieces)] = pieces
                mask[row, : len(pieces)] = 1
            with self._lock:
                results = self._request.infer({0: grid, 1: mask})
                found.append(results[0].copy())
                pieces_of = results[1].copy()
            for row, pieces in enumerate(rows):
                each[order[begin + row]] = pieces_of[row, : len(pieces)]
        vectors = np.empty((len(ids), found[0].shape[1]), dtype=np.float32)
        vectors[order] = np.concatenate(found)
        return vectors, each

    def _cut(self, line: list[int], closing: list[int]) -> list[int]:
        """As much of a line, a number for each piece, as the model reads, with what closes it."""
        return line if len(line) <= self.limit else line[: self.limit - len(closing)] + closing


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _limit(folder: Path, facts: Mapping[str, Any]) -> int:
    """Pieces read of a text, as sentence-transformers has it: its own figure, else the tokenizer's, at most the positions."""
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
    Devlin et al. 2019 (arXiv:1810.04805). Outputs: the mean over a text's pieces, and each piece's unit vector.

    Inputs are int32 arrays of shape (texts, pieces): the pieces' numbers, and 1 where there is a piece.
    """
    import openvino
    from openvino import opset13 as ops

    hidden, heads = facts["hidden_size"], facts["num_attention_heads"]

    def whole(*numbers: int) -> Any:
        return ops.constant(np.array(numbers, dtype=np.int64))

    def scalar(number: float) -> Any:
        return ops.constant(np.float32(number))

    def row(name: str) -> Any:
        return ops.constant(tensors[name][None, None])

    def matrix(name: str) -> Any:
        weights = tensors[name]
        if not eight_bits:
            return ops.constant(weights)
        scale = np.maximum(np.abs(weights).max(axis=1, keepdims=True), 1e-8) / 127
        rounded = ops.constant(np.rint(weights / scale).astype(np.int8))
        return ops.multiply(ops.convert(rounded, np.float32), ops.constant(scale))

    def linear(x: Any, name: str) -> Any:
        return ops.add(ops.matmul(x, matrix(f"{name}.weight"), False, True), row(f"{name}.bias"))

    def normal(x: Any, name: str) -> Any:
        scaled = ops.mvn(x, whole(-1), True, facts["layer_norm_eps"], "inside_sqrt")
        return ops.add(ops.multiply(scaled, row(f"{name}.weight")), row(f"{name}.bias"))

    def by_head(x: Any) -> Any:
        return ops.transpose(ops.reshape(x, whole(0, 0, heads, hidden // heads), True), whole(0, 2, 1, 3))

    ids = ops.parameter([-1, -1], np.int32, name="ids")
    mask = ops.parameter([-1, -1], np.int32, name="mask")
    there = ops.convert(mask, np.float32)
    length = ops.gather(ops.shape_of(ids), whole(1), whole(0))
    places = ops.slice(
        ops.constant(tensors["embeddings.position_embeddings.weight"]), whole(0), length, whole(1), whole(0)
    )
    kind = ops.constant(tensors["embeddings.token_type_embeddings.weight"][:1])
    words = ops.gather(ops.constant(tensors["embeddings.word_embeddings.weight"]), ids, whole(0))
    x = normal(ops.add(words, ops.add(places, kind)), "embeddings.LayerNorm")
    absent = ops.unsqueeze(ops.multiply(ops.subtract(there, scalar(1)), scalar(1e9)), whole(1, 2))
    for number in range(facts["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        query, key, value = (by_head(linear(x, f"{layer}.attention.self.{name}")) for name in ("query", "key", "value"))
        seen = ops.scaled_dot_product_attention(query, key, value, absent)
        seen = ops.reshape(ops.transpose(seen, whole(0, 2, 1, 3)), whole(0, 0, hidden), True)
        x = ops.add(x, linear(seen, f"{layer}.attention.output.dense"))
        x = normal(x, f"{layer}.attention.output.LayerNorm")
        wide = ops.gelu(linear(x, f"{layer}.intermediate.dense"), "erf")
        x = normal(ops.add(x, linear(wide, f"{layer}.output.dense")), f"{layer}.output.LayerNorm")
    weight = ops.unsqueeze(there, whole(-1))
    mean = ops.divide(ops.reduce_sum(ops.multiply(x, weight), whole(1)), ops.reduce_sum(weight, whole(1)))
    if projection is not None:
        x = ops.matmul(x, ops.constant(projection.astype(np.float32)), False, True)
    each = ops.normalize_l2(x, whole(-1), 1e-12, "max")
    return openvino.Model([ops.result(mean), ops.result(each)], [ids, mask], "bert")
