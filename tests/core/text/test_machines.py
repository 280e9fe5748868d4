"""Machines by name."""

import pytest

from core.text.machines import machine_name


@pytest.mark.parametrize(
    ("address", "named"),
    [
        (None, "this machine"),
        ("127.0.0.1", "this machine"),
        ("::1", "this machine"),
        ("203.0.113.7", "203.0.113.7"),
        ("a proxy's word", "a proxy's word"),
    ],
)
def test_this_machine_has_one_name(address: str | None, named: str) -> None:
    assert machine_name(address) == named
