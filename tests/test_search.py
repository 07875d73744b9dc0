"""Search and quoting, with an encoder whose cosines can be worked out on paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clusterqa.ports import Encoder
from clusterqa.records import Background, Concept, Query, Question, Trace
from clusterqa.retrieval.confidence import Calibration
from clusterqa.retrieval.dense import standing
from clusterqa.retrieval.fusion import fused
from clusterqa.retrieval.lexical import coverage
from clusterqa.retrieval.pipeline import Pipeline
from clusterqa.retrieval.profile import Profile
from clusterqa.retrieval.quote import FAIRLY_SURE, SHORT_PARAGRAPH, quote, window
from clusterqa.shapes import reply_as_json
from clusterqa.text.analysis import content_words
from memory_corpus import pipeline, stored
from words_encoder import WordTokens

WORDS = (
    "bronz",
    "gold|auks",
    "silver|sidabr",
    "valid|galioj",
    "cost|kain",
    "cluster|klaster",
    "apple|obuol",
    "rain|liet",
)


class Axes(Encoder):
    """One axis for each pair of words that mean the same in both languages; a text's vector counts them."""

    fingerprint = "axes"
    dimension = len(WORDS) + 1

    def encode_queries(self, texts):
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for axis, group in enumerate(WORDS):
                rows[row, axis] = sum(text.lower().count(word) for word in group.split("|"))
            rows[row, -1] = 0.3
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def encode_passages(self, texts, progress=None):
        return self.encode_queries(texts) if texts else np.zeros((0, self.dimension), dtype=np.float32)

    def cut_off(self, texts):
        return []


USUAL = Profile.bundled().search
BY_WORDS = Profile(
    "axes",
    "late_interaction",
    "none",
    USUAL,
    Calibration({"lexical": 8.0}, {"lexical": 0.25}, {"lexical": 1.0}, 0.0, 0.5),
)
"""Answers when the best passage holds at least a quarter of the question's words."""

CORPUS = {
    "bronze.lt.md": "# Bronza\n\nBronzos ženklas galioja dvejus metus. Klasteris jį gauna po pokalbio.\n",
    "bronze.en.md": "# Bronze\n\nThe Bronze Label is valid for two years. A cluster gets it after an interview.\n",
    "gold.en.md": "# Gold\n\nThe Gold Label costs EUR 8,250. Two experts visit the cluster.\n",
    "silver.lt.md": "# Sidabras\n\nSidabro ženklas kainuoja 3 620 Eur. Auditas trunka pusę dienos.\n",
    "fruit.en.md": "# Fruit\n\nAn apple a day is no advice on labels. Apples grow on trees.\n",
}


def concepts_of(trace: Trace) -> tuple[Concept, ...]:
    assert trace.first is not None
    return trace.first.concepts


def make(files: dict[str, str]) -> Pipeline:
    return pipeline(stored(files, Axes()), Axes(), BY_WORDS)


@pytest.mark.parametrize(
    ("question", "document", "says"),
    [
        ("Kiek galioja bronzos ženklas?", "bronze.lt.md", "galioja dvejus metus"),
        ("kiek galioja bronzos zenklas", "bronze.lt.md", "galioja dvejus metus"),
        ("KIEK GALIOJA BRONZOS ŽENKLAS", "bronze.lt.md", "galioja dvejus metus"),
        ("How long is the bronze label valid?", "bronze.en.md", "valid for two years"),
        ("Kiek kainuoja aukso ženklas?", "gold.en.md", "EUR 8,250"),
        ("What does the silver label cost?", "silver.lt.md", "3 620 Eur"),
    ],
)
def test_the_right_sentence_is_quoted_in_every_direction(question, document, says):
    reply = make(CORPUS).ask(Question(question)).reply
    assert reply.status == "answered"
    assert reply.quotes[0].source.document == document
    assert says in reply.quotes[0].text


def test_a_quote_is_cut_from_the_stored_text():
    asked = make(CORPUS)
    for question in ("Kiek galioja bronzos ženklas?", "gold cost", "apple"):
        for found in asked.ask(Question(question)).reply.quotes:
            text = CORPUS[found.source.document]
            assert text[found.start : found.end] == found.text
            assert text[found.passage.start : found.passage.end] == found.passage.text
            assert found.passage.start <= found.start < found.end <= found.passage.end


def test_a_translated_document_is_one_hit_in_the_language_of_the_question():
    asked = make(CORPUS)
    for question, kept in (
        ("Kiek galioja bronzos ženklas?", "bronze.lt.md"),
        ("Is the bronze label valid?", "bronze.en.md"),
    ):
        found = asked.ask(Question(question))
        pair = [hit.passage.document for hit in found.hits if hit.passage.document.startswith("bronze")]
        assert pair == [kept]


def test_the_source_names_the_translation():
    reply = make(CORPUS).ask(Question("Kiek galioja bronzos ženklas?")).reply
    assert reply.quotes[0].source.translation == "bronze.en.md"


def test_near_identical_passages_are_one_hit_and_another_figure_is_not():
    same = {
        "a.en.md": "# One\n\nThe bronze label is valid for two years.\n",
        "b.en.md": "# Two\n\nThe Bronze Label is valid for two years!\n",
        "c.en.md": "# Three\n\nThe bronze label is valid for 3 years.\n",
    }
    found = make(same).ask(Question("bronze label valid"))
    assert sorted(hit.passage.document for hit in found.hits) == ["a.en.md", "c.en.md"]


def test_the_same_question_gives_the_same_result_ties_included():
    ties = {f"{letter}.en.md": f"# {letter}\n\nThe bronze label {number}.\n" for number, letter in enumerate("dbca")}
    asked = make(ties)
    replies = [reply_as_json(asked.ask(Question("bronze label")).reply) for _ in range(5)]
    assert all(reply == replies[0] for reply in replies)
    found = asked.ask(Question("bronze label"))
    assert [hit.passage.document for hit in found.hits] == ["a.en.md", "b.en.md", "c.en.md", "d.en.md"]


def test_a_typing_error_finds_the_word_that_was_meant():
    found = make(CORPUS).ask(Question("sidabbro zenklas"))
    kinds = {concept.word: concept.kind for concept in concepts_of(found)}
    assert kinds["sidabbro"] == "spelling"
    assert found.hits[0].passage.document == "silver.lt.md"


def test_what_the_documents_do_not_say_is_not_found_with_the_nearest_places():
    reply = make(CORPUS).ask(Question("Kur nusipirkti dviratį Kaune?")).reply
    assert reply.status == "not_found"
    assert reply.quotes == ()
    assert len(reply.nearest) >= 1
    assert reply.message.startswith("Dokumentuose atsakymo į šį klausimą neradome.")


def test_what_explains_the_thing_asked_about_is_an_answer_and_no_choice():
    files = {
        "apple.lt.md": "# OBELA – obuolių klasteris\n\nVeikia nuo 2011 m.\n\n## Ženklas\n\nOBELA ženklas galioja.\n",
        "rain.lt.md": "# Lietus\n\n## OBELA ir lietus\n\nOBELA lietaus nebijo.\n",
    }
    doubtful = replace(BY_WORDS, calibration=Calibration({}, {}, {}, -5.0, 0.5))
    unsure = pipeline(stored(files, Axes()), Axes(), doubtful)
    reply = unsure.ask(Question("Kas yra OBELA?")).reply
    assert (reply.status, reply.quotes[0].text, reply.choices) == ("answered", "Veikia nuo 2011 m.", ())
    assert reply.confidence >= FAIRLY_SURE
    assert unsure.ask(Question("Ar OBELA bijo lietaus?")).reply.status == "not_found"


def test_an_empty_corpus_answers_not_found():
    reply = make({}).ask(Question("Kiek galioja bronzos ženklas?")).reply
    assert (reply.status, reply.quotes, reply.nearest) == ("not_found", (), ())


def test_the_reply_says_that_the_quote_is_in_the_other_language():
    reply = make(CORPUS).ask(Question("Kiek kainuoja aukso ženklas?")).reply
    assert reply.language == "lt"
    assert reply.quotes[0].source.language == "en"
    assert reply.message == "Atsakymą radome dokumente anglų kalba:"


def test_k_beyond_the_corpus_gives_every_place_once():
    found = make(CORPUS).ask(Question("bronze"), depth=100)
    assert len(found.hits) == len({hit.passage_id for hit in found.hits}) == 4


def test_a_new_generation_is_taken_up_without_a_restart():
    data = stored(CORPUS, Axes())
    asked = pipeline(data, Axes(), BY_WORDS)
    question = Question("Does rain delay the assessment?")
    assert asked.ask(question).reply.generation == 1
    stored({"rain.en.md": "# Rain\n\nRain delays the assessment by a week.\n"}, Axes(), data)
    reply = asked.ask(question).reply
    assert (reply.quotes[0].source.document, reply.generation) == ("rain.en.md", 2)


def test_a_follow_up_is_answered_about_what_was_asked_before():
    question = Question("o sidabro?", history=("Kiek kainuoja aukso ženklas?",))
    assert make(CORPUS).ask(question).reply.quotes[0].source.document == "silver.lt.md"


def test_a_new_subject_in_one_word_is_not_answered_about_what_was_asked_before():
    question = Question("apple", history=("Kiek kainuoja aukso ženklas?",))
    trace = make(CORPUS).ask(question)
    assert isinstance(trace.understood, Query)
    assert (trace.understood.text, trace.reply.quotes[0].source.document) == ("apple", "fruit.en.md")


@pytest.mark.parametrize(("token_share", "first"), [(0.0, "half.en.md"), (1.0, "all.en.md")])
def test_token_by_token_a_long_passage_that_holds_everything_asked_is_nearer(token_share, first):
    """As a whole text it is diluted by all else that it says, and one about half of the question comes before it."""
    files = {
        "all.en.md": "# X\n\nExpert, member, report, year, food, euro: the price is gold.\n",
        "half.en.md": "# X\n\nGold and gold.\n",
    }
    for number in range(60):  # or the background would be the one assumed, not the one seen
        files[f"none-{number}.en.md"] = f"# X\n\nSilver label, bronze cluster {number}.\n"
    encoder = WordTokens()
    weights = replace(USUAL, dense_weight=1.0, answer_type_bonus=0.0, token_share=token_share)
    asked = pipeline(stored(files, encoder), encoder, replace(BY_WORDS, search=weights))
    assert asked.ask(Question("gold price")).hits[0].passage.document == first


def test_the_scores_of_both_channels_are_added_up_as_documented():
    assert standing(0.3 + 0.05 * 6, Background(0.3, 0.05), scale=6) == pytest.approx(1.0)
    assert standing(0.3 + 0.025 * 6, Background(0.3, 0.05), scale=6) == pytest.approx(0.5)
    assert standing(0.2, Background(0.3, 0.1), scale=6) == 0.0
    assert fused(0.0, 0.0, USUAL) == 0.0
    assert fused(1.0, 1.0, USUAL) == pytest.approx(1.0)
    assert fused(0.0, 1.0, USUAL) == pytest.approx(1 - USUAL.dense_weight)


def test_function_words_are_not_searched_for():
    assert content_words("Kiek laiko kainuoja the Gold Label, ir kas tai?") == [
        "laiko",
        "kainuoja",
        "gold",
        "label",
    ]


def test_coverage_counts_words_in_any_form():
    found = make(CORPUS).ask(Question("klasteris ženklas"))
    assert coverage("Klasteriams suteikiami ženklai", concepts_of(found)) == pytest.approx(1.0)
    assert coverage("Obuoliai", concepts_of(found)) == 0.0


def test_quotes_have_one_to_three_sentences_or_are_a_short_paragraph():
    long = {
        "long.en.md": "# Long\n\n"
        + " ".join(f"The bronze label has rule {n} of the cluster." for n in range(20))
        + "\n"
    }
    asked = make(long)
    found = asked.ask(Question("bronze label cluster rule"))
    for hit in found.hits:
        cut = quote(hit, *window(hit, concepts_of(found), 0.8), asked.index.read(hit.passage.document))
        inside = [s for s in hit.passage.sentences if cut.start <= s.start and s.end <= cut.end]
        assert 1 <= len(inside) <= 3 or cut.end - cut.start <= SHORT_PARAGRAPH
