"""What is promised of PDFs: what a person sees on the page is in the text, or a warning names it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest
import reportlab
from PIL import Image
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, StreamObject
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from clusterqa.documents import pdf_shapes, read
from clusterqa.documents.plausible import are_words
from clusterqa.errors import UnreadableDocument
from clusterqa.passages import split
from documents_fixtures import BOLD, FONT, lines, make_pdf, picture, reading, rows, shown

PROSE = (
    "Bronzos ženklas galioja dvejus metus nuo jo suteikimo dienos. Paskui klasterio valdymo organizacija turi iš naujo "
    "pereiti palyginamąjį vertinimą, kurį atlieka nešališkas ekspertas. Įmonės, kurių ženklas baigė galioti, gali "
    "kreiptis dar kartą; už vertinimą mokama pagal tuo metu galiojantį kainoraštį, o pinigai negrąžinami."
)
ENGLISH = (
    "The Bronze label is valid for two years from the day of award. After that the cluster organisation is benchmarked "
    "again by an impartial expert. Members whose label has expired may apply once more; the fee is that of the day. "
    "Clusters without a legal form cannot apply, and neither can those that have worked for less than a year."
)


def shifted(text: str, by: int = 3) -> str:
    """Each plain letter put in place of another, as a wrong table of a font does."""
    return "".join(chr((ord(c.lower()) - 97 + by) % 26 + 97) if "a" <= c.lower() <= "z" else c for c in text)


def wrapped(text: str, width: int = 80) -> list[str]:
    found = [""]
    for word in text.split():
        if len(found[-1]) + len(word) > width:
            found.append("")
        found[-1] = f"{found[-1]} {word}".strip()
    return found


def texts(document) -> list[str]:
    return [text for _, text in shown(document)]


# ── letters without sense ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", [PROSE, ENGLISH])
@pytest.mark.parametrize("by", [1, 3, 7, 13, 20])
def test_letters_that_make_no_words_are_refused(tmp_path: Path, text: str, by: int) -> None:
    path = tmp_path / "a.lt.pdf"
    path.write_bytes(make_pdf(lambda c: lines(c, 72, 700, wrapped(shifted(text, by)))))
    with pytest.raises(UnreadableDocument, match=r"say other letters than they draw.*force-ocr"):
        read(path, path.name)


@pytest.mark.parametrize(
    "text",
    [
        PROSE, ENGLISH, PROSE.upper(),
        "Das Abzeichen gilt zwei Jahre ab dem Tag der Verleihung. Danach wird die Organisation von einem unparteiischen "
        "Fachmann erneut bewertet, und die Gebühr richtet sich nach der Liste, die an diesem Tag gültig ist.",
        "Znak jest ważny przez dwa lata od dnia przyznania. Potem organizacja zarządzająca klastrem musi ponownie przejść "
        "ocenę porównawczą, którą przeprowadza bezstronny ekspert, a opłata wynika z obowiązującego cennika usług.",
        "Merkki on voimassa kaksi vuotta myöntämispäivästä. Sen jälkeen klusterin hallinto-organisaatio arvioidaan uudelleen, "
        "ja arvioinnin tekee puolueeton asiantuntija, jonka palkkio määräytyy voimassa olevan hinnaston mukaan.",
        "ISBN 978-609-420-123-4, XKJ-33, BVPŽ, PVM, UAB, MITA, ESCA, 2024-03-05. " * 8,
    ],
)  # fmt: skip
def test_other_languages_capitals_and_codes_are_not_taken_for_nonsense(text: str) -> None:
    assert are_words(text)


def test_one_page_of_nonsense_is_named_and_not_quoted(tmp_path: Path) -> None:
    good = [lambda c, n=n: lines(c, 72, 700, [f"{n} skyrius.", *wrapped(PROSE)]) for n in range(6)]
    document = reading(tmp_path, "a.lt.pdf", make_pdf(*good, lambda c: lines(c, 72, 700, wrapped(shifted(PROSE)))))
    assert [w.split(": ")[1][:2] for w in document.warnings] == ["7."]
    assert document.warnings[0].startswith("Pages whose fonts say other letters than they draw")
    assert not any(block.start >= document.pages[6].start for block in document.blocks)


# ── forms, attachments, pictures ────────────────────────────────────────────────────────────────────────────────


def form(canvas: Canvas) -> None:
    lines(canvas, 72, 700, ["Pavadinimas:", "", "", "Kodas:", "", "", "Pabaiga."])
    for name, value, height in (("a", "UAB Pavyzdys", 694), ("b", "304567890", 658)):
        canvas.acroForm.textfield(name=name, value=value, x=200, y=height, width=200, height=16, fontSize=10)


def test_the_values_of_a_form_stand_at_their_places(tmp_path: Path) -> None:
    document = reading(tmp_path, "a.lt.pdf", make_pdf(form))
    assert " ".join(document.text.split()) == "Pavadinimas: UAB Pavyzdys Kodas: 304567890 Pabaiga."
    assert document.warnings == ()


def test_a_value_that_the_file_does_not_draw_is_named(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(io.BytesIO(make_pdf(form)))
    for annotation in writer.pages[0]["/Annots"]:  # type: ignore[attr-defined]
        del annotation.get_object()["/AP"]
    file = io.BytesIO()
    writer.write(file)
    document = reading(tmp_path, "a.lt.pdf", file.getvalue())
    assert document.warnings == ("Form fields whose values the PDF does not draw: 2. Print it as a PDF anew.",)


def test_a_value_whose_drawing_is_empty_is_named(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(io.BytesIO(make_pdf(form)))
    for annotation in writer.pages[0]["/Annots"]:  # type: ignore[attr-defined]
        annotation.get_object()["/AP"]["/N"].get_object().set_data(b"/Tx BMC\nEMC\n")
    file = io.BytesIO()
    writer.write(file)
    document = reading(tmp_path, "a.lt.pdf", file.getvalue())
    assert document.warnings == ("Form fields whose values the PDF does not draw: 2. Print it as a PDF anew.",)


# ── what is drawn, and where ────────────────────────────────────────────────────────────────────────────────────


def test_letters_outside_the_page_are_no_text(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setPageSize((595, 842))
        lines(canvas, 72, 900, ["Spaudos žymos viršuje"])
        lines(canvas, 72, 700, ["Ženklas galioja dvejus metus."])
        lines(canvas, 72, -40, ["Failas 12.indd"])
        lines(canvas, 700, 700, ["Šalia lapo"])

    assert reading(tmp_path, "a.lt.pdf", make_pdf(draw)).text == "Ženklas galioja dvejus metus."


def test_what_is_drawn_twice_to_look_bold_is_read_once(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 700, ["Savivaldybė priima sprendimą per dvidešimt dienų."])
        lines(canvas, 72.4, 700, ["Savivaldybė priima sprendimą per dvidešimt dienų."])
        for place, letter in enumerate("Allerød"):  # each letter on its own, as some programs do
            for shift in (0, 0.4):
                canvas.drawString(72 + 12 * place + shift, 600, letter)
        lines(canvas, 72, 500, ["Taip taip", "Taip taip"])

    text = reading(tmp_path, "a.lt.pdf", make_pdf(draw)).text
    assert " ".join(text.split()).replace("A l l e r ø d", "Allerød") == (
        "Savivaldybė priima sprendimą per dvidešimt dienų. Allerød Taip taip Taip taip"
    )


def test_attached_files_are_named(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(io.BytesIO(make_pdf(lambda c: lines(c, 72, 700, ["Tekstas apie ženklus."]))))
    writer.add_attachment("priedas.xlsx", b"x")
    file = io.BytesIO()
    writer.write(file)
    document = reading(tmp_path, "a.lt.pdf", file.getvalue())
    assert document.warnings == ("Files attached to the PDF are not read: priedas.xlsx. Add them as documents.",)


def test_pages_with_large_pictures_and_scans_with_text_over_them_are_named(tmp_path: Path) -> None:
    def scan(canvas: Canvas) -> None:
        picture(canvas)
        lines(canvas, 72, 700, ["Atpažintas tekstas apie ženklus."])

    def chart(canvas: Canvas) -> None:
        from PIL import Image

        lines(canvas, 72, 700, ["Paveiksle – narių skaičius."])
        canvas.drawImage(ImageReader(Image.new("L", (60, 80), 200)), 72, 200, 400, 300)

    def logo(canvas: Canvas) -> None:
        from PIL import Image

        lines(canvas, 72, 700, ["Tik ženkliukas kampe."])
        canvas.drawImage(ImageReader(Image.new("L", (60, 80), 200)), 500, 780, 60, 40)

    assert reading(tmp_path, "a.lt.pdf", make_pdf(scan, chart, logo)).warnings == (
        "Pages that are pictures with text recognised by a program: 1. Compare the letters and the figures with the pictures.",
        "Pages with pictures whose words are not read: 2.",
    )


# ── items ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["M. Gagné vadovauja klasteriui.", "A. Jonaitis vadovauja klasteriui.", "v. 2 galioja nuo sausio.",
                                  "0. Auflage von 2020.", "2. Auflage von 2020."])  # fmt: skip
def test_an_initial_or_a_number_alone_is_no_mark(tmp_path: Path, name: str) -> None:
    document = reading(
        tmp_path, "a.lt.pdf", make_pdf(lambda c: lines(c, 72, 700, [*wrapped(PROSE), "", name, "", "Kita."]))
    )
    assert texts(document) == ["\n".join(wrapped(PROSE)), name, "Kita."]


@pytest.mark.parametrize(
    ("drawn", "read"),
    [
        (["1. viena sąlyga;", "2. kita sąlyga."], ["viena sąlyga;", "kita sąlyga."]),
        (["a) viena sąlyga;", "b) kita sąlyga."], ["viena sąlyga;", "kita sąlyga."]),
        (["1.1. viena sąlyga;", "1.2. kita sąlyga;", "2.1. trečia sąlyga."], ["viena sąlyga;", "kita sąlyga;", "trečia sąlyga."]),
        (["7. septinta sąlyga;", "8. aštunta sąlyga;", "9. devinta sąlyga."], ["septinta sąlyga;", "aštunta sąlyga;", "devinta sąlyga."]),
        (["• viena sąlyga;"], ["viena sąlyga;"]),
    ],
)  # fmt: skip
def test_numbers_in_a_sequence_are_marks(tmp_path: Path, drawn: list[str], read: list[str]) -> None:
    document = reading(tmp_path, "a.lt.pdf", make_pdf(lambda c: lines(c, 72, 700, ["Sąlygos yra tokios:", "", *drawn])))
    assert shown(document)[1:] == [("list_item", text) for text in read]
    assert all(line in document.text.splitlines() for line in drawn)


def test_a_mark_far_from_its_text_stays_with_it_and_is_no_column(tmp_path: Path) -> None:
    def page(canvas: Canvas) -> None:
        canvas.setFont(FONT, 10)
        for number, text in enumerate(["viena sąlyga", "kita sąlyga", "trečia sąlyga"], start=1):
            canvas.drawString(72, 700 - 14 * number, f"1.{number}.")
            canvas.drawString(110, 700 - 14 * number, text)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(page))
    assert document.text.split("\n\n") == ["1.1. viena sąlyga", "1.2. kita sąlyga", "1.3. trečia sąlyga"]


@pytest.mark.parametrize("rise", [3, 4, 5])
def test_raised_figures_stay_with_their_line_and_are_written_so(tmp_path: Path, rise: int) -> None:
    def page(canvas: Canvas) -> None:
        text = canvas.beginText(72, 700)
        text.setFont(FONT, 10)
        text.textOut("Plotas 10")
        text.setFont(FONT, 6)
        text.setRise(rise)
        text.textOut("6")
        text.setRise(0)
        text.setFont(FONT, 10)
        text.textOut(" m")
        text.setFont(FONT, 6)
        text.setRise(rise)
        text.textOut("2")
        text.setRise(0)
        text.setFont(FONT, 10)
        text.textOut(" pagal planą.")
        canvas.drawText(text)

    assert reading(tmp_path, "a.lt.pdf", make_pdf(page)).text == "Plotas 10⁶ m² pagal planą."


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────


def drawn_table(*table: tuple[str, ...], bold: bool = False) -> bytes:
    def page(canvas: Canvas) -> None:
        for number, row in enumerate(table):
            canvas.setFont(BOLD if bold and not number else FONT, 10)
            for left, cell in zip((72, 220, 380), row, strict=False):
                canvas.drawString(left, 700 - 16 * number, cell)

    return make_pdf(page)


CONTACTS = (("Adresas", "Vilnius"), ("Telefonas", "+370 612 34567"), ("Kodas", "304567890"), ("Namas", "5"))


@pytest.mark.parametrize("bold", [False, True])
def test_the_first_row_of_a_list_of_contacts_can_be_quoted(tmp_path: Path, bold: bool) -> None:
    contacts = CONTACTS if not bold else (CONTACTS[1], CONTACTS[0], *CONTACTS[2:])
    document = reading(tmp_path, "a.lt.pdf", drawn_table(*contacts, bold=bold))
    assert rows(document) == [("", " | ".join(row)) for row in contacts]


# ── across pages ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sentence_that_runs_over_the_page_is_one_and_cites_both(tmp_path: Path) -> None:
    def page(top: list[str], bottom: list[str]):
        def draw(canvas: Canvas) -> None:
            lines(canvas, 72, 812, ["Klasterių vadovas 2024"])
            lines(canvas, 72, 760, top)
            lines(canvas, 72, 120, bottom)
            lines(canvas, 290, 30, [str(draw.number)])  # type: ignore[attr-defined]

        return draw

    pages = [
        page(["Pirma pastraipa baigiasi čia."], ["Antroji pradėta čia. Ženklas galioja dvejus metus nuo tos"]),
        page(["dienos, kai jis suteiktas. Paskui jį reikia atnaujinti."], ["Trečia pastraipa apie ataskai-"]),
        page(["tas ir jų terminus."], ["Pabaiga."]),
    ]
    for number, draw in enumerate(pages, start=1):
        draw.number = number
    document = reading(tmp_path, "a.lt.pdf", make_pdf(*pages))
    passages = split(document)
    told = [
        (" ".join(document.text[s.start : s.end].split()), passage.page_label)
        for passage in passages
        for s in passage.sentences
    ]
    assert told == [
        ("Pirma pastraipa baigiasi čia.", "1"),
        ("Antroji pradėta čia.", "1"),
        ("Ženklas galioja dvejus metus nuo tos dienos, kai jis suteiktas.", "1–2"),
        ("Paskui jį reikia atnaujinti.", "2"),
        ("Trečia pastraipa apie ataskai- tas ir jų terminus.", "2–3"),
        ("Pabaiga.", "3"),
    ]
    assert document.text.count("Klasterių vadovas 2024") == 3
    assert [p.label for p in document.pages] == ["1", "2", "3"]


def test_a_page_that_begins_a_new_sentence_is_kept_apart(tmp_path: Path) -> None:
    document = reading(
        tmp_path,
        "a.lt.pdf",
        make_pdf(lambda c: lines(c, 72, 100, ["Pirma pastraipa"]), lambda c: lines(c, 72, 760, ["Antra pastraipa."])),
    )
    assert texts(document) == ["Pirma pastraipa", "Antra pastraipa."]


def test_a_value_that_the_page_does_not_draw_is_named_wherever_it_is_held(tmp_path: Path) -> None:
    """A list with two choices, a field whose value its parent holds, and an empty one."""
    canvas = b"BT /F1 12 Tf 72 700 Td (Prasymas gauti zenkla klasteriui ir jo nariams) Tj ET"
    parts = [
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R 7 0 R 9 0 R]>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>/Annots[6 0 R 8 0 R 10 0 R]>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(canvas), canvas),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Type/Annot/Subtype/Widget/FT/Ch/Ff 2097152/T(sritis)/Opt[(IT)(Maistas)(Mediena)]/V[(IT)(Mediena)]/Rect[72 600 200 640]>>",
        b"<</FT/Tx/T(vardas)/V(Ona Onaite)/Kids[8 0 R]>>",
        b"<</Type/Annot/Subtype/Widget/Parent 7 0 R/Rect[72 500 200 520]>>",
        b"<</FT/Tx/T(pastaba)/Kids[10 0 R]>>",
        b"<</Type/Annot/Subtype/Widget/Parent 9 0 R/Rect[72 400 200 420]>>",
    ]
    raw = b"%PDF-1.7\n"
    places = []
    for number, part in enumerate(parts, start=1):
        places.append(len(raw))
        raw += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    raw += b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        len(parts) + 1, table, len(parts) + 1, len(raw),
    )  # fmt: skip
    assert reading(tmp_path, "a.lt.pdf", raw).warnings == (
        "Form fields whose values the PDF does not draw: 2. Print it as a PDF anew.",
    )


def test_first_lines_that_differ_in_their_figures_are_no_running_header(tmp_path: Path) -> None:
    def page(number: int) -> Callable[[Canvas], None]:
        def draw(canvas: Canvas) -> None:
            lines(canvas, 70, 810, ["Klasterių tvarka, 2024 m."], 8)
            lines(canvas, 280, 30, [f"{number} psl. iš 4"], 8)
            first = number * 3 - 2
            lines(canvas, 70, 760, [f"{n}. Narys moka {n}00 eurų už {n} paslaugas." for n in range(first, first + 3)])

        return draw

    document = reading(tmp_path, "a.lt.pdf", make_pdf(*map(page, range(1, 5))))
    assert [text for _, text in shown(document)] == [f"Narys moka {n}00 eurų už {n} paslaugas." for n in range(1, 13)]


# ── letters that are not what they seem ─────────────────────────────────────────────────────────────────────────


def accented(canvas: Canvas, left: float, base: float, parts: list[tuple[str, str]]) -> None:
    """Draw words as TeX does in its old encoding: each letter that has an accent, then the accent over or under it."""
    for word, accent in parts:
        canvas.drawString(left, base, word)
        left += canvas.stringWidth(word)
        if accent:
            letter = canvas.stringWidth(word[-1])
            mark = canvas.stringWidth(accent)
            canvas.drawString(left - letter / 2 - mark / 2, base, accent)


def make_typeset(*rows: list[tuple[str, str]]) -> bytes:
    """A PDF whose lines are typeset like that."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont(FONT, 12)
        for number, row in enumerate(rows):
            accented(canvas, 72, 700 - 20 * number, row)

    return make_pdf(draw)


def test_letters_and_accents_that_are_drawn_apart_are_one(tmp_path: Path) -> None:
    made = make_typeset(
        [("Ta", ""), ("c", "ˇ"), ("iau Lietuvos pilie", ""), ("c", "ˇ"), ("iai daug steb", ""), ("e", "˙"), ("ti negal", ""), ("e", "˙"), ("jo.", "")],
        [("prote", "´"), ("ge", "´"), (" and Lu", ""), ("ı", "´"), ("s went to the caf", ""), ("e", "´"), (" with others.", "")],
    )  # fmt: skip
    text = reading(tmp_path, "a.lt.pdf", made).text
    assert "Tačiau Lietuvos piliečiai daug stebėti negalėjo." in text
    assert "protégé and Luís went to the café with others." in text


def test_an_accent_beside_a_letter_stays(tmp_path: Path) -> None:
    made = make_typeset([("The sign ´ alone, and a ˇ too, mark how a vowel is said in some words.", "")])
    assert "The sign ´ alone, and a ˇ too, mark" in reading(tmp_path, "a.en.pdf", made).text


def test_a_sign_for_two_letters_gives_both(tmp_path: Path) -> None:
    made = ligature_pdf("We see things di\x01erently in this o\x01ice.")
    assert "We see things differently in this office." in reading(tmp_path, "a.en.pdf", made).text


def ligature_pdf(text: str, meaning: str = "00660066") -> bytes:
    """A PDF whose font has a sign with the code 1 and says what it means, as is usual "ff"."""
    mapping = "\n".join(f"<{code:02x}> <{code:04x}>" for code in range(32, 127))
    table = f"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def
1 begincodespacerange <00> <ff> endcodespacerange
95 beginbfchar
{mapping}
endbfchar
1 beginbfchar
<01> <{meaning}>
endbfchar
endcmap end end"""
    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(595, 842)
    told = pypdf.generic.DecodedStreamObject()
    told.set_data(table.encode())
    font = pypdf.generic.DictionaryObject(
        {
            pypdf.generic.NameObject("/Type"): pypdf.generic.NameObject("/Font"),
            pypdf.generic.NameObject("/Subtype"): pypdf.generic.NameObject("/Type1"),
            pypdf.generic.NameObject("/BaseFont"): pypdf.generic.NameObject("/Helvetica"),
            pypdf.generic.NameObject("/ToUnicode"): writer._add_object(told),
        }
    )
    fonts = pypdf.generic.DictionaryObject({pypdf.generic.NameObject("/F1"): font})
    page[pypdf.generic.NameObject("/Resources")] = pypdf.generic.DictionaryObject(
        {pypdf.generic.NameObject("/Font"): fonts}
    )
    content = pypdf.generic.DecodedStreamObject()
    drawn = text.replace("\x01", "\\001")
    content.set_data(f"BT /F1 12 Tf 72 700 Td ({drawn}) Tj ET".encode("latin-1"))
    page[pypdf.generic.NameObject("/Contents")] = writer._add_object(content)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("before", "mark", "seen"),
    [
        ("Mentors matter", "1–9", "matter¹–⁹ to all"),
        ("Mentors matter", "4,5,10", "matter⁴,⁵,¹⁰ to all"),
        ("Mentors matter ", "3", "matter³ to all"),
        ("It is 10", "–4", "10⁻⁴ to all"),
    ],
)
def test_raised_marks_of_several_notes_and_behind_a_space_are_raised(
    tmp_path: Path, before: str, mark: str, seen: str
) -> None:
    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(72, 700)
        for size, rise, words in ((10, 0, before), (6, 4, mark), (10, 0, " to all the people of the office.")):
            text.setFont(FONT, size)
            text.setRise(rise)
            text.textOut(words)
        canvas.drawText(text)

    assert seen in reading(tmp_path, "a.en.pdf", make_pdf(draw)).text


def test_a_raised_number_of_a_note_stays_apart_from_the_next_word(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 700, ["All follows the specification"])
        end = 72 + canvas.stringWidth("All follows the specification")
        canvas.setFont(FONT, 6)
        canvas.drawString(end, 704, "15")
        after = end + canvas.stringWidth("15")
        canvas.setFont(FONT, 10)
        canvas.drawString(after, 700, " was written by the office.")

    assert "the specification¹⁵ was written" in reading(tmp_path, "a.en.pdf", make_pdf(draw)).text


def test_a_word_stays_apart_from_a_lowered_letter_before_it(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "Atstumas d")
        end = 72 + canvas.stringWidth("Atstumas d")
        canvas.setFont(FONT, 6)
        canvas.drawString(end, 698, "n")
        end += canvas.stringWidth("n")
        canvas.setFont(FONT, 10)
        canvas.drawString(end + 3, 700, "ir kiti dydžiai matuojami metrais.")

    assert "Atstumas dn ir kiti dydžiai" in reading(tmp_path, "a.lt.pdf", make_pdf(draw)).text


def test_a_table_that_is_held_column_by_column_is_named(tmp_path: Path) -> None:
    columns = (["Data", *(f"2024-05-0{n}" for n in range(1, 8))], ["Įmonė", *(f"Bendrovė {n}-oji" for n in "abcdefg")], ["Suma", *(f"{n}00" for n in range(1, 8))])  # fmt: skip

    def by_columns(canvas: Canvas) -> None:
        for number, column in enumerate(columns):
            lines(canvas, 72 + 150 * number, 700, column)

    def by_rows(canvas: Canvas) -> None:
        for number, row in enumerate(zip(*columns, strict=True)):
            for place, cell in enumerate(row):
                canvas.drawString(72 + 150 * place, 700 - 12 * number, cell)

    told = "Pages with tables that the PDF holds column by column, so that their rows are not put together: 1."
    assert told in reading(tmp_path, "a.lt.pdf", make_pdf(by_columns)).warnings
    document = reading(tmp_path, "b.lt.pdf", make_pdf(by_rows))
    assert told not in document.warnings
    assert ("Data | Įmonė | Suma", "2024-05-01 | Bendrovė a-oji | 100") in rows(document)


def test_bullets_in_large_letters_are_items_and_long_sentences_no_headings(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 780, ["Who has to report"], size=20)
        lines(canvas, 72, 740, ["• the facility falls under an activity of the annex", "• the facility is larger than the threshold"], size=14)  # fmt: skip
        lines(canvas, 72, 690, ["In the tables below you find all the pollutants that have to be reported."], size=14)
        lines(canvas, 72, 660, wrapped(ENGLISH))

    found = shown(reading(tmp_path, "a.en.pdf", make_pdf(draw)))
    assert found[:4] == [
        ("heading", "Who has to report"),
        ("list_item", "the facility falls under an activity of the annex"),
        ("list_item", "the facility is larger than the threshold"),
        ("paragraph", "In the tables below you find all the pollutants that have to be reported."),
    ]


def test_a_line_pulled_apart_is_no_row(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        left = 72.0
        for word in "I love word documents and they make me happy".split():
            canvas.drawString(left, 700, word)
            left += canvas.stringWidth(word) + 20
        lines(canvas, 72, 660, wrapped(ENGLISH))

    found = shown(reading(tmp_path, "a.en.pdf", make_pdf(draw)))
    assert found[0] == ("paragraph", "I love word documents and they make me happy")


def test_signs_without_a_meaning_are_named(tmp_path: Path) -> None:
    made = ligature_pdf("A sign \x01 is lost in this line.", meaning="fffd")
    (warning,) = (w for w in reading(tmp_path, "a.en.pdf", made).warnings if "meaning" in w)
    assert warning == "Pages with letters whose meaning the PDF does not say (shown as \ufffd): 1."


# ── what cannot be seen ─────────────────────────────────────────────────────────────────────────────────────────


def unseen(document) -> list[str]:
    return [w for w in document.warnings if "cannot be seen" in w]


def test_white_and_invisible_letters_are_not_read_and_said(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 700, wrapped(ENGLISH))
        canvas.setFillColorRGB(1, 1, 1)
        canvas.drawString(72, 500, "Whitened words")
        canvas.setFillColorRGB(0, 0, 0)
        text = canvas.beginText(72, 480)
        text.setTextRenderMode(3)
        text.textOut("Invisible words")
        canvas.drawText(text)

    document = reading(tmp_path, "a.en.pdf", make_pdf(draw))
    assert "Whitened" not in document.text
    assert "Invisible" not in document.text
    assert "The Bronze label is valid for two years" in document.text
    assert unseen(document) == [
        "Letters that cannot be seen on the page (in its own colour, covered, cut off or in a layer that is off) and are not read: 27. "
        "They are still in the file, which anyone can open."
    ]


def test_white_letters_on_a_dark_ground_are_read(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFillColorRGB(0, 0.2, 0.5)
        canvas.rect(60, 680, 400, 30, stroke=0, fill=1)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.drawString(72, 690, "Kainos 2024 m., Eur.")
        canvas.setFillColorRGB(0, 0, 0)
        lines(canvas, 72, 640, wrapped(PROSE))

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert "Kainos 2024 m., Eur." in document.text
    assert not unseen(document)


def test_letters_under_a_black_bar_and_in_the_colour_of_their_ground_are_not_read(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 700, wrapped(PROSE))
        canvas.drawString(72, 500, "Asmens kodas 48001011234, tel. 612")
        canvas.rect(
            72 + canvas.stringWidth("Asmens kodas "), 497, canvas.stringWidth("48001011234"), 12, stroke=0, fill=1
        )
        canvas.setFillColorRGB(0.2, 0.4, 0.6)
        canvas.rect(60, 430, 300, 30, stroke=0, fill=1)
        canvas.drawString(72, 440, "Slepiama")

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert "Asmens kodas" in document.text
    assert "tel. 612" in document.text
    assert "48001011234" not in document.text
    assert "Slepiama" not in document.text
    assert len(unseen(document)) == 1


def test_letters_that_the_page_cuts_off_or_a_layer_hides_are_not_read_and_said(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 700, wrapped(ENGLISH))
        for y, words in ((500, "Framed words"), (300, "Cropped words")):
            canvas.saveState()
            frame = canvas.beginPath()
            frame.rect(60, 480, 300, 60)
            canvas.clipPath(frame, stroke=0)
            canvas.drawString(72, y, words)
            canvas.restoreState()

    document = reading(tmp_path, "a.en.pdf", make_pdf(draw))
    assert "Framed words" in document.text
    assert "Cropped" not in document.text
    assert len(unseen(document)) == 1


@pytest.mark.parametrize(("state", "is_seen"), [(b"OFF", False), (b"ON", True)])
def test_a_layer_is_read_where_it_is_shown(tmp_path: Path, state: bytes, is_seen: bool) -> None:
    content = (
        b"BT /F 12 Tf 60 700 Td (The plain words of the page stand here.) Tj ET "
        b"/OC /L BDC BT /F 12 Tf 60 600 Td (A remark of the layer.) Tj ET EMC"
    )
    raw = raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[6 0 R]/D<</%s[6 0 R]>>>>>>" % state,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>/Properties<</L 6 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Type/OCG/Name(Remarks)>>",
    )
    document = reading(tmp_path, "a.en.pdf", raw)
    assert ("A remark of the layer." in document.text) == is_seen
    assert len(unseen(document)) == (not is_seen)


def outlined(canvas: Canvas, left: float, y: float, words: str, size: float, whole: bool = False) -> None:
    """Draw words as shapes, a path for each letter, or one for all."""
    paths = [canvas.beginPath()]
    for letter in words:
        end = left + 0.25 * size
        for path in pdf_shapes._paths(pdf_shapes._font("Helvetica"), ord(letter)):
            corners = [(left + x * size, y + up * size) for x, up in path]
            paths[-1].moveTo(*corners[0])
            for corner in corners[1:]:
                paths[-1].lineTo(*corner)
            paths[-1].close()
            end = max(end, *(x for x, _ in corners))
        left = end + 0.08 * size
        if not whole:
            paths.append(canvas.beginPath())
    for path in paths:
        canvas.drawPath(path, stroke=0, fill=1)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("words", "size"), [("Kvietimas teikti", 20), ("Kaina yra 45 000 EUR", 9)])
def test_words_that_are_drawn_as_shapes_are_named(tmp_path: Path, words: str, size: float, whole: bool) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 700, wrapped(PROSE))
        outlined(canvas, 72, 500, words, size, whole)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert document.warnings == ("Pages with words that are drawn as shapes, and are not read: 1.",)


def test_other_shapes_are_no_words(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 700, wrapped(PROSE))
        outlined(canvas, 72, 500, "Kvietimas", 12)
        canvas.setFillAlpha(0)  # recognised words over shapes
        canvas.setFont(FONT, 12)
        canvas.drawString(72, 500, "Kvietimas")
        canvas.setFillAlpha(1)
        for number in range(12):
            canvas.circle(80 + 15 * number, 400, 5, fill=1)
            canvas.roundRect(80 + 15 * number, 300, 9, 12 + 9 * (number % 5), 2, fill=1)

    assert not [w for w in reading(tmp_path, "a.lt.pdf", make_pdf(draw)).warnings if "shapes" in w]


def test_boxes_that_are_drawn_and_ticked_by_lines_stand_before_what_they_are_for(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, wrapped(PROSE))
        for number, (left, right) in enumerate((("Posėdis", "Kelionė"), ("Mokymai", "Paroda"), ("Kita", "Nieko"))):
            y = 500 - 11 * number  # one below the other: their sides touch
            for x, label, is_ticked in ((72, left, number == 1), (300, right, number == 2)):
                canvas.rect(x, y, 11, 11)
                canvas.drawString(x + 25, y + 2, label)
                if is_ticked:
                    canvas.line(x, y, x + 11, y + 11)
                    canvas.line(x, y + 11, x + 11, y)

    text = reading(tmp_path, "a.lt.pdf", make_pdf(draw)).text
    assert re.findall(r"[☒☐] \w+", text) == [
        "☐ Posėdis", "☐ Kelionė", "☒ Mokymai", "☐ Paroda", "☐ Kita", "☒ Nieko",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["empty", "letters", "chart", "paper"])
def test_other_squares_are_no_boxes_to_tick(tmp_path: Path, kind: str) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, wrapped(PROSE))
        for number in range(400 if kind == "paper" else 8):
            x = 72 + (11 if kind == "letters" else 40) * (number % 8)
            y = 500 - 9 * (number // 8)
            canvas.rect(x, y, 11, 11)
            if kind == "chart" or (kind in ("letters", "paper") and number == 3):
                canvas.line(x + 1, y + 1, x + 10, y + 10)

    text = reading(tmp_path, "a.lt.pdf", make_pdf(draw)).text
    assert "☐" not in text and "☒" not in text


def test_recognised_letters_over_a_scan_are_read(tmp_path: Path) -> None:
    from PIL import Image, ImageDraw

    scan = Image.new("L", (595, 842), 255)
    drawn = ImageDraw.Draw(scan)
    for number, line in enumerate(wrapped(ENGLISH)):
        drawn.text((72, 130 + 12 * number), line, fill=0)

    def draw(canvas: Canvas) -> None:
        canvas.drawImage(ImageReader(scan), 0, 0, 595, 842)
        for number, line in enumerate(wrapped(ENGLISH)):
            text = canvas.beginText(72, 702 - 12 * number)
            text.setFont("Courier", 10)
            text.setTextRenderMode(3)
            text.textOut(line)
            canvas.drawText(text)

    document = reading(tmp_path, "a.en.pdf", make_pdf(draw))
    assert "The Bronze label is valid for two years" in " ".join(document.text.split())
    assert not unseen(document)


def test_struck_out_letters_are_not_read_and_said(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 700, wrapped(PROSE))
        canvas.drawString(72, 500, "Mokestis yra 500 600 Eur, o bauda 50 Eur.")
        start = 72 + canvas.stringWidth("Mokestis yra ")
        canvas.line(start, 503, start + canvas.stringWidth("500"), 503)
        canvas.drawString(72, 480, "Pabrauktas žodis ir lentelės linija.")
        canvas.line(72, 478, 72 + canvas.stringWidth("Pabrauktas žodis"), 478)
        canvas.line(40, 483, 555, 483)  # goes on beyond the words, as the lines of a drawing do

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert "Mokestis yra 600 Eur, o bauda 50 Eur." in document.text
    assert "Pabrauktas žodis ir lentelės linija." in document.text
    assert "Places with struck-out text, which is not read: 1." in document.warnings


def test_a_remark_that_strikes_out_is_heeded(tmp_path: Path) -> None:
    made = make_pdf(lambda c: lines(c, 72, 700, [*wrapped(PROSE), "Kaina 500 600 Eur."]))
    reader = pypdf.PdfReader(io.BytesIO(made))
    writer = pypdf.PdfWriter(clone_from=reader)
    line = len(wrapped(PROSE))
    base = 700 - 12 * line
    canvas = Canvas(io.BytesIO())
    left = 72 + canvas.stringWidth("Kaina ", FONT, 10)
    right = left + canvas.stringWidth("500", FONT, 10)
    area = (left, base - 2, right, base + 9)
    quads = [left, base + 9, right, base + 9, left, base - 2, right, base - 2]
    writer.add_annotation(
        0,
        pypdf.generic.DictionaryObject(
            {
                pypdf.generic.NameObject("/Type"): pypdf.generic.NameObject("/Annot"),
                pypdf.generic.NameObject("/Subtype"): pypdf.generic.NameObject("/StrikeOut"),
                pypdf.generic.NameObject("/Rect"): pypdf.generic.ArrayObject(map(pypdf.generic.FloatObject, area)),
                pypdf.generic.NameObject("/QuadPoints"): pypdf.generic.ArrayObject(
                    map(pypdf.generic.FloatObject, quads)
                ),
            }
        ),
    )
    file = io.BytesIO()
    writer.write(file)
    document = reading(tmp_path, "a.lt.pdf", file.getvalue())
    assert "Kaina 600 Eur." in document.text
    assert "Places with struck-out text, which is not read: 1." in document.warnings


# ── what fonts and places say wrongly ───────────────────────────────────────────────────────────────────────────


def make_shapes(content: str, widths: dict[str, int], says: dict[int, str] | None = None, flat: str = " ") -> bytes:
    """
    A PDF with a font of grey boxes: `widths` of letters in thousandths of the size, all else 500; `says` what the font
    says of codes that are no such letters; those of `flat` leave no mark.
    """
    name, array, number = pypdf.generic.NameObject, pypdf.generic.ArrayObject, pypdf.generic.NumberObject
    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(595, 842)

    def stream(text: str) -> pypdf.generic.DecodedStreamObject:
        made = pypdf.generic.DecodedStreamObject()
        made.set_data(text.encode("latin-1"))
        return made

    codes = range(1, 127)
    wide = {code: widths.get(chr(code), 250 if code == 32 else 500) for code in codes}
    procs = pypdf.generic.DictionaryObject(
        {
            name(f"/g{code}"): writer._add_object(
                stream(f"{w} 0 0 0 {w} 1 d1" if chr(code) in flat else f"{w} 0 0 0 {w} 700 d1 0 0 {w} 700 re f")
            )
            for code, w in wide.items()
        }
    )
    meanings = {code: chr(code) for code in codes if code >= 32} | (says or {})
    mapping = "\n".join(
        f"1 beginbfchar <{code:02x}> <{text.encode('utf-16-be').hex()}> endbfchar" for code, text in meanings.items()
    )
    made = pypdf.generic.DictionaryObject(
        {
            name("/Type"): name("/Font"),
            name("/Subtype"): name("/Type3"),
            name("/Name"): name("/Shapes"),
            name("/FontBBox"): array(map(number, (0, -200, 1000, 800))),
            name("/FontMatrix"): array(pypdf.generic.FloatObject(x) for x in (0.001, 0, 0, 0.001, 0, 0)),
            name("/CharProcs"): procs,
            name("/Encoding"): pypdf.generic.DictionaryObject(
                {name("/Differences"): array([number(1), *(name(f"/g{code}") for code in codes)])}
            ),
            name("/FirstChar"): number(1),
            name("/LastChar"): number(126),
            name("/Widths"): array(number(w) for w in wide.values()),
            name("/Resources"): pypdf.generic.DictionaryObject(),
            name("/ToUnicode"): writer._add_object(
                stream(
                    "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
                    f"1 begincodespacerange <00> <ff> endcodespacerange\n{mapping}\nendcmap end end"
                )
            ),
        }
    )
    page[name("/Resources")] = pypdf.generic.DictionaryObject(
        {name("/Font"): pypdf.generic.DictionaryObject({name("/F1"): writer._add_object(made)})}
    )
    page[name("/Contents")] = writer._add_object(stream(f"BT /F1 10 Tf 14 TL 72 700 Td {content} ET"))
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


LETTERS = {"T": 600, "f": 300, "i": 250, "l": 250, "\x01": 1000, "\x02": 460, "\x03": 500}


def test_a_sign_for_two_letters_whose_font_says_the_second_is_read_as_it_is_drawn(tmp_path: Path) -> None:
    drawn = (
        "(The two staff of this office like half of all. \\001e end di\\003ers; the \\002rst of\\002ce lists it.) Tj"
    )
    made = make_shapes(drawn, LETTERS, {1: "h", 2: "i", 3: "f"})
    document = reading(tmp_path, "a.en.pdf", made)
    assert document.text == (
        "The two staff of this office like half of all. The end differs; the first office lists it."
    )
    assert document.warnings == (
        "Signs for several letters whose font says another letter were read by their width: fi (2), Th (1), ff (1). "
        "Compare them with the page.",
    )


def test_a_sign_that_is_too_wide_and_fits_no_letters_is_named(tmp_path: Path) -> None:
    made = make_shapes("(The hall has h\\001lls of his.) Tj", LETTERS | {"\x01": 900}, {1: "i"})
    (warning,) = reading(tmp_path, "a.en.pdf", made).warnings
    assert warning.startswith("Pages with signs that are wider than the letter that their font says: 1.")


def test_letters_that_are_drawn_wide_altogether_are_let_alone(tmp_path: Path) -> None:
    made = make_shapes("(The hall of life is here.) Tj 220 Tz T* (The hall of life is here.) Tj", LETTERS)
    document = reading(tmp_path, "a.en.pdf", made)
    assert document.text.split("\n\n") == ["The hall of life is here."] * 2 and document.warnings == ()


@pytest.mark.parametrize(
    ("code", "says", "read"),
    [(14, "\x0c", "o\ufb01ce"), (14, "\u019f", "informa\ufb01on"), (14, "\r", "con\ufb01ict"), (14, "\x10", "o\ufffdce"), (14, "\ue123", "o\ufffdce")],
)  # fmt: skip
def test_codes_that_are_no_letters_are_read_as_known_or_named(tmp_path: Path, code: int, says: str, read: str) -> None:
    meant = {"\x0c": "fi", "\u019f": "ti", "\r": "fl"}.get(says, "")
    head, _, tail = read.replace("\ufb01", "|").replace("\ufffd", "|").partition("|")
    made = make_shapes(f"(The {head}\\{code:03o}{tail} is here.) Tj", {chr(code): 550}, {code: says})
    document = reading(tmp_path, "a.en.pdf", made)
    assert document.text == f"The {head}{meant or chr(0xFFFD)}{tail} is here."
    (warning,) = document.warnings
    assert ("were read by their width" if meant else "meaning the PDF does not say") in warning


def test_spaces_that_are_gaps_narrower_than_usual_are_read(tmp_path: Path) -> None:
    drawn = "[(the)-130(welfare)-130(of)-130(all,)-125(which)-30(is)-260(so)] TJ"
    assert reading(tmp_path, "a.en.pdf", make_shapes(drawn, {})).text == "the welfare of all, whichis so"


def test_letters_set_apart_alike_have_no_spaces_between_them(tmp_path: Path) -> None:
    made = make_shapes("1.3 Tc (Klasteris yra grupė) Tj".replace("ė", "e"), {})
    assert reading(tmp_path, "a.lt.pdf", made).text == "Klasteris yra grupe"


def test_a_code_of_tex_that_is_drawn_too_narrow_for_its_letters_is_named(tmp_path: Path) -> None:
    document = reading(tmp_path, "a.en.pdf", make_shapes("(The stu\\016 is here.) Tj", {"\x0e": 550}, {14: "\x1f"}))
    assert document.text == "The stu\ufffd is here."
    assert document.warnings == ("Pages with letters whose meaning the PDF does not say (shown as \ufffd): 1.",)


def test_a_minus_whose_font_says_nothing_is_not_lost(tmp_path: Path) -> None:
    document = reading(tmp_path, "a.en.pdf", make_shapes("(It fell by \\01612 per cent.) Tj", {}, {14: "\x03"}))
    assert document.text == "It fell by \ufffd12 per cent." and "meaning" in document.warnings[0]


@pytest.mark.parametrize(("says", "read"), [("\uf0b3", "≥"), ("\uf001", "\ufffd")])
def test_signs_that_say_the_place_in_a_symbol_font_are_read_as_drawn_there(
    tmp_path: Path, says: str, read: str
) -> None:
    made = make_shapes("(It says 5 \\016 3 today.) Tj", {}, {14: says})
    assert reading(tmp_path, "a.en.pdf", made).text == f"It says 5 {read} 3 today."


def test_a_bullet_whose_font_says_nothing_is_no_lost_letter(tmp_path: Path) -> None:
    document = reading(
        tmp_path, "a.en.pdf", make_shapes("(\\016 First of them) Tj T* (\\016 Second of them) Tj", {}, {14: "\x03"})
    )
    assert document.warnings == () and "\ufffd" not in document.text


def test_a_paragraph_left_of_the_items_above_it_is_none_of_them(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, ["Dokumentai teikiami Lietuvos verslo paramos agentūrai elektroniniu paštu šia tvarka:"])
        lines(canvas, 90, 748, ["• paraiška", "• sutartis"])
        lines(
            canvas, 72, 724, ["Agentūra juos įvertina per dvidešimt darbo dienų nuo gavimo dienos ir apie tai praneša."]
        )

    assert shown(reading(tmp_path, "a.lt.pdf", make_pdf(draw)))[1:] == [
        ("list_item", "paraiška"),
        ("list_item", "sutartis"),
        ("paragraph", "Agentūra juos įvertina per dvidešimt darbo dienų nuo gavimo dienos ir apie tai praneša."),
    ]


@pytest.mark.parametrize("says", ["\t\r \xa0", "\t", "\x00", "\r", "\x03"])
def test_a_space_that_the_file_calls_something_else_is_no_lost_letter(tmp_path: Path, says: str) -> None:
    made = make_shapes("(I\\016love\\016word\\016documents.) Tj", {"\x0e": 250}, {14: says}, flat=" \x0e")
    document = reading(tmp_path, "a.en.pdf", made)
    assert "\ufffd" not in document.text and document.warnings == ()
    assert document.text.split() == ["I", "love", "word", "documents."]


def test_lines_of_letters_without_a_meaning_are_named_and_not_quoted(tmp_path: Path) -> None:
    drawn = "(The price of this label is told) Tj T* (in euros and it stays.) Tj T* T* T* (\\016\\016 \\016\\016 is) Tj"
    document = reading(tmp_path, "a.en.pdf", make_shapes(drawn, {}, {14: "\x03"}))
    assert shown(document) == [("paragraph", "The price of this label is told\nin euros and it stays.")]
    assert document.text.endswith("\ufffd\ufffd \ufffd\ufffd is") and "meaning" in document.warnings[0]


def make_signs(*drawn: str, says: dict[str, str]) -> bytes:
    """A PDF with lines in which a font of its own says some signs by other letters, as fonts for formulas do."""
    name = "Signs" + "".join(f"{ord(letter):x}" for letter in says.values())
    font = TTFont(name, str(Path(reportlab.__file__).parent / "fonts" / "VeraBd.ttf"))
    font.face.name = name.encode()  # a name that was registered stays with its first font
    table = dict(font.face.charToGlyph)
    for sign, letter in says.items():
        font.face.charToGlyph[ord(letter)] = table[ord(sign)]
        font.face.charWidths[ord(letter)] = font.face.charWidths[ord(sign)]
    pdfmetrics.registerFont(font)

    def draw(canvas: Canvas) -> None:
        for number, line in enumerate(drawn):
            text = canvas.beginText(72, 700 - 24 * number)
            for part in re.split(f"([{''.join(map(re.escape, says))}]+)", line):
                text.setFont(name if part[:1] in says else FONT, 10)
                text.textOut("".join(says.get(c, c) for c in part))
            canvas.drawText(text)

    return make_pdf(draw)


def test_signs_of_calculation_that_a_font_names_by_other_letters_are_read_as_they_are_drawn(tmp_path: Path) -> None:
    drawn = ["The mean k = 9.8 ± 0.4 − 2 of all", "and 3 ≤ k < 10, then k ≥ 12 (p × q ≠ r)"]
    says = {"=": "5", "±": "6", "−": "2", "≤": "#", "<": ",", "≥": "$", "×": "Þ", "≠": "z"}
    document = reading(tmp_path, "a.en.pdf", make_signs(*drawn, says=says))
    assert document.text.splitlines() == drawn
    (warning,) = document.warnings
    assert warning.startswith("Signs whose font says another letter were read by their shape: 5 → = (1)")
    assert "6 → ± (1)" in warning and "$ → ≥ (1)" in warning


def test_a_figure_that_draws_something_else_is_named_and_never_quoted(tmp_path: Path) -> None:
    document = reading(tmp_path, "a.en.pdf", make_signs("The answer is © of them", says={"©": "5"}))
    assert document.text == "The answer is \ufffd of them"
    assert (
        "Pages with letters that are drawn otherwise than their font says (shown as \ufffd): 1 (font"
        in document.warnings[0]
    )


@pytest.mark.parametrize("font", [FONT, BOLD, "Helvetica", "Times-Italic", "Courier-Bold"])
def test_figures_and_signs_of_usual_fonts_are_what_they_say(tmp_path: Path, font: str) -> None:
    line = "0123456789 + - = < > ( ) [ ] { } / * % & $ # ; : ? @ § ± × ÷ ° ¼ Þ æ ~ ^ | j z p a k x"
    document = reading(tmp_path, "a.en.pdf", make_pdf(lambda c: lines(c, 72, 700, [line], 10, font)))
    assert document.text == line and document.warnings == ()


def test_spaces_of_a_tight_line_are_told_by_those_around_them(tmp_path: Path) -> None:
    drawn = "[(this)20( is)20( a)20( part)-75(of)20( them)20( all)20( and)-90(no)20( more)] TJ"
    made = make_shapes(f"-0.15 Tc -1.3 Tw {drawn}", {})
    assert reading(tmp_path, "a.en.pdf", made).text == "this is a part of them all and no more"


# ── what the file draws in another order than it stands ─────────────────────────────────────────────────────────


def test_a_block_that_is_drawn_after_what_stands_below_it_is_read_at_its_place(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        def part(top: float, *table: tuple[str, ...]) -> None:
            for number, row in enumerate(table):
                for column, text in enumerate(row):
                    lines(canvas, 72 + 120 * column, top - 14 * number, [text])

        lines(canvas, 72, 770, ["Mokesčiai už vertinimą"])
        part(650, ("Sidabras", "900 Eur", "3 dienos"), ("Auksas", "1200 Eur", "5 dienos"))
        lines(canvas, 72, 600, ["Mokesčius nustato ministerija."])
        part(720, ("Ženklas", "Mokestis", "Trukmė"), ("Bronza", "600 Eur", "2 dienos"))
        lines(canvas, 72, 670, ["Tik nacionaliniams klasteriams"])

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    places = [
        document.text.index(w) for w in ("Mokesčiai", "Ženklas", "Bronza", "Tik", "Sidabras", "Auksas", "nustato")
    ]
    assert places == sorted(places)


def test_notes_that_are_drawn_first_stand_below_the_text(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 120, ["1 Pastaba apie ministeriją, kuri paskelbė tvarką."])
        lines(canvas, 72, 760, wrapped(PROSE))

    kinds = shown(reading(tmp_path, "a.lt.pdf", make_pdf(draw)))
    assert [text[:10] for _, text in kinds] == ["Bronzos že", "1 Pastaba "]


def test_a_column_beside_another_stays_whole(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 790, ["Antraštė virš abiejų skilčių, parašyta per visą puslapio plotį, kad būtų ilga"])
        lines(canvas, 72, 740, wrapped(PROSE, 38))
        lines(canvas, 72, 80, ["Pastaba po abiem skiltimis, irgi per visą puslapio plotį, kad būtų pakankamai ilga"])
        lines(canvas, 320, 740, wrapped(ENGLISH, 38))

    text = " ".join(reading(tmp_path, "a.lt.pdf", make_pdf(draw)).text.split())
    assert PROSE in text and ENGLISH in text


def test_the_raised_number_before_a_note_is_its_beginning(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, ["Mokestis yra 600 Eur ir grąžinamas tik kartą."])
        for number, told in enumerate(["Be pridėtinės vertės mokesčio.", "Pagal 2024 m. kainoraštį."], start=1):
            lines(canvas, 72, 700 - 14 * number + 4, [str(number)], size=6)
            lines(canvas, 78, 700 - 14 * number, [told])

    assert reading(tmp_path, "a.lt.pdf", make_pdf(draw)).text.split("\n\n")[-2:] == [
        "¹ Be pridėtinės vertės mokesčio.",
        "² Pagal 2024 m. kainoraštį.",
    ]


def test_dashes_of_neighbouring_columns_are_cells(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for number, row in enumerate([("Bronza", "1", "3"), ("Sidabras", "4", "8")]):
            for left, text in zip((72, 188.8, 212.8), row, strict=True):
                lines(canvas, left, 700 - 14 * number, [text])
        lines(canvas, 72, 672, ["Auksas"])
        told = canvas.beginText(187, 672)
        told.setFont(FONT, 10)
        told.textOut("— ")
        told.setTextOrigin(211, 672)
        told.textOut("—")
        canvas.drawText(told)

    assert [text for _, text in rows(reading(tmp_path, "a.lt.pdf", make_pdf(draw)))][-1] == "Auksas | — | —"


def test_a_warning_names_up_to_a_hundred_pages_and_counts_the_rest(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, ["Puslapis su paveikslu."])
        canvas.drawImage(ImageReader(Image.new("L", (30, 40), 200)), 72, 300, 250, 350)

    (warning,) = reading(tmp_path, "a.lt.pdf", make_pdf(*[draw] * 103)).warnings
    assert warning.endswith(", 98, 99, 100 (+ 3).")


# ── tables without lines ────────────────────────────────────────────────────────────────────────────────────────


def drawn_cells(*table: list[list[str]], lefts: tuple[int, ...] = (72, 240, 380), step: float = 30) -> bytes:
    """A table whose cells, each a list of lines, are drawn one after the other with their middles on one level."""

    def draw(canvas: Canvas) -> None:
        for number, row in enumerate(table):
            for left, cell in zip(lefts, row, strict=False):
                lines(canvas, left, 700 - step * number + 6 * (len(cell) - 1), cell)

    return make_pdf(draw)


def test_cells_of_several_lines_whose_middle_is_that_of_their_row_stay_in_it(tmp_path: Path) -> None:
    table = [
        [["Anglies dioksidas"], ["100"], ["5"]],
        [["Fluoras ir jo", "neorganiniai junginiai"], ["5 000"], ["7"]],
        [["Benzenas"], ["1 000"], ["200 (iš viso", "junginių)"]],
        [["Halonai"], ["1"], ["9"]],
    ]
    assert [text for _, text in rows(reading(tmp_path, "a.lt.pdf", drawn_cells(*table)))] == [
        "Anglies dioksidas | 100 | 5",
        "Fluoras ir jo neorganiniai junginiai | 5 000 | 7",
        "Benzenas | 1 000 | 200 (iš viso junginių)",
        "Halonai | 1 | 9",
    ]


def test_cells_that_begin_on_one_line_stay_in_their_row_whatever_their_length(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        told = [["Balų", "skalė"], ["Klausimai, į kuriuos", "atsakoma balais nuo", "vieno iki penkių."]]
        for number, row in enumerate([[["Rūšis"], ["Aprašymas"]], told, [["Taip ar ne"], ["Du atsakymai."]]]):
            for left, cell in zip((72, 240), row, strict=True):
                lines(canvas, left, 700 - 50 * number, cell)

    assert [text for _, text in rows(reading(tmp_path, "a.lt.pdf", make_pdf(draw)))][-2:] == [
        "Balų skalė | Klausimai, į kuriuos atsakoma balais nuo vieno iki penkių.",
        "Taip ar ne | Du atsakymai.",
    ]


def test_a_table_of_two_columns_under_a_long_head_of_the_page_is_read_by_rows(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 30, 810, ["2024-07-15"])
        lines(canvas, 240, 810, ["Klasterių vertinimo tvarka ir mokesčiai, kuriuos tvirtina ministerija"])
        for number, row in enumerate(
            [("U+27C0", "Latin"), ("U+3099", "East Asian"), ("U+D835", "Latin"), ("Kiti", "-")]
        ):
            for left, text in zip((72, 240), row, strict=True):
                lines(canvas, left, 740 - 18 * number, [text])

    assert "U+3099 | East Asian\nU+D835 | Latin" in reading(tmp_path, "a.lt.pdf", make_pdf(draw)).text


def test_cells_without_anything_keep_their_columns(tmp_path: Path) -> None:
    table = [
        [["Bronza"], ["600 Eur"], ["2 dienos"]],
        [["Sidabras"], [""], ["3 dienos"]],
        [["Auksas"], ["1200 Eur"], ["5 dienos"]],
        [["Platina"], ["1500 Eur"], [""]],
    ]
    found = rows(reading(tmp_path, "a.lt.pdf", drawn_cells(*table, step=16)))
    assert [text for _, text in found] == [
        "Bronza | 600 Eur | 2 dienos",
        "Sidabras |  | 3 dienos",
        "Auksas | 1200 Eur | 5 dienos",
        "Platina | 1500 Eur",
    ]


def test_a_row_that_begins_with_an_empty_cell_has_the_names_of_its_own_columns(tmp_path: Path) -> None:
    table = [
        [["Ženklas"], ["Mokestis"], ["Trukmė"]],
        [["Bronza"], ["600 Eur"], ["2 dienos"]],
        [[""], ["700 Eur"], ["3 dienos"]],
        [["Auksas"], ["1200 Eur"], ["5 dienos"]],
    ]
    found = rows(reading(tmp_path, "a.lt.pdf", drawn_cells(*table, step=16)))
    assert found[1] == ("Mokestis | Trukmė", "700 Eur | 3 dienos")
    assert found[2] == ("Ženklas | Mokestis | Trukmė", "Auksas | 1200 Eur | 5 dienos")


def test_names_of_columns_stay_over_theirs_where_the_first_has_none(tmp_path: Path) -> None:
    table = [
        [[""], ["Mokestis"], ["Trukmė"]],
        [["Bronza"], ["600 Eur"], ["2 dienos"]],
        [["Sidabras"], ["900 Eur"], ["3 dienos"]],
    ]
    found = rows(reading(tmp_path, "a.lt.pdf", drawn_cells(*table, step=16)))
    assert found == [
        ("| Mokestis | Trukmė", "Bronza | 600 Eur | 2 dienos"),
        ("| Mokestis | Trukmė", "Sidabras | 900 Eur | 3 dienos"),
    ]


def test_neighbours_with_fewer_cells_are_rows_of_the_same_table(tmp_path: Path) -> None:
    table = [[["Ženklas"], ["Mokestis"], ["Trukmė"], ["Pastaba"]]]
    table += [[["Bronza"], ["600 Eur"], ["2 dienos"], ["nauja"]]]
    table += [[[name], [f"{n}00 Eur"], [f"{n} dienos"], [""]] for n, name in enumerate(("Sidabras", "Auksas"), start=7)]
    table += [[["Platina"], ["1500 Eur"], [""], ["sena"]]]
    made = drawn_cells(*table, lefts=(72, 180, 290, 400), step=16)
    names = "Ženklas | Mokestis | Trukmė | Pastaba"
    assert rows(reading(tmp_path, "a.lt.pdf", made)) == [
        (names, "Bronza | 600 Eur | 2 dienos | nauja"),
        (names, "Sidabras | 700 Eur | 7 dienos"),
        (names, "Auksas | 800 Eur | 8 dienos"),
        (names, "Platina | 1500 Eur |  | sena"),
    ]


def test_letters_of_words_are_never_taken_for_signs(tmp_path: Path) -> None:
    made = make_signs("The word ≤=± is told", says={"≤": "s", "=": "e", "±": "c"})
    assert reading(tmp_path, "a.en.pdf", made).text == "The word sec is told"


@pytest.mark.parametrize("shift", [0, 5])
def test_columns_whose_lines_the_file_holds_in_turn_are_read_one_after_the_other(tmp_path: Path, shift: int) -> None:
    def draw(canvas: Canvas) -> None:
        for number, (one, other) in enumerate(
            zip(wrapped(f"{PROSE} {PROSE}", 36), wrapped(f"{ENGLISH} {ENGLISH}", 36), strict=False)
        ):
            lines(canvas, 72, 740 - 12 * number, [one])
            lines(canvas, 300, 740 - 12 * number - shift, [other])

    found = " ".join(reading(tmp_path, "a.lt.pdf", make_pdf(draw)).text.split())
    assert " ".join(wrapped(PROSE, 36)[:9]) in found and " ".join(wrapped(ENGLISH, 36)[:9]) in found


def test_rows_of_long_cells_stay_rows(tmp_path: Path) -> None:
    told = wrapped(PROSE + " " + ENGLISH, 60)[:12]
    table = [[[f"Atsakymas į klausimą {number}"], [line[:32], line[32:]]] for number, line in enumerate(told)]

    def draw(canvas: Canvas) -> None:
        for number, row in enumerate(table):
            for left, cell in zip((72, 300), row, strict=True):
                lines(canvas, left, 760 - 36 * number, cell)

    found = rows(reading(tmp_path, "a.lt.pdf", make_pdf(draw)))
    assert [text for _, text in found] == [f"{first} | {' '.join(map(str.strip, cell))}" for (first,), cell in table]


def test_fractions_that_are_drawn_small_are_fractions(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(72, 700)
        for said, size, rise in [("Nuo 48", 10, 0), ("1", 6, 4), ("/", 10, 0), ("2", 6, 0), (" iki 70 dalių.", 10, 0)]:
            text.setFont(FONT, size)
            text.setRise(rise)
            text.textOut(said)
        canvas.drawText(text)

    assert reading(tmp_path, "a.lt.pdf", make_pdf(draw)).text == "Nuo 48 1/2 iki 70 dalių."


def test_codes_of_several_letters_that_are_arrows_or_no_letters_are_read(tmp_path: Path) -> None:
    made = make_shapes(
        "(It is o\\016-site, not di\\017cult.) Tj", {"\x0e": 550, "\x0f": 830}, {14: "\u21b5", 15: "\ufffe"}
    )
    document = reading(tmp_path, "a.en.pdf", made)
    assert document.text == "It is off-site, not difficult."
    assert "were read by their width: ff (1), ffi (1)" in document.warnings[0]


# ── the order of a page ─────────────────────────────────────────────────────────────────────────────────────────

FIELDS = ["Vardas", "Pavardė", "Įmonės kodas", "Adresas", "Telefonas", "Banko sąskaita", "Veikla", "Narystės pradžia"]


def test_a_form_whose_parts_the_file_holds_in_a_jumble_is_read_by_its_places(tmp_path: Path) -> None:
    def form(canvas: Canvas) -> None:
        for number in (5, 2, 7, 0, 3, 6, 1, 4):
            canvas.drawString(320, 700 - 14 * number, f"{number + 1} langelis")
        for number in (3, 0, 6, 1, 7, 4, 2, 5):
            canvas.drawString(72, 700 - 14 * number, FIELDS[number])

    document = reading(tmp_path, "a.lt.pdf", make_pdf(form))
    assert texts(document) == [f"{field} | {number} langelis" for number, field in enumerate(FIELDS, start=1)]
    assert document.warnings == ()


def test_a_page_that_no_order_fits_is_named(tmp_path: Path) -> None:
    """Sentences that go on below, in boxes that stand at different heights and whose lines the file mixes."""
    left, right = wrapped(PROSE, 30), wrapped(PROSE[::-1].lower(), 30)

    def jumble(canvas: Canvas) -> None:
        for number, text in enumerate(left):
            canvas.drawString(72, 700 - 12 * number, text)
            if number < len(right):
                canvas.drawString(310 + 7 * number % 40, 706 - 12 * number, right[number])

    document = reading(tmp_path, "a.lt.pdf", make_pdf(lambda c: lines(c, 72, 700, wrapped(PROSE)), jumble))
    assert document.warnings == ("Pages whose text may stand in a wrong order: 2. Compare it with the page.",)


@pytest.mark.parametrize("gap", [20, 60])
def test_pages_in_an_order_of_their_own_are_not_named(tmp_path: Path, gap: int) -> None:
    """Columns one after the other, a table row by row, and items."""

    def page(canvas: Canvas) -> None:
        for column in (0, 1):
            lines(canvas, 60 + column * (220 + gap), 780, wrapped(PROSE, 36) * 2)
        for number in range(8):
            for column, text in enumerate(("Narys", f"{number} eilė", f"{number}00 EUR")):
                canvas.drawString(60 + 150 * column, 420 - 14 * number, text)
        lines(canvas, 60, 260, [f"{number}. {line}" for number, line in enumerate(wrapped(PROSE, 60), start=1)])

    assert reading(tmp_path, "a.lt.pdf", make_pdf(page)).warnings == ()


def test_text_that_is_turned_aside_stands_in_no_line_of_a_jumbled_page(tmp_path: Path) -> None:
    def form(canvas: Canvas) -> None:
        for number in (5, 2, 7, 0, 3, 6, 1, 4):
            canvas.drawString(320, 700 - 14 * number, f"{number + 1} langelis")
        canvas.saveState()
        canvas.translate(50, 600)
        canvas.rotate(90)
        canvas.drawString(0, 0, "Pildo prašytojas")
        canvas.restoreState()
        for number in (3, 0, 6, 1, 7, 4, 2, 5):
            canvas.drawString(72, 700 - 14 * number, FIELDS[number])

    assert texts(reading(tmp_path, "a.lt.pdf", make_pdf(form))) == [
        *(f"{field} | {number} langelis" for number, field in enumerate(FIELDS, start=1)),
        "Pildo prašytojas",
    ]


# ── what the page holds beside its text ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("scale", "said"), [(1, True), (0.1, False)])
def test_a_picture_in_a_drawing_is_named_by_its_size_on_the_page(tmp_path: Path, scale: float, said: bool) -> None:
    def page(canvas: Canvas) -> None:
        canvas.beginForm("outer")
        canvas.beginForm("inner")
        canvas.drawImage(ImageReader(Image.new("L", (60, 80), 200)), 0, 0, 40, 30)
        canvas.endForm()
        canvas.scale(10, 10)
        canvas.doForm("inner")
        canvas.endForm()
        lines(canvas, 72, 700, ["Paveiksle – narių skaičius."])
        canvas.translate(72, 200)
        canvas.scale(scale, scale)
        canvas.doForm("outer")

    warning = "Pages with pictures whose words are not read: 1."
    assert reading(tmp_path, "a.lt.pdf", make_pdf(page)).warnings == ((warning,) if said else ())


def test_a_picture_that_is_cut_into_strips_is_named(tmp_path: Path) -> None:
    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, ["Paveiksle – narių skaičius."])
        for strip in range(30):
            canvas.drawImage(ImageReader(Image.new("L", (60, 2), 100 + strip)), 72, 200 + 10 * strip, 400, 10)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(page))
    assert document.warnings == ("Pages with pictures whose words are not read: 1.",)


def test_a_form_that_only_one_maker_draws_is_named(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(io.BytesIO(make_pdf(lambda c: lines(c, 72, 700, ["Palaukite, kol forma bus parodyta."]))))
    fields = pypdf.generic.StreamObject()
    fields.set_data(b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"/>')
    name, array, whether = pypdf.generic.NameObject, pypdf.generic.ArrayObject, pypdf.generic.BooleanObject
    writer.root_object[name("/AcroForm")] = pypdf.generic.DictionaryObject(
        {name("/Fields"): array(), name("/XFA"): writer._add_object(fields)}
    )
    writer.root_object[name("/NeedsRendering")] = whether(True)
    file = io.BytesIO()
    writer.write(file)
    assert reading(tmp_path, "a.lt.pdf", file.getvalue()).warnings == (
        "It is a form that only Adobe's programs draw (XFA); what they show is not read. Print it as a PDF from there.",
    )


@pytest.mark.parametrize(
    ("drawn", "read"),
    [
        ("P R I C E", "PRICE"), ("K A I N O S :", "KAINOS:"), ("P R I C E   L I S T", "PRICE LIST"),
        ("A B C D E", "A B C D E"), ("M T W T F S S", "M T W T F S S"), ("P A T K P S S", "P A T K P S S"), ("X X X X", "X X X X"),
        ("a e i u o", "a e i u o"),
    ],
)  # fmt: skip
def test_words_whose_capitals_are_set_apart_are_words(tmp_path: Path, drawn: str, read: str) -> None:
    assert reading(tmp_path, "a.lt.pdf", make_shapes(f"({drawn}) Tj", {})).text == read


def test_labels_over_several_rows_that_the_file_holds_apart_are_named(tmp_path: Path) -> None:
    """Each stands half a line lower than the first of its rows, so that no row is its own."""

    def table(canvas: Canvas) -> None:
        for number in range(12):
            canvas.drawString(200, 700 - 14 * number, "LH"[number % 2])
            canvas.drawString(300, 700 - 14 * number, f"{50 + 7 * number}")
        for number in range(6):
            canvas.drawString(72, 693 - 28 * number, f"{320 - 10 * number}, {260 - 10 * number}")

    document = reading(tmp_path, "a.lt.pdf", make_pdf(table))
    assert document.warnings == ("Pages whose text may stand in a wrong order: 1. Compare it with the page.",)


def test_columns_that_the_file_holds_from_the_right_are_named(tmp_path: Path) -> None:
    parts = [wrapped(PROSE, 24), wrapped(PROSE[::-1].lower(), 24), wrapped(ENGLISH, 24)]

    def page(canvas: Canvas) -> None:
        for column in (2, 1, 0):
            lines(canvas, 60 + 170 * column, 700, parts[column])

    document = reading(tmp_path, "a.lt.pdf", make_pdf(page))
    assert document.warnings == ("Pages whose text may stand in a wrong order: 1. Compare it with the page.",)


def test_a_scale_beside_a_chart_that_is_held_from_its_foot_is_no_wrong_order(tmp_path: Path) -> None:
    def chart(canvas: Canvas) -> None:
        lines(canvas, 72, 760, wrapped(PROSE))
        for number in range(12):
            canvas.drawString(72, 400 + 14 * number, f"{number * number * 20}")

    assert reading(tmp_path, "a.lt.pdf", make_pdf(chart)).warnings == ()


# ── what is drawn in an odd way ─────────────────────────────────────────────────────────────────────────────────


def test_signs_that_are_put_together_from_another_and_a_line_are_read_as_drawn(tmp_path: Path) -> None:
    def drawn(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        for top, before, sign, after in (
            (700, "Balas ", ">", " 60 ir"),
            (680, "Amžius ", "<", " 29 m."),
            (660, "Paklaida ", "+", " 2 mm"),
        ):
            canvas.drawString(72, top, before + sign + after)
        width = canvas.stringWidth
        canvas.setLineWidth(0.5)
        left = 72 + width("Balas ")
        canvas.line(left, 698.6, left + width(">"), 698.6)
        canvas.drawString(72 + width("Amžius "), 680, "_")
        left = 72 + width("Paklaida ")
        canvas.line(left, 659, left + width("+"), 659)
        canvas.drawString(72, 640, "Kai x > 5, paraiška atmetama.")
        canvas.line(72, 638.6, 72 + width("Kai x > 5"), 638.6)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(drawn))
    assert [line for line in document.text.split("\n") if line] == [
        "Balas ≥ 60 ir",
        "Amžius ≤ 29 m.",
        "Paklaida ± 2 mm",
        "Kai x > 5, paraiška atmetama.",
    ]
    assert document.warnings == (
        "Signs whose font says another letter were read by their shape: > → ≥ (1), < → ≤ (1), + → ± (1). Compare them with the page.",
    )


def test_what_stands_on_its_head_comes_after_the_page_and_in_its_own_order(tmp_path: Path) -> None:
    key = ["Teisingas yra antras", "variantas iš trijų."]

    def drawn(canvas: Canvas) -> None:
        lines(canvas, 72, 760, ["Koks yra terminas?"])
        canvas.saveState()
        canvas.translate(500, 500)
        canvas.rotate(180)
        lines(canvas, 0, 0, key)
        canvas.restoreState()
        lines(canvas, 72, 300, ["Kur kreiptis?"])

    document = reading(tmp_path, "a.lt.pdf", make_pdf(drawn))
    assert texts(document) == ["Koks yra terminas?", "Kur kreiptis?", "\n".join(key)]


@pytest.mark.parametrize("several", [3, 6])
def test_figures_of_narrow_columns_without_lines_are_cells_of_their_own(tmp_path: Path, several: int) -> None:
    table = [("2019", "5,1", "102,4", "7"), ("2020", "15,6", "98,1", "11"), ("2021", "225,9", "97,0", "9")]
    table += [("2022", "5,2", "1,5", "10"), ("2023", "6,0", "100,0", "8"), ("2024", "1,0", "200,7", "1")]
    table = table[:several]

    def drawn(canvas: Canvas) -> None:
        for number, row in enumerate(table):
            canvas.drawString(72, 680 - 14 * number, row[0])
            for right, cell in zip((150, 187, 208), row[1:], strict=True):
                canvas.drawRightString(right, 680 - 14 * number, cell + " ")

    assert texts(reading(tmp_path, "a.lt.pdf", make_pdf(drawn))) == [" | ".join(row) for row in table]


def type3(glyph: bytes) -> bytes:
    """A PDF with a line of Helvetica and a line of a font of drawings (Type 3), whose letters all have this drawing."""
    content = b"BT /F1 12 Tf 72 700 Td (The plain words of the page stand here.) Tj ET BT /T3 12 Tf 72 650 Td (abba baab) Tj ET"
    font = b"<</Type/Font/Subtype/Type3/FontBBox[0 0 0 0]/FontMatrix[0.001 0 0 0.001 0 0]/FirstChar 97/LastChar 98/Widths[600 600]"
    font += b"/Encoding<</Differences[97/a/b]>>/CharProcs<</a 7 0 R/b 7 0 R>>/Resources<<>>>>"
    return raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R/T3 6 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        font,
        b"<</Length %d>>stream\n%s\nendstream" % (len(glyph), glyph),
    )


def raw_pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, the first of which is its catalog."""
    body = b"%PDF-1.4\n"
    places = []
    for number, written in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, written)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return (
        body
        + head
        + table
        + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(body))
    )


def test_letters_of_a_font_that_draws_nothing_are_named_and_no_text(tmp_path: Path) -> None:
    drawn = reading(tmp_path, "a.en.pdf", type3(b"600 0 0 0 500 700 d1 0 0 500 700 re f"))
    assert texts(drawn) == ["The plain words of the page stand here.", "abba baab"]
    empty = reading(tmp_path, "b.en.pdf", type3(b"600 0 d0"))
    assert texts(empty) == ["The plain words of the page stand here."]
    assert empty.warnings == (
        "Letters that cannot be seen on the page (in its own colour, covered, cut off or in a layer that is off) and are not read: 8. "
        "They are still in the file, which anyone can open.",
    )


def test_blocks_beside_each_other_stay_whole_where_the_file_holds_them_from_the_foot(tmp_path: Path) -> None:
    sender = ["UAB Pavyzdys", "Gedimino pr. 1", "LT-01103 Vilnius", "Lietuva", "www.pavyzdys.lt", "Tel. 8 5 211 1111"]
    blocks = [
        ["Ona Jonaitė", "Laisvės al. 5"],
        ["Sąskaita 99354", "Klientas 6669"],
        ["Diena 19", "Iki 30"],
        ["Suma 7", "PVM 2"],
    ]

    def letter(canvas: Canvas) -> None:
        for number, text in enumerate(sender):
            canvas.drawString(72, 687 - 14 * number, text)
        for number in range(3, -1, -1):
            for line, text in enumerate(blocks[number]):
                canvas.drawString(400, 694 - 34 * number - 14 * line, text)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(letter))
    assert [line for line in document.text.split("\n") if line] == [
        *sender,
        *(line for block in blocks for line in block),
    ]
    assert document.warnings == ()


def attached(name: str, **change: Callable[[pypdf.PdfWriter], None]) -> bytes:
    """A PDF of one line with a file attached, and changes to what lists it."""

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, ["Rinkinio failus reikia atverti atskirai."])

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf(page)))
    writer.add_attachment(name, b"PK\x03\x04")
    for made in change.values():
        made(writer)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_the_files_of_a_portfolio_are_named(tmp_path: Path) -> None:
    def portfolio(writer: pypdf.PdfWriter) -> None:
        view = {NameObject("/Type"): NameObject("/Collection"), NameObject("/View"): NameObject("/T")}
        writer._root_object[NameObject("/Collection")] = DictionaryObject(view)

    document = reading(tmp_path, "a.lt.pdf", attached("pažyma „1“.docx", made=portfolio))
    assert document.warnings == ("Files attached to the PDF are not read: pažyma „1“.docx. Add them as documents.",)


def test_a_file_inside_a_pdf_that_no_list_names_is_counted(tmp_path: Path) -> None:
    def associated(writer: pypdf.PdfWriter) -> None:
        root = writer._root_object
        files = root["/Names"]["/EmbeddedFiles"]["/Names"]  # type: ignore[index]
        root[NameObject("/AF")] = ArrayObject([files[1]])
        del root["/Names"]

    document = reading(tmp_path, "a.lt.pdf", attached("saskaita.xml", made=associated))
    assert document.warnings == ("Files inside the PDF that it does not list as attached are not read: 1.",)


# ── boxes to tick ───────────────────────────────────────────────────────────────────────────────────────────────


def boxed(canvas: Canvas, name: str, left: float, base: float, ticked: bool, style: str = "check") -> None:
    canvas.acroForm.checkbox(name=name, checked=ticked, x=left, y=base - 2, size=11, buttonStyle=style)


@pytest.mark.parametrize("style", ["check", "cross", "circle"])
def test_boxes_to_tick_stand_before_what_they_are_for(tmp_path: Path, style: str) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, wrapped(PROSE))
        canvas.drawString(72, 650, "Ar gavote paramą?")
        for n, (text, ticked) in enumerate([("Taip", False), ("Ne", True)]):
            boxed(canvas, f"a{n}", 200 + 45 * n, 650, ticked, style)
            canvas.drawString(214 + 45 * n, 650, text)
        for n, (text, ticked) in enumerate(
            [("Labai maža įmonė", False), ("Maža įmonė", True), ("Vidutinė įmonė", False)]
        ):
            boxed(canvas, f"b{n}", 72, 600 - 16 * n, ticked, style)
            canvas.drawString(90, 600 - 16 * n, text)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert document.warnings == ()
    assert texts(document)[1:] == [
        "Ar gavote paramą? ☐ Taip ☒ Ne",
        "☐ Labai maža įmonė",
        "☒ Maža įmonė",
        "☐ Vidutinė įmonė",
    ]


def test_boxes_to_tick_stand_behind_the_words_that_are_nearer(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, wrapped(PROSE))
        for n, (text, ticked) in enumerate([("Sutinku", True), ("Nesutinku", False)]):
            canvas.drawRightString(130 + 100 * n, 650, text)
            boxed(canvas, f"a{n}", 134 + 100 * n, 650, ticked)

    assert texts(reading(tmp_path, "a.lt.pdf", make_pdf(draw)))[1:] == ["Sutinku ☒ Nesutinku ☐"]


def test_columns_of_boxes_are_columns_of_a_table(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, wrapped(PROSE))
        canvas.setFont(BOLD, 10)
        for left, text in ((72, "Klausimas"), (240, "Taip"), (300, "Ne")):
            canvas.drawString(left, 650, text)
        canvas.setFont(FONT, 10)
        for n, (text, ticked) in enumerate([("Ar įmonė veikia?", True), ("Ar turi skolų biudžetui?", False)]):
            canvas.drawString(72, 630 - 20 * n, text)
            boxed(canvas, f"a{n}", 240, 630 - 20 * n, ticked)
            boxed(canvas, f"b{n}", 300, 630 - 20 * n, not ticked)

    assert rows(reading(tmp_path, "a.lt.pdf", make_pdf(draw))) == [
        ("Klausimas | Taip | Ne", "Ar įmonė veikia? | ☒ | ☐"), ("Klausimas | Taip | Ne", "Ar turi skolų biudžetui? | ☐ | ☒"),
    ]  # fmt: skip


def test_the_lines_of_a_list_in_a_form_are_named(tmp_path: Path) -> None:
    def draw(canvas: Canvas, list_: bool = True) -> None:
        lines(canvas, 72, 760, wrapped(PROSE))
        canvas.drawString(72, 640, "Sritis:")
        field = canvas.acroForm.listbox if list_ else canvas.acroForm.choice
        field(
            name="s", value="Energija", options=["Energija", "Maistas"], x=120, y=600, width=100, height=50, fontSize=10
        )

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert document.warnings == ("Lists in forms of which all lines are read, not which are picked: 1.",)
    assert reading(tmp_path, "b.lt.pdf", make_pdf(lambda c: draw(c, list_=False))).warnings == ()


# ── lines farther apart ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_with_lines_farther_apart_than_on_most_pages_has_whole_paragraphs(tmp_path: Path) -> None:
    def wide(canvas: Canvas) -> None:
        for number, text in enumerate(wrapped(PROSE)):
            canvas.drawString(72, 700 - 18.5 * number, text)
        for number, text in enumerate(wrapped(PROSE)):
            canvas.drawString(72, 700 - 18.5 * (len(wrapped(PROSE)) + number) - 12, text)

    def plain(canvas: Canvas) -> None:
        for place in range(5):
            lines(canvas, 72, 760 - 120 * place, wrapped(PROSE))

    document = reading(tmp_path, "a.lt.pdf", make_pdf(plain, wide))
    assert texts(document) == ["\n".join(wrapped(PROSE))] * 7


def test_a_text_in_larger_letters_than_a_long_table_below_it_is_a_paragraph(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont(FONT, 12)
        for number, text in enumerate(wrapped(PROSE, 66)):
            canvas.drawString(72, 760 - 23 * number, text)
        for number in range(30):
            canvas.setFont(FONT, 8)
            for place, text in enumerate(
                (f"Savivaldybės įstaiga {'ABCDEFGHIJKLMNOPRSTUVZ'[number % 22]}", str(37 * number * number), "12,5")
            ):
                canvas.drawString(72 + 200 * place, 560 - 14 * number, text)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert shown(document)[0] == ("paragraph", "\n".join(wrapped(PROSE, 66)))


def test_lines_that_say_something_each_stay_apart(tmp_path: Path) -> None:
    told = [
        "Prašymas skirti paramą",
        "Sutarties kopija",
        "Įgaliojimas pasirašyti",
        "Pažyma apie skolas",
        "Veiklos ataskaita",
    ]

    def wide(canvas: Canvas) -> None:
        for number, text in enumerate(told):
            canvas.drawString(72, 700 - 18.5 * number, text)

    def plain(canvas: Canvas) -> None:
        for place in range(5):
            lines(canvas, 72, 760 - 120 * place, wrapped(PROSE))

    assert texts(reading(tmp_path, "a.lt.pdf", make_pdf(plain, wide)))[5:] == told


def test_a_code_without_a_meaning_before_a_line_is_a_bullet(tmp_path: Path) -> None:
    told = ["renginiai nariams", "mokymai ir vizitai", "paramos paieška"]

    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, wrapped(PROSE))
        for number, text in enumerate(told):
            lines(canvas, 72, 600 - 12 * number, ["v "], font="Helvetica")
            lines(canvas, 84, 600 - 12 * number, [text])

    writer = pypdf.PdfWriter(io.BytesIO(make_pdf(draw)))
    fonts = writer.pages[0]["/Resources"]["/Font"]  # type: ignore[index]
    [symbols] = [font for font in map(fonts.__getitem__, fonts) if font["/BaseFont"] == "/Helvetica"]
    stream = StreamObject()
    stream.set_data(b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <76> <0099> endbfchar")
    symbols[NameObject("/ToUnicode")] = writer._add_object(stream)
    file = io.BytesIO()
    writer.write(file)
    document = reading(tmp_path, "a.lt.pdf", file.getvalue())
    assert shown(document)[1:] == [("list_item", text) for text in told]


# ── what stands above a line over the whole page ────────────────────────────────────────────────────────────────


ADDRESS = ["UAB „Alfa sprendimai“", "Laisvės al. 5, Kaunas"]


@pytest.mark.parametrize("held_last", [False, True])
def test_a_title_and_an_address_that_the_file_holds_last_are_read_where_they_stand(
    tmp_path: Path, held_last: bool
) -> None:
    def head(canvas: Canvas) -> None:
        lines(canvas, 330, 720, ADDRESS)
        lines(canvas, 72, 660, ["Sąskaita Nr. 123"], font=BOLD, size=14)

    def draw(canvas: Canvas) -> None:
        if not held_last:
            head(canvas)
        lines(canvas, 72, 620, wrapped(PROSE))
        lines(canvas, 72, 520, wrapped(ENGLISH, 50))
        if held_last:
            head(canvas)
        lines(canvas, 440, 514, ["Suma 123 Eur"])

    read = texts(reading(tmp_path, "a.lt.pdf", make_pdf(draw)))
    assert read[:3] == ["\n".join(ADDRESS), "Sąskaita Nr. 123", "\n".join(wrapped(PROSE))]
    assert read[-1] == "Suma 123 Eur"


def test_a_text_that_reaches_from_above_a_wide_line_to_below_it_stays_whole(tmp_path: Path) -> None:
    note = ["Pastaba: terminas", "yra gegužės 31 d.,", "o suma – 500 eurų", "vienam nariui."]

    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 700, wrapped(PROSE, 60))
        lines(canvas, 72, 560, wrapped(PROSE))
        lines(canvas, 440, 630, note)
        lines(canvas, 440, 575, ["Vilnius"])

    assert "\n".join(note) in reading(tmp_path, "a.lt.pdf", make_pdf(draw)).text


def test_columns_below_a_title_stay_columns(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 72, 760, ["Klasterių naujienos ir kvietimai teikti paraiškas šiais metais"], size=16)
        lines(canvas, 72, 700, wrapped(PROSE, 40))
        lines(canvas, 320, 700, wrapped(ENGLISH, 40))
        lines(
            canvas,
            72,
            500,
            ["Daugiau – agentūros svetainėje ir jos biuleteniuose, kuriuos galima užsisakyti nemokamai el. paštu."],
        )

    assert texts(reading(tmp_path, "a.lt.pdf", make_pdf(draw)))[1:3] == [
        "\n".join(wrapped(PROSE, 40)), "\n".join(wrapped(ENGLISH, 40)),
    ]  # fmt: skip
