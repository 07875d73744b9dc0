"""Every page of the desk, in both languages, filled in whole: nothing of Python or of the templates shows through."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

import jinja2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from clusterqa.records import LANGUAGES, Language
from clusterqa.settings import Settings
from clusterqa.web import staff
from clusterqa.web.app import build
from clusterqa.web.staff.words import WORDS
from clusterqa.web.staff.words_documents import WORDS as DOCUMENTS
from clusterqa.web.templating import Environment
from documents_fixtures import lines, make_pdf, picture
from test_staff_web import PASSWORD, Browser
from web_fixtures import write_corpus

NOT_FILLED_IN = re.compile(r"<built-in|<bound method|<function|\bNone\b|\bUndefined\b|{{|{%|{\w*}| object at 0x")


def until(condition: Callable[[], bool], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.parametrize("name", ["clear", "items", "keys", "values", "get", "pop", "copy", "update"])
def test_a_template_reaches_the_words_and_no_method_of_what_holds_them(name: str) -> None:
    told = Environment().from_string(f"{{{{ w.{name} }}}}|{{{{ w['{name}'] }}}}")
    assert told.render(w={name: "žodis"}) == "žodis|žodis"
    with pytest.raises(jinja2.UndefinedError):
        told.render(w={})


@pytest.fixture(scope="module")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """An administrator's browser at a desk where something of every kind has happened."""
    base = tmp_path_factory.mktemp("pages")
    app = build(Settings(corpus=write_corpus(base / "corpus"), data=base / "data", refresh_seconds=0.1, threads=1))
    with Browser(app) as browser:
        until(lambda: browser.get("/readyz").status_code == 200)
        for name, role in (("ada", "administrator"), ("rasa", "editor")):
            app.state.desk.parts()[2].add(name, PASSWORD, role, "cli:root")
        assert browser.log_in("ada").status_code == 303
        fill(app, browser)
        yield browser


def fill(app: FastAPI, browser: Browser) -> None:
    keeper = app.state.service.keeper()
    token = browser.csrf()

    def upload(name: str, content: bytes, **form: str) -> str:
        sent = browser.post("/staff/drafts", data={"csrf": token, **form}, files=[("files", (name, content))])
        identifier = sent.headers["location"].rsplit("/", 1)[1]
        until(lambda: keeper.drafts.get(identifier).state != "reading")
        return identifier

    def publish(identifier: str) -> None:
        draft = keeper.drafts.get(identifier)
        form = {"title": "Kaina", "language": "lt", "revision": str(draft.revision), "then": "publish", "tags": "kaina"}
        assert browser.change(f"/staff/drafts/{identifier}", **form).status_code == 303
        until(lambda: keeper.drafts.get(identifier).state == "published")

    assert browser.change("/staff/keys", name="Portal", limit="60").status_code == 200
    price = b"# Kaina\n\n- Bronza kainuoja 2 250 Eur.\n"
    for content, form in ((price, {}), (price + b"- Auksas.\n", {"replaces": "kaina.lt.md"})):
        publish(upload("kaina.lt.md", content, **form))
    publish(upload("gone.lt.md", b"# Senas\n\nSenas dokumentas.\n"))
    browser.change("/staff/documents/withdraw", id="gone.lt.md")
    upload("kaina.lt.md", b"# Kita kaina\n\nKita kaina.\n")  # asks what it is
    upload("scan.pdf", make_pdf(picture))
    upload("no ending", b"text")
    upload("two.pdf", make_pdf(lambda c: lines(c, 70, 760, ["Aukso kaina."]), picture))
    upload("v3.md", price + b"- Sidabras.\n", replaces="kaina.lt.md")
    (keeper.settings.corpus / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    until(lambda: "broken.pdf" in browser.get("/staff/documents").text)
    for question in ("Kiek galioja bronzos ženklas?", "Ar galima gauti zebro ženklo dublikatą?", "koks rytoj oras"):
        browser.post("/api/v1/ask", json={"question": question})
    group = browser.get(re.search(r'/staff/questions/[\w-]{16}(?=")', browser.get("/staff/questions").text)[0]).text  # type: ignore[index]
    action = re.search(r"/staff/questions/[\w-]{16}/write", group)[0]  # type: ignore[index]
    page = browser.get(action).text
    fields = {
        "csrf": token, "question_lt": "Ar yra zebrų?", "answer_lt": "Zebrų sandėlyje yra du.", "sources": "Sandėlio tvarka",
        "wording": re.findall(r'name="wording" value="([\w-]+)"', page), "date": "2026-11-20",
    }  # fmt: skip
    answer = browser.post(action, data=fields).headers["location"]
    until(lambda: 'http-equiv="refresh"' not in browser.get(answer).text)


def links(html: str, base: str) -> set[str]:
    """What a page of the desk leads to inside the desk, without what only downloads and without the other language."""
    found = {unescape(href) for href in re.findall(r'<a\b[^>]*?\bhref="([^"]+)"', html)}
    found = {urljoin(base, href).removeprefix("http://testserver").split("#")[0] for href in found}
    return {
        f
        for f in found
        if re.match(r"/staff(\b|$)", f) and not re.search(r"[?&]lang=|\.(csv|qrels|jsonl)|/export|/file\b", f)
    }


def shape(path: str) -> str:
    """A path without the names in it, so that a hundred pages of one kind are one."""
    return re.sub(r"(?<=/)[0-9a-f]{16}|(?<=/)[\w-]{16}(?=/|$)|(?<=people/)\w+|(?<=keys/)\d+", "ID", urlsplit(path).path)


@pytest.mark.encoder
def test_every_page_of_the_desk_is_filled_in(ada: Browser) -> None:
    to_see = {
        "/staff", "/staff/documents?q=bronz&sort=date", "/staff/documents?q=nothing+like+it", "/staff/documents?state=all",
        "/staff/documents?state=withdrawn", "/staff/trial?q=Kiek+galioja+bronza&threshold=40", "/staff/questions?tab=answered",
        "/staff/questions?tab=dismissed", "/staff/log?what=document", "/staff/login?next=/staff/log", "/staff/recovery",
        "/staff/people", "/staff/nowhere",
    }  # fmt: skip
    seen: set[str] = set()
    faults: dict[str, list[str]] = {}
    while to_see - seen:
        path = min(to_see - seen)
        seen.add(path)
        for language in LANGUAGES:
            answer = ada.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
            assert answer.status_code in (200, 303, 404), (path, answer.status_code)
            assert "style=" not in answer.text and "onclick" not in answer.text
            body = unescape(re.sub(r"<(script|style)\b.*?</\1>", "", answer.text, flags=re.DOTALL))
            if found := NOT_FILLED_IN.findall(body):
                faults[f"{path} {language}"] = found
        to_see |= links(answer.text, path)
    assert faults == {}
    every = [route for router in staff.ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    routes = {re.sub(r"{\w+}", "ID", route.path) for route in every if "GET" in (route.methods or ())}
    no_pages = re.compile(r"^/staff/oidc|/(state|file|export|image)$|\.(svg|csv|qrels|jsonl)$")
    assert {route for route in routes if not no_pages.search(route)} - {shape(path) for path in seen} == set()


@pytest.mark.encoder
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_too_large_is_answered_with_a_page(ada: Browser, language: Language) -> None:
    ada.get(f"/staff/documents?lang={language}")
    files = [("files", ("a.txt", b"x" * (51 * 1024 * 1024)))]
    answer = ada.post("/staff/drafts", data={"csrf": ada.csrf()}, files=files)
    assert answer.status_code == 413 and answer.headers["content-type"].startswith("text/html")
    assert DOCUMENTS[language]["too_large_together"].format(50) in answer.text
    assert f'href="/staff/documents">{WORDS[language]["documents"]}' in answer.text


@pytest.mark.encoder
def test_the_log_names_titles(ada: Browser) -> None:
    log = unescape(ada.get("/staff/log?what=document.withdrawn&lang=lt").text)
    assert re.search(r'>Kaina<br><span class="sd-soft">gone\.lt\.md</span>', log)
    assert "at,who,what,target,title,detail" in ada.get("/staff/log.csv").text
