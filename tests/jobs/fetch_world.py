"""A market that is fetched: products, a fake Apify server, a database of its own. No tests here."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from core.accounts.people.membership import get_owner_principal
from core.database.session import read_scope, write_scope
from core.settings.environment import get_settings
from jobs.queue import huey
from jobs.tasks import collect_runs, dispatch_runs
from tests.factories.products import track_products
from tests.factories.tables import fetch_rows
from tests.fake_apify import RunningFakeApify

ASINS = tuple(f"B0DEMO01{n:02d}" for n in range(1, 6))  # of the demo market, in the US
UNSEEN = "B0TEST9999"  # a product the fake server answers with 404


@dataclass(frozen=True)
class World:
    """What a test asks of a market that is fetched."""

    fake_apify: RunningFakeApify

    def follow(self, asins: Sequence[str] = ASINS, **how: Any) -> list[int]:
        with write_scope() as session:
            return track_products(session, get_owner_principal(session), asins, **how)

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with read_scope() as session:
            return fetch_rows(session, statement, **values)

    def value(self, statement: str, **values: Any) -> Any:
        (found,) = self.rows(statement, **values)
        return next(iter(found.values()))

    def change(self, statement: str, **values: Any) -> None:
        with write_scope() as session:
            session.execute(text(statement), values)

    def runs(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM fetch_run ORDER BY id")

    def state(self) -> dict[str, Any] | None:
        found = self.rows("SELECT * FROM provider_state WHERE provider = 'apify'")
        return found[0] if found else None

    def outcomes(self) -> dict[str, str | None]:
        found = self.rows(
            "SELECT p.asin, i.outcome FROM fetch_item i JOIN product p ON p.id = i.product_id "
            "ORDER BY i.fetch_run_id"
        )
        return {each["asin"]: each["outcome"] for each in found}

    def end_of_rest(self) -> None:
        """Let the time pass after which a provider is asked again, and failed ones are due."""
        self.change("UPDATE provider_state SET retry_at = NULL")
        self.change("UPDATE fetch_schedule SET due_at = now() WHERE leased_until IS NULL")

    def collect_all(self) -> None:
        """Collect until no run is open."""
        until = time.monotonic() + 120
        while self.value(
            "SELECT count(*) AS n FROM fetch_run WHERE state NOT IN ('collected', 'failed')"
        ):
            assert time.monotonic() < until, self.runs()
            collect_runs.advance_open_runs()
            time.sleep(0.03)

    def wait_until_runs_end(self) -> None:
        """Wait until the provider has ended all runs."""
        runs = self.fake_apify.app.runs
        while not all(run.has_ended(runs.clock()) for run in runs.list_runs(None)):
            time.sleep(0.01)

    def fetch(self) -> None:
        """Do a whole round."""
        dispatch_runs.start_due_runs()
        self.collect_all()

    def runs_paid(self) -> int:
        return int(self.fake_apify.stats()["runs_started"])


def set_environment(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Set settings as an operator does, and have them read again."""
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()


def forget_queue() -> None:
    """Take the queue from the database to memory, and back: nothing of a test is left."""
    huey.immediate = not huey.immediate


def collect_until_error() -> None:
    for _ in range(100):
        collect_runs.advance_open_runs()
