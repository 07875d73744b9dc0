"""Passages follow the document's structure, and each is an exact cut of its text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterqa.documents import read
from clusterqa.passages import WHOLE_ROW, split
from clusterqa.records import Block, BlockKind, Document, Page, Passage
from clusterqa.text.sentences import LONGEST

Part = tuple[BlockKind, str] | tuple[BlockKind, str, int | str]
"""(Kind, text) of a block, with its level or header."""


def document(*parts: Part, title: str = "Ženklai", **fields) -> Document:
    """A document of (kind, text, level or header), a blank line and a mark ("# ") between its blocks."""
    text = ""
    blocks = []
    for kind, content, *rest in parts:
        text += "\n\n# "
        extra: dict[str, Any] = {} if not rest else {"header": rest[0]} if kind == "table_row" else {"level": rest[0]}
        blocks.append(Block(kind, len(text), len(text) + len(content), **extra))
        text += content
    return Document("d.md", text + "\n", title, "lt", tuple(blocks), "text/markdown", **fields)


def texts(passages: tuple[Passage, ...]) -> list[list[str]]:
    """Each passage as its sentences."""
    return [
        [passage.text[s.start - passage.start : s.end - passage.start] for s in passage.sentences]
        for passage in passages
    ]


def hold(found: Document, passages: tuple[Passage, ...], passage_chars: int) -> None:
    """What every passage of every document keeps."""
    position = 0
    for ordinal, passage in enumerate(passages):
        assert passage.document == found.id
        assert passage.ordinal == ordinal
        assert found.text[passage.start : passage.end] == passage.text
        assert position <= passage.start < passage.end
        assert passage.sentences
        inside = passage.start
        for span in passage.sentences:
            assert inside <= span.start < span.end <= passage.end
            sentence = found.text[span.start : span.end]
            assert sentence == sentence.strip()
            assert any(character.isalnum() for character in sentence)
            assert len(sentence) <= LONGEST
            inside = span.end
        if len(passage.text) > passage_chars:
            assert len(passage.sentences) == 1
        position = passage.end
    quotable = {i for passage in passages for span in passage.sentences for i in range(span.start, span.end)}
    for block in found.blocks:
        if block.kind != "heading":
            assert quotable.issuperset(i for i in range(block.start, block.end) if found.text[i].isalnum())


def test_a_section_is_a_passage_under_its_path_of_headings():
    found = document(
        ("heading", "Ženklai", 1),
        ("paragraph", "Yra trys ženklai."),
        ("heading", "Bronza", 2),
        ("paragraph", "Bronza pirma."),
        ("heading", "Kiek kainuoja bronza?", 3),
        ("paragraph", "Nuo 1 650 Eur. Be PVM."),
        ("heading", "Sidabras", 2),
        ("paragraph", "Sidabras antras."),
    )
    passages = split(found)
    assert texts(passages) == [
        ["Yra trys ženklai."],
        ["Bronza pirma."],
        ["Nuo 1 650 Eur.", "Be PVM."],
        ["Sidabras antras."],
    ]
    assert [passage.heading for passage in passages] == [
        (),
        ("Bronza",),
        ("Bronza", "Kiek kainuoja bronza?"),
        ("Sidabras",),
    ]
    hold(found, passages, 600)


def test_a_heading_of_level_1_that_is_not_the_title_stays_in_the_path():
    several = document(
        ("heading", "Pirmas skyrius", 1), ("paragraph", "Taip."), ("heading", "Antras skyrius", 1), ("paragraph", "Ne.")
    )
    assert [passage.heading for passage in split(several)] == [("Pirmas skyrius",), ("Antras skyrius",)]
    titled = document(
        ("heading", "Ženklai", 1), ("paragraph", "Taip."), ("heading", "Antras skyrius", 1), ("paragraph", "Ne.")
    )
    assert [passage.heading for passage in split(titled)] == [(), ("Antras skyrius",)]


def test_a_heading_over_several_lines_is_one_line_in_the_path():
    found = document(("heading", "Kas\n  vertina?", 2), ("paragraph", "ESCA."))
    assert split(found)[0].heading == ("Kas vertina?",)


def test_a_heading_with_nothing_under_it_is_a_passage():
    found = document(
        ("heading", "Ženklai", 1),
        ("heading", "Bronza", 2),
        ("heading", "Sidabras", 2),
        ("heading", "Auditas", 3),
        ("paragraph", "***"),
        ("heading", "Auksas", 2),
        ("paragraph", "Jis trečias."),
        ("heading", "Kontaktai", 2),
    )
    passages = split(found)
    assert texts(passages) == [["Bronza"], ["Auditas"], ["Jis trečias."], ["Kontaktai"]]
    assert [passage.heading for passage in passages] == [(), ("Sidabras",), ("Auksas",), ()]
    assert texts(split(document(("heading", "Ženklai", 1)))) == [["Ženklai"]]


def test_paragraphs_of_a_section_are_merged_while_they_fit():
    found = document(
        ("paragraph", "Pirma pastraipa."), ("paragraph", "Antra pastraipa."), ("paragraph", "Trečia pastraipa.")
    )
    both = len("Pirma pastraipa.\n\n# Antra pastraipa.")
    assert texts(split(found, 600)) == [["Pirma pastraipa.", "Antra pastraipa.", "Trečia pastraipa."]]
    assert texts(split(found, both)) == [["Pirma pastraipa.", "Antra pastraipa."], ["Trečia pastraipa."]]
    assert texts(split(found, both - 1)) == [["Pirma pastraipa."], ["Antra pastraipa."], ["Trečia pastraipa."]]


def test_a_paragraph_longer_than_a_passage_is_cut_at_sentence_ends():
    sentence = "Klasteris gavo ženklą 2018 m. kovo 5 d. ir juo didžiuojasi."
    found = document(("paragraph", " ".join([sentence] * 20)))
    passages = split(found, 200)
    assert texts(passages) == [[sentence] * 3] * 6 + [[sentence] * 2]
    hold(found, passages, 200)


def test_a_sentence_longer_than_a_passage_is_a_passage_of_its_own():
    long = "Klasteris " + "labai " * 30 + "didelis."
    found = document(("paragraph", f"Trumpas. {long} Vėl trumpas."))
    assert texts(split(found, 100)) == [["Trumpas."], [long], ["Vėl trumpas."]]


def test_items_of_a_list_are_merged_and_each_keeps_its_own_sentences():
    found = document(
        ("list_item", "**Klasteris** – įmonių grupė", 0),
        ("list_item", "**Koordinatorius** – jos vadovas; jis atsako už viską. Jis vienas", 0),
    )
    passages = split(found)
    assert texts(passages) == [
        ["**Klasteris** – įmonių grupė", "**Koordinatorius** – jos vadovas; jis atsako už viską.", "Jis vienas"]
    ]
    assert passages[0].lead == ""


def test_a_list_stands_with_the_paragraph_that_introduces_it():
    found = document(
        ("paragraph", "Įžanga. Reikia trijų dalykų:"), ("list_item", "strategijos", 0), ("list_item", "žmogaus", 0)
    )
    passages = split(found)
    assert texts(passages) == [["Įžanga.", "Reikia trijų dalykų:", "strategijos", "žmogaus"]]
    assert passages[0].lead == ""


def test_what_of_a_list_does_not_fit_names_its_introduction():
    items: list[Part] = [("list_item", f"{number} dalykas yra strategija arba planas", 0) for number in range(9)]
    found = document(("paragraph", "Įžanga. Reikia tokių dalykų:"), *items, ("paragraph", "Tiek."))
    passages = split(found, 120)
    assert [passage.lead for passage in passages] == ["", *["Reikia tokių dalykų:"] * 3, ""]
    assert texts(passages)[0][:2] == ["Įžanga.", "Reikia tokių dalykų:"]
    assert texts(passages)[-1] == ["Tiek."]
    hold(found, passages, 120)


def test_an_introduction_leaves_the_paragraph_before_it_to_go_with_its_list():
    before: Part = ("paragraph", "Klasteris yra įmonių ir mokslo įstaigų grupė, kuri dirba kartu.")
    found = document(before, ("paragraph", "Reikia trijų dalykų:"), ("list_item", "strategijos, plano, žmogaus", 0))
    assert texts(split(found, 100)) == [[before[1]], ["Reikia trijų dalykų:", "strategijos, plano, žmogaus"]]


def test_a_nested_list_names_everything_that_introduces_it():
    found = document(
        ("paragraph", "Reikalavimai:"),
        ("list_item", "**Sidabras:**", 0),
        *[("list_item", f"{number} sidabro reikalavimas yra labai svarbus", 1) for number in range(4)],
        ("list_item", "Bronzai užtenka vieno palyginamojo vertinimo, daugiau nieko nereikia", 0),
    )
    passages = split(found, 100)
    both = "Reikalavimai: **Sidabras:**"
    assert [passage.lead for passage in passages] == ["", both, both, "Reikalavimai:"]


def test_a_list_does_not_take_in_a_paragraph_that_does_not_introduce_it():
    found = document(("paragraph", "Sakinys."), ("list_item", "vienas", 0), ("paragraph", "Kitas sakinys."))
    assert texts(split(found)) == [["Sakinys."], ["vienas"], ["Kitas sakinys."]]


def test_an_introduction_does_not_reach_into_the_next_section():
    found = document(("paragraph", "Reikia:"), ("heading", "Kita", 2), ("list_item", "vienas", 0))
    assert [(passage.lead, passage.heading) for passage in split(found)] == [("", ()), ("", ("Kita",))]


def test_each_table_row_is_a_passage_under_its_header():
    header = "Ženklas | Kaina"
    found = document(
        ("paragraph", "Kainos:"),
        ("table_row", "Bronza | 1 650 Eur. Be PVM", header),
        ("table_row", "Sidabras | 3 620 Eur", header),
    )
    passages = split(found)
    assert texts(passages) == [["Kainos:"], ["Bronza | 1 650 Eur. Be PVM"], ["Sidabras | 3 620 Eur"]]
    assert [passage.lead for passage in passages] == ["", header, header]


def test_only_a_row_too_long_to_be_one_sentence_is_cut():
    cell = "Klasteris gavo ženklą ir juo didžiuojasi. "
    whole = (cell * 20)[:WHOLE_ROW].strip()
    passages = split(document(("table_row", whole, "A"), ("table_row", cell * 11, "A")))
    assert texts(passages) == [[whole], [cell.strip()] * 11]


def test_pages_are_kept_apart_and_named():
    found = document(("paragraph", "Pirmas."), ("paragraph", "Antras."), ("paragraph", "Trečias tęsiasi. Toliau."))
    third = found.text.index("tęsiasi")
    second = found.text.index("Antras")
    pages = (Page(1, "i", 0, second), Page(2, "1", second, third), Page(3, "2", third, len(found.text)))
    paged = Document(found.id, found.text, "t", "lt", found.blocks, "application/pdf", pages=pages)
    passages = split(paged)
    assert texts(passages) == [["Pirmas."], ["Antras."], ["Trečias tęsiasi."], ["Toliau."]]
    assert [(passage.page, passage.page_label) for passage in passages] == [(1, "i"), (2, "1"), (2, "1–2"), (3, "2")]
    hold(paged, passages, 600)


def test_a_document_without_pages_names_none():
    passage = split(document(("paragraph", "Taip.")))[0]
    assert (passage.page, passage.page_label) == (None, None)


def test_a_document_without_blocks_is_cut_into_paragraphs():
    found = Document("d.txt", "Pirmas sakinys\ntęsiasi. Antras.\n\n---\n\nTrečias", "t", "lt", (), "text/plain")
    assert texts(split(found)) == [["Pirmas sakinys\ntęsiasi.", "Antras.", "Trečias"]]
    assert texts(split(found, 30)) == [["Pirmas sakinys\ntęsiasi."], ["Antras.", "Trečias"]]


@pytest.mark.parametrize("text", ["", "\n\n", "---", "***\n\n…"])
def test_a_document_without_a_letter_or_digit_has_no_passage(text):
    assert split(Document("d.txt", text, "t", "lt", (), "text/plain")) == ()
    assert split(document(("paragraph", text or "—"))) == ()


CHARS = st.integers(20, 700)
LINES = [
    *("# Ženklai", "## Bronza", "### Kiek kainuoja?", "", "- punktas", "  - gilesnis:", "1. Pirmas.", "Reikia:"),
    *("a | b", "|---|---|", "| c | d. E |", "Sakinys vienas. Antras", "2018 m. kovo 5 d. Klasteris", "---", "***"),
    *("> citata", "```", "žodis " * 60, "x" * 700),
]
MARKDOWN = st.lists(st.sampled_from(LINES) | st.text(max_size=12), max_size=25).map("\n".join)


@given(st.text() | MARKDOWN, CHARS)
def test_every_passage_of_any_plain_text_is_a_quotation(text, passage_chars):
    found = Document("d.txt", text, "t", "lt", (), "text/plain")
    passages = split(found, passage_chars)
    hold(found, passages, passage_chars)
    quoted = "".join(passage.text for passage in passages)
    assert [c for c in quoted if c.isalnum()] == [c for c in text if c.isalnum()]


@given(MARKDOWN, CHARS)
def test_every_passage_of_any_markdown_is_a_quotation(text, passage_chars):
    from clusterqa.documents import markdown

    extract = markdown.extract(text)
    found = Document("d.md", text, extract.metadata.title or "t", "lt", extract.blocks, "text/markdown")
    hold(found, split(found, passage_chars), passage_chars)


def test_a_markdown_file_becomes_passages(tmp_path: Path):
    (tmp_path / "zenklai.lt.md").write_text(
        "---\ntitle: Ženklai\nlanguage: lt\n---\n# Ženklai\n\nYra trys ženklai. Juos teikia ESCA.\n\n"
        "## Kainos\n\n| Ženklas | Kaina |\n|---|---|\n| Bronza | 1 650 Eur |\n\n## Sąlygos\n\nReikia:\n\n"
        "- strategijos;\n- plano.\n\n---\n\n### Ar būtinas auditas?\n\nTaip, **būtinas**.\n",
        encoding="utf-8",
    )
    found = read(tmp_path / "zenklai.lt.md", "zenklai.lt.md")
    passages = split(found)
    assert [(p.heading, p.lead, cut) for p, cut in zip(passages, texts(passages), strict=True)] == [
        ((), "", ["Yra trys ženklai.", "Juos teikia ESCA."]),
        (("Kainos",), "Ženklas | Kaina", ["Bronza | 1 650 Eur"]),
        (("Sąlygos",), "", ["Reikia:", "strategijos;", "plano."]),
        (("Sąlygos", "Ar būtinas auditas?"), "", ["Taip, **būtinas**."]),
    ]
    hold(found, passages, 600)
