"""Stored snapshots as rows of text and as CSV. Pure; a missing value has its reason."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.catalog.money import format_price, to_decimal
from core.history.labels import availability_label, flag_names, flag_reasons
from core.history.observation import Availability, Flag, Outcome, PriceBasis, Seen, Source
from core.history.provenance.text import source_name
from core.text import spreadsheets
from core.text.numbers import format_count, format_rank, format_rating

Stored = Mapping[str, Any]  # a row of `queries.snapshot_page`

NONE = "none"  # the source reports that there was none
NOT_REPORTED = "–"  # this source does not report it
UNREADABLE = "unreadable"  # the source had a text that could not be parsed

_SEEN = {
    "price": Seen.PRICE,
    "list_price": Seen.LIST_PRICE,
    "bsr": Seen.BSR,
    "rating": Seen.RATING,
    "ratings_count": Seen.RATINGS_COUNT,
    "availability": Seen.AVAILABILITY,
    "stock_left": Seen.STOCK_LEFT,
}
COLUMNS = {
    "captured_at": "Captured",
    "price": "Price",
    "list_price": "List price",
    "bsr": "Rank",
    "rating": "Rating",
    "ratings_count": "Ratings",
    "availability": "Availability",
    "stock_left": "Stock left",
    "doubts": "Quality flags",
    "source": "Source",
}


def format_rows(rows: Sequence[Stored], marketplace: str, zone: str) -> list[dict[str, str]]:
    """Return each snapshot's texts, by the keys of `COLUMNS`."""
    return [_row(row, marketplace, zone) for row in rows]


def _row(row: Stored, marketplace: str, zone: str) -> dict[str, str]:
    def money(minor: int) -> str:
        return format_price(minor, marketplace)

    return {
        "captured_at": _moment(row["captured_at"], zone),
        "price": _cell(row, "price", money),
        "list_price": _cell(row, "list_price", money),
        "bsr": _cell(row, "bsr", format_rank),
        "rating": _cell(row, "rating", format_rating),
        "ratings_count": _cell(row, "ratings_count", format_count),
        "availability": _cell(
            row, "availability", lambda state: availability_label(Availability(state))
        ),
        "stock_left": _cell(row, "stock_left", format_count),
        "doubts": flag_names(Flag(row["flags"])) or NONE,
        "source": source_name(Source(row["source"])),
    }


def _moment(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def _cell(row: Stored, name: str, writes: Callable[[int], str]) -> str:
    value = row[name]
    if value is not None:
        return writes(value)
    if name in (row["unreadable"] or {}):
        return UNREADABLE
    return NONE if row["seen"] & int(_SEEN[name]) else NOT_REPORTED


_AMOUNTS = ("price", "list_price", "buy_box_price", "deal_price", "coupon_amount")
_PLAIN = (
    "coupon_percent",
    "bsr",
    "sub_rank",
    "ratings_count",
    "reviews_count",
    "stock_left",
    "offers_new",
)
_HEADER = (
    "captured_at",
    "source",
    "outcome",
    "currency",
    *_AMOUNTS,
    "price_basis",
    "buy_box_seller",
    "buy_box_seller_id",
    *_PLAIN,
    "rating",
    "availability",
    "doubts",
    "unreadable",
)


def write_csv(rows: Sequence[Stored]) -> bytes:
    """Return snapshots as UTF-8 CSV: UTC times, amounts in major units, unknown cells empty.

    Cells are escaped, so that no spreadsheet runs one as a formula.
    """
    return spreadsheets.csv_file(_HEADER, map(_csv_row, rows))


def _csv_row(row: Stored) -> list[spreadsheets.Cell]:
    basis, state, tenths = row["price_basis"], row["availability"], row["rating"]
    return [
        row["captured_at"],
        source_name(Source(row["source"])),
        Outcome(row["outcome"]).value,
        row["currency"],
        *(_amount(row[name], row["currency"]) for name in _AMOUNTS),
        "" if basis is None else PriceBasis(basis).name.lower(),
        row["buy_box_seller"] or "",
        row["buy_box_seller_id"] or "",
        *("" if row[name] is None else str(row[name]) for name in _PLAIN),
        "" if tenths is None else f"{tenths / 10:.1f}",
        "" if state is None else Availability(state).name.lower(),
        " ".join(flag_reasons(Flag(row["flags"]))),
        "; ".join(f"{name}: {text}" for name, text in (row["unreadable"] or {}).items()),
    ]


def _amount(minor: int | None, currency: str) -> str:
    return "" if minor is None else str(to_decimal(minor, currency))
