"""OpenVINO, which runs the models: imported here, so that it asks nobody's leave and tells nobody anything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Arithmetic = Literal["float32", "bfloat16", "int8"]

Tensors = Mapping[str, NDArray[np.float32]]

GROUP = 32
"""int8: activations that share a scale. One scale for a row loses four to five times as much to this family's outliers."""

SHAPES = 256
"""
Kernels kept of each kind, for the lengths of text met last. Made anew for every text they cost a question a fifth of its
encoding and a quarter of its reading; kept for all lengths, memory would grow with them.
"""


def openvino() -> ModuleType:
    """
    The library, without its telemetry.

    When it is imported it starts a process that reports to an analytics server and keeps an id in the home folder. Where
    the package that does so is missing, it takes an empty stand-in of its own; so that package is made to be missing.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino  # type: ignore[no-any-return]


def compiled(graph: Any, threads: int, arithmetic: Arithmetic = "float32", at_once: int = 1) -> list[Any]:
    """
    As many infer requests of a graph as may run `at_once`; they share so many threads of the processor. Each is for one thread
    of the program at a time.
    """
    model = (
        openvino()
        .Core()
        .compile_model(
            graph,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if arithmetic == "bfloat16" else "f32",
                "INFERENCE_NUM_THREADS": threads,
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": at_once,
                "ENABLE_CPU_PINNING": False,  # or two processes would share one core
                "CPU_RUNTIME_CACHE_CAPACITY": SHAPES,
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP if arithmetic == "int8" else 0,
            },
        )
    )
    return [model.create_infer_request() for _ in range(at_once)]


class Parts:
    """The parts of a transformer's graph (Vaswani et al. 2017, arXiv:1706.03762), over tensors by name."""

    def __init__(self, tensors: Tensors, width: int, heads: int, epsilon: float, eight_bits: bool = False) -> None:
        """
        `width` is how many numbers a token has, which the `heads` of attention share; `epsilon` is of the normalisation. With
        `eight_bits` matrices are kept in int8, each row with its scale.
        """
        self.ops = openvino().opset13
        self._tensors = tensors
        self._width, self._heads = width, heads
        self._epsilon = epsilon
        self._eight_bits = eight_bits

    def constant(self, name: str) -> Any:
        return self.ops.constant(self._tensors[name])

    def scalar(self, number: float) -> Any:
        return self.ops.constant(np.float32(number))

    def index(self, number: int) -> Any:
        return self.ops.constant(np.int64(number))

    def indices(self, *numbers: int) -> Any:
        return self.ops.constant(np.array(numbers, dtype=np.int64))

    def linear(self, x: Any, name: str) -> Any:
        product = self.ops.matmul(x, self._matrix(f"{name}.weight"), False, True)
        bias = f"{name}.bias"
        return self.ops.add(product, self.constant(bias)) if bias in self._tensors else product

    def normal(self, x: Any, name: str) -> Any:
        scaled = self.ops.mvn(x, self.indices(-1), True, self._epsilon, "inside_sqrt")
        return self.ops.add(self.ops.multiply(scaled, self.constant(f"{name}.weight")), self.constant(f"{name}.bias"))

    def attention(self, query: Any, key: Any, value: Any, absent: Any) -> Any:
        """Each of shape (texts, tokens, width); `absent` is added to what the tokens of a text see of each other."""
        apart = self.indices(0, 0, self._heads, self._width // self._heads)
        swapped = self.indices(0, 2, 1, 3)
        query, key, value = (self.ops.transpose(self.ops.reshape(x, apart, True), swapped) for x in (query, key, value))
        seen = self.ops.scaled_dot_product_attention(query, key, value, absent)
        return self.ops.reshape(self.ops.transpose(seen, swapped), self.indices(0, 0, self._width), True)

    def _matrix(self, name: str) -> Any:
        weights = self._tensors[name]
        if not self._eight_bits:
            return self.ops.constant(weights)
        scale = np.maximum(np.abs(weights).max(axis=1, keepdims=True), 1e-8) / 127
        rounded = self.ops.constant(np.rint(weights / scale).astype(np.int8))
        return self.ops.multiply(self.ops.convert(rounded, np.float32), self.ops.constant(scale))
