"""The figure of another year, or of another event of its kind, is no answer; whatever touches on the year asked about may be one."""

from __future__ import annotations

import pytest

from clusterqa.text.times import is_of_another_time


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("koks buvo jaunimo nedarbas 2021", "| 2022 | 5,9 | 11,9 |"),
        ("What was LITEK's turnover in 2023?", "Annual turnover | above EUR 50 million | 2015"),
        ("O kiek 2024-aisiais?", "Užtvara užsidarė 61 kartą 2010–2023 m."),
        ("Kas vadovavo tinklui 2021 m.?", "2020 m. prezidentu tapo vienas, 2022 m. – kitas."),
        ("What was the maximum grant in 2023?", "The grant is worth 48,000 euros."),
        ("Dirbame nuo seno. Kiek ženklų suteikta 2025 metais?", "Suteikta 20 ženklų 2024 m."),
        ("Kas tikrino 2015 metais?", "Nuo 2020 m. tikrina kolegija."),
        ("Kiek žmonių susirinko į Klasterių forumą 2019 m. spalį?", "Forumas surengtas 2018 m. gegužės 16 d."),
    ],
)
def test_what_is_told_of_other_years_is_no_answer_about_one(question: str, told: str) -> None:
    assert is_of_another_time(question, told, told)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("koks buvo jaunimo nedarbas 2021", "| 2021 | 5,9 | 11,9 |"),
        ("Kas ženklą prižiūrėjo 2016 metais?", "Nuo 2014 iki 2019 m. – institutas."),
        ("Kiek atgauta 2010 m.?", "| 2005–2017 | 60 000 |"),
        ("Who checked in 2023?", "Since July 2021 the board checks."),
        ("who dealt with appeals back in 2023", "Until the end of 2024 the council did."),
        ("How many reports came in 2023?", "3,870 in 2024, up from 2,950 the year before."),
        ("Kiek skirta 2020 m.?", "2021 m. skirta 7 mln., pernai – 5 mln."),
        ("How many labels were awarded in 2025?", "The sources do not state how many: the last figure is of 2024."),
        ("I was born in 1963. What return did I see in 1990?", "In 2000 it was 6 per cent."),
        ("Statome 2003 m. mūsų name – kas bus?", "Auditas privalomas pastatams iki 1995 m."),
        ("Can a cluster founded in 2019 apply?", "The call of 2024 is for clusters of three years."),
        ("How did it grow between 2014 and 2023?", "It grew threefold."),
        ("How long is the label valid?", "In 2015 it was two years."),
    ],
)
def test_what_touches_on_the_year_may_answer_and_a_year_that_is_not_asked_about_says_nothing(
    question: str, told: str
) -> None:
    assert not is_of_another_time(question, told, told)


@pytest.mark.parametrize(
    ("question", "told", "other"),
    [
        ("When does the third Euroclusters call open?", "The second call. Opening | 15 October 2024", True),
        ("When does the second Euroclusters call open?", "The second call. Opening | 15 October 2024", False),
        ("Kam teko daugiausia balsų pirmajame ture?", "Surinko 131 balsą; antrajame ture liko du.", False),
        ("o septintas autobusas per mugę kur suks?", "Nr. 7 per mugę nevažiuos.", False),
        ("How many firms were paid in the first call?", "The call paid 30 firms.", False),
        ("Kada vyko antrasis Baltijos klasterių forumas?", "Pirmasis forumas surengtas 2018 m.", True),
        ("Kada vyko antrasis Baltijos klasterių forumas?", "Forumas surengtas 2018 m.", True),
        ("Kada vyko Baltijos klasterių forumas?", "Pirmasis forumas surengtas 2018 m.", False),
        ("Kiek paraiškų gauta trečiajame kvietime?", "Trečiojo kvietimo paraiškų buvo 40.", False),
        ("kiek paraisku gauta treciajame kvietime", "Antrajame kvietime gauta 40 paraiškų.", True),
        ("Kada vyko ketvirtasis susitikimas?", "Susitikimai: pirmasis – kovą, ketvirtasis – liepą.", False),
        ("What is the second condition?", "The first condition is a plan.", False),
    ],
)
def test_one_event_of_several_is_not_the_other(question: str, told: str, other: bool) -> None:
    assert is_of_another_time(question, told, told) is other


def test_a_call_that_is_over_is_not_the_next_one() -> None:
    told = "Paraiškos priimtos iki balandžio 2 d."
    for question in ("Kada bus kitas „InoKlaster“ kvietimas?", "when is the next InoKlaster call"):
        assert is_of_another_time(question, told, told, closed=True), question
        assert not is_of_another_time(question, told, told), question
    assert not is_of_another_time("Kada buvo „InoKlaster“ kvietimas?", told, told, closed=True)


def test_an_event_that_has_a_number_is_not_the_one_to_come_unless_that_is_told_of_too() -> None:
    question, told = (
        "Kada vyks kitas Baltijos klasterių forumas?",
        "Pirmasis Baltijos klasterių forumas surengtas 2018 m.",
    )
    assert is_of_another_time(question, told, told)
    announced = f"{told} Kitas forumas numatytas 2027 m."
    assert not is_of_another_time(question, announced, announced)
    assert not is_of_another_time(question, announced, announced, closed=True)
