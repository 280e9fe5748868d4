"""Answers that make no sense, from a local server over the real client."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest

from core.scraping.runs.apify import (
    Apify,
    ApifyAccess,
    NoCreditError,
    OutsideRun,
    RefusedError,
    SlowDownError,
    StartUnclearError,
    TokenError,
    UnreachableError,
    UnreadableError,
)

JSON, HTML = "application/json; charset=utf-8", "text/html"
RUN: Final = {
    "id": "r1",
    "actId": "a1",
    "userId": "u1",
    "startedAt": "2026-03-02T12:00:00.000Z",
    "status": "SUCCEEDED",
    "defaultDatasetId": "d1",
    "defaultKeyValueStoreId": "k1",
    "defaultRequestQueueId": "q1",
    "buildId": "b1",
    "generalAccess": "RESTRICTED",
    "meta": {"origin": "API"},
    "stats": {"computeUnits": 0, "restartCount": 0, "resurrectCount": 0},
    "options": {"build": "latest", "timeoutSecs": 1, "memoryMbytes": 256, "diskMbytes": 1},
}
PAGES: Final = {
    "X-Apify-Pagination-Total": "1",
    "X-Apify-Pagination-Offset": "0",
    "X-Apify-Pagination-Count": "1",
    "X-Apify-Pagination-Limit": "100",
    "X-Apify-Pagination-Desc": "false",
}


class AnswerServer(ThreadingHTTPServer):
    """A server that gives one answer to everything."""

    status: int = 200
    kind: str = JSON
    body: bytes = b""
    more: dict[str, str] = {}  # noqa: RUF012
    length: int | None = None  # the stated length of the body; None: the right one

    def set_answer(self, status: int, body: Any, kind: str = JSON, **more: Any) -> None:
        self.status, self.kind = status, kind
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.more, self.length = more.get("headers", {}), more.get("length")


class _Handler(BaseHTTPRequestHandler):
    server: AnswerServer

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(self.server.status)
        self.send_header("Content-Type", self.server.kind)
        length = self.server.length
        self.send_header("Content-Length", str(len(self.server.body) if length is None else length))
        for name, value in self.server.more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)
        self.close_connection = True

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[AnswerServer]:
    with AnswerServer(("127.0.0.1", 0), _Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture(scope="module")
def apify(server: AnswerServer) -> Apify:
    url = f"http://127.0.0.1:{server.server_address[1]}"
    wait = timedelta(seconds=120)
    return Apify(ApifyAccess("token", url, timeout=wait, read_timeout=wait, retries=0))


KNOWN = OutsideRun("r1", "RUNNING", "d1", "k1", datetime(2026, 3, 2, tzinfo=UTC), None, None)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ASKED: Final[dict[str, Callable[[Apify], object]]] = {
    "a run": lambda apify: apify.get_run("r1"),
    "the runs": lambda apify: list(apify.list_runs_since("someone/actor", LONG_AGO)),
    "the items": lambda apify: apify.list_items("d1", 0, 100),
    "the account": lambda apify: apify.check_account(),
}
SENSELESS: Final = {
    "empty": (b"", JSON),
    "null": (None, JSON),
    "a number": (7, JSON),
    "a text": ("fine", JSON),
    "truncated": (json.dumps({"data": RUN}).encode()[:40], JSON),
    "a page of HTML": (b"<html><body>Welcome to the hotel's WLAN</body></html>", HTML),
    "bytes": (b"\xff\xfe\x00\x01", JSON),
    "deep": (b"[" * 50_000, JSON),
}


@pytest.mark.parametrize("requested", ASKED)
@pytest.mark.parametrize("answer", SENSELESS)
def test_a_senseless_answer_is_an_error_of_this_module(
    server: AnswerServer, apify: Apify, requested: str, answer: str
) -> None:
    body, kind = SENSELESS[answer]
    server.set_answer(200, body, kind)
    with pytest.raises(UnreadableError):
        ASKED[requested](apify)


@pytest.mark.parametrize("requested", ["a run", "the runs"])
@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"data": None},
        {"data": []},
        {"data": "r1"},
        {"data": {"items": None}},
        {"data": {"items": [None]}},
        {"data": {"items": [{"id": "r1"}]}},
        {"data": {**RUN, "startedAt": "yesterday"}},
        {"data": {key: value for key, value in RUN.items() if key != "defaultDatasetId"}},
    ],
)
def test_a_run_of_another_shape_is_an_error_of_this_module(
    server: AnswerServer, apify: Apify, requested: str, body: object
) -> None:
    server.set_answer(200, body)
    with pytest.raises(UnreadableError):
        ASKED[requested](apify)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**PAGES, "X-Apify-Pagination-Total": ""},
        {**PAGES, "X-Apify-Pagination-Total": "many"},
        {name: value for name, value in PAGES.items() if not name.endswith("Desc")},
    ],
)
def test_a_page_without_its_numbers_is_an_error_of_this_module(
    server: AnswerServer, apify: Apify, headers: dict[str, str]
) -> None:
    server.set_answer(200, [{"asin": "B0TEST0001"}], headers=headers)
    with pytest.raises(UnreadableError):
        apify.list_items("d1", 0, 100)


@pytest.mark.parametrize("body", [None, 3, "none", b"", b'[{"a": 1}, {"b'])
def test_items_that_are_no_list_are_an_error_of_this_module(
    server: AnswerServer, apify: Apify, body: object
) -> None:
    server.set_answer(200, body, headers=PAGES)
    with pytest.raises(UnreadableError):
        apify.list_items("d1", 0, 100)


def test_a_body_that_is_cut_off_is_no_answer(server: AnswerServer, apify: Apify) -> None:
    server.set_answer(200, [{"asin": "B0TEST0001"}], headers=PAGES, length=10_000)
    with pytest.raises(UnreachableError):
        apify.list_items("d1", 0, 100)


@pytest.mark.parametrize("body", [b"", b"{", b"[1", None, 4, "text"])
def test_an_input_of_another_shape_is_returned_or_an_error_of_this_module(
    server: AnswerServer, apify: Apify, body: object
) -> None:
    server.set_answer(200, body)
    try:
        apify.get_input(KNOWN)
    except UnreadableError:
        return


def test_what_makes_sense_is_read(server: AnswerServer, apify: Apify) -> None:
    server.set_answer(200, {"data": RUN})
    found = apify.get_run("r1")
    assert found is not None
    assert (found.id, found.dataset_id, found.has_ended) == ("r1", "d1", True)
    server.set_answer(200, [{"asin": "B0TEST0001"}], headers=PAGES)
    assert apify.list_items("d1", 0, 100).items == [{"asin": "B0TEST0001"}]


# Starting

REFUSED: Final = {
    400: RefusedError,
    401: TokenError,
    402: NoCreditError,
    403: TokenError,
    404: RefusedError,
    405: RefusedError,
    408: UnreachableError,
    409: RefusedError,
    410: RefusedError,
    411: RefusedError,
    413: RefusedError,
    414: RefusedError,
    415: RefusedError,
    422: RefusedError,
    425: UnreachableError,
    429: SlowDownError,
    431: RefusedError,
    451: RefusedError,
    499: RefusedError,
}


@pytest.mark.parametrize("status", REFUSED)
@pytest.mark.parametrize("body", [{"error": {"type": "no", "message": "No."}}, b"<html>no</html>"])
def test_a_start_that_was_refused_has_certainly_not_happened(
    server: AnswerServer, apify: Apify, status: int, body: object
) -> None:
    server.set_answer(status, body)
    with pytest.raises(REFUSED[status]):
        apify.start_run("someone/actor", {"urls": []})


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_a_start_that_ended_in_an_error_of_theirs_is_unclear_but_over(
    server: AnswerServer, apify: Apify, status: int
) -> None:
    server.set_answer(status, {"error": {"message": "Try again."}})
    with pytest.raises(StartUnclearError) as caught:
        apify.start_run("someone/actor", {"urls": []})
    assert caught.value.was_answered


@pytest.mark.parametrize("answer", SENSELESS)
def test_a_start_that_was_answered_senselessly_is_unclear_but_over(
    server: AnswerServer, apify: Apify, answer: str
) -> None:
    body, kind = SENSELESS[answer]
    server.set_answer(201, body, kind)
    with pytest.raises(StartUnclearError) as caught:
        apify.start_run("someone/actor", {"urls": []})
    assert caught.value.was_answered


def test_a_start_whose_answer_is_cut_off_is_unclear_and_may_be_on_its_way(
    server: AnswerServer, apify: Apify
) -> None:
    server.set_answer(201, {"data": RUN}, length=100_000)
    with pytest.raises(StartUnclearError) as caught:
        apify.start_run("someone/actor", {"urls": []})
    assert not caught.value.was_answered


def test_a_long_error_page_is_shortened(server: AnswerServer, apify: Apify) -> None:
    server.set_answer(413, b"<p>Too large.</p>" * 10_000, HTML)
    with pytest.raises(RefusedError) as caught:
        apify.start_run("someone/actor", {"urls": []})
    assert len(str(caught.value)) < 500
