"""A product's summary: its identity, newest values, tracking and schedule, in one SELECT.

Cached reads of the product use its `data_version` as their key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.models import ProductLatest
from core.database.session import driver_connection
from core.history.current_values import CurrentValues
from core.history.observation import Availability, Flag, Outcome, PriceBasis
from core.tracking.settings import TrackingSettings


@dataclass(frozen=True, slots=True)
class TrackingState:
    """How a user tracks a product: the principal, else the first of the team."""

    is_mine: bool  # False: a teammate's settings
    settings: TrackingSettings
    paused_at: datetime | None


@dataclass(frozen=True, slots=True)
class FetchState:
    """When a product is checked next, and how the last check ended."""

    due_at: datetime
    leased_until: datetime | None  # None: not being fetched
    failures: int  # in a row
    observed_at: datetime | None  # when a check last ended with a fact about the product
    last_outcome: Outcome | None
    requested_at: datetime | None  # when a user last requested a check; None: never


class HistoryKey(NamedTuple):
    """The key that a product's history is read by."""

    product_id: int
    marketplace: str
    first_day: date  # with a snapshot, by the marketplace's clock


@dataclass(frozen=True, slots=True)
class ProductSummary(CurrentValues):
    """A product with its newest accepted values, its tracking and its schedule."""

    product_id: int
    marketplace: str
    asin: str
    is_demo: bool
    data_version: int
    first_day: date | None  # None: never observed
    title: str | None
    brand: str | None
    flags: Flag
    price_basis: PriceBasis | None
    list_price: int | None
    coupon_amount: int | None
    coupon_percent: int | None
    reviews_count: int | None
    availability: Availability | None
    stock_left: int | None
    seller: str | None  # who holds the Buy Box; None: no seller, or not reported
    seller_id: str | None  # Amazon's id of the seller; None: no seller, or not reported
    tracking: TrackingState | None  # None: no one in the team tracks it
    fetching: FetchState | None  # None: not on the schedule
    # The texts of fields that could not be read last. Text from outside.
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def history_key(self) -> HistoryKey | None:
        """Return the key to read its history by, None if it was never observed."""
        if self.first_day is None:
            return None
        return HistoryKey(self.product_id, self.marketplace, self.first_day)


# The fields that are columns of `product_latest` are read and copied by their names.
_LATEST = [
    field.name
    for field in fields(ProductSummary)
    if field.name in ProductLatest.__table__.columns and field.name != "product_id"
]
_COPIED = ("product_id", "marketplace", "asin", "is_demo", "first_day", "title", "brand",
           "bsr_category", *_LATEST)  # fmt: skip
_SUMMARY = f"""
SELECT p.id AS product_id, p.marketplace, p.asin, p.is_demo, x.title, x.brand,
    c.name AS bsr_category, l.buy_box_seller, l.buy_box_seller_id,
    (SELECT min(day) FROM product_daily d WHERE d.product_id = p.id) AS first_day,
    {", ".join(f"l.{name}" for name in _LATEST)},
    t.person_id = %(person)s AS is_mine, t.role, t.cadence, t.is_primary, t.tags,
    CASE WHEN t.person_id = %(person)s OR %(is_manager)s THEN t.note END AS note,
    t.price_change_percent, t.rank_change_percent, t.paused_at,
    s.due_at, s.leased_until, s.failures, s.looked_at, s.last_outcome, s.requested_at
FROM product p
LEFT JOIN product_latest l ON l.product_id = p.id
LEFT JOIN product_text x ON x.product_id = p.id
LEFT JOIN category c ON c.id = l.bsr_category_id
LEFT JOIN LATERAL (
    SELECT * FROM tracking WHERE product_id = p.id AND team_id = %(team)s
    AND (person_id = %(person)s OR is_first) ORDER BY person_id = %(person)s DESC LIMIT 1
) AS t ON true
LEFT JOIN fetch_schedule s ON s.product_id = p.id
WHERE p.marketplace = %(marketplace)s AND p.asin = %(asin)s
"""


@requires(Permission.READ)
def find_product_summary(
    session: Session, principal: Principal, marketplace: str, asin: str
) -> ProductSummary | None:
    """Return a product's summary for the principal, None if the product is not known."""
    values = {
        "person": principal.person_id,
        "team": principal.team_id,
        "is_manager": principal.may(Permission.TEAM),  # a note is its author's and the managers'
        "marketplace": marketplace,
        "asin": asin,
    }
    # By the driver: with forty columns, SQLAlchemy's rows cost more than the query.
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        row = cursor.execute(_SUMMARY, values).fetchone()
    return None if row is None else _make_summary(row)


def _make_summary(row: Any) -> ProductSummary:
    availability = None if row.availability is None else Availability(row.availability)
    is_featured = availability is None or availability.has_featured_offer
    values = {name: getattr(row, name) for name in _COPIED} | {
        "data_version": row.data_version or 0,
        "flags": Flag(row.flags or 0),
        "price_basis": None if row.price_basis is None else PriceBasis(row.price_basis),
        "availability": availability,
        "unreadable": {name: each["text"] for name, each in (row.unreadable or {}).items()},
    }
    return ProductSummary(
        **values,
        seller=row.buy_box_seller if is_featured else None,
        seller_id=row.buy_box_seller_id if is_featured else None,
        tracking=_tracking_state(row),
        fetching=_fetch_state(row),
    )


def _tracking_state(row: Any) -> TrackingState | None:
    if row.role is None:
        return None
    return TrackingState(
        is_mine=row.is_mine,
        settings=TrackingSettings.from_row(row),
        paused_at=row.paused_at,
    )


def _fetch_state(row: Any) -> FetchState | None:
    if row.due_at is None:
        return None
    return FetchState(
        due_at=row.due_at,
        leased_until=row.leased_until,
        failures=row.failures,
        observed_at=row.looked_at,
        last_outcome=None if row.last_outcome is None else Outcome(row.last_outcome),
        requested_at=row.requested_at,
    )
