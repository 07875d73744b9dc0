"""How it goes: figures of the last days with plots and tables, and the same for a spreadsheet."""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from clusterqa.clock import local
from clusterqa.errors import StoreError
from clusterqa.journal import Entry
from clusterqa.staff import plots
from clusterqa.staff.exporting import harmless
from clusterqa.staff.figures import Figures, beginning, figures
from clusterqa.web.staff.desk import Editor, language_of, page, service
from clusterqa.web.staff.words_questions import WORDS, days, decimal, percent, told_day

router = APIRouter()

PERIODS = (7, 30, 90, 180)
KEPT_SECONDS = 30.0
"""How long figures are kept: the page and its four plots are one look."""

Plot = Literal["days", "languages", "documents", "times"]
_DRAW = {"days": plots.days, "languages": plots.languages, "documents": plots.documents, "times": plots.times}

_kept: dict[tuple[int, int], tuple[float, Figures]] = {}
_kept_lock = threading.Lock()


def _zone() -> tzinfo | None:
    return local(datetime.now().astimezone()).tzinfo


def _entries(request: Request, period: int) -> list[Entry]:
    journal = service(request).journal
    if journal is None:
        raise StoreError("The journal cannot be used. The server's log says why.")
    zone = _zone()
    return journal.entries(limit=None, since=beginning(datetime.now(zone).date(), period, zone))


def _figures(request: Request, period: int) -> Figures:
    key = (id(service(request)), period)
    with _kept_lock:
        if (known := _kept.get(key)) and time.monotonic() - known[0] < KEPT_SECONDS:
            return known[1]
        with service(request).store() as store:
            titles = {stored.id: stored.title for stored in store.documents()}
        made = figures(_entries(request, period), titles, datetime.now(_zone()).date(), period, _zone())
        _kept.clear()
        _kept[key] = (time.monotonic(), made)
        return made


@router.get("/staff")
def overview(
    request: Request, account: Editor, period: Annotated[int, Query(alias="days", ge=1, le=3650)] = 30
) -> Response:
    """The figures of the last days."""
    language = language_of(request)
    with _kept_lock:
        _kept.clear()  # whoever opens the page wants it as it is now; its plots then share this look
    made = _figures(request, period)
    return page(
        request, account, "overview.html", words=WORDS, figures=made, total=made.total(), period=period, periods=PERIODS,
        waiting=service(request).inquiries().waiting(), totals={code: made.total(code) for code in ("lt", "en")},
        day=lambda moment: told_day(moment, language), days=lambda n: days(n, language),
        percent=lambda part, whole: percent(part / whole, language) if whole else "–",
        decimal=lambda number, digits=0: decimal(number, language, digits),
    )  # fmt: skip


@router.get("/staff/plots/{name}.svg")
def plot(
    request: Request,
    account: Editor,
    name: Plot,
    theme: Literal["light", "dark"] = "light",
    narrow: bool = False,
    period: Annotated[int, Query(alias="days", ge=1, le=3650)] = 30,
) -> Response:
    """A figure as a picture."""
    svg = _DRAW[name](_figures(request, period), WORDS[language_of(request)], theme, narrow)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


@router.get("/staff/figures/{name}.csv")
def table(
    request: Request,
    account: Editor,
    name: Literal["days", "documents", "questions"],
    period: Annotated[int, Query(alias="days", ge=1, le=3650)] = 30,
) -> Response:
    """
    The same as a table for a spreadsheet: days by language, documents, or the questions one by one.

    In Lithuanian with semicolons and decimal commas, in English with commas and points: so spreadsheets of both open it.
    """
    if name == "questions":
        header, rows = _questions(_entries(request, period))
    elif name == "documents":
        header, rows = _documents(_figures(request, period))
    else:
        header, rows = _days(_figures(request, period))
    lithuanian = language_of(request) == "lt"
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";" if lithuanian else ",")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value, lithuanian) for value in row])
    return Response(
        "\ufeff" + buffer.getvalue(),  # the mark tells Excel that it is UTF-8
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="clusterqa-{name}.csv"', "Cache-Control": "no-store"},
    )


Row = Sequence[str | float | int | None]


def _days(made: Figures) -> tuple[list[str], Iterable[Row]]:
    speeds = {speed.day: speed for speed in made.speeds}
    header = ["day", "language", "asked", "answered", "not_found", "helpful", "not_helpful", "median_ms", "p95_ms"]
    rows = (
        (
            row.day.isoformat(), row.language, row.counts.asked, row.counts.answered, row.counts.not_found,
            row.counts.helpful, row.counts.unhelpful,
            speeds[row.day].median if row.day in speeds else None, speeds[row.day].p95 if row.day in speeds else None,
        )
        for row in made.days
    )  # fmt: skip
    return header, rows


def _documents(made: Figures) -> tuple[list[str], Iterable[Row]]:
    rows: list[Row] = [(row.document, row.title, row.first, row.shown) for row in made.quoted]
    rows += [(document, title, 0, 0) for document, title in made.never]
    return ["document", "title", "quoted_first", "quoted_at_all"], rows


def _questions(entries: Iterable[Entry]) -> tuple[list[str], Iterable[Row]]:
    header = [
        "asked_at",
        "channel",
        "language",
        "status",
        "confidence",
        "milliseconds",
        "helpful",
        "reason",
        "document",
        "question",
    ]
    rows = (
        (
            local(entry.asked_at).isoformat(timespec="seconds"), entry.channel, entry.language, entry.status,
            round(entry.confidence, 4), entry.milliseconds,
            None if entry.feedback is None else int(entry.feedback.helpful),
            entry.feedback.reason if entry.feedback else None,
            entry.shown[0].document if entry.shown else None, entry.question,
        )
        for entry in entries
    )  # fmt: skip
    return header, rows


def _cell(value: str | float | int | None, comma: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}".replace(".", "," if comma else ".")
    return harmless(str(value))
