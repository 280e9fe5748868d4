"""A recorded French series, evaluated day by day as the worker does, against the file itself."""

import csv
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.engine.evaluate_products import evaluate_products
from core.alerts.rules.builtin import NEW_DEFAULTS, PRICE_CHANGE
from core.history.ingest.quality_gate import PRICE_FLAGS
from core.history.observation import Observation
from core.importing.detect import FileKind
from core.importing.read_rows import ReadContext, read_rows
from core.tracking.rules import Role
from tests.factories.observations import store_observations
from tests.factories.products import track_products
from tests.real_data import real_data_path

pytestmark = pytest.mark.slow
SERIES = "price_history/amazon_fr_daily_dev_2026-06-12_2026-08-08.csv"
BEFORE = datetime(2026, 6, 1, tzinfo=UTC)
PERCENT = NEW_DEFAULTS[PRICE_CHANGE]


def read_observations(path: Path) -> list[Observation]:
    rows = (row.result for row in read_rows(path, FileKind.HISTORY_FILE, ReadContext()))
    found = [each for each in rows if isinstance(each, Observation)]
    return sorted(found, key=lambda each: (each.captured_at, each.asin))


def replay_series(session: Session, principal: Principal, observations: list[Observation]) -> None:
    """Track the products as own, and store and evaluate each day of the series after it ended."""
    asins = sorted({each.asin for each in observations})
    ids = track_products(session, principal, asins, "FR", role=Role.OWN)
    session.execute(
        text("UPDATE alert_rule SET active_from = :before, started_at = :before"),
        {"before": BEFORE},
    )
    for day, group in groupby(observations, key=lambda each: each.captured_at.date()):
        tonight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        store_observations(session, *group, now=tonight)
        evaluate_products(session, ids, tonight)


def find_incidents(session: Session, code: str) -> dict[str, list[Any]]:
    """Return the incidents of a rule by ASIN, in the order of their openings."""
    statement = (
        "SELECT p.asin, i.opened_at, i.ended_at, i.state, i.silent_reason FROM incident i "
        "JOIN alert_rule r ON r.id = i.rule_id JOIN product p ON p.id = i.product_id "
        "WHERE r.code = :code ORDER BY p.asin, i.opened_at"
    )
    found = defaultdict(list)
    for row in session.execute(text(statement), {"code": code}):
        found[row.asin].append(row)
    return found


def list_accepted_prices(session: Session) -> dict[str, list[tuple[datetime, int]]]:
    statement = (
        "SELECT p.asin, s.captured_at, s.price FROM snapshot s JOIN product p ON p.id = "
        f"s.product_id WHERE s.price IS NOT NULL AND s.flags & {PRICE_FLAGS} = 0 "
        "ORDER BY p.asin, s.captured_at, s.source"
    )
    found = defaultdict(list)
    for row in session.execute(text(statement)):
        found[row.asin].append((row.captured_at, row.price))
    return found


def test_the_french_series_raises_what_the_file_shows_and_nothing_else(
    session: Session, principal: Principal
) -> None:
    path = real_data_path(SERIES)
    observations = read_observations(path)
    replay_series(session, principal, observations)
    status = read_statuses(path)

    removed = find_incidents(session, "listing_removed")
    spells = {asin: [(i.opened_at, i.ended_at) for i in found] for asin, found in removed.items()}
    assert spells == find_removals(observations)

    moved = find_incidents(session, PRICE_CHANGE)
    times = {asin: [each.opened_at for each in found] for asin, found in moved.items()}
    assert times == find_changes(list_accepted_prices(session))

    statement = (
        "SELECT p.asin, i.opened_at, r.code FROM incident i JOIN alert_rule r ON r.id = i.rule_id "
        "JOIN product p ON p.id = i.product_id"
    )
    opened = {
        (status[row.asin, row.opened_at], row.code) for row in session.execute(text(statement))
    }
    assert opened == {
        ("ok", PRICE_CHANGE),
        ("page_not_found", "listing_removed"),
        # The price is missing, and the page shows that the product is unavailable.
        ("price_missing", "out_of_stock"),
    }


def read_statuses(path: Path) -> dict[tuple[str, datetime], str]:
    with path.open(newline="", encoding="utf-8") as stream:
        return {
            (row["asin"], datetime.fromisoformat(row["captured_at"])): row["status"]
            for row in csv.DictReader(stream)
        }


def find_removals(
    observations: list[Observation],
) -> dict[str, list[tuple[datetime, datetime | None]]]:
    """Return from when until when each page was gone; None: at the end of the series."""
    by_asin = defaultdict(list)
    for each in observations:
        if each.availability is not None:
            by_asin[each.asin].append((each.captured_at, each.availability == 8))
    found = {}
    for asin, seen in by_asin.items():
        spells: list[tuple[datetime, datetime | None]] = []
        for at, is_gone in seen:
            is_open = bool(spells) and spells[-1][1] is None
            if is_gone and not is_open:
                spells.append((at, None))
            elif not is_gone and is_open:
                spells[-1] = (spells[-1][0], at)
        if spells:
            found[asin] = spells
    return found


def find_changes(prices: dict[str, list[tuple[datetime, int]]]) -> dict[str, list[datetime]]:
    """Return when each price changed by the threshold or more against the accepted one before."""
    found = {
        asin: [
            at
            for (_, before), (at, now) in pairwise(series)
            if abs(now - before) * 100 >= before * PERCENT
        ]
        for asin, series in prices.items()
    }
    return {asin: times for asin, times in found.items() if times}
