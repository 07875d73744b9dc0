"""Tables whose lines a PDF draws: each row has its whole cells, the labels that go over several rows, and the names of its columns."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from reportlab.lib import colors
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Table

from documents_fixtures import BOLD, FONT, lines, make_pdf, reading, rows, shown

PROSE = [
    "Paramą pareiškėjai gauna vieną kartą per kalendorinius metus, o prašymas",
    "pateikiamas savivaldybės administracijai iki gruodžio mėnesio pirmos dienos.",
]


def table(
    cells: list[list[str]], *styles: tuple[object, ...], widths: list[float], top: float = 700, left: float = 72
) -> Callable[[Canvas], None]:
    """Draw a table with all its lines, which more styles change; its upper left corner is at (left, top)."""

    def draw(canvas: Canvas) -> None:
        drawn = Table(cells, colWidths=widths)
        drawn.setStyle([("FONT", (0, 0), (-1, -1), FONT, 9), ("GRID", (0, 0), (-1, -1), 0.5, colors.black), *styles])
        _, height = drawn.wrapOn(canvas, 595, 842)
        drawn.drawOn(canvas, left, top - height)

    return draw


def page(*parts: Callable[[Canvas], None]) -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        for part in parts:
            part(canvas)
        lines(canvas, 72, 300, PROSE)

    return draw


FEES = [
    ["Paslauga", "Mokestis", ""],
    ["", "Asmenims", "Įmonėms"],
    ["Leidimas", "10 EUR", "20 EUR"],
    ["Licencija", "30 EUR", "40 EUR"],
]
MERGED = [("SPAN", (0, 0), (0, 1)), ("SPAN", (1, 0), (2, 0))]
FEE_ROWS = [
    ("Paslauga | Mokestis Asmenims | Mokestis Įmonėms", "Leidimas | 10 EUR | 20 EUR"),
    ("Paslauga | Mokestis Asmenims | Mokestis Įmonėms", "Licencija | 30 EUR | 40 EUR"),
]


def test_names_that_are_merged_in_a_header_of_two_rows_stand_with_each_row(tmp_path: Path) -> None:
    made = table(FEES, *MERGED, widths=[120, 80, 80])
    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))) == FEE_ROWS


def test_names_that_begin_with_figures_are_a_header_where_they_are_merged(tmp_path: Path) -> None:
    cells = [
        ["Paslauga", "2023 m.", ""],
        ["", "1-6 mėn.", "7-12 mėn."],
        ["Leidimas", "10", "20"],
        ["Licencija", "30", "40"],
    ]
    made = table(cells, *MERGED, widths=[120, 80, 80])
    header = "Paslauga | 2023 m. 1-6 mėn. | 2023 m. 7-12 mėn."
    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))) == [
        (header, "Leidimas | 10 | 20"), (header, "Licencija | 30 | 40"),
    ]  # fmt: skip


def test_the_text_around_a_drawn_table_stays_before_and_after_it(tmp_path: Path) -> None:
    made = table(FEES, *MERGED, widths=[120, 80, 80])
    document = reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))
    assert [kind for kind, _ in shown(document)] == ["paragraph", "table_row", "table_row", "paragraph"]


def test_a_label_over_several_rows_is_said_in_each(tmp_path: Path) -> None:
    cells = [
        ["Rajonas", "Seniūnija", "Gyventojai"],
        ["Vilniaus", "Nemenčinės", "5 900"],
        ["", "Rudaminos", "6 100"],
        ["", "Zujūnų", "7 200"],
        ["Kauno", "Garliavos", "9 800"],
    ]
    middle = ("VALIGN", (0, 0), (-1, -1), "MIDDLE")
    made = table(cells, ("SPAN", (0, 1), (0, 3)), middle, widths=[90, 90, 90])
    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))) == [
        ("Rajonas | Seniūnija | Gyventojai", f"{district} | {place} | {people}")
        for district, place, people in [
            ("Vilniaus", "Nemenčinės", "5 900"),
            ("Vilniaus", "Rudaminos", "6 100"),
            ("Vilniaus", "Zujūnų", "7 200"),
            ("Kauno", "Garliavos", "9 800"),
        ]
    ]


WRAPPED = [
    ["Dokumentas", "Kas pateikia", "Terminas"],
    ["Prašymas dėl\nleidimo statyti", "Pareiškėjas arba jo\nįgaliotas asmuo,\nturintis įgaliojimą", "per 10 dienų"],
    ["Projektas", "Projektuo-\ntojas", "kartu su prašymu\ndėl leidimo"],
]


@pytest.mark.parametrize("turn", ["TOP", "MIDDLE", "BOTTOM"])
def test_cells_of_several_lines_are_whole_wherever_they_stand_in_their_row(tmp_path: Path, turn: str) -> None:
    made = table(WRAPPED, ("FONT", (0, 0), (-1, 0), BOLD, 9), ("VALIGN", (0, 0), (-1, -1), turn), widths=[80, 100, 90])
    header = "Dokumentas | Kas pateikia | Terminas"
    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))) == [
        (
            header,
            "Prašymas dėl leidimo statyti | Pareiškėjas arba jo įgaliotas asmuo, turintis įgaliojimą | per 10 dienų",
        ),
        (header, "Projektas | Projektuotojas | kartu su prašymu dėl leidimo"),
    ]


def test_a_cell_that_the_file_holds_after_others_stays_in_its_row(tmp_path: Path) -> None:
    def made(canvas: Canvas) -> None:
        cells = [(number, column) for number in range(5) for column in range(4)]
        for number, column in sorted(cells, key=lambda cell: cell[0] + 2.5 * (cell in [(2, 3), (1, 1)])):
            text = f"{number}{column}0 EUR" if column else f"Narys {number}"
            canvas.drawString(76 + 90 * column, 700 - 14 * number, text)
        canvas.grid([72 + 90 * n for n in range(5)], [710 - 14 * n for n in range(6)])

    assert [text for _, text in rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made))))] == [
        f"Narys {n} | {n}10 EUR | {n}20 EUR | {n}30 EUR" for n in range(5)
    ]


def test_figures_that_touch_the_line_between_their_cells_are_two(tmp_path: Path) -> None:
    def made(canvas: Canvas) -> None:
        canvas.grid([72, 150, 180, 210], [710 - 14 * n for n in range(5)])
        for number, row in enumerate([("Metai", "2023", "2024"), *((f"{n} mėn.", "123,4", "567,8") for n in "123")]):
            canvas.drawString(76, 700 - 14 * number, row[0])
            canvas.drawRightString(179.5, 700 - 14 * number, row[1])
            canvas.drawString(180.5, 700 - 14 * number, row[2])

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))) == [
        ("Metai | 2023 | 2024", f"{n} mėn. | 123,4 | 567,8") for n in "123"
    ]


def test_a_header_is_told_by_its_ground_and_by_the_row_that_counts_the_columns(tmp_path: Path) -> None:
    cells = [["Vieta", "Atsakingas", "Pastabos"], ["Vilnius", "Jonas", "nėra"], ["Kaunas", "Ona", "laukiama"]]
    shaded = table(cells, ("BACKGROUND", (0, 0), (-1, 0), colors.lightgrey), widths=[80, 80, 80])
    counted = table([cells[0], ["1", "2", "3"], *cells[1:]], widths=[80, 80, 80], top=550)
    own = [("Vilnius | Jonas | nėra"), ("Kaunas | Ona | laukiama")]
    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(shaded, counted)))) == [
        *[("Vieta | Atsakingas | Pastabos", row) for row in own],
        *[("Vieta 1 | Atsakingas 2 | Pastabos 3", row) for row in own],
    ]


def test_a_table_without_lines_at_its_sides_has_all_its_columns(tmp_path: Path) -> None:
    def made(canvas: Canvas) -> None:
        for n in range(5):
            canvas.line(72, 710 - 14 * n, 372, 710 - 14 * n)
        for x in (172, 272):
            canvas.line(x, 710, x, 710 - 14 * 4)
        for n, row in enumerate([("Rūšis", "Kaina", "Kiekis"), *((f"Rūšis {k}", f"{k},50", f"{k}00") for k in "123")]):
            for column, text in enumerate(row):
                canvas.drawString(76 + 100 * column, 700 - 14 * n, text)

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))) == [
        ("Rūšis | Kaina | Kiekis", f"Rūšis {k} | {k},50 | {k}00") for k in "123"
    ]


def test_columns_whose_lines_stop_below_the_header_are_columns_of_the_rows_too(tmp_path: Path) -> None:
    def made(canvas: Canvas) -> None:
        for y in (710, 696, 640):
            canvas.line(72, y, 372, y)
        for x in (72, 172, 272, 372):
            canvas.line(x, 710, x, 696)
        for x in (72, 372):
            canvas.line(x, 696, x, 640)
        for n, row in enumerate([("Rūšis", "Kaina", "Kiekis"), *((f"Rūšis {k}", f"{k},50", f"{k}00") for k in "123")]):
            for column, text in enumerate(row):
                canvas.drawString(76 + 100 * column, 700 - 14 * n, text)

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))) == [
        ("Rūšis | Kaina | Kiekis", f"Rūšis {k} | {k},50 | {k}00") for k in "123"
    ]


def test_a_table_that_goes_on_over_the_page_keeps_the_names_of_its_columns(tmp_path: Path) -> None:
    def first(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        table(FEES, *MERGED, widths=[120, 80, 80], top=150)(canvas)

    def second(canvas: Canvas) -> None:
        table([["Pažyma", "5 EUR", "7 EUR"], ["Kopija", "1 EUR", "2 EUR"]], widths=[120, 80, 80], top=790)(canvas)
        lines(canvas, 72, 600, PROSE)

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(first, second))) == [
        *FEE_ROWS,
        ("Paslauga | Mokestis Asmenims | Mokestis Įmonėms", "Pažyma | 5 EUR | 7 EUR"),
        ("Paslauga | Mokestis Asmenims | Mokestis Įmonėms", "Kopija | 1 EUR | 2 EUR"),
    ]


def test_another_table_below_text_takes_no_names_from_the_page_before(tmp_path: Path) -> None:
    def first(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        table(FEES, *MERGED, widths=[120, 80, 80], top=150)(canvas)

    def second(canvas: Canvas) -> None:
        lines(canvas, 72, 740, PROSE)
        table([["Pažyma", "penki", "septyni"], ["Kopija", "vienas", "du"]], widths=[120, 80, 80], top=690)(canvas)

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(first, second)))[2:] == [
        ("", "Pažyma | penki | septyni"),
        ("", "Kopija | vienas | du"),
    ]


def test_rows_that_no_line_parts_are_rows(tmp_path: Path) -> None:
    cells = [
        ["Mėnuo", "Pajamos", "Išlaidos"],
        ["Sausis\nVasaris\nKovas\nBalandis", "1 200\n900\n1 100\n800", "5\n7\n9\n4"],
    ]
    made = table(cells, widths=[100, 80, 80])
    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))) == [
        ("Mėnuo | Pajamos | Išlaidos", f"{month} | {income} | {costs}")
        for month, income, costs in [
            ("Sausis", "1 200", "5"), ("Vasaris", "900", "7"), ("Kovas", "1 100", "9"), ("Balandis", "800", "4"),
        ]
    ]  # fmt: skip


def test_a_note_across_a_table_is_a_paragraph(tmp_path: Path) -> None:
    note = "\n".join([*PROSE, *PROSE])
    cells = [["Rūšis", "Kaina", "Kiekis"], ["Pirma", "1,50", "100"], ["Antra", "2,50", "200"], [note, "", ""]]
    made = table(cells, ("SPAN", (0, 3), (2, 3)), widths=[140, 140, 140])
    document = reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))
    assert ("paragraph", note) in shown(document)
    assert len(rows(document)) == 2


def test_letters_on_end_in_a_narrow_header_are_names(tmp_path: Path) -> None:
    def made(canvas: Canvas) -> None:
        canvas.grid([72, 172, 192, 212], [750, 690, 676, 662, 648])
        canvas.drawString(76, 700, "Savivaldybė")
        for x, name in ((186, "Mokyklos"), (206, "Darželiai")):
            canvas.saveState()
            canvas.translate(x, 694)
            canvas.rotate(90)
            canvas.drawString(0, 0, name)
            canvas.restoreState()
        for n, row in enumerate([("Vilniaus", "95", "81"), ("Kauno", "60", "52"), ("Klaipėdos", "31", "27")]):
            for x, text in zip((76, 176, 196), row, strict=True):
                canvas.drawString(x, 680 - 14 * n, text)

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(made))) == [
        ("Savivaldybė | Mokyklos | Darželiai", text) for text in ("Vilniaus | 95 | 81", "Kauno | 60 | 52", "Klaipėdos | 31 | 27")
    ]  # fmt: skip


def test_a_page_that_lies_on_its_side_has_its_table_too(tmp_path: Path) -> None:
    def lying(canvas: Canvas) -> None:
        canvas.translate(595, 0)
        canvas.rotate(90)
        table(FEES, *MERGED, widths=[120, 80, 80], top=400)(canvas)

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(lying))) == FEE_ROWS


def test_boxes_beside_each_other_are_read_one_after_the_other(tmp_path: Path) -> None:
    left = [
        "Prašymą pateikia asmuo, kuris",
        "gyvena savivaldybėje ilgiau",
        "negu vienus metus ir turi",
        "teisę į paramą.",
    ]
    right = [
        "Sprendimą priima komisija per",
        "dešimt darbo dienų ir jį",
        "praneša raštu arba paštu tam,",
        "kas kreipėsi.",
    ]

    def made(canvas: Canvas) -> None:
        canvas.grid([72, 222, 372], [640, 710])
        for n, (one, other) in enumerate(zip(left, right, strict=True)):
            canvas.drawString(76, 695 - 12 * n, one)
            canvas.drawString(226, 695 - 12 * n, other)

    text = reading(tmp_path, "a.lt.pdf", make_pdf(page(made))).text
    assert "\n".join(left) in text
    assert "\n".join(right) in text


def test_lines_of_a_chart_are_no_table(tmp_path: Path) -> None:
    def chart(canvas: Canvas) -> None:
        canvas.grid([100 + 30 * n for n in range(11)], [500 + 20 * n for n in range(9)])
        for n in range(9):
            canvas.drawString(80, 497 + 20 * n, f"{n * 10}")
        for n, height in enumerate([30, 70, 50, 90, 60]):
            canvas.drawString(105 + 60 * n, 505 + height, f"{height}")

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(chart)))) == []


def test_a_text_in_a_frame_stays_as_it_is(tmp_path: Path) -> None:
    def made(canvas: Canvas) -> None:
        canvas.rect(60, 400, 480, 300)
        canvas.line(60, 660, 540, 660)
        lines(canvas, 72, 680, ["Pranešimas"])
        lines(canvas, 72, 640, PROSE)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(made))
    assert rows(document) == []
    assert ("paragraph", "\n".join(PROSE)) in shown(document)


def test_a_form_keeps_each_value_beside_its_label(tmp_path: Path) -> None:
    def form(canvas: Canvas) -> None:
        canvas.grid([72, 222, 472], [720, 690, 660, 630])
        for n, label in enumerate(("Vardas ir pavardė", "Gimimo data", "Adresas")):
            canvas.drawString(76, 700 - 30 * n, label)
        for n, value in enumerate(("Ona Jonaite", "1980-01-02", "Vilnius, Gedimino pr. 1")):
            canvas.acroForm.textfield(
                name=f"f{n}", value=value, x=226, y=692 - 30 * n, width=240, height=26, borderWidth=0
            )

    assert [text for _, text in rows(reading(tmp_path, "a.lt.pdf", make_pdf(form)))] == [
        "Vardas ir pavardė | Ona Jonaite", "Gimimo data | 1980-01-02", "Adresas | Vilnius, Gedimino pr. 1",
    ]  # fmt: skip


def test_a_page_of_many_lines_is_read_without_its_grid(tmp_path: Path) -> None:
    def drawing(canvas: Canvas) -> None:
        lines(canvas, 72, 760, PROSE)
        for n in range(2100):
            canvas.line(72 + 0.1 * n, 100, 72 + 0.1 * n, 700)
        for x, y in pairwise(range(100, 700, 3)):
            canvas.line(72, x, 500, y)

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(drawing))) == []


def test_a_table_in_a_frame_of_several_fields_is_that_table(tmp_path: Path) -> None:
    def framed(canvas: Canvas) -> None:
        canvas.grid([30, 400, 565], [780, 815])
        canvas.rect(30, 30, 535, 750)
        canvas.drawString(40, 790, "Aprašas")
        canvas.drawString(410, 790, "12 psl.")
        page(table(FEES, *MERGED, widths=[120, 80, 80]))(canvas)

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(framed))) == FEE_ROWS


def test_a_head_above_a_table_that_no_line_parts_from_a_name_below_is_no_part_of_the_name(tmp_path: Path) -> None:
    def made(canvas: Canvas) -> None:
        canvas.rect(72, 600, 300, 120)
        for y in (700, 680):
            canvas.line(152, y, 372, y)
        canvas.line(72, 660, 372, 660)
        for x, low, high in ((152, 600, 700), (262, 600, 680)):
            canvas.line(x, low, x, high)
        for x, y, text in (
            (180, 706, "Mokyklų lankymas"), (80, 670, "Rajonas"), (220, 686, "Lanko"), (160, 666, "mieste"), (270, 666, "kaime"),
        ):  # fmt: skip
            canvas.drawString(x, y, text)
        for n, name in enumerate(("Alytaus", "Biržų", "Kauno", "Kelmės")):
            for x, text in ((80, name), (160, f"8{n},1"), (270, f"7{n},2")):
                canvas.drawString(x, 648 - 12 * n, text)

    title, *told = rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made))))
    assert title == ("", "Mokyklų lankymas")
    assert told == [
        ("Rajonas | Lanko mieste | Lanko kaime", f"{name} | 8{n},1 | 7{n},2")
        for n, name in enumerate(("Alytaus", "Biržų", "Kauno", "Kelmės"))
    ]


def test_a_field_whose_outer_side_only_its_ground_draws_belongs_to_the_table(tmp_path: Path) -> None:
    def made(canvas: Canvas) -> None:
        canvas.setFillColor(colors.black)
        canvas.rect(72, 686, 300, 14, stroke=0, fill=1)
        for y in (686, 672, 658):
            canvas.line(72, y, 372, y)
        canvas.line(172, 700, 372, 700)
        canvas.line(72, 658, 72, 686)
        for x in (172, 272, 372):
            canvas.line(x, 658, x, 700)
        for n, row in enumerate(
            [("Būsena", "Projektas", "Kaina"), ("Vykdomas", "Tiltas", "100"), ("Baigtas", "Kelias", "200")]
        ):
            canvas.setFillColor(colors.white if n == 0 else colors.black)
            for x, text in zip((76, 176, 276), row, strict=True):
                canvas.drawString(x, 690 - 14 * n, text)

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))) == [
        ("Būsena | Projektas | Kaina", "Vykdomas | Tiltas | 100"), ("Būsena | Projektas | Kaina", "Baigtas | Kelias | 200"),
    ]  # fmt: skip


def test_one_row_of_a_form_is_a_row(tmp_path: Path) -> None:
    made = table([["Pareiškėjas", "Ona Jonaitė", "Data:", "2025-06-20"]], widths=[90, 90, 50, 90])
    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(page(made)))) == [
        ("", "Pareiškėjas | Ona Jonaitė | Data: | 2025-06-20")
    ]


def test_lines_that_run_through_a_text_do_not_cut_it(tmp_path: Path) -> None:
    def crossed(canvas: Canvas) -> None:
        lines(canvas, 72, 760, [*PROSE, *PROSE, *PROSE])
        canvas.line(250, 30, 250, 830)
        canvas.line(30, 740, 560, 740)
        canvas.rect(60, 650, 450, 130)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(crossed))
    assert rows(document) == []
    assert document.text.split() == [word for line in [*PROSE, *PROSE, *PROSE] for word in line.split()]
