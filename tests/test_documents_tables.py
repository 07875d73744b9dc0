"""Columns of tables in every format: no figure stands under the name of another column, and nothing slides to the left."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from clusterqa.documents import tables
from clusterqa.documents.shown import as_lines, as_shown, named_cells
from clusterqa.parts import cell_spans, column_names, of_block
from clusterqa.web.drawing import elements
from documents_fixtures import make_word, make_zip, reading, rows, shown

HTML = "text/html"


def page(table: str) -> str:
    text = "Paraiškas nagrinėja komisija, o sprendimą skelbia per dešimt darbo dienų nuo posėdžio dienos."
    return f"<html lang=lt><body><main><h1>Kainos</h1><p>{text}</p><table>{table}</table></main></body></html>"


def html_rows(folder: Path, table: str) -> list[tuple[str, str]]:
    return rows(reading(folder, "a.lt.html", page(table)))


def tr(tag: str, *cells: str) -> str:
    return "<tr>" + "".join(c if c.startswith("<") else f"<{tag}>{c}</{tag}>" for c in cells) + "</tr>"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (  # an empty name over two columns, rows that part them and rows that do not
            tr("th", "<th colspan=2></th>", "Taškai", "Koeficientas", "Iš viso")
            + tr("td", "1", "Šuolis", "17", "2", "34")
            + tr("td", "<td colspan=2>Piruetas</td>", "10", "3", "30"),
            [
                ("|  | Taškai | Koeficientas | Iš viso", "1 | Šuolis | 17 | 2 | 34"),
                ("|  | Taškai | Koeficientas | Iš viso", "Piruetas | Piruetas | 10 | 3 | 30"),
            ],
        ),
        (  # the same without a row that parts them: one column
            tr("th", "<th colspan=2></th>", "Taškai", "Iš viso") + tr("td", "<td colspan=2>Piruetas</td>", "10", "30"),
            [("| Taškai | Iš viso", "Piruetas | 10 | 30")],
        ),
        (  # two rows of names
            tr("th", "<th rowspan=2>Ženklas</th>", "<th colspan=2>2023</th>", "<th colspan=2>2024</th>")
            + tr("th", "Kaina", "Kiekis", "Kaina", "Kiekis")
            + tr("td", "A", "1", "2", "3", "4"),
            [("Ženklas | 2023 Kaina | 2023 Kiekis | 2024 Kaina | 2024 Kiekis", "A | 1 | 2 | 3 | 4")],
        ),
        (  # a name that goes down two rows of the body, and the first cell of a row that is empty
            tr("th", "Miestas", "Ženklas", "Kaina")
            + tr("td", "<td rowspan=2>Vilnius</td>", "A", "1")
            + tr("td", "B", "2")
            + tr("td", "", "C", "3"),
            [
                ("Miestas | Ženklas | Kaina", "Vilnius | A | 1"),
                ("Miestas | Ženklas | Kaina", "Vilnius | B | 2"),
                ("Miestas | Ženklas | Kaina", "| C | 3"),
            ],
        ),
        (  # names of rows
            tr("th", "", "Kaina", "Kiekis") + tr("td", "<th>A</th>", "1", "2") + tr("td", "<th>B</th>", "3", "4"),
            [("| Kaina | Kiekis", "A | 1 | 2"), ("| Kaina | Kiekis", "B | 3 | 4")],
        ),
        (  # nobody wrote a cell in the corner: which column a name belongs to is not known
            tr("th", "Kaina", "Kiekis") + tr("td", "<th>A</th>", "1", "2"),
            [("", "A | 1 | 2")],
        ),
        (  # a row that ends early leaves the cell beside it to its own rows
            tr("th", "A", "B", "C")
            + tr("td", "1", "2", "<td rowspan=2>3</td>")
            + tr("td", "4")
            + tr("td", "5", "6", "7"),
            [("A | B | C", "1 | 2 | 3"), ("A | B | C", "4 |  | 3"), ("A | B | C", "5 | 6 | 7")],
        ),
        (  # a cell that reaches over the end of its group
            f"<tbody>{tr('th', 'A', 'B')}{tr('td', '<td rowspan=9>x</td>', '1')}</tbody><tbody>{tr('td', 'y', '2')}</tbody>",
            [("A | B", "x | 1"), ("A | B", "y | 2")],
        ),
        (  # a cell that says it goes down to the end
            tr("th", "A", "B") + tr("td", "<td rowspan=0>x</td>", "1") + tr("td", "2") + tr("td", "3"),
            [("A | B", "x | 1"), ("A | B", "x | 2"), ("A | B", "x | 3")],
        ),
        (  # names that come again for other columns
            tr("th", "Vaisius", "Kaina")
            + tr("td", "Obuolys", "1 EUR")
            + tr("th", "Įrankis", "Svoris")
            + tr("td", "Kirvis", "2 kg"),
            [("Vaisius | Kaina", "Obuolys | 1 EUR"), ("Įrankis | Svoris", "Kirvis | 2 kg")],
        ),
        (  # bold words further down may be names of columns: what follows has none
            tr("th", "Vaisius", "Kaina")
            + tr("td", "Obuolys", "1 EUR")
            + tr("td", "<td><b>Įrankis</b></td>", "<td><b>Svoris</b></td>")
            + tr("td", "Kirvis", "2 kg"),
            [("Vaisius | Kaina", "Obuolys | 1 EUR"), ("Vaisius | Kaina", "Įrankis | Svoris"), ("", "Kirvis | 2 kg")],
        ),
        (  # a foot that is written above the rows it closes
            f"<thead>{tr('th', 'A', 'B')}</thead><tfoot>{tr('td', 'Iš viso', '3')}</tfoot><tbody>{tr('td', 'x', '1')}{tr('td', 'y', '2')}</tbody>",
            [("A | B", "x | 1"), ("A | B", "y | 2"), ("A | B", "Iš viso | 3")],
        ),
        (  # no names at all: what is empty keeps its place
            tr("td", "x", "y", "z") + tr("td", "", "b", "c") + tr("td", "", "", "d"),
            [("", "x | y | z"), ("", "| b | c"), ("", "|  | d")],
        ),
    ],
)
def test_columns_of_a_page_are_those_of_its_grid(tmp_path: Path, table: str, told: list[tuple[str, str]]) -> None:
    assert html_rows(tmp_path, table) == told


def test_bars_inside_a_cell_part_no_cells(tmp_path: Path) -> None:
    table = tr("th", "Ženklas", "Reikšmė") + tr("td", "a|b", "1 | 2") + tr("td", "|", "arba")
    ((_, first), (header, _)) = html_rows(tmp_path, table)
    assert [first[c.start : c.end].replace("\u00a0", " ") for c in cell_spans(first, HTML)] == ["a|b", "1 | 2"]
    assert column_names(header, HTML) == ("Ženklas", "Reikšmė")


def test_a_stored_row_keeps_the_places_of_its_empty_cells() -> None:
    def cells(row: str) -> list[str]:
        return [row[c.start : c.end] for c in cell_spans(row, HTML)]

    assert cells("| b | c") == ["", "b", "c"]
    assert cells("|  | b") == ["", "", "b"]
    assert cells("a |  | b") == ["a", "", "b"]
    assert column_names("|  | Taškai", HTML) == ("", "", "Taškai")


def grid(*lines: Sequence[tuple[str, int, int]]) -> list[list[tables.Cell]]:
    return [[tables.Cell(text, start, end) for text, start, end in line] for line in lines]


def test_a_row_on_columns_of_its_own_stands_as_it_is_and_changes_no_other() -> None:
    rows_ = tables.laid_out(
        grid(
            [("A", 0, 2), ("B", 2, 4)],
            [("x", 0, 2), ("1", 2, 4)],
            [("y", 0, 2), ("2", 2, 4)],
            [("Parašas", 0, 1), ("Data", 1, 4)],
        ),
        1,
    )
    assert [(r.header, r.text) for r in rows_[1:]] == [("A | B", "x | 1"), ("A | B", "y | 2"), ("", "Parašas | Data")]


def test_no_words_are_lost_where_cells_lie_over_each_other() -> None:
    told = tables.laid_out(grid([("A", 0, 1), ("B", 1, 2)], [("x", 0, 2), ("y", 1, 2)]), 1)
    assert (told[1].header, told[1].text) == ("", "x | y")


def test_edges_that_are_nearly_one_are_one_and_become_small_numbers() -> None:
    told = tables.snapped(
        grid([("A", 0, 3000), ("B", 3000, 9000)], [("x", 0, 3040), ("", 3040, 3060), ("y", 3060, 9050)])
    )
    assert [[(c.text, c.start, c.end) for c in row] for row in told] == [
        [("A", 0, 1), ("B", 1, 2)],
        [("x", 0, 1), ("y", 1, 2)],
    ]
    thin = grid([("A", 0, 50), ("B", 50, 9000)])  # a column that has words is one, however thin
    assert [(c.start, c.end) for c in tables.snapped(thin)[0]] == [(0, 1), (1, 2)]


def word_row(*cells: tuple[str, int, int], head: bool = False) -> str:
    """Cells as (text, width, columns of the grid)."""
    made = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:gridSpan w:val="{span}"/></w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>'
        for text, width, span in cells
    )
    return f"<w:tr>{'<w:trPr><w:tblHeader/></w:trPr>' if head else ''}{made}</w:tr>"


def word_table(widths: Sequence[int], *lines: str) -> bytes:
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return make_word(f"<w:tbl><w:tblGrid>{columns}</w:tblGrid>{''.join(lines)}</w:tbl>")


def test_a_border_drawn_a_little_aside_makes_no_column_in_word(tmp_path: Path) -> None:
    file = word_table(
        [3000, 40, 3000],
        word_row(("A", 3000, 1), ("B", 3040, 2), head=True),
        word_row(("x", 3040, 2), ("1", 3000, 1)),
        word_row(("y", 3000, 1), ("2", 3040, 2)),
    )
    assert rows(reading(tmp_path, "a.lt.docx", file)) == [("A | B", "x | 1"), ("A | B", "y | 2")]


def test_a_row_of_word_that_says_only_its_widths_stands_where_these_put_it(tmp_path: Path) -> None:
    head = word_row(("A", 3000, 1), ("B", 3000, 1), ("C", 3000, 1), head=True)
    wide = word_row(("x", 6000, 1), ("3", 3000, 1))  # no word of the columns that it covers
    elsewhere = word_row(("x", 4500, 1), ("3", 4500, 1))
    file = word_table(
        [3000, 3000, 3000], head, word_row(("a", 3000, 1), ("1", 3000, 1), ("2", 3000, 1)), wide, elsewhere
    )
    assert rows(reading(tmp_path, "a.lt.docx", file)) == [
        ("A | B | C", "a | 1 | 2"),
        ("A | B | C", "x | x | 3"),
        ("", "x | 3"),
    ]


def test_rows_of_rtf_are_placed_by_their_edges_however_many_twips(tmp_path: Path) -> None:
    def row(*cells: tuple[str, int]) -> str:
        ends = "".join(f"\\cellx{end}" for _, end in cells)
        return f"\\trowd{ends} " + "".join(f"{text}\\intbl\\cell " for text, _ in cells) + "\\row\n"

    source = (
        "{\\rtf1\\ansi Kainos\\par\n"
        + row(("", 4000), ("Marks", 6000), ("Total", 8000))
        + row(("1", 1000), ("Jump", 4010), ("17", 6010), ("34", 7990))
        + row(("2", 1000), ("Spin", 4010), ("10", 6010), ("30", 7990))
        + row(("Pair", 4000), ("9", 6000), ("27", 8000))
        + "\\pard Pabaiga\\par}"
    )
    header = "|  | Marks | Total"
    assert rows(reading(tmp_path, "a.rtf", source)) == [
        (header, "1 | Jump | 17 | 34"),
        (header, "2 | Spin | 10 | 30"),
        (header, "Pair | Pair | 9 | 27"),
    ]


def test_a_row_of_a_csv_file_with_a_cell_too_many_has_no_names(tmp_path: Path) -> None:
    document = reading(tmp_path, "a.lt.csv", "Pavadinimas,Miestas,Kaina\nA,Vilnius,5\nB,Vilnius, LT,6\nC,Kaunas\n")
    assert rows(document) == [
        ("Pavadinimas | Miestas | Kaina", "A | Vilnius | 5"),
        ("", "B | Vilnius | LT | 6"),
        ("Pavadinimas | Miestas", "C | Kaunas"),
    ]


def test_merged_names_and_columns_without_one_in_a_sheet(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for line in [
        [None, "2023", None, "2024", None],
        ["Ženklas", "Kaina", "Kiekis", "Kaina", "Kiekis", None],
        ["A", 1, 2, 3, 4, "pastaba"],
        [None, 5, None, 7, 8],
        ["C", 1, 2, 3, 4],
    ]:
        sheet.append(line)
    sheet.merge_cells("B1:C1")
    sheet.merge_cells("D1:E1")
    for cells in sheet["A1:E2"]:
        for cell in cells:
            cell.font = openpyxl.styles.Font(bold=cell.row == 1)
    file = io.BytesIO()
    book.save(file)
    header = "Ženklas | 2023 Kaina | 2023 Kiekis | 2024 Kaina | 2024 Kiekis"
    assert rows(reading(tmp_path, "a.lt.xlsx", file.getvalue())) == [
        (header, "A | 1 | 2 | 3 | 4 | pastaba"),
        (header, "| 5 |  | 7 | 8"),
        (header, "C | 1 | 2 | 3 | 4"),
    ]


def odt(body: str, styles: str = "") -> bytes:
    oasis = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(
        f'xmlns:{n}="{oasis}:{v}:1.0"'
        for n, v in (("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"))
    )
    content = (
        f"<office:document-content {spaces}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )
    return make_zip({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": content.encode()})


def odt_cell(inner: str) -> str:
    return f"<table:table-cell>{inner}</table:table-cell>"


def test_a_border_drawn_a_little_aside_makes_no_column_in_odt(tmp_path: Path) -> None:
    def cell(text: str, wide: int) -> str:
        covered = "<table:covered-table-cell/>" * (wide - 1)
        return f'<table:table-cell table:number-columns-spanned="{wide}"><text:p>{text}</text:p></table:table-cell>{covered}'

    widths = [("5cm", "c1"), ("0.8mm", "c2"), ("5cm", "c3")]
    styles = "".join(
        f'<style:style style:name="{name}" style:family="table-column"><style:table-column-properties style:column-width="{width}"/></style:style>'
        for width, name in widths
    )
    columns = "".join(f'<table:table-column table:style-name="{name}"/>' for _, name in widths)
    head = f"<table:table-header-rows><table:table-row>{cell('A', 1)}{cell('B', 2)}</table:table-row></table:table-header-rows>"
    body = "".join(
        f"<table:table-row>{cell(name, 2)}{cell(n, 1)}</table:table-row>" for name, n in (("x", "1"), ("y", "2"))
    )
    file = odt(f"<text:p>Kainos</text:p><table:table>{columns}{head}{body}</table:table>", styles)
    assert rows(reading(tmp_path, "a.lt.odt", file)) == [("A | B", "x | 1"), ("A | B", "y | 2")]


def test_items_in_cells_keep_their_numbers_in_odt(tmp_path: Path) -> None:
    numbered = (
        '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>'
        '<text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")"/></text:list-style>'
        '<text:list-style style:name="L2"><text:list-level-style-bullet text:level="1" text:bullet-char="•"/></text:list-style>'
    )
    items = (
        '<text:p>Reikia:</text:p><text:list text:style-name="L1"><text:list-item><text:p>prašymo</text:p></text:list-item>'
        "<text:list-item><text:p>kopijos</text:p><text:list><text:list-item><text:p>paso</text:p></text:list-item></text:list>"
        "</text:list-item></text:list>"
    )
    bullets = '<text:list text:style-name="L2"><text:list-item><text:p>vienas</text:p></text:list-item><text:list-item><text:p>du</text:p></text:list-item></text:list>'
    body = (
        "<text:p>Sąrašas lentelėje</text:p><table:table>"
        f"<table:table-row>{odt_cell(items)}{odt_cell(bullets)}</table:table-row>"
        f"<table:table-row>{odt_cell('')}{odt_cell('<text:p>antras</text:p>')}</table:table-row></table:table>"
    )
    assert shown(reading(tmp_path, "a.lt.odt", odt(body, numbered)))[1:] == [
        ("table_row", "Reikia: 1. prašymo 2. kopijos a) paso | • vienas • du"),
        ("table_row", "| antras"),
    ]


def test_items_in_cells_keep_their_numbers_on_a_page_and_in_word(tmp_path: Path) -> None:
    table = tr(
        "td",
        "Reikia: <ol start=3><li>prašymo<li>kopijos<ul><li>paso</ul></ol>",
        "<td><ul><li>vienas<li>du</ul></td>",
        "x",
    )
    table += tr("td", "a", "b", "c")
    assert html_rows(tmp_path, table)[0] == ("", "Reikia: 3. prašymo 4. kopijos • paso | • vienas • du | x")
    item = '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="{}"/></w:numPr></w:pPr><w:r><w:t>{}</w:t></w:r></w:p>'.format
    level = '<w:abstractNum w:abstractNumId="{0}"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="{1}"/><w:lvlText w:val="{2}"/></w:lvl></w:abstractNum>'.format
    numbering = (
        level(1, "decimal", "%1)")
        + level(2, "bullet", "-")
        + "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>' for n in (1, 2))
    )
    body = (
        f"<w:tbl><w:tr><w:tc>{item(1, 'prašymo')}{item(1, 'kopijos')}</w:tc><w:tc>{item(2, 'vienas')}{item(2, 'du')}</w:tc></w:tr>"
        "<w:tr><w:tc><w:p/></w:tc><w:tc><w:p><w:r><w:t>antras</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
    assert rows(reading(tmp_path, "a.lt.docx", make_word(body, numbering=numbering))) == [
        ("", "1) prašymo 2) kopijos | • vienas • du"),
        ("", "| antras"),
    ]


def test_rows_of_markdown_keep_the_places_of_empty_cells_and_bars_inside_them(tmp_path: Path) -> None:
    source = (
        "# Kainos\n\n| Ženklas | Kaina | `a\\|b` |\n|---|---|---|\n|  | 1 | 2 |\n||3|4|\n| `x \\| y` | 5 | |\n\n"
        "Vardas | Metai\n--|--\nOna | 30\n"
    )
    document = reading(tmp_path, "a.lt.md", source)
    parts = [of_block(document, block) for block in document.blocks if block.kind == "table_row"]
    assert [named_cells(part, document.media_type) for part in parts] == [
        [("Ženklas", ""), ("Kaina", "1"), ("a|b", "2")],
        [("Ženklas", ""), ("Kaina", "3"), ("a|b", "4")],
        [("Ženklas", "x | y"), ("Kaina", "5")],
        [("Vardas", "Ona"), ("Metai", "30")],
    ]
    assert as_lines(parts[2:3], document.media_type) == "Ženklas: x | y\nKaina: 5"
    drawn = elements(document.text, document.blocks, (), "lt", document.media_type)
    assert "".join(piece.text for piece in drawn[3].cells[0]) == "x | y"
    assert document.text == source


def sheet_rows(folder: Path, *lines: Sequence[object]) -> list[tuple[str, str]]:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append([None if cell == "" else cell for cell in line])
    file = io.BytesIO()
    book.save(file)
    return rows(reading(folder, "a.lt.xlsx", file.getvalue()))


def csv_rows(folder: Path, *lines: Sequence[object]) -> list[tuple[str, str]]:
    return rows(reading(folder, "a.lt.csv", "\n".join(";".join(map(str, line)) for line in lines)))


@pytest.mark.parametrize(
    ("head", "names"),
    [
        (  # groups above names that come again
            [("Savivaldybė", "2023", "", "2024", ""), ("", "Pajamos", "Išlaidos", "Pajamos", "Išlaidos")],
            "Savivaldybė | 2023 Pajamos | 2023 Išlaidos | 2024 Pajamos | 2024 Išlaidos",
        ),
        (  # units below names
            [("Savivaldybė", "Plotas", "Gyventojai", "Keliai", "Biudžetas"), ("", "ha", "vnt.", "km", "tūkst. EUR")],
            "Savivaldybė | Plotas ha | Gyventojai vnt. | Keliai km | Biudžetas tūkst. EUR",
        ),
        (  # years as names
            [("Savivaldybė", "2021", "2022", "2023", "2024")],
            "Savivaldybė | 2021 | 2022 | 2023 | 2024",
        ),
    ],
)
def test_names_in_two_rows_that_nothing_marks_are_the_names_of_the_columns(
    tmp_path: Path, head: list[Sequence[object]], names: str
) -> None:
    values = [("Vilniaus", 100, 90, 120, 110), ("Kauno", 80, 70, 85, 75)]
    told = [(names, "Vilniaus | 100 | 90 | 120 | 110"), (names, "Kauno | 80 | 70 | 85 | 75")]
    assert sheet_rows(tmp_path, *head, *values) == told
    assert [text for _, text in csv_rows(tmp_path, *head, *values)] == [text for _, text in told]


def test_a_row_of_words_below_a_header_is_a_row(tmp_path: Path) -> None:
    lines = [("Miestas", "Kaina", "Kiekis"), ("Vilnius", "nėra", "nežinoma"), ("Kaunas", 5, 6), ("Alytus", 7, 8)]
    told = [
        ("Miestas | Kaina | Kiekis", text) for text in ("Vilnius | nėra | nežinoma", "Kaunas | 5 | 6", "Alytus | 7 | 8")
    ]
    assert sheet_rows(tmp_path, *lines) == told
    assert csv_rows(tmp_path, *lines) == told


def test_years_in_a_column_are_no_header(tmp_path: Path) -> None:
    lines = [("Pastatas A", 2001, 2002), ("Pastatas B", 1998, 1999), ("Pastatas C", 1990, 1991)]
    assert [text for _, text in sheet_rows(tmp_path, *lines)] == [
        "Pastatas A | 2001 | 2002", "Pastatas B | 1998 | 1999", "Pastatas C | 1990 | 1991",
    ]  # fmt: skip


def md_rows(folder: Path, text: str) -> list[tuple[list[tuple[str, str]], str]]:
    """The rows of a Markdown file as (column, cell) and as they are shown in a line."""
    document = reading(folder, "a.lt.md", text)
    found = [of_block(document, block) for block in document.blocks if block.kind == "table_row"]
    return [(named_cells(row, document.media_type), as_shown(row.text, document.media_type)) for row in found]


def test_a_table_written_in_html_within_markdown_has_rows_and_names(tmp_path: Path) -> None:
    text = """# Kainos

<table class="x">
  <caption>Kainų sąrašas</caption>
  <thead><tr><th>Paslauga</th><th>Kaina, EUR</th></tr></thead>
  <tr><td>Leidimas <b>statyti</b></td><td>10</td></tr>
  <tr>
    <td>Licencija
    <td>20<br>per metus

  </tr>

  <tr><td>Pažyma</td><td></td></tr>
</table>

<div>Skyriaus tekstas.</div>
"""
    assert md_rows(tmp_path, text) == [
        ([("Paslauga", "Leidimas statyti"), ("Kaina, EUR", "10")], "Leidimas statyti 10"),
        ([("Paslauga", "Licencija"), ("Kaina, EUR", "20 per metus")], "Licencija 20 per metus"),
        ([("Paslauga", "Pažyma"), ("Kaina, EUR", "")], "Pažyma"),
    ]
    document = reading(tmp_path, "a.lt.md", text)
    assert [told for kind, told in shown(document) if kind == "paragraph"] == [
        "Kainų sąrašas",
        "<div>Skyriaus tekstas.</div>",
    ]
    assert document.warnings == ()


def test_merged_cells_of_html_within_markdown_are_said_and_take_no_names(tmp_path: Path) -> None:
    text = """<table><tr><th>Rajonas</th><th>Seniūnija</th></tr>
<tr><td rowspan="2">Vilniaus</td><td>Zujūnų</td></tr><tr><td>Rudaminos</td></tr>
<tr><td>Kauno</td><td>Garliavos</td></tr></table>
"""
    assert [cells for cells, _ in md_rows(tmp_path, text)] == [
        [("", "Vilniaus"), ("", "Zujūnų")], [("", "Rudaminos")], [("Rajonas", "Kauno"), ("Seniūnija", "Garliavos")],
    ]  # fmt: skip
    assert reading(tmp_path, "a.lt.md", text).warnings == (
        "Cells of tables in HTML that reach over several columns or rows, and are said once only: 1.",
    )


MERGED = (
    "<tr><td rowspan=2>{0}</td><td colspan=2>{1}</td></tr><tr><td>{2}</td><td>{3}</td></tr>"
    "<tr><td>Vertinimas</td><td>900</td><td>1200</td></tr>"
)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            ("Paslauga", "Kaina, Eur", "nariams", "kitiems"),
            [("Paslauga | Kaina, Eur nariams | Kaina, Eur kitiems", "Vertinimas | 900 | 1200")],
        ),
        (
            ("Vertinimas", "iki 800 Eur", "600", "800"),
            [
                ("", "Vertinimas | iki 800 Eur | iki 800 Eur"),
                ("", "Vertinimas | 600 | 800"),
                ("", "Vertinimas | 900 | 1200"),
            ],
        ),
    ],
)
def test_names_that_are_merged_over_and_with_the_next_row_are_a_header_and_figures_are_none(
    tmp_path: Path, names: tuple[str, ...], told: list[tuple[str, str]]
) -> None:
    page = f"<html><body><main><p>Kainos galioja nuo sausio.</p><table>{MERGED.format(*names)}</table></main></body></html>"
    assert rows(reading(tmp_path, "a.lt.html", page)) == told
