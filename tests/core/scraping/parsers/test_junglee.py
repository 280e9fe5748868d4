"""Junglee's items: saved ones, hostile ones, and the recorded ones where they are here."""

import csv
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.observation import Availability, Failure, Fulfilment, Observation, Outcome, Seen
from core.scraping.parsers.identity import RequestedProduct
from core.scraping.parsers.junglee import parse_item
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
    return parse_item(saved("junglee_full") | (changes or {}), requested, CAPTURED_AT)


@pytest.mark.parametrize("name", names_of("junglee"))
def test_a_saved_item_is_read_as_expected(name: str) -> None:
    check(parse_item(saved(name), None, CAPTURED_AT), expected(name))


@pytest.mark.parametrize("name", names_of("junglee"))
def test_a_csv_row_is_read_like_the_item_it_was_exported_from(name: str) -> None:
    row = unflatten_keys(flattened(saved(name)))
    assert parse_item(row, None, CAPTURED_AT) == parse_item(saved(name), None, CAPTURED_AT)


def test_a_foreign_currency_is_kept_as_observed() -> None:
    seen = read({"price": {"value": 19.99, "currency": "€"}, "listPrice": None})
    assert (seen.price, seen.currency) == (1999, "EUR")


def test_an_amount_in_yen_is_not_multiplied() -> None:
    seen = read({"price": {"value": 1999, "currency": "JPY"}, "listPrice": None})
    assert (seen.price, seen.currency) == (1999, "JPY")


def test_a_list_price_in_another_currency_than_the_price_is_left_out() -> None:
    assert read({"listPrice": {"value": 99, "currency": "€"}}).list_price is None


@pytest.mark.parametrize(
    ("summary", "amount", "percent"),
    [
        ("Save $20.00 with coupon", 2000, None),
        ("Save 15% with coupon", None, 15),
        ("Join Prime to buy this item at $24.99", None, None),
        (None, None, None),
    ],
)
def test_a_sale_summary_may_hold_a_coupon(
    summary: str | None, amount: int | None, percent: int | None
) -> None:
    seen = read({"saleSummary": summary})
    assert (seen.coupon_amount, seen.coupon_percent) == (amount, percent)
    assert Seen.COUPON in seen.seen


def test_in_stock_is_believed_without_words_against_it() -> None:
    silent = {"price": None, "listPrice": None, "inStock": False, "inStockText": ""}
    seen = read(silent)
    assert (seen.outcome, seen.availability) == (Outcome.UNAVAILABLE, Availability.UNAVAILABLE)


def test_amazon_as_seller_is_amazons_own_offer() -> None:
    seen = read({"seller": {"name": "Amazon.ca", "id": None, "url": None}})
    assert seen.fulfilment is Fulfilment.AMAZON


def test_amazons_own_offer_reports_no_id_rather_than_none() -> None:
    amazon = read({"seller": {"name": "Amazon.ca", "id": None, "url": None}})
    assert (amazon.buy_box_seller_id, Seen.SELLER_ID in amazon.seen) == (None, False)
    unsold = read({"seller": None})
    assert (unsold.buy_box_seller_id, Seen.SELLER_ID in unsold.seen) == (None, True)


def test_what_is_no_id_of_a_seller_is_unreadable_and_keeps_its_name() -> None:
    seen = read({"seller": {"name": "Kettlo Inc.", "id": "see page"}})
    assert (seen.buy_box_seller, seen.buy_box_seller_id) == ("Kettlo Inc.", None)
    assert Seen.SELLER_ID in seen.unreadable


def test_an_unknown_shipper_is_not_seen() -> None:
    seen = read({"seller": {"name": "Kettlo Inc.", "url": "/x"}})
    assert seen.fulfilment is None
    assert Seen.FULFILMENT not in seen.seen


def test_another_asin_than_asked_for_is_a_redirect() -> None:
    failure = read(requested=RequestedProduct("CA", "B0DEMO0098"))
    assert isinstance(failure, Failure)
    assert "answered with B0DEMO0010 instead" in failure.detail


def test_the_asin_may_stand_only_in_the_address() -> None:
    assert read({"asin": None}).asin == "B0DEMO0010"


@given(st.dictionaries(st.text(max_size=12), json_values, max_size=6) | json_values)
def test_no_json_whatever_raises(item: Any) -> None:
    assert_storable(parse_item(item, RequestedProduct("US", "B0DEMO0001"), CAPTURED_AT))
    assert_storable(parse_item(item, None, CAPTURED_AT))


@given(mutations("junglee"))
def test_no_mutation_of_an_item_raises(item: dict[str, Any]) -> None:
    assert_storable(parse_item(item, None, CAPTURED_AT))


def recorded(name: str) -> list[Any]:
    items = json.loads(real_data_path(f"apify_products/{name}").read_text())
    return [parse_item(item, None, CAPTURED_AT) for item in items]


def test_the_recorded_canadian_overview_is_read_in_canadian_dollars() -> None:
    seen = recorded("junglee_overview_amazon-ca_2025-04-16_1591.json")
    assert all(isinstance(one, Observation) for one in seen)
    assert len({one.asin for one in seen}) == 1591
    assert Counter((one.marketplace, one.currency) for one in seen) == {
        ("CA", "CAD"): 1523,
        ("CA", None): 68,
    }
    assert sum(one.outcome is Outcome.NO_FEATURED_OFFER for one in seen) == 68
    assert sum(one.rating is None for one in seen) == 260
    assert sum(one.ratings_count is None for one in seen) == 260
    first = next(one for one in seen if one.asin == "B07ZJFP532")
    assert (first.price, first.rating, first.ratings_count) == (99189, 44, 111)


@pytest.mark.parametrize(
    ("name", "count", "priced"),
    [
        ("junglee_overview_amazon-us_grocery_2025-11-29_a_50.json", 50, 48),
        ("junglee_overview_amazon-us_grocery_2025-11-29_b_50.json", 50, 46),
        ("junglee_overview_amazon-us_grocery_2025-11-29_c_30.json", 30, 27),
        ("junglee_overview_amazon-us_pants_2025-11-26_50.json", 50, 50),
    ],
)
def test_the_recorded_overviews_are_all_read(name: str, count: int, priced: int) -> None:
    seen = recorded(name)
    assert len([one for one in seen if isinstance(one, Observation)]) == count
    assert sum(one.price is not None for one in seen) == priced


def test_a_recorded_json_and_its_csv_export_hold_the_same() -> None:
    seen = recorded("junglee_free_full_amazon-us_2023-08-06_50.json")
    path = real_data_path("apify_products/junglee_free_full_amazon-us_2023-08-06_50.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        flat = [parse_item(unflatten_keys(row), None, CAPTURED_AT) for row in csv.DictReader(file)]
    assert {one.asin: one for one in seen} == {one.asin: one for one in flat}
    assert len(flat) == 50
    assert Counter(one.outcome for one in seen) == {
        Outcome.OK: 12,
        Outcome.NO_FEATURED_OFFER: 36,
        Outcome.UNAVAILABLE: 2,
    }


def test_the_recorded_dead_items_never_raise() -> None:
    dead = json.loads(real_data_path("nasty/error_and_dead_items.json").read_text())
    items = [one["item"] for one in dead if one["kind"] == "junglee null price/stars"]
    seen = [parse_item(item, None, CAPTURED_AT) for item in items]
    assert len(seen) == 20
    assert all(isinstance(one, Observation) for one in seen)
    assert all(one.price is None or one.rating is None for one in seen)


@pytest.mark.parametrize(
    "title", ["Sorry! Board Game", "404 Piece Tool Set", "503 Ways to Win", "Captcha"]
)
def test_a_product_named_like_a_dead_end_is_a_product(title: str) -> None:
    seen = read({"title": title})
    assert isinstance(seen, Observation)
    assert seen.listing is not None
