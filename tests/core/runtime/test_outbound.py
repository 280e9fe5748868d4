"""Which addresses an entered server may have."""

import pytest

from core.errors import InvalidInputError
from core.runtime.outbound import reject_unsafe_host


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",
        "0xA9FEA9FE",
        "169.254.43518",
        "0251.0376.0251.0376",
        "[fe80::1]",
        "fe80::1%1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "fd00:ec2::254",
        "100.100.100.200",
        "192.0.0.192",
        "224.0.0.1",
        "ff02::1",
        "0.0.0.0",
        "::",
        "255.255.255.255",
    ],
)
def test_a_metadata_or_link_local_address_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(InvalidInputError, match="no service may have"):
        reject_unsafe_host(host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "192.168.1.5", "::1", "fd12::1", "8.8.8.8"]
)
def test_a_server_of_this_machine_or_network_is_allowed(host: str) -> None:
    reject_unsafe_host(host, 443)


@pytest.mark.parametrize("host", ["", "no.such.host.invalid", "a" * 300, "x\x00y", "ü" * 80])
def test_a_name_without_an_address_is_left_to_the_call(host: str) -> None:
    reject_unsafe_host(host)
