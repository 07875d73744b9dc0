"""
Pages beside the chat: the list of the documents, a document with the quoted place highlighted, "no such page".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from clusterqa.documents.shown import Mark
from clusterqa.errors import ClusterQAError
from clusterqa.records import LANGUAGES, Language, Stored
from clusterqa.store.translations import sources
from clusterqa.text.analysis import fold, words
from clusterqa.web import drawing, render
from clusterqa.web.api import find, service_of
from clusterqa.web.lane import in_lane
from clusterqa.web.words import WORDS, page_language

router = APIRouter()

SMALLEST_TOPIC = 2
"""A topic of fewer documents has no heading of its own."""


def reader_language(request: Request, wish: str | None = None) -> Language:
    """The language of a page for this visitor: the wish, the one chosen last, the one the browser asks for."""
    return page_language(request.headers.get("accept-language", ""), wish, request.cookies.get("clusterqa_language"))


def for_a_person(request: Request) -> bool:
    """Whether a browser asks for a page, and not a program for data."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")


def nowhere(request: Request) -> HTMLResponse:
    """The page for an address that leads nowhere, in the visitor's language; status 404."""
    language = reader_language(request)
    said = WORDS[language]
    root = f"{request.scope.get('app_root_path', request.scope.get('root_path', ''))}/"
    return HTMLResponse(
        render.page("message.html", language, root=root, heading=said["no_page"], text=said["no_page_text"]), 404
    )


@router.get("/documents", include_in_schema=False)
@in_lane
def listed(
    request: Request,
    q: Annotated[str, Query(max_length=200)] = "",
    lang: Annotated[str | None, Query(max_length=5)] = None,
    told: Annotated[Language | None, Query(alias="in")] = None,
) -> HTMLResponse:
    """The documents of one language (`in`, else that of the page) by topic; with `q` only those that it names."""
    language = reader_language(request, lang)
    try:
        with service_of(request).store() as store, store.reading():
            stored = store.documents()
            known = sources(stored)
    except ClusterQAError:
        text = WORDS[language]["starting"]
        heading = WORDS[language]["unavailable"]
        return HTMLResponse(render.page("message.html", language, root="", heading=heading, text=text), 503)
    wanted = told or language
    found = [document for document in stored if named(document, q)]
    counts = Counter(document.language for document in found)
    topics = by_topic([document for document in found if document.language == wanted])
    return HTMLResponse(
        render.page(
            "documents.html",
            language,
            root="",
            q=q,
            told=wanted,
            counts=counts,
            addresses={
                name: urlencode({"lang": language, "in": name, **({"q": q} if q else {})}) for name in LANGUAGES
            },
            topics=[(topic, [known[document.id] for document in documents]) for topic, documents in topics],
        )
    )


def named(document: Stored, q: str) -> bool:
    """Whether each word of `q` begins a word of the document's title, tags, publisher or name; diacritics do not count."""
    about = " ".join((document.title, *document.tags, document.publisher or "", document.id))
    held = [fold(word) for word in words(about)]
    return all(any(word.startswith(fold(wanted)) for word in held) for wanted in words(q))


def by_topic(documents: Sequence[Stored]) -> list[tuple[str, list[Stored]]]:
    """
    Documents under that of their tags which most documents have, the largest topic first; the rest at the end under "".

    Inside a topic by title.
    """
    common = Counter(tag for document in documents for tag in document.tags)
    topics: defaultdict[str, list[Stored]] = defaultdict(list)
    for document in sorted(documents, key=lambda document: fold(document.title)):
        topics[max(document.tags, key=lambda tag: (common[tag], tag), default="")].append(document)
    rest = [topic for topic, held in topics.items() if len(held) < SMALLEST_TOPIC and topic]
    for topic in rest:
        topics[""] += topics.pop(topic)
    return sorted(topics.items(), key=lambda item: (not item[0], -len(item[1]), item[0]))


@router.get("/documents/{document:path}", include_in_schema=False)
@in_lane
def show(
    document: str,
    request: Request,
    start: Annotated[int | None, Query()] = None,
    end: Annotated[int | None, Query()] = None,
    version: Annotated[str | None, Query(max_length=64)] = None,
    short: Annotated[str, Query(max_length=40)] = "",
    lang: Annotated[str | None, Query(max_length=5)] = None,
    sheet: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
) -> HTMLResponse:
    """
    The document with `text[start:end]` highlighted and the `short` answer ("120-134") in it; without them, as it is.

    Of a long one only a sheet is drawn at a time: the one that is asked for, else the one with the highlighted place.
    """
    language = reader_language(request, lang)
    said = WORDS[language]
    root = "../" * (document.count("/") + 1)
    try:
        with service_of(request).store() as store, store.reading():
            stored, wanted, text = find(store, document, version)
            blocks, pages = store.structure(document, wanted)
            known = service_of(request).sources(store)
    except HTTPException:
        return HTMLResponse(
            render.page("message.html", language, root=root, heading=said["missing"], text=said["missing_text"]), 404
        )
    except ClusterQAError:
        return HTMLResponse(
            render.page("message.html", language, root=root, heading=said["unavailable"], text=said["starting"]), 503
        )
    asked = start is not None or end is not None
    place = (start or 0, end or 0)
    inside = 0 <= place[0] < place[1] <= len(text)
    marks = [Mark(*place, "quote")] if inside else []
    if (told := re.fullmatch(r"(\d{1,12})-(\d{1,12})", short)) and inside:
        marks.append(Mark(max(int(told[1]), place[0]), min(int(told[2]), place[1]), "short"))
    sheets = drawing.sheets(blocks, len(text))
    begins = [held[0].start for held in sheets[1:]]
    number = min(sheet, len(sheets)) if sheet else bisect_right(begins, place[0] if inside else 0) + 1
    elements = drawing.elements(text, sheets[number - 1], pages, language, stored.media_type, marks)
    if elements and elements[0].kind == "heading" and not elements[0].begins:
        heading = "".join(piece.text for piece in elements[0].cells[0])
        if heading == stored.title:  # it stands at the top of the page already
            elements = elements[1:]
    name = known[document].translation if document in known else None
    return HTMLResponse(
        render.page(
            "document.html",
            language,
            root=root,
            stored=stored,
            version=wanted,
            translation=known.get(name) if name else None,
            elements=elements,
            number=number,
            sheets=len(sheets),
            misplaced=asked and not any(element.begins for element in elements),
        )
    )
