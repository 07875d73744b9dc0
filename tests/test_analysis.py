"""From text to terms: what people type without diacritics, with another ending or another spacing meets the text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterqa.text.analysis import content_words, fold, is_stop_word, searchable, term_in, terms, words


def meet(one: str, other: str) -> bool:
    """Whether two words share an index term."""
    (a,), (b,) = words(one), words(other)
    return bool(set(terms(a)) & set(terms(b)))


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("zenklas", "ženklas"), ("zenklo", "ženklo"), ("ŽENKLAS", "ženklas"), ("zyma", "žymą"), ("isigaliojo", "įsigaliojo"),
        ("paramos", "parama"), ("klasteriai", "klasterių"), ("klasteriu", "klasterių"), ("bronzos", "bronza"),
        ("labels", "label"), ("Clusters", "cluster"), ("2018", "2018"), ("ES2020", "es2020"),
        (unicodedata.normalize("NFD", "žymą"), unicodedata.normalize("NFC", "žymą")),
    ],
)  # fmt: skip
def test_forms_of_a_word_meet(typed: str, written: str) -> None:
    assert meet(typed, written)


@pytest.mark.parametrize(("one", "other"), [("auksas", "sidabras"), ("2018", "2019"), ("label", "gold")])
def test_different_words_do_not_meet(one: str, other: str) -> None:
    assert not meet(one, other)


@given(st.text(alphabet="aąbcčdeęėfghiįyjklmnoprsštuųūvzžAĄČĘĖĮŠŲŪŽ", min_size=1, max_size=14))
def test_every_word_is_found_when_typed_without_diacritics(word: str) -> None:
    """The promise of the double analysis, for any word at all."""
    lower = unicodedata.normalize("NFC", word.lower())
    assert set(terms(lower)) & set(terms(fold(lower)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 250 Eur", ["2250", "eur"]),
        ("2,250 euro", ["2250", "euro"]),
        ("2.250 Eur", ["2250", "eur"]),
        ("2\u00a0250", ["2250"]),
        ("1 234 567", ["1234567"]),
        ("3, 4", ["3", "4"]),
        ("klas-\nteris", ["klasteris"]),
        ("klas\u00adteris", ["klasteris"]),
        ("**Gold** [label](https://example.org/page)", ["gold", "label"]),
        ("snake_case", ["snake", "case"]),
        ("Rūta’s – „Bronze“", ["rūta", "s", "bronze"]),
        ("😀 !!! …", []),
        ("", []),
    ],
)
def test_words_of_a_text(text: str, expected: list[str]) -> None:
    assert list(words(text)) == expected


@pytest.mark.parametrize("text", ["2018 123 456", "+370 612 34567", "2018-03-05", "1.5", "10.000.00"])
def test_numbers_never_lose_a_digit(text: str) -> None:
    assert "".join(words(text)) == "".join(c for c in text if c.isdigit())


@given(st.text())
def test_any_text_has_words_and_terms_that_can_be_stored(text: str) -> None:
    """No term holds a space or a quotation mark, which would break the query of the lexical index."""
    for word in words(text):
        found = terms(word)
        assert found
        assert all(term and not set(term) & set(' "\n\t') for term in found), (word, found)


@given(st.text())
def test_searchable_text_is_on_one_line_and_stays_so(text: str) -> None:
    once = searchable(text)
    assert once == " ".join(once.split())
    assert unicodedata.is_normalized("NFC", once)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_function_words_carry_no_weight_in_either_spelling() -> None:
    assert all(is_stop_word(word) for word in ("ir", "arba", "jūs", "jus", "the", "What", "KĄ", "ka"))
    assert content_words("Kiek laiko galioja bronzos ženklas, o kiek – aukso ženklas?") == [
        "laiko", "galioja", "bronzos", "ženklas", "aukso",
    ]  # fmt: skip


def test_the_ending_of_a_number_is_no_word() -> None:
    for text in ("2024-aisiais", "2024-ųjų", "2024-uju", "2024-ieji", "2024\u2011aisiais"):
        assert content_words(text) == ["2024"], text
    assert content_words("5-oji, 3-iasis ir 21-ąjį") == ["5", "3", "21"]
    assert content_words("ISO-9001, COVID-19, a 30-day visit") == ["iso", "9001", "covid", "19", "30", "day", "visit"]


def test_short_words_that_are_names_here_are_searched_for():
    assert content_words("Does the IT cluster have gold?") == ["it", "cluster", "gold"]
    assert content_words("Does it have gold?") == ["gold"]
    assert content_words("DOES IT HAVE GOLD?") == ["gold"]
    assert content_words("ar IT klasteris turi auksą") == ["it", "klasteris", "auksą"]
    for text in ("What is done in May?", "what is done in may", "What is done by 5 May", "What is done: May 5"):
        assert "may" in content_words(text), text
    assert content_words("May a firm apply, and may it win?") == ["firm", "apply", "win"]


def test_the_key_of_the_lexicon_is_the_stem_of_the_folded_word() -> None:
    assert term_in("ženklo", "lt") == term_in("zenklas", "lt")
    assert term_in("labels", "en") == "label"
    assert term_in("2018", "lt") == term_in("2018", "en") == "2018"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Klasteris¹ auga.", ["klasteris", "auga"]),
        ("Jonaitisᵃ, Petraitienė¹²", ["jonaitis", "petraitienė"]),
        ("25 km² ir m³", ["25", "km²", "ir", "m³"]),
        ("10⁶, IMP³ROVE", ["10⁶", "imp³rove"]),
    ],
)
def test_the_mark_of_a_note_is_no_part_of_the_word_before_it(text: str, expected: list[str]) -> None:
    assert list(words(text)) == expected
