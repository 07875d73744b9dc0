"""What is promised of stored text as a person sees it."""

from __future__ import annotations

import pytest

from clusterqa.documents.shown import MARKDOWN, Mark, Piece, as_lines, as_shown, named_cells, pieces
from clusterqa.parts import cell_spans, column_names
from clusterqa.records import Part


@pytest.mark.parametrize(
    ("text", "media_type", "shown"),
    [
        ("apie ataskai-\ntas ir jų\nterminus", "application/pdf", "apie ataskaitas ir jų terminus"),
        ("apie ataskai-\n\f\ntas", "application/pdf", "apie ataskaitas"),
        ("Vilniaus-\nKauno kelias", "application/pdf", "Vilniaus-Kauno kelias"),
        ("2020-\n2021 m. ir e-\u00a0paštas", "application/pdf", "2020- 2021 m. ir e- paštas"),
        ("Žr. [tvarką](https://a.lt/x), **svarbu**[^1].", "text/markdown", "Žr. tvarką, svarbu."),
        ("Klasteris – tai\n> įmonių *grupė* `x`.", "text/markdown", "Klasteris – tai įmonių grupė x."),
        ("5 < 6 & 7 * 8", "text/markdown", "5 < 6 & 7 * 8"),
        ("Rašoma <b>čia</b> &amp; ten.", "text/markdown", "Rašoma čia & ten."),
        ("Adresas:<br>Vilnius, jei a < b > c.", "text/markdown", "Adresas: Vilnius, jei a < b > c."),
        ("<table><tr><td>Kaina</td><td>5 EUR</td></tr></table>", "text/markdown", "Kaina 5 EUR"),
        ("Žr. [tvarką][t] ir [sąrašą][].", "text/markdown", "Žr. tvarką ir sąrašą."),
        ("Kaip parodyta [12][13].", "text/markdown", "Kaip parodyta [12][13]."),
        ("Narys a[i][j] ir `a[i][j]`.", "text/markdown", "Narys a[i][j] ir a[i][j]."),
        ("[^1]: Išnašos *tekstas*.", "text/markdown", "Išnašos tekstas."),
        ("**lieka**\nkaip yra", "text/plain", "**lieka**\nkaip yra"),
    ],
)
def test_marks_and_line_ends_do_not_show(text: str, media_type: str, shown: str) -> None:
    assert as_shown(text, media_type) == shown


def row(text: str, header: str) -> Part:
    return Part("row", 0, len(text), text, header=column_names(header, MARKDOWN), cells=cell_spans(text, MARKDOWN))


@pytest.mark.parametrize(
    ("text", "header", "cells"),
    [
        ("Bronzos | 600 EUR", "Ženklas | Kaina", [("Ženklas", "Bronzos"), ("Kaina", "600 EUR")]),
        ("Nariai | 12 | 15", "| 2023 | 2024", [("", "Nariai"), ("2023", "12"), ("2024", "15")]),
        ("Telefonas | +370", "", [("", "Telefonas"), ("", "+370")]),
        ("Bronzos | | 2 m.", "Ženklas | Kaina | Trukmė", [("Ženklas", "Bronzos"), ("Kaina", ""), ("Trukmė", "2 m.")]),
        ("**A** \\| B | [C](x)", "Ženklas | Nuoroda", [("Ženklas", "A | B"), ("Nuoroda", "C")]),
    ],
)
def test_cells_have_the_names_of_their_columns(text: str, header: str, cells: list[tuple[str, str]]) -> None:
    assert named_cells(row(text, header), "text/markdown") == cells


@pytest.mark.parametrize(
    ("text", "media_type", "marked", "shown"),
    [
        ("Galioja **dvejus metus** nuo [datos](https://a.lt/dvejus).", "text/markdown", "dvejus metus", "Galioja ‹dvejus metus› nuo datos."),
        ("Žr. [dvejus](https://dvejus.lt/met), tai dvejus metus[^1].", "text/markdown", "dvejus metus", "Žr. dvejus, tai ‹dvejus metus›."),
        ("Rašykite <info@x.lt> iki gegužės 5 d.", "text/markdown", "gegužės 5 d.", "Rašykite info@x.lt iki ‹gegužės 5 d.›"),
        ("Kai x < 5 ir y > 3, mokama.", "text/markdown", "mokama", "Kai x < 5 ir y > 3, ‹mokama›."),
        ("kainuoja tris tūks-\ntančius eurų", "application/pdf", "tris tūks-\ntančius", "kainuoja ‹tris tūkstančius› eurų"),
        ("trunka\ndvi  dienas", "text/plain", "dvi  dienas", "trunka\n‹dvi  dienas›"),
    ],
)  # fmt: skip
def test_what_is_marked_in_the_stored_text_is_marked_in_the_shown_text(
    text: str, media_type: str, marked: str, shown: str
) -> None:
    start = text.index(marked)
    found = pieces(text, media_type, [Mark(start, start + len(marked), "short")])
    assert "".join(f"‹{piece.text}›" if piece.mark else piece.text for piece in found) == shown.replace("**", "")


@pytest.mark.parametrize("text", ["Rašoma <b>čia</b> pat ir [ten pat][r] bei čia pat", "[^1]: žr. [a][pat] pat"])
def test_a_mark_behind_tags_and_references_stays_on_its_word(text: str) -> None:
    start = text.rindex("pat")
    marked = [piece.text for piece in pieces(text, "text/markdown", [Mark(start, start + 3, "short")]) if piece.mark]
    assert marked == ["pat"]


def test_strong_words_are_known() -> None:
    assert pieces("**Klasteris** – įmonių __grupė__.", "text/markdown") == [
        Piece("Klasteris", True), Piece(" – įmonių "), Piece("grupė", True), Piece("."),
    ]  # fmt: skip


def test_a_selection_as_text_has_a_line_for_each_item_and_row() -> None:
    text = "Reikia: a; b"
    parts = (
        Part("lead", 0, 7, text[:7]),
        Part("item", 8, 10, text[8:10]),
        Part("item", 11, 12, text[11:], level=1, number="2."),
    )
    assert as_lines(parts, "text/plain") == "Reikia:\n– a;\n  2. b"
    assert as_lines([row("Bronzos | 600 EUR", "Ženklas | Kaina")], "text/plain") == "Ženklas: Bronzos\nKaina: 600 EUR"
    two = [row("Bronzos | 600 EUR", "Ženklas | Kaina"), row("Aukso | 900 EUR", "Ženklas | Kaina")]
    assert as_lines(two, "text/plain") == "Ženklas: Bronzos; Kaina: 600 EUR\nŽenklas: Aukso; Kaina: 900 EUR"
