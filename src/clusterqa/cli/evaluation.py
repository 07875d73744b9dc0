"""`clusterqa eval …`: runs, comparison, gate, sweep, calibration, on the command line."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clusterqa import extras
from clusterqa.cli import common
from clusterqa.cli.common import Command, echo, json_option, settings_options
from clusterqa.evaluation.splits import SPLITS

if TYPE_CHECKING:
    from clusterqa.evaluation.compare import Comparison, Contest
    from clusterqa.evaluation.figures import Figure
    from clusterqa.evaluation.outcomes import Outcome, Run
    from clusterqa.evaluation.tables import Interval
    from clusterqa.settings import Settings

CANNOT_COMPARE = 2
"""Exit status of the gate when a run cannot be held to its floors; 1 is a regression."""

split_option = click.option(
    "--split",
    "--half",  # as it was called once
    type=click.Choice(SPLITS),
    default="held",
    show_default=True,
    help="The kept-out split, the fitting split, or all of the questions.",
)
set_split_option = click.option(
    "--split",
    "--half",
    help="Of a question set: held, fit or all.  [default: held]  Of a set with its own documents: which judgements, several "
    "with commas, or all.  [default: test]",
)
subset_option = click.option("--subset", help="Which of the sets in a folder of MTEB, by its prefix: lit.")
FILE = click.Path(path_type=Path)


def format_options(command: Command) -> Command:
    """--json, --csv and --latex, of which one may be given; the command gets its name, or "", as `form`."""

    @json_option
    @click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a line for each figure, at full precision.")
    @click.option("--latex", "as_latex", is_flag=True, help="Print a LaTeX table (booktabs).")
    @wraps(command)
    def with_form(as_json: bool, as_csv: bool, as_latex: bool, **rest: Any) -> Any:
        chosen = [name for name, given in (("json", as_json), ("csv", as_csv), ("latex", as_latex)) if given]
        if len(chosen) > 1:
            raise click.UsageError(f"Give one of --{' and --'.join(chosen)}.")
        return command(form="".join(chosen), **rest)

    return with_form


@click.group("eval")
def evaluate() -> None:
    """Measure answers on questions with known answers."""


@evaluate.command("run")
@settings_options
@click.argument("questions", metavar="SET", type=FILE)
@click.option("-o", "--output", type=FILE, help="Keep the run in this file; gzipped when it ends in .gz.")
@set_split_option
@click.option(
    "--variants",
    "--twins",  # as it was called once
    "with_variants",
    is_flag=True,
    help="Also ask each Lithuanian question without diacritics, and with a typing error.",
)
@subset_option
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with a run that was broken off; with -o, beside which it keeps what was asked.",
)
@click.option("--trec", type=FILE, help="Also write TREC run and qrels files into this folder.")
@format_options
def run_command(
    settings: Settings,
    questions: Path,
    output: Path | None,
    split: str | None,
    with_variants: bool,
    subset: str | None,
    resume: bool,
    trec: Path | None,
    form: str,
) -> None:
    """
    Ask every question of a set. Prints the measures of one split by direction.

    SET is a JSONL file of questions; or a set with its own documents, which are indexed and searched: a BEIR folder, a
    folder with Parquet files as MTEB has it, or ir_datasets:ID.
    """
    from clusterqa.evaluation.beir import is_foreign
    from clusterqa.evaluation.run import run
    from clusterqa.evaluation.sets import read_set
    from clusterqa.evaluation.trec import write as write_trec
    from clusterqa.evaluation.variants import variants

    extras.need("eval", "Evaluation")
    if resume and not output:
        raise click.UsageError("--resume needs a run to go on with: name its file with -o.")
    kept = output.with_name(output.name + ".asked") if output and resume else None
    with _resumable(kept):
        if is_foreign(questions):
            result, split = _run_beir(settings, questions, split or "", subset or "", kept), "all"
        else:
            if subset:
                raise click.UsageError("--subset is of a folder of MTEB, not of a question set.")
            split = split or "held"
            if split not in SPLITS:
                raise click.UsageError(f"--split of a question set is one of {', '.join(SPLITS)}, not {split!r}.")
            items = read_set(questions)
            items += variants(items) if with_variants else []
            result = run(items, settings, common.load_encoder(settings)(), _ticks(len(items), "Asking"), resume=kept)
    if output:
        result.write(output)
    if kept:
        kept.unlink(missing_ok=True)
    if trec:
        written = write_trec(result, trec)
        for path in written:
            echo(f"Wrote {path}.", err=True)
        if not written:
            common.remark(f"Nothing is written into {trec}: no question of the set has a known answer.")
    _show_run(result, split, form)


@evaluate.command("table")
@click.argument("run_file", metavar="RUN", type=FILE)
@split_option
@format_options
def table_command(run_file: Path, split: str, form: str) -> None:
    """Print the measures of a run again, for programs and papers."""
    from clusterqa.evaluation.outcomes import Run

    run = Run.read(run_file)
    _show_run(run, "all" if run.kind == "beir" else split, form)


@evaluate.command("check")
@settings_options
@click.argument("questions", metavar="SET", type=FILE)
@set_split_option
@subset_option
def check_command(settings: Settings, questions: Path, split: str | None, subset: str | None) -> None:
    """Say what is wrong with a set. Which quotes no longer stand in their document; in a set with its own documents, which are missing."""
    from clusterqa.evaluation.beir import is_foreign, read_foreign
    from clusterqa.evaluation.sets import read_set, stale
    from clusterqa.store import open_store

    if is_foreign(questions):
        beir = read_foreign(questions, split or "", subset or "")
        lost = [
            f"{q}: there is no document {d}" for q, row in beir.qrels.items() for d in row if d not in beir.documents
        ]
        echo("".join(f"{line}\n" for line in lost), nl=False)
        echo(
            f"{len(beir.documents)} documents, {len(beir.qrels)} judged queries; {len(lost)} judgements of documents that are not there."
        )
        raise SystemExit(1 if lost else 0)
    items = read_set(questions)
    with open_store(settings.home) as store:
        lines = stale(items, store)
    for line in lines:
        echo(line)
    echo(f"{len(items)} questions, {len(lines)} quotes that no longer stand in their document.")
    if lines:
        raise SystemExit(1)


@evaluate.command("compare")
@click.argument("runs", nargs=-1, required=True, type=FILE)
@split_option
@click.option("--measure", default="hit@1", show_default=True, help="hit@1, hit@3, nDCG@10, refused, …")
@format_options
def compare_command(runs: tuple[Path, ...], split: str, measure: str, form: str) -> None:
    """
    Compare runs, and say whether a difference may be chance.

    Two are compared question by question (wins, losses, ties); more stand beside each other.

    The column Holm has p corrected for all tests that are shown.
    """
    from clusterqa.evaluation.compare import compare, contest
    from clusterqa.evaluation.outcomes import Run

    if len(runs) < 2:
        raise click.UsageError("Give at least two runs to compare.")
    read = [Run.read(path) for path in runs]
    if len(read) == 2 and form not in ("csv", "latex"):
        compared = compare(read[0], read[1], measure, split)
        if form == "json":
            _print_json(_comparison_as_json(compared))
        else:
            _print_comparison(compared)
    else:
        _show_contest(contest(read, measure, split), _labels(runs), form)


@evaluate.command("gate")
@click.argument("run_file", metavar="RUN", type=FILE)
@click.option("--baseline", "file", required=True, type=FILE, help="Floors and what they were measured on.")
@click.option("--write", is_flag=True, help="Write the baseline from this run, instead of holding the run to it.")
@click.option("--lower", is_flag=True, help="With --write: also where that lowers a floor.")
@json_option
@click.option("--junit", type=FILE, help="Also write what passed and what did not as JUnit XML into this file.")
def gate_command(run_file: Path, file: Path, write: bool, lower: bool, as_json: bool, junit: Path | None) -> None:
    """
    Hold a run to its floors. Exit 0 passed, 1 a regression, 2 cannot be compared. Never lowers a floor itself.

    In a GitHub workflow the verdicts also go into the summary of the step, and what fell becomes an annotation.
    """
    from clusterqa.errors import EvaluationError
    from clusterqa.evaluation import continuous
    from clusterqa.evaluation.files import write as write_file
    from clusterqa.evaluation.gate import Baseline, baseline_of, hold, lowered
    from clusterqa.evaluation.outcomes import Run

    try:
        run = Run.read(run_file)
        if write:
            new = baseline_of(run)
            lost = lowered(new, Baseline.read(file)) if file.exists() else []
            if lost and not lower:
                echo(f"Not written: it would lower {', '.join(lost)}. If that is meant, add --lower.")
                raise SystemExit(1)
            new.write(file)
            echo(f"Wrote {file}.", err=as_json)
            return
        verdicts = hold(run, Baseline.read(file))
        if junit:
            write_file(junit, continuous.as_junit(verdicts, run.created))
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            write_file(Path(summary), continuous.as_summary(verdicts, run_file.name), append=True)
    except EvaluationError as error:
        echo(f"Error: {error}", err=True)
        if as_json:
            _print_json({"passed": False, "error": str(error), "verdicts": []})
        if junit and not junit.is_dir():
            write_file(junit, continuous.as_junit([], error=str(error)))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            echo(continuous.annotation("Cannot be compared", str(error)), err=True)
        raise SystemExit(CANNOT_COMPARE) from error
    passed = all(verdict.passed for verdict in verdicts)
    if as_json:
        _print_json({"passed": passed, "verdicts": [{**asdict(v), "passed": v.passed} for v in verdicts]})
    else:
        for verdict in verdicts:
            echo(
                f"{'ok ' if verdict.passed else 'BAD'} {verdict.name}: {_percent(verdict.value)} "
                f"(floor {_percent(verdict.floor)}, {verdict.questions} questions)"
            )
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for verdict in verdicts:
            if not verdict.passed:  # on stderr, so that --json stays JSON; the workflow reads both
                echo(continuous.annotation(f"Fell: {verdict.name}", continuous.told(verdict)), err=True)
    if not passed:
        raise SystemExit(1)


@evaluate.command("report")
@click.argument("run_file", metavar="RUN", type=FILE)
@click.option("--against", type=FILE, metavar="OTHER", help="An earlier run of the same questions, to compare with.")
@click.option("-o", "--output", type=FILE, default=Path("report.html"), show_default=True, help="The page.")
@click.option("--markdown", type=FILE, help="Also write a short version for a pull request into this file.")
@click.option(
    "--shifted", type=FILE, metavar="RUN", help="A run on another subject, to see what the confidence is worth there."
)
@split_option
def report_command(
    run_file: Path, against: Path | None, output: Path, markdown: Path | None, shifted: Path | None, split: str
) -> None:
    """Make a page to look at. Tables, curves, every failure; with --against, what changed, side by side."""
    extras.need("eval", "Evaluation")
    from clusterqa.evaluation import report
    from clusterqa.evaluation.files import write
    from clusterqa.evaluation.outcomes import Run

    other = Run.read(against) if against else None
    made = report.build(
        Run.read(run_file),
        other,
        split=split,
        name=run_file.name,
        other=against.name if against else "",
        shifted=Run.read(shifted) if shifted else None,
    )
    write(output, report.as_html(made))
    echo(f"Wrote {output}.")
    if markdown:
        write(markdown, report.as_markdown(made))
        echo(f"Wrote {markdown}.")


@evaluate.command("score")
@click.argument("run_file", metavar="RUN.trec", type=FILE)
@click.argument("qrels", metavar="QRELS", type=FILE)
@click.option(
    "-m", "--measure", "measures", multiple=True, help="By a name of ir_measures, or unjudged@10; may be repeated."
)
@format_options
def score_command(run_file: Path, qrels: Path, measures: tuple[str, ...], form: str) -> None:
    """Score a TREC run against a qrels file. Any search may have made it; both may be gzipped."""
    extras.need("eval", "Evaluation")
    from clusterqa.evaluation.measures import SEARCH_MEASURES
    from clusterqa.evaluation.trec import score

    questions, values = score(run_file, qrels, measures or SEARCH_MEASURES)
    if form == "json":
        _print_json({"questions": questions, "measures": {name: _triple(found) for name, found in values.items()}})
        return
    if form:
        _print_figures([(run_file.name, questions, name, found) for name, found in values.items()], form)
        return
    echo(f"{questions} judged questions   % [95 % interval]")
    for name, found in values.items():
        echo(f"{name:22} {_interval(found)}")


@evaluate.command("sweep")
@settings_options
@click.argument("questions", metavar="SET", type=FILE)
@click.option(
    "--vary",
    multiple=True,
    required=True,
    metavar="NAME=V1,V2",
    help="encoder, passage_chars, or a constant of the search; may be repeated.",
)
@click.option(
    "--split",
    "--half",
    type=click.Choice(SPLITS),
    default="fit",
    show_default=True,
    help="Tune on the fitting split; the kept-out split is for measuring.",
)
@click.option("--measure", default="hit@1", show_default=True, help="hit@1, hit@3, nDCG@10, …")
@click.option("-o", "--output", type=FILE, help="Keep the table as JSON in this file.")
def sweep_command(
    settings: Settings, questions: Path, vary: tuple[str, ...], split: str, measure: str, output: Path | None
) -> None:
    """Run a set under every combination of settings. Prints a line for each, by direction."""
    extras.need("eval", "Evaluation")
    from clusterqa.errors import EvaluationError
    from clusterqa.evaluation.files import write
    from clusterqa.evaluation.sets import read_set
    from clusterqa.evaluation.sweep import parse_grid, sweep
    from clusterqa.evaluation.tables import TABLE_MEASURES, as_table, by_direction

    grid = parse_grid(vary)
    if measure not in TABLE_MEASURES:
        raise EvaluationError(f"There is no measure {measure!r}. Measures: {', '.join(TABLE_MEASURES)}.")
    items = [item for item in read_set(questions) if split in ("all", item.split)]
    rows: list[dict[str, Any]] = []
    width = max(len(_values(dict.fromkeys(grid, ""))), 24)
    for tried in sweep(items, settings, grid, lambda own: common.load_encoder(own)()):
        table = by_direction(as_table(tried.run.outcomes))
        if not rows:
            heads = "  ".join(f"{row['what']:>8}" for row in table)
            echo(f"{measure + ', %':{width}}  {heads}")
        cells = "  ".join(f"{_percent(row[measure][0]):>8}" for row in table)
        echo(f"{_values(tried.values):{width}}  {cells}")
        rows.append(
            {
                "values": tried.values,
                "encoder": tried.run.encoder,
                "rows": _plain(table),
            }
        )
    if output:
        write(output, _as_json(rows) + "\n")


@evaluate.command("calibrate")
@settings_options
@click.argument("run_files", metavar="RUN…", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", type=FILE, help="Where it goes.  [default: DATA/profile.json]")
def calibrate_command(settings: Settings, run_files: tuple[Path, ...], output: Path | None) -> None:
    """
    Fit the confidence on the fitting split of a run.

    Several runs, of documents of unlike subjects, make it hold on subjects that it has not seen.
    """
    extras.need("eval", "Evaluation")
    from clusterqa.evaluation.calibrate import check_encoder, fit_profile
    from clusterqa.evaluation.files import write
    from clusterqa.evaluation.outcomes import Run

    runs = [Run.read(run_file) for run_file in run_files]
    if output is None:
        check_encoder(runs[0], settings.home)
    target = output or settings.data / "profile.json"
    fitted = fit_profile(runs)
    write(target, fitted.as_text())
    echo(f"Wrote {target}: operating point {fitted.calibration.threshold}, for the encoder {fitted.encoder}.")


@evaluate.command("pool")
@settings_options
@click.argument("run_files", metavar="RUN…", type=FILE, nargs=-1, required=True)
@click.option("--depth", default=10, show_default=True, type=click.IntRange(1, 100), help="Passages of each ranking.")
@split_option
@click.option(
    "-o", "--output", type=FILE, help="Where the list goes.  [default: DATA/pool.jsonl, where the desk looks]"
)
def pool_command(settings: Settings, run_files: tuple[Path, ...], depth: int, split: str, output: Path | None) -> None:
    """
    List passages that runs found and nobody has judged. People judge them at the desk (/staff/judging).

    Whoever judges sees neither the run nor the rank. `clusterqa eval judged` makes qrels of what they said.
    """
    from clusterqa.evaluation.outcomes import Run
    from clusterqa.evaluation.pool import POOL, pool, write_pool
    from clusterqa.store import open_store

    runs = dict(zip(_labels(run_files), map(Run.read, run_files), strict=True))
    with open_store(settings.home) as store:
        pooled, lost = pool(runs, store, depth, split)
    target = output or settings.data / POOL
    write_pool(target, pooled)
    asked = len({one.question for one in pooled})
    echo(f"Wrote {target}: {len(pooled)} unjudged passages for {asked} questions. People judge them at /staff/judging")
    if lost:
        echo(f"{lost} passages are left out: their text is no longer there. Make the runs again.", err=True)


@evaluate.command("judged")
@settings_options
@click.option("-o", "--output", type=FILE, help="Write qrels here, and beside them (.jsonl) who judged what, and when.")
@click.option(
    "--known", type=FILE, help="Qrels of `eval run --trec`: what the question set knows goes into -o too, as right."
)
@json_option
def judged_command(settings: Settings, output: Path | None, known: Path | None, as_json: bool) -> None:
    """
    Say how far people agree, and make qrels of what they judged. 2 is right, 1 partly, 0 wrong.

    A passage has the grade that most of them gave; one about which they differ is left out until a third has judged it.
    """
    from clusterqa.errors import EvaluationError
    from clusterqa.evaluation.files import write
    from clusterqa.evaluation.pool import agreement, settle, with_known
    from clusterqa.evaluation.trec import as_qrels, read_own_qrels
    from clusterqa.staff.judgements import judgements_in

    if known and not output:
        raise click.UsageError("--known needs a file to write to: name it with -o.")
    told = judgements_in(settings.home)
    settled = settle(told)
    pairs = agreement(told)
    if output:
        if not told:
            raise EvaluationError(
                f"Nobody has judged a passage yet, so {output} is not written. Make a list with: clusterqa eval pool RUN. People "
                "judge it at /staff/judging"
            )
        grades = with_known(settled.grades, read_own_qrels(known)) if known else settled.grades
        write(output, as_qrels(grades))
        lines = (json.dumps(asdict(one), ensure_ascii=False) for one in told)
        write(output.with_name(output.name + ".jsonl"), "".join(f"{line}\n" for line in lines))
        echo(f"Wrote {output} and {output.name}.jsonl.", err=True)
    if as_json:
        facts = {
            "judgements": len(told), "settled": settled.count, "by one": settled.by_one,
            "differing": len(settled.differing),
        }  # fmt: skip
        _print_json({**facts, "agreement": [asdict(pair) for pair in pairs]})
        return
    echo(
        f"{len(told)} judgements; {settled.count} passages settled ({settled.by_one} by one person alone), "
        f"{len(settled.differing)} about which people differ."
    )
    for pair in pairs:
        kappa = "not defined (all the same)" if pair.kappa is None else f"{pair.kappa:.2f}"
        echo(
            f"{pair.first}, {pair.second}: {pair.passages} passages, agreed {_percent(pair.observed)}, Cohen's kappa {kappa}"
        )


@evaluate.command("propose")
@settings_options
@click.argument("questions", metavar="SET", type=FILE)
@click.option("-n", "most", default=20, show_default=True, type=click.IntRange(1), help="How many passages.")
@click.option("-o", "--output", type=FILE, help="Keep the list in this file, as --json prints it.")
@json_option
def propose_command(settings: Settings, questions: Path, most: int, output: Path | None, as_json: bool) -> None:
    """
    List what a question set does not cover. Passages that no known answer stands in, and what the desk has answered.

    These are candidates for people. No question is made up here, and nothing is put into the set.
    """
    from clusterqa.evaluation.files import write
    from clusterqa.evaluation.pool import not_yet, uncovered
    from clusterqa.evaluation.sets import read_set
    from clusterqa.staff.answers import QUESTIONS
    from clusterqa.store import open_store

    items = read_set(questions)
    with open_store(settings.home) as store:
        bare, count = uncovered(items, store)
    answered = settings.data / QUESTIONS
    wordings = not_yet(items, read_set(answered)) if answered.exists() else []
    found = {
        "passages": count, "uncovered": len(bare), "candidates": [asdict(one) for one in bare[:most]],
        "answered at the desk": [asdict(item) for item in wordings],
    }  # fmt: skip
    if output:
        write(output, _as_json(found) + "\n")
        echo(f"Wrote {output}.", err=True)
    if as_json:
        echo(_as_json(found))
        return
    echo(f"{len(bare)} of {count} passages hold no known answer of {questions.name}.")
    for one in bare[:most]:
        echo(f"\n{' › '.join((one.document, *one.heading))}  [{one.start}–{one.end}]")
        echo(f"  {' '.join(one.text.split())[:300]}")
    if wordings:
        echo(f"\n{len(wordings)} questions that the desk has answered are not in the set ({answered}):")
        for item in wordings:
            echo(f"  {item.language}  {item.question}")


def _run_beir(settings: Settings, source: Path, split: str, subset: str, resume: Path | None) -> Run:
    from clusterqa.evaluation.beir import index, read_foreign
    from clusterqa.evaluation.run import run_beir

    beir = read_foreign(source, split, subset)
    encoder = common.load_encoder(settings)()
    echo(f"Indexing {len(beir.documents)} documents of {beir.name} …", err=True)
    own, report = index(beir, settings, lambda: encoder)
    if report.unreadable:
        first = report.unreadable[0]
        echo(f"{len(report.unreadable)} documents have no text that can be searched, the first: {first}", err=True)
    return run_beir(beir, own, encoder, _ticks(len(beir.qrels), "Searching"), resume=resume)


@contextmanager
def _resumable(kept: Path | None) -> Iterator[None]:
    """Says, when a run is broken off, that what was asked is kept."""
    try:
        yield
    except KeyboardInterrupt:
        if kept and kept.exists():
            common.remark("\nWhat was asked is kept. The same command goes on after it.")
        raise


def _ticks(total: int, title: str) -> Callable[[], None]:
    """A progress bar on stderr that moves by one with every call."""

    steps = iter(common.progress(list(range(total)), title))
    next(steps, None)

    def tick() -> None:
        next(steps, None)

    return tick


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.1f} %"


def _interval(values: Interval) -> str:
    mean, low, high = values
    return "–" if math.isnan(mean) else f"{100 * mean:5.1f} [{100 * low:.0f}–{100 * high:.0f}]"


def _values(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())


def _plain(table: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose intervals are lists, without those that were not taken: JSON has no nan."""
    return [
        {
            name: list(cell) if isinstance(cell, tuple) else cell
            for name, cell in row.items()
            if not isinstance(cell, tuple) or cell[0] == cell[0]
        }
        for row in table
    ]


def _print_rows(rows: Sequence[dict[str, Any]], measures: Sequence[str]) -> None:
    """One table: a line for each row, a column for each measure."""
    if not rows:
        return
    width = max(22, *(len(row["what"]) for row in rows))
    heads = "  ".join(f"{measure:>17}" for measure in measures)
    echo(f"\n{'% [95 % interval]':{width}} {'n':>5}  {heads}")
    for row in rows:
        cells = "  ".join(f"{_interval(row[measure]):>17}" for measure in measures)
        echo(f"{row['what']:{width}} {row['questions']:5}  {cells}")


def _as_json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1)


def _print_json(data: Any) -> None:
    echo(_as_json(data))


def _triple(values: Interval) -> dict[str, float]:
    return dict(zip(("mean", "low", "high"), values, strict=True))


def _print_figures(figures: Iterable[Figure], form: str) -> None:
    """CSV or LaTeX, as `form` says."""
    from clusterqa.evaluation.typeset import as_csv, as_latex

    echo((as_csv if form == "csv" else as_latex)(list(figures)), nl=False)


def _show_run(run: Run, split: str, form: str) -> None:
    from clusterqa.evaluation.figures import figures, flat

    if not any(split in ("all", outcome.split) for outcome in run.outcomes):
        common.remark(f"None of the questions is of the split {split!r}; the id of each decides. Try --split all.")
    if not form:
        _print_run(run, split)
        return
    found = figures(run, split)
    if form == "json":
        facts = {
            name: getattr(run, name) for name in ("kind", "created", "questions_sha256", "encoder", "corpus_sha256")
        }
        _print_json({**facts, "settings": run.settings, "threshold": run.threshold, "versions": run.versions, **found})
    else:
        _print_figures(flat(found), form)


def _labels(paths: Sequence[Path]) -> list[str]:
    """The names of the files, with their folders where two are alike."""
    names = [path.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _show_contest(found: Contest, labels: Sequence[str], form: str) -> None:
    if form == "json":
        tests = [
            {"first": labels[i], "second": labels[j], **asdict(row)} for i, j, row in found.tests
        ]  # fmt: skip
        rows = [
            {"what": what, "runs": [{"run": name, **_triple(own)} for name, own in zip(labels, values, strict=True)]}
            for what, values in found.rows.items()
        ]
        _print_json({"measure": found.measure, "rows": rows, "tests": tests})
        return
    counts = {row.what: row.questions for *_, row in found.tests}
    if form:
        means = (
            (what, counts[what], labels[i], own) for what, values in found.rows.items() for i, own in enumerate(values)
        )
        _print_figures(means, form)
        return
    for number, label in enumerate(labels, start=1):
        echo(f"{number}  {label}")
    echo(f"\n{found.measure + ', %':14} {'n':>5}  " + "  ".join(f"{i:>17}" for i in range(1, len(labels) + 1)))
    for what, values in found.rows.items():
        echo(f"{what:14} {counts[what]:5}  " + "  ".join(f"{_interval(own):>17}" for own in values))
    echo(f"\n{'':14} {'':>7}  {'won':>5} {'lost':>5} {'alike':>5}  {'p':>6}  {'Holm':>6}")
    for i, j, row in found.tests:
        echo(
            f"{row.what:14} {f'{i + 1} → {j + 1}':>7}  {row.wins:5} {row.losses:5} {row.ties:5}  {row.p:6.4f}  {row.holm:6.4f}"
        )


def _print_run(run: Run, split: str) -> None:
    from clusterqa.evaluation import tables
    from clusterqa.evaluation.measures import SEARCH_MEASURES, SHORT_MEASURES, UNJUDGED

    outcomes = [o for o in run.outcomes if split in ("all", o.split)]
    if not outcomes:
        return
    table = tables.as_table(outcomes)
    if run.kind == "questions":
        _print_rows(table, tables.ANSWER_MEASURES)
        _print_rows([row for row in table if not math.isnan(row[SHORT_MEASURES[0]][0])], SHORT_MEASURES)
    _print_rows(table, SEARCH_MEASURES if run.kind == "questions" else (*SEARCH_MEASURES, UNJUDGED))
    if run.kind == "questions":
        _print_rows(tables.by_direction(table), tables.ALONE)
        _print_rows(tables.variant_table(run, split), (*tables.ANSWER_MEASURES, "nDCG@10"))
        echo("")
        for name, found in {**tables.refusals(outcomes), **tables.soundness(outcomes)}.items():
            echo(f"{name:22} {_interval(found)}")
        surest = tables.surest(outcomes)
        for name, found in surest.items():
            if name.startswith("accuracy"):
                echo(f"{name:22} {_interval(found)}")
        for name, (count, found) in tables.consistency(run, split).items():
            echo(f"{'pairs, ' + name:22} {_interval(found)}  of {count}")
        area, low, high = surest["risk–coverage area"]
        echo(f"{'risk–coverage area':22} {area:.3f} [{low:.3f}–{high:.3f}]")
        echo(f"{'calibration error':22} {tables.confidence(outcomes)['calibration error']:.3f}")
    echo("")
    for stage, times in tables.latencies(outcomes).items():
        shown = ", ".join(f"{name} {time:.1f}" for name, time in times.items())
        echo(f"{stage + ', ms':22} {shown}")
    if run.peak_memory_bytes:
        echo(f"{'memory, MiB':22} {run.peak_memory_bytes / 2**20:.0f}")
    if run.index_bytes:
        echo(f"{'index, MiB':22} {run.index_bytes / 2**20:.1f}")
    gone = sum(place.start is None for asked in run.questions for place in asked.gold)
    if gone:
        echo(f"{gone} known answers no longer stand in their document and count as wrong; see: clusterqa eval check")
    failed = [o for o in outcomes if o.status == "error"]
    for outcome in failed[:10]:
        echo(f"failed: {outcome.id} ({outcome.view}): {outcome.error}")


def _print_comparison(compared: Comparison) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    echo(
        f"{compared.measure:14} {'n':>5}  {'first':>8}  {'second':>8}  {'won':>5} {'lost':>5} {'alike':>5}  {'p':>6}  {'Holm':>6}"
    )
    for row in compared.rows:
        echo(
            f"{row.what:14} {row.questions:5}  {_percent(row.before):>8}  {_percent(row.after):>8}  "
            f"{row.wins:5} {row.losses:5} {row.ties:5}  {row.p:6.4f}  {row.holm:6.4f}"
        )
    changed = [pair for pair in compared.pairs if pair.before != pair.after]
    if not changed:
        return
    table = Table(show_lines=True)
    for title in ("", "question", "first", "second"):
        table.add_column(title, overflow="fold")
    for pair in changed:
        sides = [_shown(outcome, value) for outcome, value in ((pair.first, pair.before), (pair.second, pair.after))]
        table.add_row("+" if pair.after > pair.before else "-", Text(f"{pair.id} {pair.row}"), *map(Text, sides))
    console = Console()
    Console(width=max(console.width, 100)).print(table)


def _shown(outcome: Outcome | None, value: float) -> str:
    if outcome is None:
        return "not in this run"
    told = outcome.error or outcome.quote or outcome.status
    return f"{value:g} {told}" + (f" [{outcome.document}]" if outcome.document else "")


def _comparison_as_json(compared: Comparison) -> dict[str, Any]:
    return {
        "measure": compared.measure,
        "rows": [asdict(row) for row in compared.rows],
        "questions": [
            {
                "id": pair.id,
                "direction": pair.row,
                "before": pair.before,
                "after": pair.after,
                "first": pair.first.quote if pair.first else None,
                "second": pair.second.quote if pair.second else None,
            }
            for pair in compared.pairs
        ],
    }
