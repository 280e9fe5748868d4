"""Axesso's items: saved ones, hostile ones, and the recorded ones where they are here."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.observation import Availability, Failure, Fulfilment, Observation, Outcome, Seen
from core.scraping.parsers.axesso import parse_item
from core.scraping.parsers.identity import RequestedProduct
from core.scraping.parsers.unflatten import unflatten_keys
from tests.core.scraping.parsers.saved_items import (
    CAPTURED_AT,
    assert_storable,
    check,
    expected,
    flattened,
    json_values,
    mutations,
    names_of,
    saved,
)
from tests.real_data import real_data_path


def read(changes: dict[str, Any] | None = None, requested: RequestedProduct | None = None) -> Any:
    return parse_item(saved("axesso_us_deal") | (changes or {}), requested, CAPTURED_AT)


@pytest.mark.parametrize("name", names_of("axesso"))
def test_a_saved_item_is_read_as_expected(name: str) -> None:
    check(parse_item(saved(name), None, CAPTURED_AT), expected(name))


@pytest.mark.parametrize("name", names_of("axesso"))
def test_a_csv_row_is_read_like_the_item_it_was_exported_from(name: str) -> None:
    row = unflatten_keys(flattened(saved(name)))
    assert parse_item(row, None, CAPTURED_AT) == parse_item(saved(name), None, CAPTURED_AT)


def test_another_asin_than_asked_for_is_a_redirect() -> None:
    failure = read(requested=RequestedProduct("US", "B0DEMO0099"))
    assert failure.outcome is Outcome.REDIRECTED_ASIN
    assert failure.asin == "B0DEMO0099"
    assert "answered with B0DEMO0001 instead" in failure.detail


def test_another_marketplace_than_asked_for_is_the_wrong_locale() -> None:
    assert read(requested=RequestedProduct("DE", "B0DEMO0001")).outcome is Outcome.WRONG_LOCALE


def test_a_page_that_is_gone_is_that_of_the_product_asked_for() -> None:
    gone = parse_item({"statusCode": 404}, RequestedProduct("FR", "B0DEMO0007"), CAPTURED_AT)
    assert isinstance(gone, Observation)
    assert (gone.marketplace, gone.asin) == ("FR", "B0DEMO0007")
    assert gone.availability is Availability.GONE


def test_a_titled_page_without_asin_was_not_understood() -> None:
    assert read({"asin": ""}).outcome is Outcome.PARSE_ERROR


@pytest.mark.parametrize("title", ["Robot Check", "Tut uns Leid!", "Amazon.com: Sorry! Oops"])
def test_a_captcha_page_is_blocked_though_its_status_is_fine(title: str) -> None:
    assert read({"title": title, "asin": "", "price": 0}).outcome is Outcome.BLOCKED


def test_a_long_title_about_robots_is_a_product() -> None:
    assert isinstance(read({"title": "Robot check valve, " + "brass " * 20}), Observation)


@pytest.mark.parametrize(
    "title", ["Sorry! Board Game", "404 Piece Tool Set", "503 Ways to Win", "Captcha"]
)
def test_a_product_named_like_a_dead_end_is_a_product(title: str) -> None:
    seen = read({"title": title})
    assert isinstance(seen, Observation)
    assert seen.listing is not None


def test_in_stock_without_a_price_is_a_suppressed_buy_box() -> None:
    seen = read({"price": 0, "warehouseAvailability": "In Stock"})
    assert seen.outcome is Outcome.NO_FEATURED_OFFER
    assert seen.availability is Availability.BUY_BOX_SUPPRESSED


@pytest.mark.parametrize("price", [[], {}, "soon", float("nan"), -1, 10**400, True])
def test_an_unreadable_price_is_unknown_and_not_none(price: object) -> None:
    seen = read({"price": price})
    assert seen.price is None
    assert Seen.PRICE not in seen.seen
    assert seen.outcome is Outcome.OK


@pytest.mark.parametrize(
    ("sold_by", "shipped_by", "who"),
    [
        ("Amazon.com", "Amazon.com", Fulfilment.AMAZON),
        ("Amazon EU S.a.r.L.", "Amazon", Fulfilment.AMAZON),
        ("Demo Shop", "Amazon", Fulfilment.FBA),
        ("Demo Shop", "Demo Shop", Fulfilment.FBM),
        ("Amazonia Deals", "Amazonia Deals", Fulfilment.FBM),
        (None, "Amazon", None),
    ],
)
def test_seller_and_shipper_decide_the_fulfilment(
    sold_by: str | None, shipped_by: str, who: Fulfilment | None
) -> None:
    assert read({"soldBy": sold_by, "fulfilledBy": shipped_by}).fulfilment is who


def test_nul_and_half_characters_are_taken_out() -> None:
    seen = read({"title": "Lan\0tern \ud800", "features": ["a\0b", None, 3]})
    assert seen.listing.title == "Lantern"
    assert seen.listing.bullets == ("ab",)


def test_ranks_and_ratings_are_no_attributes() -> None:
    first, second = read(), read({"productDetails": saved("axesso_us_deal")["productDetails"][:1]})
    assert first.listing.attributes == second.listing.attributes


def test_details_after_the_ranks_do_not_hide_them() -> None:
    details = [*saved("axesso_us_deal")["productDetails"], {"name": "Batteries", "value": "3 AAA"}]
    seen = read({"productDetails": details})
    assert [rank.rank for rank in seen.ranks] == [35077, 260]
    assert seen.listing.attributes["Batteries"] == "3 AAA"


def test_yen_have_no_minor_unit() -> None:
    url = "https://www.amazon.co.jp/dp/B0DEMO0001"
    assert read({"url": url, "price": 2980}).price == 2980


@given(st.dictionaries(st.text(max_size=12), json_values, max_size=6) | json_values)
def test_no_json_whatever_raises(item: Any) -> None:
    assert_storable(parse_item(item, RequestedProduct("US", "B0DEMO0001"), CAPTURED_AT))
    assert_storable(parse_item(item, None, CAPTURED_AT))


@given(mutations("axesso"))
def test_no_mutation_of_an_item_raises(item: dict[str, Any]) -> None:
    assert_storable(parse_item(item, None, CAPTURED_AT))


def test_the_recorded_items_are_all_read() -> None:
    path = real_data_path("apify_products/axesso_details_amazon-us_2025-09-11_25.json")
    read = [parse_item(item, None, CAPTURED_AT) for item in json.loads(path.read_text())]
    seen = {one.asin: one for one in read if isinstance(one, Observation)}
    assert len(seen) == 25
    assert not any(isinstance(one, Failure) for one in read)
    assert sum(one.price is None for one in seen.values()) == 1
    assert sum(one.list_price is None for one in seen.values()) == 4
    assert sum(bool(one.ranks) for one in seen.values()) == 22
    assert seen["B0FCL55CFF"].outcome is Outcome.NO_FEATURED_OFFER
    assert seen["B0F6BJSTSQ"].stock_left == 11
    assert seen["B0CS8WVRLQ"].fulfilment is Fulfilment.FBM
    assert [rank.rank for rank in seen["B0FM2YDLHP"].ranks] == [304, 13, 50]
    chinese = seen["B0F9DM91VJ"]
    assert (chinese.price, chinese.list_price, chinese.rating) == (2799, 5598, 49)
    assert [rank.rank for rank in chinese.ranks] == [975, 150]
    assert chinese.availability is Availability.IN_STOCK


def test_an_id_beside_a_price_is_the_sellers_also_without_its_name() -> None:
    seen = read({"soldBy": None, "sellerId": "a1demoseller"})
    assert (seen.buy_box_seller, seen.buy_box_seller_id) == (None, "A1DEMOSELLER")
    assert Seen.SELLER_ID in seen.seen


def test_an_id_on_a_page_without_a_buy_box_is_no_sellers() -> None:
    seen = read({"soldBy": None, "sellerId": "A1DEMOSELLER", "price": 0})
    assert seen.buy_box_seller_id is None
