"""What is promised of charts, text boxes and figures: what a person sees of them is in the text."""

from __future__ import annotations

import datetime
import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pptx
import pytest
from openpyxl.chart import BarChart, Reference
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from clusterqa.documents.figures import shown as shown_figure
from clusterqa.errors import UnreadableDocument
from documents_fixtures import make_word, make_zip, reading, rows, shown

_AREA = (Inches(1), Inches(1), Inches(6), Inches(4))
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"


def chart_of(title: str = "Klasterių skaičius") -> tuple[Any, bytes]:
    """A presentation with one chart of two series over three years, and the chart's own part."""
    deck = pptx.Presentation()
    data = CategoryChartData(number_format='#,##0" vnt."')
    data.categories = ["2022 m.", "2023 m.", "2024 m."]
    data.add_series("Bronzos", (12, 1800, 23))
    data.add_series("Sidabro", (5, None, 9))
    frame = deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *_AREA, data)
    frame.chart.has_title = True
    frame.chart.chart_title.text_frame.text = title
    frame.chart.category_axis.axis_title.text_frame.text = "Metai"
    return deck, frame.chart.part.blob


def saved(deck: Any) -> bytes:
    file = io.BytesIO()
    deck.save(file)
    return file.getvalue()


CHART = [
    ("Metai | Bronzos | Sidabro", "2022 m. | 12 vnt. | 5 vnt."),
    ("Metai | Bronzos | Sidabro", "2023 m. | 1 800 vnt."),
    ("Metai | Bronzos | Sidabro", "2024 m. | 23 vnt. | 9 vnt."),
]


def with_part(raw: bytes, changed: dict[str, bytes], added: tuple[str, str, str] | None = None) -> bytes:
    """A package with other contents of some parts, and with a relation (of a part's rels, its id and kind) to one."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | changed
    if added is not None:
        rels, name, target = added
        relation = f'<Relationship Id="{name}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/chart" Target="{target}"/>'
        members[rels] = members[rels].replace(b"</Relationships>", relation.encode() + b"</Relationships>")
        kind = (
            '<Default Extension="xml" ContentType="application/vnd.openxmlformats-officedocument.drawingml.chart+xml"/>'
        )
        members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(
            b"</Types>", kind.encode() + b"</Types>"
        )
    return make_zip(members)


def test_a_chart_of_a_presentation_is_the_table_it_draws(tmp_path: Path) -> None:
    deck, _ = chart_of()
    document = reading(tmp_path, "a.lt.pptx", saved(deck))
    assert shown(document)[0] == ("paragraph", "Klasterių skaičius")
    assert rows(document) == CHART
    assert document.warnings == ()


def test_a_chart_of_a_word_document_stands_after_its_paragraph(tmp_path: Path) -> None:
    _, chart = chart_of()
    drawing = f'<w:p><w:r><w:t>Prieš.</w:t><w:drawing><c:chart xmlns:c="{_DRAWING}/chart" r:id="one"/></w:drawing></w:r></w:p>'
    raw = with_part(
        make_word(drawing + "<w:p><w:r><w:t>Po.</w:t></w:r></w:p>"),
        {"word/one.xml": chart},
        ("word/_rels/document.xml.rels", "one", "one.xml"),
    )
    document = reading(tmp_path, "a.lt.docx", raw)
    texts = [text for _, text in shown(document)]
    assert texts[:3] == ["Prieš.", "Klasterių skaičius", "2022 m. | 12 vnt. | 5 vnt."] and texts[-1] == "Po."
    assert document.warnings == ()


def test_a_chart_that_is_not_in_the_file_is_named(tmp_path: Path) -> None:
    drawing = f'<w:p><w:r><w:t>Tekstas.</w:t><w:drawing><c:chart xmlns:c="{_DRAWING}/chart" r:id="none"/></w:drawing></w:r></w:p>'
    assert reading(tmp_path, "a.lt.docx", make_word(drawing)).warnings == ("Charts that are not read: 1.",)


def test_a_deck_of_nothing_but_a_chart_without_figures_is_refused_with_the_chart_named(tmp_path: Path) -> None:
    deck, _ = chart_of()
    chart = deck.slides[0].shapes[0].chart._chartSpace
    for series in list(chart.iter(f"{{{_DRAWING}/chart}}ser")):
        series.getparent().remove(series)
    with pytest.raises(UnreadableDocument, match=r"There is no text in it\. Charts that are not read: 1\."):
        reading(tmp_path, "a.lt.pptx", saved(deck))


def test_a_chart_of_points_pairs_each_with_its_own_place(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    data = XyChartData()
    drawn: dict[str, list[tuple[float, int]]] = {"Plotas": [(1, 10), (2.5, 20)], "Kaina": [(3, 30)]}
    for name, points in drawn.items():
        series = data.add_series(name)
        for x, y in points:
            series.add_data_point(x, y)
    deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, *_AREA, data)
    assert rows(reading(tmp_path, "a.lt.pptx", saved(deck))) == [
        ("| Plotas", "1 | 10"),
        ("| Plotas", "2.5 | 20"),
        ("| Kaina", "3 | 30"),
    ]


def sheet_with_drawings() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(("Pastaba", "žr. žemiau"))
    chart = BarChart()
    chart.add_data(Reference(book.active, min_col=1, min_row=1))
    book.active.add_chart(chart, "D5")
    book.active.oddHeader.left.text = "&8Patvirtinta 2021-05-05, &P psl."
    _, drawn = chart_of()
    raw = saved(book)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        drawing = archive.read("xl/drawings/drawing1.xml")
    box = (
        f'<xdr:oneCellAnchor xmlns:xdr="{_DRAWING}/spreadsheetDrawing" xmlns:a="{_DRAWING}/main"><xdr:from><xdr:col>0</xdr:col>'
        "<xdr:row>1</xdr:row></xdr:from><xdr:sp><xdr:txBody><a:p><a:r><a:t>Kainos </a:t></a:r><a:r><a:t>be PVM.</a:t></a:r></a:p>"
        "</xdr:txBody></xdr:sp></xdr:oneCellAnchor>"
    )
    end = drawing.rindex(b"</")
    return with_part(
        raw, {"xl/drawings/drawing1.xml": drawing[:end] + box.encode() + drawing[end:], "xl/charts/chart1.xml": drawn}
    )


def test_text_boxes_charts_and_headers_of_a_sheet_are_read_after_its_rows(tmp_path: Path) -> None:
    document = reading(tmp_path, "a.lt.xlsx", sheet_with_drawings())
    assert [text for _, text in shown(document)] == [
        "Pastaba | žr. žemiau",
        "Kainos be PVM.",
        "Klasterių skaičius",
        "2022 m. | 12 vnt. | 5 vnt.",
        "2023 m. | 1 800 vnt.",
        "2024 m. | 23 vnt. | 9 vnt.",
        "Patvirtinta 2021-05-05, psl.",
    ]


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (1200.5, '#,##0.00 "€"', "1 200.50 €"),
        (1200.5, "0", "1201"),  # not to the even figure
        (0.125, "0.0%", "12.5%"),
        (-3.5, "#,##0.00_);(#,##0.00)", "(3.50)"),
        (-3.5, '0.0 "°C"', "-3.5 °C"),
        (0, '0;-0;"nėra"', "nėra"),
        (0, "General", "0"),
        (1_234_567, "#,##0,", "1 235"),
        (1.5, "0.##", "1.5"),
        (7, "000", "007"),
        (37061234567, "+000 000 00000", "+370 612 34567"),
        (5, '"Nr. "0', "Nr. 5"),
        (5, "[$€-2] #,##0", "€ 5"),
        (1.25, "# ?/?", "1 1/4"),
        (41.5, "[>40]0", "42"),
        (0.000123, "0.00E+00", "1.23E-04"),
        (0.1 + 0.2, "General", "0.3"),
        (True, "General", "TRUE"),
        (datetime.datetime(2024, 3, 5), "dd.mm.yyyy", "2024-03-05"),
        (datetime.timedelta(hours=26, minutes=3), "[h]:mm", "26:03"),
        ("tekstas ", "@", "tekstas"),
        (None, "General", ""),
    ],
)
def test_a_figure_is_read_as_it_is_shown(value: object, form: str, expected: str) -> None:
    assert shown_figure(value, form) == expected
