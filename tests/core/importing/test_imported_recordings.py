"""Recorded real files, imported whole: what the products show afterwards."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.importing import service
from core.importing.models import ImportRun
from core.importing.service import Confirmation
from jobs.tasks.import_files import run_import
from tests.real_data import real_data_path

pytestmark = pytest.mark.slow
CAPTURED = datetime(2025, 9, 11, 12, tzinfo=UTC)


def import_recording(session: Session, principal: Principal, path: Path) -> ImportRun:
    run = service.offer_import(session, principal, service.examine_file(path, path.name, 200))
    confirmed = Confirmation(run.marketplace or "US", run.captured_at or CAPTURED)
    service.confirm_import(session, principal, run.id, confirmed, datetime.now(UTC))
    session.commit()
    assert run_import(run.id)
    session.expire_all()
    ended = service.get_import(session, principal, run.id)
    assert ended.state == "done", ended.error
    assert ended.rows_read == ended.rows_stored + ended.rows_known + ended.rows_failed
    return ended


def latest(session: Session, asin: str) -> Any:
    return session.execute(
        text(
            "SELECT l.* FROM product_latest l JOIN product p ON p.id = l.product_id "
            "WHERE p.asin = :asin"
        ),
        {"asin": asin},
    ).one()


def days(session: Session, asin: str) -> list[Any]:
    return list(
        session.execute(
            text(
                "SELECT d.* FROM product_daily d JOIN product p ON p.id = d.product_id "
                "WHERE p.asin = :asin ORDER BY d.day"
            ),
            {"asin": asin},
        )
    )


def test_the_axesso_items_become_products_with_their_prices_and_ranks(
    session: Session, principal: Principal
) -> None:
    name = "apify_products/axesso_details_amazon-us_2025-09-11_25.json"
    run = import_recording(session, principal, real_data_path(name))
    assert (run.rows_read, run.rows_stored, run.rows_failed) == (25, 25, 0)
    shown = latest(session, "B0FDKB341G")
    assert (shown.price, shown.list_price, shown.bsr) == (2599, 15999, 35077)
    assert (shown.rating, shown.ratings_count) == (50, 75)
    unranked = latest(session, "B09JVCL7JR")
    assert (unranked.price, unranked.list_price, unranked.bsr) == (4999, None, None)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("apify_products/junglee_free_full_amazon-us_2023-08-06_50.json", 50),
        ("apify_products/junglee_overview_amazon-us_pants_2025-11-26_50.json", 50),
        ("apify_products/junglee_overview_amazon-us_grocery_2025-11-29_c_30.json", 30),
        ("apify_products/junglee_overview_amazon-ca_2025-04-16_1591.json", 1591),
    ],
)
def test_every_junglee_item_is_stored_once(
    session: Session, principal: Principal, name: str, rows: int
) -> None:
    path = real_data_path(name)
    run = import_recording(session, principal, path)
    assert (run.rows_read, run.rows_failed) == (rows, 0)
    again = import_recording(session, principal, path)
    assert (again.rows_stored, again.rows_known) == (0, rows)


@pytest.mark.parametrize("asin", ["B08HR6ZBYJ", "B0D8W1YVBX"])
def test_a_keepa_history_ends_with_the_values_that_keepa_calls_current(
    session: Session, principal: Principal, asin: str
) -> None:
    path = real_data_path(f"keepa/keepa_api_product_{asin}_raw.json")
    run = import_recording(session, principal, path)
    assert (run.rows_stored, run.rows_failed) == (1, 0)
    current = json.loads(path.read_text())["products"][0]["stats"]["current"]
    shown = latest(session, asin)
    expected = {
        "buy_box_price": current[18],
        "bsr": current[3],
        "list_price": current[4],
        "rating": current[16],
        "ratings_count": current[17],
    }
    for column, value in expected.items():
        if value >= 0:
            assert getattr(shown, column) == value, column
    assert days(session, asin)[-1].price_close == shown.price


def test_the_french_days_have_their_prices_and_their_holes(
    session: Session, principal: Principal
) -> None:
    name = "price_history/amazon_fr_daily_dev_2026-06-12_2026-08-08.csv"
    run = import_recording(session, principal, real_data_path(name))
    assert (run.rows_read, run.rows_failed) == (18699, 85)
    assert run.products_added == 353
    first = next(day for day in days(session, "B07VD3PSVB") if day.day == date(2026, 6, 15))
    assert (first.price_open, first.price_close, first.list_price) == (1199, 1199, 1199)
    assert first.bsr_close is None
