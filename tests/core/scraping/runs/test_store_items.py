"""What becomes of the items of a run: stored once, with their original and outcome."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.demo.market.market import Market
from core.history.ingest.store import ensure_partitions
from core.history.provenance.snapshot_table import write_csv
from core.history.timeline.queries import snapshot_page
from core.scraping.parsers.registry import AXESSO_DETAILS
from core.scraping.runs.budget import Limits
from core.scraping.runs.dispatch import plan_run
from core.scraping.runs.store_items import (
    PARSER_VERSION,
    Batch,
    StoreItemsResult,
    decode_raw_item,
    ensure_raw_partition,
    get_batch,
    store_items,
)
from tests.factories.products import track_products
from tests.factories.tables import fetch_row, fetch_rows

MARKET = Market(seed=1)
FIRST, SECOND, THIRD = (f"B0DEMO01{n:02d}" for n in (1, 2, 3))
LIMITS = Limits(10, 5, Decimal(5), Decimal(0))


@pytest.fixture
def now(session: Session) -> datetime:
    at: datetime = fetch_row(session, "SELECT now() AS at")["at"]
    return at.astimezone(UTC)


@pytest.fixture
def batch(session: Session, principal: Principal, now: datetime) -> Batch:
    return batch_of(session, principal, now, FIRST, SECOND)


def batch_of(session: Session, principal: Principal, now: datetime, *asins: str) -> Batch:
    track_products(session, principal, asins)
    planned = plan_run(session, "apify", AXESSO_DETAILS, LIMITS, now)
    assert planned is not None
    ensure_partitions(session, [now])
    ensure_raw_partition(session, now)
    return get_batch(session, planned.id, AXESSO_DETAILS, now)


def item(asin: str, now: datetime, **values: Any) -> dict[str, Any]:
    found = MARKET.make_item("US", asin, now)
    assert found is not None
    return {**found, **values}


def missing(asin: str) -> dict[str, Any]:
    return {
        "statusCode": 404,
        "statusMessage": "NOT_FOUND",
        "url": f"https://www.amazon.com/dp/{asin}",
    }


def blocked(asin: str) -> dict[str, Any]:
    return {
        "statusCode": 503,
        "statusMessage": "ROBOT_CHECK",
        "url": f"https://www.amazon.com/dp/{asin}",
    }


def outcomes(session: Session) -> dict[str, str | None]:
    found = fetch_rows(
        session,
        "SELECT p.asin, i.outcome FROM fetch_item i JOIN product p ON p.id = i.product_id",
    )
    return {each["asin"]: each["outcome"] for each in found}


def test_a_batch_knows_what_was_asked(batch: Batch) -> None:
    assert set(batch.products) == {FIRST, SECOND}
    assert batch.marketplace == "US"


def test_items_become_snapshots_with_their_original(
    session: Session, batch: Batch, now: datetime
) -> None:
    result = store_items(session, batch, [item(FIRST, now), item(SECOND, now)], now)
    assert (result.stored, result.already_stored, result.failed) == (2, 0, 0)
    assert outcomes(session).keys() == {FIRST, SECOND}
    kept = fetch_row(
        session,
        "SELECT r.* FROM raw_item r JOIN product p ON p.id = r.product_id WHERE asin = :asin",
        asin=FIRST,
    )
    assert decode_raw_item(kept["body"]) == item(FIRST, now)
    assert (kept["fetch_run_id"], kept["parser_version"]) == (batch.run_id, PARSER_VERSION)
    assert fetch_row(session, "SELECT DISTINCT fetch_run_id FROM snapshot") == {
        "fetch_run_id": batch.run_id
    }


def test_the_seller_in_the_buy_box_is_stored_with_its_id_and_shown(
    session: Session, batch: Batch, now: datetime
) -> None:
    sold = {"price": 19.99, "soldBy": "Lumo", "sellerId": "A1DEMOSELLER"}
    store_items(session, batch, [item(FIRST, now, **sold)], now)
    number = batch.products[FIRST]
    (row,) = snapshot_page(session, number, now - timedelta(days=1), now + timedelta(days=1))
    assert (row["buy_box_seller"], row["buy_box_seller_id"]) == ("Lumo", "A1DEMOSELLER")
    assert ",A1DEMOSELLER," in write_csv([row]).decode()
    latest = fetch_row(
        session, "SELECT buy_box_seller_id FROM product_latest WHERE product_id = :id", id=number
    )
    assert latest == {"buy_box_seller_id": "A1DEMOSELLER"}


def test_the_same_page_twice_stores_nothing_twice(
    session: Session, batch: Batch, now: datetime
) -> None:
    page = [item(FIRST, now), blocked(SECOND)]
    store_items(session, batch, page, now)
    again = store_items(session, batch, page, now + timedelta(minutes=5))
    assert (again.stored, again.already_stored) == (0, 1)
    counted = fetch_row(
        session,
        "SELECT (SELECT count(*) FROM snapshot) AS s, (SELECT count(*) FROM raw_item) AS r",
    )
    assert counted == {"s": 1, "r": 2}


def test_an_item_that_comes_twice_counts_once(
    session: Session, batch: Batch, now: datetime
) -> None:
    result = store_items(session, batch, [item(FIRST, now), item(FIRST, now, price=1.0)], now)
    assert result.stored == 1


@pytest.mark.parametrize("good_first", [True, False])
def test_an_answer_wins_over_a_failure_on_the_same_page(
    session: Session, batch: Batch, now: datetime, good_first: bool
) -> None:
    page = [item(FIRST, now), blocked(FIRST)]
    store_items(session, batch, page if good_first else page[::-1], now)
    assert outcomes(session)[FIRST] == "ok"


@pytest.mark.parametrize("good_first", [True, False])
def test_an_answer_wins_over_a_failure_on_another_page(
    session: Session, batch: Batch, now: datetime, good_first: bool
) -> None:
    pages = [[item(FIRST, now)], [blocked(FIRST)]]
    for page in pages if good_first else pages[::-1]:
        store_items(session, batch, page, now)
    assert outcomes(session)[FIRST] == "ok"
    assert fetch_row(session, "SELECT count(*) AS n FROM snapshot")["n"] == 1


@pytest.mark.parametrize("stranger", [None, 5, "text", [], {}, {"asin": "B0OTHER001"}])
def test_a_stranger_is_counted_and_stores_nothing(
    session: Session, batch: Batch, now: datetime, stranger: Any
) -> None:
    result = store_items(session, batch, [stranger, item(FIRST, now)], now)
    assert (result.unmatched, result.stored) == (1, 1)


def test_a_product_of_another_run_is_a_stranger(
    session: Session, batch: Batch, now: datetime
) -> None:
    assert store_items(session, batch, [item(THIRD, now)], now).unmatched == 1


def test_a_missing_page_is_an_answer_and_a_block_is_none(
    session: Session, batch: Batch, now: datetime
) -> None:
    result = store_items(session, batch, [missing(FIRST), blocked(SECOND)], now)
    assert outcomes(session) == {FIRST: "not_found", SECOND: "blocked"}
    assert (result.stored, result.failed) == (1, 1)


def test_a_redirect_has_its_target(session: Session, batch: Batch, now: datetime) -> None:
    moved = item(FIRST, now) | {"asin": THIRD, "url": f"https://www.amazon.com/dp/{FIRST}"}
    store_items(session, batch, [moved], now)
    assert outcomes(session)[FIRST] == "redirected_asin"
    detail = fetch_row(session, "SELECT detail FROM fetch_item WHERE outcome IS NOT NULL")["detail"]
    assert THIRD in detail


def test_a_redirect_that_names_nothing_asked_is_the_one_product_of_its_run(
    session: Session, principal: Principal, now: datetime
) -> None:
    batch = batch_of(session, principal, now, FIRST)
    moved = item(FIRST, now) | {"asin": THIRD, "url": f"https://www.amazon.com/dp/{THIRD}"}
    store_items(session, batch, [moved], now)
    assert outcomes(session)[FIRST] == "redirected_asin"


def test_products_that_did_not_come_have_no_outcome_yet(
    session: Session, batch: Batch, now: datetime
) -> None:
    store_items(session, batch, [item(FIRST, now)], now)
    assert outcomes(session)[SECOND] is None


def test_an_empty_page_stores_nothing(session: Session, batch: Batch, now: datetime) -> None:
    assert store_items(session, batch, [], now) == StoreItemsResult()


@pytest.mark.parametrize(
    "odd",
    [
        {"extra": 10**30},
        {"extra": "half \ud83d"},
        {"extra": "nul \x00", "title": "nul \x00 title"},
        {"title": "half \ud83d title"},
        {"extra": float("nan")},
    ],
    ids=["huge number", "half character", "NUL", "half character in the title", "NaN"],
)
def test_an_odd_item_is_stored_like_any_other(
    session: Session, batch: Batch, now: datetime, odd: dict[str, Any]
) -> None:
    result = store_items(session, batch, [item(FIRST, now, **odd), item(SECOND, now)], now)
    assert result.stored == 2
    bodies = [
        decode_raw_item(each["body"]) for each in fetch_rows(session, "SELECT body FROM raw_item")
    ]
    assert {body["asin"] for body in bodies} == {FIRST, SECOND}


def test_a_refused_observation_is_bad_input_with_its_reason(
    session: Session, batch: Batch, now: datetime
) -> None:
    early = get_batch(session, batch.run_id, AXESSO_DETAILS, now + timedelta(days=2))
    result = store_items(session, early, [item(FIRST, now)], now)
    assert (result.stored, result.failed) == (0, 1)
    kept = fetch_row(session, "SELECT outcome, detail FROM fetch_item WHERE outcome IS NOT NULL")
    assert kept["outcome"] == "bad_input"
    assert "future" in kept["detail"]
