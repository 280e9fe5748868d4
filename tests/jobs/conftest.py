"""The world that tests of fetching work in: a database, products, a fake Apify server."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

import pytest

from core.scraping.runs.apify import Apify
from jobs.tasks import dispatch_runs, providers
from tests.fake_apify import RunningFakeApify, running_fake_apify
from tests.jobs.fetch_world import World, forget_queue, set_environment
from tests.jobs.killed_workers import Workers, running_workers


@pytest.fixture(scope="module")
def server() -> Iterator[RunningFakeApify]:
    with running_fake_apify(run_seconds=0.05) as running:
        yield running


@pytest.fixture
def world(
    server: RunningFakeApify, committed_database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    server.reset()
    set_environment(
        monkeypatch,
        AMAZCOPE_DEMO="false",
        APIFY_TOKEN=server.token,
        APIFY_API_URL=server.url,
        AMAZCOPE_PARALLEL_RUNS="5",
    )
    monkeypatch.setattr(dispatch_runs, "UNCLEAR_AFTER", timedelta(0))
    impatient = lru_cache(lambda access: Apify(replace(access, retries=0)))
    monkeypatch.setattr(providers, "_client", impatient)
    monkeypatch.setattr(dispatch_runs, "ANSWERED_AFTER", timedelta(0))
    forget_queue()
    yield World(server)
    forget_queue()


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """Workers that are killed, on the database of each test in turn."""
    with running_workers() as running:
        yield running


@pytest.fixture(scope="session")
def other_workers() -> Iterator[Workers]:
    """Workers that run beside those of `workers`."""
    with running_workers() as running:
        yield running
