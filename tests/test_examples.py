"""The example questions of the chat pages, asked of the real corpus with the real encoder: each is really answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterqa.corpus import sync
from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.errors import IndexOutdated
from clusterqa.records import Language, Question
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Settings
from clusterqa.web.words import EXAMPLES, band

CORPUS = Path(__file__).parent.parent / "corpus"

ANSWERS = {
    "Kiek kainuoja sidabro ženklas?": r"3\s620\sEur",
    "Ko reikia bronzos ženklui gauti?": r"palyginam.*tinkamumo kriterij",
    "Ar maža įmonė gali stoti į klasterį?": r"[Mm]aža įmonė gali",
    "Ko reikia klasteriui įkurti?": r"[Nn]orint įkurti klasterį",
    "Kas perėmė klasterių ženklų sistemą iš ESCA?": r"EUCLES",
    "Kas yra klasterio koordinatorius?": r"organizacija ar asmuo",
    "How much does the Silver Label cost?": r"EUR 3,620",
    "What are the eligibility criteria?": r"conditions without which no label is awarded",
    "Can a small company join a cluster?": r"small (company|firm) can join",
    "How do I prepare for benchmarking?": r"prepare for benchmarking",
    "Who awards the labels, ESCA or EUCLES?": r"EUCLES",
    "What is ClusterXchange?": r"exchange",
}
"""What the first quote has to hold."""


@pytest.fixture(scope="module")
def assistant(bundled_encoder: SentenceEncoder) -> Iterator[KnowledgeBase]:
    """Over the real corpus; the index is the one of `make evaluate`, so that only the first of them encodes it whole."""
    settings = Settings(corpus=CORPUS, data=CORPUS.parent / "build" / "evaluation")
    try:
        sync.update(settings, lambda: bundled_encoder)
    except IndexOutdated:  # another encoder than in the run before
        sync.update(settings, lambda: bundled_encoder, rebuild=True)
    assistant = KnowledgeBase(settings, bundled_encoder)
    yield assistant
    assistant.close()


def test_every_example_has_an_expected_answer() -> None:
    assert {question for questions in EXAMPLES.values() for question in questions} == set(ANSWERS)


@pytest.mark.encoder
@pytest.mark.parametrize(
    ("language", "question"), [(lang, q) for lang, questions in EXAMPLES.items() for q in questions]
)
def test_an_example_is_answered_by_its_first_quote_and_with_confidence(
    assistant: KnowledgeBase, language: Language, question: str
) -> None:
    reply = assistant.ask(Question(question, language=language))
    assert reply.status == "answered" and reply.language == language
    quote = reply.quotes[0]
    assert quote.source.language == language
    assert re.search(ANSWERS[question], quote.text, re.DOTALL), quote.text
    assert band(reply.confidence) != "low"
