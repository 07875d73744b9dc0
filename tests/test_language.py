"""The language of a question is found from two words, with or without diacritics, and it never varies."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterqa.text.language import Detection, detect, detect_document

LITHUANIAN = [
    "Kiek kainuoja auksinis ženklas?",
    "kiek kainuoja",
    "kas yra esca",
    "auksinis zenklas",
    "o kiek jis galioja?",
    "is ko susideda vertinimas",
    "man reikia pagalbos",
    "per kiek laiko",
    "per kiek laiko gaunamas zenklas",
    "reikalavimai",
    "minimalus nariu skaicius",
    "kaip gauti sidabra",
    "ačiū",
    "aciu",
    "laba diena",
    "o ESCA?",
    "ar UAB gali būti klasterio narys",
    "Kas yra Cluster Excellence?",
    "Kas yra „Striving for Cluster Excellence“?",
    "ką reiškia gold label",
    "taip",
    "ne",
]
ENGLISH = [
    "How much does the Gold Label cost?",
    "gold label price",
    "and for gold?",
    "who decides",
    "is there a fee",
    "is it to be renewed",
    "eligibility criteria",
    "minimum number of members",
    "thanks",
    "hello",
    "What is the cluster in Klaipėda?",
    "What does „Lietuvos klasterių tinklas“ do?",
    "who runs LITEK in Vilnius",
    "as a company can we join?",
    "and MITA?",
    "don’t you have a form",
    "yes",
    "no",
]
SAYS_NOTHING = [
    "",
    " ",
    "?",
    "2026",
    "😀",
    "ESCA",
    "EUCLES 2021",
    "MITA",
    "Vilnius",
    "…",
    "info@example.lt",
    "plan.pdf",
]


@pytest.mark.parametrize("text", LITHUANIAN)
def test_a_lithuanian_question_is_recognised_however_it_is_typed(text):
    for default in (None, "en"):
        assert detect(text, default) == Detection("lt", certain=True)
    assert detect(unicodedata.normalize("NFD", text), "en").language == "lt"
    assert detect(text.upper(), "en").language == "lt"


@pytest.mark.parametrize("text", ENGLISH)
def test_an_english_question_is_recognised_however_it_is_typed(text):
    for default in (None, "lt"):
        assert detect(text, default) == Detection("en", certain=True)
    assert detect(unicodedata.normalize("NFD", text), "lt").language == "en"


@pytest.mark.parametrize("text", SAYS_NOTHING)
def test_a_text_that_says_nothing_takes_the_default(text):
    assert detect(text, "lt") == Detection("lt", certain=False)
    assert detect(text, "en") == Detection("en", certain=False)


def test_without_a_default_a_lithuanian_letter_decides():
    assert detect("Klaipėda") == Detection("lt", certain=False)
    assert detect("ESCA") == Detection("en", certain=False)


@given(st.text())
def test_the_same_text_always_has_the_same_answer(text):
    first = detect(text)
    assert first.language in ("lt", "en")
    assert all(detect(text) == first for _ in range(3))


@pytest.mark.parametrize("piece", ["a", "a.", '"', "„ ", "@ ", "www."])
def test_a_very_long_odd_text_is_answered_too(piece):
    assert detect(piece * 150_000, "lt").language in ("lt", "en")


def test_a_document_has_the_language_of_most_of_it():
    lithuanian = "Klasteris yra įmonių ir mokslo įstaigų grupė, kuri dirba kartu. "
    english = "A cluster is a group of companies and research bodies that work together. "
    assert detect_document(lithuanian) == "lt"
    assert detect_document(english) == "en"
    assert detect_document(english * 2 + lithuanian * 200 + english * 2) == "lt"
    assert detect_document(lithuanian * 2 + english * 200 + lithuanian * 2) == "en"


def test_importing_the_module_does_not_load_langdetect():
    probe = "import sys, clusterqa.text.language; print('langdetect' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
