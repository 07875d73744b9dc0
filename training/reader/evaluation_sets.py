"""
The bundles kept for judging, as corpora with questions in the format of `clusterqa eval`.

    python training/reader/evaluation_sets.py bundles.jsonl evaluation/reading

Writes one folder an index (1, 2, …), with the documents in `corpus/` beside `questions.jsonl`, and the list of the bundles.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import bundles
from bundles import Bundle


def rows(bundle: Bundle) -> list[dict[str, object]]:
    """The questions of a bundle as lines of a question set."""
    texts = [document["text"] for document in bundle["documents"]]
    return [
        {
            "id": f"{bundle['id']}-{number:02}",
            "question": question["question"],
            "language": question["lang"],
            "type": question["type"],
            "history": question["history"],
            "answer": [
                {
                    "document": bundles.file_name(bundle, answer["document"]),
                    "quote": texts[answer["document"]][answer["start"] : answer["end"]],
                }
                for answer in question["answers"]
            ],
        }
        for number, question in enumerate(bundle["questions"], start=1)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    everything = bundles.read(options.bundles)
    kept = bundles.chosen(bundle["id"] for bundle in everything)
    bundles.DEVELOPMENT.write_text("\n".join(kept) + "\n", encoding="utf-8")
    for number, lot in enumerate(bundles.indexes([b for b in everything if b["id"] in set(kept)]), start=1):
        folder = options.folder / str(number)
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "corpus").mkdir(parents=True)
        lines = []
        for bundle in sorted(lot, key=lambda bundle: bundle["id"]):
            bundles.write(bundle, folder / "corpus")
            lines += [json.dumps(row, ensure_ascii=False) for row in rows(bundle)]
        (folder / "questions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"{folder}: {len(lot)} bundles, {len(lines)} questions")


if __name__ == "__main__":
    main()
