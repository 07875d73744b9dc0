"""The one start: which reranker a setting names, what is said where it cannot be had, and what stays in memory."""

from __future__ import annotations

import platform
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from clusterqa import runtime
from clusterqa.errors import SettingsError
from clusterqa.records import Question, Trace
from clusterqa.retrieval.profile import Profile
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Settings
from words_encoder import WordTokens

REVERSED = "reversed_reranker:Reversed"

PAGES = {
    "gold.en.md": "# Gold\n\nThe gold label has a price of 8,250 euro.\n",
    "silver.en.md": "# Silver\n\nThe silver label has a price too.\n",
    "year.en.md": "# Year\n\nThe gold label is valid for a year.\n",
    "food.en.md": "# Food\n\nA food cluster pays for every member, whatever the price of silver.\n",
}


@pytest.fixture
def traced(settings: Settings, write: Callable[[str, str], Path], index: Callable[..., object]) -> Callable[..., Trace]:
    """Asks with a reranker by its name in the settings."""
    for name, text in PAGES.items():
        write(name, text)
    encoder = WordTokens()
    index(encoder)

    def traced(reranker: str) -> Trace:
        own = settings.model_copy(update={"reranker": reranker})
        with KnowledgeBase(own, encoder, replace(Profile.bundled(), reranker=reranker)) as kb:
            return kb.trace(Question("What is the price of the gold label?"))

    return traced


def test_another_reranker_is_one_file_and_one_setting(traced: Callable[..., Trace]) -> None:
    usual, other = traced("late_interaction"), traced(REVERSED)
    ids = [i for i, _ in usual.ranking]
    assert len({score for _, score in usual.ranking}) == len(ids) == 4
    assert [i for i, _ in other.ranking] == ids[::-1]
    assert [hit.passage_id for hit in other.hits] == [hit.passage_id for hit in usual.hits][::-1]


def test_another_reranker_changes_nothing_before_it(traced: Callable[..., Trace]) -> None:
    usual, other = traced("late_interaction"), traced(REVERSED)
    assert usual.first is not None and other.first is not None
    seen = [
        [(c.passage, c.cosine, c.lexical, c.score) for c in first.candidates] for first in (usual.first, other.first)
    ]
    assert seen[0] == seen[1]
    assert (other.first.concepts, other.first.neighbours) == (usual.first.concepts, usual.first.neighbours)
    known = {hit.passage_id: hit for hit in usual.hits}
    for hit in other.hits:
        assert replace(hit, score=known[hit.passage_id].score) == known[hit.passage_id]
    assert (other.reply.question, other.reply.language, other.reply.generation) == (
        usual.reply.question, usual.reply.language, usual.reply.generation,
    )  # fmt: skip
    assert list(other.milliseconds) == list(usual.milliseconds)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("late-interaction", "late_interaction"),
        ("no_such_package:Reranker", "no_such_package"),
        ("reversed_reranker:Missing", "Missing"),
        ("reversed_reranker", "package.module:name"),
        ("reversed_reranker:", "package.module:name"),
        (":Reversed", "package.module:name"),
        (".reversed_reranker:Reversed", "package.module:name"),
        ("reversed_reranker:math", "cannot be called"),
    ],
)
def test_a_reranker_that_cannot_be_had_is_said_with_the_next_step(settings: Settings, name: str, told: str) -> None:
    own = settings.model_copy(update={"reranker": name})
    with pytest.raises(SettingsError) as caught:
        runtime.reranker(own, Profile.bundled().search)
    message = str(caught.value)
    assert repr(name) in message and told in message
    assert 'Set it to "late_interaction", or to "package.module:name"' in message


def test_a_fault_inside_a_reranker_keeps_its_traceback(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes one has to see where it breaks."""
    (tmp_path / "breaking_reranker.py").write_text("def make(weights):\n    return 1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    own = settings.model_copy(update={"reranker": "breaking_reranker:make"})
    with pytest.raises(ZeroDivisionError):
        runtime.reranker(own, Profile.bundled().search)


def test_words_that_somebody_makes_up_do_not_stay_in_memory(
    settings: Settings, write: Callable[[str, str], Path], index: Callable[..., object]
) -> None:
    write("gold.en.md", PAGES["gold.en.md"])
    encoder, draw = WordTokens(), random.Random(7)
    index(encoder)

    def ask(kb: KnowledgeBase, questions: int) -> int:
        for _ in range(questions):
            kb.ask("".join(draw.choices("aąbcčdeęėfghiįyjk", k=2_000)))
        return tracemalloc.get_traced_memory()[0]

    with KnowledgeBase(settings, encoder) as kb:
        tracemalloc.start()
        try:
            before = ask(kb, 20)
            assert ask(kb, 100) - before < 100 * 8_000  # the last few are kept
        finally:
            tracemalloc.stop()


HEAPS = """
import ctypes, sys, threading
from clusterqa.runtime import limit_arenas

if sys.argv[1] == "limited":
    limit_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
together = threading.Barrier(9)

def take():
    libc.malloc(100)
    together.wait()
    together.wait()

threads = [threading.Thread(target=take) for _ in range(8)]
for thread in threads:
    thread.start()
together.wait()
libc.malloc_info(0, out := ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w")))
libc.fclose(out)
together.wait()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="heaps of glibc")
def test_threads_of_a_server_share_two_heaps(tmp_path: Path) -> None:
    def heaps(how: str) -> int:
        subprocess.run([sys.executable, "-c", HEAPS, how, str(tmp_path / how)], check=True)
        return (tmp_path / how).read_text(encoding="utf-8").count("<heap nr=")

    assert heaps("limited") <= 2 < heaps("as it is")
