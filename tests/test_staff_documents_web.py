"""The desk's documents over HTTP: who may upload, what is refused and with which words, and a server killed for real."""

from __future__ import annotations

import ast
import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import httpx
import pypdfium2
import pytest
import uvicorn
from fastapi import FastAPI

from clusterqa import documents, staff
from clusterqa.corpus import sync
from clusterqa.documents import formats, ocr
from clusterqa.documents.pdf_doubt import DOUBTS
from clusterqa.passages import split
from clusterqa.records import LANGUAGES, Language
from clusterqa.settings import Home, Settings
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import open_database
from clusterqa.staff.drafts import Draft
from clusterqa.staff.history import History
from clusterqa.staff.publishing import Keeper
from clusterqa.store import open_store
from clusterqa.web.app import build
from clusterqa.web.staff.words_documents import DEEDS, WORDS, count, share, size, told_remark
from documents_fixtures import lines, make_pdf, picture
from test_staff_web import PASSWORD, Browser
from words_encoder import WordsEncoder

KAINA = "# Bronzos ženklo kaina\n\nBronzos ženklo kaina yra 2 250 eurų.\n"
SOURCES = Path(documents.__file__).parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The app, put together once; no chat is started, so that nothing waits for an encoder."""
    base = tmp_path_factory.mktemp("desk")
    return build(Settings(corpus=base, data=base / "data", max_upload_mb=1))


@pytest.fixture
def app(built: FastAPI, settings: Settings, words: WordsEncoder) -> Iterator[FastAPI]:
    """The app over folders of its own, with a keeper that works."""
    settings = settings.model_copy(update={"refresh_seconds": 0.02, "max_upload_mb": 1})
    sync.update(settings, lambda: words)
    database = open_database(settings.home)
    keeper = Keeper(settings, words, History(database), Audit(database), read=documents.read)
    keeper.start()
    service, desk = built.state.service, built.state.desk
    service.settings, service._keeper = settings, keeper
    desk.parts()[2].add("rasa", PASSWORD, "editor", "cli:root")
    yield built
    keeper.stop()
    database.close()
    desk.close()


@pytest.fixture
def keeper(app: FastAPI) -> Keeper:
    found: Keeper = app.state.service.keeper()
    return found


@pytest.fixture
def rasa(app: FastAPI) -> Browser:
    browser = Browser(app)
    assert browser.log_in("rasa").status_code == 303
    return browser


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def upload(browser: Browser, keeper: Keeper, name: str, content: str | bytes, **form: str) -> Draft:
    raw = content.encode() if isinstance(content, str) else content
    sent = {"csrf": browser.csrf(), **form}
    answer = browser.post("/staff/drafts", data=sent, files=[("files", (name, raw))])
    assert answer.status_code == 303, answer.text
    draft = answer.headers["location"].rsplit("/", 1)[1]
    until(lambda: keeper.drafts.get(draft).state != "reading")
    return keeper.drafts.get(draft)


def fields(draft: Draft, **form: str) -> dict[str, str]:
    return {"revision": str(draft.revision), "title": "Kaina", "language": "lt", **form}


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_both_languages_say_the_same_things() -> None:
    for words in (WORDS, DEEDS):
        assert words["lt"].keys() == words["en"].keys()
    for key, text in WORDS["lt"].items():
        assert (
            sorted(re.findall(r"{\w*}", text)) == sorted(re.findall(r"{\w*}", WORDS["en"][key])) or key == "error_other"
        ), key


def test_everything_that_can_stand_in_the_way_has_words() -> None:
    source = "".join(
        (Path(staff.__file__).parent / name).read_text(encoding="utf-8")
        for name in ("publishing.py", "drafts.py", "jobs.py", "trials.py", "watching.py", "fetching.py", "marking.py")
    )
    codes = set(re.findall(r'DeskError\(\s*"(\w+)"', source)) | set(re.findall(r'Trouble\("(\w+)"', source)) - {
        "unreadable"
    }
    assert len(codes) >= 12
    assert {f"error_{code}" for code in codes} <= WORDS["lt"].keys()
    deeds = set(re.findall(r'record\(who, "([\w.]+)"', source))
    assert deeds <= DEEDS["lt"].keys()


def said_by_the_core() -> tuple[list[str], list[str]]:
    """The sentences with which reading refuses a file, and those with which it warns, as they stand in the source; a 7 for what varies."""
    refused, warned = set(), set()
    for path in SOURCES.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }

        def texts(node: ast.expr, constants: Mapping[str, object] = constants) -> list[str]:
            if isinstance(node, ast.Constant):
                return [str(node.value)]
            if isinstance(node, ast.JoinedStr):
                return ["".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)]
            if isinstance(node, ast.IfExp):
                return texts(node.body) + texts(node.orelse)
            if isinstance(node, ast.Name) and node.id in constants:
                return [str(constants[node.id])]
            return []

        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "UnreadableDocument":
                refused |= {text for argument in node.args[1:] for text in texts(argument)}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
                warned |= {text for argument in node.args for text in texts(argument)}
    warned |= {told.format(7) for told in DOUBTS.values()}
    refused |= {f"It is {what}." for _, what, _ in formats._OTHERS} | {step for _, _, step in formats._OTHERS}
    is_sentence = re.compile(r"[A-Z].*[a-z].* .*\.", re.DOTALL)
    return sorted(refused - {"It is 7.", "It is 7, although its name ends in .7."}), sorted(
        text for text in warned if is_sentence.fullmatch(text)
    )


def test_every_reason_why_a_file_is_refused_is_told_in_lithuanian() -> None:
    said, _ = said_by_the_core()
    assert len(said) > 40
    internal = {"It is a folder.", "Name the files in it.", "The file is not there.", "Check its name."}
    internal |= {"It cannot be opened: 7.", "Check its permissions and the disk."}  # an upload is none of these
    untold = [text for text in said if told_remark(text, "lt")[1] != "lt" and text not in internal]
    assert untold == []
    assert told_remark("Something new.", "lt") == ("Something new.", "en")


def test_every_warning_about_a_file_is_told_in_lithuanian() -> None:
    _, said = said_by_the_core()
    assert len(said) > 20
    said = [text.replace("shown as 7", "shown as �") for text in said]
    assert [text for text in said if told_remark(text, "lt")[1] != "lt"] == []
    charts = "There is no text in it. Charts that are not read: 1."
    assert told_remark(charts, "lt") == ("Faile nėra teksto. Neperskaitytų diagramų: 1.", "lt")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("It would unzip to 60 MB, 1030 times its size.", "Išskleistas failas užimtų 60 MB – 1030 kartų daugiau nei dabar."),
        ("Pages without text, perhaps pictures of pages: 3, 4. Recognise its text first.", "galbūt nuotraukos: 3, 4."),
        ("Damaged characters (�): 2, the first in line 7. Open the original.", "Sugadintų ženklų (�): 2, pirmasis – 7 eilutėje."),
        ("Its name says “lt”, its metadata say “en”; the metadata count.", "varde nurodyta kalba „lt“"),
        ("Its Lithuanian letters were damaged before it was saved: UTF-8 read as another encoding, such as “Ä…”.", "„Ä…“"),
    ],
)  # fmt: skip
def test_remarks_keep_their_figures_in_lithuanian(said: str, told: str) -> None:
    assert told in told_remark(said, "lt")[0]
    assert told_remark(said, "en") == (said, "en")


def test_figures_are_written_as_each_language_writes_them() -> None:
    assert (count(12345, "lt"), count(12345, "en")) == ("12 345", "12,345")
    assert (size(1_234_567, "lt"), size(1_234_567, "en"), size(43_210, "lt")) == ("1,2 MB", "1.2 MB", "43 kB")
    assert (share(0.876, "lt"), share(0.876, "en")) == ("88 proc.", "88%")


# ── who may upload, and how much ────────────────────────────────────────────────────────────────────────────────


def test_nobody_uploads_without_logging_in_and_the_file_is_not_even_read(app: FastAPI, keeper: Keeper) -> None:
    read = 0

    def body() -> Iterator[bytes]:
        nonlocal read
        for _ in range(8):
            read += 1
            yield b"x" * 100_000

    stranger = Browser(app)
    answer = stranger.post("/staff/drafts", content=body(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 401
    assert not keeper.drafts.folder.exists() or list(keeper.drafts.folder.iterdir()) == []


def test_an_upload_from_elsewhere_is_refused(rasa: Browser, keeper: Keeper) -> None:
    for form, headers in (({}, {}), ({"csrf": "wrong"}, {}), ({"csrf": rasa.csrf()}, {"sec-fetch-site": "cross-site"})):
        answer = rasa.post("/staff/drafts", data=form, files=[("files", ("a.md", b"# A"))], headers=headers)
        assert answer.status_code == 403
    assert keeper.drafts.all() == []


def test_a_file_of_200_mb_is_refused_before_it_is_sent(rasa: Browser, keeper: Keeper) -> None:
    headers = {"content-length": str(200 * 1024 * 1024), "content-type": "multipart/form-data; boundary=x"}
    answer = rasa.post("/staff/drafts", content=b"--x", headers={**headers, "x-csrf-token": rasa.csrf()})
    assert answer.status_code == 413
    assert "larger than 1 MB" in answer.json()["detail"] and "didesnis nei 1 MB" in answer.json()["detail"]
    assert keeper.drafts.all() == []


def test_a_file_that_hides_its_size_is_cut_off_and_forgotten(rasa: Browser, keeper: Keeper) -> None:
    token = rasa.csrf()
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
        for _ in range(200):
            sent += 1
            yield b"x" * 100_000
        yield b"\r\n--x--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=x", "x-csrf-token": token}
    answer = rasa.post("/staff/drafts", content=body(), headers=headers)
    assert answer.status_code == 413 and "larger than 1 MB" in answer.json()["detail"]
    assert keeper.drafts.all() == [] and not list(keeper.drafts.folder.glob(".*"))


def test_a_form_that_sends_too_much_gets_a_page_that_says_what_to_do(rasa: Browser, keeper: Keeper) -> None:
    files = [("files", (f"{n}.txt", b"x" * 700_000)) for n in range(2)]  # each may come, but not both at once
    for language in LANGUAGES:
        sent = {"csrf": rasa.csrf(f"/staff/password?lang={language}")}
        answer = rasa.post("/staff/drafts", data=sent, files=files)
        assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html; charset=utf-8")
        assert WORDS[language]["too_large_together"].format(1) in answer.text
    assert keeper.drafts.all() == []


def test_a_file_refused_for_its_ending_makes_way_for_the_right_one(rasa: Browser, keeper: Keeper) -> None:
    refused = upload(rasa, keeper, "kaina", KAINA)
    assert refused.state == "unreadable"
    assert "neturi galūnės" in rasa.get(f"/staff/drafts/{refused.id}?lang=lt").text
    assert "has no ending" in rasa.get(f"/staff/drafts/{refused.id}?lang=en").text
    right = upload(rasa, keeper, "kaina.lt.md", KAINA)
    assert (right.state, right.file) == ("ready", "kaina.lt.md")
    assert keeper.drafts.all() == [right]
    again = rasa.post("/staff/drafts", data={"csrf": rasa.csrf()}, files=[("files", ("kaina.MD", KAINA.encode()))])
    assert again.headers["location"] == f"/staff/drafts/{right.id}"  # the same bytes, read in the same way


def test_another_ending_is_another_reading(rasa: Browser, keeper: Keeper) -> None:
    plain, marked = upload(rasa, keeper, "a.txt", KAINA), upload(rasa, keeper, "a.md", KAINA)
    titles = [document.title for draft in (plain, marked) if (document := keeper.drafts.read(draft))]
    assert plain.id != marked.id and titles[1] == "Bronzos ženklo kaina"


def test_the_log_says_what_a_discarded_draft_was_called(rasa: Browser, keeper: Keeper, app: FastAPI) -> None:
    draft = upload(rasa, keeper, "kaina.lt.md", KAINA)
    rasa.change(f"/staff/drafts/{draft.id}/discard")
    entry = Audit(app.state.desk.parts()[0]).entries(what="document.discarded")[0]
    assert (entry.who, entry.detail) == ("rasa", "Bronzos ženklo kaina (kaina.lt.md)")


def test_other_pages_take_no_more_than_before(rasa: Browser) -> None:
    answer = rasa.post("/staff/documents/withdraw", data={"csrf": rasa.csrf(), "id": "x" * 100_000})
    assert answer.status_code == 413


def test_a_script_gets_json_for_each_file(rasa: Browser, keeper: Keeper) -> None:
    files = [("files", ("a.md", KAINA.encode())), ("files", ("b.md", KAINA.encode())), ("files", ("c.md", b""))]
    told = rasa.post("/staff/drafts?lang=lt", files=files, headers={"x-csrf-token": rasa.csrf()}).json()
    assert [(line["name"], line["known"], bool(line["error"])) for line in told] == [
        ("a.md", False, False), ("b.md", True, False), ("c.md", False, True),
    ]  # fmt: skip
    assert told[0]["draft"] == told[1]["draft"] and "Failas tuščias" in told[2]["error"]


def test_a_browser_closed_in_mid_upload_leaves_nothing_behind(app: FastAPI, keeper: Keeper) -> None:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    address = server.servers[0].sockets[0].getsockname()
    with httpx.Client(base_url=f"http://127.0.0.1:{address[1]}", headers={"accept": "text/html"}) as client:
        csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/staff/login").text)[1]  # type: ignore[index]
        client.post("/staff/login", data={"name": "rasa", "password": PASSWORD, "csrf": csrf, "next": ""})
        token = re.search(r'name="csrf" value="([^"]+)"', client.get("/staff/password").text)[1]  # type: ignore[index]
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        head = (
            f"POST /staff/drafts HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\nCookie: {cookie}\r\nX-CSRF-Token: {token}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 900000\r\n\r\n"
            '--x\r\nContent-Disposition: form-data; name="files"; filename="half.txt"\r\n\r\n'
        )
        with socket.create_connection(address) as wire:
            wire.sendall(head.encode() + b"x" * 400_000)
            time.sleep(0.3)
        time.sleep(0.3)
        assert keeper.drafts.all() == []
        assert not keeper.drafts.folder.exists() or list(keeper.drafts.folder.iterdir()) == []
        assert client.get("/staff/documents").status_code == 200
    server.should_exit = True
    thread.join(10)


# ── the whole way without a script ──────────────────────────────────────────────────────────────────────────────


def test_upload_correct_publish_withdraw_restore(rasa: Browser, keeper: Keeper, app: FastAPI) -> None:
    draft = upload(rasa, keeper, "kaina.lt.md", KAINA)
    page = rasa.get(f"/staff/drafts/{draft.id}?lang=lt").text
    assert "Bronzos ženklo kaina yra 2 250 eurų." in page and WORDS["lt"]["state_ready"] in page
    form = fields(draft, title="Kiek kainuoja bronza", date="2026-3-5", tags="kainos, bronza", publisher="Biuras")
    assert rasa.change(f"/staff/drafts/{draft.id}", then="publish", **form).status_code == 303
    until(lambda: keeper.drafts.get(draft.id).state == "published")
    assert rasa.get(f"/staff/drafts/{draft.id}/state").json()["over"] is True
    listed = rasa.get("/staff/documents?q=kiek+KAINUOJA&tag=bronza&who=rasa&year=2026&language=lt&sort=added").text
    assert "Kiek kainuoja bronza" in listed and "2026 m. kovo 5 d." in listed
    assert "Kiek kainuoja bronza" not in rasa.get("/staff/documents?language=en").text
    shown = rasa.get("/documents/kaina.lt.md", headers={"accept": "text/html"}).text
    assert "Kiek kainuoja bronza" in shown
    assert rasa.change("/staff/documents/withdraw", id="kaina.lt.md").status_code == 303
    proof = rasa.get("/staff/documents/show?id=kaina.lt.md").text
    cells = dict(re.findall(r'data-proof="([\w-]+)">([\d ]+)<', proof))
    assert (cells["before-passages"], cells["after-passages"], cells["after-vectors"]) == ("1", "0", "0")
    assert int(cells["before-vectors"]) > 1
    assert rasa.change("/staff/documents/restore", id="kaina.lt.md").status_code == 303
    until(lambda: keeper.history.of("kaina.lt.md")[0].what == "restored")
    assert WORDS["lt"]["version_current"] in rasa.get("/staff/documents/show?id=kaina.lt.md").text
    done = {entry.what for entry in Audit(app.state.desk.parts()[0]).entries(who="rasa")}
    assert {
        "document.uploaded", "document.corrected", "document.published", "document.withdrawn", "document.restored",
    } <= done  # fmt: skip


def test_wrong_fields_are_marked_and_what_was_typed_stays(rasa: Browser, keeper: Keeper) -> None:
    draft = upload(rasa, keeper, "kaina.lt.md", KAINA)
    form = fields(draft, title="Mano pavadinimas", date="vakar", url="javascript:alert(1)")
    answer = rasa.change(f"/staff/drafts/{draft.id}?lang=lt", then="publish", **form)
    assert answer.status_code == 422
    assert WORDS["lt"]["fault_date"] in answer.text and WORDS["lt"]["fault_url"] in answer.text
    assert 'value="Mano pavadinimas"' in answer.text and 'value="vakar"' in answer.text
    assert keeper.drafts.get(draft.id) == draft


def test_only_what_differs_from_the_file_is_kept_beside_it(rasa: Browser, keeper: Keeper) -> None:
    draft = upload(rasa, keeper, "kaina.lt.md", KAINA)
    rasa.change(f"/staff/drafts/{draft.id}", **fields(draft, title="Bronzos ženklo kaina", publisher="Biuras"))
    assert keeper.drafts.sidecar(draft).read_text() == "publisher: Biuras\n"
    draft = keeper.drafts.get(draft.id)
    emptied = rasa.change(f"/staff/drafts/{draft.id}?lang=en", **fields(draft, title=""))
    assert emptied.status_code == 422 and WORDS["en"]["fault_emptied"] in emptied.text


def test_validity_is_typed_shown_and_listed_for_review(rasa: Browser, keeper: Keeper) -> None:
    draft = upload(rasa, keeper, "kaina.lt.md", KAINA)
    wrong = rasa.change(
        f"/staff/drafts/{draft.id}?lang=en", **fields(draft, valid_until="soon", review_by="31/12/2020")
    )
    assert wrong.status_code == 422 and wrong.text.count(WORDS["en"]["fault_date"]) == 2
    form = fields(draft, valid_until="2020 m. gruodžio 31 d.", review_by="2020-06")
    rasa.change(f"/staff/drafts/{draft.id}", then="publish", **form)
    until(lambda: keeper.drafts.get(draft.id).state == "published")
    assert (
        keeper.settings.corpus / "kaina.lt.md.yaml"
    ).read_text() == "title: Kaina\nvalid_until: '2020-12-31'\nreview_by: 2020-06\n"
    shown = rasa.get("/staff/documents/show?id=kaina.lt.md&lang=lt").text
    assert "2020 m. gruodžio 31 d." in shown and WORDS["lt"]["over_left_out"] in shown
    listed = rasa.get("/staff/documents?state=review&lang=lt").text
    assert WORDS["lt"]["over_since"].format("2020 m. gruodžio 31 d.") in listed
    assert WORDS["lt"]["to_review"].format(1) in rasa.get("/staff/documents?lang=lt").text
    reader = rasa.get("/documents/kaina.lt.md?lang=en").text
    assert "No longer valid. Valid until: 31 December 2020" in reader


def test_publishing_is_planned_and_called_off(rasa: Browser, keeper: Keeper, app: FastAPI) -> None:
    draft = upload(rasa, keeper, "kaina.lt.md", KAINA)
    address = f"/staff/drafts/{draft.id}"
    wrong = rasa.change(f"{address}?lang=lt", then="plan", publish_on="kada nors", **fields(draft))
    assert wrong.status_code == 422 and WORDS["lt"]["fault_date"] in wrong.text
    assert rasa.change(address, then="plan", publish_on="2999-01-02", **fields(draft)).status_code == 303
    page = rasa.get(f"{address}?lang=en").text
    assert WORDS["en"]["planned"].format("2 January 2999") in page and 'value="2999-01-02"' in page
    assert WORDS["en"]["planned"].format("2 January 2999") in rasa.get("/staff/documents?lang=en").text
    rasa.change(address, then="unplan", **fields(keeper.drafts.get(draft.id)))
    assert keeper.drafts.get(draft.id).publish_on is None
    past = rasa.change(
        f"{address}?lang=lt", then="plan", publish_on="2001-01-02", **fields(keeper.drafts.get(draft.id))
    )
    assert past.status_code == 303 and "kuri dar tik bus" in rasa.get(f"{address}?lang=lt").text
    done = [entry.what for entry in Audit(app.state.desk.parts()[0]).entries(what="document")]
    assert done[:2] == ["document.unplanned", "document.planned"]


def test_a_new_version_shows_what_it_changes(rasa: Browser, keeper: Keeper) -> None:
    first = upload(rasa, keeper, "kaina.lt.md", KAINA)
    rasa.change(f"/staff/drafts/{first.id}", then="publish", **fields(first))
    until(partial(published, keeper, first.id))
    draft = upload(rasa, keeper, "kaina.md", KAINA.replace("2 250", "2 500"), replaces="kaina.lt.md")
    page = rasa.get(f"/staff/drafts/{draft.id}?lang=lt").text
    assert "Bronzos ženklo kaina yra 2 <del>250 </del><ins>500 </ins>eurų." in page
    assert WORDS["lt"]["changes_lost"].format(1) in page


def published(keeper: Keeper, draft: str) -> bool:
    return keeper.drafts.get(draft).state == "published"


def test_an_earlier_version_is_used_again(rasa: Browser, keeper: Keeper) -> None:
    for content in (KAINA, KAINA.replace("2 250", "2 500")):
        draft = upload(
            rasa, keeper, "kaina.lt.md", content, **({"replaces": "kaina.lt.md"} if "500" in content else {})
        )
        rasa.change(f"/staff/drafts/{draft.id}", then="publish", **fields(draft))
        until(partial(published, keeper, draft.id))
    earlier = keeper.versions("kaina.lt.md")[1]
    kept = rasa.get(f"/staff/documents/file?id=kaina.lt.md&version={earlier.version}")
    assert kept.content == KAINA.encode()
    answer = rasa.change("/staff/documents/again", id="kaina.lt.md", version=earlier.version)
    identifier = answer.headers["location"].rsplit("/", 1)[1]
    until(lambda: keeper.drafts.get(identifier).state == "ready")
    draft = keeper.drafts.get(identifier)
    assert (draft.intent, draft.document, draft.metadata.title) == ("replace", "kaina.lt.md", "Kaina")


def test_every_page_is_whole_in_both_languages(rasa: Browser, keeper: Keeper) -> None:
    known = upload(rasa, keeper, "a.md", KAINA)
    rasa.change(f"/staff/drafts/{known.id}", then="publish", **fields(known))
    until(lambda: keeper.drafts.get(known.id).state == "published")
    asking = upload(rasa, keeper, "a.md", KAINA + "\nDar daugiau teksto apie ženklą.\n")
    scan = upload(rasa, keeper, "scan.pdf", make_pdf(picture))
    pdf = upload(rasa, keeper, "b.pdf", make_pdf(lambda c: lines(c, 70, 760, ["Aukso ženklo kaina."]), picture))
    replacing = upload(rasa, keeper, "x.md", KAINA + "\nNauja.\n", replaces="a.md")
    (keeper.settings.corpus / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    (keeper.settings.corpus / "a.md").write_text(KAINA + "\nRanka.\n")
    until(lambda: len(keeper.versions("a.md")) == 2)
    pages = {
        f"/staff/drafts/{asking.id}": ("error_ask", {"document": "a.md"}),
        f"/staff/drafts/{replacing.id}": ("error_changed", {"document": "a.md"}),
        f"/staff/drafts/{scan.id}": ("unreadable_title", {}),
        f"/staff/drafts/{known.id}": ("published_text", {}),
        f"/staff/drafts/{pdf.id}?question=aukso+kaina": ("try_title", {}),
        f"/staff/drafts/{pdf.id}/discard": ("discard_text", {}),
        "/staff/documents": ("problems_title", {}),
        "/staff/documents/show?id=a.md": ("versions_title", {}),
        "/staff/documents/passages?id=a.md": ("marks_text", {}),
        f"/staff/drafts/{pdf.id}/passages": ("marks_text", {}),
        "/staff/documents/replace?id=a.md": ("replace_text", {}),
        "/staff/documents/withdraw?id=a.md": ("withdraw_text", {}),
    }
    languages: tuple[Language, ...] = LANGUAGES
    for language in languages:
        for path, (key, values) in pages.items():
            answer = rasa.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
            assert answer.status_code == 200, path
            if key != "error_ask":
                assert WORDS[language][key].format(**values).replace('"', "&#34;") in answer.text, path
            assert "style=" not in answer.text and "onclick" not in answer.text


# ── passages that are left out ──────────────────────────────────────────────────────────────────────────────────


def test_a_passage_is_left_out_noted_and_put_back_at_the_desk(rasa: Browser, keeper: Keeper) -> None:
    draft = upload(rasa, keeper, "a.md", KAINA + "\nSena kaina buvo 100 eurų.\n\nKreipkitės į Rasą.\n")
    there = f"/staff/drafts/{draft.id}/passages"
    keys = dict(re.findall(r'value="([0-9a-f]{12})">.*?<span lang="lt">(Sena|Kreip)', rasa.get(there).text))
    old, ask = (key for word in ("Sena", "Kreip") for key, found in keys.items() if found == word)
    rasa.change(there, do="left_out", pick=old, text="")
    assert WORDS["lt"]["error_no_reason"] in rasa.get(there).text
    rasa.change(there, do="left_out", pick=old, text="Pasenusi <b>suma</b>")
    page = rasa.get(f"{there}?only=1").text
    assert "Sena kaina" in page and "Pasenusi &lt;b&gt;suma&lt;/b&gt;" in page and "Kreipkitės" not in page
    draft = keeper.drafts.get(draft.id)
    rasa.change(f"/staff/drafts/{draft.id}", then="publish", **fields(draft))
    until(lambda: keeper.drafts.get(draft.id).state == "published")
    with open_store(keeper.settings.home) as store:
        assert [p.text for p in split(store.read("a.md")) if "Sena" in p.text] == []  # type: ignore[arg-type]
    there = "/staff/documents/passages"
    rasa.change(there, id="a.md", do="noted", pick=ask, text="Rasa grįš rugsėjį")
    rasa.change(there, id="a.md", do="put_back", pick=old)
    until(lambda: [event.what for event in keeper.history.of("a.md")][:2] == ["put_back", "noted"])
    page = rasa.get("/staff/documents/show?id=a.md").text
    assert "Rasa grįš rugsėjį" in page and WORDS["lt"]["event_put_back"] in page
    with open_store(keeper.settings.home) as store:
        assert len([p.text for p in split(store.read("a.md")) if "Sena" in p.text]) == 1  # type: ignore[arg-type]
    assert (
        WORDS["lt"]["error_no_passages"]
        in rasa.get(rasa.change(there, id="a.md", do="put_back").headers["location"]).text
    )


# ── several at once, and finding them ───────────────────────────────────────────────────────────────────────────


def several(browser: Browser, which: str, do: str, *pick: str, **form: str | list[str]) -> Any:
    sent = {"csrf": browser.csrf(), "which": which, "do": do, "pick": list(pick), **form}
    return browser.post("/staff/documents/several", data=sent)


def test_what_is_ticked_is_described_published_and_withdrawn_at_once(
    rasa: Browser, keeper: Keeper, app: FastAPI
) -> None:
    drafts = [upload(rasa, keeper, f"{name}.lt.md", f"# {name}\n\n{name} kainuoja.\n") for name in ("auksas", "bronza")]
    other = upload(rasa, keeper, "varis.lt.md", "# varis\n\nVaris kainuoja.\n")
    ids = [draft.id for draft in drafts]
    for do, form in (
        ("publisher", {"publisher": "Biuras"}),
        ("tag", {"tag": "kainos, metalai"}),
        ("untag", {"tag": "metalai"}),
    ):
        assert several(rasa, "drafts", do, *ids, **form).status_code == 303
    assert [keeper.drafts.sidecar(keeper.drafts.get(i)).read_text() for i in ids] == [
        "publisher: Biuras\ntags:\n- kainos\n"
    ] * 2
    assert keeper.drafts.get(other.id).metadata.publisher is None
    several(rasa, "drafts", "publish", *ids, "0123456789abcdef")
    told = rasa.get("/staff/documents?lang=lt").text
    assert (
        WORDS["lt"]["several_done"].format(2) in told and WORDS["lt"]["error_no_draft"] in told
    )  # one fails, two go on
    until(lambda: all(keeper.drafts.get(i).state == "published" for i in ids))
    several(rasa, "documents", "language", "auksas.lt.md", language="en")
    until(lambda: keeper.history.of("auksas.lt.md")[0].what == "corrected")
    shown = rasa.get("/staff/documents?language=en&tag=kainos").text
    assert "auksas.lt.md" in shown and "bronza.lt.md" not in shown
    asked = several(rasa, "documents", "withdraw", listed=["auksas.lt.md", "bronza.lt.md"], all="1")
    assert asked.status_code == 200 and "auksas" in asked.text and keeper.digest("auksas.lt.md") is not None
    several(rasa, "documents", "withdraw", *re.findall(r'name="pick" value="([^"]+)"', asked.text), sure="1")
    with open_store(keeper.settings.home) as store:
        assert store.documents() == []
    several(rasa, "drafts", "discard", other.id, sure="1")
    assert [draft for draft in keeper.drafts.all() if draft.state != "published"] == []
    log = [entry.what for entry in Audit(app.state.desk.parts()[0]).entries(what="document")]
    assert [log.count(f"document.{deed}") for deed in ("corrected", "published", "withdrawn", "discarded")] == [
        7,
        2,
        2,
        1,
    ]


def test_nothing_ticked_or_nothing_to_set_changes_nothing(rasa: Browser, keeper: Keeper) -> None:
    draft = upload(rasa, keeper, "a.md", KAINA)
    rasa.get("/staff/documents?lang=en")  # what is said after a change is said in the language chosen last
    for form, key in (({}, "several_none"), ({"pick": draft.id}, "several_empty")):
        rasa.change("/staff/documents/several", which="drafts", do="tag", **form)
        page = rasa.get("/staff/documents?lang=en").text
        assert f'<p class="sd-problem" role="alert">{WORDS["en"][key]}</p>' in page
    for which, do in (("drafts", "explode"), ("drafts", "withdraw"), ("documents", "publish")):
        assert several(rasa, which, do, draft.id).status_code == 422
    assert (
        rasa.post("/staff/documents/several", data={"which": "drafts", "do": "discard", "pick": draft.id}).status_code
        == 403
    )
    assert keeper.drafts.get(draft.id) == draft


def test_documents_stand_above_the_queue_and_the_queue_has_pages(rasa: Browser, keeper: Keeper, app: FastAPI) -> None:
    known = upload(rasa, keeper, "a.md", KAINA)
    rasa.change(f"/staff/drafts/{known.id}", then="publish", **fields(known))
    until(partial(published, keeper, known.id))
    files = [("files", (f"{n}.txt", f"Failas {n}.".encode())) for n in range(27)]
    rasa.post("/staff/drafts", data={"csrf": rasa.csrf()}, files=files)
    until(lambda: all(draft.state != "reading" for draft in keeper.drafts.all()))
    first, second = (rasa.get(f"/staff/documents?waiting={n}").text for n in (1, 2))
    assert first.index('id="list-title"') < first.index('id="waiting-title"')
    assert (first.count("/staff/drafts/"), second.count('class="sd-card"')) and "1 / 2" in first and "2 / 2" in second
    found = [set(re.findall(r'href="/staff/drafts/(\w{16})"', page)) for page in (first, second)]
    assert [len(names) for names in found] == [25, 2] and not found[0] & found[1]


def test_a_word_is_found_inside_the_texts(rasa: Browser, keeper: Keeper) -> None:
    for name, text in (("a.lt.md", KAINA), ("b.lt.md", "# Kitas\n\nŽąsų ūkis Klaipėdoje.\n")):
        draft = upload(rasa, keeper, name, text)
        rasa.change(f"/staff/drafts/{draft.id}", then="publish", **fields(draft, title=f"Dokumentas {name[0]}"))
        until(partial(published, keeper, draft.id))
    found = rasa.get("/staff/documents?q=zasu+UKIS&where=text").text
    assert "Dokumentas b" in found and "Dokumentas a" not in found and "<mark>Žąsų</mark> ūkis Klaipėdoje." in found
    assert "Dokumentas b" not in rasa.get("/staff/documents?q=zasu").text


def test_a_translation_is_picked_by_title_and_tags_are_told_by_language(rasa: Browser, keeper: Keeper) -> None:
    original = upload(rasa, keeper, "price.en.md", "# Price of bronze\n\nThe bronze label costs EUR 2,250.\n")
    form = fields(original, title="Price of bronze", language="en", tags="prices")
    rasa.change(f"/staff/drafts/{original.id}", then="publish", **form)
    until(partial(published, keeper, original.id))
    draft = upload(rasa, keeper, "kaina.md", KAINA)
    page = rasa.get(f"/staff/drafts/{draft.id}?lang=lt").text
    assert re.search(r'<option value="price.en.md" lang="en">Price of bronze \(price.en.md\)</option>', page)
    rasa.change(f"/staff/drafts/{draft.id}", **fields(draft, translation_of="price.en.md", tags="kainos"))
    assert keeper.drafts.get(draft.id).metadata.translation_of == "price.en.md"
    listed = rasa.get("/staff/documents?lang=lt").text
    assert re.search(r'<optgroup label="Anglų">\s*<option lang="en">prices</option>', listed)
    english = upload(rasa, keeper, "gold.en.md", "# Gold\n\nThe gold label costs more than the bronze label does.\n")
    assert WORDS["en"]["tags_known"] + ' <span lang="en">prices' in rasa.get(f"/staff/drafts/{english.id}?lang=en").text


# ── pages as pictures, and recognised text ──────────────────────────────────────────────────────────────────────


def test_each_page_of_a_pdf_stands_beside_what_was_read_from_it(rasa: Browser, keeper: Keeper, app: FastAPI) -> None:
    draft = upload(rasa, keeper, "b.pdf", make_pdf(lambda c: lines(c, 70, 760, ["Aukso ženklo kaina."]), picture))
    page = rasa.get(f"/staff/drafts/{draft.id}?lang=lt").text
    assert page.index('id="warnings-title"') < page.index('id="read-title"')
    assert page.count(f'<img src="/staff/drafts/{draft.id}/image?page=') == 2
    drawn = rasa.get(f"/staff/drafts/{draft.id}/image?page=1")
    assert (drawn.headers["content-type"], drawn.content[:2]) == ("image/jpeg", b"\xff\xd8")
    for path in (f"{draft.id}/image?page=9", f"{upload(rasa, keeper, 'a.md', KAINA).id}/image", f"{'0' * 16}/image"):
        assert rasa.get(f"/staff/drafts/{path}").status_code == 404
    assert Browser(app).get(f"/staff/drafts/{draft.id}/image?page=1").status_code == 303  # to the log-in page


def test_a_scan_says_what_to_install_where_nothing_recognises_text(
    rasa: Browser, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocr, "languages", lambda: ())
    scan = upload(rasa, keeper, "scan.pdf", make_pdf(picture))
    page = rasa.get(f"/staff/drafts/{scan.id}?lang=lt").text
    assert "apt-get install tesseract-ocr tesseract-ocr-lit" in page and f"{scan.id}/recognise" not in page
    assert ".png" not in rasa.get("/staff/documents").text


@pytest.mark.skipif(
    not ocr.languages(), reason="Tesseract is not installed: apt-get install tesseract-ocr tesseract-ocr-lit"
)
@pytest.mark.parametrize("name", ["skenas.png", "skenas.pdf"])
def test_a_scan_is_recognised_when_asked_and_shows_how_sure_that_is(rasa: Browser, keeper: Keeper, name: str) -> None:
    made = io.BytesIO()
    with pypdfium2.PdfDocument(
        make_pdf(lambda c: lines(c, 70, 760, ["Nario mokestis yra 1480 per metus."], size=16))
    ) as pdf:
        drawn = pdf[0].render(scale=2).to_pil().convert("L")
    drawn.save(made, name.rsplit(".", 1)[1].upper())
    scan = upload(rasa, keeper, name, made.getvalue())
    page = rasa.get(f"/staff/drafts/{scan.id}?lang=lt").text
    assert scan.state == "unreadable" and f"/staff/drafts/{scan.id}/recognise" in page
    assert rasa.change(f"/staff/drafts/{scan.id}/recognise").status_code == 303
    until(lambda: keeper.drafts.get(scan.id).state != "reading", 300)
    draft = keeper.drafts.get(scan.id)
    assert (draft.state, draft.file, draft.document) == ("ready", "skenas.pdf", "skenas.pdf")
    assert [path.name for path in keeper.drafts.path(draft).parent.iterdir()] == ["skenas.pdf"]
    page = rasa.get(f"/staff/drafts/{scan.id}?lang=lt").text
    assert "Nario mokestis yra 1480 per metus." in page and "programos atpažintu tekstu: 1" in page
    assert re.search(r"Atpažino programa, jos tikrumas – \d\d proc\.", page)
    assert rasa.get(f"/staff/drafts/{scan.id}/file").content == made.getvalue()  # as it came
    assert rasa.get(f"/staff/drafts/{scan.id}/image?page=1").status_code == 200
    form = fields(draft, title="Mokestis")
    rasa.change(f"/staff/drafts/{scan.id}", then="publish", **form)
    until(partial(published, keeper, scan.id))
    with open_store(keeper.settings.home) as store:
        assert "1480" in (store.read("skenas.pdf") or draft).text  # type: ignore[union-attr]


def test_what_was_uploaded_never_runs_as_a_page_of_ours(rasa: Browser, keeper: Keeper) -> None:
    draft = upload(
        rasa,
        keeper,
        "a.html",
        "<!doctype html><html><body><p>Labas rytas, klasteri. " * 9 + "<script>alert(1)</script>",
    )
    file = rasa.get(f"/staff/drafts/{draft.id}/file")
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"].startswith("attachment")
    assert b"<script>" in file.content
    assert "<script>alert" not in rasa.get(f"/staff/drafts/{draft.id}").text


def test_the_export_is_one_archive_of_which_no_file_is_left_even_when_the_server_is_killed(
    rasa: Browser, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = upload(rasa, keeper, "a.md", KAINA)
    rasa.change(f"/staff/drafts/{draft.id}", then="publish", **fields(draft))
    until(lambda: keeper.drafts.get(draft.id).state == "published")
    before, export, came = set(os.listdir(keeper.settings.data)), keeper.export, set[str]()

    def looked_at(file: IO[bytes]) -> None:
        export(file)
        came.update(set(os.listdir(keeper.settings.data)) - before)

    monkeypatch.setattr(keeper, "export", looked_at)
    answer = rasa.get("/staff/documents/export")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.read("documents/a.md") == KAINA.encode()
        assert not any("sqlite" in name for name in archive.namelist())
    assert came == set()


def test_nothing_outside_the_folders_can_be_had(rasa: Browser) -> None:
    for path in ("../data/staff.sqlite3", "/etc/passwd", "..%2f..%2fetc%2fpasswd"):
        assert rasa.get(f"/staff/documents/file?id={path}").status_code == 303
    for identifier in ("..", "x" * 16, "%2e%2e%2fcorpus"):
        assert rasa.get(f"/staff/drafts/{identifier}/file").status_code in (303, 404)


# ── a server that is killed ─────────────────────────────────────────────────────────────────────────────────────


class RealServer:
    """`clusterqa serve` in a process of its own."""

    def __init__(self, base: Path, data: str = "data", **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.options = ["--corpus", str(base / "corpus"), "--data", str(base / data)]
        command = [sys.executable, "-m", "clusterqa", "serve", *self.options, "--port", str(self.port)]
        given = {**os.environ, "CLUSTERQA_THREADS": "1", **environment}
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=given)
        try:
            until(self.ready, 600)  # it takes seconds, but on a machine that does much else
        except BaseException:
            self.kill()
            raise

    def ready(self) -> bool:
        assert self.process.poll() is None
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def client(self) -> httpx.Client:
        client = httpx.Client(base_url=self.url, headers={"accept": "text/html"}, timeout=120)
        csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/staff/login").text)[1]  # type: ignore[index]
        client.post("/staff/login", data={"name": "rasa", "password": PASSWORD, "csrf": csrf, "next": ""})
        page = client.get("/staff/password").text
        client.headers["x-csrf-token"] = re.search(r'name="csrf" value="([^"]+)"', page)[1]  # type: ignore[index]
        return client

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(how)
        self.process.wait(60)


@pytest.mark.encoder
def test_a_server_killed_in_mid_publish_loses_nothing_and_goes_on(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "gold.en.md").write_text("# Gold\n\nThe Gold Label is valid for three years.\n")
    options = ["--corpus", str(corpus), "--data", str(tmp_path / "data")]
    subprocess.run(
        [sys.executable, "-m", "clusterqa", "staff", "add", "rasa", *options], input=PASSWORD.encode() + b"\n", check=True,
        capture_output=True,
    )  # fmt: skip
    # Long enough that encoding it takes seconds.
    text = "# Ilga ataskaita\n\n" + "\n\n".join(
        f"Skyrius {n}. Klasterio narių susitikimas numeris {n} vyko {n} aukšte, jame dalyvavo {n + 3} įmonės. "
        f"Aptarti {n + 5} klausimai apie eksportą, inovacijas ir darbuotojų mokymą."
        for n in range(250)
    )
    server = RealServer(tmp_path)
    try:
        client = server.client()
        files = [("files", ("ilga.lt.md", text.encode()))]
        draft = client.post("/staff/drafts", files=files).json()[0]["draft"]

        def state(client: httpx.Client = client) -> dict[str, object]:
            found: dict[str, object] = client.get(f"/staff/drafts/{draft}/state").json()
            return found

        until(lambda: state()["state"] == "ready", 300)
        form = {"revision": "1", "title": "Ilga ataskaita", "language": "lt", "then": "publish"}
        assert client.post(f"/staff/drafts/{draft}", data=form).status_code == 303
        until(lambda: state()["stage"] == "encode" and int(str(state()["done"])) > 0, 300)
        assert state()["state"] == "publishing"
    finally:
        server.kill()
    with open_store(Home(tmp_path / "data")) as store:
        assert store.damage() == []
        assert [stored.id for stored in store.documents()] == ["gold.en.md"]
    file = corpus / "ilga.lt.md"
    assert not file.exists() or file.read_bytes() == text.encode()
    server = RealServer(tmp_path)
    try:
        client = server.client()
        until(lambda: client.get(f"/staff/drafts/{draft}/state").json()["state"] == "published", 600)
        found = client.get("/api/v1/search", params={"q": "susitikimas numeris 145", "k": 5}).json()
        assert "ilga.lt.md" in {hit["document"] for hit in found}
        history = client.get("/staff/documents/show?id=ilga.lt.md").text
        assert "rasa" in history
    finally:
        server.kill(signal.SIGTERM)
    with open_store(Home(tmp_path / "data")) as store:
        assert store.damage() == [] and len(store.documents()) == 2
        assert len(store.versions("ilga.lt.md")) == 1
