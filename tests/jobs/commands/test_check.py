"""What the operator's check reports of Apify, and of settings that can't be read."""

import os
import subprocess
import sys

import pytest

from core.settings.environment import ROOT, Settings
from jobs.commands.check import check_source
from tests.fake_apify import running_fake_apify


def settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_a_token_that_works_is_named_with_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_fake_apify() as server:
        found = check_source(
            settings(monkeypatch, APIFY_TOKEN=server.token, APIFY_API_URL=server.url)
        )
    assert found.is_good
    assert "account" in found.sentence


def test_a_wrong_token_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_fake_apify() as server:
        found = check_source(settings(monkeypatch, APIFY_TOKEN="wrong", APIFY_API_URL=server.url))
    assert not found.is_good
    assert "APIFY_TOKEN" in found.sentence


@pytest.mark.parametrize("actor", ["nobody/knows-it", "junglee/amazon-bestsellers"])
def test_an_actor_that_fetches_no_products_is_found(
    monkeypatch: pytest.MonkeyPatch, actor: str
) -> None:
    found = check_source(settings(monkeypatch, AMAZCOPE_ACTOR=actor))
    assert not found.is_good
    assert "AMAZCOPE_ACTOR" in found.sentence


def test_a_setting_that_cannot_be_read_is_named_in_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jobs", "check"],
        cwd=ROOT,
        env={**os.environ, "AMAZCOPE_PORT": "abc"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 1
    assert "AMAZCOPE_PORT" in done.stderr
    assert "Traceback" not in done.stderr
