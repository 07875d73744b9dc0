"""Tables of a PDF that have lines, or grounds with colours, between their rows only; narrow columns; scales of charts; raised letters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.lib import colors
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from clusterqa.records import Document
from documents_fixtures import BOLD, FONT, lines, make_pdf, reading, rows, shown

PROSE = [
    "Paramą pareiškėjai gauna vieną kartą per kalendorinius metus, o prašymas",
    "pateikiamas savivaldybės administracijai iki gruodžio mėnesio pirmos dienos.",
]

Cells = list[list[list[str]]]
"""Rows of cells of lines."""

CALL: Cells = [
    [["Kvietimas"], ["Klasterių plėtra"]],
    [["Pareiškėjai"], ["Klasterių koordinatoriai ir nariai, kurie", "veikia ne trumpiau kaip dvejus metus"]],
    [["Didžiausia paramos suma", "vienam projektui"], ["150 000 Eur"]],
    [["Terminas"], ["2024 m. gegužės 31 d."]],
]
CALL_ROWS = [
    ("", "Kvietimas | Klasterių plėtra"),
    ("", "Pareiškėjai | Klasterių koordinatoriai ir nariai, kurie veikia ne trumpiau kaip dvejus metus"),
    ("", "Didžiausia paramos suma vienam projektui | 150 000 Eur"),
    ("", "Terminas | 2024 m. gegužės 31 d."),
]
NAMES: Cells = [
    [["Eil.", "Nr."], ["Vardas, pavardė"], ["Institucija"]],
    [["1."], ["Jonas Jonaitis"], ["Vilniaus Gedimino", "technikos universitetas"]],
    [["2."], ["Ona Petraitienė"], ["Inovacijų agentūra"]],
    [["3."], ["Eglė Eglaitė"], ["Ekonomikos ministerija"]],
]
NAME_ROWS = [
    ("Eil. Nr. | Vardas, pavardė | Institucija", row)
    for row in (
        "1. | Jonas Jonaitis | Vilniaus Gedimino technikos universitetas",
        "2. | Ona Petraitienė | Inovacijų agentūra",
        "3. | Eglė Eglaitė | Ekonomikos ministerija",
    )
]


def table(
    cells: Cells, widths: list[float], *, row_by_row: bool, middle: bool, mark: str, headed: bool = False
) -> Callable[[Canvas], None]:
    """Draw a table that marks its rows alone, by "lines" below each, "all" lines or "grounds" behind every second."""

    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        top = 700.0
        if mark == "all":
            canvas.line(72, top, 72 + sum(widths), top)
        for number, row in enumerate(cells):
            most = max(map(len, row))
            height = 12 * most + 8
            if mark == "grounds" and number % 2 == 0:
                canvas.setFillColor(colors.lightblue)
                canvas.rect(72, top - height, sum(widths), height, stroke=0, fill=1)
                canvas.setFillColor(colors.black)
            texts = []
            left = 76.0
            for cell, width in zip(row, widths, strict=True):
                begin = top - 13 - (6 * (most - len(cell)) if middle else 0)
                texts += [(begin - 12 * n, left, text) for n, text in enumerate(cell)]
                left += width
            canvas.setFont(BOLD if headed and number == 0 else FONT, 9)
            for y, x, text in sorted(texts, key=lambda t: (-t[0], t[1])) if row_by_row else texts:
                canvas.drawString(x, y, text)
            top -= height
            if mark in ("lines", "all"):
                canvas.line(72, top, 72 + sum(widths), top)
        lines(canvas, 72, 400, PROSE)

    return draw


@pytest.mark.parametrize("mark", ["lines", "all", "grounds"])
@pytest.mark.parametrize("middle", [False, True])
@pytest.mark.parametrize("row_by_row", [False, True])
def test_rows_with_lines_or_grounds_are_whole_in_whatever_order_the_file_holds_them(
    tmp_path: Path, row_by_row: bool, middle: bool, mark: str
) -> None:
    made = table(CALL, [150, 250], row_by_row=row_by_row, middle=middle, mark=mark)
    document = reading(tmp_path, "a.lt.pdf", make_pdf(made))
    assert rows(document) == CALL_ROWS
    assert [kind for kind, _ in shown(document)] == ["paragraph", *["table_row"] * 4, "paragraph"]
    made = table(NAMES, [40, 130, 150], row_by_row=row_by_row, middle=middle, mark=mark, headed=True)
    assert rows(reading(tmp_path, "b.lt.pdf", make_pdf(made))) == NAME_ROWS


def test_a_column_that_has_nothing_but_its_name_is_one(tmp_path: Path) -> None:
    cells: Cells = [[*row, ["Parašas"] if number == 0 else [""]] for number, row in enumerate(NAMES)]
    made = table(cells, [40, 130, 150, 80], row_by_row=False, middle=False, mark="lines", headed=True)
    told = rows(reading(tmp_path, "a.lt.pdf", make_pdf(made)))
    assert [row for _, row in told] == [row for _, row in NAME_ROWS]
    assert {header for header, _ in told} <= {"Eil. Nr. | Vardas, pavardė | Institucija | Parašas", NAME_ROWS[0][0]}


def test_several_rows_between_two_lines_stay_rows(tmp_path: Path) -> None:
    cells: Cells = [
        [["Paslauga"], ["Kaina"]],
        [["Leidimas", "Licencija", "Pažyma"], ["10 Eur", "20 Eur", "30 Eur"]],
        [["Išrašas", "Kopija"], ["5 Eur", "1 Eur"]],
    ]
    made = table(cells, [150, 100], row_by_row=True, middle=False, mark="all")
    assert [text for _, text in rows(reading(tmp_path, "a.lt.pdf", make_pdf(made)))] == [
        "Leidimas | 10 Eur", "Licencija | 20 Eur", "Pažyma | 30 Eur", "Išrašas | 5 Eur", "Kopija | 1 Eur",
    ]  # fmt: skip


def test_lines_between_paragraphs_and_below_headings_make_no_table(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(5):
            canvas.line(72, 720 - 80 * number, 500, 720 - 80 * number)
            lines(canvas, 72, 705 - 80 * number, [f"{number + 1} skyrius"], font=BOLD, size=12)
            lines(canvas, 72, 685 - 80 * number, PROSE)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert [kind for kind, _ in shown(document)] == ["heading", "paragraph"] * 5


def texts_of(document: Document) -> list[str]:
    return [text for _, text in shown(document)]


def test_narrow_columns_of_long_figures_stay_apart(tmp_path: Path) -> None:
    cells = [
        ["Straipsnis", "2022", "2023", "2024"],
        ["Pajamos", "1 200 450", "1 310 220", "1 405 118"],
        ["Darbo užmokestis", "640 000", "690 500", "720 900"],
        ["Kitos sąnaudos", "85 310", "90 112", "97 004"],
        ["Iš viso", "1 925 760", "2 090 832", "2 223 022"],
    ]

    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        canvas.setFont(FONT, 9)
        for number, row in enumerate(cells):
            canvas.drawString(72, 700 - 16 * number, row[0])
            for place, text in enumerate(row[1:]):
                canvas.drawRightString(240 + 55 * place, 700 - 16 * number, text)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert rows(document) == [(" | ".join(cells[0]), " | ".join(row)) for row in cells[1:]]


def test_figures_and_the_units_close_behind_them_are_two_columns(tmp_path: Path) -> None:
    goods = [
        ["Prekė", "Kiekis", "Matas", "Kaina"],
        ["Popierius", "10", "pak.", "4,50"],
        ["Segtuvai", "120", "vnt.", "1,20"],
        ["Vanduo", "24", "but.", "0,80"],
    ]

    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        canvas.setFont(FONT, 9)
        for number, (name, count, unit, price) in enumerate(goods):
            y = 700 - 16 * number
            canvas.drawString(72, y, name)
            canvas.drawRightString(220, y, count)
            canvas.drawString(228, y, unit)
            canvas.drawRightString(330, y, price)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert rows(document) == [(" | ".join(goods[0]), " | ".join(row)) for row in goods[1:]]


def test_the_numbers_of_items_are_no_column(tmp_path: Path) -> None:
    texts = ["Paraiška", "Ataskaita už metus", "Biudžetas", "Sutartis su partneriais", "Pažyma"]

    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        for number, text in enumerate(texts, start=8):
            canvas.drawRightString(90, 700 - 14 * number, f"{number}.")
            canvas.drawString(99, 700 - 14 * number, text)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert shown(document)[1:] == [("list_item", text) for text in texts]


CHARTS = (
    "Pages with charts, whose scales are not quoted and whose figures stand without what they belong to: 1.",
)  # fmt: skip


@pytest.mark.parametrize(
    "scale",
    [["100", "75", "50", "25", "0"], ["0", "500 000", "1 000 000", "1 500 000"], ["40 %", "30 %", "20 %", "10 %"]],
)
@pytest.mark.parametrize("level", [False, True])
def test_the_scale_of_a_chart_is_not_quoted_and_the_chart_is_named(
    tmp_path: Path, scale: list[str], level: bool
) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        canvas.setFont(FONT, 8)
        for number, text in enumerate(scale):
            if level:
                canvas.drawCentredString(100 + 70 * number, 560, text)
            else:
                canvas.drawRightString(110, 700 - 30 * number, text)
        lines(canvas, 72, 520, ["1 pav. Paraiškų skaičius pagal metus."])

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert document.warnings == CHARTS
    assert [text for _, text in shown(document)] == ["\n".join(PROSE), "1 pav. Paraiškų skaičius pagal metus."]


def test_rows_numbers_of_rows_and_years_are_no_scale(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        canvas.setFont(FONT, 9)
        for number in range(5):  # prices that rise evenly, beside their names
            canvas.drawString(72, 700 - 16 * number, f"Rinkinys {'ABCDE'[number]}")
            canvas.drawRightString(240, 700 - 16 * number, str(10 * number + 10))
        for number in range(4):  # a list that nobody has signed yet
            canvas.drawString(72, 580 - 20 * number, f"{number + 1}.")
        for number in range(4):
            canvas.drawString(72 + 80 * number, 480, str(2021 + number))

    def days(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        canvas.setFont(FONT, 9)
        for number in range(7):
            for place, text in enumerate(
                (str(number + 11), str(2630 + 37 * number * number), f"{15.9 - 0.1 * number:.1f}")
            ):
                canvas.drawRightString(90 + 60 * place, 700 - 16 * number, text)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw, days))
    assert document.warnings == ()
    assert ("", "Rinkinys C | 30") in rows(document)
    assert ("", "13 | 2778 | 15.7") in rows(document)
    assert "2021 2022 2023 2024" in document.text


def test_raised_letters_behind_names_are_the_marks_of_notes(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        left = 72.0
        for text, mark in (
            ("Jonas Jonaitis", "a"),
            (", Ona Petraitienė", "b,*"),
            (" ir Eglė Eglaitė", "1"),
            (", visi", ""),
        ):
            for part, size, rise in ((text, 11, 0), (mark, 6.5, 4)):
                canvas.setFont(FONT, size)
                canvas.drawString(left, 700 + rise, part)
                left += stringWidth(part, FONT, size)
        canvas.setFont(FONT, 6.5)
        canvas.drawString(72, 664, "a")
        lines(canvas, 77, 660, ["Inovacijų agentūra"])
        lines(canvas, 72, 600, PROSE)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert [text for _, text in shown(document)][:2] == [
        "Jonas Jonaitisᵃ, Ona Petraitienėᵇ,* ir Eglė Eglaitė¹, visi",
        "ᵃ Inovacijų agentūra",
    ]


def test_a_raised_number_that_the_file_parts_from_its_line_ends_it(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 700, ["Jonas Jonaitis ir Ona Petraitienė"])
        end = 72 + stringWidth("Jonas Jonaitis ir Ona Petraitienė", FONT, 10)
        for text in ("5", "a"):
            canvas.setFont(FONT, 6)
            canvas.drawString(end + 1, 704, text)
            lines(canvas, 72, 600, ["Inovacijų agentūra"])
            canvas.showPage()
            lines(canvas, 72, 700, ["Jonas Jonaitis ir Ona Petraitienė"])

    read = texts_of(reading(tmp_path, "a.lt.pdf", make_pdf(draw)))
    assert read[:3] == [
        "Jonas Jonaitis ir Ona Petraitienė⁵",
        "Inovacijų agentūra",
        "Jonas Jonaitis ir Ona Petraitienėᵃ",
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("Jonaitis<sup>a</sup>", "Jonaitisᵃ"), ("Jonaitis<sup>a,b</sup>", "Jonaitisᵃ,ᵇ"), ("Jonaitis<sup>1,c</sup>", "Jonaitis¹,ᶜ"),
        ("Jonaitis<sup>b)</sup>", "Jonaitisᵇ⁾"), ("Jonaitis<sup>*</sup>", "Jonaitis*"), ("5<sup>th</sup>", "5th"),
        ("Alfa<sup>TM</sup>", "Alfa™"), ("M<sup>me</sup>", "Mme"), ("10<sup>6</sup>", "10⁶"),
    ],
)  # fmt: skip
def test_a_raised_letter_is_the_mark_of_a_note_in_a_page_and_an_ending_is_none(
    tmp_path: Path, written: str, told: str
) -> None:
    page = f"<html><body><main><p>{' '.join(PROSE)}</p><p>Tai yra {written} iš sąrašo.</p></main></body></html>"
    assert shown(reading(tmp_path, "a.lt.html", page))[1] == ("paragraph", f"Tai yra {told} iš sąrašo.")


@pytest.mark.parametrize("cells", [CALL, [*CALL, [["Kontaktinis asmuo ir", "jo pareigos"], ["Rasa Kalnienė"]]]])
def test_cells_of_several_lines_are_whole_without_any_line_where_rows_stand_farther_apart(
    tmp_path: Path, cells: Cells
) -> None:
    told = [" | ".join(" ".join(cell) for cell in row) for row in cells]
    for widths, given, expected in (
        ([150.0, 250.0], cells, [("", text) for text in told]),
        ([40.0, 130.0, 150.0], NAMES, NAME_ROWS),
    ):
        made = table(given, widths, row_by_row=True, middle=False, mark="none", headed=given is NAMES)
        assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(made))) == expected


def test_rows_as_close_as_lines_stay_apart(tmp_path: Path) -> None:
    rows_of = ["Leidimas | 10 Eur", "Licencija | 20 Eur", "Pažyma | 30 Eur"]
    texts = [*rows_of, "Įmonėms", *rows_of, "Pastabos"]

    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        canvas.setFont(FONT, 9)
        for number, text in enumerate(texts):
            for place, cell in enumerate(text.split(" | ")):
                canvas.drawString(72 + 150 * place, 700 - 12 * number, cell)

    read = [text for _, text in shown(reading(tmp_path, "a.lt.pdf", make_pdf(draw)))][1:]
    assert [text for block in read for text in block.split("\n")] == texts
