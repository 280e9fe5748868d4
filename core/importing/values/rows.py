"""What a row of an imported file turns into. Values only: no reading, no storing.

Every data row, item or line of a file becomes exactly one `Row`, whose result
says what to do with it; none is left out without a word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.history.observation import Failure, Observation, Outcome, PriceBasis

ASKED_LIMIT = 120


class FileKind(StrEnum):
    """What a file is, by its content. Values are stored with the import."""

    PASTED_TEXT = "pasted_text"
    ASIN_LIST = "asin_list"
    KEEPA_API = "keepa_api"
    KEEPA_EXPORT = "keepa_export"
    APIFY_DATASET = "apify_dataset"
    HISTORY_FILE = "history_file"
    UNKNOWN = "unknown"


LISTS = (FileKind.PASTED_TEXT, FileKind.ASIN_LIST)  # they say what to follow, and no more
KIND_LABELS = {
    FileKind.PASTED_TEXT: "Pasted products",
    FileKind.ASIN_LIST: "List of products to track",
    FileKind.KEEPA_API: "Keepa products with their history",
    FileKind.KEEPA_EXPORT: "Keepa table export",
    FileKind.APIFY_DATASET: "Apify data set",
    FileKind.HISTORY_FILE: "History table",
    FileKind.UNKNOWN: "Not recognised",
}


class Refused(StrEnum):
    """Why a row that names a product can't be taken as it is."""

    NEEDS_MARKETPLACE = "needs_marketplace"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that asks for a product in a way that can't be followed."""

    why: Refused
    detail: str  # a sentence a person may read, with what to do
    asin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRequest:
    """A product to be tracked, with what the row said about how. None: it said nothing."""

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
    """The whole history of one product in time order; the last one carries the listing."""

    marketplace: str
    asin: str
    observations: Sequence[Observation]


@dataclass(frozen=True, slots=True)
class PartOf:
    """A row whose values were joined with an earlier row's observation of the same moment."""

    row: int  # the number of that row, which carries the observation


RowResult = Observation | ProductHistory | TrackRequest | PartOf | Failure | Refusal


@dataclass(frozen=True, slots=True)
class Row:
    """One data row, item or line. Numbers count from 1 and are unique within a file."""

    number: int
    asked: str  # what the row said, shortened
    result: RowResult
    unreadable: Mapping[str, str] = field(default_factory=dict)  # by column: what stands there

    @property
    def observations(self) -> int:
        """How many observations it carries, at least one."""
        return len(self.result.observations) if isinstance(self.result, ProductHistory) else 1


class DayOrder(StrEnum):
    """Which comes first in a date such as "03/04/2026"."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What a person confirmed about a file that doesn't say it itself."""

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


def shortened(text: str) -> str:
    """Return text on one line, at most `ASKED_LIMIT` characters long."""
    line = " ".join(text[: ASKED_LIMIT * 4].replace("\0", "").split())
    return line if len(line) <= ASKED_LIMIT else line[: ASKED_LIMIT - 1] + "…"


def bad_row(detail: str, asin: str | None = None, marketplace: str | None = None) -> Failure:
    """Return the failure of a row that can't be used as it is written."""
    return Failure(outcome=Outcome.BAD_INPUT, detail=detail, asin=asin, marketplace=marketplace)


def unreadable_words(unreadable: Mapping[str, str]) -> str:
    """Return in a sentence which cells of a row can't be read; "" where there are none."""
    named = [f"“{shortened(cell)[:40]}” in “{name[:40]}”" for name, cell in unreadable.items()]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return f"Can't be read: {', '.join(named[:3])}{more}." if named else ""


def nothing_understood(unreadable: Mapping[str, str]) -> str:
    """Return why a row is not stored of which no value was understood."""
    why = unreadable_words(unreadable) or "None of its columns is known, or all are empty."
    return f"Nothing of the row was understood. {why}"


def needs_marketplace(asin: str | None) -> Refusal:
    """Return the refusal of a row that names a product and no marketplace."""
    named = f"{asin} exists on several marketplaces" if asin else "The row names no marketplace"
    return Refusal(
        Refused.NEEDS_MARKETPLACE,
        f"{named}: choose the marketplace for the file, or add a column “marketplace”.",
        asin,
    )
