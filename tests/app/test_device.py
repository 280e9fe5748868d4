"""Whether a browser reports that it is a phone's."""

from types import SimpleNamespace
from unittest.mock import patch

import pytest

from app import device

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0"


@pytest.mark.parametrize(
    ("headers", "is_one"),
    [
        ({"User-Agent": IPHONE}, True),
        ({"User-Agent": LAPTOP, "Sec-Ch-Ua-Mobile": "?1"}, True),
        ({"User-Agent": LAPTOP, "Sec-Ch-Ua-Mobile": "?0"}, False),
        ({}, False),
    ],
)
def test_a_phone_is_recognised_by_its_headers(headers: dict[str, str], is_one: bool) -> None:
    with patch.object(device.st, "context", SimpleNamespace(headers=headers)):
        assert device.is_phone() is is_one
