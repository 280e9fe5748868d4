"""The numbers on the product screen's tabs and in its summary, from a real database."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app import keys
from app.product_tabs import tabs
from core.accounts.access.permissions import Principal
from core.history.ingest.store import SourcedObservation
from core.history.observation import Availability, CategoryRank, Fulfilment, Seen
from core.settings.environment import ROOT
from core.text.times import format_day, format_moment
from core.tracking.sellers.service import add_own_seller
from tests.core.history.observations import (
    ASIN,
    SEEN,
    make_sourced,
    store,
    this_hour,
    track_product,
)
from tests.read_cache import forget_all

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    forget_all()


def open_tab(name: str, days: int = 30) -> AppTest:
    page = AppTest.from_file(ROOT / "app" / "main.py", default_timeout=120).run()
    page.switch_page("../pages/product.py")
    page.query_params["marketplace"], page.query_params["asin"] = "US", ASIN
    page.query_params["days"] = str(days)
    page.session_state[keys.TAB] = name
    page.run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    shown = [*page.markdown, *page.caption, *page.info, *page.warning]
    return "\n".join(element.value for element in shown)


def find_table(page: AppTest, *columns: str) -> list[dict[str, Any]]:
    """Return the rows of the table that has these columns."""
    frames: list[pd.DataFrame] = [element.value for element in page.dataframe]
    [found] = [each for each in frames if set(columns) <= set(each.columns)]
    rows: list[dict[str, Any]] = found[list(columns)].to_dict("records")
    return rows


def test_a_lost_buy_box_is_shown_with_its_price_cause_and_shares(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    add_own_seller(session, principal, "US", "", "Bright Shop")
    seen = SEEN | Seen.SELLER | Seen.FULFILMENT

    def sold(
        hours: int, seller: str | None, price: int | None, **values: Any
    ) -> SourcedObservation:
        usual = {"seen": seen, "buy_box_seller": seller, "price": price, "buy_box_price": price}
        return make_sourced(product, now - hours * HOUR, **(usual | values))

    store(
        session,
        [
            *(sold(hours, "Bright Shop", 2000, fulfilment=Fulfilment.FBA) for hours in (9, 8, 7)),
            sold(6, "**Dim** Corner", 1900),
            sold(3, None, None, availability=Availability.UNAVAILABLE),
            sold(1, "Bright Shop", 2100),
        ],
    )
    page = open_tab(tabs.BUY_BOX)
    rows = find_table(page, "seller", "price", "duration", "cause")
    assert [tuple(row.values()) for row in rows] == [
        ("Bright Shop (you)", "$21.00", "seen once", "In stock again"),
        ("none: currently unavailable", "none", "2 h", "Out of stock"),
        ("**Dim** Corner", "$19.00", "3 h", "New holder at −5\u202f% of your last price"),
        ("Bright Shop (you)", "$20.00", "3 h", ""),
    ]
    shares = find_table(page, "seller", "share", "price", "fulfilment")
    assert {row["seller"]: round(row["share"], 1) for row in shares} == {
        "Bright Shop (you)": 37.5, "**Dim** Corner": 37.5, "none: currently unavailable": 25,
    }  # fmt: skip
    assert {row["seller"]: (row["price"], row["fulfilment"]) for row in shares} == {
        "Bright Shop (you)": ("$20.00", "FBA"),
        "**Dim** Corner": ("$19.00", "not reported"),
        "none: currently unavailable": ("none", "none"),
    }


def test_a_source_without_sellers_has_a_sentence_for_a_buy_box(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR, seen=Seen.PRICE, availability=None)])
    assert "Unknown · Buy Box not reported in this period" in texts(open_tab(tabs.BUY_BOX))


def test_the_summary_has_extremes_with_days_averages_and_facts(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    days = [(40, 2600), (20, 1500), (9, 2500), (1, 2500)]
    store(
        session,
        [
            make_sourced(product, now - day * DAY, price=price, buy_box_price=price)
            for day, price in days
        ],
    )
    page = open_tab(tabs.LISTING)
    [price] = [row for row in find_table(page, *SUMMARY) if row["figure"] == "Price"]
    lowest, highest = (format_day((now - day * DAY).date()) for day in (20, 9))
    assert price == {
        "figure": "Price",
        "current": "$25.00",
        "change": "+67\u202f%",
        "low": f"$15.00 · {lowest}",
        "high": f"$25.00 · {highest}",
        "average": "$19.21",  # 11 days at $15.00 and 8 at $25.00
        "trailing": "$22.69",  # 20 more days at $26.00
    }
    [facts] = [each.value for each in page.get("html") if '<dl class="facts">' in each.value]
    for name, text in (
        ("Price changes", "0.4 a week"),
        ("Price now", "above 58\u202f% of the time"),
        ("Out of stock", "0\u202f% of the time"),
        ("Data points", "3"),
    ):
        assert f"<dt>{name}</dt><dd>{text}</dd>" in facts


SUMMARY = ("figure", "current", "change", "low", "high", "average", "trailing")


def test_the_analysis_has_its_findings_and_refuses_what_is_too_little(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    rows = [
        make_sourced(
            product,
            now - day * DAY,
            price=2000 + 100 * (day % 3),
            ranks=(CategoryRank("Kitchen", 500 + 10 * day),),
        )
        for day in range(1, 41)
    ]
    store(session, rows[:20])
    few = texts(open_tab(tabs.ANALYSIS)).replace("\\", "")
    assert "No statement: 20 days with both a price and a rank, at least 30 are needed." in few
    assert "No comparison: no date has a value in two years yet." in few
    store(session, rows[20:])
    page = open_tab(tabs.ANALYSIS)
    shown = texts(page).replace("\\", "")
    there = ZoneInfo("America/Los_Angeles")  # days are the marketplace's
    best, worst = (format_day((now - day * DAY).astimezone(there)) for day in (1, 40))
    assert f"BSR: best #510 on {best}, worst #900 on {worst}; 40 days with a value." in shown
    assert "Price and BSR hardly went together: Spearman's correlation" in shown
    assert "over 40 days. This is no cause" in shown
    page.segmented_control(key="analysis_figure").set_value("Price").run()
    assert not page.exception
    assert "price: lowest $20.00 on" in texts(page).replace("\\", "")


def test_deals_and_coupons_are_listed_with_their_depth(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    seen = SEEN | Seen.DEAL | Seen.COUPON

    def observe(hours: int, **values: Any) -> SourcedObservation:
        return make_sourced(product, now - hours * HOUR, **({"seen": seen} | values))

    deal = {"price": 1499, "deal_price": 1499}
    store(
        session,
        [
            observe(8),
            observe(7, **deal),
            observe(6, **deal),
            observe(5),
            observe(4, coupon_percent=10),
        ],
    )
    rows = find_table(open_tab(tabs.DEALS), "kind", "until", "duration", "depth", "price")
    ended = format_moment(now - 5 * HOUR, principal.time_zone)
    assert [tuple(row.values()) for row in rows] == [
        ("Coupon", "now", "seen once", "−10\u202f%", ""),
        ("Deal", ended, "2 h", "−25\u202f%", "$14.99"),
    ]
