"""Sentences end where a reader of Lithuanian or English would end them, and nothing of the text is lost."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clusterqa.records import Language
from clusterqa.text.sentences import LONGEST, SPLIT_AT, sentences

# In each text, "¦" marks where one sentence ends and the next begins.
LITHUANIAN = [
    "Klasteris yra įmonių grupė.¦Ją valdo koordinatorius.",
    "Kiek kainuoja ženklas?¦Nuo 1 650 Eur.",
    "Puiku!¦Bet kas toliau?¦Matysime…¦Gal pavyks.",
    "Ženklas suteiktas 2018 m. kovo 5 d.¦Klasteris gavo bronzą.",
    "Ženklas suteiktas 2018 m. kovo 5 d. ir galioja dvejus metus.",
    "2018 m. kovo 5 d. Klasterių forume pasirašyta sutartis.",
    "Kovo 5 d. Vilniuje vyko renginys.",
    "Taip nurodyta 2014 m. kovo 22 d. Tarybos reglamente Nr. 583.",
    "Jis patvirtintas 2020 m. gruodžio 10 d. Ekonomikos ir inovacijų ministro įsakymu Nr. 4-1109.",
    "Kvietimas paskelbtas š. m. rugsėjį.¦Jis jau baigtas.",
    "Klasteris veikia nuo 2013 m.¦2019–2023 m. vykdytas projektas.",
    "Ekspertas sertifikuotas 2017 m.¦Šie teiginiai nesutampa.",
    "Klasteris įkurtas 2014 m.¦Klasterio nariai yra dešimt įmonių.",
    "2014 m. Lietuvoje veikė dešimt klasterių.",
    "Pirmoji dėl to 2019 m. Bukarešte susitarė asociacija.",
    "Tinklo iniciatyva gimė 2019 m. spalio 2 d. Klasterių forume.",
    "Forumas surengtas 2018 m. gegužės 16 d.¦Pirmajame forume dalyvavo visi.",
    "Jos nereikėtų painioti su 2024 m. „InoKlaster“ kvietimu.",
    "„LitCare“ veikia nuo 2013 m. (2019 m. duomenimis).",
    "Pagal 2018 m. ESCA aiškinimą ženklas galioja.",
    "Parama siekė 2,5–5 mln. Eur projektui.",
    "Išmokėta 1,2 mlrd. Eur, o 75 proc. Lietuvos įmonių ja pasinaudojo.",
    "Išlaidos siekė 42 mln. Eur.¦„Verslo klasteris LT“ jau baigtas.",
    "Dalyvavo apie 3 tūkst. įmonių.",
    "Pritarė 84 proc.¦Kiti susilaikė.",
    "Pvz., klasteris gali turėti 10 narių, pvz. Kauno įmones.",
    "Vertinama valdymo organizacija, t. y. koordinatorius.",
    "Vertinama valdymo organizacija, t.y. Koordinatorius.",
    "Tai seminarai, mugės ir pan.¦Norėdami dalyvauti, registruokitės.",
    "Tai seminarai, mugės ir kt.¦Dalyvauti gali visi.",
    "Tai seminarai, mugės ir t. t.¦Dalyvauti gali visi.",
    "Nariai (įmonės, universitetai ir kt.) Lietuvoje moka mokestį.",
    "Žr. 3 priedą ir plg. II skyrių.",
    "Klasterio vad. J. Jonaitis, tel. 8 600 00000, el. p. info@klasteris.lt, atsako raštu.",
    "Įkurtas Vilniuje, Gedimino pr. 5, prie S. Daukanto a. 3.",
    "Adresas: Savanorių pr. 235, Vilnius.¦Čia dirba LITEK.",
    "Posėdis vyks Mokyklos g. 5.¦Pradžia 10 val. ryto.",
    "Pokalbis trunka 90 min.¦Ekspertas užduoda 36 klausimus.",
    "Susirinkome 15 val.¦Darbotvarkė buvo trumpa.",
    "Klasterį tyrė prof. Jonas Petraitis ir doc. dr. Ona Onaitė.",
    "Kalbėjo J. Basanavičius.¦Jam pritarė J. R. R. Tolkinas ir J.-P. Sartras.",
    "Vadovė K. Šermukšnytė pelnė apdovanojimą.",
    "Tais pačiais 2022 m. Kristina pelnė apdovanojimą.",
    "Tai nustato įstatymo 3 str. 2 d. ir 5 str.",
    "Narys gali būti UAB.¦Gali būti ir VšĮ.",
    "Užsakyta 30 vnt. Europos standartą atitinkančių prietaisų.",
    "1. Pirmas žingsnis – paraiška.¦2. Antras žingsnis – auditas.",
    "3.2. Auditas vyksta vietoje.",
    "a. Klasterio strategija.",
    "3. ir 4. punktai nekeičiami.",
    "Rodiklis pakilo nuo 1.5 iki 2.5 punkto.",
    "Rašykite info@clusterqa.lt.¦Svetainė https://www.cluster-analysis.org/gold.html veikia.",
    "Atsisiųskite planas.v2.pdf.¦Jį rasite klaster.lt svetainėje.",
    "„Ženklas reikalingas.“¦Taip sakė vadovė.",
    "„Ar ženklas reikalingas?“ – klausė vadovė.",
    "Jis tarė: „Taip.“ ir išėjo.",
    "Ženklas (angl. Bronze Label) yra pirmas.¦(Kiti du – vėliau.)¦Pabaiga.",
    "Pirma dalis; antra dalis; trečia dalis.",
    "Klasteris gavo\nženklą, kuris\nBriuselyje žinomas.¦Jis\ndidžiuojasi.",
    "Antraštė be taško¦¦Pirmas sakinys.",
    "Taip.¹¦Ne.[12]¦Galbūt.",
    "Ką reiškia „...“? niekas nežino.",
    "Ir taip... be galo.¦Ir be krašto.",
    "**Aukso ženklas.**¦Jis aukščiausias.",
    "Pabaiga 😀¦¦😀 Pradžia.",
]
ENGLISH = [
    "A cluster is a group.¦It has a manager.",
    "How much is it?¦It is EUR 1,650.",
    "Use a recognised method, e.g. Benchmarking, i.e. a comparison.",
    "See No. 5 and Nos. 6–7, Art. 3 and Fig. 2.",
    "Is it required?¦No.¦We checked.",
    "It is the state of the art.¦We use it.",
    "Mr. Kergel met Mrs. Smith and Dr. Floch at St. Mary's.¦They agreed.",
    "J. R. R. Tolkien and J. Smith wrote it.",
    "Acme Inc. makes labels and Beta Ltd. Berlin sells them.",
    "It was bought by Acme Inc.¦The price is unknown.",
    "Bring plans, reports, etc.¦The expert reads them.",
    "Bring plans, reports, etc. when you come.",
    "It costs approx. 600 EUR vs. Nothing at all.",
    "It was held in the U.S.¦The next one is in the U.K. Parliament.",
    "It opens at 9 a.m. Monday.¦Come early.",
    "It was 3.5 per cent in version 2.0.¦That is less.",
    "He said: “It is done.”¦She agreed.",
    "“Is it done?” she asked.",
    "It happened in 2018.¦Two labels followed.",
    "It ended in 2018.¦2019 was better.",
    "We learnt a lot.¦The others did not.",
    "Wait... what?¦Nothing…¦Fine.",
    "(See the annex.)¦The annex is long.",
    "Yes!!!¦Really?!¦Yes.",
    "Order No. 4-131 of 27 February 2014 is in force.",
    "First point;\nsecond point;\nthird point.",
    "- First item.¦\n- Second item",
    "It is [...] Not known.",
    "Three members carry out R&D.¦Members pay a fee.",
    "The plan is B.¦The other plan is A.",
]


def cut(text: str, language: Language = "lt") -> list[str]:
    return [text[span.start : span.end] for span in sentences(text, language=language)]


def expected(marked: str) -> tuple[str, list[str]]:
    if "¦¦" in marked:
        return marked.replace("¦¦", "\n\n"), marked.split("¦¦")
    if "¦\n" in marked:
        return marked.replace("¦\n", "\n"), marked.split("¦\n")
    return marked.replace("¦", " "), marked.split("¦")


@pytest.mark.parametrize("marked", LITHUANIAN + ENGLISH)
def test_a_sentence_ends_where_a_reader_would_end_it(marked):
    text, whole = expected(marked)
    language: Language = "en" if marked in ENGLISH else "lt"
    assert cut(text, language) == whole


@pytest.mark.parametrize("marked", [m for m in LITHUANIAN + ENGLISH if "lot." not in m])
def test_the_rules_of_both_languages_are_always_on(marked):
    text, whole = expected(marked)
    assert cut(text, "lt") == cut(text, "en") == whole


def test_an_everyday_word_of_english_is_no_abbreviation_in_english():
    assert len(cut("We learnt a lot. They did not.", "en")) == 2
    assert len(cut("Tai (lot. Ordo) reiškia tvarką.", "lt")) == 1


@pytest.mark.parametrize("gap", ["\n\n", "\n \t\n", "\r\n\r\n", "\r\r", "\n\n\n\n", "\f", "\u2029"])
def test_a_blank_line_ends_a_sentence(gap):
    assert cut(f"be taško{gap}ir toliau") == ["be taško", "ir toliau"]


@pytest.mark.parametrize("gap", ["\n", "\r\n", "\n   ", "\u2028", "\u00a0"])
def test_a_line_break_does_not_end_a_sentence(gap):
    assert len(cut(f"be taško{gap}ir toliau")) == 1


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u00a0\t\u2003"])
def test_a_blank_text_has_no_sentence(text):
    assert sentences(text) == ()


def test_only_the_part_asked_for_is_cut():
    text = "Pirmas. Antras. Trečias. Ketvirtas."
    assert [text[s.start : s.end] for s in sentences(text, 8, 24)] == ["Antras.", "Trečias."]
    assert [text[s.start : s.end] for s in sentences(text, 10, 19)] == ["tras.", "Tre"]


def test_letters_written_as_letter_and_accent_change_nothing():
    text = "Vyko š. m. gegužės 5 d. Šiauliuose.¦Ąžuolas žydėjo."
    decomposed = unicodedata.normalize("NFD", text)
    assert cut(decomposed.replace("¦", " ")) == decomposed.split("¦")


def test_a_long_sentence_is_split_between_clauses_only_when_it_is_too_long():
    clause = "klasterio nariai moka mokestį ir dalyvauja susitikimuose"
    short = "; ".join([clause] * (SPLIT_AT // (len(clause) + 2))) + "."
    assert len(short) <= SPLIT_AT
    assert cut(short) == [short]
    for separator in ("; ", " – "):
        pieces = cut(separator.join([clause] * 40) + ".")
        assert len(pieces) > 3
        assert all(len(piece) <= SPLIT_AT for piece in pieces)
        assert all(piece.strip("–;. ").startswith("klasterio") for piece in pieces)
        assert all(piece.strip("–;. ").endswith("susitikimuose") for piece in pieces)


def test_a_sentence_without_clauses_is_split_only_beyond_the_hard_limit():
    words = "klasteris " * 90
    assert cut(words) == [words.strip()]
    pieces = cut("klasteris " * 300)
    assert all(len(piece) <= LONGEST for piece in pieces)
    assert " ".join(pieces) == ("klasteris " * 300).strip()
    assert [len(piece) for piece in cut("a" * 2_500)] == [1_000, 1_000, 500]


FRAGMENTS = [
    *("m.", "d.", "t.", "y.", "Nr.", "2018", "5", "kovo", "Klasteris", "klasteris", "J.", "ESCA", "„", "“", "(", ")"),
    *(".", "!", "?", "…", ";", " – ", " ", "\n", "\n\n", "\r\n", "- ", "•", "\u00a0", "😀", "ž", "x" * 400, "[1]"),
]
PIECES = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5)).map("".join)


@given(st.text() | PIECES, st.sampled_from(["lt", "en"]))
@example("." * 3_000, "lt")
@example(("žodis; " * 200), "lt")
def test_the_spans_are_ordered_apart_and_hold_every_character(text, language):
    spans = sentences(text, language=language)
    position = 0
    for span in spans:
        assert position <= span.start < span.end <= len(text)
        assert not text[position : span.start].strip()
        assert text[span.start : span.end] == text[span.start : span.end].strip()
        assert len(span) <= LONGEST
        position = span.end
    assert not text[position:].strip()


@given(PIECES, st.integers(0, 60), st.integers(0, 60))
def test_a_part_of_a_text_is_cut_within_its_bounds(text, start, end):
    spans = sentences(text, start, end)
    assert all(start <= span.start < span.end <= end for span in spans)
    assert "".join("".join(text[span.start : span.end] for span in spans).split()) == "".join(text[start:end].split())


@pytest.mark.parametrize(
    "piece", [".", "x", "a. ", "t. ", "A. B. ", "5 d. Tarybos ", "\n ", ".)", "; ", "„", ".*", " ", "J", "e.g", "1. "]
)
def test_hostile_texts_take_no_longer_than_plain_ones(piece):
    text = piece * (200_000 // len(piece)) + "x"
    before = time.process_time()
    sentences(text)
    assert time.process_time() - before < 3  # about 0.2 s; a quadratic rule takes minutes
