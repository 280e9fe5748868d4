"""Entries of bestseller lists: saved, hostile and recorded ones."""

import csv
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.observation import Failure, Observation, Outcome
from core.scraping.parsers.bestsellers import parse_category_name, parse_item
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


@pytest.mark.parametrize("name", names_of("bestsellers"))
def test_a_saved_entry_is_read_as_expected(name: str) -> None:
    check(parse_item(saved(name), None, CAPTURED_AT), expected(name))


@pytest.mark.parametrize("name", names_of("bestsellers"))
def test_a_csv_row_is_read_like_the_entry_it_was_exported_from(name: str) -> None:
    row = unflatten_keys(flattened(saved(name)))
    assert parse_item(row, None, CAPTURED_AT) == parse_item(saved(name), None, CAPTURED_AT)


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("Best Sellers in Electronics", "Electronics"),
        ("Amazon Best Sellers: Best Kettles", "Kettles"),
        ("Electronics", "Electronics"),
        ("", None),
        (7, None),
    ],
)
def test_the_category_is_what_remains_of_the_lists_name(name: object, category: object) -> None:
    assert parse_category_name(name) == category


def test_the_lists_own_fields_may_stand_in_a_corner() -> None:
    item = {"asin": "B0DEMO0022", "bestsellerPageData": {"rank": "7", "categoryName": "Garden"}}
    seen = parse_item(item, RequestedProduct("US", "B0DEMO0022"), CAPTURED_AT)
    assert isinstance(seen, Observation)
    assert [(rank.category, rank.rank) for rank in seen.ranks] == [("Garden", 7)]


def test_an_entry_without_an_address_needs_a_marketplace() -> None:
    failure = parse_item({"asin": "B0DEMO0022", "position": 1}, None, CAPTURED_AT)
    assert isinstance(failure, Failure)
    assert "marketplace" in failure.detail
    assert failure.asin == "B0DEMO0022"


def test_a_removed_list_is_no_information_about_a_product() -> None:
    item = {"error": "404 not found", "url": "https://www.amazon.de/gp/bestsellers/x/1"}
    failure = parse_item(item, None, CAPTURED_AT)
    assert isinstance(failure, Failure)
    assert failure.outcome is Outcome.BAD_INPUT


@given(st.dictionaries(st.text(max_size=12), json_values, max_size=6) | json_values)
def test_no_json_whatever_raises(item: Any) -> None:
    assert_storable(parse_item(item, RequestedProduct("US", "B0DEMO0001"), CAPTURED_AT))


@given(mutations("bestsellers"))
def test_no_mutation_of_an_entry_raises(item: dict[str, Any]) -> None:
    assert_storable(parse_item(item, None, CAPTURED_AT))


def test_the_recorded_list_is_read_when_its_marketplace_is_given() -> None:
    path = real_data_path("apify_bestsellers/junglee_bestsellers_amazon-us_2023-12.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        items = [unflatten_keys(row) for row in csv.DictReader(file)]
    seen = [parse_item(item, RequestedProduct("US", item["asin"]), CAPTURED_AT) for item in items]
    assert all(isinstance(one, Observation) for one in seen)
    priced = [one for one in seen if isinstance(one, Observation) and one.price is not None]
    assert (len(seen), len(priced)) == (100, 70)
    assert {one.currency for one in priced} == {"USD"}
