"""
Sets of other people, with their own documents: a BEIR folder (Thakur et al. 2021), the Parquet layout of MTEB, or a data
set of ir_datasets.

A BEIR folder has corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, as the beir package writes them; each may be gzipped.
Every document becomes a text file with its title as front matter, and these are indexed like any other; what is measured
is the search for documents.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import yaml

from clusterqa.corpus.sync import Progress, Report, update
from clusterqa.errors import EvaluationError, IndexOutdated
from clusterqa.evaluation.files import Qrels, judge, number, read_text
from clusterqa.jsontext import parsed
from clusterqa.ports import Encoder
from clusterqa.settings import EMBEDDED, Settings

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
SPLIT = "test"
ALL = "all"
"""In place of the name of a split: all there are."""
IR_DATASETS = "ir_datasets:"
"""What the name of a data set of ir_datasets begins with."""
LONGEST_NAME = 180
"""Bytes of a file name; file systems take 255."""
SHOWN = 20
"""Wrong lines that a message names."""


@dataclass(frozen=True, slots=True)
class BeirSet:
    """
    Documents, queries, and the judgements of one or more splits.

    `documents` is id → (title, text); `queries` id → text; `qrels` query id → document id → grade, in the order of the
    file, of the queries that have a judgement. `slices` is query id → the groups that the set itself puts it into
    ("language lt", "tag medicine", "split dev").
    """

    name: str
    split: str
    documents: dict[str, tuple[str, str]]
    queries: dict[str, str]
    qrels: Qrels
    sha256: str
    """Over queries and judgements."""
    slices: dict[str, tuple[str, ...]] = field(default_factory=dict)


def is_foreign(source: Path) -> bool:
    """Whether this names a set with its own documents, and not a file of questions."""
    return source.is_dir() or str(source).startswith(IR_DATASETS)


def read_foreign(source: Path, split: str = "", subset: str = "") -> BeirSet:
    """
    Read a BEIR folder, a folder in the Parquet layout of MTEB, or "ir_datasets:ID".

    `split` is a name, several with commas, or "all"; "" is "test" where there are splits. `subset` names one of the sets
    in a folder of MTEB ("lit" for lit-corpus, lit-queries, lit-qrels). Raises EvaluationError.
    """
    if str(source).startswith(IR_DATASETS):
        if split or subset:
            raise EvaluationError(
                "A data set of ir_datasets names its split in its id. Leave out --split and --subset."
            )
        return _read_ir_datasets(str(source).removeprefix(IR_DATASETS))
    if any(source.rglob("*.parquet")) and not _find(source / CORPUS):
        return _read_parquet(source, split or SPLIT, subset)
    if subset:
        raise EvaluationError(f"{source} is a BEIR folder, which has no subsets. Leave out --subset.")
    return read_beir(source, split or SPLIT)


def splits(folder: Path) -> list[str]:
    """The splits that a folder has judgements for, in alphabetical order."""
    return sorted({m[1] for path in (folder / QRELS).glob("*") if (m := _SPLIT_FILE.fullmatch(path.name))})


def read_beir(folder: Path, split: str = SPLIT) -> BeirSet:
    """
    Read a BEIR folder. Judgements may stand in qrels/SPLIT.tsv (beir) or qrels/SPLIT.jsonl (mteb's repositories).

    `split` is a name, several with commas, or "all". Raises EvaluationError that names every wrong line, or the splits
    there are when there is none of this name.
    """
    files = {name: _find(folder / name) for name in (CORPUS, QUERIES)}
    if missing := [name for name, path in files.items() if path is None]:
        raise EvaluationError(
            f"{folder} is no BEIR folder: {' and '.join(missing)} is missing. Give a folder with {CORPUS}, {QUERIES} and "
            f"{QRELS}/{SPLIT}.tsv, or a question set in one JSONL file."
        )
    chosen = _chosen(split, splits(folder), folder)
    wrong: list[str] = []
    texts = {name: read_text(path, "JSON lines") for name, path in files.items() if path}
    rows = {name: list(_json_rows(name, text, wrong)) for name, text in texts.items()}
    content, judgements = [texts[QUERIES]], []
    for name in chosen:
        path = _find(folder / QRELS / f"{name}.tsv") or _find(folder / QRELS / f"{name}.jsonl")
        assert path is not None
        content.append(read_text(path, "lines of query-id, corpus-id and score, parted by tabs"))
        judgements.append((name, path.name, list(_judgements(path.name, content[-1], wrong))))
    digest = hashlib.sha256("\x00".join(content).encode("utf-8", "surrogatepass")).hexdigest()
    name = folder.resolve().name
    return _made(f"The BEIR folder {folder}", name, split, rows[CORPUS], rows[QUERIES], judgements, wrong, digest)


Row = tuple[str, Mapping[str, Any]]
"""Where something stands, for messages ("corpus.jsonl line 3"), and its fields."""


def _made(
    what: str,
    name: str,
    split: str,
    corpus: Iterable[Row],
    asked: Iterable[Row],
    judgements: Sequence[tuple[str, str, Sequence[tuple[str, str, str, Any]]]],
    wrong: list[str],
    digest: str = "",
) -> BeirSet:
    """
    A set of rows; `judgements` is (split, file, rows of place, query, document, grade).

    Raises EvaluationError with everything that is wrong, and with what reading had noted in `wrong`.
    """
    documents = {i: (str(row.get("title") or ""), str(row["text"] or "")) for i, row in _by_id(corpus, wrong)}
    rows = dict(_by_id(asked, wrong))
    qrels: Qrels = {}
    of_split: dict[str, list[str]] = {}
    for part, _, lines in judgements:
        for place, query, document, value in lines:
            try:
                if query not in rows:
                    raise ValueError(f"there is no query {query}")
                judge(qrels, query, document, number(value))
            except ValueError as error:
                wrong.append(f"{place}: {error}")
                continue
            if part not in (known := of_split.setdefault(query, [])):
                known.append(part)
    if wrong or not documents or not qrels:
        problems = "\n  ".join(wrong[:SHOWN]) or "it has no documents or no judgements"
        if len(wrong) > SHOWN:
            problems += f"\n  and {len(wrong) - SHOWN} more"
        raise EvaluationError(f"{what} cannot be used:\n  {problems}")
    slices = {
        query: (*_slices(rows[query]), *(f"split {part}" for part in of_split[query] if len(judgements) > 1))
        for query in qrels
    }
    queries = {i: str(row["text"] or "") for i, row in rows.items()}
    if not digest:
        kept = json.dumps([sorted(queries.items()), sorted((q, sorted(row.items())) for q, row in qrels.items())])
        digest = hashlib.sha256(kept.encode()).hexdigest()
    return BeirSet(name, split, documents, queries, qrels, digest, {query: own for query, own in slices.items() if own})


def _by_id(rows: Iterable[Row], wrong: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(Id, row) of the rows that have an id and a text; an id that is there twice is wrong."""
    seen: set[str] = set()
    for place, row in rows:
        identifier = row.get("_id", row.get("id"))
        if missing := [name for name, there in (("_id", identifier is not None), ("text", "text" in row)) if not there]:
            wrong.append(f"{place}: {' and '.join(missing)} is missing")
        elif str(identifier) in seen:
            wrong.append(f"{place}: the id {identifier} is there twice")
        else:
            seen.add(str(identifier))
            yield str(identifier), row


def _slices(row: Mapping[str, Any]) -> list[str]:
    """The groups that a query says it is in, itself or in its metadata: its language and its tags."""
    metadata = row.get("metadata")
    said = {**(metadata if isinstance(metadata, Mapping) else {}), **row}
    tags = said.get("tags") or ()
    language = said.get("language") or said.get("lang")
    found = [f"language {language}"] if language else []
    return found + [f"tag {tag}" for tag in ([tags] if isinstance(tags, str) else tags)]


def _chosen(split: str, known: Sequence[str], folder: Path) -> list[str]:
    names = list(known) if split == ALL else [name.strip() for name in split.split(",")]
    if not names or (unknown := [name for name in names if name not in known]):
        raise EvaluationError(
            f"{folder} has no judgements for the split {', '.join(unknown) if names else split!r}, only for: "
            f"{', '.join(known) or 'none'}. Choose one with --split, or several with commas."
        )
    return list(dict.fromkeys(names))


def _read_parquet(folder: Path, split: str, subset: str) -> BeirSet:
    """
    The layout of MTEB's data sets on a disk: a folder each for corpus, queries and judgements, with Parquet files named
    by split, "test-00000-of-00001.parquet". Several sets in one folder have a prefix each, "lit-corpus".
    """
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise EvaluationError(f"{folder} holds Parquet files. To read them: pip install 'clusterqa[sets]'") from error
    found: dict[str, dict[str, list[tuple[str, Path]]]] = {}
    try:
        for path in sorted(folder.rglob("*.parquet")):
            where = path.relative_to(folder)
            names = set(parquet.read_schema(path).names)
            kind = (
                "qrels" if {"query-id", "corpus-id"} <= names
                else next((kind for kind in ("corpus", "queries") if kind in str(where).lower()), "")
            )  # fmt: skip
            parts = (m[1] for part in where.parts[:-1] if (m := _SUBSET.fullmatch(part.lower())))
            own = found.setdefault(next(parts, ""), {})
            own.setdefault(kind, []).append((_PART.sub("", path.stem), path))
        if subset not in found:
            raise EvaluationError(
                f"{folder} has no subset {subset!r}, only: {', '.join(filter(None, found))}. Choose one with --subset."
                if any(found)
                else f"{folder} has no subsets. Leave out --subset."
            )
        files = found[subset]
        if missing := [kind for kind in ("corpus", "queries", "qrels") if kind not in files]:
            raise EvaluationError(
                f"{folder} has no Parquet files for: {', '.join(missing)}. Give a folder with corpus/, queries/ and qrels/ "
                "as MTEB has it."
            )
        chosen = _chosen(split, sorted({name for name, _ in files["qrels"]}), folder)

        def rows(kind: str, of: Sequence[str]) -> Iterator[Row]:
            # A corpus of its own for every split, or one for all of them.
            own = [path for name, path in files[kind] if name in of] or [path for _, path in files[kind]]
            for path in own:
                for number, row in enumerate(parquet.read_table(path).to_pylist(), start=1):
                    yield f"{path.relative_to(folder)} row {number}", row

        judgements = [
            (
                name,
                name,
                [(at, str(r["query-id"]), str(r["corpus-id"]), r.get("score")) for at, r in rows("qrels", [name])],
            )
            for name in chosen
        ]
        name = f"{folder.resolve().name}-{subset}" if subset else folder.resolve().name
        corpus, queries = list(rows("corpus", chosen)), list(rows("queries", chosen))
    except (OSError, pyarrow.ArrowException) as error:
        raise EvaluationError(f"A Parquet file in {folder} cannot be read ({error}). Fetch it again.") from error
    return _made(f"The folder {folder}", name, split, corpus, queries, judgements, [])


def _read_ir_datasets(identifier: str) -> BeirSet:
    try:
        import ir_datasets
    except ImportError as error:
        raise EvaluationError(f"To read {identifier}: pip install 'clusterqa[sets]'") from error
    try:
        dataset = ir_datasets.load(identifier)
    except KeyError as error:
        raise EvaluationError(
            f"ir_datasets knows no data set {identifier!r}. Its ids are listed by: ir_datasets list"
        ) from error
    lacking = [kind for kind in ("docs", "queries", "qrels") if not getattr(dataset, f"has_{kind}")()]
    if lacking:
        raise EvaluationError(
            f"The data set {identifier} has no {' and no '.join(lacking)}. Choose one that has documents, queries and "
            "judgements; often that is the id with /test at its end."
        )
    try:
        corpus = [
            (
                f"document {doc.doc_id}",
                {
                    "_id": doc.doc_id,
                    "title": getattr(doc, "title", ""),
                    "text": getattr(doc, "text", None) or doc.default_text(),
                },
            )
            for doc in dataset.docs_iter()
        ]
        queries = [
            (
                f"query {query.query_id}",
                {
                    **query._asdict(),
                    "_id": query.query_id,
                    "text": getattr(query, "text", None) or query.default_text(),
                },
            )
            for query in dataset.queries_iter()
        ]
        lines = [
            (f"judgement {number}", row.query_id, row.doc_id, row.relevance)
            for number, row in enumerate(dataset.qrels_iter(), start=1)
        ]
    except (OSError, RuntimeError) as error:
        raise EvaluationError(
            f"The data set {identifier} cannot be had ({error}). ir_datasets fetches it once; see that it can."
        ) from error
    return _made(f"The data set {identifier}", identifier, "", corpus, queries, [("", "", lines)], [])


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
            path.write_bytes(data)  # half of it is another text, and so is written again next time
    own = settings.model_copy(update={"corpus": corpus, "data": root / "data", **EMBEDDED})
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


_SPLIT_FILE = re.compile(r"(.+)\.(?:tsv|jsonl)(?:\.gz)?")
_PART = re.compile(r"-\d{5}-of-\d{5}.*$")
_SUBSET = re.compile(r"(.+)-(?:corpus|queries|qrels)")
_COLUMNS = 3


def _find(path: Path) -> Path | None:
    """The file, or the gzipped one beside it."""
    return next((found for found in (path, path.with_name(f"{path.name}.gz")) if found.is_file()), None)


def _json_rows(name: str, text: str, wrong: list[str]) -> Iterator[Row]:
    """The objects of a JSONL file."""
    for place, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                row = parsed(line)
                if not isinstance(row, dict):
                    raise ValueError("this is no JSON object {…}")
            except ValueError as error:
                wrong.append(f"{name} line {place}: {error}")
                continue
            yield f"{name} line {place}", row


def _judgements(name: str, text: str, wrong: list[str]) -> Iterator[tuple[str, str, str, Any]]:
    """(Place, query id, document id, grade) of a file of judgements; a TSV file may name its columns in its first line."""
    if ".jsonl" in name:
        for place, data in _json_rows(name, text, wrong):
            if missing := [key for key in ("query-id", "corpus-id", "score") if key not in data]:
                wrong.append(f"{place}: {' and '.join(missing)} is missing")
            else:
                yield place, str(data["query-id"]), str(data["corpus-id"]), data["score"]
        return
    lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    for row in lines:
        place = f"{name} line {lines.line_num}"
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != _COLUMNS:
            mend = " Part them by tabs, not by commas." if len(row) == 1 and "," in row[0] else ""
            told = f"{len(row)} column{'s' * (len(row) > 1)} instead of 3: query-id, corpus-id, score"
            wrong.append(f"{place}: {told}{'.' if mend else ''}{mend}")
        elif lines.line_num > 1 or _is_number(row[2]):
            yield place, row[0], row[1], row[2]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
