"""Several questions at once: each has the index for itself by turns, and sees one state of it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from clusterqa.ports import Reader
from clusterqa.records import Hit, Query, Question, Reading, Short, TokenStates
from clusterqa.retrieval.pipeline import Pipeline
from clusterqa.retrieval.profile import Profile
from memory import MemoryData
from memory_corpus import pipeline, stored
from words_encoder import WordsEncoder

PAGES = {
    "gold.en.md": "# Gold\n\nThe gold label is valid for three years.\n",
    "price.en.md": "# Price\n\nThe price of the gold label is EUR 8,250.\n",
}


class Interrupted(Reader):
    """Finds every passage alike, and does something while it reads."""

    fingerprint = "interrupted"

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._meanwhile = meanwhile
        self.read_passages: list[list[str]] = []

    def read(self, query: Query, hits: Sequence[Hit], tokens: Sequence[TokenStates]) -> list[Reading]:
        self.read_passages.append([hit.passage.text for hit in hits])
        self._meanwhile()
        marks = [(0.0,) * len(hit.passage.sentences) for hit in hits]
        return [Reading(0.0, 0.0, own, tuple(Short(0, 0, 0.0) for _ in own)) for own in marks]


@pytest.fixture
def data() -> MemoryData:
    return stored(PAGES, WordsEncoder())


def over(data: MemoryData, meanwhile: Callable[[], object]) -> tuple[Pipeline, Interrupted]:
    encoder, reader = WordsEncoder(), Interrupted(meanwhile)
    profile = replace(Profile.bundled(), encoder=encoder.fingerprint, reader=reader.fingerprint)
    made = pipeline(data, encoder, profile)
    made.reader = reader
    return made, reader


def test_two_questions_are_read_at_the_same_time(data: MemoryData) -> None:
    both = threading.Barrier(2, timeout=60)  # breaks where one waits for the other to end
    asked, reader = over(data, both.wait)
    with ThreadPoolExecutor(2) as pool:
        traces = list(pool.map(asked.ask, [Question("gold label"), Question("gold price")]))
    assert [trace.hits[0].passage.document for trace in traces] == ["gold.en.md", "price.en.md"]
    assert len(reader.read_passages) == 2


def test_what_changes_while_a_question_is_read_is_in_its_answer_whole(data: MemoryData) -> None:
    changes: Iterator[None] = iter([None])

    def change() -> None:
        for _ in changes:
            stored({"gold.en.md": PAGES["gold.en.md"].replace("three", "five")}, WordsEncoder(), data)

    asked, reader = over(data, change)
    trace = asked.ask(Question("gold label"))
    shown = [*trace.reply.quotes, *trace.reply.nearest]
    assert trace.reply.generation == 2
    assert shown[0].text == "The gold label is valid for five years."
    assert [any("three" in text for text in passages) for passages in reader.read_passages] == [True, False]


def test_a_question_is_answered_though_everything_changes_all_the_time(data: MemoryData) -> None:
    def change() -> None:
        stored({"gold.en.md": PAGES["gold.en.md"]}, WordsEncoder(), data)

    asked, reader = over(data, change)
    assert asked.ask(Question("gold label")).reply.generation == 2  # the one that began after the first change
    assert len(reader.read_passages) == 2


def test_an_index_that_fails_meanwhile_holds_nobody_up(data: MemoryData, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, _ = over(data, lambda: monkeypatch.setattr(asked.index, "reading", broken))
    whole = asked.index.reading

    @contextmanager
    def broken() -> Iterator[None]:
        raise OSError("the disk is gone")
        yield

    with pytest.raises(OSError, match="the disk is gone"):
        asked.ask(Question("gold label"))
    monkeypatch.setattr(asked.index, "reading", whole)
    asked.reader = None
    assert asked.ask(Question("gold label")).hits


def test_the_time_that_a_question_waits_belongs_to_no_other_stage(
    data: MemoryData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that moves only where a question waits for the index, and where it is read."""
    now = [0.0]

    def passes(seconds: float) -> None:
        now[0] += seconds

    asked, _ = over(data, lambda: passes(3))
    reading = asked.index.reading

    @contextmanager
    def slow() -> Iterator[None]:
        passes(5)
        with reading():
            yield

    monkeypatch.setattr(asked.index, "reading", slow)
    monkeypatch.setattr("clusterqa.retrieval.pipeline.time.perf_counter", lambda: now[0])
    told = asked.ask(Question("gold label")).milliseconds
    assert {stage: value for stage, value in told.items() if value} == {"wait": 10_000, "read": 3_000}


class Foreign(Reader):
    """Finds that what is told in Lithuanian answers by so much, and all else by nothing."""

    fingerprint = "foreign"

    def __init__(self, by: float) -> None:
        self._by = by

    def read(self, query: Query, hits: Sequence[Hit], tokens: Sequence[TokenStates]) -> list[Reading]:
        assert hits
        own = [self._by if hit.source.language == "lt" else 0.0 for hit in hits]
        return [
            Reading(x, x, (0.0,) * n, (Short(0, 0, 0.0),) * n)
            for x, n in zip(own, (len(hit.passage.sentences) for hit in hits), strict=True)
        ]


def test_the_best_places_are_read_in_both_languages() -> None:
    pages = PAGES | {"gold.lt.md": "# Gold\n\nThe gold label is valid for three years, gold label.\n"}
    encoder = WordsEncoder()
    data = stored(pages, encoder)
    for by in (3.0, -5.0):
        reader = Foreign(by)
        profile = replace(Profile.bundled(), encoder=encoder.fingerprint, reader=reader.fingerprint)
        asked = pipeline(data, encoder, profile)
        asked.reader = reader
        trace = asked.ask(Question("How long is the gold label valid?", (), "en"))
        told = {hit.passage.document: trace.readings[hit.passage_id].answers for hit in trace.hits}
        assert told["gold.en.md"] == pytest.approx(0.4 * by)
        assert told["price.en.md"] == 0.0
