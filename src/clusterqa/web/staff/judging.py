"""Judging passages: does this passage answer that question? By two people, each without seeing what the other said."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response

from clusterqa.errors import ClusterQAError
from clusterqa.evaluation.pool import (
    ENOUGH,
    GRADES,
    POOL,
    Judgement,
    Pooled,
    agreement,
    read_pool,
    settle,
    to_judge,
)
from clusterqa.evaluation.trec import as_qrels
from clusterqa.staff.accounts import Account
from clusterqa.staff.judgements import Judgements, last_of
from clusterqa.web.render import document_address
from clusterqa.web.staff.desk import Changing, Editor, back, database, language_of, page, said, service, trouble
from clusterqa.web.staff.words_judging import WORDS
from clusterqa.web.staff.words_questions import decimal, percent

router = APIRouter()

HOME = "/staff/judging"


def _pool(request: Request) -> list[Pooled]:
    path = service(request).settings.data / POOL
    return read_pool(path) if path.exists() else []


@router.get(HOME)
def judging(request: Request, account: Editor, item: Annotated[str, Query(max_length=40)] = "") -> Response:
    """The next passage to be judged, or one that was judged already (`item`); and how far people agree."""
    language = language_of(request)
    pooled, told = _pool(request), Judgements(database(request)).all()
    left = to_judge(pooled, told, account.name)
    chosen = next((one for one in pooled if one.id == item), None) or (left[0] if left else None)
    return page(
        request, account, "judging.html", words=WORDS, total=len(pooled), left=len(left), chosen=chosen,
        title=_title(request, chosen.document) if chosen else "",
        own=_own(told, chosen, account), before=_before(pooled, told, account), agreements=agreement(told), enough=ENOUGH,
        grades=list(GRADES), settled=settle(told), some=bool(told),
        percent=lambda share: percent(share, language), decimal=lambda number: decimal(number, language, 2),
        document_address=document_address,
    )  # fmt: skip


def _title(request: Request, document: str) -> str:
    """What a document is called; its id while the index cannot be asked, for judging needs none."""
    try:
        with service(request).store() as store:
            stored = store.document(document)
    except ClusterQAError:
        return document
    return stored.title if stored else document


def _own(told: list[Judgement], chosen: Pooled | None, account: Account) -> str:
    """What this person said of a passage before; "" for nothing yet."""
    if chosen is None:
        return ""
    key = (chosen.question, chosen.passage, chosen.version, account.name)
    return next((j.grade for j in told if (j.question, j.passage, j.version, j.who) == key), "")


def _before(pooled: list[Pooled], told: list[Judgement], account: Account) -> str:
    """The passage that this person judged last, to go back to."""
    if (last := last_of(told, account.name)) is None:
        return ""
    key = (last.question, last.passage, last.version)
    return next((one.id for one in pooled if (one.question, one.passage, one.version) == key), "")


@router.post(HOME)
def judge(
    request: Request,
    account: Changing,
    item: Annotated[str, Form(max_length=40)] = "",
    grade: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Keep a judgement and go on to the next passage."""
    chosen = next((one for one in _pool(request) if one.id == item), None)
    if chosen is None or grade not in GRADES:
        return trouble(request, HOME, said(request, WORDS, "judging_gone"))
    Judgements(database(request)).judge(chosen, grade, account.name)
    return back(request, HOME)


@router.get(f"{HOME}/judged.qrels")
def qrels(request: Request, account: Editor) -> Response:
    """What is settled, for the tools of the field."""
    settled = settle(Judgements(database(request)).all())
    return _file(as_qrels(settled.grades), "judged.qrels", "text/plain")


@router.get(f"{HOME}/judgements.jsonl")
def every(request: Request, account: Editor) -> Response:
    """Every single judgement, with who and when."""
    lines = [json.dumps(asdict(one), ensure_ascii=False) for one in Judgements(database(request)).all()]
    return _file("".join(f"{line}\n" for line in lines), "judgements.jsonl", "application/jsonl")


def _file(text: str, name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)
