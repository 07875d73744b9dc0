"""Pages of a PDF whose layout may have been misread are named, with what to look at; pages that are read right are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest
from reportlab.lib import colors
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Table

from clusterqa.documents.pdf_doubt import DOUBTS
from documents_fixtures import FONT, lines, make_pdf, reading

Page = Callable[[Canvas], None]

LEFT = ["Taryba svarsto prašymą per mėnesį", "ir apie sprendimą praneša raštu", "visiems, kurie jį pateikė, taip",
        "pat savivaldybei, kurioje yra", "pareiškėjo buveinė."]  # fmt: skip
RIGHT = ["Sprendimą galima apskųsti per", "dvidešimt darbo dienų teismui", "ar komisijai, kuri nagrinėja",
         "tokius ginčus prieš kreipiantis", "į teismą."]  # fmt: skip


def put(canvas: Canvas, texts: dict[tuple[float, float], str], size: float = 10) -> None:
    """Texts at their places, in their order."""
    canvas.setFont(FONT, size)
    for (left, y), text in texts.items():
        canvas.drawString(left, y, text)


def drawn(
    canvas: Canvas, table: list[list[str]], style: list[tuple[object, ...]], top: float = 600, **kept: object
) -> None:
    made = Table(table, style=[("FONT", (0, 0), (-1, -1), FONT, 10), *style], **kept)
    _, height = made.wrapOn(canvas, 450, 700)
    made.drawOn(canvas, 72, top - height)


def labels_before_values(canvas: Canvas) -> None:
    """A form whose labels the file holds first, each the neighbour of its value."""
    labels = ["Paskelbimo diena:", "Prašymų priėmimas:", "Vertinimo pabaiga:", "Rezultatų skelbimas:"]
    values = [
        "2026 m. kovo 2 d., pirmadienis",
        "iki kovo 20 dienos 15 valandos",
        "balandžio 15 dieną",
        "balandžio 30 dieną",
    ]
    lines(canvas, 72, 700, labels)
    lines(canvas, 250, 700, values)


def labels_without_colons(canvas: Canvas) -> None:
    labels = ["Pavadinimas", "Kodas", "Vadovas", "Telefonas"]
    values = ["UAB „Alfa“", "302512345", "Jonas Jonaitis", "+370 612 34567"]
    for left, texts in ((72.0, labels), (250.0, values)):
        put(canvas, {(left, 700.0 - 20 * number): text for number, text in enumerate(texts)})


def values_elsewhere(canvas: Canvas) -> None:
    """Labels of a form and what was typed behind them, held at the end, far below each other."""
    labels = {(72.0, 700.0 - 40 * n): text for n, text in enumerate(["Vardas", "Adresas", "Telefonas"])}
    values = {(200.0, 700.0 - 40 * n): text for n, text in enumerate(["Ona Onaitė", "Vilnius", "+370 600 00000"])}
    put(canvas, labels)
    lines(canvas, 72, 560, LEFT)
    put(canvas, values)


def marks_of_authors(canvas: Canvas) -> None:
    """Marks that are raised so high that each is a line of its own."""
    names = ["Ona Onaitė", "Jonas Jonaitis", "Petras Petraitis"]
    ends = {72.0 + 120 * n + canvas.stringWidth(name, FONT, 10): "abc"[n] for n, name in enumerate(names)}
    put(canvas, {(72.0 + 120 * n, 700): name for n, name in enumerate(names)})
    put(canvas, {(end, 706.8): f"{mark}, *" for end, mark in ends.items()}, 6)


def columns_across(canvas: Canvas) -> None:
    """Two columns, ragged as spaces set them, which the file holds line by line."""
    for number, (one, other) in enumerate(zip(["PARDAVĖJAS", "UAB „Gama“", "Vilniaus g. 1", "Kaunas"],
                                              ["PIRKĖJAS", "VšĮ „Delta namai“", "Taikos pr. 22–4", "Klaipėda"], strict=True)):  # fmt: skip
        put(canvas, {(72, 700 - 14 * number): one, (230 + 13 * (number * 7 % 4), 700 - 14 * number): other})


def names_over_columns(canvas: Canvas) -> None:
    """Names over several columns and below them, of which the rows of figures are a table."""
    put(canvas, {(210, 714): "Pajamos eurais", (360, 714): "Išlaidos eurais"})
    put(canvas, {(200, 700): "Miestas", (266, 700): "Kaimas", (350, 700): "Miestas", (416, 700): "Kaimas"})
    for number, name in enumerate(["Aukštaitija", "Žemaitija", "Dzūkija"]):
        y = 686.0 - 14 * number
        put(
            canvas,
            {
                (72, y): name,
                (205, y): f"{12 + number}",
                (271, y): f"{3 + number}",
                (355, y): f"{9 + number}",
                (421, y): f"{5 + number}",
            },
        )


def turned_table(canvas: Canvas) -> None:
    """A table that stands sideways on an upright page."""
    canvas.rotate(90)
    for number in range(4):
        put(canvas, {(100, -200 - 14 * number): f"Rodiklis {number}", (300, -200 - 14 * number): f"{17 * number}"})


def boxes_in_a_cell(canvas: Canvas) -> None:
    """Keys drawn as boxes in a cell of a table: their sides part no columns of the others."""
    drawn(canvas, [["Laukas", "Aprašymas"], ["Popierius", ""], ["Spalva", "Čia nustatoma, kokia spalva spausdinama"],
                   ["Kopijos", "Čia nustatoma, kiek kopijų reikia"], ["Dydis", "Čia nustatomas popieriaus dydis"]],
          [("GRID", (0, 0), (-1, -1), 1, colors.black)], colWidths=[90, 300], rowHeights=20)  # fmt: skip
    put(
        canvas,
        {(166, 566): "Spauskite", (225, 566): "Meniu", (270, 566): "ir", (295, 566): "Gerai", (345, 566): "kas kartą"},
    )
    canvas.rect(220, 560, 40, 20)
    canvas.rect(290, 560, 40, 20)


def table_in_a_cell(canvas: Canvas) -> None:
    grid: list[tuple[object, ...]] = [("GRID", (0, 0), (-1, -1), 1, colors.black)]
    drawn(canvas, [["9", "8", "7"], ["6", "", "4"], ["3", "2", "1"]], grid, colWidths=140, rowHeights=40)
    canvas.saveState()
    canvas.translate(160, -48)
    drawn(canvas, [["5", "50"], ["51", "52"]], grid, colWidths=50, rowHeights=12)
    canvas.restoreState()


def rows_in_one(canvas: Canvas) -> None:
    """Rows of an invoice that no line parts, one of them in two lines."""
    drawn(canvas, [["Nr.", "Paslauga", "Kaina"], ["1\n2\n3", "Valymas\nSniego kasimas\nir barstymas\nPriežiūra", "10,00\n25,50\n7,00"]],
          [("GRID", (0, 0), (-1, -1), 1, colors.black), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")], colWidths=[40, 250, 80])  # fmt: skip


def labels_of_a_chart(canvas: Canvas) -> None:
    """What stands at the scale of a chart between the lines of the box beside it."""
    put(canvas, {(300, 700): "Penkiskart greičiau", (72, 691): "700 tūkst.", (300, 682): "Dvigubai daugiau narių",
                 (72, 673): "500 tūkst.", (300, 664): "Mažiau skundų", (72, 655): "300 tūkst.", (300, 646): "Visoje šalyje"})  # fmt: skip


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (labels_before_values, "apart"), (labels_without_colons, "apart"), (values_elsewhere, "apart"), (marks_of_authors, "apart"), (columns_across, "across"), (names_over_columns, "across"),
        (turned_table, "turned"), (boxes_in_a_cell, "cells"), (table_in_a_cell, "cells"), (rows_in_one, "cells"), (labels_of_a_chart, "order"),
    ],
)  # fmt: skip
def test_a_page_that_may_be_misread_is_named_with_what_to_look_at(tmp_path: Path, page: Page, why: str) -> None:
    """Only that page, and it once."""
    right = lambda canvas: lines(canvas, 72, 700, [*LEFT, "", *RIGHT])  # noqa: E731
    document = reading(tmp_path, "a.lt.pdf", make_pdf(right, page, right))
    assert document.warnings == (DOUBTS[why].format(2),)


def two_columns(canvas: Canvas) -> None:
    lines(canvas, 72, 700, LEFT)
    lines(canvas, 320, 700, RIGHT)


def letter(canvas: Canvas) -> None:
    """A letter with its sender and its receiver beside each other, and a foot in three columns."""
    lines(canvas, 72, 760, ["VšĮ „Delta“", "Vilniaus g. 1, Kaunas", "Kodas 300000000"])
    lines(canvas, 350, 760, ["UAB „Gama“", "Taikos pr. 2, Klaipėda", "Direktoriui"])
    lines(canvas, 72, 600, LEFT)
    for left, texts in (
        (72, ["Tel. +370 600 00000", "Faks. nėra"]),
        (250, ["El. paštas", "info@delta.lt"]),
        (420, ["Bankas „X“", "LT00 0000"]),
    ):
        lines(canvas, left, 50, texts)


def form(canvas: Canvas) -> None:
    for number, (label, value) in enumerate(
        {"Vardas:": "Ona Onaitė", "Gimimo data:": "2001-02-03", "Adresas:": "Vilnius", "Paštas:": "ona@x.lt"}.items()
    ):
        put(canvas, {(72, 700 - 20 * number): label, (180, 700 - 20 * number): value})


def table(canvas: Canvas) -> None:
    """A drawn one, with a sum under three of its columns and the same words in rows below each other."""
    drawn(canvas, [["Ženklas", "Vieta", "Rūšis", "Kaina"], ["Bronzos", "Vilnius", "Metinis", "600"], ["Bronzos", "Kaunas", "Metinis", "650"],
                   ["Iš viso", "", "", "1250"], ["Su mokesčiais", "", "", "1512"]],
          [("GRID", (0, 0), (-1, -1), 1, colors.black), ("SPAN", (0, 3), (2, 3)), ("SPAN", (0, 4), (2, 4))])  # fmt: skip


def stamped(canvas: Canvas) -> None:
    """A text with a remark that goes up along the edge of the page."""
    lines(canvas, 72, 700, LEFT)
    canvas.rotate(90)
    put(canvas, {(200, -40): "Parsisiųsta 2026-01-02"})


def captions(canvas: Canvas) -> None:
    """Places of a form, with what belongs in each below it."""
    for number, (value, caption) in enumerate(
        {"Ona Onaitė": "(vardas, pavardė)", "Vilniaus g. 1": "(adresas)", "+370 600": "(telefonas)"}.items()
    ):
        put(canvas, {(120, 700 - 36 * number): value, (260, 690 - 36 * number): caption})


def sides(canvas: Canvas) -> None:
    """Two parties of a contract in the cells of a table: their lines are no rows."""
    drawn(canvas, [["Pardavėjas", "Pirkėjas"], ["UAB „Gama“\nVilniaus g. 1\nKaunas", "VšĮ „Delta“\nTaikos pr. 2\nKlaipėda"]],
          [("GRID", (0, 0), (-1, -1), 1, colors.black)], colWidths=[200, 200])  # fmt: skip


def framed(canvas: Canvas) -> None:
    """A table on a page whose grounds make a frame around it."""
    canvas.setFillColorRGB(0.9, 0.8, 0.5)
    for left, bottom, width, height in ((0, 0, 595, 60), (0, 60, 40, 782), (555, 60, 40, 782), (40, 780, 515, 62)):
        canvas.rect(left, bottom, width, height, fill=1)
    canvas.setFillColorRGB(0, 0, 0)
    table(canvas)


@pytest.mark.parametrize("page", [framed, two_columns, letter, form, captions, table, stamped, sides])
def test_a_page_that_is_read_right_is_not_named(tmp_path: Path, page: Page) -> None:
    assert reading(tmp_path, "a.lt.pdf", make_pdf(page)).warnings == ()


def test_a_page_that_is_shown_turned_is_upright(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(io.BytesIO(make_pdf(turned_table)))
    writer.pages[0].rotate(90)
    file = io.BytesIO()
    writer.write(file)
    document = reading(tmp_path, "a.lt.pdf", file.getvalue())
    assert document.warnings == ()
    assert "Rodiklis 3 | 51" in document.text
