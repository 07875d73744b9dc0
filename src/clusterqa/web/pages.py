"""Our own page of a document: the text as it was stored, with the quoted place highlighted and scrolled to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from clusterqa.errors import ClusterQAError
from clusterqa.store.translations import sources
from clusterqa.web import render
from clusterqa.web.api import find, service_of
from clusterqa.web.words import WORDS, page_language

router = APIRouter()


@router.get("/documents/{document:path}", include_in_schema=False)
def show(
    document: str,
    request: Request,
    start: Annotated[int | None, Query()] = None,
    end: Annotated[int | None, Query()] = None,
    version: Annotated[str | None, Query(max_length=64)] = None,
    lang: Annotated[str | None, Query(max_length=5)] = None,
) -> HTMLResponse:
    """The document with `text[start:end]` highlighted; without the two, the document as it is."""
    language = page_language(
        request.headers.get("accept-language", ""), lang, request.cookies.get("clusterqa_language")
    )
    words = WORDS[language]
    root = "../" * (document.count("/") + 1)
    try:
        with service_of(request).store() as store, store.reading():
            stored, wanted, text = find(store, document, version)
            blocks, pages = store.structure(document, wanted)
            known = sources(store.documents())
    except HTTPException:
        return HTMLResponse(
            render.page("message.html", language, root=root, heading=words["missing"], text=words["missing_text"]), 404
        )
    except ClusterQAError:
        return HTMLResponse(
            render.page("message.html", language, root=root, heading=words["unavailable"], text=words["starting"]), 503
        )
    asked = start is not None or end is not None
    place = (start or 0, end or 0)
    inside = 0 <= place[0] < place[1] <= len(text)
    elements = render.elements(text, blocks, pages, language, *(place if inside else (0, 0)))
    if elements and elements[0].kind == "heading" and not elements[0].begins:
        heading = "".join(piece for piece, _ in elements[0].cells[0])
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
            misplaced=asked and not any(element.begins for element in elements),
        )
    )
