"""A whole list as rows of raw values."""

from decimal import Decimal
from math import log
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.current import list_export
from core.history.observation import Availability
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy
from core.tracking.rules import Role
from core.tracking.service import stop_tracking
from tests.pages.seeding import seed

LIST = ListFilter(scope=ListScope.TEAM)


def rows_of(principal: Principal, sort: Sort = Sort(SortBy.ASIN)) -> list[dict[str, Any]]:  # noqa: B008
    ids = list_export.list_ids(principal, LIST, sort)
    batches = list_export.read_batches(principal, ids, LIST)
    return [dict(zip(list_export.COLUMNS, row, strict=True)) for rows in batches for row in rows]


def test_values_are_raw_and_unknown_ones_none(session: Session, principal: Principal) -> None:
    seed(
        session, principal, "B0TEST0001", "Kettle", marketplace="JP", role=Role.OWN, price=2990,
        bsr=7, rating=46, ratings_count=9, availability=Availability.LIMITED, flags=2,
        buy_box_seller="Bright Shop", seller_share=0.93333, week_price_change=-0.0625,
        month_rank_change=log(2),
    )  # fmt: skip
    seed(session, principal, "B0TEST0002", price=1999)
    known, unknown = rows_of(principal)
    wanted = {
        "price": Decimal(2990), "currency": "JPY", "bsr": 7, "rating": Decimal("4.6"),
        "availability": "limited", "buy_box_share_30d": 93.33, "price_change_7d": -6.25,
        "bsr_change_30d": 100.0, "bsr_change_1d": None, "role": "own", "is_flagged": True,
        "url": "https://www.amazon.co.jp/dp/B0TEST0001",
    }  # fmt: skip
    assert {name: known[name] for name in wanted} == wanted
    assert unknown["price"] == Decimal("19.99")
    assert [unknown[name] for name in ("title", "bsr", "rating", "availability", "tags")] == [
        None, None, None, None, [],
    ]  # fmt: skip


def test_the_whole_list_comes_in_batches_in_its_order_without_what_was_removed(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_export, "BATCH", 2)
    ids = [seed(session, principal, f"B0TEST000{n}", price=n) for n in range(5)]
    listed = list_export.list_ids(principal, LIST, Sort(SortBy.PRICE, True))
    assert listed == ids[::-1]
    batches = list_export.read_batches(principal, listed, LIST)
    assert [row[0] for row in next(batches)] == ["B0TEST0004", "B0TEST0003"]
    stop_tracking(session, principal, [ids[2]])
    assert [row[0] for rows in batches for row in rows] == ["B0TEST0001", "B0TEST0000"]
