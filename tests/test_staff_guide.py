"""docs/staff.md calls pages and buttons what the desk calls them, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clusterqa.web.staff import words, words_documents, words_judging, words_keys, words_questions

LITHUANIAN, ENGLISH = (Path(__file__).parent.parent / "docs" / "staff.md").read_text(encoding="utf-8").split("\n---\n")
PERSONS = {"Redaktorius", "Administratorius", "editor", "administrator"}


@pytest.mark.parametrize(
    ("language", "guide", "quoted"), [("lt", LITHUANIAN, "„([^“]+)“"), ("en", ENGLISH, "“([^”]+)”")]
)
def test_pages_and_buttons_have_the_names_that_the_desk_gives_them(language: str, guide: str, quoted: str) -> None:
    shown = {
        word
        for part in (words, words_documents, words_judging, words_keys, words_questions)
        for word in part.WORDS[language].values()
    }
    named = set(re.findall(quoted, guide)) | {name.rstrip(".") for name in re.findall(r"\*\*([^*]+)\*\*", guide)}
    assert len(named) >= 10
    assert named - PERSONS - shown == set()
