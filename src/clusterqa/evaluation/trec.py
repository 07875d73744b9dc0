"""TREC run and qrels files: what other tools of the field read and write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from clusterqa.errors import EvaluationError
from clusterqa.evaluation.files import Qrels, judge, number, read_text
from clusterqa.evaluation.files import write as write_file
from clusterqa.evaluation.measures import SEARCH_MEASURES, interval, scored_values, whole_grades
from clusterqa.evaluation.outcomes import VIEWS, Run
from clusterqa.evaluation.tables import Interval

TAG = "clusterqa"


def write(run: Run, folder: Path) -> list[Path]:
    """
    Write `VIEW.run` and `VIEW.qrels` for each view of a run that has answerable questions; gives their paths.

    A passage is named `document#start-end`, with white space and `%` percent-encoded; a document of a BEIR run by its id.
    The scores of a run fall with every rank, so that tools which order by score see the same ranking. Grades of 0 are
    kept; fractions are made whole, all by one factor.
    """
    written = []
    for view in VIEWS:
        outcomes = [o for o in run.outcomes if o.view == view and o.answerable]
        if not outcomes:
            continue
        judged = {o.id: {row.key: row.score for row in (*o.relevant, *o.irrelevant)} for o in outcomes}
        lines = []
        for o in outcomes:
            scores = falling([row.score for row in o.ranked])
            for rank, (row, score) in enumerate(zip(o.ranked, scores, strict=True), start=1):
                lines.append(f"{_name(o.id)} Q0 {_name(row.key)} {rank} {score:.6f} {TAG}")
        ranked = "".join(f"{line}\n" for line in lines)
        for name, content in ((f"{view}.run", ranked), (f"{view}.qrels", as_qrels(judged))):
            written.append(folder / name)
            write_file(written[-1], content)
    return written


def as_qrels(judged: Mapping[str, Mapping[str, float]]) -> str:
    """Question → passage → grade as a qrels file, grades of 0 too; fractions are made whole, all by one factor."""
    whole, _ = whole_grades(judged)
    lines = (f"{_name(i)} 0 {_name(name)} {value}\n" for i, row in whole.items() for name, value in row.items())
    return "".join(lines)


def score(
    run_file: Path, qrels_file: Path, measures: Sequence[str] = SEARCH_MEASURES
) -> tuple[int, dict[str, Interval]]:
    """
    The number of judged questions, and each measure's mean with its interval.

    Every question of the qrels counts: one that the run does not have is wrong, not missing. A run that has none of them is
    of another set. Raises EvaluationError.
    """
    qrels = read_qrels(qrels_file)
    scores: dict[str, dict[str, float]] = {}
    for place, query, document, found in _read(run_file, (0, 2, 4), 6, "run: query Q0 document rank score tag", number):
        if document in scores.setdefault(query, {}):
            raise EvaluationError(
                f"{run_file} line {place}: it ranks {document} twice for the question {query}. Remove one line."
            )
        scores[query][document] = float(found)
    if scores and not scores.keys() & qrels.keys():
        raise EvaluationError(
            f"{run_file} answers none of the questions that {qrels_file} judges, but {next(iter(scores))!r} and others. "
            f"{qrels_file} judges {next(iter(qrels))!r} and others. Give files with the same question ids."
        )
    values = scored_values(qrels, scores, measures)
    return len(qrels), {measure: interval([row[measure] for row in values.values()]) for measure in measures}


def read_qrels(path: Path) -> Qrels:
    """Query → document → grade, under the names that the file has. Raises EvaluationError, also for a file without judgements."""
    qrels: Qrels = {}
    for place, query, document, value in _read(path, (0, 2, 3), 4, "qrels: query 0 document grade", number):
        try:
            judge(qrels, query, document, value)
        except ValueError as error:
            raise EvaluationError(f"{path} line {place}: {error}.") from error
    if not qrels:
        raise EvaluationError(f"{path} holds no judgements. Give a qrels file: query 0 document grade")
    return qrels


def read_own_qrels(path: Path) -> Qrels:
    """The same of a file that `write` made, under the names that they had before."""
    qrels = read_qrels(path)
    return {unquote(query): {unquote(name): value for name, value in row.items()} for query, row in qrels.items()}


def falling(scores: Sequence[float]) -> list[float]:
    """The scores, each at least a millionth below the one before it."""
    result: list[float] = []
    for value in scores:
        result.append(round(min(value, result[-1] - 1e-6) if result else value, 6))
    return result


def _read(
    path: Path, columns: tuple[int, int, int], width: int, shape: str, read: Callable[[str], float]
) -> Iterator[tuple[int, str, str, float]]:
    """(Line, query, document, number) of a file whose columns are parted by white space."""
    for place, line in enumerate(read_text(path, f"a TREC {shape}").split("\n"), start=1):
        cells = line.split()
        if not cells:
            continue
        try:
            if len(cells) != width:
                mend = ", parted by spaces and not by commas" if len(cells) == 1 and "," in line else ""
                raise ValueError(f"{len(cells)} column{'s' * (len(cells) > 1)} instead of {width}{mend}")
            query, document, value = (cells[column] for column in columns)
            found = place, query, document, read(value)
        except ValueError as error:
            raise EvaluationError(f"{path} line {place}: {error}. Each line of a TREC {shape}") from error
        yield found


def _name(text: str) -> str:
    return re.sub(r"[\s%]", lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), text)
