"""What is promised of the PDF, DOCX and HTML files of the corpus: made from our texts, always alike, read cleanly."""

from __future__ import annotations

import importlib.util
import re
import sys
import zipfile
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from reportlab.pdfgen.canvas import Canvas

from clusterqa.documents import check, read
from clusterqa.passages import split
from clusterqa.records import Document
from documents_fixtures import BOLD, FONT, make_pdf

ROOT = Path(__file__).parent.parent
TEXTS = ROOT / "corpus-files"


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_files", ROOT / "tools" / "make_files.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_files"] = module
    spec.loader.exec_module(module)
    return module


make_files = _tool()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_files.make(TEXTS, folder)
    return folder


@pytest.fixture(scope="module")
def handbook() -> Document:
    return read(ROOT / "corpus" / "coordinator-handbook.lt.pdf", "coordinator-handbook.lt.pdf")


def plain(text: str) -> str:
    """Without what a format may change: kinds of space, line breaks."""
    return " ".join(text.split())


def test_there_are_as_many_files_as_promised() -> None:
    kinds = Counter(path.suffix for path in (ROOT / "corpus").iterdir())
    assert kinds[".pdf"] >= 4 and kinds[".docx"] >= 3 and kinds[".html"] >= 3


def test_the_corpus_holds_what_the_texts_make(made: Path) -> None:
    """Compared by what is read, as the bytes of a PDF depend on the version of the library that draws it."""
    names = sorted(path.name for path in made.iterdir())
    assert len(names) == 2 * len(list(TEXTS.glob("*.md")))
    for name in names:
        if name.endswith((".yaml", ".html")):
            assert (ROOT / "corpus" / name).read_bytes() == (made / name).read_bytes(), f"{name}: run make corpus-files"
        else:
            one, other = read(ROOT / "corpus" / name, name), read(made / name, name)
            assert one == other, f"{name}: run make corpus-files"


def test_making_them_again_changes_no_byte(made: Path) -> None:
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    for path in made.iterdir():
        path.write_bytes(b"")
    assert make_files.make(TEXTS, made) == [
        name for text in sorted(TEXTS.glob("*.md")) for name in _names(before, text.stem)
    ]
    assert {path.name: path.read_bytes() for path in made.iterdir()} == before
    assert make_files.make(TEXTS, made) == []


def _names(before: dict[str, bytes], stem: str) -> list[str]:
    return sorted(name for name in before if name.startswith(f"{stem}."))


def test_no_clock_is_in_a_word_document(made: Path) -> None:
    with zipfile.ZipFile(made / "joint-fair-stand.lt.docx") as archive:
        assert {member.date_time for member in archive.infolist()} == {(2026, 11, 20, 0, 0, 0)}


@pytest.mark.parametrize("source", sorted(TEXTS.glob("*.md")), ids=lambda path: path.stem)
def test_every_line_of_a_text_is_read_back_as_what_it_was(source: Path) -> None:
    """Headings, paragraphs, list items and table rows, in their order, from each of the three formats."""
    text = make_files.read_text(source)
    document = read(ROOT / "corpus" / text.file, text.file)
    check(document)
    kinds = {"heading": "heading", "bullets": "list_item", "numbers": "list_item"}
    shown = [(block.kind, plain(document.text[block.start : block.end])) for block in document.blocks]
    wanted = []
    for part in text.parts:
        if part.kind == "table":
            wanted += [("table_row", plain(" | ".join(row))) for row in part.rows[1:]]
        elif part.kind in kinds:
            wanted += [(kinds[part.kind], plain(line)) for line in part.lines]
    assert [item for item in shown if item in wanted] == wanted
    # A paragraph may be read as several (a PDF has no marks for them), so their words are compared.
    words = plain(" ".join(said for kind, said in shown if kind == "paragraph"))
    for part in text.parts:
        if part.kind == "paragraph":
            assert plain(part.lines[0]) in words


@pytest.mark.parametrize("source", sorted(TEXTS.glob("*.md")), ids=lambda path: path.stem)
def test_table_rows_know_their_header(source: Path) -> None:
    text = make_files.read_text(source)
    document = read(ROOT / "corpus" / text.file, text.file)
    headers = [plain(" | ".join(part.rows[0])) for part in text.parts if part.kind == "table" for _ in part.rows[1:]]
    assert [plain(block.header) for block in document.blocks if block.kind == "table_row"] == headers


def test_metadata_come_with_the_file() -> None:
    document = read(ROOT / "corpus" / "silver-audit-day.en.pdf", "silver-audit-day.en.pdf")
    assert (document.title, document.language, document.date) == (
        "The day of the Silver audit, hour by hour", "en", "2026-11-20",
    )  # fmt: skip
    assert document.translation_of == "silver-audit-day.lt.pdf"
    assert all(source.startswith("http") for source in document.sources) and document.sources
    assert document.warnings == ()


def test_a_pdf_alone_states_its_title_and_language(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes((ROOT / "corpus" / "silver-audit-day.lt.pdf").read_bytes())
    document = read(tmp_path / "a.pdf", "a.pdf")
    assert (document.title, document.language) == ("Sidabro audito diena valanda po valandos", "lt")
    assert document.date is None  # when the file was made says nothing about the document


def test_the_handbook_is_a_booklet_of_eight_pages_with_right_page_numbers(handbook: Document) -> None:
    assert [page.number for page in handbook.pages] == list(range(1, 9))
    page = {p.number: handbook.text[p.start : p.end] for p in handbook.pages}
    contents = dict(re.findall(r"^(.+?)\s\.{5,}\s(\d+)$", page[2], re.MULTILINE))
    assert len(contents) == 12
    for heading, number in contents.items():
        assert plain(heading) in plain(page[int(number)]), heading


def test_the_columns_of_the_handbook_are_read_one_after_the_other(handbook: Document) -> None:
    """Page 3 from the foot of its left column to the head of its right one."""
    left = handbook.text.index("lieka\nbendri reikalai.") if "lieka\nbendri reikalai." in handbook.text else -1
    left = max(left, handbook.text.find("bendri reikalai."))
    right = handbook.text.index("Kas ką sprendžia")
    assert 0 < left < right
    assert plain(handbook.text[left:right]).endswith("bendri reikalai.")


def test_running_lines_and_the_list_of_contents_are_never_quoted(handbook: Document) -> None:
    quoted = "\n".join(passage.text for passage in split(handbook))
    assert "....." not in quoted
    assert "2026-11-20" not in quoted
    assert quoted.count("Klasterio koordinatoriaus\nžinynas") <= 1  # the title page; as a running head it is on six


def test_nothing_around_the_text_of_a_web_page_is_read() -> None:
    for name in ("activity-log.lt.html", "disputes-and-leaving.en.html"):
        text = read(ROOT / "corpus" / name, name).text
        for word in (
            "Slapukai",
            "slapuk",
            "cookies",
            "Prenumeruokite",
            "Subscribe",
            "Privat",
            "Privacy",
            "Dokumentai\n",
        ):
            assert word not in text, (name, word)


def test_markdown_that_a_format_cannot_carry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.lt.md").write_text("---\nformat: html\nlanguage: lt\n---\nŽr. [čia](b.md).\n", encoding="utf-8")
    with pytest.raises(ValueError, match="only plain text may stand in"):
        make_files.make(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("plain_text", "set_text"),
    [
        ("kainuoja 24 000 Eur", "kainuoja 24\u00a0000\u00a0Eur"),
        ("2026 m. lapkričio 3 d.", "2026\u00a0m. lapkričio 3\u00a0d."),
        ("Klasteris – tai", "Klasteris\u00a0– tai"),
        ("costs EUR 1,200", "costs EUR\u00a01,200"),
        ("nuo 10 iki 49", "nuo 10 iki 49"),
    ],
)
def test_non_breaking_spaces_stand_where_a_line_must_not_break(plain_text: str, set_text: str) -> None:
    assert make_files.typeset(plain_text) == set_text


# ── what reading had to learn for these files ───────────────────────────────────────────────────────────────────────


def cells(
    canvas: Canvas, top: float, *columns: tuple[float, tuple[str, ...]], font: str = FONT, size: float = 8
) -> None:
    """Draw a row of a table cell by cell, each cell with its lines from top to bottom."""
    canvas.setFont(font, size)
    for left, lines in columns:
        for number, line in enumerate(lines):
            canvas.drawString(left, top - number * 1.15 * size, line)


def rows_of(tmp_path: Path, pdf: bytes) -> list[tuple[str, str]]:
    (tmp_path / "t.pdf").write_bytes(pdf)
    document = read(tmp_path / "t.pdf", "t.pdf")
    check(document)
    return [(document.text[b.start : b.end], b.header) for b in document.blocks if b.kind == "table_row"]


def test_cells_of_several_lines_are_one_row(tmp_path: Path) -> None:
    def page(canvas: Canvas) -> None:
        cells(canvas, 700, (60, ("Rizika",)), (160, ("Pirmasis", "ženklas")), font=BOLD)
        cells(canvas, 670, (60, ("Vieno žmogaus", "klasteris")), (160, ("niekas nepavaduoja",)))
        cells(canvas, 640, (60, ("Uždara grupė",)), (160, ("trejus metus nėra", "naujų narių")))
        cells(canvas, 610, (60, ("Pavargę", "nariai")), (160, ("ateina", "pavaduotojai", "ar niekas")))

    header = "Rizika | Pirmasis ženklas"
    assert rows_of(tmp_path, make_pdf(page)) == [
        ("Vieno žmogaus klasteris | niekas nepavaduoja", header),
        ("Uždara grupė | trejus metus nėra naujų narių", header),
        ("Pavargę nariai | ateina pavaduotojai ar niekas", header),
    ]


def test_a_full_cell_next_to_another_is_two_cells(tmp_path: Path) -> None:
    """The gap is as narrow as a space of a justified line; where the other rows begin decides."""

    def page(canvas: Canvas) -> None:
        width = canvas.stringWidth("koordinatorius", FONT, 8)
        for number, (who, what) in enumerate([("valdyba", "ne"), ("koordinatorius", "taip"), ("narys", "ne")]):
            cells(canvas, 700 - 20 * number, (60, ("Planas",)), (160, (who,)), (160 + width + 6, (what,)))

    assert [row for row, _ in rows_of(tmp_path, make_pdf(page))] == [
        "Planas | valdyba | ne", "Planas | koordinatorius | taip", "Planas | narys | ne",
    ]  # fmt: skip


def test_a_header_that_comes_back_in_the_next_column_is_no_row(tmp_path: Path) -> None:
    def page(canvas: Canvas) -> None:
        for left, months in ((60, ("Sausis", "Vasaris")), (320, ("Kovas", "Balandis"))):
            cells(canvas, 700, (left, ("Mėnuo",)), (left + 100, ("Darbas",)), font=BOLD)
            for number, month in enumerate(months, start=1):
                cells(canvas, 700 - 20 * number, (left, (month,)), (left + 100, ("susirinkimas",)))

    assert rows_of(tmp_path, make_pdf(page)) == [
        (f"{month} | susirinkimas", "Mėnuo | Darbas") for month in ("Sausis", "Vasaris", "Kovas", "Balandis")
    ]


def test_short_columns_of_text_are_no_table(tmp_path: Path) -> None:
    left = ("Klasteris yra įmonių grupė,", "kuri dirba kartu ir", "siekia bendro tikslo.")
    right = ("Jį valdo koordinatorius,", "kuris kviečia narius ir", "rašo protokolus.")

    def page(canvas: Canvas) -> None:
        cells(canvas, 700, (60, left), (320, right), size=10)

    (tmp_path / "t.pdf").write_bytes(make_pdf(page))
    document = read(tmp_path / "t.pdf", "t.pdf")
    assert {block.kind for block in document.blocks} == {"paragraph"}
    assert plain(document.text) == plain(" ".join((*left, *right)))


def test_a_justified_line_keeps_its_words_together(tmp_path: Path) -> None:
    def page(canvas: Canvas) -> None:
        for number in range(6):
            text = canvas.beginText(60, 700 - 14 * number)
            text.setFont(FONT, 10)
            text.setWordSpace(5 + number % 3)
            text.textOut("Klasterio koordinatorius kviečia narius į susirinkimą kas mėnesį")
            canvas.drawText(text)

    (tmp_path / "t.pdf").write_bytes(make_pdf(page))
    document = read(tmp_path / "t.pdf", "t.pdf")
    line = "Klasterio koordinatorius kviečia narius į susirinkimą kas mėnesį"
    assert document.text.splitlines() == [line] * 6
    assert not any(block.kind == "table_row" for block in document.blocks)
