"""What is promised of Word documents: what a person sees on the page is in the text, or a warning names it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from documents_fixtures import make_docx, make_word, make_zip, reading, rows, shown


def p(text: str, properties: str = "", run: str = "") -> str:
    """A paragraph of one run."""
    return (
        f'<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr>{run}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'
    )


def table(*lines: tuple[str, ...], properties: str = "", first: str = "", run: str = "") -> str:
    """A table; `first` are the properties of its first row, `run` those of the words in it."""
    made = []
    for number, line in enumerate(lines):
        cells = "".join(f"<w:tc>{p(text, run='' if number else run)}</w:tc>" for text in line)
        made.append(f"<w:tr><w:trPr>{'' if number else first}</w:trPr>{cells}</w:tr>")
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr>{''.join(made)}</w:tbl>"


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────

CONTACTS = (("Telefonas", "+370 612 34567"), ("El. paštas", "info@pavyzdys.lt"), ("Adresas", "Vilnius"))
ADDRESS_FIRST = (("Adresas", "Vilnius"), ("Telefonas", "+370 612 34567"), ("Kodas", "304567890"), ("Namas", "5"))
QUESTIONS = (("Kas yra klasteris?", "Įmonių grupė."), ("Kiek jų yra?", "57."), ("Kas juos vertina?", "5 ekspertai."))
PRICES = (("Ženklas", "Kaina"), ("Bronzos", "600 EUR"), ("Sidabro", "1 200 EUR"))


@pytest.mark.parametrize("lines", [CONTACTS, ADDRESS_FIRST, QUESTIONS])
def test_the_first_row_of_a_table_without_a_header_can_be_quoted(tmp_path: Path, lines: tuple) -> None:
    document = reading(tmp_path, "a.lt.docx", make_word(table(*lines)))
    assert rows(document) == [("", " | ".join(line)) for line in lines]


@pytest.mark.parametrize(
    "marks",
    [{"first": "<w:tblHeader/>"}, {"run": "<w:b/>"}, {}],
    ids=["stated", "bold", "figures"],
)
def test_a_header_is_known_by_its_mark_its_letters_or_the_figures_below(tmp_path: Path, marks: dict) -> None:
    document = reading(tmp_path, "a.lt.docx", make_word(table(*PRICES, **marks)))
    assert rows(document) == [("Ženklas | Kaina", "Bronzos | 600 EUR"), ("Ženklas | Kaina", "Sidabro | 1 200 EUR")]
    assert document.text.startswith("Ženklas | Kaina\nBronzos")


def test_a_style_that_draws_the_first_row_in_another_way_makes_it_a_header(tmp_path: Path) -> None:
    def fill(d):
        for lines, style in (
            (QUESTIONS, "Light Grid Accent 1"),
            (CONTACTS, "Light Grid Accent 1"),
            (QUESTIONS, "Table Grid"),
        ):
            made = d.add_table(len(lines), 2, style=style)
            for row, line in zip(made.rows, lines, strict=True):
                for cell, text in zip(row.cells, line, strict=True):
                    cell.text = text
            d.add_paragraph("Tarpas.")

    found = rows(reading(tmp_path, "a.lt.docx", make_docx(fill)))
    assert found[:2] == [("Kas yra klasteris? | Įmonių grupė.", " | ".join(line)) for line in QUESTIONS[1:]]
    assert found[2:5] == [("", " | ".join(line)) for line in CONTACTS]  # a telephone number is no name of a column
    assert found[5:] == [("", " | ".join(line)) for line in QUESTIONS]  # that style draws all rows alike


MERGED = '<w:vMerge w:val="restart"/>'
TWO, THREE = '<w:gridSpan w:val="2"/>', '<w:gridSpan w:val="3"/>'
DELETED = '<w:cellDel w:id="2"/>'


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(text)}</w:tc>"


def test_merged_cells_say_their_label_in_each_row_and_column(tmp_path: Path) -> None:
    body = (
        "<w:tbl>"
        f"<w:tr><w:trPr><w:tblHeader/></w:trPr>{cell('Ženklas', MERGED)}{cell('Kaina', TWO)}</w:tr>"
        f"<w:tr><w:trPr><w:tblHeader/></w:trPr>{cell('', '<w:vMerge/>')}{cell('be PVM')}{cell('su PVM')}</w:tr>"
        f"<w:tr>{cell('Bronzos', MERGED)}{cell('600')}{cell('726')}</w:tr>"
        f"<w:tr>{cell('', '<w:vMerge/>')}{cell('nemokamai', TWO)}</w:tr>"
        f"<w:tr>{cell('Kiti ženklai', THREE)}</w:tr>"
        f"<w:tr>{cell('')}{cell('900')}{cell('1089')}</w:tr>"
        "</w:tbl>"
    )
    header = "Ženklas | Kaina be PVM | Kaina su PVM"
    assert rows(reading(tmp_path, "a.lt.docx", make_word(body))) == [
        (header, "Bronzos | 600 | 726"),
        (header, "Bronzos | nemokamai | nemokamai"),
        ("", "Kiti ženklai"),
        (header, "| 900 | 1089"),
    ]


def test_cells_that_only_meet_at_other_borders_are_not_said_twice(tmp_path: Path) -> None:
    """Word splits the grid wherever two borders of different rows do not meet."""
    body = f"<w:tbl><w:tr>{cell('a', TWO)}{cell('b')}</w:tr><w:tr>{cell('c')}{cell('d', TWO)}</w:tr></w:tbl>"
    assert rows(reading(tmp_path, "a.lt.docx", make_word(body))) == [("", "a | b"), ("", "c | d")]


def test_an_empty_corner_keeps_the_columns_in_line(tmp_path: Path) -> None:
    body = table(("", "2023", "2024"), ("Nariai", "12", "15"), first="<w:tblHeader/>")
    assert rows(reading(tmp_path, "a.lt.docx", make_word(body))) == [("| 2023 | 2024", "Nariai | 12 | 15")]


def test_a_table_in_a_cell_keeps_its_own_rows(tmp_path: Path) -> None:
    inner = table(("Narys", "Balsai"), ("UAB A", "2"), ("UAB B", "3"))
    body = f"<w:tbl><w:tr>{cell('Klasteris')}<w:tc>{p('Sudėtis:')}{inner}{p('')}</w:tc></w:tr><w:tr>{cell('Šalis')}{cell('Lietuva')}</w:tr></w:tbl>"
    assert rows(reading(tmp_path, "a.lt.docx", make_word(body))) == [
        ("", "Klasteris | Sudėtis:"),
        ("Narys | Balsai", "UAB A | 2"),
        ("Narys | Balsai", "UAB B | 3"),
        ("", "Šalis | Lietuva"),
    ]


# ── notes, headers, numbers ─────────────────────────────────────────────────────────────────────────────────────


def test_notes_stand_after_their_paragraph_with_their_mark(tmp_path: Path) -> None:
    mark = '<w:r><w:footnoteReference w:id="{}"/></w:r>'
    end = '<w:r><w:endnoteReference w:id="7"/></w:r>'
    body = (
        f"<w:p><w:r><w:t>Ženklas galioja dvejus metus.</w:t></w:r>{mark.format(2)}</w:p>"
        f"<w:p><w:r><w:t>Kaina – 600 EUR</w:t></w:r>{mark.format(3)}<w:r><w:t>.</w:t></w:r>{end}</w:p>"
    )
    notes = '<w:footnote w:id="0" w:type="separator"/>' + "".join(
        f'<w:footnote w:id="{i}"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t xml:space="preserve"> {text}</w:t></w:r></w:p></w:footnote>'
        for i, text in ((2, "Išskyrus 2024 metus."), (3, "Be PVM."))
    )
    ends = f'<w:endnote w:id="7">{p("Pagal 2023 m. kainoraštį.")}</w:endnote>'
    document = reading(tmp_path, "a.lt.docx", make_word(body, footnotes=notes, endnotes=ends))
    assert [text for _, text in shown(document)] == [
        "Ženklas galioja dvejus metus.¹",
        "¹ Išskyrus 2024 metus.",
        "Kaina – 600 EUR².[i]",
        "² Be PVM.",
        "[i] Pagal 2023 m. kainoraštį.",
    ]
    assert document.warnings == ()


def test_comments_are_named_and_not_read(tmp_path: Path) -> None:
    document = reading(
        tmp_path, "a.lt.docx", make_word(p("Tekstas."), comments=f'<w:comment w:id="1">{p("Ar tikrai?")}</w:comment>')
    )
    assert document.text == "Tekstas."
    assert document.warnings == ("Comments that are not read: 1, the first “Ar tikrai?”.",)


def test_headers_and_footers_with_content_of_their_own_are_read(tmp_path: Path) -> None:
    """A number, a date, "galioja iki"; page numbers and the document's own title are not content of their own."""
    page = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> PAGE </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>3</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    sections = '<w:sectPr><w:headerReference w:type="default" r:id="header1"/><w:footerReference w:type="default" r:id="footer1"/></w:sectPr>'
    document = reading(
        tmp_path,
        "a.lt.docx",
        make_word(
            p("Tekstas.") + sections,
            header1=p("Įsakymas Nr. V-12, 2024-03-05"),
            footer1=f"{p('Galioja iki 2026-01-01')}<w:p><w:r><w:t>Puslapis </w:t></w:r>{page}</w:p>",
        ),
    )
    assert document.text == "Įsakymas Nr. V-12, 2024-03-05\n\nTekstas.\n\nGalioja iki 2026-01-01"


LEVELS = "".join(
    f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
    for level, kind, text in ((0, "decimal", "%1."), (1, "decimal", "%1.%2."), (2, "lowerLetter", "%3)"))
)
NUMBERING = (
    f'<w:abstractNum w:abstractNumId="5">{LEVELS}</w:abstractNum>'
    '<w:abstractNum w:abstractNumId="6"><w:lvl w:ilvl="0"><w:numFmt w:val="upperRoman"/><w:lvlText w:val="%1 skyrius."/></w:lvl></w:abstractNum>'
    '<w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val=""/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="5"/></w:num><w:num w:numId="3"><w:abstractNumId w:val="6"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="5"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>'
    '<w:num w:numId="4"><w:abstractNumId w:val="7"/></w:num>'
)


def item(text: str, number: int, level: int = 0, more: str = "") -> str:
    return p(text, f'{more}<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def test_numbers_that_word_draws_stand_before_their_items(tmp_path: Path) -> None:
    body = (
        item("Sąlygos", 1) + item("pirma", 1, 1) + item("raidė", 1, 2) + item("antra", 1, 1) + item("Kainos", 1)
        + item("trečia", 1, 1) + item("Iš naujo", 2) + item("Bendrosios nuostatos", 3) + item("ženkliukas", 4)
        + item("Pabaiga", 1, 0, '<w:outlineLvl w:val="1"/>')
    )  # fmt: skip
    document = reading(tmp_path, "a.lt.docx", make_word(body, numbering=NUMBERING))
    assert document.text == (
        "1. Sąlygos\n1.1. pirma\na) raidė\n1.2. antra\n2. Kainos\n2.1. trečia\n1. Iš naujo\n\n"
        "I skyrius. Bendrosios nuostatos\n\nženkliukas\n\n2. Pabaiga"
    )
    assert shown(document)[4] == ("list_item", "Kainos")
    assert shown(document)[7] == ("paragraph", "I skyrius. Bendrosios nuostatos")
    assert shown(document)[9] == ("heading", "2. Pabaiga")


# ── signs and formulas ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("run", "read"),
    [
        ('<w:t>5 </w:t><w:sym w:font="Symbol" w:char="F0B3"/><w:t> 3</w:t>', "5 ≥ 3"),
        ('<w:t>5 </w:t><w:sym w:font="Symbol" w:char="00B3"/><w:t> 3</w:t>', "5 ≥ 3"),
        ('<w:sym w:font="Wingdings" w:char="F0FC"/><w:t> taip</w:t>', "✓ taip"),
        ('<w:sym w:font="Wingdings" w:char="F0FE"/><w:sym w:font="Wingdings" w:char="F0A8"/>', "☑◻"),
        ('<w:rPr><w:rFonts w:ascii="Symbol"/></w:rPr><w:t>\uf0a3\uf0b1</w:t>', "≤±"),
        ('<w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>-6</w:t>', "⁻⁶"),
        ('<w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>st</w:t>', "st"),
    ],
)
def test_symbol_fonts_give_the_signs_they_draw(tmp_path: Path, run: str, read: str) -> None:
    document = reading(tmp_path, "a.lt.docx", make_word(f"<w:p><w:r><w:t>Žr. </w:t></w:r><w:r>{run}</w:r></w:p>"))
    assert document.text == f"Žr. {read}"
    assert document.warnings == ()


def test_an_unknown_sign_is_shown_and_warned_of(tmp_path: Path) -> None:
    document = reading(
        tmp_path, "a.lt.docx", make_word('<w:p><w:r><w:t>a</w:t><w:sym w:font="Marlett" w:char="F031"/></w:r></w:p>')
    )
    assert document.text == "a\ufffd"
    assert document.warnings == ("Signs of symbol fonts that are not known (shown as �): 1.",)


def run(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


@pytest.mark.parametrize(
    ("formula", "read"),
    [
        (run("5≥3"), "5≥3"),
        (f"<m:f><m:num>{run('a+b')}</m:num><m:den>{run('2')}</m:den></m:f>", "(a+b)/2"),
        (f"<m:sSup><m:e>{run('x')}</m:e><m:sup>{run('2')}</m:sup></m:sSup>", "x²"),
        (f"<m:sSup><m:e>{run('x')}</m:e><m:sup>{run('k+1')}</m:sup></m:sSup>", "x^(k+1)"),
        (f"<m:sSub><m:e>{run('k')}</m:e><m:sub>{run('max')}</m:sub></m:sSub>", "k_max"),
        (f"<m:rad><m:radPr><m:degHide/></m:radPr><m:deg/><m:e>{run('a+b')}</m:e></m:rad>", "√(a+b)"),
        ('<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr>' + f"<m:sub>{run('i=1')}</m:sub><m:sup>{run('n')}</m:sup><m:e>{run('x')}</m:e></m:nary>", "∑_(i=1)ⁿ x"),
        ('<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val="]"/></m:dPr>' + f"<m:e>{run('a')}</m:e></m:d>", "[a]"),
        (f"<m:m><m:mr><m:e>{run('1')}</m:e><m:e>{run('0')}</m:e></m:mr><m:mr><m:e>{run('0')}</m:e><m:e>{run('1')}</m:e></m:mr></m:m>", "[1, 0; 0, 1]"),
    ],
)  # fmt: skip
def test_formulas_are_read_on_one_line(tmp_path: Path, formula: str, read: str) -> None:
    body = f"<w:p><w:r><w:t>Kai </w:t></w:r><m:oMath>{formula}</m:oMath><w:r><w:t>, tinka.</w:t></w:r></w:p>"
    assert reading(tmp_path, "a.lt.docx", make_word(body)).text == f"Kai {read}, tinka."


# ── what is not text, and what is ───────────────────────────────────────────────────────────────────────────────


def test_what_was_deleted_in_tracked_changes_is_no_text(tmp_path: Path) -> None:
    """Rows, cells, the ends of paragraphs, words; what was moved stands where it was moved to."""
    body = (
        f"<w:tbl><w:tr>{cell('Bronzos')}{cell('600 EUR')}</w:tr>"
        f"<w:tr><w:trPr><w:del w:id='1' w:author='a'/></w:trPr>{cell('Sidabro')}{cell('900 EUR')}</w:tr>"
        f"<w:tr>{cell('Aukso')}{cell('1 200 EUR')}{cell('senas', DELETED)}</w:tr></w:tbl>"
        + p("Ženklas galioja ", "<w:rPr><w:del w:id='3' w:author='a'/></w:rPr>")
        + p("trejus metus.")
        + "<w:p><w:pPr><w:rPr><w:del w:id='4'/></w:rPr></w:pPr><w:del w:id='5'><w:r><w:delText>Senas.</w:delText></w:r></w:del></w:p>"
        + "<w:p><w:moveFrom w:id='6'><w:r><w:t>Perkelta.</w:t></w:r></w:moveFrom></w:p>"
        + "<w:p><w:moveTo w:id='7'><w:r><w:t>Perkelta.</w:t></w:r></w:moveTo></w:p>"
    )
    assert [text for _, text in shown(reading(tmp_path, "a.lt.docx", make_word(body)))] == [
        "Bronzos | 600 EUR",
        "Aukso | 1 200 EUR",
        "Ženklas galioja trejus metus.",
        "Perkelta.",
    ]


def test_placeholders_and_field_codes_are_no_text_and_what_was_chosen_is(tmp_path: Path) -> None:
    field = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    nested = (
        f"{field.format('begin')}<w:r><w:instrText>IF </w:instrText></w:r>{field.format('begin')}<w:r><w:instrText>MERGEFIELD x"
        f"</w:instrText></w:r>{field.format('separate')}<w:r><w:t>vidinis</w:t></w:r>{field.format('end')}"
        f"{field.format('separate')}<w:r><w:t>rodoma</w:t></w:r>{field.format('end')}"
    )
    one_run = (
        '<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>DATE</w:instrText><w:fldChar w:fldCharType="separate"/>'
        '<w:t xml:space="preserve"> kovo 5 d.</w:t><w:fldChar w:fldCharType="end"/></w:r>'
    )
    box = (
        '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData></w:fldChar></w:r>'
        + field.format("end")
    )
    body = (
        f"<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{p('Spustelėkite čia.')}</w:sdtContent></w:sdt>"
        "<w:p><w:r><w:t>Vardas: </w:t></w:r><w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:r><w:t>Įveskite.</w:t></w:r></w:sdtContent></w:sdt></w:p>"
        f"<w:p>{nested}{one_run}</w:p><w:p>{box}<w:r><w:t> Sutinku</w:t></w:r></w:p>"
        "<w:tbl><w:tr><w:tc><w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:p><w:r><w:t>Pasirinkite.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        f"{p('a')}</w:tc>{cell('b')}</w:tr></w:tbl>"
    )
    document = reading(tmp_path, "a.lt.docx", make_word(body))
    assert [text for _, text in shown(document)] == ["Vardas:", "rodoma kovo 5 d.", "☒ Sutinku", "a | b"]


def test_text_boxes_are_read_once_also_inside_each_other_and_in_cells(tmp_path: Path) -> None:
    def box(inside: str) -> str:
        return (
            f"<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><w:txbxContent>{inside}</w:txbxContent></w:drawing></mc:Choice>"
            f"<mc:Fallback><w:pict><w:txbxContent>{inside}</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
        )

    deep = f"<w:p><w:r><w:t>Išorinis.</w:t></w:r>{box(p('Vidinis.'))}</w:p>"
    body = f"<w:p><w:r><w:t>Tekstas.</w:t></w:r>{box(deep)}</w:p><w:tbl><w:tr><w:tc><w:p>{box(p('Langelyje.'))}</w:p></w:tc>{cell('b')}</w:tr></w:tbl>"
    document = reading(tmp_path, "a.lt.docx", make_word(body))
    assert [text for _, text in shown(document)] == ["Tekstas.", "Išorinis.", "Vidinis.", "Langelyje. | b"]


def test_pictures_and_charts_are_named(tmp_path: Path) -> None:
    body = p("Tekstas.") + "<w:p><w:r><w:drawing><a:blip/></w:drawing></w:r></w:p>"
    assert reading(tmp_path, "a.lt.docx", make_word(body)).warnings == ("Pictures whose words are not read: 1.",)


def test_the_strict_form_of_open_xml_is_read(tmp_path: Path) -> None:
    usual = make_word(table(*PRICES) + p("Tekstas."))
    with zipfile.ZipFile(io.BytesIO(usual)) as archive:
        strict = {
            name: archive.read(name)
            .replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/", b"http://purl.oclc.org/ooxml/officeDocument/"
            )
            .replace(
                b"http://schemas.openxmlformats.org/wordprocessingml/2006/",
                b"http://purl.oclc.org/ooxml/wordprocessingml/",
            )
            for name in archive.namelist()
        }
    assert reading(tmp_path, "a.lt.docx", make_zip(strict)).text == reading(tmp_path, "b.lt.docx", usual).text


def test_a_file_inside_the_document_is_read_at_its_place(tmp_path: Path) -> None:
    usual = make_word(p("Prieš.") + '<w:altChunk r:id="chunk"/>' + p("Po."))
    page = (
        "<html><body><main><h2>Skyrius</h2><p>Įdėta pastraipa apie klasterius ir jų ženklus.</p></main></body></html>"
    )
    with zipfile.ZipFile(io.BytesIO(usual)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    relation = b'<Relationship Id="chunk" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/aFChunk" Target="a.html"/>'
    members["word/_rels/document.xml.rels"] = members["word/_rels/document.xml.rels"].replace(
        b"</Relationships>", relation + b"</Relationships>"
    )
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(
        b"</Types>", b'<Default Extension="html" ContentType="text/html"/></Types>'
    )
    members["word/a.html"] = page.encode()
    document = reading(tmp_path, "a.lt.docx", make_zip(members))
    assert shown(document) == [
        ("paragraph", "Prieš."),
        ("heading", "Skyrius"),
        ("paragraph", "Įdėta pastraipa apie klasterius ir jų ženklus."),
        ("paragraph", "Po."),
    ]


def test_a_section_has_the_headers_of_the_one_before_it(tmp_path: Path) -> None:
    first = '<w:p><w:pPr><w:sectPr><w:headerReference w:type="first" r:id="header1"/></w:sectPr></w:pPr></w:p>'
    last = "<w:sectPr><w:titlePg/></w:sectPr>"
    document = reading(tmp_path, "a.lt.docx", make_word(first + p("Tekstas.") + last, header1=p("Patvirtinta įsakymu")))
    assert [text for _, text in shown(document)] == ["Patvirtinta įsakymu", "Tekstas."]


def test_prompts_of_places_to_fill_in_are_named(tmp_path: Path) -> None:
    prompt = (
        f"<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{p('Spustelėkite čia.')}</w:sdtContent></w:sdt>"
    )
    document = reading(tmp_path, "a.lt.docx", make_word(p("Tekstas.") + prompt))
    assert document.warnings == ("Places to fill in, whose prompts are not read: 1.",)


def test_a_danish_text_is_not_taken_for_a_damaged_lithuanian_one(tmp_path: Path) -> None:
    document = reading(tmp_path, "a.docx", make_word(p("Ansættelse i Allerød, Tænderne og Grønland.")))
    assert document.warnings == ()


def test_a_level_that_was_skipped_counts_as_begun(tmp_path: Path) -> None:
    body = item("Pirmas", 1) + item("Gilus", 1, 2) + item("Antras", 1, 1)
    levels = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="{text}"/></w:lvl>'
        for at, text in enumerate(("%1.", "%1.%2.", "%1.%2.%3."))
    )
    numbering = f'<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    text = reading(tmp_path, "a.docx", make_word(body, numbering=numbering)).text
    assert text == "1. Pirmas\n1.1.1. Gilus\n1.2. Antras"


def test_a_raised_figure_with_a_space_beside_it_is_raised(tmp_path: Path) -> None:
    def fill(document) -> None:
        paragraph = document.add_paragraph("Plotas 5 m")
        paragraph.add_run("2 ").font.superscript = True
        paragraph.add_run("kambario")

    assert reading(tmp_path, "a.lt.docx", make_docx(fill)).text == "Plotas 5 m² kambario"


def words(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def numbered(text: str, more: str = "") -> str:
    return p(text, f'<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>{more}')


ONE_LIST = (
    '<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/>'
    '<w:lvlText w:val="%1."/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>'
)


def test_a_column_of_numbers_that_word_counts_is_in_its_rows(tmp_path: Path) -> None:
    def row(text: str) -> str:
        return f"<w:tr><w:tc>{numbered('')}</w:tc><w:tc>{p(text)}</w:tc></w:tr>"

    body = f"<w:tbl>{row('Sienų dažymas')}{row('Grindų klojimas')}</w:tbl>"
    document = reading(tmp_path, "a.lt.docx", make_word(body, numbering=ONE_LIST))
    assert rows(document) == [("", "1. | Sienų dažymas"), ("", "2. | Grindų klojimas")]


def test_a_hidden_paragraph_is_not_counted(tmp_path: Path) -> None:
    hidden = p(
        "Slapta.",
        '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr><w:rPr><w:vanish/></w:rPr>',
        "<w:vanish/>",
    )
    document = reading(
        tmp_path, "a.lt.docx", make_word(numbered("Pirmas.") + hidden + numbered("Antras."), numbering=ONE_LIST)
    )
    assert document.text == "1. Pirmas.\n2. Antras."


@pytest.mark.parametrize(
    ("code", "read"),
    [
        (' SYMBOL 179 \\f "Symbol" ', "≥"),
        (" SYMBOL 8805 \\u ", "≥"),
        (" EQ \\f(1;2) ", "1/2"),
        (" EQ \\r(3;a+b) + \\s\\up 4(2) ", "∛(a+b) + ²"),
    ],
)
def test_what_word_draws_from_the_code_of_a_field_is_text(tmp_path: Path, code: str, read: str) -> None:
    def mark(kind: str) -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'

    whole = f'{mark("begin")}<w:r><w:instrText xml:space="preserve">{code}</w:instrText></w:r>{mark("end")}'
    simple = f"<w:fldSimple w:instr='{code}'/>"
    body = "".join(f"<w:p>{words('x ')}{field}{words(' y')}</w:p>" for field in (whole, simple))
    assert reading(tmp_path, "a.lt.docx", make_word(body)).text == f"x {read} y\n\nx {read} y"


def test_letters_of_the_keyboard_in_a_symbol_font_and_figures_set_higher_are_read_as_drawn(tmp_path: Path) -> None:
    fonts = "<w:rFonts w:ascii='Symbol' w:hAnsi='Symbol'/>"
    body = "<w:p>{}{}{}{}</w:p>".format(
        words("Kampas "),
        f"<w:r><w:rPr>{fonts}</w:rPr><w:t>a</w:t></w:r>",
        words(" = 10"),
        '<w:r><w:rPr><w:position w:val="6"/></w:rPr><w:t>6</w:t></w:r>',
    )
    assert reading(tmp_path, "a.lt.docx", make_word(body)).text == "Kampas α = 10⁶"
