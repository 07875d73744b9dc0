"""
BEIR folders (Thakur et al. 2021): corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, as the beir package writes them.

A folder brings its own corpus. Each of its documents becomes a text file with its title as front matter, and these are
indexed like any other; what is measured is the search for documents.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import yaml

from clusterqa.corpus.sync import Progress, Report, update
from clusterqa.errors import EvaluationError, IndexOutdated
from clusterqa.ports import Encoder
from clusterqa.settings import Settings

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
SPLIT = "test"
LONGEST_NAME = 180
"""Bytes of a file name; file systems take 255."""


@dataclass(frozen=True, slots=True)
class BeirSet:
    """
    A BEIR folder with the judgements of one split.

    `documents` is id → (title, text); `queries` id → text; `qrels` query id → document id → grade, in the order of the
    file, of the queries that have a judgement.
    """

    name: str
    split: str
    documents: dict[str, tuple[str, str]]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]
    sha256: str
    """Over the bytes of queries and judgements."""


def splits(folder: Path) -> list[str]:
    """The splits that a folder has judgements for, in alphabetical order."""
    return sorted({path.stem for path in (folder / QRELS).glob("*") if path.suffix in (".tsv", ".jsonl")})


def read_beir(folder: Path, split: str = SPLIT) -> BeirSet:
    """
    Read a BEIR folder. Judgements may stand in qrels/SPLIT.tsv (beir) or qrels/SPLIT.jsonl (mteb's repositories).

    Raises EvaluationError that names every wrong line, or the splits there are when there is none of this name.
    """
    files = {name: folder / name for name in (CORPUS, QUERIES)}
    missing = [name for name, path in files.items() if not path.is_file()]
    if missing:
        raise EvaluationError(
            f"{folder} is no BEIR folder: {' and '.join(missing)} is missing. Give a folder with {CORPUS}, {QUERIES} and "
            f"{QRELS}/{SPLIT}.tsv, or a question set in one JSONL file."
        )
    known = splits(folder)
    if split not in known:
        raise EvaluationError(
            f"{folder} has no judgements for the split {split!r}, only for: {', '.join(known) or 'none'}. "
            "Choose one with --split."
        )
    judged = next(p for p in (folder / QRELS / f"{split}.tsv", folder / QRELS / f"{split}.jsonl") if p.is_file())
    wrong: list[str] = []
    documents = {
        str(row["_id"]): (str(row.get("title") or ""), str(row["text"] or ""))
        for row in _rows(files[CORPUS], wrong, "text")
    }
    queries = {str(row["_id"]): str(row["text"] or "") for row in _rows(files[QUERIES], wrong, "text")}
    qrels: dict[str, dict[str, int]] = {}
    for number, query, document, grade in _judgements(judged, wrong):
        if query not in queries:
            wrong.append(f"{judged.name} line {number}: there is no query {query}")
        qrels.setdefault(query, {})[document] = grade
    if wrong or not documents or not qrels:
        problems = "\n  ".join(wrong[:20]) or "it has no documents or no judgements"
        raise EvaluationError(f"The BEIR folder {folder} cannot be used:\n  {problems}")
    digest = hashlib.sha256(files[QUERIES].read_bytes() + b"\x00" + judged.read_bytes()).hexdigest()
    return BeirSet(folder.resolve().name, split, documents, queries, qrels, digest)


def index(
    beir: BeirSet, settings: Settings, encoder: Callable[[], Encoder], progress: Progress | None = None
) -> tuple[Settings, Report]:
    """
    Index the documents of a BEIR folder in a place of their own below the data folder; gives its settings.

    What is there from an earlier time is used again: only documents that changed are encoded.
    """
    root = settings.data / "beir" / (re.sub(r"[^\w.-]+", "-", beir.name) or "set")
    corpus = root / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    wanted = {_file_name(name): _as_text(title, text) for name, (title, text) in beir.documents.items()}
    for path in corpus.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        path, data = corpus / name, content.encode("utf-8", "replace")
        if not path.is_file() or path.read_bytes() != data:
            part = path.with_suffix(".part")
            part.write_bytes(data)
            os.replace(part, path)
    own = settings.model_copy(update={"corpus": corpus, "data": root / "data"})
    try:
        return own, update(own, encoder, progress=progress)
    except IndexOutdated:
        return own, update(own, encoder, rebuild=True, progress=progress)


def beir_id(document: str) -> str:
    """The BEIR id of a document of the index that `index` made."""
    return unquote(document.removesuffix(".txt"))


def _file_name(identifier: str) -> str:
    name = quote(identifier, safe="").replace(".", "%2E")  # "a.lt" is an id and not a document in Lithuanian
    if len(name) > LONGEST_NAME:
        raise EvaluationError(
            f"The document id {identifier[:60]}… is too long. Give ids of at most {LONGEST_NAME} letters."
        )
    return f"{name}.txt"


def _as_text(title: str, text: str) -> str:
    head = yaml.safe_dump({"title": " ".join(title.split())}, allow_unicode=True, width=10_000) if title.strip() else ""
    return f"---\n{head}---\n{text}\n" if head else f"{text}\n"


def _rows(path: Path, wrong: list[str], *needed: str) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file that have an `_id` and what is needed."""
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                if missing := [name for name in ("_id", *needed) if name not in row]:
                    raise ValueError(f"{' and '.join(missing)} is missing")
                if str(row["_id"]) in seen:
                    raise ValueError(f"the id {row['_id']} is there twice")
            except (ValueError, TypeError) as error:
                wrong.append(f"{path.name} line {number}: {error}")
                continue
            seen.add(str(row["_id"]))
            yield row


def _judgements(path: Path, wrong: list[str]) -> Iterator[tuple[int, str, str, int]]:
    """(Line, query id, document id, grade) of a file of judgements; the first line of a TSV file names its columns."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = enumerate(csv.reader(file, delimiter="\t") if path.suffix == ".tsv" else file, start=1)
        for number, row in rows:
            if not row or (isinstance(row, str) and not row.strip()) or (number == 1 and path.suffix == ".tsv"):
                continue
            try:
                if isinstance(row, str):
                    data = json.loads(row)
                    yield number, str(data["query-id"]), str(data["corpus-id"]), int(data["score"])
                else:
                    yield number, row[0], row[1], int(row[2])
            except (ValueError, KeyError, IndexError, TypeError) as error:
                wrong.append(f"{path.name} line {number}: {error}")
