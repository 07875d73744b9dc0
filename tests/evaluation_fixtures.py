"""A corpus of four pages and a set of seven questions, with an encoder whose cosines can be worked out on paper."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from clusterqa.corpus.sync import update
from clusterqa.evaluation.outcomes import Outcome, Run
from clusterqa.ports import Encoder
from clusterqa.settings import Settings
from words_encoder import WordsEncoder

PAGES = {
    "prices.en.md": "# Prices\n\nThe bronze label has a price of 2,250 euro.\n\n## Gold\n\nThe gold label needs two experts.\n",
    "prices.lt.md": "# Kainos\n\nBronzos ženklo kaina yra 2 250 eurų.\n\n## Auksas\n\nAukso ženklas: ekspertas rašo ataskaita.\n",
    "food.en.md": "# Food\n\nA food cluster has a member in every town.\n",
    "silver.lt.md": "# Sidabras\n\nSidabro ženklo kaina yra 3 620 eurų.\n",
}
BRONZE_EN = {"document": "prices.en.md", "quote": "The bronze label has a price of 2,250 euro."}
BRONZE_LT = {"document": "prices.lt.md", "quote": "Bronzos ženklo kaina yra 2 250 eurų."}
SILVER_LT = {"document": "silver.lt.md", "quote": "Sidabro ženklo kaina yra 3 620 eurų."}
FOOD_EN = {"document": "food.en.md", "quote": "A food cluster has a member in every town."}

QUESTIONS: list[dict[str, Any]] = [
    {"id": "q1", "question": "What is the price of the bronze label?", "language": "en", "type": "plain",
     "answer": [BRONZE_EN, BRONZE_LT]},
    {"id": "q2", "question": "Kokia bronzos ženklo kaina?", "language": "lt", "type": "plain",
     "answer": [BRONZE_EN, BRONZE_LT]},
    {"id": "q3", "question": "o sidabro?", "language": "lt", "type": "followup",
     "history": ["Kokia bronzos ženklo kaina?"], "answer": [SILVER_LT]},
    {"id": "q4", "question": "food cluster member", "language": "en", "type": "keywords", "answer": [FOOD_EN]},
    {"id": "q5", "question": "Who won the match on Sunday?", "language": "en", "type": "unanswerable", "answer": []},
    {"id": "q6", "question": "Koks rytoj oras Kaune?", "language": "lt", "type": "unanswerable", "answer": []},
    {"id": "q7", "question": "Labas!", "language": "lt", "type": "plain", "answer": [SILVER_LT]},
]  # fmt: skip


def build(
    folder: Path,
    pages: dict[str, str] = PAGES,
    passage_chars: int = 600,
    encoder: Callable[[], Encoder] = WordsEncoder,
) -> Settings:
    """Settings of a corpus with these pages, indexed with an encoder for paper."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (corpus / name).write_text(text, encoding="utf-8")
    settings = Settings.load({"corpus": corpus, "data": folder / "data", "passage_chars": passage_chars})
    update(settings, encoder)
    return settings


def write_set(path: Path, questions: list[dict[str, Any]] = QUESTIONS) -> Path:
    path.write_text("".join(json.dumps(q, ensure_ascii=False) + "\n" for q in questions), encoding="utf-8")
    return path


def outcome(identifier: str, *, rank: int = 0, answerable: bool = True, **more: Any) -> Outcome:
    """An outcome by its rank; everything else plain, unless given."""
    status = more.pop("status", "answered")
    plain = Outcome(
        identifier, "both", "en", "plain", "held", answerable, status, rank, rank, 0.5, True, "en", 1.0, "", ""
    )  # fmt: skip
    return replace(plain, **more)


def run_of(*outcomes: Outcome, **more: Any) -> Run:
    facts = {"questions_sha256": "q", "encoder": "words", "corpus": {}, "versions": {}, **more}
    return Run(outcomes=outcomes, **facts)
