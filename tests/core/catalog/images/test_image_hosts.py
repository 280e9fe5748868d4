"""What comes back from a host is an image, or a reason; nothing leads anywhere else."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from core.catalog.images.image_hosts import (
    AMAZON,
    LARGEST_IMAGE,
    BusyHostError,
    UnusableImageError,
    fetch_image,
)
from core.runtime.guarded_http import find_pause
from core.runtime.outbound import is_global
from tests.image_server import NAME, Answer, ImageServer, draw_image, running_image_server

PATH = "/images/I/71abcDEFghL.jpg"
JPEG = draw_image()
PRIVATE = ["10.0.0.7", "192.168.1.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageServer]:
    with running_image_server(tmp_path_factory.mktemp("images")) as server:
        yield server


@pytest.fixture
def server(served: ImageServer) -> ImageServer:
    served.answers.clear()
    served.requests.clear()
    return served


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_an_image_comes_back_as_it_is(server: ImageServer, kind: str, is_chunked: bool) -> None:
    body = draw_image(kind)
    server.answers[PATH] = Answer(body, is_chunked=is_chunked)
    assert fetch_image(server.address(PATH), server.access()) == body
    [(path, headers)] = server.requests
    assert path == PATH
    assert headers["Host"] == f"{NAME}:{server.port}"
    assert "Cookie" not in headers
    assert "Referer" not in headers


def test_an_image_without_a_content_type_is_known_by_its_bytes(server: ImageServer) -> None:
    server.answers[PATH] = Answer(JPEG, headers={})
    assert fetch_image(server.address(PATH), server.access()) == JPEG


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BAD: list[tuple[Answer, type[Exception], str]] = [
    (Answer(SVG), UnusableImageError, "no JPEG, PNG or WebP"),
    (Answer(b"<!doctype html><title>Sorry</title>"), UnusableImageError, "no JPEG, PNG or WebP"),
    (Answer(b"RIFF\x10\0\0\0WAVEfmt "), UnusableImageError, "no JPEG, PNG or WebP"),
    (Answer(b""), UnusableImageError, "no JPEG, PNG or WebP"),
    (Answer(draw_image("GIF")), UnusableImageError, "no JPEG, PNG or WebP"),
    (Answer(JPEG, headers={"Content-Encoding": "gzip"}), UnusableImageError, "compressed"),
    (Answer(JPEG, length=LARGEST_IMAGE + 1), UnusableImageError, "3,000,001 bytes"),
    (
        Answer(JPEG + bytes(LARGEST_IMAGE), is_chunked=True),
        UnusableImageError,
        "more than 3,000,000 bytes",
    ),
    (Answer(JPEG, length=len(JPEG) + 9), BusyHostError, "ended the answer early"),
    (Answer(b"", 404), UnusableImageError, "no such image"),
    (Answer(b"", 410), UnusableImageError, "no such image"),
    (Answer(JPEG, 206), UnusableImageError, "no such image"),
    (Answer(b"", 403), BusyHostError, "403"),
    (Answer(b"", 429), BusyHostError, "429"),
    (Answer(b"", 500), BusyHostError, "500"),
    (Answer(b"", 503), BusyHostError, "503"),
]


@pytest.mark.parametrize(("answer", "error", "words"), BAD)
def test_any_other_answer_is_a_reason(
    server: ImageServer, answer: Answer, error: type[Exception], words: str
) -> None:
    server.answers[PATH] = answer
    with pytest.raises(error, match=words):
        fetch_image(server.address(PATH), server.access())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data/", "/images/I/other.jpg"]
)
def test_no_redirect_is_followed(server: ImageServer, status: int, target: str) -> None:
    server.answers[PATH] = Answer(b"", status, {"Location": target})
    server.answers["/images/I/other.jpg"] = Answer(JPEG)
    with pytest.raises(UnusableImageError, match="not followed"):
        fetch_image(server.address(PATH), server.access())
    assert len(server.requests) == 1


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_into_a_private_network_is_not_asked(
    server: ImageServer, address: str
) -> None:
    for found in ([address], ["93.184.216.34", address]):
        access = server.access(resolve=lambda _host, found=found: found, is_allowed=is_global)
        with pytest.raises(BusyHostError, match="private network"):
            fetch_image(server.address(PATH), access)
    assert server.requests == []


def test_the_address_that_was_checked_is_the_one_that_is_asked(server: ImageServer) -> None:
    """A second resolution could give another address."""
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.7"]

    server.answers[PATH] = Answer(JPEG)
    assert fetch_image(server.address(PATH), server.access(resolve=resolve)) == JPEG
    assert asked == [NAME]


def test_amazons_hosts_are_the_only_ones_that_production_asks(server: ImageServer) -> None:
    with pytest.raises(UnusableImageError, match="not on one of Amazon's image hosts"):
        fetch_image(f"https://{NAME}/images/I/71abcDEFghL.jpg")
    assert AMAZON.is_allowed is is_global
    own = replace(AMAZON, resolve=lambda _host: ["127.0.0.1"])
    with pytest.raises(BusyHostError, match="private network"):
        fetch_image("https://m.media-amazon.com/images/I/71abcDEFghL.jpg", own)
    assert server.requests == []


def test_a_certificate_that_is_not_trusted_is_refused(server: ImageServer) -> None:
    server.answers[PATH] = Answer(JPEG)
    access = server.access(context=ssl.create_default_context)
    with pytest.raises(BusyHostError, match="certificate"):
        fetch_image(server.address(PATH), access)
    assert server.requests == []


def test_a_host_that_sends_slowly_is_left_in_time(server: ImageServer) -> None:
    server.answers[PATH] = Answer(JPEG, delay=0.1)  # it would take longer than a test may
    with pytest.raises(BusyHostError):
        fetch_image(server.address(PATH), server.access(seconds=0.6))


def test_a_host_that_never_answers_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = ImageServer(silent.getsockname()[1], ssl.create_default_context())
        with pytest.raises(BusyHostError, match="did not answer"):
            fetch_image(server.address(PATH), server.access(seconds=0.4))


def test_a_host_that_cannot_be_reached_or_found_is_a_reason(server: ImageServer) -> None:
    def fail(_host: str) -> list[str]:
        raise socket.gaierror("no such name")

    with pytest.raises(BusyHostError, match="can't be resolved"):
        fetch_image(server.address(PATH), server.access(resolve=fail))
    with pytest.raises(BusyHostError, match="has no address"):
        fetch_image(server.address(PATH), server.access(resolve=lambda _host: []))
    with pytest.raises(BusyHostError, match="did not answer"):
        fetch_image(f"https://{NAME}:1{PATH}", server.access())


NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7),
        (" 120 ", 120),
        ("0", 1),
        ("999999999", 86_400),
        ("Mon, 30 Nov 2026 12:05:00 GMT", 300),
        ("Mon, 30 Nov 2026 11:00:00 GMT", 1),
        ("soon", None),
        ("-5", None),
        ("٣", None),
    ],
)
def test_a_pause_is_read_from_its_header(header: str | None, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert find_pause(header, NOON) == expected


def test_the_pause_that_a_host_asks_for_is_returned(server: ImageServer) -> None:
    server.answers[PATH] = Answer(b"", 429, {"Retry-After": "77"})
    with pytest.raises(BusyHostError) as busy:
        fetch_image(server.address(PATH), server.access())
    assert busy.value.pause == timedelta(seconds=77)


@pytest.mark.parametrize("address", ["93.184.216.34", "2600:9000:2000::1", "64:ff9b::5db8:d822"])
def test_addresses_of_the_internet_are_global(address: str) -> None:
    assert is_global(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *PRIVATE,
        "0.0.0.0",
        "100.64.0.1",
        "172.16.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::ffff:10.0.0.7",
        "fe80::1",
        "ff02::1",
        "2002:a00:7::1",
        "64:ff9b::a00:7",
        "64:ff9b::7f00:1",
        "2001:0:a00:7::1",
    ],
)
def test_other_addresses_are_not_however_they_are_written(address: str) -> None:
    assert not is_global(ip_address(address))
