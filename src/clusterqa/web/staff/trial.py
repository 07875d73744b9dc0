"""A place to try: ask anything, see the inside, and what another operating point would do."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from clusterqa.records import Question
from clusterqa.retrieval.quote import MAX_QUOTES
from clusterqa.retrieval.understand import MAX_CHARACTERS
from clusterqa.staff import plots
from clusterqa.staff.inside import RUNS, evidence, inside, point
from clusterqa.web.render import document_address
from clusterqa.web.staff.desk import Editor, language_of, page, service
from clusterqa.web.staff.words_questions import FEATURES, WORDS, decimal, percent

router = APIRouter()

POINTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
PATIENCE_SECONDS = 20.0

Text = Annotated[str, Query(max_length=MAX_CHARACTERS + 1)]
Threshold = Annotated[str, Query(max_length=12)]


def _threshold(text: str) -> float | None:
    """Per cent as typed, with a comma or a point, as a share in [0, 1]; None for anything else."""
    try:
        value = float(text.replace("%", "").replace(",", ".").strip()) / 100
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


@router.get("/staff/trial")
def trial(request: Request, account: Editor, q: Text = "", before: Text = "", threshold: Threshold = "") -> Response:
    """The form; with a question, its inside. Nothing is written down."""
    language = language_of(request)
    assistant = service(request).assistant(PATIENCE_SECONDS)
    profile = assistant.profile
    calibration = profile.calibration
    seen = inside(assistant, Question(q, (before,) if before.strip() else (), language)) if q.strip() else None
    told = evidence(service(request).settings.data, profile)
    wished = _threshold(threshold)
    marks: dict[float, list[str]] = {calibration.threshold: ["now"]}
    if wished is not None:
        marks.setdefault(wished, []).append("your_choice")
    if seen and seen.features:
        marks.setdefault(seen.reply.confidence, []).append("this_question")
    points = [point(told.outcomes, value) for value in sorted({*POINTS, *marks})] if told else []
    return page(
        request, account, "trial.html", words=WORDS, q=q, before=before, threshold=threshold, seen=seen, evidence=told,
        points=points, pointed=marks, now=calibration.threshold, run=RUNS[0], most=MAX_QUOTES,
        names=FEATURES[language], data=service(request).settings.data,
        percent=lambda share, digits=0: percent(share, language, digits),
        decimal=lambda number, digits=2: decimal(number, language, digits), document_address=document_address,
        total=(seen.bias + sum(feature.adds for feature in seen.features)) if seen else 0.0,
    )  # fmt: skip


@router.get("/staff/plots/point.svg")
def plot(
    request: Request,
    account: Editor,
    theme: Literal["light", "dark"] = "light",
    narrow: bool = False,
    threshold: Threshold = "",
    confidence: Annotated[float | None, Query(ge=0, le=1)] = None,
) -> Response:
    """The shares at every operating point, with today's, the wished one and a question's confidence marked."""
    words = WORDS[language_of(request)]
    profile = service(request).assistant(PATIENCE_SECONDS).profile
    calibration = profile.calibration
    told = evidence(service(request).settings.data, profile)
    marks = [(calibration.threshold, words["now"])]
    if (wished := _threshold(threshold)) is not None:
        marks.append((wished, words["your_choice"]))
    if confidence is not None:
        marks.append((confidence, words["this_question"]))
    svg = plots.operating_point(told.outcomes if told else (), marks, words, theme, narrow)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})
