"""Figures as CSV for programs, and as a LaTeX table for papers."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from clusterqa.evaluation.figures import Figure

_LATEX = str.maketrans(
    {
        **{letter: rf"\{letter}" for letter in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "→": r"$\to$",
        "–": "--",
        "—": "---",
        "\u202f": "~",
        "\u00a0": "~",
    }
)


def as_csv(figures: Sequence[Figure]) -> str:
    """A line for each figure, with the columns what, n, measure, mean, low, high; shares in [0, 1], unrounded."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(("what", "n", "measure", "mean", "low", "high"))
    for what, count, measure, values in figures:
        lines.writerow(
            (what, "" if count is None else count, measure, *("" if math.isnan(v) else repr(v) for v in values))
        )
    return out.getvalue()


def as_latex(figures: Sequence[Figure]) -> str:
    """
    Tables for the package booktabs, in per cent with intervals: rows that have the same measures share one.

    """
    rows: dict[tuple[str, int | None], dict[str, str]] = {}
    for what, count, measure, values in figures:
        rows.setdefault((what, count), {})[measure] = _cell(*values)
    tables: dict[tuple[str, ...], list[tuple[str, int | None]]] = {}
    for row, cells in rows.items():
        tables.setdefault(tuple(cells), []).append(row)
    out = []
    for measures, names in tables.items():
        # More than six columns would leave the page: such rows become columns.
        wide = len(measures) > max(6, len(names))
        heads = [_name(*row) for row in names] if wide else ["$n$", *map(_escaped, measures)]
        if wide:
            body = [[_escaped(m), *(rows[row][m] for row in names)] for m in measures]
        else:
            body = [[_escaped(row[0]), "" if row[1] is None else str(row[1]), *rows[row].values()] for row in names]
        lines = [" & ".join(cells) + r" \\" for cells in (["", *heads], *body)]
        out += [rf"\begin{{tabular}}{{l{'r' * len(heads)}}}", r"\toprule", lines[0], r"\midrule", *lines[1:]]
        out += [r"\bottomrule", r"\end{tabular}", ""]
    return "\n".join(out[:-1]) + "\n" if out else ""


def _cell(mean: float, low: float, high: float) -> str:
    if math.isnan(mean):
        return "--"
    return f"{100 * mean:.1f}" + ("" if math.isnan(low) else rf" {{\scriptsize [{100 * low:.1f}, {100 * high:.1f}]}}")


def _name(what: str, count: int | None) -> str:
    return _escaped(what) + ("" if count is None else f" ($n={count}$)")


def _escaped(text: str) -> str:
    return text.translate(_LATEX)
