"""What is told of other countries alone is no answer about one that a question names."""

from __future__ import annotations

import pytest

from clusterqa.text.countries import is_of_another_country


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Is the label compulsory in Germany?", "In Norway the Gold Label was obligatory."),
        ("Which clusters in Finland hold Silver?", "FETEK was the first in Lithuania to reach Silver."),
        ("Kiek klasterių Estijoje turi ženklą?", "Latvijoje ženklą turi trys klasteriai."),
        ("o lenku?", "Ispanų registre jie lieka ketverius metus."),
        (
            "Ar Lenkijoje be ženklo negausi pinigų?",
            "Vienose šalyse jis privalomas, o kitose – ne. Lietuvoje žiūrėkite kvietimo.",
        ),
        ("KIEK VOKIEČIŲ KLASTERIŲ?", "Danijoje jų dešimt."),
        ("How many Polish clusters are there?", "There are six Catalan ones."),
    ],
)
def test_what_is_told_of_other_countries_is_no_answer_about_one(question: str, told: str) -> None:
    assert is_of_another_country(question, told)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Is the label compulsory in Norway?", "In Norway the Gold Label was obligatory, in Hungary not."),
        ("Is the label compulsory in Germany?", "The label is compulsory for grants."),
        ("What does a parcel to Germany cost?", "Lithuania EUR 3, other EU countries EUR 8."),
        ("Kokie dienpinigiai mokami Japonijoje?", "Latvijoje 40 Eur, kitose šalyse – pagal įsakymą."),
        ("How many labels in Germany?", "The sources do not say how many; in Denmark there are ten."),
        ("How many clusters are there in Lithuania?", "In Latvia there are three."),
        ("Did Latvia or Estonia join?", "Lithuania joined."),
        ("How much is a page in German?", "Into French EUR 12, into Polish EUR 10."),
        ("Kiek kainuoja ekskursija prancūziškai?", "Lietuvos grupėms 25 Eur."),
        ("Kas verčia iš danų kalbos?", "Iš Lietuvos – du vertėjai."),
        ("My cousin lives in Norway. How long is the label valid?", "In Lithuania two years."),
    ],
)
def test_what_names_the_country_or_may_hold_for_it_may_answer(question: str, told: str) -> None:
    assert not is_of_another_country(question, told)
