"""The HTTP API for programs: several questions at once, nothing misspelt is taken, known answers are not sent again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from clusterqa.settings import Settings
from clusterqa.web import shapes
from clusterqa.web.app import build
from web_fixtures import write_corpus

QUESTIONS = ("How long is the Bronze Label valid?", "Kiek laiko galioja bronzos ženklas?")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    base = tmp_path_factory.mktemp("api")
    # The reader's weights do not come with the repository yet.
    settings = Settings(corpus=write_corpus(base / "corpus"), data=base / "data", reader="none", rate_limit=60)
    with TestClient(build(settings), client=("127.0.0.1", 50_000)) as client:
        while client.get("/readyz").status_code != 200:
            time.sleep(0.1)
        yield client


@pytest.mark.encoder
def test_an_answer_says_how_long_each_stage_took(client: TestClient) -> None:
    question = "Kiek laiko galioja bronzos ženklas?"
    messages = [{"role": "user", "content": question}]
    for path, body in (
        ("/api/v1/ask", {"question": question}),
        ("/api/v1/ask:batch", {"questions": [{"question": question}, {"question": "Ačiū!"}]}),
        ("/v1/chat/completions", {"model": "clusterqa", "messages": messages}),
        ("/v1/chat/completions", {"model": "clusterqa", "messages": messages, "stream": True}),
    ):
        told = client.post(path, json=body).headers["Server-Timing"]
        stages = dict(part.split(";dur=") for part in told.split(", "))
        assert list(stages) == ["understand", "encode", "wait", "candidates", "rerank", "merge", "quote"]
        assert all(float(milliseconds) >= 0 for milliseconds in stages.values())


@pytest.mark.encoder
def test_several_questions_are_answered_in_their_order(client: TestClient) -> None:
    asked = [{"question": text, "id": str(number)} for number, text in enumerate(QUESTIONS)]
    body = client.post("/api/v1/ask:batch", json={"questions": asked}).json()
    answers = shapes.Answers.model_validate(body).answers
    assert [one.answer.id for one in answers] == ["0", "1"]
    assert [one.answer.quotes[0].document for one in answers] == ["bronze.en.md", "bronze.lt.md"]
    assert body["answers"][0]["answer"] == client.post("/api/v1/ask", json=asked[0]).json()
    given = client.post("/api/v1/feedback", json={"id": answers[1].journal_id, "helpful": True})
    assert given.status_code == 204


@pytest.mark.encoder
def test_each_question_of_a_batch_counts_for_the_limit(client: TestClient) -> None:
    other = TestClient(client.app, client=("127.0.0.2", 50_000))
    batch = {"questions": [{"question": ""}] * 40}
    assert [other.post("/api/v1/ask:batch", json=batch).status_code for _ in range(2)] == [200, 429]
    twenty = {"questions": [{"question": ""}] * 20}
    assert other.post("/api/v1/ask:batch", json=twenty).status_code == 200  # what was refused did not count


@pytest.mark.encoder
@pytest.mark.parametrize("count", [0, 51])
def test_a_batch_is_neither_empty_nor_endless(client: TestClient, count: int) -> None:
    answer = client.post("/api/v1/ask:batch", json={"questions": [{"question": "?"}] * count})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.encoder
def test_unknown_parameters_are_refused(client: TestClient) -> None:
    for path in ("/api/v1/search?q=bronze&limit=3", "/api/v1/documents?page=2", "/api/v1/documents/bronze.en.md?ver=1"):
        answer = client.get(path)
        assert answer.status_code == 422
        assert "There is no parameter" in answer.json()["detail"]
    assert "q, k, language" in client.get("/api/v1/search?q=bronze&limit=3").json()["detail"]
    for path, body in (("ask", {"question": "?", "lang": "lt"}), ("feedback", {"id": "x", "helpful": True, "why": ""})):
        answer = client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 422
        assert "there is no such field here, leave it out" in answer.json()["detail"]
    assert client.get("/readyz?from=balancer").status_code == 200


@pytest.mark.encoder
def test_a_document_that_is_known_is_not_sent_again(client: TestClient) -> None:
    whole = client.get("/api/v1/documents/bronze.en.md")
    path = f"/api/v1/documents/bronze.en.md?version={whole.json()['version']}"
    tag = client.get(path).headers["etag"]
    assert tag == whole.headers["etag"]
    two_lines = [("If-None-Match", '"another"'), ("If-None-Match", tag)]
    assert client.get(path, headers=two_lines).status_code == 304
    for known in (tag, tag.removeprefix("W/"), f'"another", {tag}', "*"):
        answer = client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get(path, headers={"If-None-Match": '"another"'}).content == whole.content
    other = client.get("/api/v1/documents/bronze.lt.md", headers={"If-None-Match": tag})
    assert (other.status_code, other.headers["etag"] == tag) == (200, False)
    missing = client.get("/api/v1/documents/none.md", headers={"If-None-Match": "*"})
    assert (missing.status_code, "etag" in missing.headers) == (404, False)


@pytest.mark.encoder
@pytest.mark.parametrize(
    "path",
    ["/api/v1/documents", "/api/v1/documents/bronze.en.md", "/api/v1/documents/none.md", "/documents/bronze.en.md", "/healthz"],
)  # fmt: skip
def test_the_head_of_an_answer_can_be_had_alone(client: TestClient, path: str) -> None:
    head, whole = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    for name in ("content-length", "content-type", "etag"):
        assert head.headers.get(name) == whole.headers.get(name)
    if head.is_success:
        plain = client.head(path, headers={"accept-encoding": "identity"})
        assert int(plain.headers["content-length"]) == len(whole.content) > 0


@pytest.mark.encoder
def test_every_operation_has_a_short_name_and_a_tag(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    operations = {
        one["operationId"]: one["tags"] for methods in described["paths"].values() for one in methods.values()
    }
    assert operations == {
        "ask": ["questions"], "ask_batch": ["questions"], "give_feedback": ["questions"],
        "list_questions": ["questions"],
        "search": ["documents"], "list_documents": ["documents"], "read_document": ["documents"],
        "complete_chat": ["openai"], "list_models": ["openai"], "read_model": ["openai"],
    }  # fmt: skip
    assert {tag["name"] for tag in described["tags"]} == {"questions", "documents", "openai"}


@pytest.mark.encoder
def test_what_is_large_is_sent_compressed_to_whoever_can_read_it(client: TestClient) -> None:
    body = {"questions": [{"question": text} for text in QUESTIONS * 3]}
    packed, plain = (
        client.post("/api/v1/ask:batch", json=body, headers={"accept-encoding": coding})
        for coding in ("gzip", "identity")
    )
    assert (packed.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert int(packed.headers["content-length"]) * 2 < len(plain.content)
    assert [one["answer"] for one in packed.json()["answers"]] == [one["answer"] for one in plain.json()["answers"]]
    assert {"accept-encoding" in answer.headers["vary"].lower() for answer in (packed, plain)} == {True}
    small = client.get("/api/v1/documents?limit=1", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers


@pytest.mark.encoder
def test_a_tag_holds_whether_the_answer_comes_compressed_or_not(client: TestClient) -> None:
    tags = {
        client.get("/api/v1/documents", headers={"accept-encoding": coding}).headers["etag"]
        for coding in ("gzip", "identity")
    }
    [tag] = tags
    known = client.get("/api/v1/documents", headers={"accept-encoding": "gzip", "if-none-match": tag})
    assert (known.status_code, known.content) == (304, b"")
    assert "accept-encoding" in known.headers["vary"].lower()


@pytest.mark.encoder
def test_the_list_of_documents_can_be_read_page_by_page(client: TestClient) -> None:
    whole = client.get("/api/v1/documents")
    assert "link" not in whole.headers
    read, path = [], "/api/v1/documents?limit=1"
    for _ in range(10):
        page = client.get(path)
        assert len(page.json()) == 1
        read += page.json()
        if (following := page.links.get("next")) is None:
            break
        path = following["url"]
    assert read == whole.json()
    assert client.get("/api/v1/documents", params={"cursor": "zzz"}).json() == []
    assert client.get("/api/v1/documents", params={"limit": 0}).status_code == 422


def test_the_description_says_where_the_server_is(settings: Settings) -> None:
    told = settings.model_copy(update={"public_address": "https://example.lt/klausimai/"})
    assert TestClient(build(told)).get("/api/openapi.json").json()["servers"] == [
        {"url": "https://example.lt/klausimai"}
    ]
    assert "servers" not in TestClient(build(settings)).get("/api/openapi.json").json()


@pytest.mark.encoder
@pytest.mark.parametrize(
    ("accepts", "packed"),
    [
        ("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("br, gzip; q=0.0", False), ("identity", False),
        ("xgzip", False),
    ],
)  # fmt: skip
def test_nobody_is_sent_gzip_who_does_not_want_it(client: TestClient, accepts: str, packed: bool) -> None:
    answer = client.post(
        "/api/v1/ask", json={"question": QUESTIONS[0], "id": "x" * 200}, headers={"Accept-Encoding": accepts}
    )
    assert answer.status_code == 200
    assert ("content-encoding" in answer.headers, "Accept-Encoding" in answer.headers["vary"]) == (packed, True)


@pytest.mark.encoder
@pytest.mark.parametrize(
    ("sent", "content_type", "status", "told"),
    [
        (b'{"question": "a",}', "application/json", 422, "body: this is no JSON (column 18: a comma too many)"),
        (b"", "application/json", 422, "body: Field required"),
        (b'{"question": "a"}', "application/x-www-form-urlencoded", 422, "Content-Type: application/json"),
        ('{"question": "ženklas"}'.encode("iso-8859-13"), "application/json", 400, "Send JSON in UTF-8"),
    ],
)
def test_a_body_that_cannot_be_read_is_told_with_what_to_do(
    client: TestClient, sent: bytes, content_type: str, status: int, told: str
) -> None:
    answer = client.post("/api/v1/ask", content=sent, headers={"Content-Type": content_type})
    assert (answer.status_code, told in answer.json()["detail"]) == (status, True)


@pytest.mark.encoder
def test_a_method_that_an_address_does_not_take_is_told_with_those_it_does(client: TestClient) -> None:
    answer = client.put("/api/v1/ask", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["detail"] == "This address takes POST, not PUT."


@pytest.mark.encoder
def test_a_version_that_is_not_there_is_told_with_those_that_are(client: TestClient) -> None:
    version = client.get("/api/v1/documents/bronze.en.md").json()["version"]
    answer = client.get("/api/v1/documents/bronze.en.md?version=zz")
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"bronze.en.md has no version that begins with zz. It has: {version[:12]}"
