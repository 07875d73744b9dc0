"""
clusterqa beside four peers: the same documents, questions and encoder, in one run on one machine.

    python -m venv build/peers && build/peers/bin/pip install -r benchmarks/peers/requirements.txt
    python benchmarks/peers/run.py [--parts quality,speed] [--passages 10000] [--threads 2] [--systems txtai,Haystack]

Quality: the held-out questions of evaluation/questions.jsonl that Markdown documents answer, in four directions (language of
the question → language of the only documents there are). A passage is right when it is of a document that answers and holds
the whole answer; white space and the marks * _ ` # | are not compared, as some readers take them off. Per cent of questions
with a right passage first and among five.

Time and memory: the documents of both languages together; with `--passages` as many more as give about so many passages, made
of the corpus's own words in another order. All systems are asked question by question in turn, so that other work of the
machine slows all of them alike. Indexing is one after the other. A peer's own splitter makes larger passages than ours, so
read passages a second together with their number. Peak memory includes indexing. Nothing may reach a network.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clusterqa import documents
from clusterqa.encoders.sentence import bundled_path
from clusterqa.evaluation.sets import Item, read_set
from clusterqa.records import LANGUAGES, Document, Language

HERE = Path(__file__).parent
OURS = ("clusterqa", "clusterqa without reader")
PEERS = ("txtai", "Haystack", "LangChain", "LlamaIndex")
FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGSMITH_TRACING": "false",
    "DO_NOT_TRACK": "1",
}
Texts = dict[str, tuple[Document, str]]
"""Name of the file → the document, and the body of its file."""


class System:
    """One system in a process of its own."""

    def __init__(self, name: str, python: Path, threads: int, logs: Path) -> None:
        """What the system writes on the way goes to a file of the folder `logs`."""
        self.name, self._log = name, logs / f"peers-{name}.log"
        encoder = bundled_path()
        prompts = json.loads((encoder / "config_sentence_transformers.json").read_text(encoding="utf-8"))["prompts"]
        counts = dict.fromkeys(
            ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CLUSTERQA_THREADS"),
            str(threads),
        )
        with self._log.open("w", encoding="utf-8") as written:
            self._process = subprocess.Popen(
                [python, HERE / "systems.py", name, encoder, json.dumps(prompts)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=written, text=True, encoding="utf-8",
                env=os.environ | QUIET | counts,
            )  # fmt: skip

    def order(self, do: str, **given: Any) -> tuple[Any, float]:
        """The result of an order, and the seconds it took inside the process."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, **given}, ensure_ascii=False) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended while it was told to {do}: see {self._log}")
        answer = json.loads(line)
        return answer["result"], answer["seconds"]

    def stop(self) -> None:
        self._process.communicate()


def corpus_texts(corpus: Path) -> Texts:
    """The Markdown documents of a folder."""
    return {
        name: (documents.read(path, name), FRONT.sub("", path.read_text(encoding="utf-8")).strip())
        for name, path in documents.list_files(corpus)
        if path.suffix == ".md"
    }


def shuffled(texts: Texts, characters: int) -> Texts:
    """Documents of about so many characters in all, made of the lines of others with their words in another order."""
    rng, made, have, copy = random.Random(1), {}, 0, 0
    while have < characters:
        copy += 1
        for name, (document, body) in texts.items():
            lines = []
            for line in body.splitlines():
                words = line.split(" ")
                rng.shuffle(words)
                lines.append(" ".join(words))
            made[f"{copy:04}-{name}"] = (document, "\n".join(lines))
            have += len(body)
            if have >= characters:
                break
    return made


def write_folder(folder: Path, texts: Texts) -> list[tuple[str, str, str]]:
    """The documents as files, and what a peer is given of them: name, title, body."""
    rows = []
    for name, (document, body) in texts.items():
        head = json.dumps({"title": document.title, "language": document.language}, ensure_ascii=False)
        (folder / name).write_text(f"---\n{head}\n---\n\n{body}\n", encoding="utf-8")
        rows.append((name, document.title, body))
    return rows


def plain(text: str) -> str:
    return " ".join(re.sub(r"[*_`#|]", " ", text).split())


def answers_in(item: Item, texts: Texts, language: Language) -> list[tuple[str, str]]:
    """(Document, answer) of a question among the documents of one language."""
    return [
        (gold.document, plain(gold.quote))
        for gold in item.answers
        if gold.document in texts and texts[gold.document][0].language == language
    ]


def rank(hits: Sequence[Sequence[str]], gold: Sequence[tuple[str, str]]) -> int:
    """The place of the first right passage, from 1; 0 for none."""
    right = (
        n for n, (name, text) in enumerate(hits, 1) if any(d == name and answer in plain(text) for d, answer in gold)
    )
    return next(right, 0)


def quality(systems: Sequence[System], texts: Texts, items: Sequence[Item]) -> dict[str, dict[str, Any]]:
    """Row of the table → direction → questions, right first, right among five."""
    found: dict[str, dict[str, Any]] = {}
    for language in LANGUAGES:
        own = {name: text for name, text in texts.items() if text[0].language == language}
        asked = [(item, gold) for item in items if (gold := answers_in(item, texts, language))]
        for system in systems:
            with tempfile.TemporaryDirectory() as folder:
                system.order("index", folder=folder, texts=write_folder(Path(folder), own))
                for way in system.order("ways")[0]:
                    ranks: dict[str, list[int]] = {}
                    for item, gold in asked:
                        hits, _ = system.order("ask", way=way, question=item.question, history=item.history)
                        ranks.setdefault(f"{item.language}→{language}", []).append(rank(hits, gold))
                    for direction, places in ranks.items():
                        shares = {k: 100 * float(np.mean([0 < place <= k for place in places])) for k in (1, 5)}
                        found.setdefault(row_name(system, way), {})[direction] = {
                            "questions": len(places), "first": shares[1], "five": shares[5],
                        }  # fmt: skip
            print(f"{system.name}: documents in {language} asked", file=sys.stderr)
    return found


def speed(systems: Sequence[System], texts: Texts, items: Sequence[Item]) -> dict[str, dict[str, Any]]:
    """Row of the table → seconds of indexing, of one document more, milliseconds of a question, peak memory."""
    last = max(texts, key=lambda name: (len(texts[name][1]), name))
    rest = {name: text for name, text in texts.items() if name != last}
    found: dict[str, dict[str, Any]] = {}
    ways: list[tuple[System, str]] = []
    with tempfile.TemporaryDirectory() as outside:
        more = write_folder(Path(outside), {last: texts[last]})
        folders = []
        for system in systems:
            folder = tempfile.mkdtemp()
            folders.append(folder)
            passages, seconds = system.order("index", folder=folder, texts=write_folder(Path(folder), rest))
            _, added = system.order("add", folder=outside, texts=more)
            print(f"{system.name}: {passages} passages in {seconds:.0f} s", file=sys.stderr)
            for way in system.order("ways")[0]:
                ways.append((system, way))
                found[row_name(system, way)] = {
                    "passages": passages, "index_seconds": seconds, "passages_a_second": passages / seconds,
                    "added_seconds": added,
                }  # fmt: skip
        spent: dict[str, list[float]] = {row_name(system, way): [] for system, way in ways}
        for number, item in enumerate([*items[:5], *items]):
            for system, way in ways:
                _, seconds = system.order("ask", way=way, question=item.question, history=item.history)
                if number >= 5:  # the first few warm up
                    spent[row_name(system, way)].append(1000 * seconds)
        for system, way in ways:
            name = row_name(system, way)
            median, late = np.percentile(spent[name], (50, 95))
            about, _ = system.order("about")
            found[name] |= {"ms_median": float(median), "ms_p95": float(late), **about}
        for folder in folders:
            shutil.rmtree(folder)
    return found


def row_name(system: System, way: str) -> str:
    return f"{system.name} {way}".strip()


def as_markdown(figures: Mapping[str, Mapping[str, Any]]) -> str:
    tables = []
    judged = {name: row["quality"] for name, row in figures.items() if "quality" in row}
    if judged:
        directions = {d: row["questions"] for rows in judged.values() for d, row in sorted(rows.items())}
        heads = ["first / five", *(f"{d} ({count})" for d, count in directions.items())]
        rows = [
            [name, *(f"{row[d]['first']:.1f} / {row[d]['five']:.1f}" for d in directions)]
            for name, row in judged.items()
        ]
        tables.append(table(heads, rows))
    timed = {name: row["speed"] for name, row in figures.items() if "speed" in row}
    if timed:
        heads = ["", "passages", "index s", "passages/s", "one more, s", "median ms", "p95 ms", "peak MB"]
        rows = [
            [
                name, str(row["passages"]), f"{row['index_seconds']:.1f}", f"{row['passages_a_second']:.0f}",
                f"{row['added_seconds']:.2f}", f"{row['ms_median']:.0f}", f"{row['ms_p95']:.0f}", f"{row['peak_mb']:.0f}",
            ]
            for name, row in timed.items()
        ]  # fmt: skip
        tables.append(table(heads, rows))
        versions = {f"{package} {version}" for row in timed.values() for package, version in row["versions"].items()}
        tables.append("Versions: " + ", ".join(sorted(versions)) + ".")
    return "\n\n".join(tables)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, default=Path("build/peers/bin/python"), help="that of the peers")
    parser.add_argument("--passages", type=int, default=0, help="about so many passages for time and memory")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--systems", default=",".join((*OURS, *PEERS)))
    parser.add_argument("--parts", default="quality,speed")
    parser.add_argument("--output", type=Path, default=Path("build/peers.json"))
    options = parser.parse_args()
    chosen = options.systems.split(",")
    if unknown := set(chosen) - {*OURS, *PEERS}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}. There are {', '.join((*OURS, *PEERS))}.")
    if not options.python.exists() and set(chosen) & set(PEERS):
        parser.error(f"{options.python} is not there: see the first line of --help for how the peers are installed.")

    texts = corpus_texts(Path("corpus"))
    items = [
        item
        for item in read_set(Path("evaluation/questions.jsonl"))
        if item.split == "held" and not item.variant and any(gold.document in texts for gold in item.answers)
    ]
    logs = options.output.parent
    logs.mkdir(parents=True, exist_ok=True)
    have = sum(len(body) for _, body in texts.values())
    many = texts | shuffled(texts, 500 * options.passages - have)
    figures: dict[str, dict[str, Any]] = {}
    for part, measure, corpus in (("quality", quality, texts), ("speed", speed, many)):
        if part in options.parts.split(","):
            systems = [
                System(name, Path(sys.executable) if name in OURS else options.python, options.threads, logs)
                for name in chosen
            ]
            for name, row in measure(systems, corpus, items).items():
                figures.setdefault(name, {})[part] = row
            for system in systems:
                system.stop()
    options.output.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(as_markdown(figures))


if __name__ == "__main__":
    main()
