"""Which names a request may call a server by: an outsider's never, an address always."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runtime.hosts import is_known_host, is_own_origin, origin_of

LABEL = st.from_regex(r"[a-z][a-z0-9]{0,10}", fullmatch=True)
PORT = st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}"))


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8501",
        "localhost.",
        "amazcope.localhost:8501",
        "127.0.0.1",
        "127.8.9.10:8501",
        "[::1]:8501",
        "192.168.0.20",
        "[fd00::17]",
        "[::ffff:10.0.0.7]:80",
    ],
)
def test_names_that_can_not_be_pointed_elsewhere_are_known(host: str) -> None:
    assert is_known_host(host, ())


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1:8501:9",
        "127.0.0.1/evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1@evil.example",
        "127.0.0.1, evil.example",
        "notlocalhost",
        "2130706433",
        "0x7f.1",
        "[::1",
        "::1",
        "[evil.example]",
        "１２７.0.0.1",
        "localhost\n",
    ],
)
def test_anything_else_is_not(host: str) -> None:
    assert not is_known_host(host, ())


def test_a_program_may_leave_the_host_out() -> None:
    assert is_known_host(None, ())


@given(labels=st.lists(LABEL, min_size=1, max_size=4), port=PORT)
def test_a_name_is_known_only_where_it_is_named(labels: list[str], port: str) -> None:
    name = ".".join([*labels, "example"])
    assert not is_known_host(name + port, ("watch.invalid", None))
    assert is_known_host(name.upper() + port, (name, None))


@given(address=st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), port=PORT)
def test_every_address_in_digits_is_known(address: object, port: str) -> None:
    shown = str(address) if ip_address(str(address)).version == 4 else f"[{address}]"
    assert is_known_host(shown + port, ())


def test_a_name_in_other_letters_is_known_as_browsers_send_it() -> None:
    assert is_known_host("xn--bcher-kva.example", ("bücher.example",))


@pytest.mark.parametrize(
    ("origin", "host", "url", "is_own"),
    [
        ("http://127.0.0.1:8501", "127.0.0.1:8501", None, True),
        ("https://watch.example.com", "web:8501", "https://watch.example.com/below", True),
        ("https://watch.example.com", "web:8501", "https://Watch.Example.com:443", True),
        ("http://watch.example.com", "web:8501", "https://watch.example.com", False),
        ("http://127.0.0.1:3000", "127.0.0.1:8501", None, False),
        ("null", "127.0.0.1:8501", None, False),
        ("", "", None, False),
        ("http://", "", None, False),
    ],
)
def test_only_the_own_page_is_no_foreign_one(
    origin: str, host: str, url: str | None, is_own: bool
) -> None:
    assert is_own_origin(origin, host, url) is is_own


def test_an_origin_has_no_path_and_no_usual_port() -> None:
    assert origin_of("http://watch.example.com:8080/below/") == "http://watch.example.com:8080"
    assert origin_of("http://watch.example.com:80/") == "http://watch.example.com"
