"""
What is installed beside the core: the extras of the package, `pip install 'clusterqa[web]'`.

The core asks, indexes, and serves the Python and the HTTP API. Whoever needs more asks here first, so that what is missing is
said before any work is done.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from clusterqa.errors import MissingExtra

Extra = Literal["web", "staff", "eval", "mcp", "sets", "postgres", "milvus", "torch"]

MODULES: dict[Extra, tuple[str, ...]] = {
    "web": ("gradio",),
    "staff": (
        "argon2",
        "authlib",
        "httpx2",
        "itsdangerous",
        "joserfc",
        "matplotlib",
        "pyotp",
        "scipy",
        "segno",
        "zxcvbn",
    ),
    "eval": ("ir_measures", "matplotlib", "scipy"),
    "mcp": ("mcp",),
    "sets": ("ir_datasets", "pyarrow"),
    "postgres": ("pgvector", "psycopg"),
    "milvus": ("milvus_lite", "pymilvus"),
    "torch": ("sentence_transformers", "torch"),
}
"""Extra → the modules that it brings; none of them belongs to the core."""


def missing(extra: Extra) -> list[str]:
    """The modules of an extra that are not installed."""
    return [name for name in MODULES[extra] if find_spec(name) is None]


def installed(extra: Extra) -> bool:
    return not missing(extra)


def need(extra: Extra, what: str) -> None:
    """`what` ("The staff desk") needs an extra. Raises MissingExtra, which names the pip line."""
    if lacking := missing(extra):
        raise MissingExtra(what, extra, lacking)
