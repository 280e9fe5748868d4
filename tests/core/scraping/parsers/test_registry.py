"""The registry of actors: names, inputs, and telling whose item it is."""

import json
from typing import Any

import pytest
from hypothesis import given

from core.errors import ConfigurationError
from core.history.observation import Failure, Outcome
from core.scraping.parsers.registry import (
    ACTORS,
    RequestedProduct,
    find_requested_product,
    get_actor,
    recognise_actor,
)
from tests.core.scraping.parsers.saved_items import CAPTURED_AT, json_values, names_of, saved
from tests.real_data import real_data_path

BATCH = [RequestedProduct("DE", "B0DEMO0001"), RequestedProduct("JP", "B0DEMO0002")]


@pytest.mark.parametrize(
    "name", ["junglee/Amazon-crawler", "junglee~Amazon-crawler", " JUNGLEE/amazon-crawler"]
)
def test_an_actor_is_found_under_both_spellings(name: str) -> None:
    assert get_actor(name).id == "junglee/Amazon-crawler"


def test_an_unknown_actor_is_a_configuration_error_that_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="axesso_data/amazon-product-details-scraper"):
        get_actor("someone/else")


def test_axesso_is_given_a_list_of_addresses() -> None:
    build = get_actor("axesso_data/amazon-product-details-scraper").build_input
    assert build is not None
    assert build(BATCH) == {
        "urls": ["https://www.amazon.de/dp/B0DEMO0001", "https://www.amazon.co.jp/dp/B0DEMO0002"]
    }


def test_junglee_is_given_one_result_per_address() -> None:
    build = get_actor("junglee/Amazon-crawler").build_input
    assert build is not None
    given_input = build(BATCH)
    assert given_input["categoryOrProductUrls"][0] == {"url": "https://www.amazon.de/dp/B0DEMO0001"}
    assert given_input["maxItemsPerStartUrl"] == 1


def test_only_detail_actors_fetch_products() -> None:
    assert [actor.id for actor in ACTORS.values() if actor.fetches_products] == [
        "axesso_data/amazon-product-details-scraper",
        "junglee/Amazon-crawler",
        "junglee/free-amazon-product-scraper",
    ]


@pytest.mark.parametrize(
    ("prefix", "actor_id"),
    [
        ("axesso", "axesso_data/amazon-product-details-scraper"),
        ("junglee", "junglee/Amazon-crawler"),
        ("bestsellers", "junglee/amazon-bestsellers"),
    ],
)
def test_the_actor_of_a_saved_item_is_recognised(prefix: str, actor_id: str) -> None:
    for name in names_of(prefix):
        actor = recognise_actor(saved(name))
        assert actor is not None, name
        assert actor.id == actor_id, name


def test_an_unknown_shape_has_no_actor() -> None:
    assert recognise_actor({"asin": "B0DEMO0001", "colour": "red"}) is None
    assert recognise_actor([]) is None  # type: ignore[arg-type]


def test_a_review_is_refused_with_a_sentence() -> None:
    review = {"reviewId": "R1", "sortStrategy": "recent", "asin": "B0DEMO0001", "statusCode": 200}
    actor = recognise_actor(review)
    assert actor is not None
    assert not actor.is_product_details
    refused = actor.parse_item(review, None, CAPTURED_AT)
    assert isinstance(refused, Failure)
    assert refused.outcome is Outcome.NOT_A_PRODUCT_PAGE
    assert "review" in refused.detail


def test_an_item_is_matched_by_the_address_that_was_asked_for() -> None:
    item = {
        "inputUrl": "https://www.amazon.de/dp/B0DEMO0001",
        "url": "https://www.amazon.de/dp/B0DEMO0009",
        "asin": "B0DEMO0009",
    }
    assert find_requested_product(item) == ("B0DEMO0001", "DE")
    assert find_requested_product({"asin": "b0demo0009"}) == ("B0DEMO0009", None)
    assert find_requested_product({}) == (None, None)


def test_an_evil_host_is_no_marketplace() -> None:
    assert (
        find_requested_product({"url": "https://www.amazon.de.evil.example/dp/B0DEMO0001"})[1]
        is None
    )


@given(json_values)
def test_no_json_whatever_raises(item: Any) -> None:
    actor = recognise_actor(item)
    if isinstance(item, dict):
        asin, _marketplace = find_requested_product(item)
        assert asin is None or len(asin) == 10
    for actor in ACTORS.values():
        assert actor.parse_item(item, None, CAPTURED_AT)


@pytest.mark.parametrize(
    ("name", "actor_id"),
    [
        (
            "apify_products/axesso_details_amazon-us_2025-09-11_25.json",
            "axesso_data/amazon-product-details-scraper",
        ),
        (
            "apify_products/junglee_free_full_amazon-us_2023-08-06_50.json",
            "junglee/free-amazon-product-scraper",
        ),
        (
            "apify_products/junglee_overview_amazon-ca_2025-04-16_1591.json",
            "junglee/Amazon-crawler",
        ),
        (
            "apify_reviews/axesso_reviews_amazon-us_2025-09-11_20.json",
            "axesso_data/amazon-reviews-scraper",
        ),
        (
            "apify_reviews/junglee_reviews_amazon-us_2024-03-16_13-49_123.json",
            "junglee/amazon-reviews-scraper",
        ),
    ],
)
def test_the_actor_of_a_recorded_data_set_is_recognised(name: str, actor_id: str) -> None:
    items = json.loads(real_data_path(name).read_text())
    assert {actor.id for actor in map(recognise_actor, items) if actor} == {actor_id}
    assert all(recognise_actor(item) for item in items)
