"""The contract of every reranker: a verdict on each passage, whoever else is asked about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clusterqa.ports import Encoder, Reranker
from clusterqa.records import FirstLook, Query, Question, Remark
from clusterqa.retrieval.fusion import first_look
from clusterqa.retrieval.profile import Profile
from clusterqa.retrieval.rerank import LateInteraction
from clusterqa.retrieval.understand import understand
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.text.lexicon import Lexicon
from memory import MemoryIndex
from memory_corpus import stored
from reversed_reranker import Reversed
from words_encoder import WordsEncoder, WordTokens

RERANKERS: list[Callable[[SearchWeights], Reranker]] = [LateInteraction, Reversed]
WEIGHTS = Profile.bundled().search
PAGES = {
    "gold.en.md": "# Gold\n\nThe gold label has a price of 8,250 euro. Two experts visit. They write:\n\n- a report\n",
    "gold.lt.md": "# Auksas\n\nAukso ženklas: jo kaina 8 250 eurų.\n",
    "food.en.md": "# Food\n\nA food cluster has a member in every town. Each member pays by the year.\n",
    "long.en.md": "# Long\n\n" + " ".join(f"The bronze label has rule {n} of the cluster." for n in range(9)) + "\n",
    "year.en.md": "# Year\n\nSilver is valid for a year.\n",
}

Asked = tuple[Query, FirstLook, MemoryIndex]


def searched(text: str, encoder: Encoder) -> Query:
    found = understand(Question(text), encoder, WEIGHTS.replaces_cosine)
    assert not isinstance(found, Remark)
    return found[0]


@pytest.fixture(params=[WordsEncoder, WordTokens], ids=["whole texts", "token by token"])
def asked(request: pytest.FixtureRequest) -> Asked:
    """A question that was searched for once, with an encoder that has token embeddings and with one that has none."""
    encoder: Encoder = request.param()
    index = MemoryIndex(stored(PAGES, encoder).open, encoder.dimension)
    index.refresh()
    query = searched("What is the price of the gold label a year?", encoder)
    return query, first_look(query, index, Lexicon.load(), WEIGHTS), index


@pytest.fixture(params=RERANKERS, ids=lambda made: made.__name__)
def reranker(request: pytest.FixtureRequest) -> Reranker:
    made: Reranker = request.param(WEIGHTS)
    return made


def test_each_passage_has_a_verdict_and_each_of_its_sentences_a_score(reranker: Reranker, asked: Asked) -> None:
    query, first, index = asked
    ids = [candidate.passage for candidate in first.candidates]
    verdicts = reranker.rerank(query, ids, first, index)
    assert len(verdicts) == len(ids) == 5
    for entry, verdict in zip(index.fetch(ids), verdicts, strict=True):
        assert len(verdict.sentences) == len(entry.passage.sentences)
        assert 0 <= verdict.meaning <= 1
    assert len({round(verdict.score, 9) for verdict in verdicts}) > 1


def test_the_verdicts_are_in_the_order_of_the_ids_and_rest_on_nothing_else(reranker: Reranker, asked: Asked) -> None:
    query, first, index = asked
    ids = [candidate.passage for candidate in first.candidates]
    together = dict(zip(ids, reranker.rerank(query, ids, first, index), strict=True))
    for some in (ids[::-1], ids[1:3], ids[:1], ids[-1:]):
        for i, verdict in zip(some, reranker.rerank(query, some, first, index), strict=True):
            assert verdict.score == pytest.approx(together[i].score, abs=1e-6)
            assert verdict.sentences == pytest.approx(together[i].sentences, abs=1e-6)
            assert verdict.meaning == pytest.approx(together[i].meaning, abs=1e-6)


def test_a_passage_that_neither_channel_found_has_a_verdict_too(reranker: Reranker, asked: Asked) -> None:
    """A translation of a hit may be such a passage."""
    query, first, index = asked
    last = first.candidates[-1].passage
    known = reranker.rerank(query, [last], first, index)
    without = FirstLook(first.concepts, first.neighbours, first.lexical, first.candidates[:-1])
    assert reranker.rerank(query, [last], without, index) == known


def test_no_passages_have_no_verdicts(reranker: Reranker, asked: Asked) -> None:
    query, first, index = asked
    assert reranker.rerank(query, [], first, index) == []


def test_a_new_generation_is_judged_like_one_that_was_always_there(reranker: Reranker) -> None:
    encoder = WordTokens()
    data = stored({name: PAGES[name] for name in ("gold.en.md", "food.en.md")}, encoder)
    index = MemoryIndex(data.open, encoder.dimension)
    index.refresh()
    query = searched("gold price", encoder)

    def verdicts(by: Reranker) -> list[float]:
        first = first_look(query, index, Lexicon.load(), WEIGHTS)
        ids = sorted(candidate.passage for candidate in first.candidates)
        return [verdict.score for verdict in by.rerank(query, ids, first, index)]

    before = verdicts(reranker)
    stored({name: PAGES[name] for name in ("year.en.md", "long.en.md")}, encoder, data)
    index.refresh()
    after = verdicts(reranker)
    assert len(after) == len(before) + 2
    assert after == verdicts(type(reranker)(WEIGHTS))  # type: ignore[call-arg]


def test_a_reranker_has_a_name_for_the_profile(reranker: Reranker) -> None:
    assert reranker.name
