"""The demo market adopts what was approved, shows it to a scrape, and nothing else changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.database import session as db
from core.demo.market.applied_changes import (
    AppliedChanges,
    ChangesByProduct,
    find_applied_changes,
    read_applied_changes,
)
from core.demo.market.catalogue import DemoProduct
from core.demo.market.market import Market
from core.errors import ConfigurationError
from core.history.ingest.store import SourcedObservation, ensure_partitions, store_observations
from core.scraping.parsers import axesso, junglee
from core.scraping.parsers.registry import RequestedProduct
from core.suggestions.execution import apply
from core.suggestions.execution.apply import undo
from core.suggestions.proposals.store import store_advice
from core.suggestions.review.service import approve
from core.suggestions.rules import Advisor, Change
from core.tracking.rules import Role
from core.tracking.service import NewTracking, track
from tests.factories.market import observe
from tests.factories.suggestions import advice, new_title, only_action, proposed, verify_waiting

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)
PLAIN = Market()
OWN = PLAIN.products[0]
TITLE = "A title that the market adopts"
KEY = OWN.marketplace, OWN.asin


def with_changes(*changes: AppliedChanges) -> Market:
    return Market(read_changes=lambda: {KEY: changes})


def item(market: Market, at: datetime = NOW, product: DemoProduct = OWN) -> dict[str, Any]:
    found = market.make_item(product.marketplace, product.asin, at)
    assert found is not None
    return found


def changed(change: Change, values: dict[str, Any], at: datetime = NOW) -> dict[str, Any]:
    """Return the fields of an item that the change alters."""
    now, before = item(with_changes(AppliedChanges(change, values, SINCE)), at), item(PLAIN, at)
    return {key: now[key] for key in now if now[key] != before[key]}


def test_nothing_else_changes_and_nothing_before() -> None:
    assert changed(Change.UPDATE_TITLE, {"title": TITLE}) == {"title": TITLE}
    assert changed(Change.UPDATE_TITLE, {"title": TITLE}, SINCE - timedelta(minutes=1)) == {}
    market = with_changes(AppliedChanges(Change.UPDATE_TITLE, {"title": TITLE}, SINCE))
    other = PLAIN.products[1]
    assert item(market, product=other) == item(PLAIN, product=other)
    assert observe(market, OWN, NOW) == observe(PLAIN, OWN, NOW)  # what was loaded stays


@pytest.mark.parametrize(
    ("change", "values", "field", "shown"),
    [
        (Change.UPDATE_BULLETS, {"bullets": ["One", "Two"]}, "features", ["One", "Two"]),
        (Change.UPDATE_DESCRIPTION, {"description": "New."}, "productDescription", "New."),
        (Change.UPDATE_BRAND, {"brand": "Nova"}, "manufacturer", "Visit the Nova Store"),
        (Change.SET_COUPON, {"percent": 7}, "coupon", "Apply 7% coupon"),
    ],
)
def test_a_page_shows_what_was_changed(
    change: Change, values: dict[str, Any], field: str, shown: object
) -> None:
    assert changed(change, values)[field] == shown


@pytest.mark.parametrize("actor", ["axesso", "junglee"])
@pytest.mark.parametrize("marketplace", ["US", "DE", "FR", "JP"])
def test_a_coupon_of_an_amount_is_read_back_from_every_kind_of_page(
    marketplace: str, actor: str
) -> None:
    product = next(
        each
        for each in PLAIN.products
        if each.marketplace == marketplace and each.role == "own" and offered(each)
    )
    key = product.marketplace, product.asin
    coupon = AppliedChanges(Change.SET_COUPON, {"amount": 350}, SINCE)
    market = Market(read_changes=lambda: {key: [coupon]})
    if actor == "axesso":
        seen = axesso.parse_item(item(market, product=product), RequestedProduct(*key), NOW)
    else:
        crawled = market.make_junglee_item(*key, NOW)
        assert crawled is not None
        seen = junglee.parse_item(crawled, RequestedProduct(*key), NOW)
    assert (seen.coupon_amount, seen.coupon_percent) == (350, None)  # type: ignore[union-attr]


def offered(product: DemoProduct) -> bool:
    """Return whether the brand itself is in the Buy Box now: only then its coupon shows."""
    shown = item(PLAIN, product=product)
    return bool(shown["price"]) and shown["soldBy"] == product.brand


def test_images_are_added_to_those_that_are_there() -> None:
    before = item(PLAIN)["imageUrlList"]
    now = changed(Change.ADD_IMAGES, {"count": 10})["imageUrlList"]
    assert (now[: len(before)], len(now), len(set(now))) == (before, 10, 10)


def test_a_lower_price_shows_at_once_and_the_rank_follows_within_days() -> None:
    price = round(item(PLAIN)["price"] * 100)
    lower = AppliedChanges(Change.UPDATE_PRICE, {"price": price - 200}, SINCE)
    market = with_changes(lower)
    assert item(market)["price"] == (price - 200) / 100
    assert rank(market, SINCE) == rank(PLAIN, SINCE)
    assert rank(market, SINCE + timedelta(days=3)) < rank(PLAIN, SINCE + timedelta(days=3))


def rank(market: Market, at: datetime) -> int:
    seen = axesso.parse_item(item(market, at), RequestedProduct(*KEY), at)
    return int(seen.ranks[0].rank)  # type: ignore[union-attr]


def test_a_change_that_was_taken_back_is_gone() -> None:
    until = NOW - timedelta(minutes=10)
    taken_back = AppliedChanges(Change.UPDATE_TITLE, {"title": TITLE}, SINCE, until)
    assert item(with_changes(taken_back)) == item(PLAIN)
    assert item(with_changes(taken_back), SINCE)["title"] == TITLE


# From the approval to the page and back


def hours(count: float) -> datetime:
    return NOW + timedelta(hours=count)


def scrape(session: Session, product_id: int, market: Market, at: datetime) -> None:
    seen = axesso.parse_item(item(market, at), RequestedProduct(*KEY), at)
    ensure_partitions(session, [at])
    store_observations(session, [SourcedObservation(product_id, seen)], at)  # type: ignore[arg-type]


def test_an_approved_change_shows_on_the_page_and_a_scrape_verifies_it(
    session: Session, principal: Principal
) -> None:
    wish = NewTracking(*KEY, role=Role.OWN)
    product_id = track(session, principal, [wish], is_demo=True)[0].product_id
    market = Market(read_changes=lambda: find_applied_changes(session))
    scrape(session, product_id, market, NOW)
    title = new_title(TITLE, current=item(PLAIN)["title"])
    proposal = advice(title)
    number = store_advice(
        session, principal.team_id, product_id, proposal, Advisor.RULES, None, None, NOW
    )
    assert number is not None
    action = only_action(session, number)
    approve(session, principal, action.id, hours(1))
    assert item(market, hours(2)) == item(PLAIN, hours(2))
    apply.apply(session, action.id, hours(2))
    scrape(session, product_id, market, hours(3))
    assert verify_waiting(session, hours(3.1)) == (1, 0)
    session.refresh(action)
    assert (action.seen_at, action.seen_source) == (hours(3), 1)
    undo(session, principal, action.id, hours(4))
    assert item(market, hours(5)) == item(PLAIN, hours(5))


def test_settings_and_products_of_the_real_world_are_not_the_markets(
    session: Session, principal: Principal
) -> None:
    product_id = track(session, principal, [NewTracking(*KEY, role=Role.OWN)])[0].product_id
    cadence = proposed(Change.SET_CADENCE, {"cadence": "daily"}, {"cadence": "hourly"})
    for each in (new_title(TITLE), cadence):
        number = store_advice(
            session, principal.team_id, product_id, advice(each), Advisor.RULES, None, None, NOW
        )
        assert number is not None
        action = only_action(session, number)
        action.state, action.applied_at = "applied", NOW
        session.flush()
    assert find_applied_changes(session) == {}
    session.connection().exec_driver_sql("UPDATE product SET is_demo = true")
    found: ChangesByProduct = find_applied_changes(session)
    assert [each.change for each in found[KEY]] == [Change.UPDATE_TITLE]


def test_without_a_database_the_market_is_what_its_seed_makes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_database() -> Session:
        raise ConfigurationError("The database is not running.")

    monkeypatch.setattr(db, "reading_factory", no_database)
    assert item(Market(read_changes=read_applied_changes())) == item(PLAIN)
