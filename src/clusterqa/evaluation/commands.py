"""`clusterqa eval …`: runs, comparison, gate, calibration, on the command line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from clusterqa.evaluation.run import Outcome
    from clusterqa.settings import Settings

TOLERATED_QUESTIONS = 1
"""A floor may be missed by the effect of so many questions before the gate calls it a regression."""


def add_to(cli: click.Group, settings_options: Any) -> None:
    """Hang the `eval` group into the command line."""

    @cli.group("eval")
    def evaluate() -> None:
        """Measure answers on questions with known answers."""

    @evaluate.command("run")
    @settings_options
    @click.argument("questions", type=click.Path(path_type=Path))
    @click.option("-o", "--output", type=click.Path(path_type=Path), help="Keep the run in this file.")
    @click.option("--half", type=click.Choice(["held", "fit", "all"]), default="held", show_default=True)
    def run_command(settings: Settings, questions: Path, output: Path | None, half: str) -> None:
        """Ask every question of a set; prints the measures of one half by direction."""
        from clusterqa.cli import load_encoder, progress
        from clusterqa.evaluation.run import run
        from clusterqa.evaluation.sets import read_set

        items = read_set(questions)
        ticks = iter(progress(items, "Asking"))
        result = run(items, settings, load_encoder(settings)(), lambda: next(ticks, None) and None)
        if output:
            result.write(output)
        _print_tables([o for o in result.outcomes if half in ("all", o.half)])

    @evaluate.command("check")
    @settings_options
    @click.argument("questions", type=click.Path(path_type=Path))
    def check_command(settings: Settings, questions: Path) -> None:
        """Say which quotes of a set no longer stand in their document."""
        from clusterqa.evaluation.sets import read_set, stale
        from clusterqa.store import Store

        items = read_set(questions)
        with Store.open(settings.data) as store:
            lines = stale(items, store)
        for line in lines:
            click.echo(line)
        click.echo(f"{len(items)} questions, {len(lines)} quotes that no longer stand in their document.")
        if lines:
            raise SystemExit(1)

    @evaluate.command("compare")
    @click.argument("first", type=click.Path(path_type=Path))
    @click.argument("second", type=click.Path(path_type=Path))
    @click.option("--half", type=click.Choice(["held", "fit", "all"]), default="held", show_default=True)
    def compare_command(first: Path, second: Path, half: str) -> None:
        """Compare two runs question by question: wins, losses, ties, and whether it may be chance."""
        from clusterqa.errors import NotComparable
        from clusterqa.evaluation.measures import randomisation_test
        from clusterqa.evaluation.run import Run

        a, b = Run.read(first), Run.read(second)
        if a.questions_sha256 != b.questions_sha256:
            raise NotComparable("The two runs rest on different questions. Run both on the same set.")
        left = {(o.id, o.view): o for o in a.outcomes if half in ("all", o.half) and o.answerable}
        right = {(o.id, o.view): o for o in b.outcomes if half in ("all", o.half) and o.answerable}
        both = sorted(set(left) & set(right))
        x, y = [float(left[k].rank == 1) for k in both], [float(right[k].rank == 1) for k in both]
        wins, losses = sum(p < q for p, q in zip(x, y, strict=True)), sum(p > q for p, q in zip(x, y, strict=True))
        click.echo(
            f"hit@1 {_percent(sum(x) / len(x))} → {_percent(sum(y) / len(y))} on {len(both)} questions and views"
        )
        click.echo(f"{wins} won, {losses} lost, {len(both) - wins - losses} alike; p = {randomisation_test(x, y):.4f}")
        for key in both:
            if (left[key].rank == 1) != (right[key].rank == 1):
                sign = "+" if right[key].rank == 1 else "-"
                click.echo(f"{sign} {key[0]} ({key[1]}): {left[key].quote[:60]!r} → {right[key].quote[:60]!r}")

    @evaluate.command("gate")
    @click.argument("run_file", metavar="RUN", type=click.Path(path_type=Path))
    @click.option(
        "--baseline", required=True, type=click.Path(path_type=Path), help="Floors and what they were measured on."
    )
    @click.option("--write", is_flag=True, help="Write the baseline from this run, instead of holding the run to it.")
    def gate_command(run_file: Path, baseline: Path, write: bool) -> None:
        """Hold a run to its floors: exit 0 passed, 1 a regression, 2 cannot be compared. Never lowers a floor itself."""
        from clusterqa.evaluation.run import Run

        run = Run.read(run_file)
        values = _gate_values([o for o in run.outcomes if o.half == "held"])
        if write:
            content = {"questions_sha256": run.questions_sha256, "encoder": run.encoder, "floors": values}
            baseline.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            click.echo(f"Wrote {baseline}.")
            return
        try:
            known = json.loads(baseline.read_text(encoding="utf-8"))
            floors: dict[str, Any] = known["floors"]
        except (OSError, ValueError, KeyError) as error:
            click.echo(
                f"{baseline} is not a baseline ({error}). Make one with: clusterqa eval gate RUN --baseline FILE --write"
            )
            raise SystemExit(2) from error
        if known["questions_sha256"] != run.questions_sha256:
            click.echo(
                "The floors were measured on other questions. Look at the run, then: clusterqa eval gate … --write"
            )
            raise SystemExit(2)
        failed = False
        for name, floor in floors.items():
            value = values[name]
            allowed = floor["value"] - TOLERATED_QUESTIONS / floor["questions"]
            passed = value["value"] >= allowed - 1e-9
            failed |= not passed
            mark = "ok " if passed else "BAD"
            click.echo(
                f"{mark} {name}: {_percent(value['value'])} (floor {_percent(floor['value'])}, {floor['questions']} questions)"
            )
        if failed:
            raise SystemExit(1)

    @evaluate.command("calibrate")
    @settings_options
    @click.argument("run_file", metavar="RUN", type=click.Path(path_type=Path))
    @click.option(
        "-o", "--output", type=click.Path(path_type=Path), help="Where it goes.  [default: DATA/calibration.json]"
    )
    def calibrate_command(settings: Settings, run_file: Path, output: Path | None) -> None:
        """Fit the confidence on the fitting half of a run."""
        from clusterqa.evaluation.calibrate import calibrate
        from clusterqa.evaluation.run import Run

        target = output or settings.data / "calibration.json"
        fitted = calibrate(Run.read(run_file))
        fitted.write(target)
        click.echo(f"Wrote {target}: operating point {fitted.threshold}, for the encoder {fitted.encoder}.")


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.1f} %"


def _interval(values: tuple[float, float, float]) -> str:
    mean, low, high = values
    return "–" if math.isnan(mean) else f"{100 * mean:5.1f} [{100 * low:.0f}–{100 * high:.0f}]"


def _print_tables(outcomes: list[Outcome]) -> None:
    from clusterqa.evaluation.measures import calibration_error, risk_coverage
    from clusterqa.evaluation.run import as_table, refusals

    click.echo(
        f"{'':22} {'n':>5}  {'hit@1':>14}  {'hit@3':>14}  {'passage@10':>14}  {'answered':>14}   % [95 % interval]"
    )
    for row in as_table(outcomes):
        cells = "  ".join(f"{_interval(row[name]):>14}" for name in ("hit@1", "hit@3", "passage@10", "answered"))
        click.echo(f"{row['what']:22} {row['questions']:5}  {cells}")
    for name, values in refusals(outcomes).items():
        click.echo(f"{name:22} {_interval(values)}")
    whole = [o for o in outcomes if o.view == "both"]
    confidences, right = [o.confidence for o in whole], [o.answerable and o.rank == 1 for o in whole]
    if whole:
        click.echo(f"{'risk–coverage area':22} {risk_coverage(confidences, right)[2]:.3f}")
        click.echo(f"{'calibration error':22} {calibration_error(confidences, right):.3f}")
        click.echo(f"{'quotes exact':22} {_percent(sum(o.exact for o in outcomes) / len(outcomes))}")
        told = [o for o in whole if o.answerable]
        if told:
            click.echo(
                f"{'language recognised':22} {_percent(sum(o.told_language == o.language for o in told) / len(told))}"
            )
        times = sorted(o.milliseconds for o in whole)
        at = [times[min(int(len(times) * q), len(times) - 1)] for q in (0.5, 0.95, 0.99)]
        click.echo(f"{'milliseconds':22} p50 {at[0]:.0f}, p95 {at[1]:.0f}, p99 {at[2]:.0f}")


def _gate_values(outcomes: list[Outcome]) -> dict[str, dict[str, Any]]:
    """The measures that are held to a floor: name → value in [0, 1] and how many questions it rests on."""
    from clusterqa.evaluation.run import as_table, refusals

    values = {
        f"{row['what']} {name}": {"value": round(row[name][0], 4), "questions": row["questions"]}
        for row in as_table(outcomes)
        if "→" in row["what"]
        for name in ("hit@1", "hit@3")
    }
    refused = refusals(outcomes)
    whole = [o for o in outcomes if o.view == "both"]
    for name, answerable, sign in (("unanswerable refused", False, 1), ("answerable refused", True, -1)):
        count = sum(o.answerable == answerable for o in whole)
        if count:
            value = refused[name][0]
            label = name if sign > 0 else "answerable answered"
            values[label] = {"value": round(value if sign > 0 else 1 - value, 4), "questions": count}
    values["quotes exact"] = {"value": float(all(o.exact for o in outcomes)), "questions": len(outcomes)}
    return values
