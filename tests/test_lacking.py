"""What plainly holds nothing of what is asked for is no answer; nearly anything of the kind is enough."""

from __future__ import annotations

import time

import pytest

from clusterqa.text.answer_types import expected, holds
from clusterqa.text.lacking import lacks


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Inovacijų agentūros el. paštas?", "Kreipkitės tiesiai į Inovacijų agentūrą."),
        ("o koks ju el. pastas?", "Klasterį koordinuoja asociacija „LITEK“ (2015 m.)."),
        ("What is the coordinator's e-mail address?", "The coordinator answers by e-mail within two days."),
        ("LitMEA telefonas", "LitMEA adresas – Savanorių pr. 235, Vilnius."),
        ("water company phone number", "A blocked drain – the water company, not the eldership."),
        ("Kiek muziejų turi ženklą?", "Ženklas suteikiamas 2019 m. patvirtinta tvarka."),
        ("Sveiki, esame trys įmonės. Kiek narių ateina į susirinkimą?", "Susirinkime renkama valdyba."),
        ("How many votes did Paulius get?", "The candidate Paulius received less than the others in 2021."),
        ("Kada bus kitas kvietimas?", "Paramą skirsto agentūra, kuri vertina paraiškas."),
        ("Kiek laiko galioja leidimas?", "Leidimą išduoda savivaldybė."),
        ("How long is the permit valid?", "The municipality issues the permit."),
        ("autobuso bilieto kaina", "Bilietą galima perleisti kitam asmeniui balandžio 7 d."),
        ("What is the price of the second reactor?", "The purchase was put off in 2023: a permit is missing."),
        ("Kas vadovauja Inovacijų agentūrai?", "Inovacijų agentūrai patikėta valdyti paramą."),
        ("Who was its first president?", "On 27 May 2020 the founding agreement is signed."),
        ("Kiek kainuoja papildomas tyrimas?", "Gaminius tris kartus per metus tiria laboratorija."),
        ("How much does the tour cost?", "Tours at 10:00 and 14:00, 20 people each, lasting 50 minutes."),
        ("What is the price of the F-610 filter?", "Filter: F-410 or F-610."),
        ("Kiek laiko trunka apeliacija?", "Pritarė 14 narių iš 20."),
        ("How long does the audit take?", "The auditor writes a report for the board."),
        ("Kiek procentų klasterių neišlaiko audito?", "2014 m. ženklą turėjo 566 klasteriai."),
        ("What share of the holders move on to Silver?", "Ten clusters hold the Bronze Label."),
        ("koks pvm tarifas taikomas vertinimui", "Vertinimas kainuoja 1 650 Eur be PVM."),
        ("Kokia dalis klasterių neišlaiko?", "Ženklą turėjo 566 organizacijos iš 35 šalių."),
        ("What time does it open?", "It opens on weekdays only."),
        ("Kokio dydžio turi būti stendas?", "Stendą statome kartu su partneriais."),
    ],
)
def test_a_text_without_the_kind_of_thing_that_is_asked_for_is_no_answer(question: str, text: str) -> None:
    assert lacks(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Inovacijų agentūros el. paštas?", "Rašykite info@agentura.example."),
        ("Koks agentūros el. paštas?", "Agentūros el. pašto adresas nenurodytas."),
        ("Ar paraišką galima siųsti el. paštu?", "Taip, arba paštu."),
        ("How do I apply by e-mail?", "Attach the form and sign it."),
        ("LitMEA telefonas", "Tel. 8 5 264 90 72"),
        ("Kokiu numeriu skambinti?", "Skambinkite telefonu 1808."),
        ("phone number?", "Telephone | +49 30 310078"),
        ("What share of the dogs pass?", "Roughly six dogs in ten qualify."),
        ("Kokia dalis narių balsavo?", "Balsavo kas trečias narys."),
        ("What proportion is paid back?", "A third of the costs is paid back."),
        ("Kurią dalį skaitė autorė?", "Autorė skaitė pabaigą."),
        ("Kiek muziejų turi ženklą?", "Ženklą turi keturi muziejai."),
        ("How many votes did Paulius get?", "Nobody voted for him."),
        ("Kada bus kitas kvietimas?", "Kvietimas skelbiamas rudenį."),
        ("When do I pay?", "On the day of the visit."),
        ("Kiek laiko galioja leidimas?", "Leidimas galioja neribotai."),
        ("kiek laiko saugoti sąrašus", "Jie saugomi tiek, kiek jų reikia ataskaitai."),
        ("autobuso bilieto kaina", "Vaikai važiuoja nemokamai."),
        ("How much does the Silver Label cost?", "The price depends on the size of the cluster."),
        ("Kiek kainuoja vertinimas?", "Kaina puslapyje nenurodyta."),
        ("Kas vadovauja KlasterLT?", "Tinklo vadove tapo Irmina Valytė."),
        ("Kas yra klasterio vadovas?", "Tas, kas rengia susirinkimus."),
        ("Kodėl kaina skiriasi?", "Mažesni klasteriai vertinami trumpiau."),
        ("Ko reikia, kad žinotume, kiek mokėti?", "Pasirašykite sutartį."),
        ("Kiek kainuoja pakartotinis auditas?", "Mokamas dvigubas mokestis."),
        ("How much does a certificate cost?", "Paper | 26 | 14"),
        ("What is the charge?", "150 crowns."),
        ("Kiek laiko laukti?", "Laukti reikia penkerius metus."),
        ("How long until it may try again?", "Never."),
        ("Kiek narių turi klasteris?", "Klasteriui priklauso trisdešimt aštuoni nariai."),
        ("How many people work there?", "Nobody, since 2020."),
        ("Kiek procentų klasterių neišlaiko audito?", "Neišlaiko kas dešimtas: 10 proc."),
        ("What time does it open?", "From 8 to 17."),
        ("When did he die?", "He died in 1661."),
        ("When will the council meet?", "The day has not been fixed."),
    ],
)
def test_anything_of_the_kind_is_enough_and_what_is_not_asked_for_plainly_is_not_looked_for(
    question: str, text: str
) -> None:
    assert not lacks(question, text)


def test_dates_and_sums_are_no_telephone_numbers() -> None:
    for text in ("2019–2023 m. 750 000 Eur", "1 650 000 Eur", "ISO 9001:2015", "nuo 2015-05-04 iki 2016-06-05"):
        assert not holds(text, "phone"), text


def test_a_question_that_only_mentions_a_telephone_asks_for_none() -> None:
    for question in (
        "Can I phone in to dispute a bill?",
        "mano telefonas senas, kas man bus?",
        "Skambinti telefonu ar rašyti?",
    ):
        assert expected(question) is None, question


@pytest.mark.parametrize(
    ("sentence", "is_one"),
    [
        ("Vertinama vaizdo konferencija, nes taip pigiau.", True),
        ("Video interviews are held because travel is dear.", True),
        ("Jei nėra klausimų, posėdis baigiamas.", False),
        ("Since 2019 interviews are held by video.", False),
    ],
)
def test_why_wants_a_reason(sentence: str, is_one: bool) -> None:
    assert expected("Kodėl kainuoja tiek daug?") == "reason"
    assert expected("Why is it held by video?") == "reason"
    assert holds(sentence, "reason") is is_one


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How long does it take?", "The visit takes 45 min."),
        ("Kiek laiko trunka?", "Trunka 36 mėn."),
        ("How long is the course?", "Two semesters."),
        ("What time does it open?", "It is open 24/7."),
        ("When do I have to pay?", "Payment is due on arrival."),
        ("Kada mokėti?", "Mokama atvykus."),
        ("Kiek procentų kompensuojama?", "Kompensuojama du trečdaliai išlaidų."),
    ],
)
def test_short_and_plain_ways_to_say_it_are_enough(question: str, text: str) -> None:
    assert not lacks(question, text)


@pytest.mark.parametrize(
    "text", ["-" * 5_000, "1" * 5_000, "1., " * 5_000, "nuo " * 5_000, "12 345 " * 5_000], ids=lambda text: text[:4]
)
def test_long_rows_of_signs_take_no_time(text: str) -> None:
    begin = time.process_time()
    for question in ("How long does it take?", "How much does it cost?", "When does it open?"):
        lacks(question, text)
    assert time.process_time() - begin < 5
