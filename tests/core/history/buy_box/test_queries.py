"""A Buy Box read back from a real database."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.buy_box.holders import HolderState
from core.history.buy_box.periods import BuyBoxHistory
from core.history.buy_box.queries import read_buy_box
from core.history.observation import Availability, Flag, Kind, Outcome, Seen, Source
from core.history.product_summary import HistoryKey
from core.history.timeline.statistics import MissingReason
from core.tracking.sellers.rules import OwnSeller
from tests.core.history.observations import make_sourced, store, this_hour, track_product

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SEEN = Seen.PRICE | Seen.BUY_BOX | Seen.AVAILABILITY | Seen.SELLER | Seen.SELLER_ID


def read(
    session: Session, product: int, since: datetime, until: datetime, **own: OwnSeller
) -> BuyBoxHistory:
    statement = text("SELECT min(day) FROM product_daily WHERE product_id = :id")
    first = session.execute(statement, {"id": product}).scalar_one()
    sellers = {marketplace: (seller,) for marketplace, seller in own.items()}
    return read_buy_box(session, HistoryKey(product, "US", first), since, until, sellers)


def seen(product: int, at: datetime, seller: str | None, price: int | None, **values):
    usual = {"seen": SEEN, "buy_box_seller": seller, "buy_box_price": price, "price": price}
    return make_sourced(product, at, **(usual | values))


def states_of(history: BuyBoxHistory) -> list[str]:
    return [each.holder.label or each.holder.state.value for each in history.periods]


def test_a_buy_box_is_read_with_its_sellers_and_vacancies(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    suppressed = {
        "availability": Availability.BUY_BOX_SUPPRESSED, "outcome": Outcome.NO_FEATURED_OFFER,
    }  # fmt: skip
    empty = {"availability": Availability.UNAVAILABLE, "outcome": Outcome.UNAVAILABLE}
    rows = [
        seen(product, now - 9 * HOUR, "Bright Shop", 2000),  # before the range
        seen(product, now - 8 * HOUR, None, None, **suppressed),
        seen(product, now - 7 * HOUR, "Bright Shop", 2000, buy_box_seller_id="A1BRIGHT0"),
        # Another source that names no seller leaves the holder as it was.
        make_sourced(product, now - 6.5 * HOUR, source=Source.JUNGLEE, price=1990),
        seen(product, now - 6 * HOUR, "Bright Shop", 1900),
        seen(product, now - 5 * HOUR, "Dim", 100, flags=Flag.STALE_VALUE),  # an old page
        seen(product, now - 4 * HOUR, "Profi", 1824, currency="EUR"),
        seen(product, now - 3 * HOUR, None, None, **empty),
    ]  # fmt: skip
    store(session, rows)
    history = read(session, product, now - 8.5 * HOUR, now, US=OwnSeller("A1BRIGHT0", None))
    assert states_of(history) == ["Bright Shop", "suppressed", "Bright Shop", "Profi", "none"]
    before, _, own, other, gone = history.periods
    assert (before.since, before.is_cut, own.is_cut) == (now - 8.5 * HOUR, True, False)
    assert (own.since, own.until) == (now - 7 * HOUR, now - 4 * HOUR)
    assert (own.holder.seller_id, own.holder.is_own) == ("A1BRIGHT0", True)
    assert (own.first_price, own.last_price) == (2000, 1900)
    assert (other.last_price, other.holder.is_own) == (None, None)  # dollars and euros
    assert gone.holder.availability is Availability.UNAVAILABLE


def test_a_history_of_changes_is_carried_into_a_range(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    keepa = {
        "kind": Kind.CHANGE, "source": Source.KEEPA_API, "seen": SEEN & ~Seen.SELLER,
    }  # fmt: skip
    unknown = keepa | {"seen": SEEN & ~_NAMING}
    store(
        session,
        [
            seen(product, now - 60 * DAY, None, 1500, buy_box_seller_id="A1BRIGHT0", **keepa),
            seen(product, now - 20 * DAY, None, 1400, buy_box_seller_id="A2PROFI00", **keepa),
            seen(product, now - 10 * DAY, None, 1400, **unknown),
        ],
    )
    history = read(session, product, now - 30 * DAY, now)
    assert states_of(history) == ["A1BRIGHT0", "A2PROFI00", "unknown"]
    assert [each.duration for each in history.periods] == [10 * DAY, 10 * DAY, 10 * DAY]
    assert [each.share for each in history.shares] == [0.5, 0.5]
    assert history.periods[-1].holder.state is HolderState.UNKNOWN


_NAMING = Seen.SELLER | Seen.SELLER_ID


def test_long_periods_are_read_by_day(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour().replace(hour=20)
    days = [(3, "Bright Shop"), (2, "Bright Shop"), (1, "Profi")]
    store(session, [seen(product, now - day * DAY, seller, 2000) for day, seller in days])
    history = read(session, product, now - 500 * DAY, now)
    assert history.is_by_day
    assert states_of(history) == ["Bright Shop", "Profi"]
    assert [each.duration for each in history.periods] == [2 * DAY, DAY]
    assert history.periods[1].average_price == 2000


def test_why_there_is_no_buy_box(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    assert read_buy_box(session, HistoryKey(product, "US", now.date()), now - DAY, now).reason is (
        MissingReason.NOT_REPORTED
    )
    store(session, [seen(product, now - HOUR, "Shop", 100, flags=Flag.STALE_VALUE)])
    assert read(session, product, now - DAY, now).reason is MissingReason.ONLY_FLAGGED
