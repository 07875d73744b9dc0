"""A question in Russian, Polish or German is told in that language where the answers come from; no other question is."""

from __future__ import annotations

import pytest

from clusterqa.records import Question, Remark
from clusterqa.retrieval.understand import understand
from clusterqa.text.neighbours import neighbour
from test_conversation import Letters


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ru", "Сколько стоит бронзовый знак?"),
        ("ru", "Как получить знак качества кластера ECEI?"),
        ("ru", "кластер"),
        ("pl", "Ile kosztuje brązowy znak?"),
        ("pl", "Jak długo jest ważna srebrna etykieta klastra?"),
        ("pl", "jak dlugo trwa ocena klastra"),
        ("pl", "Czy mała firma może dołączyć do klastra?"),
        ("de", "Wie viel kostet das Silber-Label?"),
        ("de", "Was ist das ClusterXchange-Programm?"),
        ("de", "Wie lange ist das Bronze Label gültig?"),
        ("de", "Welche Voraussetzungen muss ein Cluster erfüllen?"),
        ("de", "Kann ein kleines Unternehmen einem Cluster beitreten?"),
    ],
)
def test_a_neighbours_language_is_recognised(code: str, text: str) -> None:
    found = neighbour(text)
    assert found is not None and found.code == code


@pytest.mark.parametrize(
    "text",
    [
        "Kiek kainuoja bronzos ženklas?",
        "kiek laiko galioja sidabro zenklas",
        "How long is the Bronze Label valid?",
        "What does the VDI/VDE Innovation + Technik GmbH in Berlin do?",
        "Kas yra „Deutsche Gesellschaft für Internationale Zusammenarbeit“?",
        "ESCA",
        "Bronze Cluster Gold",
        "Who runs the Klaster Obróbki Metali in Poland?",
        "Ar klasteris iš Lenkijos gali gauti ženklą?",
        "Which clusters are in Köln and München?",
        "o aukso?",
        "",
        "2026",
    ],
)
def test_lithuanian_english_and_names_are_not(text: str) -> None:
    assert neighbour(text) is None


@pytest.mark.parametrize("language", ["lt", "en"])
@pytest.mark.parametrize(
    "text", ["Ile kosztuje brązowy znak?", "Wie viel kostet das Silber-Label?", "Сколько стоит знак?"]
)
def test_our_own_words_are_then_in_the_language_of_the_page(text: str, language) -> None:
    found = understand(Question(text, language=language), Letters(), 0.9)
    assert not isinstance(found, Remark)
    assert [query.language for query in found] == [language]
