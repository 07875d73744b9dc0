"""
What reading promises: the text is what the file says, blocks are where it says it, and trouble has a name.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterqa.documents import check, ignored_files, list_files, markdown, metadata, plain, read
from clusterqa.documents.encoding import EIGHT_BIT, decode
from clusterqa.documents.extract import faults
from clusterqa.errors import CorpusError, UnreadableDocument
from clusterqa.records import Block, Document
from documents_fixtures import BOLD, lines, make_docx, make_pdf, make_zip, picture, reading, shown

PROSE = (
    "Bronzos ženklas galioja dvejus metus nuo jo suteikimo dienos. Paskui klasterio valdymo organizacija "
    "turi iš naujo pereiti palyginamąjį vertinimą, kurį atlieka nešališkas ekspertas. Įmonės, kurių ženklas baigė "
    "galioti, gali kreiptis dar kartą; už vertinimą mokama pagal tuo metu galiojantį kainoraštį."
)


def refusal(folder: Path, name: str, content: bytes) -> UnreadableDocument:
    """Write a file and return the error that reading it raises."""
    (folder / name).write_bytes(content)
    with pytest.raises(UnreadableDocument) as caught:
        read(folder / name, name)
    assert caught.value.document == name
    assert str(caught.value) == f"{name}: {caught.value.reason} {caught.value.next_step}"
    return caught.value


# --- Markdown ------------------------------------------------------------------------------------------

MARKDOWN = """---
title: Ženklai
language: lt
---
# Ženklai ir *kainos* ##

Pirmoji pastraipa,
antra jos eilutė.

> Klasteris – tai
> įmonių grupė.

- pirmas punktas
  tęsiasi
  1. gilesnis punktas

  antra pastraipa
- [ ] trečias

| Ženklas | Kaina, EUR |
|---------|-----------:|
| bronzos | 600 |
  aukso | a \\| b |

Antraštė su brūkšniu
--------------------

```text
kodas  čia

toliau
```

<!-- pastaba redaktoriui -->
<div>Paprastas HTML</div>

[nuoroda]: https://example.org

\tįtraukta
* * *
Pabaiga.
"""

MARKDOWN_BLOCKS = [
    ("heading", "Ženklai ir *kainos*"),
    ("paragraph", "Pirmoji pastraipa,\nantra jos eilutė."),
    ("paragraph", "Klasteris – tai\n> įmonių grupė."),
    ("list_item", "pirmas punktas\n  tęsiasi"),
    ("list_item", "gilesnis punktas"),
    ("paragraph", "antra pastraipa"),
    ("list_item", "[ ] trečias"),
    ("table_row", "bronzos | 600"),
    ("table_row", "aukso | a \\| b"),
    ("heading", "Antraštė su brūkšniu"),
    ("paragraph", "kodas  čia\n\ntoliau"),
    ("paragraph", "<div>Paprastas HTML</div>"),
    ("paragraph", "įtraukta"),
    ("paragraph", "Pabaiga."),
]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_markdown_blocks_are_cut_from_the_file_as_it_is(tmp_path, newline, form):
    """
    Whatever the line ends and the form of the letters, the text is the file and blocks leave out the marks.
    """
    source = unicodedata.normalize(form, MARKDOWN).replace("\n", newline)
    document = reading(tmp_path, "ženklai.md", source)
    assert document.text == source
    expected = [(kind, unicodedata.normalize(form, text).replace("\n", newline)) for kind, text in MARKDOWN_BLOCKS]
    assert shown(document) == expected


def test_markdown_blocks_know_their_level_and_their_table_header(tmp_path):
    """Headings count from 1, list items from 0; a table row carries the header's words without marks."""
    document = reading(tmp_path, "x.md", MARKDOWN.replace("Kaina, EUR", "**Kaina**, EUR"))
    levels = [(b.kind, b.level) for b in document.blocks if b.kind in ("heading", "list_item")]
    assert levels == [("heading", 1), ("list_item", 0), ("list_item", 1), ("list_item", 0), ("heading", 2)]
    assert {b.header for b in document.blocks if b.kind == "table_row"} == {"Ženklas | Kaina, EUR"}
    assert {b.header for b in document.blocks if b.kind != "table_row"} == {""}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# a # b #\n", [("heading", "a # b")]),
        ("## #\n", []),
        ("#\n\ntekstas", [("paragraph", "tekstas")]),
        ("> > - # gilu\n", [("heading", "gilu")]),
        ("- a\n\n      kodas\n", [("list_item", "a"), ("paragraph", "kodas")]),
        ("-\ta\tb\n", [("list_item", "a\tb")]),
        ("10) a\n11) b\n", [("list_item", "a"), ("list_item", "b")]),
        ("> | a | b |\n> |---|---|\n> | 1 | > 2 |\n", [("table_row", "1 | > 2")]),
        ("|a|b|\n|-|-|\n||c|\n|||\n", [("table_row", "|c")]),
        ("tekstas <!-- slapta -->\n", [("paragraph", "tekstas")]),
        ("<!-- slapta\n\n tebeslapta", []),
        ("<script>\nalert('ne')\n</script>\n", []),
        ("a<br>\nb", [("paragraph", "a<br>\nb")]),
        ("kietas  \nlūžis\\\ntoliau", [("paragraph", "kietas  \nlūžis\\\ntoliau")]),
        ("~~~\n~~~\n", []),
        ("Terminas\n: apibrėžimas\n", [("paragraph", "Terminas\n: apibrėžimas")]),
    ],
)
def test_markdown_leaves_out_marks_and_what_is_not_text(source, expected):
    """Marks, comments, scripts, empty headings, cells and code blocks are never quoted."""
    assert shown(markdown.extract(source)) == expected


_PIECES = st.sampled_from(
    ["# ", "## ", " #", "- ", "1. ", "> ", "| a | b |\n|---|---|\n", "| 1 | 2 |\n", "|", "\\|", "```", "~~~",
     "\n", "\n\n", "\r\n", "\r", "\t", "    ", "<!--", "-->", "<div>", "</div>", "[a]: b\n", "===", "---\n",
     "title: x\n", "žodis", "e\u0307", "\0", "\x1c", "\x0b", "\f", "\u2028", "\x85", "\u00a0", ".", "—", "&amp;", "`", "**"]
)  # fmt: skip


@given(st.lists(st.one_of(_PIECES, st.text(max_size=6)), max_size=40).map("".join))
def test_any_text_is_kept_and_its_blocks_keep_their_promises(text):
    """
    Whatever the text, it is stored unchanged; blocks are in order, apart, inside it, and not blank at an end.
    """
    for module in (markdown, plain):
        extract = module.extract(text)
        assert extract.text == text
        assert faults(Document("x", extract.text, "x", "lt", extract.blocks, "text/plain")) == []


def test_the_check_notices_every_kind_of_fault():
    """
    The check that these tests rely on does find blocks that overlap, are blank, reach outside or cross a
    page.
    """

    def faulty(*blocks: Block) -> list[str]:
        return faults(Document("x", "abc def ", "x", "lt", blocks, "text/plain"))

    assert faulty(Block("paragraph", 0, 3), Block("paragraph", 4, 7)) == []
    assert "starts before the end" in faulty(Block("paragraph", 0, 3), Block("paragraph", 2, 7))[0]
    assert "white space" in faulty(Block("paragraph", 4, 8))[0]
    assert "outside" in faulty(Block("paragraph", 4, 9))[0]
    assert "empty" in faulty(Block("paragraph", 4, 4))[0]
    assert "level 0" in faulty(Block("heading", 0, 3))[0]
    with pytest.raises(ValueError, match="x: block 0"):
        check(Document("x", "a", "x", "lt", (Block("paragraph", 0, 2),), "text/plain"))


# --- plain text ----------------------------------------------------------------------------------------


def test_a_text_without_hand_made_line_breaks_has_one_paragraph_a_line(tmp_path):
    """
    Long lines are paragraphs of their own, as in text copied from a web page; the first short line is the
    title.
    """
    source = f"Ženklai klasteriams\n\n{PROSE}\n{PROSE}\n"
    document = reading(tmp_path, "naujiena.lt.txt", source)
    assert document.text == source
    assert shown(document) == [("heading", "Ženklai klasteriams"), ("paragraph", PROSE), ("paragraph", PROSE)]
    assert (document.title, document.language, document.media_type) == (
        "Ženklai klasteriams",
        "lt",
        "text/plain",
    )


def test_a_text_broken_by_hand_is_put_into_paragraphs_and_items():
    """
    Lines of one width belong together; a dash in the middle of a sentence starts no item, one after a stop
    does.
    """
    source = (
        "APIE KLASTERIUS\n===============\n\nKlasteris yra įmonių grupė, kuri dirba drauge,\n"
        "– taip sakoma įstatyme ir\nkituose aktuose.\nNauja pastraipa prasideda po trumpos eilutės ir\nvėl tęsiasi.\n\n"
        "Reikia:\n- ženklo;\n  - ir sutarties\n    su ESCA;\n2) eksperto.\n\n-----\n\nPabaiga."
    )
    extract = plain.extract(source)
    assert shown(extract) == [
        ("heading", "APIE KLASTERIUS"),
        (
            "paragraph",
            "Klasteris yra įmonių grupė, kuri dirba drauge,\n– taip sakoma įstatyme ir\nkituose aktuose.",
        ),
        ("paragraph", "Nauja pastraipa prasideda po trumpos eilutės ir\nvėl tęsiasi."),
        ("paragraph", "Reikia:"),
        ("list_item", "ženklo;"),
        ("list_item", "ir sutarties\n    su ESCA;"),
        ("paragraph", "2) eksperto."),
        ("paragraph", "Pabaiga."),
    ]
    assert [b.level for b in extract.blocks if b.kind == "list_item"] == [0, 1]


# --- encodings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"),
     ("utf-32-le", b"\xff\xfe\0\0"), ("cp1257", b""), ("iso8859_13", b""), ("cp775", b"")],
)  # fmt: skip
def test_lithuanian_is_read_in_the_encodings_it_comes_in(tmp_path, encoding, mark):
    """Nothing has to be declared; the text comes out letter by letter, without the byte order mark."""
    source = f"Ženklas\r\n\r\n{PROSE} Taip sako „ESCA“.".replace("„", "„" if encoding != "cp775" else '"')
    source = source.replace("“", "“" if encoding != "cp775" else '"')
    document = reading(tmp_path, "a.lt.txt", mark + source.encode(encoding))
    assert document.text == source
    guessed = encoding in EIGHT_BIT
    assert len(document.warnings) == guessed
    assert not guessed or document.warnings[0].startswith("Read as ")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("source", [f"Ženklas\r\n\r\n{PROSE}", "Ženklas", "a"])
def test_utf_16_is_read_without_its_mark(tmp_path, source, encoding):
    document = reading(tmp_path, "a.lt.txt", source.encode(encoding))
    assert document.text == source
    assert document.warnings == ("Read as UTF-16. Save it as UTF-8 to be sure that every letter is right.",)


@pytest.mark.parametrize(
    ("source", "encoding"),
    [
        ("The café of the Müller company is part of it – “à la carte”.", "cp1252"),
        ("The letter was signed by Šarūnas Petkevičius from Klaipėda.", "cp1257"),
        ("According to Rūta, the label is theirs and that is it.", "cp1257"),
        ("Žodis", "cp1257"),
    ],
)
def test_few_foreign_letters_are_enough_to_tell_the_encoding(source, encoding):
    """English with loan words stays windows-1252; Lithuanian names in it are seen."""
    assert decode(source.encode(encoding), "x")[0] == source


@pytest.mark.parametrize("wrong", ["cp1252", "latin_1", "cp1250", "cp1251"])
def test_windows_1257_saved_through_another_encoding_is_refused(tmp_path, wrong):
    """
    „þenklas“ in place of „ženklas“: refused with what it is and what to do, as no quote of it would be right.
    """
    error = refusal(tmp_path, "a.md", PROSE.encode("cp1257").decode(wrong).encode())
    assert "windows-1257 read as windows-125" in error.reason
    assert "as UTF-8 from the original" in error.next_step


def test_utf8_read_byte_by_byte_is_refused(tmp_path):
    """„Å¾enklas“ in place of „ženklas“ is refused with an example of it."""
    error = refusal(tmp_path, "a.txt", PROSE.encode().decode("latin_1").encode())
    assert "UTF-8 read as another encoding, such as “Å¾enklas" in error.reason


@pytest.mark.parametrize(
    "source",
    [
        PROSE,
        "Le café déjà vu où naïve être français, voilà la crème brûlée à côté.",
        "Jørgen Ørsted wrote from København about smørrebrød på dansk.",
        "Það er gott að vera hér, sagði Þórður við Óðin í Reykjavík.",
        "Przedsiębiorstwa z Łodzi i Krakowa są członkami klastra, który działa.",
        "Привет, мир: это русский текст со словом cluster.",
        "Müller fährt über die Straße; größere Bäume.",
    ],
)
def test_other_languages_are_not_taken_for_damaged_lithuanian(source):
    """Letters such as þ, ø, è are what other languages are written with."""
    assert decode(source.encode(), "x") == (source, [])


def test_a_few_damaged_words_are_a_warning(tmp_path):
    """
    One name turned into other letters does not bar a whole English document; the warning shows the word.
    """
    source = (
        "The clusters were rated by experts of the secretariat. " * 20 + "\n\nLietuvos klasteriø þenklai ir ðvietimas."
    )
    document = reading(tmp_path, "a.en.md", source)
    assert document.text == source
    assert "klasteriø" in document.warnings[0]


def test_replacement_and_control_characters_are_kept_and_warned_of(tmp_path):
    """The text stays what the file says; the warning counts them and names the first line."""
    source = "Pirma eilutė.\nAntra \x07 eilutė su \ufffd\ufffd ženklais.\n"
    document = reading(tmp_path, "a.lt.txt", source)
    assert document.text == source
    assert document.warnings[0] == "Control characters: 1, the first (U+0007) in line 2."
    assert document.warnings[1].startswith("Damaged characters (�): 2, the first in line 2.")


def test_utf8_with_a_broken_byte_is_still_utf8(tmp_path):
    """One lost byte costs one letter, not the encoding of the rest, and is warned of."""
    raw = PROSE.encode()
    cut = raw.index("ž".encode()) + 1
    document = reading(tmp_path, "a.lt.txt", raw[:cut] + raw[cut + 1 :])
    assert document.text == PROSE.replace("ž", "\ufffd", 1)
    assert document.warnings[0].startswith("Damaged characters (�): 1, the first in line 1.")


# --- metadata ------------------------------------------------------------------------------------------


def test_front_matter_says_what_is_known_about_a_document(tmp_path):
    """Every field is read, in the forms people write it; no block covers the front matter."""
    document = reading(
        tmp_path,
        "a.md",
        "---\ntitle: 'Bronzos: ženklas'\nlanguage: lt-LT\nurl: https://example.org/a?b=c,d\ndate: 2024-3-5\n"
        "publisher: MITA\ntags: ženklai, bronza\nsources: [https://a.lt/x, https://b.lt/y]\n"
        "translation_of: ./poaplankis/a.en.md\nedited_by: kažkas\n...\nTekstas.\n",
    )
    assert shown(document) == [("paragraph", "Tekstas.")]
    assert document.title == "Bronzos: ženklas"
    assert (document.language, document.date, document.publisher) == ("lt", "2024-03-05", "MITA")
    assert document.url == "https://example.org/a?b=c,d"
    assert document.tags == ("ženklai", "bronza")
    assert document.sources == ("https://a.lt/x", "https://b.lt/y")
    assert document.translation_of == "poaplankis/a.en.md"
    assert document.warnings == ()


@pytest.mark.parametrize(
    ("value", "language"),
    [("lt", "lt"), ("lit", "lt"), ("LT", "lt"), ("en-GB", "en"), ("eng", "en"), ("de", None)],
)
def test_languages_are_understood_by_code(value, language):
    """Two-letter, three-letter and regional codes; anything else is no language of ours."""
    assert metadata.language_of(value) == language


def test_how_long_a_document_holds_is_read_like_its_date(tmp_path):
    """In front matter and in a sidecar; what is no date is told."""
    front = reading(tmp_path, "a.md", "---\nvalid_until: 2026 m. kovo 5 d.\nreview_by: 2025-12\n---\nText.\n")
    assert (front.valid_until, front.review_by, front.warnings) == ("2026-03-05", "2025-12", ())
    (tmp_path / "b.txt.yaml").write_text("valid_until: kada nors\nreview_by: 2025\n")
    beside = reading(tmp_path, "b.txt", "Text.")
    assert (beside.valid_until, beside.review_by) == (None, "2025")
    assert "field “valid_until”: “kada nors” is not a date" in beside.warnings[0]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("language", "lietuvškai", "front matter, line 3, field “language”: “lietuvškai” is not lt or en"),
        ("language", "no", "front matter, line 3, field “language”: “no” is not lt or en"),
        ("date", "05/03/2024", "front matter, line 3, field “date”: “05/03/2024” is not a date"),
        ("date", "2024-13-45", "front matter, line 3, field “date”: “2024-13-45” is not a date"),
        (
            "url",
            "javascript:alert(1)",
            "front matter, line 3, field “url”: “javascript:alert(1)” is not an address",
        ),
        ("tags", "{a: b}", "front matter, line 3, field “tags”: must be a list"),
        ("publisher", "[a, b]", "front matter, line 3, field “publisher”: must be one value"),
        ("langauge", "lt", "front matter, line 3, field “langauge”: unknown; did you mean “language”?"),
        ("title", "'nebaigta", "The front matter cannot be read, line "),
        (
            "date",
            "2024-03-05: a: b",
            "The front matter cannot be read, line 3: mapping values are not allowed",
        ),
        ("title", "!!python/object/apply:os.getcwd []", "must be one value"),
        ("tags", "*nera", "The front matter cannot be read, line 3: found undefined alias"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r"])
def test_wrong_front_matter_is_a_warning_that_names_the_place(tmp_path, field, value, told, newline):
    """
    The document is read all the same, by what its name and its text say, and no block covers the front
    matter.
    """
    source = f"---\n# pastaba\n{field}: {value}\n---\n# Antraštė\n\nTekstas.\n".replace("\n", newline)
    document = reading(tmp_path, "a.lt.md", source)
    assert shown(document) == [("heading", "Antraštė"), ("paragraph", "Tekstas.")]
    assert (document.title, document.language, document.date, document.url) == ("Antraštė", "lt", None, None)
    assert len(document.warnings) == 1
    assert told in document.warnings[0]


@pytest.mark.parametrize(
    "source",
    ["---\n\nTekstas.\n", "---\nTekstas.\n---\nDar.\n", "---\nPastaba: a: b\n\nDar\n---\n", "--- title: x\n"],
)
def test_a_thematic_break_is_not_front_matter(source):
    """Text between two breaks is text."""
    assert metadata.front_matter(source) == (metadata.Metadata(), 0, [])


@pytest.mark.parametrize(
    ("text", "date"),
    [("2024-03-05", "2024-03-05"), ("2024-03-05T10:00:00+02:00", "2024-03-05"), ("2024-03", "2024-03"),
     ("2024", "2024"), ("2023-02-29", None), ("kovo 5 d.", None)],
)  # fmt: skip
def test_dates_are_iso_dates(text, date):
    """Cut to the day; a year, or a year and month, stay what they are."""
    assert metadata.iso_date(text) == date


@pytest.mark.parametrize(
    ("name", "title", "language"),
    [("klasterio_ženklas-2024.lt.md", "Klasterio ženklas 2024", "lt"), ("a/b/report.en.txt", "Report", "en")],
)
def test_without_metadata_the_name_says_title_and_language(tmp_path, name, title, language):
    """The file name is made readable; .lt. and .en. before the suffix state the language."""
    (tmp_path / "x").write_text("tekstas be antraštės.", encoding="utf-8")
    path = tmp_path / Path(name).name
    (tmp_path / "x").rename(path)
    document = read(path, name)
    assert (document.title, document.language) == (title, language)


def test_without_any_hint_the_text_says_the_language(tmp_path):
    """Neither front matter nor file name: the words decide, in both languages."""
    assert reading(tmp_path, "a.txt", PROSE).language == "lt"
    assert reading(tmp_path, "b.txt", "The label is valid for two years from the day of award.").language == "en"


def test_metadata_win_over_the_name_and_the_conflict_is_told(tmp_path):
    """A file called .en. that says it is Lithuanian is Lithuanian, with a warning."""
    document = reading(tmp_path, "a.en.md", "---\nlanguage: lt\n---\nTekstas.\n")
    assert document.language == "lt"
    assert "Its name says “en”" in document.warnings[0]


def test_a_sidecar_wins_over_what_the_file_says(tmp_path):
    """report.pdf.yaml beside report.pdf; what it leaves out comes from the file."""
    (tmp_path / "a.pdf.yaml").write_text("---\ntitle: Ataskaita\nlanguage: lt\ndate: 2020-01-02\n", encoding="utf-8")
    document = reading(tmp_path, "a.pdf", make_pdf(lambda c: lines(c, 72, 700, ["Tekstas apie ženklus."])))
    assert (document.title, document.language, document.date) == ("Ataskaita", "lt", "2020-01-02")
    assert document.warnings == ()


def test_a_broken_sidecar_is_a_warning(tmp_path):
    """The document itself is whole."""
    (tmp_path / "a.lt.md.yaml").write_text("title: a\nurl: [", encoding="utf-8")
    document = reading(tmp_path, "a.lt.md", "Tekstas.")
    assert document.warnings[0].startswith("The a.lt.md.yaml cannot be read, line 2")


# --- folders -------------------------------------------------------------------------------------------


def test_a_folder_lists_what_can_be_read_by_id(tmp_path):
    """
    Sorted ids with forward slashes; hidden, temporary and sidecar files are left out, other suffixes named.
    """
    corpus = tmp_path / "corpus"
    for name in ["b.md", "a/ž.TXT", "a/ž.TXT.yaml", "a.pdf", ".git/x.md", ".hidden.md", "~$a.docx", "b.md~",
                 ".b.md.swp", "c.docx.tmp", "notes.yaml", "photo.png", "README", "a/.b/c.md"]:  # fmt: skip
        path = corpus / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    assert list_files(corpus) == [(name, corpus / name) for name in ["a.pdf", "a/ž.TXT", "b.md"]]
    assert [name for name, _ in ignored_files(corpus)] == ["README", "notes.yaml", "photo.png"]


def test_ids_are_in_nfc_and_of_two_alike_one_is_read(tmp_path):
    """
    A file named in NFD (as macOS does) gets the NFC id and keeps its path; a clash is named, not read twice.
    """
    nfd = unicodedata.normalize("NFD", "ženklas.md")
    (tmp_path / nfd).write_text("x", encoding="utf-8")
    assert list_files(tmp_path) == [("ženklas.md", tmp_path / nfd)]
    (tmp_path / "ženklas.md").write_text("y", encoding="utf-8")
    assert list_files(tmp_path) == [("ženklas.md", tmp_path / "ženklas.md")]
    assert ignored_files(tmp_path) == [("ženklas.md", tmp_path / nfd)]


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    """
    Neither a file nor a folder outside is reached, nor a link to nowhere; a link inside is a file like
    others.
    """
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.md").write_text("slapta", encoding="utf-8")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.md").write_text("a", encoding="utf-8")
    (corpus / "inside.md").symlink_to(corpus / "a.md")
    (corpus / "outside.md").symlink_to(tmp_path / "secret" / "s.md")
    (corpus / "folder").symlink_to(tmp_path / "secret")
    (corpus / "nowhere.md").symlink_to(tmp_path / "nothing.md")
    (corpus / "circle.md").symlink_to(corpus / "circle.md")
    assert [name for name, _ in list_files(corpus)] == ["a.md", "inside.md"]
    assert ignored_files(corpus) == []


def test_a_name_that_is_not_unicode_is_named_not_read(tmp_path):
    """Such a file cannot have an id; it is shown with its bytes."""
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xfeenklas.md")).write_text("x", encoding="utf-8")
    except OSError:
        pytest.skip("this file system takes only Unicode names")
    assert list_files(tmp_path) == []
    assert [name for name, _ in ignored_files(tmp_path)] == ["\\xfeenklas.md"]


def test_a_missing_folder_says_what_to_do(tmp_path):
    """The message names the folder and the flag."""
    with pytest.raises(CorpusError, match=re.escape(str(tmp_path / "nėra")) + ".*--corpus"):
        list_files(tmp_path / "nėra")


# --- what cannot be read -------------------------------------------------------------------------------

PDF = make_pdf(lambda c: lines(c, 72, 700, ["Tekstas."]))
DOCX = make_docx(lambda d: d.add_paragraph("Tekstas."))
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("name", "content", "reason", "step"),
    [
        ("a.txt", PDF, "It is a PDF document, although its name ends in .txt", "Rename it to end in .pdf"),
        ("a.pdf", DOCX, "It is a Word document (DOCX), although", "Rename it to end in .docx"),
        ("a.docx", PDF, "It is a PDF document, although", "Rename it to end in .pdf"),
        ("a.txt", b"\xef\xbb\xbf <!DOCTYPE html><html></html>", "It is an HTML page", "end in .html"),
        ("a.doc", DOCX, "Files ending in “.doc” are not read", "Rename it to end in .docx"),
        ("a.pdf", b"Tekstas.", "It is not a PDF document", "end in .txt"),
        ("a.docx", b"Tekstas.", "It is not a Word document", "end in .txt"),
        ("a.docx", DOCX[: len(DOCX) // 2], "container (zip) is broken", "Copy it from its source again"),
        ("a.pdf", PDF[:200], "The PDF is broken", "Copy it from its source again"),
        ("a.docx", make_zip({"x.txt": b"x"}), "It is a zip archive", "Unpack it"),
        ("a.docx", make_zip({"word/document.xml": b"<x"}), "no whole Word document", "save it as DOCX again"),
        ("a.docx", make_zip({"xl/workbook.xml": b"<x/>"}), "It is a spreadsheet (XLSX), although", "end in .xlsx"),
        ("a.docx", make_zip({"mimetype": b"application/vnd.oasis.opendocument.text"}), "OpenDocument text", "end in .odt"),
        ("a.docx", make_zip({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "is no text", "as XLSX"),
        ("a.docx", OLE + "WordDocument".encode("utf-16-le"), "an old Word document", "save it as DOCX"),
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "with a password", "without a password"),
        ("a.txt", rb"{\rtf1\ansi Tekstas}", "It is an RTF document, although", "end in .rtf"),
        ("a.txt", b"\x89PNG\r\n\x1a\n", "It is a picture (PNG)", "Recognise its text"),
        ("a.md", b"", "The file is empty", "remove it"),
        ("a.md", b"\xef\xbb\xbf \r\n", "no text", "remove it"),
        ("a.md", b"---\ntitle: x\n---\n", "There is no text in it", "remove it"),
        ("a.txt", b"abc\0def", "NUL bytes", "UTF-8"),
        ("a.txt", bytes(200), "nothing but NUL bytes", "Copy it from its source again"),
        ("a.txt", b"\x01\x02\x03abc\x04\x05", "control characters throughout", "UTF-8"),
        ("a.txt", "Ženklas\0 ".encode("utf-16-le"), "UTF-16 without a byte order mark", "UTF-8"),
        ("a.txt", b"\xff\xfeA\0B\0\x00\xd8", "starts as UTF-16 but breaks off", "UTF-8"),
        ("a.txt", "Привет, мир. Это кластер.".encode("cp1251"), "encoding that is not recognised", "UTF-8"),
        ("a.html", b"<html><body><nav><a href='/'>a</a></nav>", "No main text", "copy the text"),
        ("a.docx", make_docx(lambda d: None), "There is no text in it", "ocrmypdf -l lit+eng"),
        ("a.pdf", make_pdf(picture), "pictures of pages", "ocrmypdf -l lit+eng"),
        ("a.pdf", make_pdf(lambda c: None), "There is no text in it", "ocrmypdf -l lit+eng"),
        ("a.pdf", make_pdf(lambda c: lines(c, 72, 700, ["Tekstas."]), encrypt="slapta"), "with a password",
         "without a password"),
        ("a.pdf", make_pdf(lambda c: lines(c, 72, 700, ["Klasteriø þenklas iðduodamas", "ðiø metø kovà"])),
         "windows-1257 read as windows-1252", "--force-ocr"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_the_reason_and_the_next_step(tmp_path, name, content, reason, step):
    """By content first, by suffix second; nothing but UnreadableDocument comes out."""
    error = refusal(tmp_path, name, content)
    assert reason in error.reason
    assert step in error.next_step


def test_a_file_that_is_not_there_and_a_folder_are_named(tmp_path):
    """A file may vanish between listing and reading."""
    with pytest.raises(UnreadableDocument, match="not there"):
        read(tmp_path / "a.md", "a.md")
    (tmp_path / "b.md").mkdir()
    with pytest.raises(UnreadableDocument, match="It is a folder"):
        read(tmp_path / "b.md", "b.md")


def test_a_zip_bomb_is_refused_before_it_is_unzipped(tmp_path):
    """By the sizes in the archive's directory: 300 MB of zeros in some 300 kB."""
    bomb = make_zip({"word/document.xml": bytes(300_000_000)})
    assert "would unzip to 300 MB" in refusal(tmp_path, "a.docx", bomb).reason
    flat = make_zip({"word/document.xml": bytes(5_000_000)})
    assert "times its size" in refusal(tmp_path, "b.docx", flat).reason


def test_a_file_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    """Text larger than the limit is not parsed."""
    monkeypatch.setattr("clusterqa.documents.formats.MAX_TEXT_BYTES", 1_000_000)
    assert "larger than 1 MB" in refusal(tmp_path, "a.txt", b"a" * 1_000_001).reason


@given(
    st.binary(max_size=300),
    st.sampled_from(["md", "txt", "pdf", "docx", "html"]),
    st.sampled_from(
        [
            b"",
            b"%PDF-1.7\n",
            b"PK\x03\x04",
            DOCX[:2000],
            PDF[:700],
            b"<html><body><p>",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
        ]
    ),
)
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, suffix, start):
    """Whatever the bytes, there is a sound document or an UnreadableDocument, never another error."""
    path = tmp_path_factory.getbasetemp() / f"any.lt.{suffix}"
    path.write_bytes(start + content)
    try:
        check(read(path, path.name))
    except UnreadableDocument as error:
        assert error.reason
        assert error.next_step
        assert "broke down" not in error.reason  # a fault of ours, which `read` would hide


# --- PDF -----------------------------------------------------------------------------------------------


def test_pdf_paragraphs_follow_the_lines_and_hyphens_stay(tmp_path):
    """Lines of a paragraph stay lines, a word broken at a line end stays broken; large lines are headings."""

    def page(canvas):
        lines(canvas, 72, 770, ["Bronzos ženklas – „Bronze Label“"], size=18)
        lines(canvas, 72, 740, ["Klasterio valdymo organizacija gauna ženklą, jei atitinka są-",
                                "lygas ir jei ekspertas ją gerai įvertina. Eilutė čia yra ilga ir", "baigiasi.",
                                "", "Kita pastraipa apie klasterius.", "", "• Pirmas punktas",
                                "• Antras punktas, kuris", "  tęsiasi", "", "1. Numeruotas punktas"])  # fmt: skip
        lines(canvas, 72, 560, ["Paryškinta antraštė"], font=BOLD)
        lines(canvas, 72, 548, ["Tekstas po antrašte."])

    document = reading(tmp_path, "a.lt.pdf", make_pdf(page))
    assert shown(document) == [
        ("heading", "Bronzos ženklas – „Bronze Label“"),
        (
            "paragraph",
            "Klasterio valdymo organizacija gauna ženklą, jei atitinka są-\n"
            "lygas ir jei ekspertas ją gerai įvertina. Eilutė čia yra ilga ir\nbaigiasi.",
        ),
        ("paragraph", "Kita pastraipa apie klasterius."),
        ("list_item", "Pirmas punktas"),
        ("list_item", "Antras punktas, kuris\ntęsiasi"),
        ("paragraph", "1. Numeruotas punktas"),
        ("heading", "Paryškinta antraštė"),
        ("paragraph", "Tekstas po antrašte."),
    ]
    assert [b.level for b in document.blocks if b.kind == "heading"] == [1, 2]
    assert document.title == "Bronzos ženklas – „Bronze Label“"
    assert document.media_type == "application/pdf"


LEFT = [f"kairiojo stulpelio eilutė numeris {n}" for n in range(6)]
RIGHT = [f"dešiniojo stulpelio eilutė numeris {n}" for n in range(6)]


def _columns_one_by_one(canvas):
    lines(canvas, 60, 700, LEFT)
    lines(canvas, 320, 700, RIGHT)


def _columns_line_by_line(canvas):
    for number, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        canvas.drawString(60, 700 - 12 * number, left)
        canvas.drawString(320, 700 - 12 * number, right)


@pytest.mark.parametrize("draw", [_columns_one_by_one, _columns_line_by_line])
def test_two_columns_are_read_one_after_the_other(tmp_path, draw):
    """
    Whether the file holds them column by column or line by line, no line of the right one is amid the left
    one.
    """
    document = reading(tmp_path, "a.lt.pdf", make_pdf(draw))
    assert document.text.split() == " ".join([*LEFT, *RIGHT]).split()


def test_letters_in_nfd_stay_in_nfd(tmp_path):
    """Quotes show what the file holds; search makes letters alike elsewhere."""
    word = unicodedata.normalize("NFD", "klasteriai, mėlyni")
    document = reading(tmp_path, "a.lt.pdf", make_pdf(lambda c: lines(c, 72, 700, [word])))
    assert document.text == word


def test_pdf_tables_give_rows_with_their_header(tmp_path):
    """Stretches that line up are cells; the first row, without figures, is the header and no row."""

    def by_rows(canvas):
        lines(canvas, 72, 760, ["Kainos surašytos lentelėje, kurią kasmet tvirtina sekretoriatas."])
        rows = [
            ("Ženklas", "Kaina", "Trukmė"),
            ("Bronzos", "600 EUR", "2 metai"),
            ("Sidabro", "1 200 EUR", "3 metai"),
        ]
        for number, row in enumerate(rows):
            for left, cell in zip((72, 200, 330), row, strict=True):
                canvas.drawString(left, 720 - 14 * number, cell)

    document = reading(tmp_path, "a.lt.pdf", make_pdf(by_rows))
    assert shown(document)[1:] == [
        ("table_row", "Bronzos | 600 EUR | 2 metai"),
        ("table_row", "Sidabro | 1 200 EUR | 3 metai"),
    ]
    assert {b.header for b in document.blocks[1:]} == {"Ženklas | Kaina | Trukmė"}


def test_pages_have_labels_and_running_lines_are_not_quoted(tmp_path):
    """The text keeps headers and page numbers, no block covers them; a page break is never inside a block."""

    def page(number):
        def draw(canvas):
            canvas.drawString(72, 810, "Lietuvos klasterių apžvalga 2024")
            lines(canvas, 72, 700, [f"Puslapio turinys {'abcd'[number]} prasideda čia ir", "tęsiasi."])
            canvas.drawString(290, 30, str(number + 1))

        return draw

    raw = make_pdf(*(page(n) for n in range(4)))
    document = reading(tmp_path, "a.lt.pdf", raw)
    assert shown(document) == [
        ("paragraph", f"Puslapio turinys {letter} prasideda čia ir\ntęsiasi.") for letter in "abcd"
    ]
    assert document.text.count("Lietuvos klasterių apžvalga 2024") == 4
    assert [(p.number, p.label) for p in document.pages] == [(1, "1"), (2, "2"), (3, "3"), (4, "4")]
    third = document.pages[2]
    assert document.text[third.start : third.end].startswith("Lietuvos klasterių apžvalga 2024\n\nPuslapio turinys c")
    assert document.text[document.pages[0].end : document.pages[1].start] == "\n\f\n"


def test_printed_page_labels_are_kept(tmp_path):
    """
    Roman numbers for the preface, letters for an annex; a page of pictures is kept, empty, and warned of.
    """

    def preface(canvas):
        canvas.addPageLabel(0, style="ROMAN_LOWER", start=4)
        canvas.addPageLabel(1, prefix="A-", start=1, style="ARABIC")
        lines(canvas, 72, 700, ["Pratarmė apie ženklus."])

    document = reading(
        tmp_path,
        "a.lt.pdf",
        make_pdf(preface, lambda c: lines(c, 72, 700, ["Priedas apie kainas."]), picture),
    )
    assert [(p.number, p.label) for p in document.pages] == [(1, "iv"), (2, "A-1"), (3, "A-2")]
    assert document.pages[2].start == document.pages[2].end
    assert document.warnings[0].startswith("Pages without text, perhaps pictures of pages: A-2.")


@pytest.mark.parametrize(
    ("given_title", "title"),
    [("Klasterių apžvalga", "Klasterių apžvalga"), ("Microsoft Word - apzvalga.doc", "Didelė antraštė"),
     ("untitled", "Didelė antraštė"), ("ataskaita_v3.indd", "Didelė antraštė")],
)  # fmt: skip
def test_a_pdf_title_is_taken_when_it_is_one(tmp_path, given_title, title):
    """What programs fill in by themselves is no title; then the largest line of the first page is."""

    def page(canvas):
        canvas.setTitle(given_title)
        lines(canvas, 72, 760, ["Didelė antraštė"], size=20)
        lines(canvas, 72, 700, ["Tekstas po ja, kuris yra ilgesnis už pačią antraštę."])

    document = reading(tmp_path, "a.lt.pdf", make_pdf(page))
    assert document.title == title
    assert document.date is None  # when the file was made says nothing about the document


def test_a_page_turned_on_its_side_is_read_like_any_other(tmp_path):
    """Landscape pages are often portrait ones whose lines stand on end."""

    def upright(canvas):
        lines(
            canvas,
            72,
            500,
            ["Pirma pastraipa apie ženklus yra tokia ir", "tęsiasi čia.", "", "Antra pastraipa."],
        )

    def turned(canvas):
        canvas.setPageRotation(90)
        canvas.rotate(90)
        canvas.translate(0, -595)
        upright(canvas)

    expected = [
        ("paragraph", "Pirma pastraipa apie ženklus yra tokia ir\ntęsiasi čia."),
        ("paragraph", "Antra pastraipa."),
    ]
    assert shown(reading(tmp_path, "a.lt.pdf", make_pdf(upright))) == expected
    assert shown(reading(tmp_path, "b.lt.pdf", make_pdf(turned))) == expected


def test_a_watermark_is_not_quoted(tmp_path):
    """Slanted letters stay in the text, and are neither heading nor title."""

    def page(canvas):
        canvas.saveState()
        canvas.rotate(45)
        lines(canvas, 400, 100, ["PROJEKTAS"], size=60)
        canvas.restoreState()
        lines(canvas, 72, 700, ["Tekstas apie ženklus."])

    document = reading(tmp_path, "a.lt.pdf", make_pdf(page))
    assert shown(document) == [("paragraph", "Tekstas apie ženklus.")]
    assert "PROJEKTAS" in document.text
    assert document.title == "A"


# --- DOCX ----------------------------------------------------------------------------------------------


def test_docx_is_read_in_body_order_with_its_structure(tmp_path):
    """
    Headings, items with depth, rows with header; merged cells stand in each row and column, line breaks stay, a
    number stands before its item.
    """

    def fill(d):
        d.core_properties.title = "Ženklų tvarka"
        d.core_properties.language = "lt-LT"
        d.add_heading("Ženklų tvarka", 0)
        d.add_heading("Sąlygos", 1)
        d.add_paragraph("Pirma eilutė\nantra eilutė\x85.")
        d.add_paragraph("sutartis", style="List Bullet")
        d.add_paragraph("su ESCA", style="List Bullet 2")
        d.add_paragraph("mokestis", style="List Number")
        table = d.add_table(3, 3)
        for row, cells in enumerate([("Ženklas", "Kaina", "Trukmė"), ("Bronzos", "600", ""), ("", "700", "2 m.")]):
            for column, text in enumerate(cells):
                table.cell(row, column).text = text
        table.cell(1, 0).merge(table.cell(2, 0))
        table.cell(1, 1).merge(table.cell(1, 2))
        d.add_paragraph("Po lentelės.")

    document = reading(tmp_path, "a.docx", make_docx(fill))
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        ("heading", 1, "Ženklų tvarka"),
        ("heading", 1, "Sąlygos"),
        ("paragraph", 0, "Pirma eilutė\nantra eilutė ."),
        ("list_item", 0, "sutartis"),
        ("list_item", 1, "su ESCA"),
        ("list_item", 0, "mokestis"),
        ("table_row", 0, "Bronzos | 600 | 600"),
        ("table_row", 0, "Bronzos | 700 | 2 m."),
        ("paragraph", 0, "Po lentelės."),
    ]
    assert {b.header for b in document.blocks if b.kind == "table_row"} == {"Ženklas | Kaina | Trukmė"}
    assert "\n\nsutartis\nsu ESCA\n1. mokestis\n\nŽenklas | Kaina | Trukmė\nBronzos" in document.text
    assert (document.title, document.language) == ("Ženklų tvarka", "lt")


def test_docx_headings_are_known_by_lithuanian_style_names_and_outline_levels(tmp_path):
    """„Antraštė 2“ as the Lithuanian Word calls it, a style based on it, and a bare outline level."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    def fill(d):
        own = d.styles.add_style("Antraštė 2", WD_STYLE_TYPE.PARAGRAPH)
        based = d.styles.add_style("Skyrelis", WD_STYLE_TYPE.PARAGRAPH)
        based.base_style = own
        d.add_paragraph("Pagal pavadinimą", style="Antraštė 2")
        d.add_paragraph("Pagal pagrindą", style="Skyrelis")
        level = OxmlElement("w:outlineLvl")
        level.set(qn("w:val"), "2")
        d.add_paragraph("Pagal lygį")._p.get_or_add_pPr().append(level)
        d.add_paragraph("Tekstas.")

    document = reading(tmp_path, "a.lt.docx", make_docx(fill))
    assert [(b.kind, b.level) for b in document.blocks] == [
        ("heading", 2),
        ("heading", 2),
        ("heading", 3),
        ("paragraph", 0),
    ]
    assert document.title == "Pagal pavadinimą"


def test_docx_reads_what_python_docx_leaves_out(tmp_path):
    """Content controls, links, tracked insertions are text; deletions, hidden text, field codes are not."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    def fill(d):
        d.element.body.insert(
            0,
            parse_xml(
                f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>Valdiklyje</w:t></w:r></w:p>"
                "</w:sdtContent></w:sdt>"
            ),
        )
        d.element.body.insert(
            1,
            parse_xml(
                f"<w:p {nsdecls('w')}><w:hyperlink><w:r><w:t>Nuoroda</w:t></w:r></w:hyperlink>"
                "<w:ins w:id='1' w:author='a'><w:r><w:t xml:space='preserve'> įterpta</w:t></w:r></w:ins>"
                "<w:del w:id='2' w:author='a'><w:r><w:delText>ištrinta</w:delText></w:r></w:del>"
                "<w:r><w:rPr><w:vanish/></w:rPr><w:t>paslėpta</w:t></w:r><w:r><w:instrText>PAGE</w:instrText></w:r>"
                "<w:r><w:noBreakHyphen/><w:t>ir</w:t><w:tab/><w:t>dar.</w:t></w:r></w:p>"
            ),
        )

    document = reading(tmp_path, "a.lt.docx", make_docx(fill))
    assert shown(document) == [("paragraph", "Valdiklyje"), ("paragraph", "Nuoroda įterpta\u2011ir\tdar.")]


# --- HTML ----------------------------------------------------------------------------------------------

HTML = """<!doctype html>
<html lang="lt-LT"><head><meta charset="utf-8"><title>Bronzos ženklas | MITA</title>
<link rel="canonical" href="https://example.org/lt/bronza"><meta property="og:site_name" content="MITA">
<meta property="article:published_time" content="2024-03-05T10:00:00+02:00">
<script>var x = "slapta";</script><style>.slapta {}</style></head>
<body><nav><ul><li><a href="/">Pradžia</a></li><li><a href="/k">Kontaktai</a></li></ul></nav>
<main><article><h1>Bronzos ženklas</h1>
<p>Ženklas galioja dvejus metus nuo suteikimo dienos, o paskui jį
   reikia <b>atnaujinti</b> iš naujo.</p><script>slapta()</script><!-- slapta -->
<h2>Sąlygos</h2><p>Reikia įvykdyti <a href="#">šias sąlygas</a>:</p>
<ul><li>klasteris turi juridinį asmenį;<ul><li>VšĮ arba asociacija</li></ul></li>
<li>klasteris dirba metus.</li></ul>
<table><thead><tr><th>Ženklas</th><th>Kaina</th></tr></thead>
<tbody><tr><td>Bronzos</td><td>600 EUR</td></tr>
<tr><td>Sidabro</td><td>1200&nbsp;EUR</td></tr></tbody></table>
<p>Pirma eilutė<br>antra eilutė apie klasterių valdymo meistriškumą.</p>
</article></main><footer><p>© 2024 MITA. Visos teisės saugomos.</p></footer></body></html>"""

HTML_BLOCKS = [
    ("heading", "Bronzos ženklas"),
    (
        "paragraph",
        "Ženklas galioja dvejus metus nuo suteikimo dienos, o paskui jį reikia atnaujinti iš naujo.",
    ),
    ("heading", "Sąlygos"),
    ("paragraph", "Reikia įvykdyti šias sąlygas:"),
    ("list_item", "klasteris turi juridinį asmenį;"),
    ("list_item", "VšĮ arba asociacija"),
    ("list_item", "klasteris dirba metus."),
    ("table_row", "Bronzos | 600 EUR"),
    ("table_row", "Sidabro | 1200 EUR"),
    ("paragraph", "Pirma eilutė\nantra eilutė apie klasterių valdymo meistriškumą."),
]


def test_html_gives_its_main_text_with_structure_and_what_it_says_about_itself(tmp_path):
    """No menu, footer, script, style or comment; headings, items and rows as in the page."""
    document = reading(tmp_path, "a.html", HTML)
    assert shown(document) == HTML_BLOCKS
    assert [b.level for b in document.blocks if b.kind in ("heading", "list_item")] == [1, 2, 0, 1, 0]
    assert {b.header for b in document.blocks if b.kind == "table_row"} == {"Ženklas | Kaina"}
    assert "slapta" not in document.text
    assert document.title == "Bronzos ženklas"
    assert (document.language, document.date, document.publisher) == ("lt", "2024-03-05", "MITA")
    assert document.url == "https://example.org/lt/bronza"


@pytest.mark.parametrize(
    ("declared", "encoding", "warned"),
    [("windows-1257", "cp1257", 0), ("iso-8859-13", "iso8859_13", 0), ("iso-8859-1", "cp1257", 1),
     ("utf-8", "cp1257", 1), ("windows-1257", "utf-8", 0), ("utf-8", "utf-16", 0)],
)  # fmt: skip
def test_html_charset_is_respected_unless_it_cannot_be_right(tmp_path, declared, encoding, warned):
    """A declaration is believed; UTF-8 bytes, a byte order mark and Lithuanian words come before it."""
    source = HTML.replace('charset="utf-8"', f'charset="{declared}"')
    document = reading(tmp_path, "a.htm", source.encode(encoding))
    assert shown(document) == HTML_BLOCKS
    assert len(document.warnings) == warned


def test_front_matter_that_would_take_long_to_read_is_left_out_or_read_in_one_go():
    from clusterqa.documents.metadata import DEEPEST_YAML, MOST_YAML, front_matter

    deep = front_matter(f"---\ntitle: a\nx: {'[' * (DEEPEST_YAML + 1)}\n---\ntext")
    assert deep[0].title is None and "too deeply" in deep[2][0]
    long = front_matter(f"---\ntitle: a\nx: {'b ' * MOST_YAML}\n---\ntext")
    assert long[0].title is None and "longer than" in long[2][0]
    toml = "+++\n" + "".join(f"k{n} = 1\n" for n in range(20_000)) + 'title = "A"\ndate = "never"\n+++\ntext'
    metadata, _, warnings = front_matter(toml)
    assert metadata.title == "A"
    assert len(warnings) == 1 and "line 20003, field “date”" in warnings[0]


def test_a_number_too_large_for_a_letter_does_not_break_the_rtf_reader_down(tmp_path):
    path = tmp_path / "a.rtf"
    path.write_bytes(rb"{\rtf1\ansi \u99999999999? text\par}")
    with pytest.raises(UnreadableDocument, match="no whole RTF document"):
        read(path, "a.rtf")
