"""
A run as a report to look at: one HTML file that needs nothing else, and the short Markdown for a pull request.

    Run (and another to compare with) ─build─▶ Report ─as_html─▶ page
                                                      └as_markdown─▶ comment

`build` works out everything that is shown; the two templates only set it. A run of an older version that has not kept
some part (quotes' places, stages, settings) still gives a report, without that part.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from clusterqa import __version__
from clusterqa.errors import EvaluationError, NotComparable
from clusterqa.evaluation import plots, tables
from clusterqa.evaluation.compare import Comparison, Pair, compare
from clusterqa.evaluation.measures import SEARCH_MEASURES, SHORT_MEASURES, UNJUDGED, percentiles
from clusterqa.evaluation.outcomes import Asked, Outcome, Place, Run, Shown
from clusterqa.evaluation.tables import Interval
from clusterqa.text.language import detect

CAUSES = {
    "error": "The question failed",
    "remark": "Taken for small talk or for nothing",
    "search": "No right passage among ten",
    "ranking": "Right passage found, not ranked first",
    "quote": "Right passage first, wrong sentences quoted",
    "withheld": "Right quote first, but refused",
    "invented": "Not in the documents, but answered",
}
"""Why a question went wrong, in the order of the stages that it passes."""
COMPARED = ("hit@1", "hit@3", "nDCG@10", "refused")
UNLIKELY = 0.05
"""The p value below which a change is coloured."""
GOLD_SHOWN = 5
"""Known answers listed with a question; a frequent fact has thirty."""
MARKDOWN_ROWS = 10
CUT = 100
"""Characters of a quote in Markdown."""
NONE = "–"

Segment = tuple[str, bool]
"""A piece of a quote, and whether a known answer covers it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as text, and in small print its interval or what it means."""

    text: str
    small: str = ""
    tone: str = ""
    """"better" or "worse" for a change that is worth a colour, else ""."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns without the first, which names the row; every row has a cell for each."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing as inline SVG, with the sentence that says how to read it."""

    title: str
    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text in the language it is written in ("lt", "en"), in pieces."""

    language: str
    segments: tuple[Segment, ...]

    def __str__(self) -> str:
        return "".join(piece for piece, _ in self.segments)


@dataclass(frozen=True, slots=True)
class Answer:
    """One quote that was shown, or offered as a nearest place."""

    text: Text
    document: str
    right: bool


@dataclass(frozen=True, slots=True)
class Side:
    """What one run did with a question: `said` in a few words, its quotes best first, where search had the answer."""

    name: str
    said: str
    right: bool
    confidence: str
    found: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One question on one view, with one side, or two when runs are compared."""

    id: str
    anchor: str
    asked: str
    told: str
    type: str
    cause: str
    """A key of CAUSES; in a comparison "lost" or "won"."""
    question: Text | None
    history: tuple[Text, ...]
    sides: tuple[Side, ...]
    gold: tuple[Answer, ...]
    gold_left_out: int
    answerable: bool


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is shown, in order."""

    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    summary: tuple[tuple[str, Cell], ...]
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...]
    changes: tuple[Table, ...]
    changed: tuple[Case, ...]
    failures: tuple[Case, ...]
    made_with: tuple[tuple[str, str, str], ...]
    """(Name, this run's value, the other's when it is another, else "")."""
    compared: bool = False
    questions: int = 0
    causes: Mapping[str, str] = field(default_factory=lambda: CAUSES)


def build(
    run: Run,
    against: Run | None = None,
    *,
    split: str = "held",
    name: str = "this run",
    other: str = "before",
    shifted: Run | None = None,
) -> Report:
    """
    The report of a run on one split ("held", "fit" or "all") of its questions.

    `against` is the run that it is compared with, the older one; the two are named `name` and `other`. A run over a BEIR
    folder is reported whole. `shifted` is a run on another subject, with the same confidence, which gets a row beside this
    one's. Raises NotComparable when runs rest on different questions or confidences, EvaluationError when the run has no
    question of the split.
    """
    split = "all" if run.kind == "beir" else split
    outcomes = [o for o in run.outcomes if split in ("all", o.split)]
    if not outcomes:
        raise EvaluationError(f"None of the questions is of the split {split!r}. Choose another with --split.")
    comparisons = _comparisons(run, against, split) if against else ()
    others = [o for o in against.outcomes if split in ("all", o.split)] if against else []
    asked = {question.id: question for question in run.questions}
    failures = [o for o in outcomes if cause(o)]
    failures.sort(key=lambda o: (_VIEW_ORDER[o.view], -o.confidence, o.id))
    count = len({o.id for o in outcomes})
    which = {"held": "the kept-out split", "fit": "the fitting split", "all": "all"}[split]
    return Report(
        title=f"Evaluation of {name}",
        subtitle=f"{count} questions ({which})" + (f", compared with {other}" if against else ""),
        facts=_facts(run),
        summary=_summary(run, outcomes, others, comparisons),
        tables=tuple(_tables(run, outcomes, split, shifted)),
        plots=tuple(_plots(run, outcomes, against, others)),
        changes=tuple(_change_table(compared, first=not place) for place, compared in enumerate(comparisons)),
        changed=_changed(comparisons, asked, name, other, {**against.texts, **run.texts} if against else {}),
        failures=tuple(_case(o, asked, cause(o), (("", o),), run.texts) for o in failures),
        made_with=_made_with(run, against),
        compared=against is not None,
        questions=count,
    )


def cause(outcome: Outcome) -> str:
    """The key of CAUSES that says at which stage a question went wrong; "" when it did not."""
    if outcome.status == "error":
        return "error"
    if outcome.status == "searched":  # a query of a BEIR folder, which ends with the search
        return "" if outcome.search.get("nDCG@10", 0) > 0 else "search"
    if not outcome.answerable:
        return "invented" if outcome.status == "answered" else ""
    if outcome.status not in ("answered", "not_found"):
        return "remark"
    if outcome.rank == 1:
        return "" if outcome.status == "answered" else "withheld"
    if not outcome.passage_rank:
        return "search"
    return "quote" if outcome.passage_rank == 1 else "ranking"


def marked(text: str, quote: tuple[str, int, int] | None, gold: Iterable[Place]) -> tuple[Segment, ...]:
    """
    A quote in pieces, those marked that a known answer covers, or says word for word.

    `quote` is its document with start and end; None where a run has not kept it, and then only words decide.
    """
    covered = [False] * len(text)
    for place in gold:
        if quote and place.start is not None and place.end is not None and place.document == quote[0]:
            begin, end = max(place.start, quote[1]) - quote[1], min(place.end, quote[2]) - quote[1]
            covered[begin:end] = [True] * (end - begin) if begin < end else covered[begin:end]
        at = text.find(place.quote) if place.quote else -1
        if at >= 0:
            covered[at : at + len(place.quote)] = [True] * len(place.quote)
        elif not quote and text and text in place.quote:
            covered = [True] * len(text)
    pieces: list[Segment] = []
    for letter, inside in zip(text, covered, strict=True):
        if pieces and pieces[-1][1] == inside:
            pieces[-1] = (pieces[-1][0] + letter, inside)
        else:
            pieces.append((letter, inside))
    return tuple(pieces)


def as_html(report: Report) -> str:
    """The report as one page: no address in it is fetched, no script runs but its own."""
    script = _environment().get_template("report.js").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _environment().get_template("report.html").render(
        report=report, script=Markup(script), script_digest=digest, version=__version__, directions=_options(report)
    )  # fmt: skip


def as_markdown(report: Report) -> str:
    """The report as GitHub's Markdown, short enough for a comment on a pull request."""
    lost = [case for case in report.changed if case.cause == "lost"]
    page = _environment().get_template("report.md").render(
        report=report,
        lost=lost[:MARKDOWN_ROWS],
        lost_left_out=max(0, len(lost) - MARKDOWN_ROWS),
        won=sum(case.cause == "won" for case in report.changed),
        failures=[case for case in report.failures if case.told == "both"][:MARKDOWN_ROWS],
        version=__version__,
    )  # fmt: skip
    return re.sub(r"\n{3,}", "\n\n", page).strip() + "\n"


_VIEW_ORDER = {"both": 0, "lt": 1, "en": 2}


def _percent(value: float) -> str:
    return NONE if math.isnan(value) else f"{100 * value:.1f}"


def _cell(values: Interval) -> Cell:
    mean, low, high = values
    return Cell(NONE) if math.isnan(mean) else Cell(_percent(mean), f"{100 * low:.0f}–{100 * high:.0f}")


def _table(title: str, rows: Sequence[Mapping[str, Any]], measures: Sequence[str], note: str = "") -> Table | None:
    """A table of the measures that were taken at all; None when there is nothing to show."""
    shown = [measure for measure in measures if any(not math.isnan(row[measure][0]) for row in rows)]
    if not shown:
        return None
    body = tuple(
        (row["what"], (Cell(str(row["questions"])), *(_cell(row[measure]) for measure in shown))) for row in rows
    )
    return Table(title, ("n", *shown), body, note)


def _tables(run: Run, outcomes: Sequence[Outcome], split: str, shifted: Run | None) -> Iterable[Table]:
    rows = tables.as_table(outcomes)
    directions = tables.by_direction(rows)
    types = [{**row, "what": row["what"].removeprefix("both, ")} for row in rows if row not in directions]
    foreign = run.kind == "beir"
    told = "Per cent, with 95 % bootstrap intervals. "
    found = [
        _table(
            "Answers by direction",
            directions,
            tables.ANSWER_MEASURES,
            told + "A direction is the language of the question → the language of the only documents there are.",
        ),
        _table(
            "Answers by type of question",
            types,
            (*tables.ANSWER_MEASURES, "nDCG@10"),
            told + "On the documents of both languages.",
        ),
        _table(
            "Short answers",
            [row for row in directions if not math.isnan(row[SHORT_MEASURES[0]][0])],
            SHORT_MEASURES,
            told
            + "Of the questions that have a known short answer: F1 of the words shared with the nearest one, and EM, the "
            "share that is the same, as in SQuAD, folded for Lithuanian.",
        ),
        _table(
            "Search" if foreign else "Search by direction",
            directions,
            (*SEARCH_MEASURES, UNJUDGED),
            told
            + (
                "By ir_measures, over documents: all queries, and the groups that the set itself names. Lower is better for "
                f"{UNJUDGED}, the share of the first ten documents that nobody judged."
                if foreign
                else "By ir_measures, over passages."
            ),
        ),
        _table(
            "Each channel alone",
            directions,
            tables.ALONE,
            told
            + "Dense is the search without words, lexical the words alone; a channel that adds nothing to the other shows here.",
        ),
        _table(
            "Lithuanian typed in a hurry",
            tables.variant_table(run, split),
            (*tables.ANSWER_MEASURES, "nDCG@10"),
            told + "The same questions as written, without diacritics (folded), and with one typing error.",
        ),
        _lost_table(outcomes),
        _share_table("Refusal", {**tables.refusals(outcomes)}, "On the documents of both languages."),
        _share_table(
            "The surest answers",
            {name: values for name, values in tables.surest(outcomes).items() if name.startswith("accuracy")},
            "The share right when so many of the questions are answered, the most confident first; what has no answer "
            "counts as wrong. On the documents of both languages.",
        ),
        _shift_table(run, outcomes, shifted) if shifted else None,
        _consistency_table(run, split),
        _share_table("Promises", tables.soundness(outcomes), "These should be 100.")
        if run.kind == "questions"
        else None,
        _latency_table(run, outcomes),
    ]
    return [table for table in found if table]


def _share_table(title: str, shares: Mapping[str, Interval], note: str) -> Table | None:
    rows = tuple((name, (_cell(values),)) for name, values in shares.items() if not math.isnan(values[0]))
    return Table(title, ("% [95 % interval]",), rows, note) if rows else None


def _shift_table(run: Run, outcomes: Sequence[Outcome], shifted: Run) -> Table:
    """Whether the confidence still means something on a subject that it was not fitted on."""
    if (run.encoder, run.threshold, run.weights) != (shifted.encoder, shifted.threshold, shifted.weights):
        raise NotComparable(
            "The run on another subject was made with another encoder, search or confidence. Make both with the same profile."
        )
    rows = []
    for name, chosen in (("this subject", outcomes), ("another subject", shifted.outcomes)):
        _, right = tables.confidence_pairs(chosen)
        if not right:
            raise NotComparable("A run over a set with its own documents has no confidence. Give a run over questions.")
        area, low, high = tables.surest(chosen)["risk–coverage area"]
        cells = (
            Cell(str(len(right))),
            Cell(f"{100 * sum(right) / len(right):.1f}"),
            Cell(f"{tables.confidence(chosen)['calibration error']:.3f}"),
            Cell(f"{area:.3f}", f"{low:.3f}–{high:.3f}"),
            _cell(tables.refusals(chosen)["unanswerable refused"]),
            _cell(tables.refusals(chosen)["answerable refused"]),
        )
        rows.append((name, cells))
    return Table(
        "Confidence on another subject",
        (
            "n",
            "first quote right, %",
            "calibration error",
            "risk–coverage area",
            "unanswerable refused",
            "answerable refused",
        ),
        tuple(rows),
        "Error and area: lower is better. All questions of the other subject, on the documents of both languages.",
    )


def _consistency_table(run: Run, split: str) -> Table | None:
    found = tables.consistency(run, split)
    rows = tuple((name, (Cell(str(count)), _cell(values))) for name, (count, values) in found.items() if count)
    note = (
        "Pairs of a question in Lithuanian and in English. Same place: the first quotes stand in one passage, or in passages "
        "that are translations of each other. Alike: both answered or both refused."
    )
    return Table("One question in both languages", ("pairs", "% [95 % interval]"), rows, note) if rows else None


def _lost_table(outcomes: Sequence[Outcome]) -> Table | None:
    """At which stage the answers of each direction get lost: numbers of questions."""
    if all(o.foreign for o in outcomes):
        return None
    groups = [(name, chosen) for name, chosen in tables.groups(outcomes) if "→" in name]
    for language in ("lt", "en"):
        unanswerable = [o for o in outcomes if not o.answerable and o.view == "both" and o.language == language]
        if unanswerable:
            groups.append((f"{language}, unanswerable", unanswerable))
    counts = [(name, len(chosen), [cause(o) for o in chosen]) for name, chosen in groups]
    shown = [key for key in CAUSES if any(key in causes for _, _, causes in counts)]
    rows = tuple(
        (
            name,
            (
                Cell(str(count)),
                Cell(str(causes.count("")), f"{100 * causes.count('') / count:.0f} %"),
                *(Cell(str(causes.count(key)) if key in causes else NONE) for key in shown),
            ),
        )
        for name, count, causes in counts
    )
    return Table(
        "Where answers get lost",
        ("n", "As it should be", *(CAUSES[key] for key in shown)),
        rows,
        "Numbers of questions, by the first stage that went wrong. As it should be: the first quote is right and shown, "
        "or what is not in the documents is refused.",
    )


def _latency(run: Run, outcomes: Sequence[Outcome]) -> Mapping[str, Mapping[str, float]]:
    """As the run has it; for a run without stages the whole time of those questions that took any."""
    whole = percentiles([o.milliseconds for o in outcomes if o.view == "both" and o.milliseconds > 0])
    return run.latency or ({"total": whole} if whole else {})


def _latency_table(run: Run, outcomes: Sequence[Outcome]) -> Table | None:
    latency = _latency(run, outcomes)
    rows = tuple(
        (stage, tuple(Cell(f"{values[name]:.1f}") for name in ("p50", "p95", "p99")))
        for stage, values in latency.items()
    )
    note = "Milliseconds a question, on the documents of both languages, all questions of the run."
    return Table("Time by stage", ("p50", "p95", "p99"), rows, note) if rows else None


def _plots(run: Run, outcomes: Sequence[Outcome], against: Run | None, others: Sequence[Outcome]) -> Iterable[Plot]:
    confidences, right = tables.confidence_pairs(outcomes)
    answered = [o.status == "answered" for o in outcomes if o.view == "both" and o.status != "searched"]
    numbers, area = tables.confidence(outcomes), tables.surest(outcomes)["risk–coverage area"]
    before = tables.confidence(others) if others else {}
    at = f" (confidence ≥ {run.threshold:.2f})" if run.threshold is not None else ""

    def was(name: str) -> str:
        return f", before {before[name]:.3f}" if name in before and not math.isnan(before[name]) else ""

    found = [
        Plot(
            "Risk and coverage",
            plots.risk_coverage_plot(confidences, right, answered, tables.confidence_pairs(others) if others else None),
            f"From the most to the least confident question. The ring is the operating point{at}. Lower is better; area "
            f"{area[0]:.3f} [{area[1]:.3f}–{area[2]:.3f}]{was('risk–coverage area')}. What has no answer counts as wrong when answered.",
        ),
        Plot(
            "Calibration",
            plots.reliability_plot(confidences, right),
            "On the dotted line the confidence is a probability; below it the answers are surer than they should be. "
            f"Expected calibration error {numbers['calibration error']:.3f}{was('calibration error')}.",
        ),
        Plot(
            "Time",
            plots.latency_plot(_latency(run, outcomes), _latency(against, others) if against else None),
            "Median, 95th and 99th percentile of each stage, in milliseconds, on a logarithmic axis.",
        ),
    ]
    return [plot for plot in found if plot.svg]


def _summary(
    run: Run, outcomes: Sequence[Outcome], others: Sequence[Outcome], comparisons: Sequence[Comparison]
) -> tuple[tuple[str, Cell], ...]:
    """The few figures to look at first, each with its change; coloured where that is hardly chance."""
    before = {row["what"]: row for row in tables.as_table(others)}
    chance = {(compared.measure, row.what): row.p for compared in comparisons for row in compared.rows}
    found: list[tuple[str, Cell]] = []
    measures = ("hit@1", "hit@3") if run.kind == "questions" else ("nDCG@10", "R@100")
    for row in tables.as_table(outcomes):
        if row["what"] in ("lt→both", "en→both", tables.TOTAL):
            for measure in measures:
                old = before.get(row["what"], {}).get(measure)
                cell = _tile(row[measure], old, chance.get((measure, row["what"]), 1.0))
                found.append((f"{row['what']}, {measure}", cell))
    refused, were = tables.refusals(outcomes), tables.refusals(others) if others else {}
    for name in ("unanswerable refused", "answerable refused"):
        if not math.isnan(refused[name][0]):
            found.append((name, _tile(refused[name], were.get(name))))
    latency = _latency(run, outcomes).get("total")
    if latency:
        found.append(("time of a question", Cell(f"{latency['p50']:.0f} ms", f"p95 {latency['p95']:.0f} ms")))
    return tuple(found)


def _tile(values: Interval, before: Interval | None, p: float = 1.0) -> Cell:
    text, small = f"{_percent(values[0])} %", f"{100 * values[1]:.0f}–{100 * values[2]:.0f}"
    if before is None or math.isnan(before[0]) or math.isnan(values[0]):
        return Cell(text, small)
    change = 100 * (values[0] - before[0])
    if abs(change) < 0.05:
        return Cell(text, f"{small}; as before")
    return Cell(text, f"{small}; {_points(change)} points", _tone(change, p))


def _points(change: float) -> str:
    return "0.0" if abs(change) < 0.05 else f"{change:+.1f}".replace("-", "−")


def _tone(change: float, p: float) -> str:
    """A change is worth a colour when it is hardly chance."""
    return "" if p >= UNLIKELY or not change else "better" if change > 0 else "worse"


def _comparisons(run: Run, against: Run, split: str) -> tuple[Comparison, ...]:
    """By each measure that both runs have taken."""
    if run.questions_sha256 != against.questions_sha256:
        raise NotComparable("The two runs rest on different questions. Run both on the same set.")
    found = []
    for measure in COMPARED:
        try:
            found.append(compare(against, run, measure, split))
        except NotComparable:  # an older run has no search measures, a set may have nothing to refuse
            continue
    return tuple(found)


def _change_table(compared: Comparison, first: bool) -> Table:
    rows = []
    for row in compared.rows:
        change = 100 * (row.after - row.before)
        rows.append(
            (
                row.what,
                (
                    Cell(str(row.questions)),
                    Cell(_percent(row.before)),
                    Cell(_percent(row.after)),
                    Cell(_points(change), "", _tone(change, row.p)),
                    Cell(str(row.wins)),
                    Cell(str(row.losses)),
                    Cell(str(row.ties)),
                    *(Cell("< 0.001" if p < 0.001 else f"{p:.3f}") for p in (row.p, row.holm)),
                ),
            )
        )
    columns = ("n", "before", "now", "points", "won", "lost", "alike", "p", "Holm")
    note = (
        "p by a paired randomisation test; coloured below 0.05, which one row in twenty reaches by chance. Holm: the same, "
        "corrected for all rows of the table."
    )
    return Table(compared.measure, columns, tuple(rows), note if first else "")


def _changed(
    comparisons: Sequence[Comparison], asked: Mapping[str, Asked], name: str, other: str, texts: Mapping[str, str]
) -> tuple[Case, ...]:
    """The questions whose first quote, or refusal, changed sides: losses first, then gains, the surest first."""
    kept = {c.measure: c for c in comparisons}
    chosen = [kept[m] for m in ("hit@1", "refused") if m in kept] or [kept[m] for m in ("nDCG@10",) if m in kept]
    pairs = [pair for compared in chosen for pair in compared.pairs if pair.before != pair.after]

    def order(pair: Pair) -> tuple[bool, int, float, str]:
        drop = 0.0 if pair.second is None else -abs(pair.after - pair.before) - pair.second.confidence
        return pair.after > pair.before, _VIEW_ORDER[pair.view], drop, pair.id

    cases = []
    for pair in sorted(pairs, key=order):
        outcome = pair.second or pair.first
        assert outcome is not None
        sides = ((other, pair.first), (name, pair.second))
        cases.append(_case(outcome, asked, "won" if pair.after > pair.before else "lost", sides, texts))
    return tuple(cases)


def _case(
    outcome: Outcome,
    asked: Mapping[str, Asked],
    why: str,
    sides: Sequence[tuple[str, Outcome | None]],
    texts: Mapping[str, str],
) -> Case:
    """`texts` are the beginnings of documents that have no quotes to show, by id."""
    question = asked.get(outcome.id)
    language = outcome.language
    gold = _gold_of(outcome, question, texts)
    documents = [side.document for _, side in sides if side]
    gold.sort(key=lambda place: place.document not in documents)  # beside the quote first
    return Case(
        id=outcome.id,
        anchor=re.sub(r"[^\w-]", "-", f"{'change' if why in ('won', 'lost') else 'case'}-{outcome.id}-{outcome.view}"),
        asked="" if outcome.foreign else language,
        told=outcome.view,
        type=", ".join(outcome.slices) if outcome.foreign else outcome.type,
        cause=why,
        question=Text(language, ((question.question, False),)) if question else None,
        history=tuple(Text(language, ((earlier, False),)) for earlier in (question.history if question else ())),
        sides=tuple(_side(label, side, gold, texts) for label, side in sides),
        gold=tuple(
            Answer(
                _beginning(place.quote)
                if outcome.foreign
                else _text(place.quote, outcome.view, ((place.quote, True),)),
                place.document,
                place.start is not None,
            )
            for place in gold[:GOLD_SHOWN]
        ),
        gold_left_out=max(0, len(gold) - GOLD_SHOWN),
        answerable=outcome.answerable,
    )


def _gold_of(outcome: Outcome, question: Asked | None, texts: Mapping[str, str]) -> list[Place]:
    """The known answers in the documents of the outcome's view; of a set with its own documents these themselves."""
    if outcome.foreign or (question and not question.gold):
        return [Place(row.document, texts.get(row.document, ""), 0, 0) for row in outcome.relevant]
    here = {row.document for row in outcome.relevant}
    places = question.gold if question else ()
    return [place for place in places if not here or place.document in here]


def _side(name: str, outcome: Outcome | None, gold: Sequence[Place], texts: Mapping[str, str]) -> Side:
    if outcome is None:
        return Side(name, "Not in this run", False, "", "", ())
    shown = outcome.quotes
    if not shown and outcome.quote:  # a run of an older version, which has kept the first quote only
        shown = (Shown(outcome.document, 0, 0, outcome.quote, outcome.rank == 1),)
    answers = tuple(
        Answer(
            _text(
                quote.text,
                outcome.view,
                marked(quote.text, (quote.document, quote.start, quote.end) if quote.end else None, gold),
            ),
            quote.document,
            quote.right,
        )
        for quote in shown
    )
    if outcome.status == "searched":
        answers = tuple(
            Answer(
                _beginning(texts.get(row.document, "")),
                row.document,
                row.key in {relevant.key for relevant in outcome.relevant},
            )
            for row in outcome.ranked[:5]
        )
    said = {
        "answered": "Answered",
        "not_found": "Refused, with the nearest places",
        "searched": "Searched",
        "error": f"Failed: {outcome.error}" if outcome.error else "Failed",
    }.get(outcome.status, f"Remark: {outcome.status}")
    return Side(
        name=name,
        said=said,
        right=not cause(outcome),
        confidence=f"{outcome.confidence:.2f}" if outcome.status in ("answered", "not_found") else "",
        found=_found(outcome),
        answers=answers,
    )


def _beginning(text: str) -> Text:
    return Text(_language(text), ((text, False),) if text else ())


def _found(outcome: Outcome) -> str:
    """Where the answer stood among what was found, in a few words."""
    if not outcome.answerable or outcome.status not in ("answered", "not_found", "searched"):
        return ""
    relevant = {row.key for row in outcome.relevant}
    place = next((i for i, row in enumerate(outcome.ranked, start=1) if row.key in relevant), 0)
    parts = []
    if outcome.rank > 1:
        parts.append(f"right quote {_ordinal(outcome.rank)}")
    if outcome.passage_rank and outcome.status != "searched":
        parts.append(f"right passage {_ordinal(outcome.passage_rank)} of those found")
    if place:
        parts.append(f"{_ordinal(place)} in the ranking")
    elif outcome.ranked:
        parts.append(f"not among {len(outcome.ranked)} in the ranking")
    return ", ".join(parts)


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _text(text: str, view: str, segments: tuple[Segment, ...]) -> Text:
    return Text(view if view != "both" else _language(text), segments)


@lru_cache(maxsize=4096)
def _language(text: str) -> str:
    return detect(text).language


def _facts(run: Run) -> tuple[tuple[str, str], ...]:
    facts = {
        "Made": run.created.replace("T", " ").replace("+00:00", " UTC"),
        "Encoder": run.encoder,
        "Documents": str(len(run.corpus)) if run.corpus else "",
        "Passages": str(run.settings.get("passages", "")),
        "Operating point": f"{run.threshold:.3f}" if run.threshold is not None else "",
        "Memory, at most": _size(run.peak_memory_bytes),
        "Index": _size(run.index_bytes),
    }
    return tuple((name, value) for name, value in facts.items() if value)


def _size(count: int | None) -> str:
    return f"{count / 2**20:,.1f} MiB" if count else ""


def _made_with(run: Run, against: Run | None) -> tuple[tuple[str, str, str], ...]:
    """Everything that could explain a difference, with the other run's value where it is another."""
    mine, theirs = _circumstances(run), _circumstances(against) if against else {}
    rows = []
    for name in dict.fromkeys((*mine, *theirs)):
        value, other = mine.get(name, NONE), theirs.get(name, NONE)
        rows.append((name, value, other if against and other != value else ""))
    return tuple(rows)


def _circumstances(run: Run) -> dict[str, str]:
    found: dict[str, Any] = {
        "questions, sha256": run.questions_sha256,
        "corpus, sha256": run.corpus_sha256,
        "encoder, fingerprint": run.encoder,
        "operating point": run.threshold,
        "memory, at most": _size(run.peak_memory_bytes),
        "index on disk": _size(run.index_bytes),
        **{f"setting {name}": value for name, value in run.settings.items()},
        **{f"search {name}": value for name, value in run.weights.items()},
        **{f"version of {name}": value for name, value in run.versions.items()},
    }
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


def _options(report: Report) -> dict[str, dict[str, list[str]]]:
    """What each filterable list can be narrowed to: list → attribute → its values, in order."""
    found = {}
    for name, cases in (("changed", report.changed), ("failures", report.failures)):
        causes = ["lost", "won"] if name == "changed" else list(CAUSES)
        found[name] = {
            "told": [view for view in _VIEW_ORDER if any(case.told == view for case in cases)],
            "asked": [language for language in ("lt", "en") if any(case.asked == language for case in cases)],
            "type": sorted({case.type for case in cases}),
            "cause": [key for key in causes if any(case.cause == key for case in cases)],
        }
    return found


def _markdown(text: object, cut: int = 0) -> str:
    """Text that Markdown shows as it is, on one line, at most `cut` characters of it (0 for all)."""
    line = " ".join(str(text).split())
    if cut and len(line) > cut:
        line = line[: cut - 1].rstrip() + "…"
    line = re.sub(r"([\\`*_{}\[\]<>|#~!])", r"\\\1", line)
    line = re.sub(r"(?<!\w)@(?=\w)", "&#64;", line)  # nobody is to be notified
    return line.replace("://", ":&#8203;//")  # nor anything linked


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("clusterqa.evaluation", "templates"),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters["markdown"] = _markdown
    environment.filters["cut"] = partial(_markdown, cut=CUT)
    return environment
