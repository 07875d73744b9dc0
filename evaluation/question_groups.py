"""
How well questions of one meaning are grouped across the languages: measures the thresholds of clusterqa.staff.demand.

    python evaluation/question_groups.py --data data

Rests on evaluation/question-groups.jsonl: questions that people may ask of the agency, each in several wordings of both
languages. B-cubed precision and recall (Bagga and Baldwin 1998): for a wording, which share of its group means the same, and
which share of what means the same is in its group. Choose on "fit", report "held"; a hash of the id fixes the splits.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.settings import Home, Settings
from clusterqa.staff import demand
from clusterqa.store import open_store
from clusterqa.text.lexicon import Lexicon

GROUPS = Path(__file__).parent / "question-groups.jsonl"


def b_cubed(labels: np.ndarray, meanings: np.ndarray) -> tuple[float, float]:
    together, same = labels[:, None] == labels[None, :], meanings[:, None] == meanings[None, :]
    both = (together & same).sum(1)
    return float((both / together.sum(1)).mean()), float((both / same.sum(1)).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="data folder with an index of the corpus")
    data = parser.parse_args().data
    rows = [json.loads(line) for line in GROUPS.read_text(encoding="utf-8").splitlines()]
    items = [(row["id"], question["language"], question["question"]) for row in rows for question in row["questions"]]
    meanings = np.array([meaning for meaning, _, _ in items])
    fit = np.array([hashlib.sha256(meaning.encode()).digest()[0] % 2 == 0 for meaning in meanings])
    encoder = SentenceEncoder.load(Settings().encoder, threads=2)
    vectors = encoder.encode_queries([text for _, _, text in items])
    with open_store(Home(data)) as store:
        shares = demand.shared_words(
            [text for _, _, text in items],
            [language for _, language, _ in items],
            Lexicon.load(),
            lambda terms: len(store.matching(terms)),
            store.counts()["passages"],
        )
    print(f"{len(rows)} questions in {len(items)} wordings, encoder {encoder.fingerprint}")
    print("words  likeness   fit: precision recall   held: precision recall")
    for share in (0.0, 0.2, 0.3, 0.4, 0.5):
        for likeness in (0.7, 0.74, 0.76, 0.78, 0.8):
            labels = np.array(demand.alike(vectors, shares, share, likeness))
            figures = [value for half in (fit, ~fit) for value in b_cubed(labels[half], meanings[half])]
            mark = "  <- in use" if (share, likeness) == (demand.WORDS_SHARE, demand.LEAST_LIKENESS) else ""
            print(f"{share:5.1f} {likeness:9.2f}" + "".join(f"{100 * value:12.1f}" for value in figures) + mark)


if __name__ == "__main__":
    main()
