"""What the corpus check promises: each fault is named where it stands, with what to do, and a good corpus has none."""

from __future__ import annotations

import datetime
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner

from clusterqa.cli import cli
from clusterqa.corpus.check import LONGEST_SENTENCE, Fault, check_corpus
from documents_fixtures import make_docx

TODAY = datetime.date(2026, 11, 23)

FRONT = """---
title: {title}
language: {language}
date: 2026-11-16
sources:
  - https://example.org/klasteriai
---
"""
LT = FRONT.format(title="Bronzos ženklas", language="lt")
EN = FRONT.format(title="The Bronze Label", language="en")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


def found(corpus: Path, **files: str) -> list[Fault]:
    """
    The faults, remarks included, of a corpus of these files: `a` is a lone Markdown text, `a_lt` and `a_en` are a pair.
    """
    for name, text in files.items():
        stem, _, language = name.partition("_")
        (corpus / f"{stem}{'.' if language else ''}{language}.md").write_text(text, encoding="utf-8")
    return list(check_corpus(corpus, TODAY).found)


def only(corpus: Path, text: str, language: str = "lt") -> Fault:
    """The one fault of a corpus of one document with this text below whole front matter."""
    (fault,) = found(corpus, a=(LT if language == "lt" else EN) + text)
    return fault


def test_a_pair_in_good_order_has_no_fault(corpus: Path) -> None:
    good_lt = LT + "Bronzos ženklas galioja dvejus metus nuo 2024\u00a0m. kovo 5\u00a0d. ir vadinamas „bronza“.\n"
    good_en = EN + "The Bronze Label is valid for two years from 5 March 2024; Lithuanian says „bronza“ or “bronze”.\n"
    (corpus / "a.lt.md").write_text(good_lt, encoding="utf-8")
    (corpus / "a.en.md").write_text(good_en, encoding="utf-8")
    report = check_corpus(corpus, TODAY)
    assert (report.documents, report.pairs, report.found) == (2, 1, ())


def test_our_own_corpus_has_no_fault() -> None:
    report = check_corpus(Path(__file__).parent.parent / "corpus")
    assert [f"{fault.place}: {fault.detail}" for fault in report.faults] == []
    assert report.pairs * 2 == report.documents >= 130


def test_missing_metadata_are_named_all_at_once(corpus: Path) -> None:
    (fault,) = found(corpus, zenklas="# Kas tai yra\n\nBronzos ženklas galioja.\n")
    assert (fault.document, fault.rule) == ("zenklas.md", "metadata")
    assert fault.detail == "There is no language, no date, no sources; state it in the front matter."


def test_a_title_made_from_the_file_name_is_no_title(corpus: Path) -> None:
    (fault,) = found(corpus, zenklas=LT.replace("title: Bronzos ženklas\n", "") + "Ženklas galioja.\n")
    assert fault.detail == "There is no title; state it in the front matter."


def test_a_stated_title_may_be_the_file_name(corpus: Path) -> None:
    assert found(corpus, zenklas=LT.replace("Bronzos ženklas", "Zenklas") + "Ženklas galioja.\n") == []


def test_a_word_document_needs_a_sidecar(corpus: Path) -> None:
    (corpus / "a.docx").write_bytes(make_docx(lambda d: d.add_paragraph("Bronzos ženklas galioja dvejus metus.")))
    (fault,) = found(corpus)
    assert "no sources; state it in the sidecar a.docx.yaml" in fault.detail
    sidecar = LT.replace("---\n", "")
    (corpus / "a.docx.yaml").write_text(sidecar, encoding="utf-8")
    assert found(corpus) == []


def test_a_date_that_cannot_be_read_and_one_to_come_are_faults(corpus: Path) -> None:
    unreadable, missing = found(corpus, a=LT.replace("2026-11-16", "16/11/2026") + "Ženklas galioja.\n")
    assert "“16/11/2026” is not a date" in unreadable.detail
    assert missing.detail == "There is no date; state it in the front matter."
    (fault,) = found(corpus, a=LT.replace("2026-11-16", "2026-11-24") + "Ženklas galioja.\n")
    assert fault.detail.startswith("Its date, 2026-11-24, is still to come")


def test_a_source_that_is_no_address_is_a_fault(corpus: Path) -> None:
    (fault,) = found(
        corpus, a=LT.replace("https://example.org/klasteriai", "https:/example.org") + "Ženklas galioja.\n"
    )
    assert (fault.rule, fault.detail[:32]) == ("link", "The source https:/example.org is")


def test_a_missing_twin_is_named(corpus: Path) -> None:
    (fault,) = found(corpus, a_lt=LT + "Ženklas galioja.\n")
    assert (fault.document, fault.rule) == ("a.lt.md", "pair")
    assert fault.detail.startswith("Its translation a.en.md is missing")


def test_a_translation_of_nothing_and_of_the_same_language_are_faults(corpus: Path) -> None:
    text = LT.replace("title:", "translation_of: b.md\ntitle:") + "Ženklas galioja.\n"
    (fault,) = found(corpus, a=text)
    assert fault.detail.startswith("It translates b.md, which is not there")
    (fault,) = found(corpus, a=text, b=LT + "Auksas yra kitas dalykas.\n")
    assert fault.detail == "It translates b.md, but both are in the same language."


def test_translation_of_makes_a_pair_whatever_the_names(corpus: Path) -> None:
    english = EN.replace("title:", "translation_of: zenklas.lt.md\ntitle:") + "The label is valid.\n"
    assert found(corpus, zenklas_lt=LT + "Ženklas galioja.\n", label=english) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Žr. [kainas](kainos.lt.md).", "The link leads to kainos.lt.md, which is not in the corpus."),
        ("Žr. [kainas]().", "The link [kainas]() lacks a text or a target."),
        ("Žr. [](https://example.org/a).", "The link [](https://example.org/a) lacks a text or a target."),
        ("Žr. http://localhost, ten rašoma.", "http://localhost is no whole address; write it in full."),
        ("Žr. https:/example.org, ten rašoma.", "https:/example.org is no whole address; write it in full."),
    ],
)
def test_a_link_that_leads_nowhere_is_a_fault(corpus: Path, text: str, told: str) -> None:
    fault = only(corpus, f"Pirma eilutė.\n\n{text}\n")
    assert (fault.rule, fault.line, fault.detail) == ("link", 10, told)


def test_links_that_lead_somewhere_are_none(corpus: Path) -> None:
    text = "Žr. [save](a.md#kaina), [svetainę](https://example.org/a_(b)), https://www.example.org/x. ir www.lca.lt.\n"
    assert found(corpus, a=LT + text) == []


@pytest.mark.parametrize(
    ("date", "language", "told"),
    [
        ("05/03/2024", "en", "The date 05/03/2024 can be read in two ways; write it as 5 March 2024"),
        ("2024.03.05", "lt", "The date 2024.03.05 can be read in two ways; write it as 2024 m. kovo 5 d."),
        ("5.3.24", "lt", "The date 5.3.24 can be read in two ways; write it as 2024 m. kovo 5 d."),
        ("2024 m. vasario 30 d.", "lt", "There is no such day as 2024\u00a0m. vasario 30\u00a0d."),
        ("31 April 2024", "en", "There is no such day as 31 April 2024"),
    ],
)
def test_an_unreadable_date_is_a_fault(corpus: Path, date: str, language: str, told: str) -> None:
    date = date.replace(" m.", "\u00a0m.").replace(" d.", "\u00a0d.")
    text = f"Tai įvyko {date} Vilniuje.\n" if language == "lt" else f"It was held on {date} in Vilnius.\n"
    fault = only(corpus, text, language)
    assert (fault.rule, fault.line, fault.detail) == ("date", 8, told)


@pytest.mark.parametrize("text", ["2024-03-05", "versija 1.2.3.4", "https://example.org/2024/03/05/a", "2,5–5 mln."])
def test_figures_that_are_no_dates_are_none(corpus: Path, text: str) -> None:
    assert [f for f in found(corpus, a=f"{LT}Rašoma {text} puslapyje.\n") if f.rule == "date"] == []


def test_a_sentence_too_long_to_quote_is_a_fault(corpus: Path) -> None:
    words = "ir klasteris dirba " * 40
    fault = only(corpus, f"Trumpas sakinys. Ilgas {words}toliau.\n")
    assert (fault.rule, fault.line) == ("sentence", 8)
    assert f"of at most {LONGEST_SENTENCE}" in fault.detail
    assert int(fault.detail.split()[3]) == len(f"Ilgas {words}toliau.")


def test_letters_written_apart_are_a_fault(corpus: Path) -> None:
    fault = only(corpus, "Klasteris gavo " + unicodedata.normalize("NFD", "ženklą") + ".\n")
    assert (fault.rule, fault.line) == ("unicode", 8)
    assert fault.detail.endswith("save it in NFC.")


@pytest.mark.parametrize(
    ("text", "language", "told"),
    [
        ('Klasteris "Smart Food" veikia.', "lt", 'The mark " in '),
        ("Klasteris “Smart Food” veikia.", "lt", "The mark ” in "),
        ("Klasteris «Smart Food» veikia.", "lt", "The mark « in "),
        ("Klasteris „Smart Food veikia.", "lt", "Nothing closes "),
        ("Klasteris Smart Food“ veikia.", "lt", "The mark “ in "),
        ('The cluster "Smart Food" works.', "en", 'The mark " in '),
        ("The cluster “Smart Food works.", "en", "Nothing closes "),
        ("The cluster Smart Food” works.", "en", "The mark ” in "),
    ],
)
def test_quotation_marks_of_another_language_or_alone_are_faults(
    corpus: Path, text: str, language: str, told: str
) -> None:
    front = LT if language == "lt" else EN
    faults = found(corpus, a=f"{front}{text}\n")
    assert {fault.rule for fault in faults} == {"quotation marks"}
    assert faults[0].detail.startswith(told)
    assert faults[0].detail.endswith(("write „…“", "add “") if language == "lt" else ("write “…”", "add ”"))


def test_two_documents_that_say_the_same_are_told_once_and_translations_are_not(corpus: Path) -> None:
    lithuanian = (
        "Klasterio koordinatorius kviečia narius į susirinkimą, rašo protokolą ir prižiūri terminus visus metus. " * 3
    )
    faults = found(
        corpus,
        a=LT + lithuanian + "\n",
        b=LT + "Visai kita pradžia. " + lithuanian + "\n",
        c=EN + "The coordinator calls members to a meeting, takes minutes and watches over deadlines all year.\n",
        d=LT + "Aukso ženklui reikia dviejų ekspertų, kurie dvi dienas klausinėja klasterio vadovą apie strategiją.\n",
    )
    (fault,) = faults
    assert (fault.document, fault.rule) == ("b.md", "duplicate")
    assert fault.detail.endswith("of its text also stands in a.md; keep one of the two, or merge them.")


def test_a_missing_non_breaking_space_is_only_a_remark(corpus: Path) -> None:
    fault = only(corpus, "Ženklas kainuoja 2 250\u00a0Eur.\n")
    assert (fault.rule, fault.remark) == ("space", True)


def test_an_unreadable_document_is_a_fault_and_an_unknown_type_a_remark(corpus: Path) -> None:
    (corpus / "a.pdf").write_bytes(b"%PDF-1.7 broken")
    (corpus / "b.zip").write_bytes(b"")
    unreadable, ignored = found(corpus)
    assert (unreadable.document, unreadable.rule, unreadable.remark) == ("a.pdf", "unreadable", False)
    assert (ignored.document, ignored.rule, ignored.remark) == ("b.zip", "ignored", True)


@pytest.mark.parametrize("words", [("--corpus", "{corpus}", "--documents"), ("--corpus",), ("--documents",)])
def test_doctor_prints_each_fault_and_fails(
    corpus: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    (corpus / "a.lt.md").write_text(LT + 'Klasteris "Smart Food" veikia.\n', encoding="utf-8")
    monkeypatch.chdir(corpus.parent)
    result = CliRunner().invoke(cli, ["doctor", *(word.format(corpus=corpus) for word in words)])
    said = result.stdout.splitlines()
    assert result.exit_code == 1
    assert said[0].startswith("BAD  a.lt.md (pair): Its translation a.en.md is missing")
    assert said[1].startswith('BAD  a.lt.md, line 8 (quotation marks): The mark " in [')
    assert said[-1].endswith(": 3 faults, 0 remarks")


def test_doctor_is_content_with_remarks(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (corpus / "a.md").write_text(LT + "Ženklas kainuoja 2 250\u00a0Eur.\n", encoding="utf-8")
    monkeypatch.chdir(corpus.parent)
    result = CliRunner().invoke(cli, ["doctor", "--corpus"])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].startswith("ok   a.md, line 8 (remark: space): ")
