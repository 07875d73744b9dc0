"""What is promised of the other formats: ODT, RTF, PPTX, XLSX, CSV, EPUB and e-mail."""

from __future__ import annotations

import datetime
import io
import re
import sys
import zipfile
from email.message import EmailMessage
from importlib.util import find_spec
from pathlib import Path

import openpyxl
import pptx
import pytest
from lxml import etree
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches

from clusterqa.documents import SUFFIXES, read, samples
from clusterqa.documents.formats import KINDS, PAGE_KINDS
from clusterqa.documents.samples import broken_readers
from clusterqa.errors import UnreadableDocument
from clusterqa.passages import split
from clusterqa.web.staff.words_documents import told_remark
from documents_fixtures import make_word, make_zip, reading, rows, shown


def test_every_format_has_a_module_and_its_endings_are_its_own() -> None:
    assert len({suffix for kind in KINDS for suffix in kind.suffixes}) == len(SUFFIXES) == 15
    for kind in KINDS:
        assert find_spec(f"clusterqa.documents.{kind.format}") is not None
    assert sorted(PAGE_KINDS.values()) == ["chapter", *["page"] * 9, "sheet", "slide"]


def test_the_sample_of_every_format_can_be_read_and_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken_readers() == []
    monkeypatch.setitem(sys.modules, "striprtf.striprtf", None)
    assert [(name, "striprtf" in why) for name, why in broken_readers()] == [("RTF", True)]


# ── ODT ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_SPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"), ("draw", "drawing"),
                        ("fo", "xsl-fo-compatible"), ("form", "form"))
) + ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'  # fmt: skip


def odt(body: str, styles: str = "", master: str = "", **files: str) -> bytes:
    members = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": f"<office:document-content {_SPACES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>",
        "styles.xml": f"<office:document-styles {_SPACES}><office:master-styles><style:master-page>{master}</style:master-page>"
        "</office:master-styles></office:document-styles>",
        "meta.xml": f"<office:document-meta {_SPACES}><office:meta><dc:title>Ženklų tvarka</dc:title><dc:language>lt-LT"
        "</dc:language></office:meta></office:document-meta>",
        **files,
    }
    return make_zip({name: content.encode() for name, content in members.items()})


def test_an_odt_is_read_in_its_order_with_its_structure(tmp_path: Path) -> None:
    styles = (
        '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>'
        '<text:list-level-style-number text:level="2" style:num-format="1" style:num-suffix="." text:display-levels="2"/></text:list-style>'
        '<style:style style:name="H"><style:text-properties text:display="none"/></style:style>'
        '<style:style style:name="U"><style:text-properties style:text-position="super 58%"/></style:style>'
    )
    item = "<text:list-item><text:p>{}</text:p>{}</text:list-item>"
    body = (
        "<text:tracked-changes><text:p>Ištrinta.</text:p></text:tracked-changes>"
        '<text:h text:outline-level="1">Sąlygos</text:h>'
        '<text:p>Plotas<text:s text:c="2"/>10<text:span text:style-name="U">6</text:span> m.<text:note><text:note-citation>1'
        "</text:note-citation><text:note-body><text:p>Be PVM.</text:p></text:note-body></text:note>"
        '<text:span text:style-name="H">slapta</text:span><office:annotation><text:p>Ar tikrai?</text:p></office:annotation></text:p>'
        f'<text:list text:style-name="L">{item.format("pirma", "<text:list>" + item.format("gilesnė", "") + "</text:list>")}{item.format("antra", "")}</text:list>'
        "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Ženklas</text:p></table:table-cell>"
        '<table:table-cell table:number-columns-spanned="2"><text:p>Kaina</text:p></table:table-cell><table:covered-table-cell/></table:table-row></table:table-header-rows>'
        '<table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>Bronzos</text:p></table:table-cell><table:table-cell><text:p>600</text:p></table:table-cell>'
        "<table:table-cell><text:p>726</text:p></table:table-cell></table:table-row>"
        "<table:table-row><table:covered-table-cell/><table:table-cell><text:p>700</text:p></table:table-cell><table:table-cell><text:p>847</text:p></table:table-cell></table:table-row></table:table>"
        '<text:p><draw:frame><draw:object xlink:href="./Object 1"/></draw:frame> tinka.</text:p>'
    )
    formula = '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi><mo>≥</mo><mn>3</mn></math>'
    master = "<style:header><text:p>Įsakymas Nr. V-12</text:p></style:header><style:footer><text:p><text:page-number>3</text:page-number></text:p></style:footer>"
    document = reading(tmp_path, "a.odt", odt(body, styles, master, **{"Object 1/content.xml": formula}))
    assert shown(document) == [
        ("paragraph", "Įsakymas Nr. V-12"),
        ("heading", "Sąlygos"),
        ("paragraph", "Plotas  10⁶ m.¹"),
        ("paragraph", "¹ Be PVM."),
        ("list_item", "pirma"),
        ("list_item", "gilesnė"),
        ("list_item", "antra"),
        ("table_row", "Bronzos | 600 | 726"),
        ("table_row", "Bronzos | 700 | 847"),
        ("paragraph", "x ≥ 3 tinka."),
    ]
    assert "\n1. pirma\n1.1. gilesnė\n2. antra\n" in document.text
    assert {header for header, _ in rows(document)} == {"Ženklas | Kaina | Kaina"}
    assert (document.title, document.language) == ("Ženklų tvarka", "lt")
    assert document.warnings == ("Comments that are not read: 1.",)


def test_headings_of_an_odt_are_counted_level_by_level(tmp_path: Path) -> None:
    outline = (
        '<text:outline-style><text:outline-level-style text:level="1" style:num-format="1" style:num-suffix="."/>'
        '<text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/></text:outline-style>'
    )
    heading = '<text:h text:outline-level="{}">{}</text:h>'
    told = ((1, "Pirmas"), (2, "Vidinis"), (2, "Kitas"), (1, "Antras"), (2, "Naujas"))
    raw = odt("".join(heading.format(level, text) for level, text in told))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["styles.xml"] = members["styles.xml"].replace(b"<office:master", outline.encode() + b"<office:master", 1)
    document = reading(tmp_path, "a.odt", make_zip(members))
    assert [text for _, text in shown(document)] == ["1. Pirmas", "1.1 Vidinis", "1.2 Kitas", "2. Antras", "2.1 Naujas"]


def test_an_odt_gives_what_stands_in_boxes_and_on_first_pages_once(tmp_path: Path) -> None:
    box = "<draw:frame><draw:text-box>{}</draw:text-box></draw:frame>"
    inner = f"<text:p>Vidinis.{box.format('<text:p>Giliausias.</text:p>')}</text:p>"
    cell = "<table:table-cell>{}</table:table-cell>"
    remark = "<office:annotation><text:p>Ar tikrai?</text:p></office:annotation>"
    body = (
        f"{box.format('<text:p>Lapo dėžutė.</text:p>')}<text:p>Tekstas.{box.format(inner)}</text:p>"
        f"<table:table><table:table-row>{cell.format(f'<text:p>a{remark}</text:p>')}"
        f"{cell.format('<text:p>' + box.format('<text:p>Langelyje.</text:p>') + '</text:p>')}</table:table-row></table:table>"
        "<text:bibliography><text:index-body><text:p>Jonaitis, 2020.</text:p></text:index-body></text:bibliography>"
    )
    master = (
        "<style:header><text:p>Tvarka</text:p></style:header><style:header-first><text:p>Patvirtinta</text:p></style:header-first>"
        '<style:header-left style:display="false"><text:p>Nerodoma</text:p></style:header-left>'
    )
    assert [text for _, text in shown(reading(tmp_path, "a.odt", odt(body, master=master)))] == [
        "Patvirtinta", "Tvarka", "Lapo dėžutė.", "Tekstas.", "Vidinis.", "Giliausias.", "a | Langelyje.", "Jonaitis, 2020.",
    ]  # fmt: skip


# ── RTF ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_rtf_gives_its_paragraphs_and_rows_and_names_what_it_leaves_out(tmp_path: Path) -> None:
    source = (
        rb"{\rtf1\ansi\ansicpg1257{\info{\title Tvarka}}{\header Antraste\par}\pard Bronzos \'feenklas galioja dvejus metus.\par "
        rb"Kaina \u8211 ? 600 EUR.\par \trowd\cellx1000\cellx2000\intbl Telefonas\cell +370 612 34567\cell\row "
        rb"\trowd\cellx1000\cellx2000\intbl Adresas\cell Vilnius\cell\row \pard Pabaiga.\par}"
    )
    document = reading(tmp_path, "a.lt.rtf", source)
    assert shown(document) == [
        ("paragraph", "Bronzos ženklas galioja dvejus metus."),
        ("paragraph", "Kaina – 600 EUR."),
        ("table_row", "Telefonas | +370 612 34567"),
        ("table_row", "Adresas | Vilnius"),
        ("paragraph", "Pabaiga."),
    ]
    assert document.warnings == (
        "Headers, footers, notes and comments of an RTF document are not read, and this one has some. Save it as DOCX to "
        "have them read.",
    )


# ── PPTX ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_presentation_is_read_slide_by_slide(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[1])
    first.shapes.title.text = "Klasterių ženklai"
    first.placeholders[1].text = "Bronzos ženklas\nSidabro ženklas"
    first.placeholders[1].text_frame.paragraphs[1].level = 1
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "Kainos"
    table = second.shapes.add_table(3, 2, Inches(1), Inches(2), Inches(6), Inches(2)).table
    for row, cells in enumerate([("Ženklas", "Kaina"), ("Bronzos", "600 EUR"), ("Sidabro", "1 200 EUR")]):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    second.notes_slide.notes_text_frame.text = "Nepamiršti."
    hidden = deck.slides.add_slide(deck.slide_layouts[5])
    hidden.shapes.title.text = "Slapta"
    hidden._element.set("show", "0")
    file = io.BytesIO()
    deck.save(file)
    document = reading(tmp_path, "a.lt.pptx", file.getvalue())
    assert shown(document) == [
        ("heading", "Klasterių ženklai"),
        ("list_item", "Bronzos ženklas"),
        ("list_item", "Sidabro ženklas"),
        ("heading", "Kainos"),
        ("table_row", "Bronzos | 600 EUR"),
        ("table_row", "Sidabro | 1 200 EUR"),
    ]
    assert {header for header, _ in rows(document)} == {"Ženklas | Kaina"}
    assert [(page.number, page.label) for page in document.pages] == [(1, "1"), (2, "2")]
    assert [passage.page_label for passage in split(document)] == ["1", "2", "2"]
    assert document.title == "Klasterių ženklai"
    assert document.warnings == (
        "Hidden slides that are not read: 3.",
        "Slides whose speaker's notes are not read: 2.",
    )


def test_what_stands_on_every_slide_comes_once_and_comments_are_named(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    layout = deck.slide_layouts[6]
    layout.slide_master.shapes._spTree.append(_box("Inovacijų agentūra"))
    for text in ("Pirmoji", "Antroji"):
        slide = deck.slides.add_slide(layout)
        slide.shapes.add_textbox(0, 0, 100, 100).text_frame.text = text
        for kind, said in (("ftr", "Vidaus naudojimui"), ("dt", "2024-05-05"), ("sldNum", "7")):
            slide.shapes._spTree.append(_box(said, kind))
    slide.notes_slide.shapes._spTree.append(_box("Pasakyti garsiai"))
    remarks = Part(
        PackURI("/ppt/comments/comment1.xml"),
        "application/vnd.openxmlformats-officedocument.presentationml.comments+xml",
        slide.part.package,
        b'<p:cmLst xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"><p:cm><p:text>Ar tikrai?</p:text></p:cm></p:cmLst>',
    )
    slide.part.relate_to(remarks, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments")
    file = io.BytesIO()
    deck.save(file)
    document = reading(tmp_path, "a.lt.pptx", file.getvalue())
    assert [text for _, text in shown(document)] == [
        "Pirmoji", "Vidaus naudojimui", "2024-05-05", "Inovacijų agentūra", "Antroji",
    ]  # fmt: skip
    assert document.warnings == ("Slides whose speaker's notes are not read: 2.", "Comments that are not read: 1.")


def _box(text: str, kind: str = "") -> etree._Element:
    """A text box of a slide, or the foot, date or number of one."""
    place = f'<p:ph type="{kind}" idx="12"/>' if kind else ""
    return etree.fromstring(
        '<p:sp xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/'
        f'drawingml/2006/main"><p:nvSpPr><p:cNvPr id="99" name="x"/><p:cNvSpPr/><p:nvPr>{place}</p:nvPr></p:nvSpPr><p:spPr/>'
        f"<p:txBody><a:bodyPr/><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>",
        pptx.oxml.oxml_parser,
    )


def test_a_drawing_of_shapes_is_read_shape_by_shape(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    space = "http://schemas.openxmlformats.org/drawingml/2006"
    points = "".join(
        f"<dgm:pt><dgm:t><a:p><a:r><a:t>{t}</a:t></a:r></a:p></dgm:t></dgm:pt>" for t in ("Paraiška", "Vertinimas")
    )
    data = Part(
        PackURI("/ppt/diagrams/data1.xml"), "application/vnd.openxmlformats-officedocument.drawingml.diagramData+xml",
        slide.part.package, f'<dgm:dataModel xmlns:dgm="{space}/diagram" xmlns:a="{space}/main">{points}</dgm:dataModel>'.encode(),
    )  # fmt: skip
    name = slide.part.relate_to(data, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/diagramData")
    slide.shapes._spTree.append(
        etree.fromstring(
            '<p:graphicFrame xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
            f'xmlns:a="{space}/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><p:nvGraphicFramePr>'
            '<p:cNvPr id="98" name="x"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm/><a:graphic>'
            f'<a:graphicData uri="{space}/diagram"><dgm:relIds xmlns:dgm="{space}/diagram" r:dm="{name}"/></a:graphicData></a:graphic></p:graphicFrame>',
            pptx.oxml.oxml_parser,
        )
    )
    file = io.BytesIO()
    deck.save(file)
    document = reading(tmp_path, "a.lt.pptx", file.getvalue())
    assert [text for _, text in shown(document)] == ["Paraiška", "Vertinimas"] and document.warnings == ()


# ── XLSX, CSV ───────────────────────────────────────────────────────────────────────────────────────────────────


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Kainos"
    for row in [("Ženklų kainos",), ("Ženklas", "Kaina", "Nuo", "Dalis"), ("Bronzos", 600, datetime.date(2024, 3, 5), 0.125),
                (None, 1200.5, datetime.date(2025, 1, 1), 0.5), (), ("Telefonas", "+370 612 34567"), ("Adresas", "Vilnius")]:  # fmt: skip
        sheet.append(row)
    sheet.merge_cells("A3:A4")
    sheet["B3"].number_format = sheet["B4"].number_format = '#,##0.00 "€"'
    sheet["D3"].number_format = "0.0%"
    sheet["D4"].number_format = "0%"
    sheet["B3"].comment = Comment("Ar tikrai?", "a")
    for cell in sheet[2]:
        cell.font = Font(bold=True)
    other = book.create_sheet("Formulės")
    other.append(("Rodiklis", "Reikšmė"))
    other["B2"] = "=1+1"
    secret = book.create_sheet("Slaptas")
    secret["A1"] = "slapta"
    secret.sheet_state = "hidden"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_workbook_is_read_as_its_sheets_show_it(tmp_path: Path) -> None:
    document = reading(tmp_path, "a.lt.xlsx", workbook())
    header = "Ženklas | Kaina | Nuo | Dalis"
    assert rows(document)[:4] == [
        (header, "Bronzos | 600.00 € | 2024-03-05 | 12.5%"),
        (header, "Bronzos | 1 200.50 € | 2025-01-01 | 50%"),
        ("", "Telefonas | +370 612 34567"),
        ("", "Adresas | Vilnius"),
    ]
    assert shown(document)[0] == ("heading", "Ženklų kainos")
    assert [page.label for page in document.pages] == ["Kainos", "Formulės"]
    assert "slapta" not in document.text
    assert document.warnings == (
        "Hidden sheets that are not read: Slaptas.",
        "Comments that are not read: 1.",
        "Formulas without a stored value, which are left out: 1. Open it in Excel and save it again.",
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Ženklas;Kaina\nBronzos;600 EUR\nSidabro;1 200 EUR\n", [("Ženklas | Kaina", "Bronzos | 600 EUR"), ("Ženklas | Kaina", "Sidabro | 1 200 EUR")]),
        ('Vardas,Pareigos,Miestas\n"Jonas, vyr.",ekspertas,Vilnius\n', [("Vardas | Pareigos | Miestas", "Jonas, vyr. | ekspertas | Vilnius")]),
        ("Telefonas\t+370 612 34567\nAdresas\tVilnius\n", [("", "Telefonas | +370 612 34567"), ("", "Adresas | Vilnius")]),
        ("Kainos;;\n\nMetai;Narių;Pajamos\n2023;10;5,5\n2024;12;\"6,5\"\n", [("Metai | Narių | Pajamos", "2023 | 10 | 5,5"), ("Metai | Narių | Pajamos", "2024 | 12 | 6,5")]),
        ("Vardas,\nJonas,5\nOna,6\n", [("", "Vardas"), ("", "Jonas | 5"), ("", "Ona | 6")]),
        ("Kas yra klasteris?;Įmonių grupė.\nKiek jų?;Daug.\n", [("", "Kas yra klasteris? | Įmonių grupė."), ("", "Kiek jų? | Daug.")]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1257"])
def test_csv_rows_know_their_columns(tmp_path: Path, source: str, expected: list, encoding: str) -> None:
    assert rows(reading(tmp_path, "a.lt.csv", source.encode(encoding))) == expected


def test_hidden_rows_are_named_and_a_header_alone_can_be_quoted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [("Ženklas", "Kaina", "Kodas"), ("Bronzos", 600, "x1"), ("Sidabro", 700, "x2")]:
        book.active.append(row)
    book.active.row_dimensions[3].hidden = True
    book.active.column_dimensions["C"].hidden = True
    other = book.create_sheet("Tuščia")
    other.append(("Vardas", "Pavardė", "Pareigos"))
    file = io.BytesIO()
    book.save(file)
    document = reading(tmp_path, "a.lt.xlsx", file.getvalue())
    assert [text for _, text in rows(document)] == ["Ženklas | Kaina", "Bronzos | 600", "Vardas | Pavardė | Pareigos"]
    assert document.warnings == ("Hidden rows and columns that are not read: 2.",)


@pytest.mark.parametrize("suffix", ["xlsx", "pptx"])
def test_the_strict_form_and_templates_are_read_alike(tmp_path: Path, suffix: str) -> None:
    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = "Kainos"
    file = io.BytesIO()
    deck.save(file)
    usual = workbook() if suffix == "xlsx" else file.getvalue()
    kind = b"presentationml.presentation.main", b"presentationml.slideshow.main"
    names = (b"officeDocument", b"spreadsheetml", b"presentationml", b"drawingml")
    with zipfile.ZipFile(io.BytesIO(usual)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for part, content in members.items():
        for name in names:
            content = content.replace(
                b"http://schemas.openxmlformats.org/" + name + b"/2006/", b"http://purl.oclc.org/ooxml/" + name + b"/"
            )
        members[part] = content.replace(*kind) if part == "[Content_Types].xml" else content
    strict = reading(tmp_path, f"a.lt.{suffix}", make_zip(members))
    assert strict.text == reading(tmp_path, f"b.lt.{suffix}", usual).text and "ainos" in strict.text


# ── EPUB, e-mail ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_e_book_is_read_chapter_by_chapter(tmp_path: Path) -> None:
    xhtml = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{}</body></html>'
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Klasterių knyga</dc:title>'
        '<dc:language>lt</dc:language><dc:date>2021-05-05</dc:date></metadata><manifest>'
        '<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
        '<item id="a" href="b.xhtml" media-type="application/xhtml+xml"/><item id="b" href="a%20a.xhtml" media-type="application/xhtml+xml"/>'
        '</manifest><spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )  # fmt: skip
    book = make_zip({
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="O/p.opf"/></rootfiles></container>',
        "O/p.opf": package.encode(),
        "O/nav.xhtml": xhtml.format("<nav><p>Turinys</p></nav>").encode(),
        "O/b.xhtml": xhtml.format("<h1>Pirmas</h1><p>Klasteris yra įmonių grupė.</p>").encode(),
        "O/a a.xhtml": xhtml.format("<h1>Antras</h1><ol><li>sąlyga</li></ol><p><img src='x.png'/></p>").encode(),
    })  # fmt: skip
    document = reading(tmp_path, "a.epub", book)
    assert shown(document) == [
        ("heading", "Pirmas"), ("paragraph", "Klasteris yra įmonių grupė."), ("heading", "Antras"), ("list_item", "sąlyga"),
    ]  # fmt: skip
    assert [(page.number, page.label) for page in document.pages] == [(1, "Pirmas"), (2, "Antras")]
    assert (document.title, document.language, document.date) == ("Klasterių knyga", "lt", "2021-05-05")
    assert document.warnings == ("Pictures whose words are not read: 1.",)


@pytest.mark.parametrize("html", [False, True])
def test_an_e_mail_gives_its_text_and_names_what_is_attached(tmp_path: Path, html: bool) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ona <ona@pavyzdys.lt>", "info@pavyzdys.lt", "Dėl ženklo"
    message["Date"] = "Wed, 05 May 2021 10:00:00 +0300"
    message.set_content("Laba diena,\n\nženklas galioja dvejus metus.\n")
    if html:
        message.add_alternative("<p>Laba diena,</p><p>ženklas galioja <b>dvejus</b> metus.</p>", subtype="html")
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="sutartis.pdf")
    document = reading(tmp_path, "a.lt.eml", message.as_bytes())
    assert shown(document) == [
        ("heading", "Dėl ženklo"),
        ("paragraph", "Laba diena,"),
        ("paragraph", "ženklas galioja dvejus metus."),
    ]
    assert (document.title, document.date) == ("Dėl ženklo", "2021-05-05")
    assert "From: Ona <ona@pavyzdys.lt>" in document.text and document.text.endswith("sutartis.pdf")
    assert document.warnings == ("What is attached to the e-mail is not read: sutartis.pdf. Add it as documents.",)


def test_an_e_mail_of_several_texts_is_read_whole(tmp_path: Path) -> None:
    source = """From: a@b.lt
Subject: Dėl ženklo
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=utf-8

Laba diena be puošmenų.
--y
Content-Type: text/html; charset=utf-8

<p>Laba diena.</p>
--y--
--x
Content-Type: application/pdf; name=a.pdf
Content-Disposition: inline; filename=a.pdf

x
--x
Content-Type: text/plain; charset=utf-8

Pagarbiai Ona.
--x
Content-Type: message/rfc822

Subject: Senas

Senas laiškas.
--x
Content-Type: text/plain; charset=utf-8; name=priedas.txt

Priedas.
--x--
"""
    document = reading(tmp_path, "a.lt.eml", source)
    assert [text for _, text in shown(document)] == ["Dėl ženklo", "Laba diena.", "Pagarbiai Ona."]
    assert document.warnings == (
        "What is attached to the e-mail is not read: a.pdf, Senas, priedas.txt. Add it as documents.",
    )


# ── what cannot be read ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.odt", make_zip({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x"}), "no whole OpenDocument text"),
        ("a.xlsx", make_zip({"xl/workbook.xml": b"<x/>"}), "no whole spreadsheet"),
        ("a.pptx", make_zip({"ppt/presentation.xml": b"<x/>"}), "no whole presentation"),
        ("a.epub", make_zip({"mimetype": b"application/epub+zip"}), "no whole e-book"),
        ("a.eml", b"Tekstas be antrasciu.", "It is no e-mail"),
        ("a.rtf", b"Tekstas.", "It is not an RTF document"),
        ("a.xlsx", b"Tekstas.", "It is not a spreadsheet (XLSX)"),
        ("a.pptx", workbook(), "It is a spreadsheet (XLSX), although its name ends in .pptx"),
    ],
)  # fmt: skip
def test_broken_files_are_refused_with_a_reason(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableDocument) as caught:
        read(tmp_path / name, name)
    assert reason in caught.value.reason and caught.value.next_step


REMARKS = """
Comments that are not read: 3, the first “Ar tikrai?”.
Comments that are not read: 3.
Comments on its pages that are not read: 3.
Pictures whose words are not read: 3.
Charts that are not read: 3.
Places with struck-out text, which is not read: 3.
Embedded files that are not read: 3.
Signs of symbol fonts that are not known (shown as �): 3.
The note ³ is not in the file.
A part of the document lies in another file and is not read.
A part of the document is a file of another kind (application/rtf) and is not read.
A part of the document is not read: The file is empty.
Pages whose fonts say other letters than they draw, and that are not quoted: 3. Make it anew from its source.
Files attached to the PDF are not read: 3.xlsx. Add them as documents.
Files pinned to its pages are not read: 3. Add them as documents.
Pages that are pictures with text recognised by a program: 3. Compare the letters and the figures with the pictures.
Pages with pictures whose words are not read: 3.
Form fields whose values the PDF does not draw: 3. Print it as a PDF anew.
Letters that cannot be seen on the page (in its own colour, covered, cut off or in a layer that is off) and are not read: 3. They are still in the file, which anyone can open.
Pages with letters whose meaning the PDF does not say (shown as �): 3.
Signs for several letters whose font says another letter were read by their width: Th (15), ff (3). Compare them with the page.
Pages with signs that are wider than the letter that their font says: 3. Make it anew from its source.
Pages with tables that the PDF holds column by column, so that their rows are not put together: 3.
It is written from right to left; the order of its words may be wrong.
NUL bytes, shown as �: 3, the first in line 7. Open the original.
Headers, footers, notes and comments of an RTF document are not read, and this one has some. Save it as DOCX to have them read.
Its quotes and lists lie too deeply in each other; it was read as plain text, with their marks.
More than 300,000 of its cells are merged.
A tag in it has more than 300 words, so its text may stand inside a tag.
The field “To” in its head is longer than 3000 characters.
Text boxes of an RTF document are not read, and this one has some. Save it as DOCX to have them read.
Hidden sheets that are not read: 3.
Hidden slides that are not read: 3.
Hidden rows and columns that are not read: 3.
Places to fill in, whose prompts are not read: 3.
Slides whose speaker's notes are not read: 3.
Formulas without a stored value, which are left out: 3. Open it in Excel and save it again.
What is attached to the e-mail is not read: 3.pdf. Add it as documents.
""".strip().split("\n")


@pytest.mark.parametrize("remark", REMARKS)
def test_every_remark_is_told_in_lithuanian_with_its_figure(remark: str) -> None:
    told, language = told_remark(remark, "lt")
    assert language == "lt"
    assert ("3" in told or "³" in told) == ("3" in remark or "³" in remark)


def test_an_rtf_is_read_as_it_is_seen(tmp_path: Path) -> None:
    """Hidden text is none, a raised figure does not stick to the one before it, and bare bytes are letters."""
    source = (
        rb"{\rtf1\ansi\ansicpg1257{\fonttbl{\f0\fcharset186 Arial;}}\f0 Plotas {\v slapta \'e0}yra 25 m{\super 2} ir 10\super 6\nosupersub  vnt.\par"
        rb" Klasteri" + "ų".encode("cp1257") + rb" narys \v dar viena\par slapta\v0 moka mokest\'e1.\par}"
    )  # fmt: skip
    assert shown(reading(tmp_path, "a.lt.rtf", source)) == [
        ("paragraph", "Plotas yra 25 m² ir 10⁶ vnt."),
        ("paragraph", "Klasterių narys"),
        ("paragraph", "moka mokestį."),
    ]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        (rb"{\f1 \u-3917\'b3} 5", "≥ 5"),
        (rb"{\f1 \u-3917?} 5", "≥ 5"),
        (rb"{\f1 \u945 a} ir {\uc0\u946}", "α ir β"),
        (rb"{\uc2\u281??}z", "ęz"),
    ],
)
def test_what_stands_for_a_letter_in_old_programs_is_passed_over_in_an_rtf(
    tmp_path: Path, source: bytes, seen: str
) -> None:
    fonts = rb"{\rtf1\ansi\ansicpg1257{\fonttbl{\f0 Arial;}{\f1 Symbol;}}\f0 "
    assert shown(reading(tmp_path, "a.lt.rtf", fonts + source + rb"\par}")) == [("paragraph", seen)]


def test_a_book_is_read_with_its_notes_and_captions(tmp_path: Path) -> None:
    """What only screen readers skip is seen, and so is a chapter that stands beside the reading order."""
    with zipfile.ZipFile(io.BytesIO(samples.SAMPLES["epub"]())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    package = next(name for name in parts if name.endswith(".opf"))
    page = next(name for name in parts if name.endswith("html"))
    body = b"<html><body><p>{}</p></body></html>"
    parts[page] = body.replace(b"{}", b"Tekstas.</p><p aria-hidden='true'>1 pav. Klasterio nariai.")
    folder = package.rpartition("/")[0]
    parts[f"{folder}/notes.xhtml".lstrip("/")] = body.replace(b"{}", "Pastaba apie ženklą.".encode())
    manifest = re.sub(
        rb"</(\w+:)?manifest>",
        rb'<\1item id="n" href="notes.xhtml" media-type="application/xhtml+xml"/>\g<0>',
        parts[package],
    )
    parts[package] = re.sub(rb"</(\w+:)?spine>", rb'<\1itemref idref="n" linear="no"/>\g<0>', manifest)
    document = reading(tmp_path, "a.lt.epub", make_zip(parts))
    assert [text for _, text in shown(document)] == ["Tekstas.", "1 pav. Klasterio nariai.", "Pastaba apie ženklą."]


def test_an_rtf_keeps_its_numbers_leaves_out_what_was_deleted_and_names_text_boxes(tmp_path: Path) -> None:
    document = reading(
        tmp_path,
        "a.lt.rtf",
        rb"{\rtf1\ansi {\pntext 1.\tab}Pirmas\par Kaina {\deleted 500}{\revised 600} EUR\par {\shp{\*\shpinst{\shptxt Rutulys\par}}}}",
    )
    assert [" ".join(text.split()) for _, text in shown(document)] == ["1. Pirmas", "Kaina 600 EUR"]
    assert document.warnings == (
        "Text boxes of an RTF document are not read, and this one has some. Save it as DOCX to have them read.",
    )


def test_lines_in_the_cells_of_an_rtf_stay_in_their_cells(tmp_path: Path) -> None:
    row = rb"\trowd\cellx1000\cellx2000\pard\intbl "
    source = (
        rb"{\rtf1\ansi Kaina | tai |\par" + row + rb"UAB A\line Vilnius\cell 600 EUR\par be PVM\cell\row"
        + row + rb"UAB B\cell\cell\row \pard Pabaiga.\par}"
    )  # fmt: skip
    assert shown(reading(tmp_path, "a.lt.rtf", source)) == [
        ("paragraph", "Kaina | tai |"),
        ("table_row", "UAB A Vilnius | 600 EUR be PVM"),
        ("table_row", "UAB B"),
        ("paragraph", "Pabaiga."),
    ]


@pytest.mark.parametrize("before", [rb"\trowd\cellx10\cellx20 ", rb"\pard\intbl ", rb"\pard "])
def test_a_row_of_an_rtf_may_say_where_its_cells_are_before_or_after_them(tmp_path: Path, before: bytes) -> None:
    source = rb"{\rtf1 Sutartis\par " + before + rb"A\cell B\cell\trowd\cellx10\cellx20\row\pard Z\par}"
    read = [text for _, text in shown(reading(tmp_path, "a.en.rtf", source))]
    assert read == ["Sutartis", "A | B", "Z"]


def test_a_row_of_an_rtf_that_begins_further_right_leaves_the_first_columns_empty(tmp_path: Path) -> None:
    wide = rb"\trowd\trleft-108\cellx1000\cellx2000\cellx3000\pard\intbl "
    aside = rb"\trowd\trleft1000\cellx2000\cellx3000\pard\intbl "
    source = (
        rb"{\rtf1 " + wide + rb"UAB A\cell 2023\cell 600\cell\row" + aside + rb"2024\cell 700\cell\row"
        + wide + rb"UAB B\cell 2024\cell 50\cell\row \pard Z\par}"
    )  # fmt: skip
    read = [text for _, text in shown(reading(tmp_path, "a.lt.rtf", source))]
    assert read == ["UAB A | 2023 | 600", "| 2024 | 700", "UAB B | 2024 | 50", "Z"]


def test_merged_and_nested_cells_of_an_rtf_say_what_they_are(tmp_path: Path) -> None:
    three = rb"\trowd\clvmgf\cellx10\cellx20\cellx30\pard\intbl "
    down = rb"\trowd\clvmrg\cellx10\cellx20\cellx30\pard\intbl "
    across = rb"\trowd\cellx10\clmgf\cellx20\clmrg\cellx30\pard\intbl "
    wide = rb"\trowd\cellx10\cellx30\pard\intbl "
    nested = (
        rb"\trowd\cellx10\cellx30\pard\intbl C\cell Nariai:\par\pard\intbl\itap2 Ona\nestcell 2\nestcell"
        rb"{\*\nesttableprops\trowd\cellx15\cellx30\nestrow}{\nonesttables\par}\pard\intbl\cell\row"
    )
    source = (
        rb"{\rtf1 " + three + rb"A\cell 1\cell 2\cell\row" + down + rb"\cell 3\cell 4\cell\row" + across
        + rb"B\cell 5\cell\cell\row" + wide + rb"D\cell 6\cell\row" + nested + rb"\pard Z\par}"
    )  # fmt: skip
    read = [text for _, text in shown(reading(tmp_path, "a.en.rtf", source))]
    assert read == ["A | 1 | 2", "A | 3 | 4", "B | 5 | 5", "D | 6 | 6", "C | Nariai: | Nariai:", "Ona | 2", "Z"]


def struck_odt() -> bytes:
    style = (
        '<style:style style:name="S" style:family="text"><style:text-properties style:text-line-through-style="solid"/>'
        "</style:style>"
    )
    return odt('<text:p>Kaina <text:span text:style-name="S">500 </text:span>600 EUR.</text:p>', style)


def struck_pptx() -> bytes:
    deck = pptx.Presentation()
    box = deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_textbox(0, 0, 9_000_000, 900_000)
    for text in ("Kaina ", "500 ", "600 EUR."):
        run = box.text_frame.paragraphs[0].add_run()
        run.text = text
        if text == "500 ":
            run._r.get_or_add_rPr().set("strike", "sngStrike")
    file = io.BytesIO()
    deck.save(file)
    return file.getvalue()


def struck_xlsx() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(("Kaina", "500", "600 EUR."))
    book.active["B1"].font = Font(strike=True)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


STRUCK = {
    "docx": lambda: make_word(
        '<w:p><w:r><w:t xml:space="preserve">Kaina </w:t></w:r><w:r><w:rPr><w:strike/></w:rPr><w:t>5</w:t></w:r><w:r><w:rPr>'
        '<w:dstrike/></w:rPr><w:t xml:space="preserve">00 </w:t></w:r><w:r><w:t>600 EUR.</w:t></w:r></w:p>'
    ),
    "odt": struck_odt,
    "pptx": struck_pptx,
    "xlsx": struck_xlsx,
    "rtf": lambda: rb"{\rtf1\ansi Kaina {\strike 500 }600 EUR.\par}",
    "html": lambda: (
        b"<html><body><main><p>Kaina <span style='text-decoration: line-through'>500</span> 600 EUR.</p></main>"
    ),
    "eml": lambda: b"Subject: Kaina\nContent-Type: text/html\n\n<p>Kaina <s>500</s> 600 EUR.</p>\n",
}


@pytest.mark.parametrize("suffix", STRUCK)
def test_struck_out_words_are_left_out_and_named(tmp_path: Path, suffix: str) -> None:
    """„Kaina 500600 EUR“ would be a price that nobody asks."""
    document = reading(tmp_path, f"a.lt.{suffix}", STRUCK[suffix]())
    said = shown(document)[-1][1].replace(" | ", " ")
    assert " ".join(said.split()) == "Kaina 600 EUR."
    assert document.warnings == ("Places with struck-out text, which is not read: 1.",)


def test_a_row_that_begins_in_the_second_column_has_the_names_of_its_own_columns(tmp_path: Path) -> None:
    cells = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>".format
    head = "<w:tr><w:trPr><w:tblHeader/></w:trPr>" + "".join(map(cells, "ABC")) + "</w:tr>"
    row = '<w:tr><w:trPr><w:gridBefore w:val="1"/></w:trPr>' + cells("b") + cells("c") + "</w:tr>"
    assert rows(reading(tmp_path, "a.lt.docx", make_word(f"<w:tbl>{head}{row}</w:tbl>"))) == [("A | B | C", "| b | c")]


def test_a_format_that_draws_no_zero_shows_what_it_draws(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(("Suma", 0, 0))
    book.active["B1"].number_format = '_-* #,##0.00\\ "€"_-;\\-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-'
    book.active["C1"].number_format = "#,##0.00"
    file = io.BytesIO()
    book.save(file)
    assert shown(reading(tmp_path, "a.lt.xlsx", file.getvalue())) == [("table_row", "Suma | - € | 0.00")]


def test_a_slide_keeps_its_raised_figures_and_the_numbers_that_are_drawn(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    body = slide.placeholders[1].text_frame
    told = [("Plotas ", 0, None), ("Pirmas", 0, "arabicPeriod"), ("a punktas", 1, "alphaLcParenR"), ("b punktas", 1, "alphaLcParenR"),
            ("Antras", 0, "arabicPeriod"), ("Be numerio", 0, None), ("Vėl", 0, "arabicPeriod")]  # fmt: skip
    for number, (text, level, kind) in enumerate(told):
        paragraph = body.paragraphs[0] if not number else body.add_paragraph()
        paragraph.text, paragraph.level = text, level
        if kind:
            etree.SubElement(
                paragraph._p.get_or_add_pPr(),
                "{http://schemas.openxmlformats.org/drawingml/2006/main}buAutoNum",
                type=kind,
            )
    for text, baseline in (
        ("10", None),
        ("6", "30000"),
        (" m", None),
        ("2", "30000"),
        (", H", None),
        ("2", "-25000"),
        ("O", None),
    ):
        run = body.paragraphs[0].add_run()
        run.text = text
        if baseline:
            run._r.get_or_add_rPr().set("baseline", baseline)
    file = io.BytesIO()
    deck.save(file)
    document = reading(tmp_path, "a.lt.pptx", file.getvalue())
    read = document.text[document.blocks[0].start :].split("\n")
    assert read == [
        "Plotas 10⁶ m², H2O",
        "1. Pirmas",
        "a) a punktas",
        "b) b punktas",
        "2. Antras",
        "Be numerio",
        "1. Vėl",
    ]


def test_letters_of_a_cell_that_look_otherwise_are_read_as_they_are_seen(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    struck, high = InlineFont(strike=True), InlineFont(vertAlign="superscript")
    book.active.append(("Kaina", CellRichText("Nuo ", TextBlock(struck, "500 "), "600 EUR")))
    book.active.append(("Kiekis", CellRichText("10", TextBlock(high, "6"), " vnt.")))
    file = io.BytesIO()
    book.save(file)
    document = reading(tmp_path, "a.lt.xlsx", file.getvalue())
    assert [text for _, text in shown(document)] == ["Kaina | Nuo 600 EUR", "Kiekis | 10⁶ vnt."]
    assert document.warnings == ("Places with struck-out text, which is not read: 1.",)


def test_hidden_rows_of_a_text_document_are_no_text(tmp_path: Path) -> None:
    word = (
        "<w:tr>{}<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc></w:tr>"
    )
    docx = "".join(word.format(*row) for row in (("<w:trPr><w:hidden/></w:trPr>", "slapta"), ("", "A"), ("", "B")))
    assert rows(reading(tmp_path, "a.lt.docx", make_word(f"<w:tbl>{docx}</w:tbl>"))) == [("", "A | x"), ("", "B | x")]
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell><table:table-cell><text:p>x</text:p></table:table-cell>"
    hidden = f'<table:table-row table:visibility="collapse">{cell.format("slapta")}</table:table-row>'
    body = hidden + "".join(f"<table:table-row>{cell.format(text)}</table:table-row>" for text in "AB")
    assert rows(reading(tmp_path, "a.lt.odt", odt(f"<table:table>{body}</table:table>"))) == [
        ("", "A | x"),
        ("", "B | x"),
    ]


# ── forms, words above words, and what stands beside the text ───────────────────────────────────────────────────


def test_the_fields_of_a_form_in_an_odt_say_what_is_seen_of_them(tmp_path: Path) -> None:
    forms = (
        '<office:forms><form:form><form:fixed-text form:id="c1" form:label="Vardas"/>'
        '<form:text form:id="c2" form:current-value="Ona" form:value="Jonas"/>'
        '<form:checkbox form:id="c3" form:label="Sutinku" form:current-state="checked"/><form:radio form:id="c4" form:label="Ne"/>'
        '<form:listbox form:id="c5"><form:option form:label="Vilnius"/><form:option form:label="Kaunas" form:current-selected="true"/>'
        '</form:listbox><form:password form:id="c6" form:value="slapta"/><form:button form:id="c7" form:label="Siųsti"/></form:form>'
        "</office:forms>"
    )
    controls = [f'<draw:control draw:control="c{number}"/>' for number in range(1, 8)]
    body = f"{forms}<text:p>{''.join(controls[:2])}</text:p><text:p>{''.join(controls[2:])}</text:p>"
    assert shown(reading(tmp_path, "a.odt", odt(body))) == [
        ("paragraph", "Vardas Ona"),
        ("paragraph", "☒ Sutinku ☐ Ne Kaunas"),
    ]


def test_prompts_of_an_odt_are_named_and_a_name_given_twice_refuses_nothing(tmp_path: Path) -> None:
    body = (
        '<text:p xml:id="a">Vardas: <text:placeholder>Įrašykite vardą</text:placeholder> čia</text:p>'
        '<text:p xml:id="a">Toliau.</text:p>'
    )
    document = reading(tmp_path, "a.odt", odt(body))
    assert shown(document) == [("paragraph", "Vardas:  čia"), ("paragraph", "Toliau.")]
    assert document.warnings == ("Places to fill in, whose prompts are not read: 1.",)


def test_how_a_word_is_said_stands_behind_it_in_every_format(tmp_path: Path) -> None:
    ruby = "<text:ruby><text:ruby-base>TAR</text:ruby-base><text:ruby-text>registras</text:ruby-text></text:ruby>"
    text_run = "<w:r><w:t>{}</w:t></w:r>"
    word = make_word(
        f"<w:p><w:ruby><w:rt>{text_run.format('registras')}</w:rt><w:rubyBase>{text_run.format('TAR')}</w:rubyBase></w:ruby>"
        "<w:r><w:t> saugo.</w:t></w:r></w:p>"
    )
    page = "<html><body><main><p><ruby>TAR<rp>(</rp><rt>registras</rt><rp>)</rp></ruby> saugo.</p></main></body></html>"
    for name, content in (("a.odt", odt(f"<text:p>{ruby} saugo.</text:p>")), ("a.docx", word), ("a.html", page)):
        assert shown(reading(tmp_path, name, content)) == [("paragraph", "TAR (registras) saugo.")]


def placed(*layers: tuple[str, str]) -> bytes:
    """A presentation with a list on a slide; each layer is where a way to number is said, and that way."""
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Žingsniai"
    body = slide.placeholders[1]
    body.text_frame.text = "Prašymas"
    body.text_frame.add_paragraph().text = "Vertinimas"
    layout = next(p for p in slide.slide_layout.placeholders if p.placeholder_format.idx == 1)
    master = next(p for p in slide.slide_layout.slide_master.placeholders if p.placeholder_format.type.name == "BODY")
    elements = {"slide": body, "layout": layout, "master": master}
    for where, way in layers:
        style = elements[where]._element.find(".//{*}lstStyle")
        style.append(
            etree.fromstring(
                f'<a:lvl1pPr xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">{way}</a:lvl1pPr>'
            )
        )
    file = io.BytesIO()
    deck.save(file)
    return file.getvalue()


NUMBERED, PLAIN = '<a:buAutoNum type="arabicPeriod"/>', "<a:buNone/>"


@pytest.mark.parametrize(
    ("layers", "numbered"),
    [((), False), ((("layout", NUMBERED),), True), ((("master", NUMBERED),), True), ((("slide", NUMBERED),), True),
     ((("slide", PLAIN), ("layout", NUMBERED)), False), ((("layout", PLAIN), ("master", NUMBERED)), False)],
)  # fmt: skip
def test_items_of_a_slide_have_the_numbers_of_its_layout_and_master(
    tmp_path: Path, layers: tuple, numbered: bool
) -> None:
    document = reading(tmp_path, "a.pptx", placed(*layers))
    assert shown(document)[1:] == [("list_item", "Prašymas"), ("list_item", "Vertinimas")]
    assert ("1. Prašymas\n2. Vertinimas" in document.text) == numbered


def test_a_column_of_values_is_no_column_of_headings(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for text in ("Prašymas teikiamas iki gegužės 1 d.", "600 EUR", "2.04", "Sprendimas priimamas per 30 dienų."):
        sheet.append([text])
    sheet.append([])
    sheet.append(["Kainos"])
    for row in (["Ženklas", "Kaina"], ["Bronzos", 600], ["Sidabro", 900], ["Aukso", 1200]):
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    kinds = [kind for kind, _ in shown(reading(tmp_path, "a.xlsx", file.getvalue()))]
    assert kinds == ["paragraph"] * 4 + ["heading"] + ["table_row"] * 3


def test_pictures_of_every_kind_on_a_sheet_are_counted_and_links_to_other_books_refuse_nothing(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Kaina", "600 EUR"])
    book.active.oddFooter.center.text = '&"Arial,Regular"&12&KffffffKainynas, &P'
    file = io.BytesIO()
    book.save(file)
    drawing = (
        '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing">'
        + "<xdr:absoluteAnchor><xdr:pic/></xdr:absoluteAnchor>" * 2
        + "</xdr:wsDr>"
    )
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    links = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="d1" Type="{kinds}/drawing" Target="../drawings/drawing1.xml"/>'
        f'<Relationship Id="d2" Type="{kinds}/oleObject" Target="../embeddings/a.bin"/></Relationships>'
    )
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"].replace(b"</worksheet>", b'<drawing r:id="d1" xmlns:r="%s"/></worksheet>' % kinds.encode())  # fmt: skip
    members |= {
        "xl/worksheets/sheet1.xml": sheet,
        "xl/worksheets/_rels/sheet1.xml.rels": links.encode(),
        "xl/drawings/drawing1.xml": drawing.encode(),
    }
    document = reading(tmp_path, "a.xlsx", make_zip(members))
    assert document.warnings == ("Pictures whose words are not read: 2.", "Embedded files that are not read: 1.")
    assert shown(document)[-1] == ("paragraph", "Kainynas,")


@pytest.mark.parametrize("named", ["iso-8859-1", "iso-8859-13", "windows-1257", "us-ascii"])
@pytest.mark.parametrize("subtype", ["plain", "html"])
def test_an_e_mail_is_read_in_the_encoding_that_it_is_in(tmp_path: Path, named: str, subtype: str) -> None:
    words = "Gerbiamoji Žemyna, „Šiaulių“ klasteris sumokėjo 600 € už ženklą – ačiū."
    text = f"<p>{words}</p>" if subtype == "html" else words
    head = f"Subject: Laiškas\nFrom: a@b.lt\nContent-Type: text/{subtype}; charset={named}\nContent-Transfer-Encoding: 8bit\n\n"
    raw = head.encode() + text.encode("cp1257")
    assert shown(reading(tmp_path, "a.lt.eml", raw))[-1] == ("paragraph", words)


@pytest.mark.parametrize(
    "named", ["punycode", "IDNA", "unicode_escape", "undefined", "rot13", "base64", "klingon", "u\N{SNOWMAN}"]
)
def test_an_e_mail_that_names_no_encoding_of_texts_is_read_all_the_same(tmp_path: Path, named: str) -> None:
    words = "Žemyna moka 600 eurų. " * 5000 + "a-a0" * 100_000  # as punycode that would take minutes
    head = f"Subject: L\nFrom: a@b.lt\nContent-Type: text/plain; charset={named}\nContent-Transfer-Encoding: 8bit\n\n"
    assert shown(reading(tmp_path, "a.lt.eml", (head + words).encode()))[-1] == ("paragraph", words)


def test_the_signs_of_windows_in_an_e_mail_that_says_iso_8859_1_stay(tmp_path: Path) -> None:
    words = "The “label” costs 600 € – that’s all."
    head = (
        "Subject: Fee\nFrom: a@b.lt\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n"
    )
    document = reading(tmp_path, "a.en.eml", head.encode() + words.encode("cp1252"))
    assert shown(document)[-1] == ("paragraph", words)


def test_an_rtf_reads_signs_of_symbol_fonts_items_and_links_as_they_are_seen(tmp_path: Path) -> None:
    source = (
        rb"{\rtf1\ansi\ansicpg1257\deff0{\fonttbl{\f0\fnil\fcharset186 Calibri;}{\f1\fbidi \froman\fcharset2\fprq2{\*\panose 05050102010706020507}Symbol;}{\f2\fnil\fcharset2 Wingdings;}}\uc1"
        rb"\pard Plotas \f1\'b3\f0  5 ir \u-3919?3, {\f2\'fc} taip \u-4095? \par"
        rb"\pard{\pntext\f1\'B7\tab}\f0 Pirmas;\par{\pntext\f1\'B7\tab}\f0 Antras.\par"
        rb"{\field{\*\fldinst{HYPERLINK \"https://a.lt/x\"}}{\fldrslt{\ul \'feurnalas}}} yra.\par}"
    )
    document = reading(tmp_path, "a.lt.rtf", source)
    assert document.warnings == ("Signs of symbol fonts that are not known (shown as \ufffd): 1.",)
    assert shown(document) == [
        ("paragraph", "Plotas ≥ 5 ir ±3, ✓ taip \ufffd"),
        ("list_item", "Pirmas;"),
        ("list_item", "Antras."),
        ("paragraph", "žurnalas yra."),
    ]


def test_a_header_of_a_sheet_goes_as_far_down_as_its_merged_names(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [
        ("Miestas", "Metai", None, "Dalis"),
        (None, 2023, 2024, None),
        ("Vilnius", 10, 12, 5),
        ("Kaunas", 5, 6, 7),
    ]:
        sheet.append(row)
    for area in ("A1:A2", "B1:C1", "D1:D2"):
        sheet.merge_cells(area)
    file = io.BytesIO()
    book.save(file)
    header = "Miestas | Metai 2023 | Metai 2024 | Dalis"
    assert rows(reading(tmp_path, "a.lt.xlsx", file.getvalue())) == [
        (header, "Vilnius | 10 | 12 | 5"),
        (header, "Kaunas | 5 | 6 | 7"),
    ]


def test_the_number_of_a_note_in_a_book_is_raised(tmp_path: Path) -> None:
    page = (
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>'
        '<p>Kaina 600 EUR<a epub:type="noteref" href="#n">1</a> ir 5<a role="doc-noteref" href="#n">2</a>.</p></body></html>'
    )
    with zipfile.ZipFile(io.BytesIO(samples.SAMPLES["epub"]())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    chapter = next(name for name in parts if name.endswith("html"))
    document = reading(tmp_path, "a.lt.epub", make_zip(parts | {chapter: page.encode()}))
    assert document.text == "Kaina 600 EUR¹ ir 5²."


@pytest.mark.parametrize(
    ("source", "read"),
    [
        (rb"{\rtf1\mac\deff0 caf\'8e na\'95ve}", "café naïve"),
        (rb"{\rtf1\pca caf\'82 \'d0}", "café ð"),
        (rb"{\rtf1\ansi\ansicpg1257\uc1 Gerai \u-10179?\u-8704? ir \u353?alis}", "Gerai \U0001f600 ir šalis"),
        (rb"{\rtf1\ansi{\fonttbl{\f1\fcharset2 Wingdings;}}\f1 6\f0  Terminas}", "⏳ Terminas"),
    ],
)
def test_letters_of_an_rtf_are_read_in_the_encodings_it_names(tmp_path: Path, source: bytes, read: str) -> None:
    assert reading(tmp_path, "a.rtf", source).text == read


def test_an_invitation_beside_the_text_of_an_email_is_named(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"], message["From"] = "Posėdis", "a@b.lt"
    message.set_content("Kviečiame į posėdį.")
    message.add_alternative("<p>Kviečiame į <b>posėdį</b>.</p>", subtype="html")
    message.add_alternative("BEGIN:VCALENDAR\nLOCATION:Vilnius\nEND:VCALENDAR\n", subtype="calendar")
    document = reading(tmp_path, "a.lt.eml", message.as_bytes())
    assert document.warnings == ("What is attached to the e-mail is not read: text/calendar. Add it as documents.",)
    assert shown(document)[1:] == [("paragraph", "Kviečiame į posėdį.")]


def test_lowered_figures_are_lowered_but_for_those_of_a_formula_that_everybody_types(tmp_path: Path) -> None:
    told = "x₂ = x₁ + 3, CO2, Ca(OH)2, 101₂, log₁₀ n, PM2,5, aij"
    page = (
        "<p>x<sub>2</sub> = x<sub>1</sub> + 3, CO<sub>2</sub>, Ca(OH)<sub>2</sub>, 101<sub>2</sub>, log<sub>10</sub> n, "
        "PM<sub>2,5</sub>, a<sub>ij</sub></p>"
    )
    assert shown(reading(tmp_path, "a.lt.html", page)) == [("paragraph", told)]
    word = page.replace("<p>", "<w:p><w:r><w:t>").replace("</p>", "</w:t></w:r></w:p>")
    low = '</w:t></w:r><w:r><w:rPr><w:vertAlign w:val="subscript"/></w:rPr><w:t>'
    high = '</w:t></w:r><w:r><w:t xml:space="preserve">'
    assert shown(reading(tmp_path, "a.lt.docx", make_word(word.replace("<sub>", low).replace("</sub>", high)))) == [
        ("paragraph", told)
    ]
    rich = page.replace("<p>", "{\\rtf1 ").replace("</p>", "}").replace("<sub>", "{\\sub ").replace("</sub>", "}")
    assert shown(reading(tmp_path, "a.lt.rtf", rich)) == [("paragraph", told)]


def test_a_name_that_rtf_writes_twice_is_read_in_its_own_letters(tmp_path: Path) -> None:
    source = "{\\rtf1\\ansi Atvyko {\\upr{Zukauskas}{\\*\\ud{\\u381\\'8eukauskas}}} ir {\\b kiti}.}"
    assert shown(reading(tmp_path, "a.lt.rtf", source)) == [("paragraph", "Atvyko Žukauskas ir kiti.")]


def test_all_whom_an_email_names_stand_in_its_text(tmp_path: Path) -> None:
    source = (
        "From: A <a@x.lt>\r\nReply-To: B <b@x.lt>\r\nTo: C <c@x.lt>\r\nCc: D <d@x.lt>\r\nBcc: E <e@x.lt>\r\n"
        "Subject: Posėdis\r\n\r\nPosėdis įvyks antradienį.\r\n"
    )
    document = reading(tmp_path, "a.lt.eml", source)
    assert document.text.split("\n\n")[1:6] == [
        "From: A <a@x.lt>",
        "Reply-To: B <b@x.lt>",
        "To: C <c@x.lt>",
        "Cc: D <d@x.lt>",
        "Bcc: E <e@x.lt>",
    ]
    assert shown(document) == [("heading", "Posėdis"), ("paragraph", "Posėdis įvyks antradienį.")]


def test_of_what_a_book_says_in_two_ways_one_is_read_and_formulas_in_any_namespace() -> None:
    from clusterqa.documents.extract import TextBuilder
    from clusterqa.documents.html import add_all

    builder = TextBuilder()
    body = (
        "<p>Prieš</p><epub:switch><epub:case required-namespace='m'><math><msup><mi>x</mi><mn>2</mn></msup></math></epub:case>"
        "<epub:default><p>x kvadratu</p></epub:default></epub:switch>"
        "<p>Dega <epub:switch><epub:case required-namespace='c'><cml>H2</cml></epub:case>"
        "<epub:default>vandenilis</epub:default></epub:switch>.</p>"
        "<p><m:math><m:msub><m:mi>x</m:mi><m:mn>2</m:mn></m:msub></m:math></p>"
        "<p><math><mlongdiv><mn>3</mn><mn>435</mn><mn>1306</mn><msgroup><mn>12</mn><mn>10</mn></msgroup></mlongdiv></math></p>"
    )
    add_all(f"<html><body>{body}</body></html>".encode(), "a", builder)
    assert builder.text() == "Prieš\n\nx²\n\nDega vandenilis.\n\nx₂\n\n1306 : 3 = 435; 12; 10"


def test_shapes_of_a_slide_are_read_from_the_top_and_from_the_left_whenever_they_were_drawn(tmp_path: Path) -> None:
    import pptx
    from pptx.util import Cm

    def slide(*boxes: tuple[str, int, int, int, int]) -> list[str]:
        deck = pptx.Presentation()
        made = deck.slides.add_slide(deck.slide_layouts[5])
        for text, left, top, width, height in boxes:
            made.shapes.add_textbox(Cm(left), Cm(top), Cm(width), Cm(height)).text_frame.text = text
        made.shapes.title.text = "Pavadinimas"
        file = io.BytesIO()
        deck.save(file)
        return [text for _, text in shown(reading(tmp_path, "a.lt.pptx", file.getvalue()))]

    drawn_backwards = [
        ("Pabaiga", 1, 14, 20, 2),
        ("Dešinė", 12, 6, 9, 6),
        ("Kairė", 1, 6, 9, 6),
        ("Įžanga", 1, 4, 20, 1),
    ]
    assert slide(*drawn_backwards) == ["Pavadinimas", "Įžanga", "Kairė", "Dešinė", "Pabaiga"]
    columns = [("1", 1, 4, 9, 3), ("2", 1, 8, 9, 3), ("3", 12, 4, 9, 3), ("4", 12, 8, 9, 3)]
    assert slide(*columns) == ["Pavadinimas", "1", "2", "3", "4"]
    over_each_other = [("Rėmas", 1, 4, 20, 10), ("Užrašas ant jo", 2, 5, 5, 2)]
    assert slide(*over_each_other) == ["Pavadinimas", "Rėmas", "Užrašas ant jo"]
