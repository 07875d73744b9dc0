"""What people asked in vain, and writing the answer: lists, a group, the form, the answer and what the chat makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData

from clusterqa.clock import local
from clusterqa.journal import Entry, Shown
from clusterqa.ports import Store
from clusterqa.records import LANGUAGES, Language
from clusterqa.staff.accounts import Account
from clusterqa.staff.answers import (
    MAX_WORDINGS,
    QUESTIONS,
    Answer,
    AnswerChanged,
    AnswerError,
    Content,
    Heading,
    content_of,
    readable,
)
from clusterqa.staff.demand import Group, State, Wording, find
from clusterqa.staff.inquiries import Inquiries
from clusterqa.web.render import document_address, web_address
from clusterqa.web.staff.desk import Changing, Editor, back, language_of, page, said, service, trouble
from clusterqa.web.staff.words_questions import WORDS, decimal, percent, times, told_day, wordings

router = APIRouter()


async def _sent(request: Request, _: Changing) -> FormData:
    """The form, read here so that the routes, which wait for the database and the encoder, do not hold up the chat."""
    return await request.form()


Sent = Annotated[FormData, Depends(_sent)]

HOME = "/staff/questions"
ANSWERS = f"{HOME}/answers"
TABS: tuple[State, ...] = ("open", "answered", "dismissed")
PAGE = 40
"""Groups on one page."""
SHOWN_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Place:
    """A place that was shown; `text` is cut from that version, "" when its text is no longer there."""

    address: str
    title: str
    language: Language
    text: str


def _show(request: Request, account: Account, template: str, **context: Any) -> Response:
    language = language_of(request)
    helpers: dict[str, Any] = {
        "times": lambda n: times(n, language),
        "more_wordings": lambda n: wordings(n, language),
        "day": lambda moment: told_day(local(moment).date(), language),
        "percent": lambda share: percent(share, language),
        "decimal": lambda number, digits=2: decimal(number, language, digits),
        "document_address": document_address,
        "web_address": web_address,
    }
    return page(request, account, template, words=WORDS, **helpers, **context)


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get(HOME)
def groups(
    request: Request,
    account: Editor,
    tab: Annotated[str, Query(max_length=20)] = "open",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """The groups of one state, the most wanted first."""
    tab = tab if tab in TABS else "open"
    every = service(request).inquiries().groups()
    chosen = [group for group in every if group.state == tab]
    begin = (number - 1) * PAGE
    return _show(
        request, account, "questions.html", tab=tab, groups=chosen[begin : begin + PAGE], number=number,
        pages=max(1, -(-len(chosen) // PAGE)), tabs=_tabs(every),
    )  # fmt: skip


def _tabs(every: Iterable[Group]) -> dict[str, int]:
    states = Counter(group.state for group in every)
    return {tab: states[tab] for tab in TABS}


@router.get(ANSWERS)
def answers(request: Request, account: Editor) -> Response:
    """Everything that was written, the newest first."""
    inquiries = service(request).inquiries()
    return _show(
        request, account, "answers.html", answers=inquiries.answers.all(), tabs=_tabs(inquiries.groups()), tab="written"
    )


# ── an answer ───────────────────────────────────────────────────────────────────────────────────────────────────


def _answer(request: Request, identifier: str) -> Answer | None:
    return service(request).inquiries().answers.get(identifier)


def _no_answer(request: Request) -> Response:
    return trouble(request, ANSWERS, said(request, WORDS, "group_gone"))


@router.get(f"{ANSWERS}/{{identifier}}")
def answer(request: Request, account: Editor, identifier: str) -> Response:
    """How far it is, and what the chat answers to each wording now."""
    if (found := _answer(request, identifier)) is None:
        return _no_answer(request)
    return _show(request, account, "answer.html", answer=found, file=QUESTIONS, most=MAX_WORDINGS)


@router.post(f"{ANSWERS}/{{identifier}}/check")
def check(request: Request, account: Changing, identifier: str) -> Response:
    """Ask the chat again."""
    if (found := _answer(request, identifier)) is None:
        return _no_answer(request)
    if found.state == "live":
        service(request).inquiries().answering.check(found, account.name)
    return back(request, f"{ANSWERS}/{identifier}")


@router.post(f"{ANSWERS}/{{identifier}}/publish")
def publish_again(request: Request, account: Changing, identifier: str) -> Response:
    """Try again what failed."""
    if (found := _answer(request, identifier)) is None:
        return _no_answer(request)
    if found.state == "failed":
        return _publish(request, account, found, found.content, found.revision)
    return back(request, f"{ANSWERS}/{identifier}")


@router.post(f"{ANSWERS}/{{identifier}}/wordings")
def add_wordings(request: Request, account: Changing, form: Sent, identifier: str) -> Response:
    """Put wordings by which the answer is not found into its document, and check again."""
    if (found := _answer(request, identifier)) is None:
        return _no_answer(request)
    added = []
    for index in _texts(form, "add"):
        language = _text(form, f"language_{index}")
        text = " ".join(_text(form, f"text_{index}").split())
        if language in LANGUAGES and text:
            added.append(Heading(language, text[:300]))
    known = (*found.content.wordings, *added)
    if len(known) > MAX_WORDINGS:
        return trouble(
            request, f"{ANSWERS}/{identifier}", said(request, WORDS, "too_many_wordings").format(MAX_WORDINGS)
        )
    if not added:
        return trouble(request, f"{ANSWERS}/{identifier}", said(request, WORDS, "choose_one"))
    try:
        content = readable(replace(found.content, wordings=known))
    except AnswerError as error:
        return trouble(request, f"{ANSWERS}/{identifier}", said(request, WORDS, next(iter(error.problems.values()))))
    return _publish(request, account, found, content, found.revision)


@router.get(f"{ANSWERS}/{{identifier}}/edit")
def edit(request: Request, account: Editor, identifier: str) -> Response:
    """The form of an answer that was written."""
    if (found := _answer(request, identifier)) is None:
        return _no_answer(request)
    content = found.content
    values = {
        **{f"question_{language}": content.question[language] for language in LANGUAGES},
        **{f"answer_{language}": content.answer[language] for language in LANGUAGES},
        "sources": "\n".join(content.sources),
        "date": content.date,
        "publisher": content.publisher,
        "wordings": "\n".join(heading.text for heading in content.wordings),
    }
    return _form(request, account, values, answer=found)


@router.post(f"{ANSWERS}/{{identifier}}/edit")
def change(request: Request, account: Changing, form: Sent, identifier: str) -> Response:
    """Publish the changed answer in place of the earlier one, whose citations still open."""
    if (found := _answer(request, identifier)) is None:
        return _no_answer(request)
    values = _values(form)
    kept = {_line(heading.text): heading for heading in found.content.wordings}
    further = [
        kept.get(_line(line), Heading(found.content.languages[0], _line(line)))
        for line in _text(form, "wordings").splitlines()
        if _line(line)
    ][:MAX_WORDINGS]
    try:
        content = content_of(values, found.content.asked, found.content.questions, further)
        return _publish(request, account, found, content, int(_text(form, "revision") or "0"))
    except (AnswerError, ValueError) as error:
        problems = error.problems if isinstance(error, AnswerError) else {"question_lt": "needed"}
        return _form(request, account, values, answer=found, problems=problems)
    except AnswerChanged:
        fresh = _answer(request, identifier) or found
        return _form(request, account, values, answer=fresh, meanwhile=True, status=409)


def _publish(request: Request, account: Account, found: Answer, content: Content, seen: int) -> Response:
    inquiries = service(request).inquiries()
    inquiries.answering.publish(inquiries.answers.change(found.id, content, account.name, seen))
    return back(request, f"{ANSWERS}/{found.id}")


# ── a group ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _group(request: Request, identifier: str) -> tuple[Inquiries, Group | None]:
    inquiries = service(request).inquiries()
    return inquiries, find(inquiries.groups(), identifier)


def _no_group(request: Request) -> Response:
    return trouble(request, HOME, said(request, WORDS, "group_gone"))


@router.get(f"{HOME}/{{identifier}}")
def group(request: Request, account: Editor, identifier: str) -> Response:
    """The wordings of one group, and what was shown for each."""
    inquiries, found = _group(request, identifier)
    if found is None:
        return _no_group(request)
    language = language_of(request)
    with service(request).store() as store:
        shown = {
            wording.entries[0].id: _places(wording.entries[0], store, language) for wording in found.wordings[:PAGE]
        }
    written = [answer for name in found.answers if (answer := inquiries.answers.get(name))]
    return _show(request, account, "question.html", group=found, shown=shown, written=written, most=PAGE)


def _places(entry: Entry, store: Store, language: Language) -> list[Place]:
    return [_place(shown, store, language) for shown in entry.shown]


def _place(shown: Shown, store: Store, language: Language) -> Place:
    stored = store.document(shown.document)
    text = store.text(shown.document, shown.version)
    cut = (text or "")[shown.start : shown.end]
    return Place(
        address=document_address(shown.document, language, shown.version, shown.start, shown.end),
        title=stored.title if stored else shown.document,
        language=stored.language if stored else language,
        text=cut if len(cut) <= SHOWN_CHARACTERS else f"{cut[:SHOWN_CHARACTERS]}…",
    )


@router.post(f"{HOME}/{{identifier}}/dismiss")
def dismiss(request: Request, account: Changing, form: Sent, identifier: str) -> Response:
    """Take the ticked wordings off the list."""
    inquiries, found = _group(request, identifier)
    if found is None:
        return _no_group(request)
    chosen = _chosen(found, _texts(form, "wording"))
    if not chosen:
        return trouble(request, f"{HOME}/{identifier}", said(request, WORDS, "choose_one"))
    inquiries.decisions.dismiss([entry.id for wording in chosen for entry in wording.entries], account.name)
    return back(request, HOME, said(request, WORDS, "dismissed_done"))


@router.post(f"{HOME}/{{identifier}}/reopen")
def reopen(request: Request, account: Changing, identifier: str) -> Response:
    """Forget what was decided about a group."""
    inquiries, found = _group(request, identifier)
    if found is None:
        return _no_group(request)
    inquiries.decisions.reopen([question for question, _ in found.decisions], account.name)
    return back(request, f"{HOME}/{identifier}", said(request, WORDS, "reopened_done"))


@router.get(f"{HOME}/{{identifier}}/write")
def write(request: Request, account: Editor, identifier: str) -> Response:
    """The form for an answer to a group, with what is known filled in."""
    inquiries, found = _group(request, identifier)
    if found is None:
        return _no_group(request)
    earlier = inquiries.answers.all()
    values = {
        **{f"question_{language}": _as_question(found.wording(language)) for language in LANGUAGES},
        "date": date.today().isoformat(),
        "publisher": earlier[0].content.publisher if earlier else "",
    }
    return _form(request, account, values, group=found, chosen={w.entries[0].id for w in found.wordings})


@router.post(f"{HOME}/{{identifier}}/write")
def publish(request: Request, account: Changing, form: Sent, identifier: str) -> Response:
    """Publish the answer to the ticked wordings of a group."""
    inquiries, found = _group(request, identifier)
    values, ticked = _values(form), _texts(form, "wording")
    chosen = (
        _chosen(found, ticked) if found else []
    )  # the questions may be gone by now: what was written is not lost for that
    try:
        content = content_of(
            values,
            [Heading(wording.language, wording.text) for wording in chosen],
            [tuple(entry.id for entry in wording.entries) for wording in chosen],
        )
    except AnswerError as error:
        return _form(
            request, account, values, group=found, identifier=identifier, chosen=set(ticked), problems=error.problems
        )
    with service(request).store() as store:

        def taken(name: str) -> bool:
            return (service(request).settings.corpus / name).exists() or store.document(name) is not None

        written = inquiries.answers.begin(content, account.name, taken)
    inquiries.answering.publish(written)
    return back(request, f"{ANSWERS}/{written.id}")


def _chosen(found: Group, ticked: Sequence[str]) -> list[Wording]:
    """The wordings that the form named by one of their questions."""
    wanted = set(ticked)
    return [wording for wording in found.wordings if any(entry.id in wanted for entry in wording.entries)]


def _as_question(text: str) -> str:
    """With a capital letter, as a heading wants it."""
    return text[:1].upper() + text[1:]


def _form(
    request: Request,
    account: Account,
    values: dict[str, str],
    *,
    group: Group | None = None,
    identifier: str = "",
    answer: Answer | None = None,
    chosen: Iterable[str] = (),
    problems: dict[str, str] | None = None,
    meanwhile: bool = False,
    status: int = 200,
) -> Response:
    if answer is not None:
        path = f"{ANSWERS}/{answer.id}"
        action = f"{path}/edit"
    else:
        path = f"{HOME}/{group.id if group else identifier}"
        action = f"{path}/write"
    return _show(
        request, account, "write.html", status=422 if problems else status, values=values, group=group, answer=answer,
        chosen=set(chosen), problems=problems or {}, meanwhile=meanwhile, action=action, path=path, here=action,
    )  # fmt: skip


def _values(form: FormData) -> dict[str, str]:
    names = ("question_lt", "answer_lt", "question_en", "answer_en", "sources", "date", "publisher", "wordings")
    return {name: _text(form, name) for name in names}


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _texts(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str)]


def _line(text: str) -> str:
    return " ".join(text.split())
