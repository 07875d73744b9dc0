"""The reader in the pipeline, and the way from what was read back to the document's own characters."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterqa.records import Question
from clusterqa.runtime import KnowledgeBase
from clusterqa.shapes import reply_as_json
from clusterqa.text.analysis import origin, searchable

PAGES = {
    "baseinas.lt.md": "# Baseinas\n\n## Laikas\n\nBaseinas dirba nuo **7 val.** iki 21 val. Sekmadieniais jis uždarytas.\n\n"
    "## Kaina\n\nVienkartinis bilietas kainuoja 6,50 Eur. Vaikams bilietas kainuoja 3 Eur.\n",
    "library.en.md": "# Library\n\n## Opening hours\n\nThe library is open from 9 a.m. to 6 p.m. On Sundays it is closed.\n",
}


@pytest.fixture
def indexed(write, index, bundled_encoder, settings):
    for name, text in PAGES.items():
        write(name, text)
    index(bundled_encoder)
    return settings, bundled_encoder


@pytest.mark.encoder
@pytest.mark.parametrize(
    "question", ["Kiek kainuoja bilietas vaikams?", "Kada dirba baseinas?", "When is the library open?"]
)
def test_the_short_answer_is_cut_from_the_document_inside_its_quote(indexed, question):
    settings, encoder = indexed
    with KnowledgeBase(settings, encoder) as kb:
        reply = kb.ask(question)
        texts = {name: kb.text(name) for name in PAGES}
    quotes = reply.quotes or reply.nearest
    assert quotes and quotes[0].short is not None
    for quote, shown in zip(quotes, reply_as_json(reply)["quotes"] or reply_as_json(reply)["nearest"], strict=True):
        text = texts[quote.source.document]
        assert text[quote.start : quote.end] == quote.text
        if quote.short:
            assert quote.start <= quote.short.start < quote.short.end <= quote.end
            assert text[quote.short.start : quote.short.end] == quote.short_text == shown["short"]["text"]


@pytest.mark.encoder
def test_what_is_told_of_another_year_is_no_answer_and_stays_a_place_worth_a_look(indexed):
    settings, encoder = indexed
    with KnowledgeBase(settings, encoder) as kb:
        now, then = (kb.ask(f"Kiek kainuoja bilietas vaikams{when}?") for when in ("", " 2019 metais"))
        threshold = kb.profile.calibration.threshold
    assert now.status == "answered" and then.status == "not_found"
    assert 0 < then.confidence <= threshold / 2
    assert then.nearest[0].text == now.quotes[0].text


@pytest.mark.encoder
def test_without_a_reader_nothing_is_read_and_there_is_no_short_answer(indexed):
    settings, encoder = indexed
    with KnowledgeBase(settings.model_copy(update={"reader": "none"}), encoder) as kb:
        trace = kb.trace(Question("Kiek kainuoja bilietas vaikams?"))
    assert trace.readings == {} and "read" not in trace.milliseconds
    assert all(quote.short is None for quote in (*trace.reply.quotes, *trace.reply.nearest))


@pytest.mark.encoder
def test_the_reader_reads_the_best_hits_once(indexed):
    settings, encoder = indexed
    with KnowledgeBase(settings, encoder) as kb:
        trace = kb.trace(Question("Kada dirba baseinas?"))
    assert {hit.passage_id for hit in trace.hits} <= trace.readings.keys()
    assert all(len(trace.readings[hit.passage_id].sentences) == len(hit.passage.sentences) for hit in trace.hits)
    places = [i for i, _ in trace.ranking]
    assert [places.index(hit.passage_id) for hit in trace.hits] == sorted(
        places.index(hit.passage_id) for hit in trace.hits
    )


@pytest.mark.parametrize(
    ("text", "seen", "meant"),
    [
        ("It costs **EUR 3,620** a year.", "EUR 3,620", "EUR 3,620"),
        ("See [the price list](https://example.org/a) today.", "the price list", "the price list"),
        ("Galioja dve-\njus metus.", "dvejus metus", "dve-\njus metus"),
        (unicodedata.normalize("NFD", "Žyma galioja trejus metus."), "Žyma", unicodedata.normalize("NFD", "Žyma")),
        ("  two   years  ", "two years", "two   years"),
    ],
)
def test_a_stretch_of_what_search_sees_is_found_again_in_the_text(text, seen, meant):
    at = searchable(text).index(seen)
    found = origin(text, at, at + len(seen))
    assert found is not None
    assert text[found.start : found.end] == meant


WORDS = st.sampled_from(
    ["Žyma", "kaina", "**EUR**", "3,620", "[kur](x)", "a\u0301", "so\u00adft", "dve-\njus", "  ", "*", "b`c`"]
)


@given(st.lists(WORDS, min_size=1, max_size=8).map(" ".join))
def test_every_word_comes_from_a_stretch_that_reads_the_same(text):
    seen = searchable(text)
    for word in re.finditer(r"\w+", seen):
        found = origin(text, *word.span())
        if found is not None:
            assert 0 <= found.start < found.end <= len(text)
            assert word.group() in searchable(text[found.start : found.end])


def test_a_stretch_that_is_not_there_comes_from_nowhere():
    assert origin("short", 3, 3) is None
    assert origin("short", 90, 95) is None
    assert origin("", 0, 1) is None
