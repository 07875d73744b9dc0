"""OpenVINO, which runs the models: imported here, so that it asks nobody's leave and tells nobody anything."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Literal

Arithmetic = Literal["float32", "bfloat16", "int8"]

GROUP = 32
"""int8: activations that share a scale. One scale for a row loses four to five times as much to this family's outliers."""


def openvino() -> ModuleType:
    """
    The library, without its telemetry.

    When it is imported it starts a process that reports to an analytics server and keeps an id in the home folder. Where
    the package that does so is missing, it takes an empty stand-in of its own; so that package is made to be missing.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino  # type: ignore[no-any-return]


def compiled(graph: Any, threads: int, arithmetic: Arithmetic = "float32") -> Any:
    """An infer request of a graph, on so many threads of the processor. Not for several threads at once."""
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
                "ENABLE_CPU_PINNING": False,  # or two processes would share one core
                "CPU_RUNTIME_CACHE_CAPACITY": 0,  # or some MB would be kept for every new length of a text
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP if arithmetic == "int8" else 0,
            },
        )
    )
    return model.create_infer_request()
