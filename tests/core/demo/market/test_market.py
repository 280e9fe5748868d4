"""The demo market: always the same, never impossible, and read back alike from its items."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalog.asin import find_asin
from core.demo.market.catalogue import DemoProduct, make_stock
from core.demo.market.market import Market, list_observation_times
from core.demo.market.simulation import simulate_hours
from core.history.observation import Availability, Observation, Outcome, Seen
from core.scraping.parsers import axesso, junglee
from core.scraping.parsers.identity import RequestedProduct
from tests.factories.market import observe
from tests.hypothesis_runs import examples

pytestmark = pytest.mark.dates  # what it stores is of today

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
MARKET = Market(seed=1)
PRODUCTS = MARKET.products
products = st.sampled_from(PRODUCTS)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))


def hourly(start: datetime, hours: int) -> np.ndarray:
    first = np.datetime64(start.replace(tzinfo=None), "s")
    return first + np.arange(hours) * np.timedelta64(3600, "s")


@cache
def year_of(product: DemoProduct) -> list[Observation]:
    start = np.datetime64("2025-02-01T06:00", "s")
    return list(
        MARKET.list_observations(
            product, start + np.arange(0, 396 * 24, 6) * np.timedelta64(1, "h")
        )
    )


def named(asin: str) -> DemoProduct:
    return next(product for product in PRODUCTS if product.asin == asin)


def test_there_are_sixty_products_in_four_marketplaces_and_twelve_categories() -> None:
    assert len({(product.marketplace, product.asin) for product in PRODUCTS}) == 60
    assert {product.marketplace for product in PRODUCTS} == {"US", "DE", "JP", "FR"}
    assert len({product.category for product in PRODUCTS}) == 12


def test_every_asin_is_valid_and_marked_as_a_demo() -> None:
    for product in PRODUCTS:
        assert find_asin(product.asin) == product.asin
        assert product.asin.startswith("B0DEMO")


def test_own_products_have_competitors_in_their_category() -> None:
    for product in PRODUCTS:
        if product.role == "own":
            shelf = [other for other in PRODUCTS if other.category == product.category]
            assert [other.role for other in shelf].count("competitor") == 2


def test_markets_of_one_age_show_the_same_on_every_date() -> None:
    """A leap day, both changes of the clock, a new year: only the hours since the origin count."""
    product = MARKET.products[0]
    shown = set()
    for day in (
        datetime(2028, 2, 29, tzinfo=UTC),
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2026, 10, 25, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    ):
        market = Market(seed=1, origin=day - timedelta(days=2500))
        observations = [observe(market, product, day + timedelta(hours=n)) for n in range(0, 48, 6)]
        shown.add(
            tuple(
                (each.price, each.ranks, each.ratings_count, each.availability)
                for each in observations
            )
        )
    assert len(shown) == 1


def test_another_seed_is_another_market() -> None:
    other = Market(seed=2)
    prices = [observe(MARKET, product, NOW).price for product in PRODUCTS]
    assert prices != [observe(other, product, NOW).price for product in PRODUCTS]


@given(product=products, start=moments, longer=st.integers(1, 400))
@settings(max_examples=examples(20))
def test_a_longer_horizon_never_alters_the_past(
    product: DemoProduct, start: datetime, longer: int
) -> None:
    short = list(MARKET.list_observations(product, hourly(start, 24)))
    long = list(Market(seed=1).list_observations(product, hourly(start, 24 + longer)))
    assert long[:24] == short


@given(product=products, at=moments)
@settings(max_examples=examples(30))
def test_one_observation_equals_the_history_at_its_time(product: DemoProduct, at: datetime) -> None:
    seconds = at.replace(microsecond=0)
    history = MARKET.list_observations(product, np.array([seconds.replace(tzinfo=None)], "M8[s]"))
    assert observe(MARKET, product, seconds) == next(history)
    assert observe(MARKET, product, at).captured_at == at


@given(product=products, at=moments)
@settings(max_examples=examples(50))
def test_values_are_possible_at_any_time(product: DemoProduct, at: datetime) -> None:
    seen = observe(MARKET, product, at)
    assert seen.price is None or seen.price > 0
    assert all(rank.rank >= 1 for rank in seen.ranks)
    assert seen.rating is None or 10 <= seen.rating <= 50
    assert seen.ratings_count is None or seen.ratings_count >= 0
    if seen.list_price is not None:
        assert seen.price is not None
        assert seen.list_price > seen.price


@given(at=moments)
@settings(max_examples=examples(10))
def test_one_of_the_sixty_pages_is_gone_at_any_time(at: datetime) -> None:
    observations = [observe(MARKET, product, at) for product in PRODUCTS]
    gone = [seen for seen in observations if seen.availability is Availability.GONE]
    assert len(gone) == 1
    assert gone[0].outcome is Outcome.NOT_FOUND
    assert gone[0].seen is Seen.AVAILABILITY
    assert gone[0].listing is None


def test_yen_are_whole_and_written_without_decimals() -> None:
    for product in PRODUCTS:
        item = MARKET.make_item(product.marketplace, product.asin, NOW)
        if item is not None and product.marketplace == "JP":
            assert isinstance(item["price"], int)
            assert item["price"] == (observe(MARKET, product, NOW).price or 0)


def test_a_year_holds_everything_that_can_happen_to_an_offer() -> None:
    seen = [observation for product in PRODUCTS for observation in year_of(product)]
    assert {observation.availability for observation in seen} == {
        Availability.IN_STOCK,
        Availability.LIMITED,
        Availability.BUY_BOX_SUPPRESSED,
        Availability.UNAVAILABLE,
        Availability.GONE,
    }
    assert any(observation.deal_price for observation in seen)
    assert any(observation.coupon_percent for observation in seen)
    assert any(observation.stock_left == 1 for observation in seen)
    assert len({each.buy_box_seller for each in seen if each.asin == "B0DEMO0101"} - {None}) == 2


def test_nothing_is_offered_while_out_of_stock_or_suppressed() -> None:
    for observation in year_of(named("B0DEMO0102")):
        offered = observation.availability in (Availability.IN_STOCK, Availability.LIMITED)
        assert (observation.price is not None) is offered
        assert (observation.buy_box_seller is not None) is offered
        assert offered or observation.deal_price is None


def test_prices_move_in_steps_and_the_rank_every_hour() -> None:
    month = list(MARKET.list_observations(named("B0DEMO0101"), hourly(NOW, 720)))
    prices = [observation.price for observation in month if observation.price]
    ranks = [observation.ranks[0].rank for observation in month]
    assert sum(a != b for a, b in pairwise(prices)) < len(prices) / 4
    assert len(set(ranks)) > 300


def test_ratings_only_grow_except_for_one_purge() -> None:
    for product in PRODUCTS:
        counts = [each.ratings_count for each in year_of(product) if each.ratings_count is not None]
        falls = [after / before for before, after in pairwise(counts) if after < before]
        assert all(share < 0.8 for share in falls)
        assert bool(falls) is (product.asin == "B0DEMO0201")


def test_a_stock_out_worsens_the_rank() -> None:
    observations = [each for product in PRODUCTS for each in year_of(product) if each.ranks]
    ratios = [
        later.ranks[0].rank / before.ranks[0].rank
        for before, after, later in zip(
            observations, observations[1:], observations[7:], strict=False
        )
        if before.availability is Availability.LIMITED
        and after.availability is Availability.UNAVAILABLE
    ]
    assert len(ratios) > 20
    assert np.median(ratios) > 1.1


def test_no_rank_is_better_than_the_first() -> None:
    traits = make_stock(1)["US", "B0DEMO0101"].traits
    observations = simulate_hours(replace(traits, base_rank=1.0), np.arange(0, 9_000, 7))
    assert observations.rank.min() == observations.sub_rank.min() == 1


def test_the_new_product_has_no_rank_and_a_short_past() -> None:
    newcomer = named("B0DEMO0302")
    times = list_observation_times(newcomer, NOW)
    assert times.min() >= np.datetime64(NOW.replace(tzinfo=None)) - np.timedelta64(10, "D")
    seen = observe(MARKET, newcomer, NOW)
    assert seen.ranks == ()
    assert Seen.BSR in seen.seen
    assert seen.ratings_count is not None
    assert seen.ratings_count < 20


def test_observations_share_the_listing_until_it_changes() -> None:
    observations = [each for each in year_of(named("B0DEMO0701")) if each.listing]
    changes = sum(a.listing is not b.listing for a, b in pairwise(observations))
    assert 2 <= changes <= 6
    assert all(
        (a.listing == b.listing) is (a.listing is b.listing) for a, b in pairwise(observations)
    )


def test_usual_times_are_daily_for_a_year_and_hourly_for_a_month() -> None:
    times = list_observation_times(named("B0DEMO0101"), NOW)
    gaps = np.diff(times).astype("timedelta64[h]").astype(int)
    assert set(gaps[:360]) == {24}
    assert set(gaps[-719:]) == {1}
    assert times[-1] == np.datetime64("2026-03-04T12:00:00")


@given(product=products, at=moments)
@settings(max_examples=examples(75))
def test_axesso_items_are_parsed_into_the_same_observation(
    product: DemoProduct, at: datetime
) -> None:
    seen = observe(MARKET, product, at)
    item = MARKET.make_item(product.marketplace, product.asin, at)
    if item is None:
        assert seen.availability is Availability.GONE
        return
    assert axesso.parse_item(item, RequestedProduct(product.marketplace, product.asin), at) == seen


@given(product=products, at=moments)
@settings(max_examples=examples(75))
def test_junglee_items_hold_the_same_in_the_marketplaces_currency(
    product: DemoProduct, at: datetime
) -> None:
    seen = observe(MARKET, product, at)
    item = MARKET.make_junglee_item(product.marketplace, product.asin, at)
    if item is None:
        assert seen.availability is Availability.GONE
        return
    read = junglee.parse_item(item, RequestedProduct(product.marketplace, product.asin), at)
    assert isinstance(read, Observation)
    # What junglee's items have no field for, and what they hold in addition.
    alike = replace(
        seen, source=read.source, seen=read.seen, deal_price=None, currency=read.currency
    )
    assert replace(read, listing=None) == replace(alike, listing=None)
    if read.price is not None:
        assert read.currency == {"US": "USD", "JP": "JPY"}.get(product.marketplace, "EUR")


def test_an_unknown_product_has_no_item() -> None:
    assert MARKET.make_item("US", "B0NOTHERE1", NOW) is None
    assert MARKET.make_item("DE", "B0DEMO0101", NOW) is None


def test_competitors_follow_a_price_step_some_days_later() -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    leader, follower = named("B0DEMO0401"), named("B0DEMO0403")
    days = np.arange(0, 600) * np.timedelta64(1, "D") + np.datetime64(start.replace(tzinfo=None))
    own = _steps(leader, days)
    theirs = _steps(follower, days)
    at_once = np.corrcoef(own, theirs)[0, 1]
    later = max(np.corrcoef(own[:-lag], theirs[lag:])[0, 1] for lag in range(2, 7))
    assert later > at_once
    assert later > 0.2


def _steps(product: DemoProduct, days: np.ndarray) -> np.ndarray:
    """Day-to-day changes of the log price outside deals; 0 across a hole."""
    prices: list[float] = []
    for observation in MARKET.list_observations(product, days):
        usual = observation.list_price or observation.price
        prices.append(float(usual) if usual else (prices[-1] if prices else 1.0))
    return np.diff(np.log(prices))


@pytest.mark.parametrize("zone_hours", [-8, 9])
def test_times_of_other_zones_are_understood(zone_hours: int) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=zone_hours)))
    assert observe(MARKET, PRODUCTS[0], elsewhere) == observe(MARKET, PRODUCTS[0], NOW)
