"""What is read back of a product's history, from a real database."""

from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.listing import Listing
from core.history.observation import (
    Availability,
    CategoryRank,
    Confirmed,
    Flag,
    Kind,
    Seen,
    Source,
)
from core.history.product_summary import find_product_summary
from core.history.timeline import queries
from tests.core.history.observations import (
    ASIN,
    SEEN,
    make_sourced,
    store,
    this_hour,
    track_product,
)
from tests.factories.people import add_stranger

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_every_mark_has_room_in_the_column_that_packs_them() -> None:
    largest = {
        "kind": max(Kind),
        "flags": max(*Flag, *Confirmed),
        "availability": max(Availability),
        "seen": max(Seen),
    }
    taken = 0
    for name, (first, bits) in queries.MARKS.items():
        assert first == taken
        assert largest[name].bit_length() <= bits, name
        taken += bits
    assert taken < 64, "the sign stays free"


def first_day(session: Session, product: int) -> date:
    statement = text("SELECT min(day) FROM product_daily WHERE product_id = :id")
    found: date = session.execute(statement, {"id": product}).scalar_one()
    return found


def read(session: Session, product: int, since: datetime, until: datetime) -> pd.DataFrame:
    first = first_day(session, product)
    columns = queries.snapshot_columns(session, product, since, until, first)
    assert columns is not None, "the period is read by day"
    return pd.DataFrame(
        columns | {"captured_at": pd.DatetimeIndex(columns["captured_at"], tz="UTC")}
    )


def test_a_history_is_read_in_order_with_none_as_nan(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    nothing = {"price": None, "ranks": (), "availability": None}
    store(
        session,
        [make_sourced(product, now - 2 * HOUR), make_sourced(product, now - HOUR, **nothing)],
    )
    frame = read(session, product, now - DAY, now)
    assert list(frame["captured_at"]) == [now - 2 * HOUR, now - HOUR]
    assert frame["price"].iloc[0] == 1999
    assert np.isnan(frame["price"].iloc[1])
    assert list(frame["bsr_category"] == -1) == [False, True]
    assert list(frame["availability"]) == [int(Availability.IN_STOCK), 0]
    assert str(frame["captured_at"].dtype) == "datetime64[us, UTC]"
    assert list(frame["seen"]) == [int(SEEN)] * 2


def test_an_empty_history_keeps_its_columns(session: Session, principal: Principal):
    now = this_hour()
    frame = read(session, track_product(session, principal), now - DAY, now)
    assert frame.empty
    assert str(frame["captured_at"].dtype) == "datetime64[us, UTC]"
    assert "bsr_category" in frame


def test_a_history_begins_at_since_and_ends_before_until(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - hours * HOUR) for hours in (3, 2, 1)])
    frame = read(session, product, now - 2 * HOUR, now - HOUR)
    assert list(frame["captured_at"]) == [now - 2 * HOUR]


def test_a_period_from_the_first_day_on_starts_with_its_values(
    session: Session, principal: Principal
):
    """Also where that day bears the same date as the period's beginning, whatever its zone."""
    product, now = track_product(session, principal), this_hour()
    noon = now.replace(hour=12) - 10 * DAY
    keepa = {"kind": Kind.CHANGE, "source": Source.KEEPA_API}
    store(session, [make_sourced(product, noon, price=1500, **keepa)])
    for zone in (0, 12, -11):
        since = (noon + 6 * HOUR).astimezone(timezone(zone * HOUR))
        frame = read(session, product, since, now)
        assert list(frame["captured_at"]) == [since]
        assert list(frame["price"]) == [1500]


def test_a_change_before_the_period_is_carried_to_its_edge(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    keepa = {"kind": Kind.CHANGE, "source": Source.KEEPA_API}
    store(
        session,
        [
            make_sourced(product, now - 60 * DAY, price=1500, **keepa),
            make_sourced(product, now - 50 * DAY, price=1700, **keepa),
            make_sourced(product, now - 2 * DAY, price=1600, **keepa),
        ],
    )
    frame = read(session, product, now - 30 * DAY, now)
    assert list(frame["price"]) == [1700, 1600]
    assert frame["captured_at"].iloc[0] == now - 30 * DAY
    assert str(frame["captured_at"].dtype) == "datetime64[us, UTC]"


def test_a_sample_before_the_period_is_not_carried_into_it(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - 5 * DAY), make_sourced(product, now - HOUR)])
    assert len(read(session, product, now - 2 * DAY, now)) == 1


def test_days_are_read_with_their_extremes(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    at = now.replace(hour=20) - 3 * DAY  # noon in Los Angeles
    store(
        session,
        [make_sourced(product, at, price=1000), make_sourced(product, at + HOUR, price=1200)],
    )
    first = first_day(session, product)
    assert first == at.date()
    daily = queries.daily_columns(session, product, first, first)
    assert daily["price_low"].tolist() == [1000]
    assert daily["price_high"].tolist() == [1200]
    assert daily["in_stock_share"].tolist() == [1.0]
    assert daily["looks"].tolist() == [2]


def test_a_page_of_snapshots_is_newest_first(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - hours * HOUR) for hours in (3, 2, 1)])
    period = (product, now - DAY, now)
    page = queries.snapshot_page(session, *period, offset=1, limit=1)
    assert [row["captured_at"] for row in page] == [now - 2 * HOUR]
    assert queries.count_snapshots(session, *period) == 3
    assert len(queries.snapshot_page(session, *period, limit=None)) == 3


def listing(title: str) -> Listing:
    return Listing(
        title=title, brand=None, bullets=("One.",), description=None, category_path=(),
        images=(), attributes={},
    )  # fmt: skip


def test_the_first_version_of_a_listing_is_no_change(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    seen = SEEN | Seen.LISTING
    store(session, [make_sourced(product, now - 2 * HOUR, listing=listing("Old"), seen=seen)])
    store(session, [make_sourced(product, now - HOUR, listing=listing("New"), seen=seen)])
    assert queries.listing_changes(session, product, now - DAY) == [now - HOUR]
    versions = queries.listing_versions(session, product)
    assert [version.title for version in versions] == ["New", "Old"]
    assert versions[0].bullets == ("One.",)


def test_only_snapshots_with_a_deal_are_read_as_deals(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(
        session,
        [
            make_sourced(product, now - 3 * HOUR),
            make_sourced(product, now - 2 * HOUR, deal_price=1500),
            make_sourced(product, now - HOUR),
        ],
    )
    assert queries.deal_columns(session, product, now - DAY, now)["deal_price"].tolist() == [1500]


def test_the_summary_of_a_product_is_one_select(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR, ranks=(CategoryRank("Kitchen", 77),))])
    head = find_product_summary(session, principal, "US", ASIN)
    assert head is not None
    assert (head.product_id, head.price, head.bsr, head.bsr_category) == (
        product, 1999, 77, "Kitchen",
    )  # fmt: skip
    assert head.tracking is not None
    assert head.tracking.settings.role == "own"
    assert head.fetching is not None
    assert head.fetching.last_outcome is None
    assert head.first_day is not None
    assert head.data_version > 0


def test_a_product_tracked_by_another_team_is_known_but_not_tracked(
    session: Session, principal: Principal
):
    track_product(session, principal)
    head = find_product_summary(session, add_stranger(session), "US", ASIN)
    assert head is not None
    assert head.tracking is None


def test_an_unknown_product_has_no_summary(session: Session, principal: Principal):
    assert find_product_summary(session, principal, "US", "B0TEST9999") is None


def test_a_period_whose_snapshots_were_deleted_is_read_by_day(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR)])
    assert not read(session, product, now - 30 * DAY, now).empty
    assert queries.snapshot_columns(session, product, now - 401 * DAY, now, None) is None
    session.execute(text("UPDATE product_daily SET is_sealed = true"))
    assert queries.snapshot_columns(session, product, now - 30 * DAY, now, None) is None
