"""docs/decisions.md can be read at a glance: each entry has a status and is short, and its figures are elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENTRIES = re.split(r"^## ", (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
MEASURED = re.findall(r"^## (\d+)\.", (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8"), re.MULTILINE)
TEXTS = [
    path
    for pattern in ("*.md", "docs/*.md", "training/**/*.md", "src/**/*.py", "training/**/*.py", "tests/**/*.py")
    for path in ROOT.glob(pattern)
]


def field(entry: str, name: str) -> str:
    [value] = re.findall(rf"^- \*\*{name}:\*\* (.+)$", entry, re.MULTILINE)
    return value


def test_entries_are_numbered_in_order_without_a_gap():
    assert [int(entry.split(".")[0]) for entry in ENTRIES] == list(range(1, len(ENTRIES) + 1))


def test_every_entry_says_whether_it_holds():
    for number, entry in enumerate(ENTRIES, 1):
        status = field(entry, "Status")
        assert re.fullmatch(r"holds(; .+)?|superseded by \d+|record(; .+)?", status), entry
        for other in map(int, re.findall(r"\d+", status)):
            assert number < other <= len(ENTRIES), f"{number} names {other}"


def test_question_and_choice_take_at_most_600_characters():
    too_long = [entry for entry in ENTRIES if len(field(entry, "Question")) + len(field(entry, "Choice")) > 600]
    assert too_long == []


def test_measurements_stand_under_the_number_of_an_entry_in_order():
    numbers = [int(number) for number in MEASURED]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(range(1, len(ENTRIES) + 1))


def test_every_decision_that_a_text_names_is_there():
    named = {
        int(number)
        for path in TEXTS
        for number in re.findall(r"(?:[Dd]ecision|decisions\.md,) (\d+)", path.read_text(encoding="utf-8"))
    }
    assert named and max(named) <= len(ENTRIES)
