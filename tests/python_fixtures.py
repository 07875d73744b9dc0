"""What the tests of the Python door share: four documents of the corpus, and questions with known answers in them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("bronze-label.en.md", "bronze-label.lt.md", "silver-label.en.md", "silver-label.lt.md")

READER = {"CLUSTERQA_READER": "none"}
"""Set while the weights of the bundled reader do not come with the repository."""

QUESTIONS = (
    {
        "id": "en", "question": "How long is a first Bronze Label valid?", "language": "en", "type": "plain",
        "answer": [
            {
                "document": "bronze-label.en.md",
                "quote": "A first Bronze Label is valid for two years from the month of the benchmarking interview.",
            }
        ],
    },
    {
        "id": "lt", "question": "Kiek laiko galioja pirmas bronzos ženklas?", "language": "lt", "type": "plain",
        "answer": [
            {
                "document": "bronze-label.lt.md",
                "quote": "Pirmą kartą suteiktas bronzos ženklas galioja dvejus metus nuo vertinimo pokalbio mėnesio.",
            }
        ],
    },
    {
        "id": "none", "question": "Where can I buy a bicycle in Kaunas?", "language": "en", "type": "unanswerable",
        "answer": [],
    },
)  # fmt: skip


def folder_with_corpus(folder: Path) -> Path:
    """The folder, with `corpus/` and `questions.jsonl` in it."""
    (folder / "corpus").mkdir(parents=True)
    for name in DOCUMENTS:
        shutil.copy(ROOT / "corpus" / name, folder / "corpus" / name)
    lines = "".join(json.dumps(question, ensure_ascii=False) + "\n" for question in QUESTIONS)
    (folder / "questions.jsonl").write_text(lines, encoding="utf-8")
    return folder


def environment() -> Mapping[str, str]:
    """For a process of its own: nothing of ours from outside, and this source."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("CLUSTERQA_")}
    return {**kept, **READER, "PYTHONPATH": str(ROOT / "src")}
