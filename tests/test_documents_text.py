"""What is promised of plain text, Markdown, encodings and dates, beside what test_documents.py says."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterqa.documents import markdown, plain
from clusterqa.documents.encoding import decode
from clusterqa.documents.metadata import iso_date
from clusterqa.documents.shown import as_shown
from clusterqa.text.sentences import sentences
from documents_fixtures import reading, rows, shown

# ── items ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("line", ["M. Gagné vadovauja klasteriui.", "v. 2 galioja nuo sausio.", "0. Auflage von 2020.",
                                  "1. Numeruotas punktas be kitų."])  # fmt: skip
def test_an_initial_or_a_number_alone_stays_with_its_line(line: str) -> None:
    assert shown(plain.extract(f"Pirma pastraipa.\n\n{line}\n\nPabaiga.\n"))[1] == ("paragraph", line)


@pytest.mark.parametrize(
    "lines", [["1. a", "2. b"], ["a) a", "b) b"], ["1.1. a", "1.2. b", "2.1. c"], ["4. d", "5. e", "6. f"]]
)
def test_numbers_in_a_sequence_are_marks(lines: list[str]) -> None:
    found = shown(plain.extract("Sąlygos:\n" + "\n".join(lines) + "\n\nPabaiga.\n"))
    assert found[1:-1] == [("list_item", line.split()[1]) for line in lines]


def test_the_only_item_of_a_numbered_list_keeps_its_number() -> None:
    assert shown(markdown.extract("2. Auflage von 2020.\n\nTekstas.\n")) == [
        ("paragraph", "2. Auflage von 2020."),
        ("paragraph", "Tekstas."),
    ]
    assert shown(markdown.extract("1. a\n2. b\n")) == [("list_item", "a"), ("list_item", "b")]


# ── Markdown that would take the time of its square ─────────────────────────────────────────────────────────────


def test_a_table_of_many_rows_is_read_row_by_row() -> None:
    """Each row used to copy all that follow it."""
    source = "| Narys | Balsai |\n|---|---|\n" + "".join(f"| UAB {n} | {n} |\n" for n in range(20_000))
    found = rows(markdown.extract(source))
    assert len(found) == 20_000
    assert found[-1] == ("Narys | Balsai", "UAB 19999 | 19999")


@pytest.mark.parametrize("start", ["", "# ", "| "])
def test_a_line_of_brackets_is_text(start: str) -> None:
    found = shown(markdown.extract(f"{start}{'[' * 100_000}\n"))
    assert [text.strip("| ") for _, text in found] == ["[" * 100_000]


# ── encodings ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["“Yes” – it’s fine, said the cluster’s manager.", "It’s", "The members’ fees – 5 €…"])
def test_typographic_quotes_alone_are_enough(text: str) -> None:
    assert decode(text.encode("cp1252"), "x")[0] == text


def test_one_nul_does_not_refuse_a_file(tmp_path: Path) -> None:
    raw = ("Pirma eilutė apie ženklus.\n" * 20).encode() + b"Antra\0eilut\xc4\x97.\n"
    document = reading(tmp_path, "a.lt.txt", raw)
    assert document.text.endswith("Antra\ufffdeilutė.\n")
    assert document.warnings[0].startswith("NUL bytes, shown as �: 1, the first in line 21.")
    assert len(document.warnings) == 1


# ── front matter in TOML ────────────────────────────────────────────────────────────────────────────────────────


def test_no_nul_of_the_metadata_is_kept(tmp_path: Path) -> None:
    found = reading(
        tmp_path, "a.en.md", '---\ntitle: "Gold\\0label"\ntags: ["a\\0b", "\\0"]\ndate: "\\0"\n---\nText.\n'
    )
    assert (found.title, found.tags, found.date) == ("Gold label", ("a b",), None)
    assert not any("\0" in warning for warning in found.warnings)


def test_front_matter_in_toml_says_what_is_known(tmp_path: Path) -> None:
    document = reading(
        tmp_path,
        "a.md",
        '+++\ntitle = "Ženklai: kainos"\ndate = 2024-03-05T10:00:00Z\nlanguage = "lt"\ndraft = false\n[taxonomies]\n'
        'tags = ["ženklai", "bronza"]\n+++\n# Antraštė\n\nTekstas.\n',
    )
    assert (document.title, document.date, document.language) == ("Ženklai: kainos", "2024-03-05", "lt")
    assert document.tags == ("ženklai", "bronza")
    assert shown(document) == [("heading", "Antraštė"), ("paragraph", "Tekstas.")]
    assert document.warnings == ()


@pytest.mark.parametrize(
    ("toml", "told"),
    [('title = "a', "The front matter cannot be read: "), ('\nlanguage = "vokiečių"', "front matter, line 3, field “language”: “vokiečių”")],
)  # fmt: skip
def test_wrong_toml_is_a_warning(tmp_path: Path, toml: str, told: str) -> None:
    document = reading(tmp_path, "a.lt.md", f"+++\n{toml}\n+++\nTekstas.\n")
    assert shown(document) == [("paragraph", "Tekstas.")]
    assert told in document.warnings[0]


# ── dates ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2021 m. gegužės 5 d.", "2021-05-05"),
        ("2021\u00a0m. gegužės\u00a05\u00a0d.", "2021-05-05"),
        ("2021 m. rugpjūčio 15 d", "2021-08-15"),
        ("2021 gegužės 5", "2021-05-05"),
        ("2021 m. gegužės mėn.", "2021-05"),
        ("2021 m. gegužė", "2021-05"),
        ("2021 m.", "2021"),
        ("2021.05.05", "2021-05-05"),
        ("2021/5/5", "2021-05-05"),
        ("5 May 2021", "2021-05-05"),
        ("5th of May, 2021", "2021-05-05"),
        ("May 5, 2021", "2021-05-05"),
        ("December 2021", "2021-12"),
        ("05/03/2024", None),
        ("2021 m. gegužės 32 d.", None),
        ("gegužės 5 d.", None),
        ("2021 m. biudžetas", None),
        ("1234 m.", None),
    ],
)
def test_dates_are_understood_as_people_write_them(text: str, date: str | None) -> None:
    assert iso_date(text) == date


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Paraiškos teikiamos iki gegužės 5 d. Komisija priima sprendimą per mėnesį.", 2),
        ("Paraiškos teikiamos iki gegužės 5 d. Taryba tvirtina nutarimą vėliau.", 2),
        ("Susitarta gegužės 5 d. posėdyje dėl kainų.", 1),
        ("Tai nustato 2013 m. gruodžio 17 d. Europos Parlamento ir Tarybos reglamentas.", 1),
        ("Taip sako 2021 m. gegužės 5 d. Vyriausybės nutarimas Nr. 5.", 1),
        ("Keičiamas 2021 m. gegužės 5 d. Lietuvos Respublikos ekonomikos ir inovacijų ministro įsakymas.", 1),
    ],
)
def test_a_day_ends_a_sentence_where_the_next_begins_one(text: str, count: int) -> None:
    assert len(sentences(text)) == count


def test_pictures_of_markdown_are_counted(tmp_path: Path) -> None:
    source = (
        '# A\n\nŽemėlapis ![planas](a.png) ir ![][b].\n\n<p><img src="c.png"></p>\n\n`![x](y)` nėra.\n\n    ![x](y)\n'
    )
    assert reading(tmp_path, "a.lt.md", source).warnings == ("Pictures whose words are not read: 3.",)


def test_struck_out_and_hidden_text_of_markdown_is_not_shown(tmp_path: Path) -> None:
    text = 'Kaina ~~500~~ <del>550</del> 600 EUR, kodas `~~a~~`.\n\n<p style="display:none">Slapta.</p>\n'
    document = reading(tmp_path, "a.lt.md", text)
    assert [as_shown(told, document.media_type) for _, told in shown(document)] == ["Kaina 600 EUR, kodas ~~a~~."]
    assert document.warnings == ("Places with struck-out text, which is not read: 2.",)
