"""
Documents at the desk: files come in, are looked at, corrected, tried and published; documents are found, replaced,
withdrawn, restored and exported.

A document's id may hold slashes, so it travels as the parameter `id`, never in the path.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from clusterqa.clock import today
from clusterqa.corpus import sync
from clusterqa.documents import SUFFIXES, ocr
from clusterqa.documents.formats import MEDIA_TYPES
from clusterqa.documents.metadata import Metadata, iso_date
from clusterqa.errors import ClusterQAError
from clusterqa.records import LANGUAGES, Document, Language, Question, Reply, Stored, is_over
from clusterqa.staff.accounts import Account
from clusterqa.staff.drafts import CHUNK, FIELDS, DeskError, Draft, Trouble, checked
from clusterqa.staff.history import Event
from clusterqa.staff.jobs import Job
from clusterqa.staff.marking import Deed, markable
from clusterqa.staff.publishing import Keeper
from clusterqa.store import open_store
from clusterqa.web.render import document_address, web_address
from clusterqa.web.staff.desk import Changing, Editor, audit, back, language_of, page, root, said, service, trouble
from clusterqa.web.staff.words_documents import FORMATS, WORDS, count, share, size, told_error, told_remark

log = logging.getLogger(__name__)

router = APIRouter()

HOME = "/staff/documents"
DRAFTS = "/staff/drafts"
PAGE = 50
"""Documents on one page of the list."""
PAGE_OF_DRAFTS = 25
EXCERPT = 60
"""Characters shown before and after a word that was found in a text."""
PASSAGES_SHOWN = 12
PASSAGES_MORE = 200
TEXT_SHOWN = 60_000
"""Characters of the whole text on a draft's page."""
SORTS = ("title", "date", "added", "document")
STATES = ("live", "review", "withdrawn", "all")
REVIEW_DAYS = 30
"""Days before its last valid day from which a document is listed for review."""
CHANGES_SHOWN = 60
MARKED_PAGE = 100
"""Passages on one page of those that can be left out."""
LONGEST_SAID = 300
"""Characters of a reason or a note."""

Id = Annotated[str, Form(alias="id", max_length=1000)]
Asked = Annotated[str, Query(max_length=2000)]


@dataclass(frozen=True, slots=True)
class Listed:
    """
    A document of the list; `event` brought its content, None for what was there before the desk. `excerpt` is what stands
    before a word that was found in its text, the word, and what stands after it; () when only titles were searched.
    """

    stored: Stored
    event: Event | None
    excerpt: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft of the list, with its title as corrected ("" while it is not read), what stands in its way and how far it is."""

    draft: Draft
    title: str
    conflict: str
    progress: str


@dataclass(frozen=True, slots=True)
class Column:
    """One page of a draft's text, or all of it where there are no pages; `picture` is the number of the page to be drawn."""

    name: str
    text: str
    picture: int | None = None


def _show(request: Request, account: Account, template: str, **context: Any) -> Response:
    language = language_of(request)
    helpers = {
        "count": lambda number: count(number, language),
        "size": lambda number: size(number, language),
        "share": lambda part: share(part, language),
        "remark": lambda text: told_remark(text, language),
        "error": lambda trouble: _told(trouble, language),
        "formats": FORMATS,
        "moment": datetime.fromisoformat,
        "document_address": document_address,
        "web_address": web_address,
        "suffixes": ",".join(f".{suffix}" for suffix in (*SUFFIXES, *(ocr.PICTURES if ocr.languages() else ()))),
        "max_upload_mb": service(request).settings.max_upload_mb,
        "over": lambda day: is_over(day, today()),
        "expired": service(request).settings.expired,
        "fetch_urls": service(request).settings.fetch_urls,
    }
    return page(request, account, template, words=WORDS, **{**helpers, **context})


def _told(trouble: Trouble | DeskError, language: Language) -> str:
    text = trouble.text if isinstance(trouble, Trouble) else str(trouble)
    return told_error(trouble.code, text, trouble.values, language)


def _told_any(error: ClusterQAError, language: Language) -> str:
    return _told(Trouble.of(error), language)


def _keeper(request: Request) -> Keeper:
    return service(request).keeper()


def _address(path: str, **values: str) -> str:
    return f"{path}?{urlencode(values)}"


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get(HOME)
def documents(
    request: Request,
    account: Editor,
    q: Asked = "",
    where: Annotated[str, Query(max_length=10)] = "title",
    language: Annotated[str, Query(max_length=5)] = "",
    tag: Asked = "",
    who: Asked = "",
    year: Annotated[str, Query(max_length=4)] = "",
    state: str = "live",
    sort: str = "title",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    waiting_number: Annotated[int, Query(alias="waiting", ge=1, le=100_000)] = 1,
) -> Response:
    """The documents, searched, filtered and sorted, and what waits to be published."""
    keeper = _keeper(request)
    state, sort = state if state in STATES else "live", sort if sort in SORTS else "title"
    with open_store(keeper.settings.home) as store, store.reading():
        everything = store.documents(state=None)
        unreadable = store.unreadable()
        pending = sync.out_of_step(keeper.settings, store) if keeper.settings.corpus.is_dir() else []
    brought = keeper.history.brought()
    every = [Listed(stored, brought.get(stored.id)) for stored in everything]
    where = where if where in ("title", "text") else "title"
    filtered = [
        listed
        for listed in every
        if _is_in(listed.stored, state)
        and (not language or listed.stored.language == language)
        and (not tag or tag in listed.stored.tags)
        and (not who or _who(listed) == who)
        and (not year or (listed.stored.date or "").startswith(year))
    ]
    in_texts = where == "text" and bool(_folded(q).split())
    found = _sorted(_in_texts(keeper, filtered, q) if in_texts else _in_titles(filtered, q), sort)
    shown = found[(number - 1) * PAGE : number * PAGE]
    drafts = [draft for draft in keeper.drafts.all() if draft.state != "published"]
    waiting = drafts[(waiting_number - 1) * PAGE_OF_DRAFTS : waiting_number * PAGE_OF_DRAFTS]
    chosen = {
        "q": q,
        "where": where if where != "title" else "",
        "language": language,
        "tag": tag,
        "who": who,
        "year": year,
        "state": state,
        "sort": sort,
    }
    ours = {draft.document for draft in drafts if draft.state == "publishing"}
    failed = {name for name, _, _ in unreadable}
    return _show(
        request,
        account,
        "documents.html",
        waiting=[_waiting(request, keeper, draft) for draft in waiting],
        waiting_count=len(drafts),
        waiting_number=waiting_number,
        waiting_pages=-(-len(drafts) // PAGE_OF_DRAFTS),
        waiting_address=lambda n: root(request) + _address(HOME, waiting=str(n)) + "#waiting-title",
        found=_with_excerpts(keeper, shown, q) if in_texts else shown,
        found_count=len(found),
        total=sum(_is_in(listed.stored, state) for listed in every),
        to_review=sum(_is_in(listed.stored, "review") for listed in every),
        number=number,
        pages=-(-len(found) // PAGE),
        address=lambda n: root(request) + _address(HOME, **{k: v for k, v in chosen.items() if v}, page=str(n)),
        chosen=chosen,
        tags={code: _tags([e.stored for e in every], code) for code in LANGUAGES},
        people=sorted({_who(listed) for listed in every if listed.event}, key=str.casefold),
        years=sorted({listed.stored.date[:4] for listed in every if listed.stored.date}, reverse=True),
        unreadable=unreadable,
        pending=len(set(pending) - ours - failed),
        problem=keeper.watch.problem,
        narrowed=any(chosen[name] for name in ("q", "language", "tag", "who", "year")) or state != "live",
    )


def _in_titles(listed: Sequence[Listed], q: str) -> list[Listed]:
    words = _folded(q).split()
    return [one for one in listed if all(word in _folded(f"{one.stored.title} {one.stored.id}") for word in words)]


def _in_texts(keeper: Keeper, listed: Sequence[Listed], q: str) -> list[Listed]:
    """Those whose text holds every word; diacritics and capitals do not count."""
    words, found = _folded(q).split(), []
    with open_store(keeper.settings.home) as store:
        for one in listed:
            text = _folded(store.text(one.stored.id, one.stored.version) or "")
            if all(word in text for word in words):
                found.append(one)
    return found


def _with_excerpts(keeper: Keeper, listed: Sequence[Listed], q: str) -> list[Listed]:
    word = _folded(q).split()[0]
    with open_store(keeper.settings.home) as store:
        return [
            replace(one, excerpt=_excerpt(store.text(one.stored.id, one.stored.version) or "", word)) for one in listed
        ]


def _excerpt(text: str, word: str) -> tuple[str, ...]:
    """The first place of a folded word in a text, with a little before and after it; () where folding moved it."""
    plain = unicodedata.normalize("NFC", text)
    folded = _folded(plain)
    if len(folded) != len(plain):  # a letter became two
        folded = "".join(_folded(letter)[:1] or " " for letter in plain)
    begin = folded.find(word)
    if begin < 0:
        return ()
    end = begin + len(word)
    pieces = plain[max(0, begin - EXCERPT) : begin], plain[begin:end], plain[end : end + EXCERPT]
    return tuple(re.sub(r"\s+", " ", piece) for piece in pieces)


def _tags(documents: Sequence[Stored], language: str) -> list[str]:
    """The tags of the documents of a language."""
    return sorted({tag for stored in documents if stored.language == language for tag in stored.tags}, key=str.casefold)


def _is_in(stored: Stored, state: str) -> bool:
    """Whether a document belongs to one of STATES; "review" is what is no longer valid, nearly so, or due to be looked at."""
    if state == "review":
        soon = is_over(stored.valid_until, today() + timedelta(days=REVIEW_DAYS))
        return stored.state == "live" and (soon or is_over(stored.review_by, today()))
    return state == "all" or (stored.state == "live") == (state == "live")


BY_HAND = "-"
"""Stands in the filter for "nobody at the desk"; no account's name may begin with it."""


def _who(listed: Listed) -> str:
    return "" if listed.event is None else listed.event.who or BY_HAND


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _sorted(found: Sequence[Listed], sort: str) -> list[Listed]:
    alphabet = str.maketrans(
        dict(zip("ąčęėįšųūž", ("a~", "c~", "e~", "e~~", "i~", "s~", "u~", "u~~", "z~"), strict=True))
    )
    by_title = sorted(
        found, key=lambda e: (e.stored.title.casefold().lstrip("„“\"'–- ").translate(alphabet), e.stored.id)
    )
    if sort == "date":
        return sorted(by_title, key=lambda e: e.stored.date or "", reverse=True)
    if sort == "added":
        return sorted(by_title, key=lambda e: e.event.at.timestamp() if e.event else 0.0, reverse=True)
    if sort == "document":
        return sorted(found, key=lambda e: e.stored.id)
    return by_title


def _waiting(request: Request, keeper: Keeper, draft: Draft) -> Waiting:
    document = keeper.drafts.read(draft) if draft.state in ("ready", "publishing") else None
    conflict = keeper.conflict(draft)
    language = language_of(request)
    return Waiting(
        draft,
        document.title if document else "",
        _told(conflict, language) if conflict else "",
        _told_job(_job(keeper, draft), language) if draft.state in ("reading", "publishing") else "",
    )


@router.post(f"{HOME}/fetch")
def fetch(
    request: Request,
    account: Changing,
    url: Annotated[str, Form(max_length=2000)],
    replaces: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Take in the page at an address; with `replaces` as a new version of a document that was fetched before."""
    keeper = _keeper(request)
    limit = keeper.settings.max_upload_mb * 1024 * 1024
    try:
        draft, known = keeper.fetch(url, account.name, limit, replaces or None)
    except ClusterQAError as error:
        there = _address(f"{HOME}/show", id=replaces) if replaces else HOME
        return trouble(request, there, _told_any(error, language_of(request)))
    text = said(request, WORDS, "upload_known_as").format(draft.uploaded_as) if known else ""
    return back(request, f"{DRAFTS}/{draft.id}", text)


# ── several at once ─────────────────────────────────────────────────────────────────────────────────────────────

DEEDS = {
    "drafts": ("publish", "discard", "publisher", "tag", "untag", "language"),
    "documents": ("withdraw", "publisher", "tag", "untag", "language"),
}
"""What can be done with several drafts, or documents."""
SURE = ("discard", "withdraw")
"""What is asked about before it is done."""


@router.post(f"{HOME}/several")
def several(
    request: Request,
    account: Changing,
    which: Annotated[Literal["drafts", "documents"], Form()],
    do: Annotated[Literal["publish", "discard", "withdraw", "publisher", "tag", "untag", "language"], Form()],
    pick: Annotated[list[str] | None, Form()] = None,
    listed: Annotated[list[str] | None, Form()] = None,
    all_of_them: Annotated[str, Form(alias="all", max_length=1)] = "",
    sure: Annotated[str, Form(max_length=1)] = "",
    publisher: Annotated[str, Form(max_length=500)] = "",
    tag: Annotated[str, Form(max_length=200)] = "",
    language: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """One deed for all drafts or documents that are ticked, or for all that were listed; what fails stops no other."""
    keeper, words = _keeper(request), WORDS[language_of(request)]
    if do not in DEEDS[which]:
        raise HTTPException(422)
    picked = (listed if all_of_them else pick) or []
    typed, faults = checked({"publisher": publisher, "tags": tag, "language": language})
    given = {"publisher": typed.publisher, "tag": typed.tags, "untag": typed.tags, "language": typed.language}
    if not picked or faults or (do in given and not given[do]):
        return trouble(request, HOME, words["several_empty"] if picked else words["several_none"])
    if do in SURE and not sure:
        names = [_called(keeper, which, one) for one in picked]
        return _show(request, account, "documents_several.html", deed=do, which=which, picked=picked, names=names)

    def change(metadata: Metadata, document: Document | Stored) -> Metadata:
        match do:
            case "publisher":
                return replace(metadata, publisher=typed.publisher)
            case "language":
                return replace(metadata, language=typed.language)
            case "tag":
                return replace(metadata, tags=tuple(dict.fromkeys((*document.tags, *typed.tags))))
            case _:
                return replace(metadata, tags=tuple(tag for tag in document.tags if tag not in typed.tags))

    done, errors = 0, list[str]()
    for one in picked:
        try:
            if which == "documents":
                keeper.withdraw(one, account.name) if do == "withdraw" else keeper.amend(one, account.name, change)
            elif do == "publish":
                keeper.publish(one, account.name)
            elif do == "discard":
                keeper.discard(one, account.name)
            else:
                draft = keeper.drafts.get(one)
                if (document := keeper.drafts.read(draft)) is None:
                    raise DeskError("unread", "The file is not read yet, or cannot be read.")
                keeper.correct(one, account.name, draft.revision, change(draft.metadata, document))
            done += 1
        except ClusterQAError as error:
            errors.append(f"{_called(keeper, which, one)}: {_told_any(error, language_of(request))}")
    return (trouble if errors else back)(request, HOME, " ".join([words["several_done"].format(done), *errors]))


def _called(keeper: Keeper, which: str, one: str) -> str:
    """What a draft or a document is called on the page."""
    try:
        if which == "drafts":
            draft = keeper.drafts.get(one)
            document = keeper.drafts.read(draft)
            return document.title if document else draft.uploaded_as
        with open_store(keeper.settings.home) as store:
            stored = store.document(one)
        return stored.title if stored else one
    except DeskError:
        return one


# ── files come in ───────────────────────────────────────────────────────────────────────────────────────────────


@router.post(DRAFTS)
async def upload(request: Request, account: Changing) -> Response:
    """
    Take files in, each as a draft of its own; `replaces` names the document that the one file is a new version of.

    Only somebody logged in gets so far; the body is read here, to disk. A script gets JSON, a form goes on to a page.
    """
    language = language_of(request)
    form = await request.form(max_files=1000, max_fields=20)
    replaces = form.get("replaces")
    replaces = replaces if isinstance(replaces, str) and replaces else None
    files = [item for item in form.getlist("files") if isinstance(item, UploadFile) and (item.filename or item.size)]
    outcomes = [await run_in_threadpool(_take_in, request, account, file, replaces) for file in files]
    told = [
        {
            "name": name,
            "draft": draft.id if draft else None,
            "address": f"{root(request)}{DRAFTS}/{draft.id}" if draft else None,
            "known": known,
            "error": _told_any(error, language) if error else None,
        }
        for name, draft, known, error in outcomes
    ]
    if "x-csrf-token" in request.headers:
        return JSONResponse(told)
    errors = [f"{line['name']}: {line['error']}" for line in told if line["error"]]
    kept = [(draft, known) for _, draft, known, _ in outcomes if draft]
    home = _address(f"{HOME}/replace", id=replaces) if replaces else HOME
    if not files:
        return trouble(request, home, said(request, WORDS, "upload_none"))
    if len(kept) == 1 and not errors:
        draft, known = kept[0]
        text = said(request, WORDS, "upload_known_as").format(draft.uploaded_as) if known else ""
        return back(request, f"{DRAFTS}/{draft.id}", text)
    return (trouble if errors else back)(
        request, home, " ".join([said(request, WORDS, "upload_some").format(len(kept)), *errors])
    )


def _take_in(
    request: Request, account: Account, file: UploadFile, replaces: str | None
) -> tuple[str, Draft | None, bool, ClusterQAError | None]:
    keeper, name = _keeper(request), file.filename or ""
    limit = keeper.settings.max_upload_mb * 1024 * 1024
    try:
        draft, known = keeper.take_in(name, file.file, account.name, limit, replaces)
    except ClusterQAError as error:
        return name, None, False, error
    return name, draft, known, None


# ── a draft ─────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get(f"{DRAFTS}/{{draft_id}}")
def draft_page(
    request: Request, account: Editor, draft_id: str, question: Asked = "", passages: Annotated[int, Query(ge=0)] = 0
) -> Response:
    """What was read from a file, how it would be quoted, and what can be done with it; with a question, the trial."""
    try:
        draft = _keeper(request).drafts.get(draft_id)
    except DeskError as error:
        return trouble(request, HOME, _told(error, language_of(request)))
    return _draft(request, account, draft, question=question, passages=passages)


def _draft(
    request: Request,
    account: Account,
    draft: Draft,
    *,
    question: str = "",
    passages: int = 0,
    typed: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    keeper, language = _keeper(request), language_of(request)
    found = keeper.drafts.found(draft)
    document = keeper.drafts.read(draft)
    reply, trial, trial_error = _tried(keeper, draft, question, language) if question.strip() else (None, None, "")
    cut = keeper.trials.passages(document) if document else ()
    shown = PASSAGES_MORE if passages else PASSAGES_SHOWN
    with open_store(keeper.settings.home) as store:
        others = [stored for stored in store.documents() if stored.id != draft.document]
    conflict = keeper.conflict(draft)
    return _show(
        request,
        account,
        "draft.html",
        draft=draft,
        document=document,
        found=found,
        typed=typed or (_as_typed(document) if document else {}),
        faults=faults or {},
        problem=problem,
        conflict=conflict,
        current=draft.document if keeper.digest(draft.document) is not None else None,
        other_name=keeper.other_name(draft),
        likenesses=[like for like in keeper.likeness(document) if like.document != draft.document] if document else [],
        passages=cut[:shown],
        passages_count=len(cut),
        more=len(cut) > shown and not passages,
        columns=_columns(document, WORDS[language]["page_number"]) if document else [],
        text_shown=TEXT_SHOWN,
        others=sorted(others, key=lambda stored: stored.title.casefold()),
        to_recognise=_to_recognise(draft, document),
        can_recognise=ocr.languages(),
        install=ocr.INSTALL,
        recognised={page.page: page for page in keeper.drafts.recognised(draft)},
        known_tags=_common_tags(others, document.language) if document else [],
        progress=_told_job(_job(keeper, draft), language),
        question=question,
        reply=reply,
        trial=trial,
        trial_error=trial_error,
        live=_live(keeper, draft.document),
        comparison=keeper.comparison(draft, document)
        if document and draft.intent == "replace" and draft.state != "published"
        else None,
        changes_shown=CHANGES_SHOWN,
        tomorrow=(today() + timedelta(days=1)).isoformat(),
        here=f"{DRAFTS}/{draft.id}" if request.method == "POST" else None,
        status=status,
    )


SCANS = ("It holds pictures of pages and no text.", "Its fonts ")
"""How the reasons begin for which a PDF could not be read and its text may be recognised."""


def _to_recognise(draft: Draft, document: Document | None) -> bool:
    """Whether recognising text may help: a picture, a PDF of pictures, or one with pages that gave no text."""
    if draft.state == "ready" and document and document.media_type == MEDIA_TYPES["pdf"]:
        return any(not document.text[page.start : page.end].strip() for page in document.pages)
    if draft.state != "unreadable":
        return False
    ending = Path(draft.file).suffix.lower().lstrip(".")
    reason = str(draft.trouble.values.get("reason", "")) if draft.trouble else ""
    return ending in ocr.PICTURES or (ending == "pdf" and reason.startswith(SCANS))


def _common_tags(documents: Sequence[Stored], language: str, most: int = 20) -> list[str]:
    """The tags that most documents of a language have."""
    counted = Counter(tag for stored in documents if stored.language == language for tag in stored.tags)
    return [tag for tag, _ in counted.most_common(most)]


def _tried(keeper: Keeper, draft: Draft, question: str, language: Language) -> tuple[Reply | None, Job | None, str]:
    try:
        reply = keeper.trials.ask(draft.id, Question(question, language=language))
    except ClusterQAError as error:
        return None, None, _told_any(error, language)
    return reply, keeper.jobs.get(f"trial {draft.id}") if reply is None else None, ""


def _columns(document: Document, page_words: str) -> list[Column]:
    text = document.text[:TEXT_SHOWN]
    if not document.pages:
        return [Column("", text)]
    return [
        Column(
            page_words.format(page.label or page.number),
            document.text[page.start : min(page.end, TEXT_SHOWN)].strip(),
            page.number if document.media_type == MEDIA_TYPES["pdf"] else None,
        )
        for page in document.pages
        if page.start < TEXT_SHOWN
    ]


def _as_typed(document: Document) -> dict[str, str]:
    values = {name: getattr(document, name) or "" for name in FIELDS}
    return {**values, "tags": ", ".join(document.tags)}


def _live(keeper: Keeper, document: str) -> Stored | None:
    with open_store(keeper.settings.home) as store:
        stored = store.document(document)
    return stored if stored and stored.state == "live" else None


@router.post(f"{DRAFTS}/{{draft_id}}")
def correct(
    request: Request,
    account: Changing,
    draft_id: str,
    revision: Annotated[int, Form()],
    title: Annotated[str, Form(max_length=1000)] = "",
    language: Annotated[str, Form(max_length=20)] = "",
    document_date: Annotated[str, Form(alias="date", max_length=40)] = "",
    publisher: Annotated[str, Form(max_length=1000)] = "",
    url: Annotated[str, Form(max_length=2000)] = "",
    tags: Annotated[str, Form(max_length=2000)] = "",
    translation_of: Annotated[str, Form(max_length=1000)] = "",
    valid_until: Annotated[str, Form(max_length=40)] = "",
    review_by: Annotated[str, Form(max_length=40)] = "",
    intent: Annotated[str, Form(max_length=20)] = "",
    then: Annotated[str, Form(max_length=20)] = "",
    publish_on: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Keep what the editor corrected; go on to publish (`then=publish`), to plan it (`plan`) or to plan it no more (`unplan`)."""
    keeper, words = _keeper(request), WORDS[language_of(request)]
    typed = {
        "title": title, "language": language, "date": document_date, "publisher": publisher, "url": url, "tags": tags,
        "translation_of": translation_of, "valid_until": valid_until, "review_by": review_by,
    }  # fmt: skip
    day = _day(publish_on)
    try:
        draft = keeper.drafts.get(draft_id)
        found = keeper.drafts.found(draft)
        metadata, faults = checked(typed)
        if found is not None:
            metadata, emptied = _beyond(found, metadata, typed)
            faults = {**emptied, **faults}
        if then == "plan" and day is None:
            faults["publish_on"] = publish_on
        if faults:
            marked = {
                name: words["fault_emptied"]
                if name in emptied
                else words.get(FAULTS.get(name, ""), words["fault_other"])
                for name in faults
            }
            return _draft(request, account, draft, typed=typed, faults=marked, problem=words["check_form"], status=422)
        metadata = replace(metadata, left_out=draft.metadata.left_out, notes=draft.metadata.notes)
        if metadata != draft.metadata or intent:
            draft = keeper.correct(draft_id, account.name, revision, metadata, intent or None)
            revision = draft.revision
        if then == "publish":
            keeper.publish(draft_id, account.name, revision)
            return back(request, f"{DRAFTS}/{draft_id}")
        if then in ("plan", "unplan"):
            planned = day if then == "plan" else None
            keeper.plan(draft_id, account.name, planned, revision)
            return back(request, f"{DRAFTS}/{draft_id}", words["saved" if planned else "unplanned"])
    except DeskError as error:
        text = _told(error, language_of(request))
        return trouble(request, HOME if error.code == "no_draft" else f"{DRAFTS}/{draft_id}", text)
    return back(request, f"{DRAFTS}/{draft_id}", words["saved"])


FAULTS = {
    "date": "fault_date", "valid_until": "fault_date", "review_by": "fault_date", "publish_on": "fault_date",
    "url": "fault_url", "language": "fault_language",
}  # fmt: skip
"""Which word says what is wrong with a field."""


def _day(text: str) -> date | None:
    """A whole date as somebody types it; None for anything else."""
    found = iso_date(text)
    return date.fromisoformat(found) if found and len(found) == 10 else None


def _beyond(found: Document, metadata: Metadata, typed: dict[str, str]) -> tuple[Metadata, dict[str, str]]:
    """Only what differs from what the file itself says; fields of the file that were emptied are faults."""
    kept: dict[str, Any] = {}
    emptied: dict[str, str] = {}
    for name in FIELDS:
        own, value = getattr(found, name), getattr(metadata, name)
        if own and not typed.get(name, "").strip():
            emptied[name] = "emptied"
        elif value and value != own:
            kept[name] = value
    return Metadata(**kept), emptied


@router.get(f"{DRAFTS}/{{draft_id}}/state")
def draft_state(request: Request, account: Editor, draft_id: str) -> Response:
    """How far reading or publishing a draft is, for the page to follow."""
    keeper = _keeper(request)
    try:
        draft = keeper.drafts.get(draft_id)
    except DeskError:
        return JSONResponse({"state": "gone", "over": True}, headers={"Cache-Control": "no-store"})
    return _progress(request, _job(keeper, draft), draft.state, over=draft.state not in ("reading", "publishing"))


def _job(keeper: Keeper, draft: Draft) -> Job | None:
    job = keeper.jobs.get(draft.id)
    if draft.state == "reading" and (job is None or job.stage != "recognise"):
        return keeper.readings.job(draft.id)
    return job


def _told_job(job: Job | None, language: Language) -> str:
    if job is None or (job.stage in ("read", "encode") and not job.total):
        return ""
    return WORDS[language][f"stage_{job.stage}"].format(job.done, job.total)


def _progress(request: Request, job: Job | None, state: str, *, over: bool) -> Response:
    job = job or Job()
    told = _told_job(job, language_of(request))
    values = {"state": state, "over": over, "stage": job.stage, "done": job.done, "total": job.total, "text": told}
    return JSONResponse(values, headers={"Cache-Control": "no-store"})


@router.post(f"{DRAFTS}/{{draft_id}}/recognise")
def recognise(request: Request, account: Changing, draft_id: str) -> Response:
    """Recognise the text of a scanned draft, in the background."""
    try:
        _keeper(request).recognise(draft_id, account.name)
    except DeskError as error:
        return trouble(
            request, HOME if error.code == "no_draft" else f"{DRAFTS}/{draft_id}", _told(error, language_of(request))
        )
    return back(request, f"{DRAFTS}/{draft_id}")


@router.post(f"{DRAFTS}/{{draft_id}}/resolve")
def resolve(request: Request, account: Changing, draft_id: str, revision: Annotated[int, Form()]) -> Response:
    """Go on with a draft in spite of a conflict, having seen it."""
    try:
        _keeper(request).resolve(draft_id, account.name, revision)
    except DeskError as error:
        return trouble(request, f"{DRAFTS}/{draft_id}", _told(error, language_of(request)))
    return back(request, f"{DRAFTS}/{draft_id}", said(request, WORDS, "resolved"))


@router.get(f"{DRAFTS}/{{draft_id}}/discard")
def ask_discard(request: Request, account: Editor, draft_id: str) -> Response:
    """The question before a draft is deleted; works without a script."""
    try:
        draft = _keeper(request).drafts.get(draft_id)
    except DeskError as error:
        return trouble(request, HOME, _told(error, language_of(request)))
    return _show(
        request, account, "document_confirm.html", action="discard", name=draft.uploaded_as, id="",
        target=f"{DRAFTS}/{draft.id}/discard", cancel=f"{DRAFTS}/{draft.id}",
    )  # fmt: skip


@router.post(f"{DRAFTS}/{{draft_id}}/discard")
def discard(request: Request, account: Changing, draft_id: str) -> Response:
    """Delete a draft with its file."""
    try:
        draft = _keeper(request).discard(draft_id, account.name)
    except DeskError as error:
        return trouble(request, HOME, _told(error, language_of(request)))
    return back(request, HOME, said(request, WORDS, "discarded").format(draft.uploaded_as))


@router.get(f"{DRAFTS}/{{draft_id}}/image")
def draft_image(
    request: Request, account: Editor, draft_id: str, number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1
) -> Response:
    """A page of a draft as a picture; 404 where it cannot be drawn."""
    keeper = _keeper(request)
    try:
        made = keeper.picture(keeper.drafts.get(draft_id), number)
    except DeskError:
        made = None
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(made, media_type="image/jpeg", headers=headers) if made else Response(status_code=404)


# ── passages that are left out, and notes ───────────────────────────────────────────────────────────────────────

PICKED = Form(max_length=60)


@router.get(f"{DRAFTS}/{{draft_id}}/passages")
def draft_passages(
    request: Request,
    account: Editor,
    draft_id: str,
    q: Asked = "",
    only: Annotated[str, Query(max_length=1)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """The passages of a draft, to leave some out of answers or note something on them."""
    keeper = _keeper(request)
    try:
        draft = keeper.drafts.get(draft_id)
    except DeskError as error:
        return trouble(request, HOME, _told(error, language_of(request)))
    document = keeper.drafts.read(draft)
    here = f"{DRAFTS}/{draft_id}"
    if document is None or draft.state != "ready":
        return back(request, here)
    return _passages(request, account, document, draft.metadata, here, f"{here}/passages", {}, q, only, number)


@router.post(f"{DRAFTS}/{{draft_id}}/passages")
def mark_draft(
    request: Request,
    account: Changing,
    draft_id: str,
    do: Annotated[Deed, Form()],
    pick: Annotated[list[Annotated[str, PICKED]] | None, Form()] = None,
    text: Annotated[str, Form(max_length=LONGEST_SAID)] = "",
) -> Response:
    """Leave the ticked passages of a draft out, put them back, or note something on them."""
    there = f"{DRAFTS}/{draft_id}/passages"
    try:
        _keeper(request).mark_draft(draft_id, account.name, do, pick or [], text)
    except DeskError as error:
        return trouble(request, HOME if error.code == "no_draft" else there, _told(error, language_of(request)))
    return back(request, there, said(request, WORDS, f"marked_{do}"))


@router.get(f"{HOME}/passages")
def document_passages(
    request: Request,
    account: Editor,
    document: Annotated[str, Query(alias="id", max_length=1000)],
    q: Asked = "",
    only: Annotated[str, Query(max_length=1)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """The passages of a published document, as `draft_passages` shows them."""
    keeper = _keeper(request)
    with open_store(keeper.settings.home) as store:
        stored, read = store.document(document), store.read(document)
    if stored is None or read is None or stored.state != "live":
        return trouble(request, HOME, said(request, WORDS, "no_document"))
    up = _address(f"{HOME}/show", id=document)
    metadata = keeper.marks(document)
    return _passages(request, account, read, metadata, up, f"{HOME}/passages", {"id": document}, q, only, number)


@router.post(f"{HOME}/passages")
def mark_document(
    request: Request,
    account: Changing,
    document: Id,
    do: Annotated[Deed, Form()],
    pick: Annotated[list[Annotated[str, PICKED]] | None, Form()] = None,
    text: Annotated[str, Form(max_length=LONGEST_SAID)] = "",
) -> Response:
    """Leave the ticked passages of a published document out of answers, put them back, or note something on them."""
    keeper, there = _keeper(request), _address(f"{HOME}/passages", id=document)
    try:
        keeper.mark(document, account.name, do, pick or [], text)
    except DeskError as error:
        home = HOME if error.code == "gone" else there
        return trouble(request, home, _told(error, language_of(request)))
    job = keeper.jobs.wait(document, 3)
    done = job is not None and job.stage == "done"
    shown = there if done else _address(f"{HOME}/show", id=document)  # where one sees how far it is
    return back(request, shown, said(request, WORDS, f"marked_{do}") if done else "")


def _passages(
    request: Request,
    account: Account,
    document: Document,
    metadata: Metadata,
    up: str,
    here: str,
    hidden: dict[str, str],
    q: str,
    only: str,
    number: int,
) -> Response:
    every = markable(document, metadata)
    words = _folded(q).split()
    found = [
        one
        for one in every
        if (not only or one.reason is not None or one.note) and all(word in _folded(one.text) for word in words)
    ]
    chosen = {**hidden, **({"q": q} if q else {}), **({"only": only} if only else {})}
    return _show(
        request, account, "passages.html", document=document, up=up, target=here, hidden=hidden, q=q, only=only,
        passages=found[(number - 1) * MARKED_PAGE : number * MARKED_PAGE], found_count=len(found), total=len(every),
        left_out=sum(one.reason is not None for one in every), first=(number - 1) * MARKED_PAGE + 1, number=number, pages=-(-len(found) // MARKED_PAGE),
        address=lambda n: root(request) + _address(here, **chosen, page=str(n)), longest=LONGEST_SAID,
    )  # fmt: skip


@router.get(f"{DRAFTS}/{{draft_id}}/file")
def draft_file(request: Request, account: Editor, draft_id: str) -> Response:
    """The file as it came."""
    keeper = _keeper(request)
    try:
        draft = keeper.drafts.get(draft_id)
    except DeskError as error:
        return trouble(request, HOME, _told(error, language_of(request)))
    original = keeper.drafts.original(draft)
    return _file(original, original.name)


def _file(path: Path, name: str) -> Response:
    # Always as a download of no particular kind: a page somebody uploaded must not run as one of ours.
    return FileResponse(
        path,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "no-store",
        },
    )


# ── a document ──────────────────────────────────────────────────────────────────────────────────────────────────


@router.get(f"{HOME}/show")
def document_page(
    request: Request, account: Editor, document: Annotated[str, Query(alias="id", max_length=1000)]
) -> Response:
    """A document with its versions and what happened to it; after a withdrawal, the proof."""
    keeper = _keeper(request)
    with open_store(keeper.settings.home) as store:
        stored = store.document(document)
        held = store.held(document)
    if stored is None:
        return trouble(request, HOME, said(request, WORDS, "no_document"))
    events = keeper.history.of(document)
    proof = next((event for event in events if event.what == "withdrawn"), None) if stored.state != "live" else None
    return _show(
        request, account, "document.html", stored=stored, held=held, versions=keeper.versions(document), events=events,
        proof=proof, marks=keeper.marks(document), kept=keeper.original(document) is not None, job=keeper.jobs.get(document),
        waiting=[d for d in keeper.drafts.all() if d.document == document and d.state != "published"],
    )  # fmt: skip


@router.get(f"{HOME}/state")
def document_state(request: Request, account: Editor, document: Annotated[str, Query(alias="id")]) -> Response:
    """How far bringing a document back is."""
    job = _keeper(request).jobs.get(document)
    return _progress(request, job, job.stage if job else "done", over=job is None or job.over)


@router.get(f"{HOME}/file")
def document_file(
    request: Request,
    account: Editor,
    document: Annotated[str, Query(alias="id")],
    version: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The file of a document, or the one that an earlier version came in."""
    keeper = _keeper(request)
    path = keeper.original(document)
    if version:
        path = next((v.kept for v in keeper.versions(document) if v.version == version), None)
    if path is None or not path.is_file():
        return trouble(request, HOME, said(request, WORDS, "no_document"))
    return _file(path, Path(document).name)


@router.get(f"{HOME}/replace")
def ask_replace(request: Request, account: Editor, document: Annotated[str, Query(alias="id")]) -> Response:
    """The form for a new version of a document."""
    stored = _live(_keeper(request), document)
    if stored is None:
        return trouble(request, HOME, said(request, WORDS, "no_document"))
    return _show(request, account, "document_replace.html", stored=stored, suffix=Path(document).suffix)


@router.post(f"{HOME}/again")
def again(request: Request, account: Changing, document: Id, version: Annotated[str, Form()]) -> Response:
    """A draft from the file of a version, an earlier one or the present: to use it again, or to correct what is said of it."""
    keeper = _keeper(request)
    path = next((v.kept for v in keeper.versions(document) if v.version == version), None)
    if path is None:
        return trouble(request, _address(f"{HOME}/show", id=document), said(request, WORDS, "no_document"))
    try:
        with path.open("rb") as file:
            draft, _ = keeper.take_in(Path(document).name, file, account.name, path.stat().st_size, document)
        keeper.carry_metadata(draft, path)
    except DeskError as error:
        return trouble(request, _address(f"{HOME}/show", id=document), _told(error, language_of(request)))
    return back(request, f"{DRAFTS}/{draft.id}")


@router.get(f"{HOME}/withdraw")
def ask_withdraw(request: Request, account: Editor, document: Annotated[str, Query(alias="id")]) -> Response:
    """The question before a document is withdrawn; works without a script."""
    stored = _live(_keeper(request), document)
    if stored is None:
        return trouble(request, HOME, said(request, WORDS, "no_document"))
    return _show(
        request, account, "document_confirm.html", action="withdraw", name=stored.title, id=document,
        target=f"{HOME}/withdraw", cancel=_address(f"{HOME}/show", id=document),
    )  # fmt: skip


@router.post(f"{HOME}/withdraw")
def withdraw(request: Request, account: Changing, document: Id) -> Response:
    """Take a document out of every answer."""
    there = _address(f"{HOME}/show", id=document)
    try:
        _keeper(request).withdraw(document, account.name)
    except ClusterQAError as error:
        return trouble(request, there, _told_any(error, language_of(request)))
    return back(request, there, said(request, WORDS, "withdraw_done"))


@router.post(f"{HOME}/restore")
def restore(request: Request, account: Changing, document: Id) -> Response:
    """Bring a withdrawn document back."""
    there = _address(f"{HOME}/show", id=document)
    keeper = _keeper(request)
    try:
        keeper.restore(document, account.name)
    except ClusterQAError as error:
        return trouble(request, there, _told_any(error, language_of(request)))
    job = keeper.jobs.wait(document, 3)
    done = job is not None and job.stage == "done"
    return back(request, there, said(request, WORDS, "restored_done") if done else "")


@router.get(f"{HOME}/export")
def export(request: Request, account: Editor) -> Response:
    """Everything as one zip archive, made on the disk in a file without a name: nothing of it is left, whatever happens."""
    keeper = _keeper(request)
    with ExitStack() as opened:
        file = opened.enter_context(tempfile.TemporaryFile(dir=keeper.settings.data))
        keeper.export(file)
        audit(request).record(account.name, "document.exported")
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="clusterqa-documents.zip"',
            "Content-Length": str(file.seek(0, os.SEEK_END)),
        }
        file.seek(0)
        closing = BackgroundTask(opened.pop_all().close)
    chunks = iter(partial(file.read, CHUNK), b"")
    return StreamingResponse(chunks, headers=headers, media_type="application/zip", background=closing)
