"""The shipped translation lexicon, and how it is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterqa.text.analysis import content_words, fold, term_in, terms
from clusterqa.text.lexicon import HEADER, Lexicon

SURE = [
    ("įmonė", {"company", "enterprise"}),
    ("kaina", {"price"}),
    ("kainuoja", {"cost", "price"}),
    ("galiojimas", {"validity", "valid"}),
    ("galioja", {"valid"}),
    ("narys", {"member"}),
    ("narių", {"member"}),
    ("ženklas", {"label", "mark"}),
    ("klasteris", {"cluster"}),
    ("sidabro", {"silver"}),
    ("mokestis", {"fee", "tax"}),
    ("vertintojas", {"assessor"}),
    ("metus", {"year"}),
    ("partneris", {"partner"}),
    ("šuo", {"dog"}),
]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.load()


@pytest.mark.parametrize(("lithuanian", "english"), SURE)
def test_lithuanian_word_leads_to_its_english_term(lexicon: Lexicon, lithuanian: str, english: set[str]) -> None:
    """The most probable translation is one a dictionary would give."""
    best, _ = lexicon.translations(lithuanian)[0]
    assert best in {term_in(word, "en") for word in english}


@pytest.mark.parametrize(
    ("english", "lithuanian"),
    [
        ("company", "įmonė"),
        ("price", "kaina"),
        ("validity", "galiojimas"),
        ("member", "narys"),
        ("label", "ženklas"),
        ("silver", "sidabras"),
        ("cluster", "klasteris"),
        ("applicant", "pareiškėjas"),
        ("house", "namas"),
    ],
)
def test_english_word_leads_to_its_lithuanian_term(lexicon: Lexicon, english: str, lithuanian: str) -> None:
    best, _ = lexicon.translations(english)[0]
    assert best == term_in(lithuanian, "lt")


@pytest.mark.parametrize("word", [word for word, _ in SURE])
def test_words_typed_without_diacritics_are_found_alike(lexicon: Lexicon, word: str) -> None:
    assert lexicon.translations(fold(word)) == lexicon.translations(word)


def test_translations_are_terms_that_the_index_holds(lexicon: Lexicon) -> None:
    """Both stemmers' terms are indexed, so what a question word leads to can be found in a passage."""
    passage = {
        term for word in content_words("The fee covers the assessment; the label is valid.") for term in terms(word)
    }
    for word in ("mokestis", "vertinimas", "ženklas", "galioja"):
        assert passage & {term for term, _ in lexicon.translations(word)}, word


def test_a_word_of_both_languages_is_read_as_either(lexicon: Lexicon) -> None:
    found = dict(lexicon.translations("data"))
    assert term_in("date", "en") in found
    assert term_in("duomenys", "lt") in found


@pytest.mark.parametrize("word", ["", "qwxzqwxz", "2250", "ąčęžžžž", "日本"])
def test_unknown_word_has_no_translations(lexicon: Lexicon, word: str) -> None:
    assert lexicon.translations(word) == ()


def test_every_row_of_the_table_is_sorted_and_within_range(lexicon: Lexicon) -> None:
    """
    Probabilities lie in [0.05, 1], best first, five at most, and no reading of a word adds up to more than 1.
    """
    rows = [row for kind in (lexicon.terms, lexicon.words) for table in kind.values() for row in table.values()]
    assert len(rows) > 20_000
    for row in rows:
        fields = row.split()
        probabilities = [float(field) for field in fields[1::2]]
        assert 1 <= len(probabilities) <= 5
        assert len(set(fields[::2])) == len(probabilities)
        assert probabilities == sorted(probabilities, reverse=True)
        assert probabilities[-1] >= 0.05 and probabilities[0] <= 1
        assert sum(probabilities) <= 1.03  # each is rounded to two digits


@given(st.text(max_size=20).map(str.lower))
def test_any_word_gives_distinct_terms_best_first(word: str) -> None:
    found = Lexicon.load().translations(word)
    assert len({term for term, _ in found}) == len(found)
    assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)
    assert all(0 < p <= 1 for _, p in found)


def test_the_two_readings_are_merged_with_the_higher_probability() -> None:
    """Worked out by hand on a table of three rows; the word's own row comes before that of its term."""
    lexicon = Lexicon.read([HEADER, "lt\tterm\tdat\tdate 0.90 x 0.10", "en\tterm\tdata\tduomen 0.80 x 0.30",
                            "lt\tword\tdata\tdate 0.70 x 0.20"])  # fmt: skip
    assert lexicon.translations("data") == (("duomen", 0.8), ("date", 0.7), ("x", 0.3))
    assert lexicon.translations("datos") == (("date", 0.9), ("x", 0.1))


def test_loading_is_deterministic_and_done_once() -> None:
    first = Lexicon.load()
    assert Lexicon.load() is first
    Lexicon.load.cache_clear()
    again = Lexicon.load()
    assert again is not first
    assert again == first


@pytest.mark.parametrize("lines", [[], ["lt\tterm\timon\tcompani 0.69"], ["# clusterqa lexicon 0"]])
def test_a_table_of_another_version_is_refused(lines: list[str]) -> None:
    with pytest.raises(ValueError, match=r"build\.py"):
        Lexicon.read(lines)
