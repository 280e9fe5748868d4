"""A month of the demo market, evaluated by day: what was planted is found, nothing else is."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.engine.evaluate_products import evaluate_products
from core.catalog.listing_versions import content_hash
from core.demo.market.market import Market
from core.demo.seed import name_own_sellers
from core.history.observation import Availability, Observation
from core.tracking.rules import Role
from tests.factories.observations import store_observations
from tests.factories.products import track_products

pytestmark = pytest.mark.slow
START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 30
EVERY = 3  # hours between two observations
Spells = list[tuple[datetime, datetime | None]]


def replay_month(
    session: Session, principal: Principal, market: Market
) -> dict[str, list[Observation]]:
    """Store and evaluate the own products' observations day by day; return them by ASIN."""
    own = [each for each in market.products if each.role == "own"]
    name_own_sellers(session, principal, own)
    ids = []
    for each in own:
        ids += track_products(session, principal, [each.asin], each.marketplace, role=Role.OWN)
    statement = "UPDATE alert_rule SET active_from = :start, started_at = :start"
    session.execute(text(statement), {"start": START})
    seen = defaultdict(list)
    for day in range(DAYS):
        midnight = START + timedelta(days=day)
        first = np.datetime64(midnight.replace(tzinfo=None), "s")
        times = first + np.arange(0, 24, EVERY).astype("timedelta64[h]")
        observed = [obs for each in own for obs in market.list_observations(each, times)]
        for each in observed:
            seen[each.asin].append(each)
        tonight = midnight + timedelta(days=1)
        store_observations(session, *observed, now=tonight)
        evaluate_products(session, ids, tonight)
    return seen


def find_incidents(session: Session) -> dict[str, dict[str, list[Any]]]:
    """Return the incidents by the codes of their rules and by ASIN."""
    statement = (
        "SELECT r.code, p.asin, i.opened_at, i.ended_at, i.silent_reason FROM incident i "
        "JOIN alert_rule r ON r.id = i.rule_id JOIN product p ON p.id = i.product_id "
        "WHERE i.state <> 'withdrawn' ORDER BY i.opened_at"
    )
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in session.execute(text(statement)):
        found[row.code][row.asin].append(row)
    return found


def find_spells(seen: Iterable[Observation], is_in: Callable[[Observation], bool | None]) -> Spells:
    """Return from when until when something was so; an observation of None is no answer."""
    spells: Spells = []
    for each in seen:
        now = is_in(each)
        is_open = bool(spells) and spells[-1][1] is None
        if now and not is_open:
            spells.append((each.captured_at, None))
        elif now is False and is_open:
            spells[-1] = (spells[-1][0], each.captured_at)
    return spells


def has(*states: Availability) -> Callable[[Observation], bool]:
    return lambda each: each.availability in states


def find_price_changes(seen: list[Observation], percent: float) -> list[datetime]:
    priced = [(each.captured_at, each.price) for each in seen if each.price is not None]
    return [
        at
        for (_, before), (at, now) in pairwise(priced)
        if abs(now - before) * 100 >= before * percent
    ]


def find_edits(seen: list[Observation]) -> list[datetime]:
    return [
        now.captured_at
        for before, now in pairwise(each for each in seen if each.listing is not None)
        if before.listing
        and now.listing
        and content_hash(before.listing) != content_hash(now.listing)
    ]


def list_openings(rows: dict[str, list[Any]]) -> dict[str, list[datetime]]:
    return {asin: [each.opened_at for each in found] for asin, found in rows.items()}


def list_spells(rows: dict[str, list[Any]]) -> dict[str, Spells]:
    return {
        asin: [(each.opened_at, each.ended_at) for each in found] for asin, found in rows.items()
    }


def plant(
    seen: dict[str, list[Observation]], is_in: Callable[[Observation], bool | None]
) -> dict[str, Spells]:
    """Return the spells of each product that has any."""
    return {asin: spells for asin, each in seen.items() if (spells := find_spells(each, is_in))}


STATES = {
    "listing_removed": has(Availability.GONE),
    "out_of_stock": has(Availability.NO_OFFERS, Availability.UNAVAILABLE),
    "buy_box_suppressed": has(Availability.BUY_BOX_SUPPRESSED),
}
EVENT_CODES = ("buy_box_lost", "price_change", "unexplained_edit")
RANK_CODES = ("rank_change", "rank_below_usual")


def test_each_planted_event_is_found_and_nothing_else(
    session: Session, principal: Principal
) -> None:
    market = Market(seed=1)
    seen = replay_month(session, principal, market)
    found = find_incidents(session)
    for code, is_in in STATES.items():
        assert list_spells(found[code]) == plant(seen, is_in), code
    assert len(found["out_of_stock"]) == 5
    brands = {each.asin: each.brand for each in market.products}
    assert list_spells(found["buy_box_lost"]) == plant(
        {asin: skip_until_own(each, brands[asin]) for asin, each in seen.items()},
        lambda each: (
            None if each.buy_box_seller is None else (each.buy_box_seller != brands[each.asin])
        ),
    )
    moved = {asin: times for asin, each in seen.items() if (times := find_price_changes(each, 10))}
    assert list_openings(found["price_change"]) == moved
    edited = {asin: times for asin, each in seen.items() if (times := find_edits(each))}
    assert list_openings(found["unexplained_edit"]) == edited
    assert found.keys() == {*STATES, *RANK_CODES, *EVENT_CODES}

    # In this month a rank moves far only while its product can't be bought, or just after.
    for code in RANK_CODES:
        for asin, times in list_openings(found[code]).items():
            blocked = find_spells(seen[asin], lambda each: each.price is None)
            assert all(any(is_around(each, spell) for spell in blocked) for each in times), asin


def skip_until_own(seen: list[Observation], brand: str) -> list[Observation]:
    """Return the observations since the brand first held the Buy Box: none was lost before."""
    first = next(place for place, each in enumerate(seen) if each.buy_box_seller == brand)
    return seen[first:]


def is_around(at: datetime, spell: tuple[datetime, datetime | None]) -> bool:
    began, ended = spell
    return began <= at and (ended is None or at <= ended + timedelta(hours=EVERY))
