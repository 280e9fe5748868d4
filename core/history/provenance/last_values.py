"""The last accepted price and rank of a product that has none now. SELECTs only."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_price
from core.history.product_summary import ProductSummary
from core.history.timeline.series import PRICE, RANK, Field
from core.text.numbers import format_rank
from core.text.times import format_day_of_year


@dataclass(frozen=True, slots=True)
class LastValues:
    """The newest accepted price and rank with their times. None: never reported, or deleted."""

    price: tuple[int, datetime] | None
    rank: tuple[int, datetime] | None


def read_last_values(session: Session, head: ProductSummary) -> LastValues:
    """Return a product's last price and rank, however long ago they were observed."""
    return LastValues(
        _find_last(session, head.product_id, PRICE, head.price, head.price_at),
        _find_last(session, head.product_id, RANK, head.bsr, head.bsr_at),
    )


def _find_last(
    session: Session, product_id: int, field: Field, value: int | None, at: datetime | None
) -> tuple[int, datetime] | None:
    if value is not None and at is not None:
        return value, at
    row = session.execute(
        text(
            f"SELECT {field.column}, captured_at FROM snapshot WHERE product_id = :product "
            f"AND {field.column} IS NOT NULL AND flags & :flags = 0 "
            "ORDER BY captured_at DESC LIMIT 1"
        ),
        {"product": product_id, "flags": int(field.flags)},
    ).first()
    return None if row is None else (row[0], row[1])


def format_last_values(last: LastValues, marketplace: str) -> str | None:
    """Return "last €24.90 · #1,204, 12 Nov", by the marketplace's days; None: neither is known."""
    zone = ZoneInfo(get_marketplace(marketplace).time_zone)
    parts: list[tuple[str, date]] = []
    if last.price is not None:
        parts.append((format_price(last.price[0], marketplace), _find_day(last.price[1], zone)))
    if last.rank is not None:
        parts.append((format_rank(last.rank[0]), _find_day(last.rank[1], zone)))
    if not parts:
        return None
    if len({day for _, day in parts}) == 1:
        values = " · ".join(value for value, _ in parts)
        return f"last {values}, {format_day_of_year(parts[0][1])}"
    return "last " + " · ".join(f"{value}, {format_day_of_year(day)}" for value, day in parts)


def _find_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
