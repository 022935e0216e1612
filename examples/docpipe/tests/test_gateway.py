"""The gateway over HTTP."""

from __future__ import annotations

from typing import Iterator

import pytest
import watchkeeper as wk
from fastapi.testclient import TestClient
from redis import Redis

from conftest import Receiver
from docpipe import extraction_queue
from docpipe.documents import Documents
from docpipe.embedding import Embedder
from docpipe.extraction_queue import ExtractionQueue
from docpipe.gateway import create_app
from docpipe.llm_queue import LlmQueue
from docpipe.uploads import LARGEST_BODY

FORM_WITHOUT_FILE = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nx\r\n--b--\r\n'


@pytest.fixture(autouse=True)
def watched(receiver: Receiver) -> Iterator[None]:
    wk.init(url=receiver.url, service="docpipe-gateway", flush_seconds=0.01, handle_sigterm=False)
    yield
    wk.shutdown()


@pytest.fixture()
def client(redis: Redis) -> TestClient:
    return TestClient(create_app(redis), raise_server_exceptions=False)


def test_a_form_and_raw_bytes_are_taken_alike(client: TestClient, redis: Redis) -> None:
    by_form = client.post("/documents", files={"file": ("a.md", b"# A", "text/plain")})
    by_bytes = client.post("/documents?name=b.html", content=b"<p>B</p>")
    assert (by_form.status_code, by_bytes.status_code) == (202, 202)
    stored = [client.get(f"/documents/{answer.json()['document_id']}").json() for answer in (by_form, by_bytes)]
    assert [(document["name"], document["media_type"], document["state"]) for document in stored] == [
        ("a.md", "text/markdown", "uploaded"),
        ("b.html", "text/html", "uploaded"),
    ]
    assert redis.llen(extraction_queue.WAITING) == 2


@pytest.mark.parametrize(
    ("name", "body", "headers", "status"),
    [
        ("a.pdf", b"%PDF", {}, 415),
        ("", b"text", {}, 415),
        ("a.txt", b"", {}, 422),
        ("a.txt", b"x", {"Content-Length": str(LARGEST_BODY + 1)}, 413),
        ("a.txt", b"x", {"Content-Type": "multipart/form-data; boundary=b"}, 400),
        ("a.txt", FORM_WITHOUT_FILE, {"Content-Type": "multipart/form-data; boundary=b"}, 422),
    ],
)
def test_what_is_no_document_is_refused_and_not_queued(
    client: TestClient, redis: Redis, name: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = client.post("/documents", params={"name": name}, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert redis.keys("*") == []


def test_a_body_without_a_length_is_refused(client: TestClient) -> None:
    assert client.post("/documents?name=a.txt", content=iter([b"x"])).status_code == 411


def test_unknown_documents_are_not_found(client: TestClient) -> None:
    assert client.get("/documents/none").status_code == 404
    assert client.post("/documents/none/summary").status_code == 404


def test_a_summary_can_be_asked_for_once_there_is_text(client: TestClient, redis: Redis) -> None:
    document_id = client.post("/documents?name=a.txt", content=b"x").json()["document_id"]
    assert client.post(f"/documents/{document_id}/summary").status_code == 409
    documents, embedder = Documents(redis), Embedder()
    embedder.load()
    texts = ["the whale in the ocean", "the law of Congress"]
    documents.save(document_id, "Call me Ishmael.", texts, embedder.embed(texts))

    answer = client.post(f"/documents/{document_id}/summary")
    assert answer.status_code == 202
    task = LlmQueue(redis).take(0.2)
    assert (task.id, task.kind, task.priority) == (answer.json()["task_id"], "summary", 10)
    LlmQueue(redis).done(task, {"summary": "Ishmael."})
    shown = client.get(f"/documents/{document_id}").json()
    assert shown["tasks"]["summary"]["result"] == {"summary": "Ishmael."}

    found = client.get(f"/documents/{document_id}/passages", params={"q": "whale"}).json()
    assert [passage["text"] for passage in found] == texts


def test_every_request_is_reported_with_its_route_and_id(client: TestClient, receiver: Receiver) -> None:
    answer = client.get("/documents/none", headers={"X-Request-Id": "r-7", "X-User": "ada"})
    assert answer.headers["X-Request-Id"] == "r-7"
    client.get("/nowhere")
    wk.shutdown()
    first, second = receiver.of_type("request.finished")
    assert first["route"] == "/documents/{document_id}"
    assert (first["method"], first["path"], first["status_code"]) == ("GET", "/documents/none", 404)
    assert (first["request_id"], first["user_id"]) == ("r-7", "ada")
    assert first["duration_seconds"] > 0
    assert "route" not in second
    assert second["request_id"]


def test_a_job_belongs_to_the_request_that_submitted_it(client: TestClient, redis: Redis, receiver: Receiver) -> None:
    answer = client.post("/documents?name=a.txt", content=b"text", headers={"X-Request-Id": "r-8"})
    wk.shutdown()
    (submitted,), (request,) = receiver.of_type("job.submitted"), receiver.of_type("request.finished")
    assert (submitted["job_id"], submitted["queue"]) == (answer.json()["job_id"], "extraction")
    assert (submitted["content_type"], submitted["input_bytes"]) == ("text/plain", 4)
    task = ExtractionQueue(redis, "w").take(0.2)
    assert wk.extract(task.origin).request_id == submitted["request_id"] == request["request_id"] == "r-8"
    assert wk.extract(task.origin).trace_id == submitted["trace_id"] == request["trace_id"]


def test_a_failure_inside_is_reported_as_status_500(receiver: Receiver) -> None:
    nowhere = Redis(host="127.0.0.1", port=1)
    answer = TestClient(create_app(nowhere), raise_server_exceptions=False).get("/healthz")
    assert answer.status_code == 500
    wk.shutdown()
    (event,) = receiver.of_type("request.finished")
    assert event["status_code"] == 500
    assert event["attributes"]["error_type"] == "ConnectionError"
    assert "refused" in event["error_message"]
