"""
Plots as inline SVG: numbers in, a piece of HTML out; the only importer of matplotlib.

Colours are left to the page: each plot is drawn in stand-in colours that become CSS variables, so that one drawing serves
both a light and a dark page, and its letters are the page's own. Every plot has a title and a description for those who
do not see it.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clusterqa.evaluation.measures import SEED, risk_coverage

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Latency = Mapping[str, Mapping[str, float]]

BINS = 10
BAND_SAMPLES = 500
BAND_NUMBERS = 5_000_000
"""Most numbers drawn for a band; a very large set gets fewer samples."""
Z95 = 1.959964
"""Of the standard normal distribution, two-sided 95 %."""

# Colours that nobody would choose, and what each becomes on the page.
_INK, _SOFT, _LINE, _FIRST, _SECOND, _PAPER = "#010101", "#010102", "#010103", "#010104", "#010105", "#010106"
_PAGE_COLOURS = {
    _INK: "currentColor",
    _SOFT: "var(--soft)",
    _LINE: "var(--line)",
    _FIRST: "var(--accent)",
    _SECOND: "var(--second)",
    _PAPER: "var(--card)",
}

_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11.5,
    "axes.labelsize": 11.5,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "axes.axisbelow": True,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _SOFT,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "axes.unicode_minus": True,
}


def risk_coverage_plot(
    confidences: Sequence[float],
    right: Sequence[bool],
    answered: Sequence[bool],
    other: tuple[Sequence[float], Sequence[bool]] | None = None,
) -> str:
    """
    Share of wrong first quotes among the questions answered, as the less and less confident are answered too.

    With a 95 % bootstrap band, the order that no confidence could better, and a mark at the share that is answered
    now. `other` are confidences and rightness of the run compared with. Empty for no questions.
    """
    coverage, risk, area = risk_coverage(confidences, right)
    if not coverage:
        return ""
    count = len(coverage)
    best = np.maximum(0, np.arange(1, count + 1) - sum(right)) / np.arange(1, count + 1)
    told = int(sum(answered))
    wrong = sum(a and not r for a, r in zip(answered, right, strict=True))
    description = (
        f"{count} questions, area under the curve {area:.3f}. "
        + " ".join(
            f"When {100 * share:.0f} % are answered, {100 * risk[max(0, math.ceil(share * count) - 1)]:.0f} % of them wrongly."
            for share in (0.25, 0.5, 0.75, 1.0)
        )
        + (f" Now {100 * told / count:.0f} % are answered, {100 * wrong / told:.0f} % of them wrongly." if told else "")
    )
    with _drawing(4.5, 3.9) as figure:
        axes = figure.subplots()
        low, high = _band(confidences, right)
        axes.fill_between(coverage, low, high, color=_FIRST, alpha=0.16, linewidth=0, label="95 % interval")
        axes.plot(coverage, best, color=_SOFT, linewidth=1, linestyle=":", label="best order possible")
        if other is not None and len(other[0]):
            x, y, _ = risk_coverage(*other)
            axes.plot(x, y, color=_SECOND, linewidth=1.4, linestyle="--", label="compared with")
        axes.plot(coverage, risk, color=_FIRST, linewidth=1.8, label="this run")
        if told:
            point = (told / count, wrong / told)
            axes.plot(*point, "o", color=_INK, markersize=7, markerfacecolor=_PAPER, markeredgewidth=1.8, label="now")
        _percent_axes(axes, "questions answered", "wrong among them")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, None)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, handlelength=1.6, columnspacing=1.2)
        return _svg(figure, "risk-coverage", "Risk–coverage curve", description)


def reliability_plot(confidences: Sequence[float], right: Sequence[bool]) -> str:
    """
    Confidence beside the share that is right, in ten bins of equal width; below, how many questions each bin has.

    On the diagonal the confidence is a probability. Bars are 95 % intervals (Wilson 1927). Empty for no questions.
    """
    bins = reliability(confidences, right)
    if not bins:
        return ""
    description = " ".join(
        f"Confidence {row['low']:.1f}–{row['high']:.1f}: {row['questions']} questions, said {row['confidence']:.2f}, "
        f"right {row['right']:.2f}."
        for row in bins
    )
    with _drawing(4.5, 3.9) as figure:
        top, bottom = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1]})
        top.plot([0, 1], [0, 1], color=_SOFT, linewidth=1, linestyle=":", label="as said")
        said, share = [row["confidence"] for row in bins], [row["right"] for row in bins]
        errors = [[row["right"] - row["from"] for row in bins], [row["to"] - row["right"] for row in bins]]
        top.errorbar(said, share, yerr=errors, fmt="o", color=_FIRST, markersize=5, linewidth=1.2, label="this run")
        _percent_axes(top, "", "first quote right")
        top.set_ylim(-0.03, 1.03)
        top.legend(loc="upper left", handlelength=1.6)
        centres = [(row["low"] + row["high"]) / 2 for row in bins]
        hits = [row["right"] * row["questions"] for row in bins]
        misses = [row["questions"] - hit for row, hit in zip(bins, hits, strict=True)]
        bottom.bar(centres, hits, width=0.085, color=_FIRST, alpha=0.75, label="right")
        bottom.bar(centres, misses, width=0.085, bottom=hits, color=_SECOND, alpha=0.75, label="wrong")
        bottom.set_xlim(0, 1)
        bottom.set_ylim(0, 1.9 * max(row["questions"] for row in bins))  # room for the legend
        bottom.set_xlabel("confidence")
        bottom.set_ylabel("questions")
        bottom.locator_params(axis="y", nbins=3, integer=True)
        bottom.legend(loc="upper right", ncols=2, handlelength=1, columnspacing=1)
        return _svg(figure, "reliability", "Calibration: confidence beside what was right", description)


def latency_plot(latency: Latency, other: Latency | None = None) -> str:
    """p50, p95 and p99 of each stage in milliseconds, on a logarithmic axis. Empty when nothing was timed."""
    stages = [stage for stage, values in latency.items() if values]
    if not stages:
        return ""
    description = " ".join(
        f"{stage}: " + ", ".join(f"{name} {value:.1f}" for name, value in latency[stage].items()) + " milliseconds."
        for stage in stages
    )
    with _drawing(4.5, 1.15 + 0.42 * len(stages)) as figure:
        axes = figure.subplots()
        drawn = [("this run", latency, _FIRST, 0.0)]
        if other:
            drawn = [("this run", latency, _FIRST, -0.13), ("compared with", other, _SECOND, 0.13)]
        for label, values, colour, shift in drawn:
            for place, stage in enumerate(stages):
                found = values.get(stage)
                if not found:
                    continue
                x = [max(found[name], 0.01) for name in ("p50", "p95", "p99")]
                y = [place + shift] * 3
                axes.plot(x, y, color=colour, linewidth=1.4, label=label if place == len(stages) - 1 else None)
                for value, marker in zip(x, ("o", "s", "D"), strict=True):
                    axes.plot(value, y[0], marker, color=colour, markersize=5.5)
        for marker, name in (("o", "p50"), ("s", "p95"), ("D", "p99")):
            axes.plot([], [], marker, color=_SOFT, markersize=5.5, label=name)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_yticks(range(len(stages)), stages)
        axes.set_ylim(len(stages) - 0.5, -0.5)
        axes.set_xlabel("milliseconds")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=5, handlelength=1, columnspacing=0.9)
        return _svg(figure, "latency", "Time by stage", description)


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> list[dict[str, float]]:
    """
    The bins of `calibration_error` that hold a question, lowest first.

    "low" and "high" are a bin's ends, "confidence" its mean confidence, "right" the share that is right with its 95 %
    interval "from"–"to"; all in [0, 1] but "questions".
    """
    p, y = np.asarray(confidences, dtype=float), np.asarray(right, dtype=float)
    places = np.minimum((p * BINS).astype(int), BINS - 1)
    rows = []
    for b in range(BINS):
        inside = places == b
        count = int(inside.sum())
        if count:
            low, high = wilson(int(y[inside].sum()), count)
            rows.append(
                {
                    "low": b / BINS,
                    "high": (b + 1) / BINS,
                    "questions": count,
                    "confidence": float(p[inside].mean()),
                    "right": float(y[inside].mean()),
                    "from": low,
                    "to": high,
                }
            )
    return rows


def wilson(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927): unlike a bootstrap it stays honest for 3 of 3. `count` is at least 1."""
    share, spread = hits / count, Z95**2 / count
    centre = share + spread / 2
    split = Z95 * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    # At 0 and 1 the ends are exact but for rounding, which must not put the share outside its interval.
    return max(0.0, min(share, (centre - split) / (1 + spread))), min(1.0, max(share, (centre + split) / (1 + spread)))


def _band(confidences: Sequence[float], right: Sequence[bool]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """2.5th and 97.5th percentile of the risk at each coverage, over bootstrap samples of the questions."""
    order = np.argsort(-np.asarray(confidences), kind="stable")
    wrong = 1 - np.asarray(right, dtype=float)[order]
    count = len(wrong)
    samples = max(20, min(BAND_SAMPLES, BAND_NUMBERS // count))
    # The questions stand in order of confidence already, so a sorted draw is a sample in order of confidence.
    draws = np.sort(np.random.default_rng(SEED).integers(0, count, size=(samples, count)), axis=1)
    risks = np.cumsum(wrong[draws], axis=1) / np.arange(1, count + 1)
    low, high = np.percentile(risks, [2.5, 97.5], axis=0)
    return low, high


@contextmanager
def _drawing(width: float, height: float) -> Iterator[Figure]:
    """A figure of so many inches with the report's style; leaves matplotlib's settings as they were."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def _percent_axes(axes: Axes, x: str, y: str) -> None:
    from matplotlib.ticker import PercentFormatter

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _svg(figure: Figure, name: str, title: str, description: str) -> str:
    """The drawing as an <svg> element that may stand in a page beside others of another `name`."""
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):  # the same numbers give the same bytes
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*">', "<g>", text)  # names that every drawing shares
    text = re.sub(r'(id="|url\(#|xlink:href="#)', rf"\1{name}-", text)
    text = re.sub(r"font-family: [^;\"]*; ?", "", text)  # the family is the page's
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)  # it would hold for the whole page
    for drawn, shown in _PAGE_COLOURS.items():
        text = text.replace(drawn, shown)
    head = re.match(r"<svg[^>]*>", text)
    assert head
    box = re.search(r'viewBox="[^"]*"', head[0])
    assert box
    return (
        f'<svg {box[0]} role="img" aria-labelledby="{name}-title {name}-text" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" stroke-linejoin="round">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-text">{escape(description)}</desc>'
        f"{text[head.end() :].strip()}"
    )
