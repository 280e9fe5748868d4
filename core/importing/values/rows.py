"""The values that rows of imported files become. No reading, no storing.

Every data row, item or line of a file becomes exactly one `Row`, whose result
decides what is done with it; none is dropped silently.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.history.observation import Failure, Observation, Outcome, PriceBasis

ASKED_LIMIT = 120


class FileKind(StrEnum):
    """The kind of a file, by its content. Values are stored with the import."""

    PASTED_TEXT = "pasted_text"
    ASIN_LIST = "asin_list"
    KEEPA_API = "keepa_api"
    KEEPA_EXPORT = "keepa_export"
    APIFY_DATASET = "apify_dataset"
    HISTORY_FILE = "history_file"
    UNKNOWN = "unknown"


LISTS = (FileKind.PASTED_TEXT, FileKind.ASIN_LIST)  # products to track, without observations
KIND_LABELS = {
    FileKind.PASTED_TEXT: "Pasted products",
    FileKind.ASIN_LIST: "List of products to track",
    FileKind.KEEPA_API: "Keepa products with their history",
    FileKind.KEEPA_EXPORT: "Keepa table export",
    FileKind.APIFY_DATASET: "Apify data set",
    FileKind.HISTORY_FILE: "History table",
    FileKind.UNKNOWN: "Not recognised",
}


class RefusalReason(StrEnum):
    """Why a row that names a product can't be used as it is."""

    NEEDS_MARKETPLACE = "needs_marketplace"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row whose request to track a product can't be carried out."""

    why: RefusalReason
    detail: str  # a sentence for users, with what to do
    asin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRequest:
    """A product to track, with the settings the row gives. None: the row doesn't give it."""

    marketplace: str
    asin: str
    tags: tuple[str, ...] = ()
    role: str | None = None  # "own", "competitor" or "watched"
    cadence: str | None = None  # "hourly", "6h", "daily" or "weekly"
    price_change_percent: Decimal | None = None
    rank_change_percent: Decimal | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ProductHistory:
    """The whole history of one product in time order; the last observation has the listing."""

    marketplace: str
    asin: str
    observations: Sequence[Observation]


@dataclass(frozen=True, slots=True)
class RowPart:
    """A row whose values were joined into an earlier row's observation of the same moment."""

    row: int  # the number of that earlier row


RowResult = Observation | ProductHistory | TrackRequest | RowPart | Failure | Refusal


@dataclass(frozen=True, slots=True)
class Row:
    """One data row, item or line. Numbers count from 1 and are unique within a file."""

    number: int
    asked: str  # the product as the row writes it, shortened
    result: RowResult
    unreadable: Mapping[str, str] = field(default_factory=dict)  # cell texts by column

    @property
    def observation_count(self) -> int:
        """Return how many observations the row carries, at least one."""
        return len(self.result.observations) if isinstance(self.result, ProductHistory) else 1


class DayOrder(StrEnum):
    """Which comes first in a date such as "03/04/2026"."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What the user confirmed because the file doesn't contain it."""

    captured_at: datetime | None = None  # aware; used where a row has no time of its own
    default_marketplace: str | None = None  # a code; used where a row names none
    time_zone: str = "UTC"  # IANA name; used for times written without a zone
    day_order: DayOrder | None = None  # used for "03/04/2026" where no date of the column decides


def shown_price(values: Mapping[str, int | None]) -> tuple[int | None, PriceBasis | None]:
    """Return the price a buyer is shown: Buy Box, else lowest new, else Amazon's."""
    for name, basis in _SHOWN_PRICES:
        value = values.get(name)
        if value is not None:
            return value, basis
    return None, None


_SHOWN_PRICES = (
    ("buy_box_price", PriceBasis.BUY_BOX),
    ("new_price", PriceBasis.LOWEST_NEW),
    ("amazon_price", PriceBasis.AMAZON),
)


def shorten_asked(text: str) -> str:
    """Return text on one line, at most `ASKED_LIMIT` characters long."""
    line = " ".join(text[: ASKED_LIMIT * 4].replace("\0", "").split())
    return line if len(line) <= ASKED_LIMIT else line[: ASKED_LIMIT - 1] + "…"


def bad_row(detail: str, asin: str | None = None, marketplace: str | None = None) -> Failure:
    """Return the failure of a row that can't be used as it is written."""
    return Failure(outcome=Outcome.BAD_INPUT, detail=detail, asin=asin, marketplace=marketplace)


def describe_unreadable(unreadable: Mapping[str, str]) -> str:
    """Return a sentence with the unreadable cells of a row; "" if there are none."""
    named = [f"“{shorten_asked(cell)[:40]}” in “{name[:40]}”" for name, cell in unreadable.items()]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return f"Can't be read: {', '.join(named[:3])}{more}." if named else ""


def explain_nothing_read(unreadable: Mapping[str, str]) -> str:
    """Return why a row without a readable value is not stored."""
    why = describe_unreadable(unreadable) or "Its columns are unknown or empty."
    return f"No value of the row can be read. {why}"


def needs_marketplace(asin: str | None) -> Refusal:
    """Return the refusal of a row that names a product and no marketplace."""
    named = f"{asin} exists on several marketplaces" if asin else "The row names no marketplace"
    return Refusal(
        RefusalReason.NEEDS_MARKETPLACE,
        f"{named}: choose the marketplace for the file, or add a column “marketplace”.",
        asin,
    )
