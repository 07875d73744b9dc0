"""Who may import whom, read from the sources; and that importing changes nothing in the process."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import clusterqa
from probes import told_by

PACKAGE = Path(clusterqa.__file__).parent

ONLY = {
    "faiss": ("store.faiss_index",),
    "psycopg": ("store.libpq", "store.pgvector", "store.postgres", "books.postgres"),
    "pgvector": ("store.pgvector",),
    "pymilvus": ("store.milvus",),
    "sqlite3": ("store.sqlite", "books.sqlite", "private"),
    "openvino": ("inference",),
    "torch": ("encoders.torch",),
    "sentence_transformers": ("encoders.torch",),
    "matplotlib": ("evaluation.plots", "staff.plots"),
    "threadpoolctl": ("runtime",),
    "gradio": ("web",),
    "fastapi": ("web",),
    "starlette": ("web",),
    "uvicorn": ("web",),
}
"""Library → the modules, or rooms, that may import it. Whoever else needs it asks them."""

DOORS = ("cli", "web")
LEAVES = {"records": set(), "errors": set(), "ports": {"records"}, "text": {"records"}, "settings": {"errors"}}
"""What everything rests on, with all that it may import of ours itself."""


@cache
def imports() -> Mapping[str, frozenset[str]]:
    """Module (without "clusterqa.") → what it imports anywhere in it, for types too; ours likewise, others by their full name."""
    found = {}
    modules = {_name(path): path for path in PACKAGE.rglob("*.py")}
    for name, path in modules.items():
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0 and node.module, f"{name}: write imports in full"
                inner = {alias.name: f"{node.module}.{alias.name}".removeprefix("clusterqa.") for alias in node.names}
                names.update(inner[a] if inner[a] in modules else node.module for a in inner)
        found[name] = frozenset(imported.removeprefix("clusterqa.") for imported in names)
    return found


def _name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def room(module: str) -> str:
    return module.split(".")[0]


def ours() -> set[str]:
    return {room(module) for module in imports()}


def rooms_of(name: str) -> set[str]:
    """The other rooms that a room imports."""
    used = {room(imported) for module, found in imports().items() if room(module) == name for imported in found}
    return (used & ours()) - {name}


def inside(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def test_the_imports_are_really_read() -> None:
    assert {"records", "numpy"} <= imports()["ports"]
    assert "store.moments" in imports()["store.faiss_index"]
    assert {"retrieval", "store", "encoders"} <= rooms_of("runtime")


@pytest.mark.parametrize("name_of", [lambda module: module, room], ids=["modules", "rooms"])
def test_no_import_goes_round_in_a_circle(name_of: Callable[[str], str]) -> None:
    graph: dict[str, set[str]] = {}
    for module, found in imports().items():
        # A package is the sum of its modules, so a module may name the package that it is in.
        known = {name_of(i) for i in found if i in imports() and not module.startswith(f"{i}.")}
        graph.setdefault(name_of(module), set()).update(known - {name_of(module)})
    assert len(tuple(TopologicalSorter(graph).static_order())) == len(graph)  # raises CycleError


@pytest.mark.parametrize("library", ONLY)
def test_a_library_is_known_to_its_own_room_only(library: str) -> None:
    users = {module for module, found in imports().items() if library in map(room, found)}
    assert users
    assert {module for module in users if not inside(module, ONLY[library])} == set()


@pytest.mark.parametrize("door", DOORS)
def test_nobody_imports_a_door(door: str) -> None:
    users = {room(module) for module, found in imports().items() if door in map(room, found)}
    assert users <= {*DOORS, "__main__"}


@pytest.mark.parametrize("leaf", LEAVES)
def test_what_everything_rests_on_imports_little(leaf: str) -> None:
    assert rooms_of(leaf) <= LEAVES[leaf]


def test_the_pipeline_knows_ports_and_records_and_neither_stores_nor_files() -> None:
    assert rooms_of("retrieval") <= {
        "ports",
        "records",
        "errors",
        "jsontext",
        "text",
        "passages",
        "parts",
        "encoders",
        "readers",
    }
    libraries = {library for library, places in ONLY.items() if not inside("retrieval", places)}
    for module, found in imports().items():
        if room(module) == "retrieval":
            assert not libraries & set(map(room, found))


def test_a_store_knows_nothing_of_search_and_search_nothing_of_a_store() -> None:
    assert not rooms_of("store") & {"retrieval", "corpus", "documents", "encoders", "runtime"}
    assert not rooms_of("documents") & {"retrieval", "corpus", "store", "encoders", "runtime"}
    assert not rooms_of("encoders") & {"retrieval", "corpus", "store", "documents", "runtime"}


def test_importing_everything_changes_nothing_in_the_process() -> None:
    """Variables and limits of threads are set in `runtime.open`, where a program asks for them."""
    told = told_by("""
import json, os, pkgutil, signal
import faiss, fastapi, gradio, matplotlib, numpy, openvino, threadpoolctl
threadpoolctl.threadpool_limits(2)
faiss.omp_set_num_threads(2)

def state():
    pools = sorted((pool["prefix"], pool["num_threads"]) for pool in threadpoolctl.threadpool_info())
    return dict(os.environ), pools, faiss.omp_get_max_threads(), str(signal.getsignal(signal.SIGINT))

before = state()
import clusterqa
names = [found.name for found in pkgutil.walk_packages(clusterqa.__path__, "clusterqa.")]
for name in names:
    if name != "clusterqa.__main__":
        __import__(name)
after = state()
from clusterqa.runtime import limit_threads
limit_threads()
print(json.dumps([len(names), before, after, state()[2]]))
""")
    count, before, after, limited = json.loads(told)
    assert count > 80
    assert after == before
    assert (before[2], limited) == (2, 1)  # so a limit would have been seen
