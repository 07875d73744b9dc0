"""
clusterqa answers questions in Lithuanian and English by quoting documents.

    import clusterqa

    with clusterqa.open("corpus", data="data") as kb:
        print(kb.ask("Kiek laiko galioja bronzos ženklas?").message)

What stands in `__all__` is what programs may rely on; it loads when it is first used, so that importing clusterqa costs
nothing. docs/python.md shows how.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clusterqa.errors import (
        ClusterQAError,
        CorpusError,
        EncoderError,
        EvaluationError,
        IndexNotFound,
        IndexOutdated,
        MissingExtra,
        SettingsError,
        StoreError,
        UnreadableDocument,
    )
    from clusterqa.evaluation.summary import Figures
    from clusterqa.python import KnowledgeBase, open
    from clusterqa.records import Hit, Passage, Question, Quote, Reply, Source, Span, Stored, Trace
    from clusterqa.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "ClusterQAError",
    "CorpusError",
    "EncoderError",
    "EvaluationError",
    "Figures",
    "Hit",
    "IndexNotFound",
    "IndexOutdated",
    "KnowledgeBase",
    "MissingExtra",
    "Passage",
    "Question",
    "Quote",
    "Reply",
    "Settings",
    "SettingsError",
    "Source",
    "Span",
    "StoreError",
    "Stored",
    "Trace",
    "UnreadableDocument",
    "__version__",
    "open",
]

_HOMES = {
    "clusterqa.python": ("KnowledgeBase", "open"),
    "clusterqa.settings": ("Settings",),
    "clusterqa.evaluation.summary": ("Figures",),
    "clusterqa.records": ("Hit", "Passage", "Question", "Quote", "Reply", "Source", "Span", "Stored", "Trace"),
}
"""Where a name of `__all__` stands; the others are errors."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'clusterqa' has no attribute {name!r}")
    home = next((module for module, names in _HOMES.items() if name in names), "clusterqa.errors")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
