"""The world that tests of fetching work in: a database, products, a stand-in for Apify."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

import pytest

from core.scraping.runs.apify import Apify
from jobs.tasks import dispatch_runs, providers
from tests.jobs.fetch_world import World, forget_queue, set_environment
from tests.stand_in import RunningStandIn, running_stand_in


@pytest.fixture(scope="module")
def server() -> Iterator[RunningStandIn]:
    with running_stand_in(run_seconds=0.05) as running:
        yield running


@pytest.fixture
def world(
    server: RunningStandIn, committed_database: str, monkeypatch: pytest.MonkeyPatch
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
