"""Tests of connections read what they stored."""

from collections.abc import Iterator

import pytest

from core.connections.resolve import clear_cache

_SETTINGS = ("APIFY_TOKEN", "OPENAI_BASE_URL", "OPENAI_API_KEY", "AMAZCOPE_MODEL")


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (*_SETTINGS, "AMAZCOPE_SMTP_URL"):
        monkeypatch.delenv(name, raising=False)
    clear_cache()
    yield
    clear_cache()
