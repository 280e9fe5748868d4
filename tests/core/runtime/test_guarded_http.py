"""Whom the guarded client calls, how long it waits, and what it knows about a failed call."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

import pytest

from core.runtime.guarded_http import (
    NotSentError,
    Reach,
    RefusedAddressError,
    UnansweredError,
    send_request,
)
from tests.receiver import DRIP, Receiver, running_receiver

REACH = Reach(frozenset({"127.0.0.1", "hook.test"}), seconds=60)
IMPATIENT = replace(REACH, seconds=0.5)
INSIDE = [
    "127.0.0.1", "10.0.0.7", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
    "0.0.0.0", "::1", "fd00::1", "fd00:ec2::254", "fe80::1", "::ffff:10.0.0.7",
    "::ffff:169.254.169.254", "2002:a00:7::1", "64:ff9b::a9fe:a9fe", "2001:0:a00:7::1",
]  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def post(url: str, reach: Reach = REACH, body: bytes = b"{}") -> tuple[int, bytes, bool]:
    reply = send_request("POST", url, reach, body=body, headers={"X-Kind": "test"})
    return reply.status, reply.body, reply.is_whole


# Whom


def test_a_listed_host_gets_the_request_as_it_is(receiver: Receiver) -> None:
    receiver.give(201, "taken", X_Id="7")
    reply = send_request("POST", f"{receiver.url}/hook?a=1", REACH, body=b'{"price": 3}')
    assert (reply.status, reply.body, reply.headers["x-id"]) == (201, b"taken", "7")
    [request] = receiver.requests
    assert (request.method, request.path, request.content) == ("POST", "/hook?a=1", {"price": 3})
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_not_called(address: str) -> None:
    for found in ([address], ["93.184.216.34", address]):
        reach = Reach(resolve=lambda _host, found=found: found, seconds=0.5)
        with pytest.raises(RefusedAddressError, match="private network"):
            post("https://hook.test/", reach)


@pytest.mark.parametrize("written", ["2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "127.1"])
def test_an_address_inside_is_recognised_however_it_is_written(written: str) -> None:
    with pytest.raises(RefusedAddressError, match="private network"):
        post(f"https://{written}/latest/meta-data/", Reach(seconds=0.5))


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1"])
def test_a_listed_host_may_not_lead_to_the_metadata_service_either(address: str) -> None:
    reach = replace(REACH, resolve=lambda _host: [address])
    with pytest.raises(RefusedAddressError, match="private network"):
        post("http://hook.test/", reach)


def test_a_name_is_resolved_once_and_that_address_is_called(receiver: Receiver) -> None:
    """The second resolution would lead elsewhere."""
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.7"]

    status, _, _ = post(f"http://hook.test:{receiver.port}/", replace(REACH, resolve=resolve))
    assert (status, asked) == (200, ["hook.test"])
    assert receiver.requests[0].headers["host"] == f"hook.test:{receiver.port}"


def test_only_listed_hosts_are_called_without_encryption(receiver: Receiver) -> None:
    reach = Reach(resolve=lambda _host: ["127.0.0.1"], is_allowed=lambda _address: True)
    with pytest.raises(RefusedAddressError, match="not https"):
        post(f"http://other.test:{receiver.port}/", reach)
    assert receiver.requests == []


@pytest.mark.parametrize(
    "url",
    ["", "ftp://127.0.0.1/", "https:///x", "https://[::1", "https://h:99999/", "https://h:0/",
     "https://bücher.example/", "file:///etc/passwd", "http://127.0.0.1/a b", "http://127.0.0.1/\n"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises((RefusedAddressError, NotSentError)):
        post(url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(receiver: Receiver, status: int) -> None:
    with running_receiver() as other:
        receiver.give(status, Location=f"{other.url}/latest/meta-data/")
        assert post(receiver.url)[0] == status
        receiver.give(status, Location="http://169.254.169.254/latest/meta-data/")
        assert post(receiver.url)[0] == status
        assert (len(receiver.requests), other.requests) == (2, [])


# Certainly not sent


def test_a_refused_connection_and_an_unknown_name_are_certainly_not_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(NotSentError, match="did not answer"):
            post(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    for found, words in ((lambda _host: [], "no address"), (fail_to_resolve, "resolved")):
        with pytest.raises(NotSentError, match=words):
            post("https://hook.test/", replace(REACH, resolve=found))


def fail_to_resolve(_host: str) -> list[str]:
    raise socket.gaierror("no such name")


def test_a_peer_without_tls_is_certainly_not_sent_to(receiver: Receiver) -> None:
    with pytest.raises(NotSentError):
        post(f"https://127.0.0.1:{receiver.port}/")


def test_a_slow_resolver_ends_in_time() -> None:
    done = threading.Event()
    reach = replace(REACH, seconds=0.2, resolve=lambda _host: ["127.0.0.1"] * done.wait())
    try:
        with pytest.raises(NotSentError, match="too long"):
            post("https://hook.test/", reach)
    finally:
        done.set()


@contextmanager
def dripping_handshake() -> Iterator[int]:
    """A peer that begins a long TLS record and sends it byte by byte."""
    stopped = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    connection.sendall(b"\x16\x03\x03\x40\x00")
                    while not stopped.wait(DRIP):
                        connection.sendall(b"\x02")
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        stopped.set()
        thread.join(10)


def test_a_handshake_that_drips_ends_in_time() -> None:
    with dripping_handshake() as port, pytest.raises(NotSentError):
        post(f"https://127.0.0.1:{port}/", IMPATIENT)


# Unknown


@pytest.mark.parametrize("manner", ["hang", "reset", "close"])
def test_a_connection_lost_after_the_request_is_unknown(receiver: Receiver, manner: str) -> None:
    receiver.manner = manner
    with pytest.raises(UnansweredError):
        post(receiver.url, IMPATIENT if manner == "hang" else REACH)
    assert len(receiver.requests) == 1


# Byte by byte, each part takes longer than a test may.
@pytest.mark.parametrize("headers", [{}, {"X_Long": "x" * 30_000}])
def test_an_answer_that_drips_ends_in_time(receiver: Receiver, headers: dict[str, str]) -> None:
    receiver.give(200, "x" * 30_000, "drip", **headers)
    with suppress(UnansweredError):  # where even the status line is not there in time
        status, _, is_whole = post(receiver.url, IMPATIENT)
        assert (status, is_whole) == (200, False)


@pytest.mark.parametrize(
    "answer", [b"220 mail.example ESMTP\r\n", b"\x00\xff" * 50, b"HTTP/1.1 \r\n"]
)
def test_an_answer_that_is_no_http_is_unknown(receiver: Receiver, answer: bytes) -> None:
    receiver.answer = answer
    with pytest.raises(UnansweredError):
        post(receiver.url)


# Answers


def test_an_endless_answer_is_cut(receiver: Receiver) -> None:
    receiver.manner = "endless"
    status, body, is_whole = post(receiver.url, replace(REACH, seconds=20))
    assert (status, body, is_whole) == (200, b"x" * 65_536, False)


def test_an_answer_of_the_largest_size_is_whole(receiver: Receiver) -> None:
    receiver.give(200, "x" * 65_536)
    assert post(receiver.url)[1:] == (b"x" * 65_536, True)
    receiver.give(200, "x" * 65_537)
    assert post(receiver.url)[1:] == (b"x" * 65_536, False)


def test_an_answer_that_ends_early_is_not_whole(receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok"
    assert post(receiver.url) == (200, b"ok", False)
    receiver.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok"
    assert post(receiver.url)[2] is False


def test_an_answer_in_chunks_is_read(receiver: Receiver) -> None:
    receiver.answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n"
    )
    assert post(receiver.url) == (200, b"ok!", True)
