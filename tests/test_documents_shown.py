"""What is promised of stored text as a person sees it."""

from __future__ import annotations

import pytest

from clusterqa.documents.shown import as_shown, columns


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
        ("**lieka**\nkaip yra", "text/plain", "**lieka**\nkaip yra"),
    ],
)
def test_marks_and_line_ends_do_not_show(text: str, media_type: str, shown: str) -> None:
    assert as_shown(text, media_type) == shown


@pytest.mark.parametrize(
    ("row", "header", "cells"),
    [
        ("Bronzos | 600 EUR", "Ženklas | Kaina", [("Ženklas", "Bronzos"), ("Kaina", "600 EUR")]),
        ("Nariai | 12 | 15", "| 2023 | 2024", [("", "Nariai"), ("2023", "12"), ("2024", "15")]),
        ("Telefonas | +370", "", [("", "Telefonas"), ("", "+370")]),
        ("Bronzos | | 2 m.", "Ženklas | Kaina | Trukmė", [("Ženklas", "Bronzos"), ("Kaina", ""), ("Trukmė", "2 m.")]),
    ],
)
def test_cells_have_the_names_of_their_columns(row: str, header: str, cells: list[tuple[str, str]]) -> None:
    assert columns(row, header) == cells
