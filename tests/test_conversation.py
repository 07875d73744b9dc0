"""What a person typed becomes a query, or a short reply where there is nothing to search for."""

from __future__ import annotations

import numpy as np
import pytest

from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.ports import Encoder
from clusterqa.records import Query, Question, Remark, Understood
from clusterqa.retrieval.profile import Profile
from clusterqa.retrieval.understand import (
    LENT_WEIGHT,
    LONGEST_THREAD,
    MAX_CHARACTERS,
    UNSIGNED,
    is_follow_up,
    understand,
)


class Letters(Encoder):
    """Encoder whose two words are alike when they are listed as alternatives; any other two are not."""

    fingerprint = "letters"
    dimension = 4
    alternatives = (
        {"bronze", "gold", "silver", "bronzos", "aukso", "sidabro"},
        {"cost", "valid", "galioja", "kainuoja"},
    )

    def encode_queries(self, texts):
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            kind = next((i for i, words in enumerate(self.alternatives) if text in words), None)
            rows[row, kind if kind is not None else 2 + row % 2] = 1.0
        return rows

    def encode_passages(self, texts, progress=None):
        return self.encode_queries(texts)

    def cut_off(self, texts):
        return []


def readings(question: Question) -> tuple[Query, ...] | Remark:
    return understand(question, Letters(), Profile.bundled().search.replaces_cosine)


def understood(question: Question) -> Understood:
    """The likeliest reading, or the remark."""
    found = readings(question)
    return found if isinstance(found, Remark) else found[0]


def query_of(question: Question) -> Query:
    found = understood(question)
    assert isinstance(found, Query)
    return found


@pytest.mark.parametrize(
    ("text", "language", "remark"),
    [
        ("Labas", "lt", "greeting"),
        ("LABA DIENA!", "lt", "greeting"),
        ("Sveiki", "lt", "greeting"),
        ("hello", "en", "greeting"),
        ("Good morning!", "en", "greeting"),
        ("Ačiū!", "lt", "thanks"),
        ("aciu labai", "lt", "thanks"),
        ("Labai ačiū už pagalbą", "lt", "thanks"),
        ("thank you very much", "en", "thanks"),
        ("Viso gero", "lt", "farewell"),
        ("bye", "en", "farewell"),
        ("Ką moki?", "lt", "about"),
        ("What can you do?", "en", "about"),
    ],
)
def test_greetings_and_thanks_need_no_search(text, language, remark):
    assert understood(Question(text)) == Remark(remark, language)


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("?!…", "empty"),
        ("🙂", "empty"),
        ("a" * (MAX_CHARACTERS + 1), "too_long"),
        ("kas\x00yra", "unreadable"),
        ("\x1b[31mkas yra", "unreadable"),
        ("\ufffd\ufffd\ufffd ženklas", "unreadable"),
    ],
)
def test_what_cannot_be_asked_is_told_apart(text, remark):
    assert understood(Question(text, language="lt")) == Remark(remark, "lt")


def test_a_greeting_in_front_of_a_question_is_not_searched_for():
    query = query_of(Question("Laba diena, kiek kainuoja sidabro ženklas?"))
    assert list(query.words) == ["kainuoja", "sidabro", "ženklas"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Is VAT included in the 1650 euros?", "Is VAT included in the 1,650 euros?"),
        ("What does EUR 12000 pay for?", "What does EUR 12,000 pay for?"),
        ("Ką reiškia skaičius 2950?", "Ką reiškia skaičius 2 950?"),
        ("kam skirta 1403744 Eur", "kam skirta 1 403 744 Eur"),
        ("What changed in 2019?", "What changed in 2019?"),
        ("Is it the same as ISO 9001?", "Is it the same as ISO 9001?"),
        ("Ką sako įsakymas Nr. 4131?", "Ką sako įsakymas Nr. 4131?"),
        ("Ar 861234567 yra klasterio telefonas?", "Ar 861234567 yra klasterio telefonas?"),
        ("Where is 01103 Vilnius?", "Where is 01103 Vilnius?"),
        ("Why 2,950 and not 2 951?", "Why 2,950 and not 2 951?"),
    ],
)
def test_a_long_number_is_read_as_documents_write_it_and_years_and_codes_stay(text: str, read: str) -> None:
    assert query_of(Question(text)).text == read


def test_decomposed_letters_ask_the_same_question():
    composed = query_of(Question("Kiek galioja ženklas?"))
    decomposed = query_of(Question("Kiek galioja z\u030cenklas?"))
    assert composed.words == decomposed.words


@pytest.mark.parametrize(
    ("text", "leans"),
    [
        ("O kiek jis galioja?", True),
        ("o aukso?", True),
        ("and for gold?", True),
        ("What about silver?", True),
        ("How long is it valid?", True),
        ("Ar jį galima atnaujinti?", True),
        ("kaina?", True),
        ("Kas suteikia bronzos ženklą klasteriui?", False),
        ("How many indicators does the Bronze interview cover?", False),
    ],
)
def test_a_question_that_leans_on_an_earlier_one_is_recognised(text, leans):
    assert is_follow_up(text) is leans


def test_a_new_word_takes_the_place_of_the_earlier_one_nearest_in_meaning():
    query = query_of(Question("and for gold?", history=("How long is bronze valid?",)))
    assert query.text == "How long is gold valid? and for gold?"
    assert query.words == {"gold": 1.0, "long": LENT_WEIGHT, "valid": LENT_WEIGHT}


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("eccp", ["Kiek kainuoja sidabro ženklas? eccp", "eccp"]),
        ("O kas jį suteikia?", ["Kiek kainuoja sidabro ženklas? O kas jį suteikia?", "O kas jį suteikia?"]),
        ("Kas gali dalyvauti?", ["Kiek kainuoja sidabro ženklas? Kas gali dalyvauti?", "Kas gali dalyvauti?"]),
        ("Kas ženklą suteikia?", ["Kas ženklą suteikia?", "Kiek kainuoja sidabro ženklas? Kas ženklą suteikia?"]),
        ("Kas suteikia bronzos ženklą Lietuvos klasteriui?", ["Kas suteikia bronzos ženklą Lietuvos klasteriui?"]),
    ],
)
def test_what_may_be_a_follow_up_or_a_new_subject_is_read_both_ways(text, read_as):
    found = readings(Question(text, history=("Kiek kainuoja sidabro ženklas?",)))
    assert not isinstance(found, Remark)
    assert [query.text for query in found] == read_as


def test_a_question_that_nothing_says_leans_on_another_is_read_alone_unless_the_other_reading_is_much_surer():
    history = ("What is ClusterXchange?", "How much money can I get?")
    found = readings(Question("Who can take part?", history=history))
    assert not isinstance(found, Remark)
    alone, along = found
    assert (alone.doubt, along.doubt) == (0.0, UNSIGNED)
    assert along.text == "What is ClusterXchange? How much money can I get? Who can take part?"
    assert along.words["part"] == 1.0 and along.words["clusterxchange"] == LENT_WEIGHT
    pointing = readings(Question("Is it still running?", history=history))
    assert not isinstance(pointing, Remark)
    assert [reading.doubt for reading in pointing] == [0.0, 0.0]


def test_of_a_long_story_before_only_the_end_is_read_along():
    query = query_of(Question("Is it still running?", history=("word " * 390 + "What is ClusterXchange?",)))
    assert query.text.endswith("word What is ClusterXchange? Is it still running?")
    assert len(query.text) <= LONGEST_THREAD + len(" Is it still running?")


def test_without_an_earlier_question_there_is_one_reading():
    found = readings(Question("o aukso?"))
    assert not isinstance(found, Remark)
    assert [query.text for query in found] == ["o aukso?"]


def test_a_pronoun_borrows_the_words_of_the_earlier_question():
    question = Question("O kas jį suteikia?", history=("Kiek kainuoja sidabro ženklas?",))
    query = query_of(question)
    assert query.words["suteikia"] == 1.0
    assert query.words["sidabro"] == query.words["ženklas"] == LENT_WEIGHT


def test_a_question_complete_in_itself_forgets_the_earlier_ones():
    question = Question("Who runs the European Clusters Alliance?", history=("Kiek kainuoja sidabro ženklas?",))
    query = query_of(question)
    assert "sidabro" not in query.words


@pytest.mark.parametrize(
    ("question", "language"),
    [
        (Question("ESCA", language="en"), "en"),
        (Question("ESCA", language="lt"), "lt"),
        (Question("2026", history=("Kiek kainuoja ženklas?",)), "lt"),
        (Question("how much does it cost", language="lt"), "en"),
        (Question("kiek kainuoja", language="en"), "lt"),
    ],
)
def test_the_words_decide_the_language_and_the_page_where_they_say_nothing(question, language):
    assert understood(question).language == language


@pytest.mark.parametrize(
    ("earlier", "question", "completed"),
    [
        ("Kiek laiko trunka sidabro ženklo auditas?", "O aukso?", "Kiek laiko trunka aukso ženklo auditas?"),
        ("How long is the Silver Label valid?", "And Gold?", "How long is the gold Label valid?"),
        ("Kiek klasterių yra Lietuvoje?", "o Latvijoje?", "Kiek klasterių yra latvijoje?"),
    ],
)
def test_a_new_thing_takes_the_place_of_its_like_and_not_of_the_word_that_is_near_to_all(
    bundled_encoder: SentenceEncoder, earlier: str, question: str, completed: str
) -> None:
    found = understand(Question(question, (earlier,)), bundled_encoder, Profile.bundled().search.replaces_cosine)
    assert not isinstance(found, Remark)
    assert f"{completed} {question}" in [reading.text for reading in found]
