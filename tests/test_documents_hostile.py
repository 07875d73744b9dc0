"""
What a file made to be slow costs: its work grows with its length and not with its square, or the file is refused, or the
draft says what was left out. Work is counted in calls; no clock.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from clusterqa.documents import markdown, plain, read, samples
from clusterqa.documents.formats import format_of
from clusterqa.documents.metadata import DEEPEST_TOML, front_matter
from clusterqa.errors import UnreadableDocument
from documents_fixtures import make_zip, reading, rows, shown


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, those of libraries and of Python itself too."""
    count = 0

    def called(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


PAGE = "<html><body><main><p>Klasteris yra įmonių grupė, kuri dirba kartu.</p>"

SHAPES: dict[str, tuple[str, Callable[[int], str]]] = {
    "unclosed paragraphs": ("html", lambda n: PAGE + "<p>a" * n),
    "unclosed items": ("html", lambda n: PAGE + "<ul><li>a" + "<li>b" * n),
    "unclosed cells": ("html", lambda n: PAGE + "<table><tr><td>a" + "<td>b" * n),
    "unclosed links": ("html", lambda n: PAGE + "<a href=x>a" * n),
    "a wide row and narrow ones": (
        "html",
        lambda n: f"{PAGE}<table><tr>{'<td>a</td>' * n}</tr>{'<tr><td>a</td><td>b</td></tr>' * n}</table>",
    ),
    "cells over many columns": ("html", lambda n: f"{PAGE}<table>{'<tr><td colspan=900>a<td>b</tr>' * n}</table>"),
    "cells over many rows": ("html", lambda n: f"{PAGE}<table>{'<tr><td rowspan=900>a<td>b</tr>' * n}</table>"),
    "quotation marks": ("csv", lambda n: '"a"\n' * n),
    "a wide row and narrow lines": ("csv", lambda n: "a," * n + "\n" + "1,2\n" * n),
    "names of many columns": ("csv", lambda n: ",".join(f"c{chr(97 + i % 26)}{i:x}"[:9] for i in range(n)) + "\n" + "1,2,3\n" * n),
    "rows of an RTF": ("rtf", lambda n: "{\\rtf1\\ansi Labas\\par \\trowd " + "a\\cell " * n + "\\row " + "\\trowd a\\cell b\\cell\\row " * n + "}"),
    "items": ("md", lambda n: "- a\n" * n),
    "headings": ("md", lambda n: "a\n===\n" * n),
    "comments": ("md", lambda n: "<!-- a -->\n\n" * n + "a\n"),
    "tables": ("md", lambda n: "a|b\n-|-\n1|2\n\n" * n),
    "receivers": ("eml", lambda n: "Subject: x\nTo: " + "Ona <ona@b.lt>, " * n + "\n\nTekstas apie klasterį.\n"),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_work_grows_with_the_length_of_a_file_and_not_with_its_square(tmp_path: Path, shape: str) -> None:
    suffix, make = SHAPES[shape]
    for name, size in (("warm", 40), ("small", 400), ("large", 1600)):
        (tmp_path / f"{name}.{suffix}").write_text(make(size))
    read(tmp_path / f"warm.{suffix}", "warm")
    small = calls(lambda: read(tmp_path / f"small.{suffix}", "small"))
    large = calls(lambda: read(tmp_path / f"large.{suffix}", "large"))
    assert large < 6 * small


# ── HTML ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "source",
    [
        "<html " * 20_000 + "><p>Tekstas apie klasterį.",
        "<meta " * 20_000 + "charset=x><p>Tekstas apie klasterį.",
        f"<style>{'@media ' * 20_000}</style><p>Tekstas apie klasterį.",
        f"<style>{'a ' * 50_000}</style><p>Tekstas apie klasterį.",
        f"<style>{'/* ' * 50_000}</style><p>Tekstas apie klasterį.",
    ],
)
def test_a_head_that_never_ends_is_looked_at_once(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.lt.html").write_text(source)
    try:
        assert "Tekstas apie klasterį." in read(tmp_path / "a.lt.html", "a.lt.html").text
    except UnreadableDocument as error:
        assert "more than 500 words" in error.reason


def test_comments_before_a_page_are_passed_over_once() -> None:
    """Each could be cut in two ways, and all ways were tried where no page followed."""
    assert format_of(b"<!-- a -->" * 60 + b"tekstas", "a.md", "a") == "markdown"
    assert format_of(b"<!-- a -->\n" * 60 + b"<!DOCTYPE html>", "a.html", "a") == "html"


def test_what_stands_below_many_unclosed_tags_is_read_or_the_page_is_refused(tmp_path: Path) -> None:
    """libxml2 ends a page silently where tags lie 256 deep in each other."""
    end = "<p>Pabaiga, kurios niekas neturi praleisti.</p>"
    document = reading(tmp_path, "a.lt.html", PAGE + "<font>a" * 300 + end)
    assert document.text.endswith("Pabaiga, kurios niekas neturi praleisti.")
    (tmp_path / "b.lt.html").write_text(PAGE + "<font>a" * 5000 + end)
    with pytest.raises(UnreadableDocument) as caught:
        read(tmp_path / "b.lt.html", "b.lt.html")
    assert caught.value.reason == "Its parts lie in each other too deeply."


def test_a_page_whose_text_stands_inside_a_tag_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.lt.html").write_text(f"{PAGE}<p Kaina a <b {'žodis ' * 2000} </p>")
    with pytest.raises(UnreadableDocument) as caught:
        read(tmp_path / "a.lt.html", "a.lt.html")
    assert "its text may stand inside a tag" in caught.value.reason and "<" in caught.value.next_step
    picture = f'<img src="data:image/png;base64,{"A" * 50_000}">'
    assert "dirba kartu" in reading(tmp_path, "b.lt.html", f"{PAGE}{picture}</main>").text


def test_a_rule_after_a_comment_hides_and_one_for_print_does_not(tmp_path: Path) -> None:
    style = "<style>/* x */ .a {display:none} @media print { .b {display:none} } /* } */ #c{display: none}</style>"
    body = "<p class=a>Slapta viena.</p><p class=b>Matoma eilutė.</p><p id=c>Slapta kita.</p>"
    document = reading(tmp_path, "a.lt.html", f"{style}{PAGE}{body}</main>")
    assert [text for _, text in shown(document)][1:] == ["Matoma eilutė."]


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", ["<p>a" * 20_000, "<br>" * 20_000, "<p>" * 20_000, "<td>1" * 20_000])
def test_a_page_of_more_tags_than_text_is_refused(tmp_path: Path, body: str) -> None:
    (tmp_path / "a.html").write_text(PAGE + body)
    with pytest.raises(UnreadableDocument, match="more tags than text"):
        read(tmp_path / "a.html", "a.html")


def test_a_large_table_of_figures_is_no_page_of_tags(tmp_path: Path) -> None:
    table = "<table>" + "<tr><td>Vilnius</td><td>12</td></tr>" * 5000 + "</table>"
    assert len(rows(reading(tmp_path, "a.lt.html", f"{PAGE}{table}"))) == 5000


def test_an_e_mail_of_a_thousand_parts_is_refused(tmp_path: Path) -> None:
    head = "Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    (tmp_path / "a.eml").write_text(head + "--b\n\na\n" * 1200 + "--b--\n")
    with pytest.raises(UnreadableDocument, match="more than 1000 parts"):
        read(tmp_path / "a.eml", "a.eml")


def workbook(*cells: tuple[int, int, object]) -> bytes:
    book = openpyxl.Workbook()
    for row, column, value in cells:
        book.active.cell(row, column, value)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_cells_far_apart_are_read_and_cost_what_there_is(tmp_path: Path) -> None:
    table = [
        (1, 1, "Narys"),
        (1, 2, "Miestas"),
        (1, 4, "Balsai"),
        (2, 1, "A"),
        (2, 4, 2),
        (3, 1, "B"),
        (3, 2, "Kaunas"),
        (3, 4, 3),
    ]
    stray = [(5, 16_000, "toli"), (1_000_000, 1, "žemai")]
    (tmp_path / "a.lt.xlsx").write_bytes(workbook(*table, *stray))
    read(tmp_path / "a.lt.xlsx", "a.lt.xlsx")
    assert calls(lambda: read(tmp_path / "a.lt.xlsx", "a.lt.xlsx")) < 100_000
    document = reading(tmp_path, "a.lt.xlsx", workbook(*table, *stray))
    header = "Narys | Miestas | Balsai"
    assert rows(document) == [(header, "A |  | 2"), (header, "B | Kaunas | 3")]
    assert [text for _, text in shown(document)][-2:] == ["toli", "žemai"]
    scattered = [(n, 1 + n * 7919 % 16_000, n) for n in range(1, 600)]
    scattered += [(n, 1 + n * 104_729 % 16_000, n) for n in range(1, 600)]
    (tmp_path / "b.lt.xlsx").write_bytes(workbook(*scattered))
    assert calls(lambda: read(tmp_path / "b.lt.xlsx", "b.lt.xlsx")) < 1_000_000


def test_a_row_carries_the_names_of_the_columns_that_it_has(tmp_path: Path) -> None:
    names = ",".join(f"Stulpelis {chr(97 + n % 26)}{'x' * (n // 26)}" for n in range(60))
    document = reading(tmp_path, "a.lt.csv", f"{names}\n" + "1,2\n" * 50)
    assert set(rows(document)) == {("Stulpelis a | Stulpelis b", "1 | 2")}


def test_a_row_of_texts_names_no_columns(tmp_path: Path) -> None:
    """Each row below would carry it: a file of 100 kB became one of gigabytes."""
    document = reading(tmp_path, "a.lt.csv", f"Vardas,{'ilgas ' * 2000},Miestas\n" + "Ona,ekspertė,Vilnius\n" * 200)
    assert rows(document)[1:] == [("", "Ona | ekspertė | Vilnius")] * 200
    assert sum(len(header) for header, _ in rows(document)) == 0


def test_a_table_of_nothing_but_merged_cells_says_each_once(tmp_path: Path) -> None:
    wide = "<tr>" + "<td>x</td>" * 800 + "</tr>"
    spans = "<tr><td rowspan=800 colspan=800>žodis</td></tr><tr><td rowspan=900>a</td><td>b</td></tr>" * 300
    document = reading(tmp_path, "a.lt.html", f"{PAGE}<table>{wide}{spans}</table>")
    assert document.text.count("žodis") == 300


def test_a_cell_stored_once_for_many_columns_is_no_load(tmp_path: Path) -> None:
    table = '<x:table xmlns:x="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><x:table-row>{}</x:table-row></x:table>'
    cells = "".join(
        f'<x:table-cell x:number-columns-repeated="{times}"><t:p>a{n}</t:p></x:table-cell>'
        for n, times in enumerate([3, *[900] * 100, 99_999])
    )
    with zipfile.ZipFile(io.BytesIO(samples.SAMPLES["odt"]())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["content.xml"] = parts["content.xml"].replace(b"</o:text>", table.format(cells).encode() + b"</o:text>")
    ((_, row),) = rows(reading(tmp_path, "a.lt.odt", make_zip(parts)))
    assert row.startswith("a0 | a0 | a0 | a1 | a1") and row.endswith("a99 | a100 | a101")
    assert len(row) < 30_000


# ── Markdown ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "source", [">" * 90 + " a\n" + "b\n" * 3000, ("> - " * 40 + "a\n") * 3000, "".join(f"{'  ' * n}- a{n}\n" for n in range(80))]
)  # fmt: skip
def test_quotes_in_quotes_without_end_are_read_as_plain_text_and_it_is_said(source: str) -> None:
    extract = markdown.extract(source)
    assert extract.warnings == (
        "Its quotes and lists lie too deeply in each other; it was read as plain text, with their marks.",
    )
    covered = "".join(text for _, text in shown(extract))
    assert covered.count("a") + covered.count("b") == source.count("a") + source.count("b")


def test_a_long_list_without_a_break_is_a_list() -> None:
    extract = markdown.extract("- a\n" * 10_000 + "  - b\n" * 10_000)
    assert extract.warnings == () and len(extract.blocks) == 20_000


def test_comments_at_the_edges_of_a_paragraph_are_not_quoted() -> None:
    many = "<!-- a -->" * 20_000
    assert shown(markdown.extract(f"Pirma. {many}\n\n{many}\nAntra <!-- b --> eilutė.<!-- <!-- c -->\n")) == [
        ("paragraph", "Pirma."),
        ("paragraph", "Antra <!-- b --> eilutė."),
    ]


def test_names_of_columns_full_of_marks_keep_them() -> None:
    source = "".join(f"| {'[' * 1500} | Kaina |\n|---|---|\n| a | {n} |\n\n" for n in range(100))
    found = rows(markdown.extract(source))
    assert [text for _, text in found] == [f"a | {n}" for n in range(100)]
    assert all(header.endswith("| Kaina") for header, _ in found)


def test_front_matter_of_dots_or_empty_lines_takes_no_time() -> None:
    metadata, _, warnings = front_matter(f'+++\ntitle = "A"\n{"a." * 50_000}b = 1\n+++\ntekstas')
    assert metadata.title is None and "too many dots" in warnings[0]
    assert front_matter(f'+++\ntitle = "A"\n{"a." * DEEPEST_TOML}b = 1\n+++\ntekstas')[0].title == "A"
    assert front_matter("---\n" + "\r\n" * 60 + "!\n---\ntekstas")[1] == 0


# ── plain text, e-mail ──────────────────────────────────────────────────────────────────────────────────────────


def test_headings_with_nothing_between_are_read_one_after_the_other() -> None:
    """They were taken one inside the other, and 400 of them refused the file."""
    found = shown(plain.extract("Skyrius\n=======\n" * 2000 + "Tekstas.\n"))
    assert found == [("heading", "Skyrius")] * 2000 + [("paragraph", "Tekstas.")]


@pytest.mark.parametrize(
    "field",
    [
        "To: <",
        "To: <=?x?b?!!?=",
        "To: <=?utf-8?b?a?=",
        "From: a@",
        "Cc: ,;<",
        'To: "',
        "Subject: =?",
        "Date: <",
        "Content-Type: text/plain; charset=x",
    ],
)
def test_a_field_that_pythons_parser_trips_over_takes_no_text_away(tmp_path: Path, field: str) -> None:
    document = reading(tmp_path, "a.eml", f"Subject: Vartai\n{field}\n\nVartai uždaromi devintą.\n".encode())
    assert "Vartai uždaromi devintą." in document.text


def test_many_receivers_are_kept_and_a_broken_head_is_refused(tmp_path: Path) -> None:
    everyone = ", ".join(f"Ona Onaitė {n} <ona{n}@b.lt>" for n in range(500))
    document = reading(tmp_path, "a.lt.eml", f"Subject: Kvietimas\nTo: {everyone}\n\nLaba diena.\n")
    assert f"To: {everyone}" in document.text
    assert shown(document) == [("heading", "Kvietimas"), ("paragraph", "Laba diena.")]
    (tmp_path / "b.lt.eml").write_text(f"Subject: x\nContent-Type: text/plain; {';' * 50_000}\n\nLaba diena.\n")
    with pytest.raises(UnreadableDocument) as caught:
        read(tmp_path / "b.lt.eml", "b.lt.eml")
    assert caught.value.reason == "The field “Content-Type” in its head is longer than 2000 characters."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("sep=|\na|1,5\nb|2,5\n", ["a | 1,5", "b | 2,5"]),
        ('Ona; "Vilnius, Kaunas"\nJonas; Klaipėda, Palanga\n', ["Ona | Vilnius, Kaunas", "Jonas | Klaipėda, Palanga"]),
        ("a,1\nb,2\nc;d,3\n", ["a | 1", "b | 2", "c;d | 3"]),
        ("Vienas stulpelis\nKita eilutė\n", ["Vienas stulpelis", "Kita eilutė"]),
    ],
)
def test_the_sign_between_cells_is_told_by_the_rows(tmp_path: Path, source: str, expected: list[str]) -> None:
    assert [text for _, text in rows(reading(tmp_path, "a.lt.csv", source))] == expected


@pytest.mark.parametrize("encoding", ["utf-8", "cp1257"])
def test_letters_that_stand_uncoded_in_a_head_are_kept(tmp_path: Path, encoding: str) -> None:
    source = "Subject: Dėl ženklo\nFrom: Jonas Šimkus <jonas@b.lt>\n\nLaba diena, čia trumpas laiškas.\n".encode(
        encoding
    )
    document = reading(tmp_path, "a.lt.eml", source)
    assert document.title == "Dėl ženklo" and "From: Jonas Šimkus <jonas@b.lt>" in document.text


def test_a_workbook_of_merged_cells_is_refused_before_they_are_made(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(("Kaina", 600))
    file = io.BytesIO()
    book.save(file)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    merged = b'</sheetData><mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    parts[sheet] = parts[sheet].replace(b"</sheetData>", merged)
    (tmp_path / "a.lt.xlsx").write_bytes(make_zip(parts))
    with pytest.raises(UnreadableDocument) as caught:
        read(tmp_path / "a.lt.xlsx", "a.lt.xlsx")
    assert caught.value.reason == "More than 200,000 of its cells are merged."
