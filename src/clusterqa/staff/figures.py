"""How it goes: what the journal says of a stretch of days, as figures for tables, plots and spreadsheets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from clusterqa.journal import Entry
from clusterqa.records import LANGUAGES, Language


@dataclass(frozen=True, slots=True)
class Counts:
    """How many questions, how many of them were answered or not, and what the askers said of it."""

    asked: int = 0
    answered: int = 0
    not_found: int = 0
    helpful: int = 0
    unhelpful: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.asked + other.asked,
            self.answered + other.answered,
            self.not_found + other.not_found,
            self.helpful + other.helpful,
            self.unhelpful + other.unhelpful,
        )


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one language; a day without questions is there with zeros."""

    day: date
    language: Language
    counts: Counts


@dataclass(frozen=True, slots=True)
class Quoted:
    """How often a document was quoted: as the answer, and in any of the (at most three) places of an answer."""

    document: str
    title: str
    first: int
    shown: int


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds that answering took on one day: in the middle and at the 95th percentile of `questions`."""

    day: date
    questions: int
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Figures:
    """
    Everything of the days `since` to `until`, both included.

    `quoted` the most quoted first, documents that are gone by now with their id as title; `never` the (id, title) of live
    documents that no answer of these days quoted. Document and translation count for themselves.
    """

    since: date
    until: date
    days: tuple[Day, ...]
    quoted: tuple[Quoted, ...]
    never: tuple[tuple[str, str], ...]
    speeds: tuple[Speed, ...]
    channels: Mapping[str, int]

    def total(self, language: Language | None = None) -> Counts:
        """The counts of all days together, of one language or both."""
        return sum((day.counts for day in self.days if language in (None, day.language)), Counts())

    def by_day(self) -> list[tuple[date, Counts]]:
        """The days in order, both languages together."""
        together: dict[date, Counts] = {}
        for day in self.days:
            together[day.day] = together.get(day.day, Counts()) + day.counts
        return sorted(together.items())

    @property
    def speed(self) -> Speed | None:
        """Of all days together, weighed by their questions; None without any."""
        total = sum(speed.questions for speed in self.speeds)
        if not total:
            return None
        median = sum(speed.median * speed.questions for speed in self.speeds) / total
        p95 = sum(speed.p95 * speed.questions for speed in self.speeds) / total
        return Speed(self.until, total, median, p95)


def figures(
    entries: Sequence[Entry], titles: Mapping[str, str], until: date, days: int, zone: tzinfo | None = None
) -> Figures:
    """
    The figures of `days` days up to and with `until`, on the clock of `zone` (None: the server's own).

    `titles` are the live documents with their titles. Entries of other days are left out.
    """
    since = until - timedelta(days=days - 1)
    counts: dict[tuple[date, Language], Counter[str]] = defaultdict(Counter)
    first: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    times: dict[date, list[float]] = defaultdict(list)
    channels: Counter[str] = Counter()
    for entry in entries:
        day = entry.asked_at.astimezone(zone).date()
        if not since <= day <= until:
            continue
        tally = counts[day, entry.language]
        tally["asked"] += 1
        channels[entry.channel] += 1
        if entry.status in ("answered", "not_found"):
            tally[entry.status] += 1
        if entry.feedback is not None:
            tally["helpful" if entry.feedback.helpful else "unhelpful"] += 1
        if entry.milliseconds is not None:
            times[day].append(entry.milliseconds)
        if entry.status == "answered" and entry.shown:
            first[entry.shown[0].document] += 1
            shown.update({place.document for place in entry.shown})
    quoted = [Quoted(document, titles.get(document, document), first[document], n) for document, n in shown.items()]
    return Figures(
        since=since,
        until=until,
        days=tuple(
            Day(since + timedelta(days=i), language, Counts(**counts[since + timedelta(days=i), language]))
            for i in range(days)
            for language in LANGUAGES
        ),
        quoted=tuple(sorted(quoted, key=lambda row: (-row.first, -row.shown, row.document))),
        never=tuple(
            sorted((item for item in titles.items() if item[0] not in shown), key=lambda item: item[1].lower())
        ),
        speeds=tuple(_speed(day, values) for day, values in sorted(times.items())),
        channels=dict(channels),
    )


def beginning(until: date, days: int, zone: tzinfo | None = None) -> datetime:
    """The moment at which the first of `days` days up to and with `until` begins."""
    first = until - timedelta(days=days - 1)
    naive = datetime(first.year, first.month, first.day)
    return naive.replace(tzinfo=zone) if zone else naive.astimezone()


def _speed(day: date, values: Collection[float]) -> Speed:
    ordered = sorted(values)
    return Speed(day, len(ordered), _quantile(ordered, 0.5), _quantile(ordered, 0.95))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between the two nearest, as numpy's default."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
