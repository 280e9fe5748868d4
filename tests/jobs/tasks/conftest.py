"""What tests of several tasks use."""

from collections.abc import Iterator

import pytest

from core.settings.environment import get_settings
from tests.mailbox import Mailbox


@pytest.fixture
def public_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address that links in emails begin with."""
    address = "https://watch.example.com/"
    monkeypatch.setenv("AMAZCOPE_URL", address)
    get_settings.cache_clear()
    yield address
    get_settings.cache_clear()


@pytest.fixture
def served(public_address: str, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """The mail server of the settings."""
    monkeypatch.setenv("AMAZCOPE_SMTP_URL", mailbox.url)
    return mailbox
