"""
Figures as pictures: SVG in the colours of the light or the dark page. The only module of the desk that imports matplotlib.

Text stays text, so that a picture has the page's typeface; every picture has a table beside it, for those who do not see it.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from clusterqa.records import LANGUAGES
from clusterqa.staff.figures import Figures
from clusterqa.staff.inside import Judged, point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Theme = Literal["light", "dark"]
SHOWN_DOCUMENTS = 12
LONGEST_TITLE = 36


@dataclass(frozen=True, slots=True)
class Colours:
    """Colours that keep apart for colour-blind readers as well: they differ in lightness."""

    ink: str
    soft: str
    line: str
    first: str
    second: str
    third: str
    fourth: str


THEMES: dict[Theme, Colours] = {
    "light": Colours("#17211f", "#4c5a57", "#d6dcd9", "#12564d", "#d99a3d", "#5b8fc7", "#a8402f"),
    "dark": Colours("#e9efed", "#abbab6", "#33403d", "#7fd0c0", "#a86e1c", "#4d78a8", "#f09a8a"),
}

_drawing = threading.Lock()
"""matplotlib's caches of fonts and text are not made for several threads."""

Draw = Callable[["Axes", Colours], None]


def days(figures: Figures, words: Mapping[str, str], theme: Theme, narrow: bool = False) -> str:
    """Questions a day, answered and not found stacked."""

    def draw(axes: Axes, colours: Colours) -> None:
        rows = figures.by_day()
        places = range(len(rows))
        answered = [counts.answered for _, counts in rows]
        missed = [counts.not_found for _, counts in rows]
        axes.bar(places, answered, color=colours.first, label=words["answered"], width=0.8)
        axes.bar(places, missed, bottom=answered, color=colours.second, label=words["not_found"], width=0.8)
        _day_ticks(axes, [day.isoformat() for day, _ in rows], narrow)
        axes.set_ylabel(words["count"])
        _whole_numbers(axes.yaxis)
        _legend(axes)

    return _svg(draw, theme, narrow, height=2.9)


def languages(figures: Figures, words: Mapping[str, str], theme: Theme, narrow: bool = False) -> str:
    """Answered, not found, helpful, not helpful: one bar for each language."""

    def draw(axes: Axes, colours: Colours) -> None:
        names = ("answered", "not_found", "helpful", "not_helpful")
        for offset, (language, colour) in enumerate(zip(LANGUAGES, (colours.first, colours.third), strict=True)):
            counts = figures.total(language)
            values = (counts.answered, counts.not_found, counts.helpful, counts.unhelpful)
            bars = axes.bar(
                [i + (offset - 0.5) * 0.4 for i in range(4)],
                values,
                width=0.36,
                color=colour,
                label=words[f"{language}_name"],
            )
            axes.bar_label(bars, color=colours.soft, fontsize=9, padding=2)
        axes.set_xticks(range(4), [words[name] for name in names])
        axes.set_ylabel(words["count"])
        axes.margins(y=0.15)
        _whole_numbers(axes.yaxis)
        _legend(axes)

    return _svg(draw, theme, narrow, height=2.9)


def documents(figures: Figures, words: Mapping[str, str], theme: Theme, narrow: bool = False) -> str:
    """The most quoted documents, the first on top."""
    rows = [row for row in figures.quoted if row.first][:SHOWN_DOCUMENTS]

    def draw(axes: Axes, colours: Colours) -> None:
        bars = axes.barh(range(len(rows)), [row.first for row in rows], color=colours.first, height=0.7)
        axes.bar_label(bars, color=colours.soft, fontsize=9, padding=3)
        axes.set_yticks(range(len(rows)), [_short(row.title, narrow) for row in rows], fontsize=9)
        axes.invert_yaxis()
        axes.set_xlabel(words["quoted_as_first"])
        axes.margins(x=0.08)
        _whole_numbers(axes.xaxis)
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", color=colours.line, linewidth=0.7)

    return _svg(draw, theme, narrow, height=0.9 + 0.3 * max(len(rows), 3), left=2.0 if narrow else 3.1)


def times(figures: Figures, words: Mapping[str, str], theme: Theme, narrow: bool = False) -> str:
    """Median and 95th percentile of the time to answer, day by day."""

    def draw(axes: Axes, colours: Colours) -> None:
        speeds = figures.speeds
        places = [(speed.day - figures.since).days for speed in speeds]
        axes.plot(
            places,
            [speed.p95 for speed in speeds],
            color=colours.second,
            marker="o",
            markersize=3.5,
            label=words["p95_short"],
        )
        axes.plot(
            places,
            [speed.median for speed in speeds],
            color=colours.first,
            marker="o",
            markersize=3.5,
            label=words["median_short"],
        )
        _day_ticks(axes, [day.isoformat() for day, _ in figures.by_day()], narrow)
        axes.set_xlim(-0.6, len(figures.by_day()) - 0.4)
        axes.set_ylim(bottom=0)
        axes.set_ylabel(words["milliseconds"])
        _legend(axes)

    return _svg(draw, theme, narrow, height=2.6)


def operating_point(
    outcomes: Sequence[Judged],
    marks: Sequence[tuple[float, str]],
    words: Mapping[str, str],
    theme: Theme,
    narrow: bool = False,
) -> str:
    """Shares of answered and of wrongly answered questions at every point; `marks` are (threshold, label) to be shown."""

    def draw(axes: Axes, colours: Colours) -> None:
        grid = [step / 100 for step in range(101)]
        points = [point(outcomes, threshold) for threshold in grid]
        lines: tuple[tuple[str, str, Callable[[Any], float], str], ...] = (
            ("share_answered", colours.first, lambda p: p.answered, "-"),
            ("share_wrong", colours.fourth, lambda p: p.wrong if p.answered else float("nan"), "-"),
            ("share_lost", colours.second, lambda p: p.lost, "--"),
            ("share_refused", colours.third, lambda p: p.refused, "--"),
        )
        for name, colour, value, style in lines:
            axes.plot([100 * t for t in grid], [100 * value(p) for p in points], style, color=colour, label=words[name])
        for i, (threshold, label) in enumerate(sorted(marks)):
            axes.axvline(100 * threshold, color=colours.ink, linewidth=1, linestyle=":")
            axes.annotate(
                label, (100 * threshold, 101), xytext=(3, 2 + 11 * (i % 2)), textcoords="offset points", color=colours.ink, fontsize=9,
                annotation_clip=False,
            )  # fmt: skip
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 101)
        axes.set_xlabel(f"{words['threshold']}, %")
        axes.set_ylabel("%")
        axes.legend(
            frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.2), labelcolor=colours.ink, fontsize=9.5
        )

    return _svg(draw, theme, narrow, height=3.9, bottom=1.3)


# ── what they share ─────────────────────────────────────────────────────────────────────────────────────────────


def _svg(
    draw: Draw, theme: Theme, narrow: bool, *, height: float, left: float = 0.65, bottom: float = 0.5, top: float = 0.36
) -> str:
    """A picture, `narrow` for a phone; height and the margins in inches, of which a reader sees about 100 pixels each."""
    import matplotlib
    from matplotlib.figure import Figure

    colours = THEMES[theme]
    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "clusterqa",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 10,
        "text.parse_math": False,  # a title may hold dollar signs
        "text.color": colours.ink,
        "axes.labelcolor": colours.soft,
        "axes.edgecolor": colours.line,
        "xtick.color": colours.soft,
        "ytick.color": colours.soft,
    }
    with _drawing, matplotlib.rc_context(style):
        width = 4.2 if narrow else 7.2
        figure = Figure(figsize=(width, height))
        box = (left / width, bottom / height, (width - left - 0.15) / width, (height - bottom - top) / height)
        axes = figure.add_axes(box)
        axes.set_facecolor("none")
        axes.grid(axis="y", color=colours.line, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0)
        draw(axes, colours)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    # The reader's own typeface first; the widths were computed with a wide one, so it fits.
    return buffer.getvalue().replace("'DejaVu Sans'", "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans'")


def _legend(axes: Axes) -> None:
    axes.legend(frameon=False, ncols=4, loc="lower right", bbox_to_anchor=(1.0, 0.98), fontsize=9.5, borderaxespad=0)


def _day_ticks(axes: Axes, names: Sequence[str], narrow: bool) -> None:
    """A few dates, as month and day."""
    step = max(1, -(-len(names) // (5 if narrow else 8)))
    places = list(range(0, len(names), step))
    axes.set_xticks(places, [names[place][5:] for place in places])


def _whole_numbers(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1))


def _short(title: str, narrow: bool) -> str:
    longest = LONGEST_TITLE // 2 + 3 if narrow else LONGEST_TITLE
    return title if len(title) <= longest else f"{title[: longest - 1].rstrip()}…"
