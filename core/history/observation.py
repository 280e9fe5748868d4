"""An observation of a product, the same for every source. Values only: no parsing, no storage.

Units, everywhere in Amazcope: money is an integer in the minor unit of its currency
(cents; yen have none), a rating is in tenths of a star (46 is 4.6), a rank is 1 for the
best seller, times are aware and in UTC.
None means unknown or absent. If the field's bit in `seen` is set, there was none; if not,
the source does not report the field, or its text, in `unreadable`, could not be read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, IntFlag, StrEnum

from core.catalog.listing import Listing

__all__ = [
    "Availability",
    "CategoryRank",
    "Confirmed",
    "Failure",
    "Flag",
    "Fulfilment",
    "Kind",
    "Listing",
    "Observation",
    "Outcome",
    "PriceBasis",
    "Seen",
    "Source",
    "field_names",
]


class Source(IntEnum):
    """Where an observation comes from. Numbers are stored: never renumber."""

    AXESSO = 1  # axesso_data/amazon-product-details-scraper
    JUNGLEE = 2  # junglee/Amazon-crawler and its relatives
    KEEPA_API = 3  # a product of Keepa's API, with its full history
    KEEPA_EXPORT = 4  # a Keepa table export: one moment, many products
    HISTORY_FILE = 5  # a tidy history CSV
    BESTSELLERS = 6  # junglee/amazon-bestsellers


WHOLE_PAGE_SOURCES = (Source.AXESSO, Source.JUNGLEE, Source.KEEPA_API)
"""Sources that read a product's whole page.

A bestseller list holds the title alone: the listing version made from it keeps the other
texts of the version before.
"""


class Kind(IntEnum):
    """What holds between two snapshots."""

    SAMPLE = 0  # the values at that moment: between two samples they are unknown
    CHANGE = 1  # the values since that moment: they hold until the next change


class Outcome(StrEnum):
    """How a check of a product ended. Stored as text."""

    OK = "ok"
    NOT_FOUND = "not_found"
    UNAVAILABLE = "unavailable"
    NO_FEATURED_OFFER = "no_featured_offer"
    NO_OFFER = "no_offer"
    REDIRECTED_ASIN = "redirected_asin"
    WRONG_LOCALE = "wrong_locale"
    NOT_A_PRODUCT_PAGE = "not_a_product_page"
    BLOCKED = "blocked"
    PARSE_ERROR = "parse_error"
    EMPTY_RUN = "empty_run"
    RUN_FAILED = "run_failed"
    TIMEOUT = "timeout"
    NO_CREDIT = "no_credit"
    BAD_INPUT = "bad_input"

    @property
    def is_about_product(self) -> bool:
        """True if the outcome is a fact about the product, not about the fetch."""
        return self in _ABOUT_THE_PRODUCT


_ABOUT_THE_PRODUCT = frozenset(
    {
        Outcome.OK,
        Outcome.NOT_FOUND,
        Outcome.UNAVAILABLE,
        Outcome.NO_FEATURED_OFFER,
        Outcome.NO_OFFER,
    }
)


class Availability(IntEnum):
    """Whether a product can be bought. Unknown is None, not a member. Numbers are stored."""

    IN_STOCK = 1
    LIMITED = 2  # "Only 11 left in stock"
    PRE_ORDER = 3
    BACK_ORDER = 4
    BUY_BOX_SUPPRESSED = 5  # offers exist, none is featured
    NO_OFFERS = 6
    UNAVAILABLE = 7  # "Currently unavailable"
    GONE = 8  # the page answers 404

    @property
    def can_be_bought(self) -> bool:
        return self in (Availability.IN_STOCK, Availability.LIMITED)

    @property
    def has_featured_offer(self) -> bool:
        """False if no seller can hold the Buy Box now."""
        return self.can_be_bought or self in (Availability.PRE_ORDER, Availability.BACK_ORDER)


class PriceBasis(IntEnum):
    """Which of the prices `Observation.price` is. Numbers are stored."""

    BUY_BOX = 1  # the featured offer
    LOWEST_NEW = 2  # the lowest new offer, no featured one
    AMAZON = 3  # Amazon's own offer
    AS_LISTED = 4  # the source doesn't specify which price


class Fulfilment(IntEnum):
    """Who sells and ships. Numbers are stored."""

    AMAZON = 1  # sold and shipped by Amazon
    FBA = 2  # sold by a merchant, shipped by Amazon
    FBM = 3  # sold and shipped by a merchant


class Seen(IntFlag):
    """The presence mask: which fields a source reports. Bits are stored: never move one."""

    NONE = 0
    PRICE = 1 << 0
    LIST_PRICE = 1 << 1
    BUY_BOX = 1 << 2
    AMAZON_PRICE = 1 << 3
    NEW_PRICE = 1 << 4
    NEW_FBA_PRICE = 1 << 5
    USED_PRICE = 1 << 6
    DEAL = 1 << 7
    COUPON = 1 << 8
    BSR = 1 << 9
    RATING = 1 << 10
    RATINGS_COUNT = 1 << 11
    REVIEWS_COUNT = 1 << 12
    AVAILABILITY = 1 << 13
    STOCK_LEFT = 1 << 14
    SELLER = 1 << 15
    FULFILMENT = 1 << 16
    OFFERS_NEW = 1 << 17
    OFFERS_USED = 1 << 18
    LISTING = 1 << 19
    SELLER_ID = 1 << 20


def field_names(mask: Seen) -> list[str]:
    """Return the names of a presence mask's fields, as they are stored and shown."""
    return [str(bit.name).lower() for bit in mask]


class Flag(IntFlag):
    """Why a value is flagged. Bits are stored: never move one."""

    NONE = 0
    PRICE_JUMP = 1 << 0  # ×100 or ÷100 against the product's own history
    PRICE_ZERO = 1 << 1
    CURRENCY_MISMATCH = 1 << 2
    RATING_OUT_OF_RANGE = 1 << 3
    RATINGS_COLLAPSED = 1 << 4
    STALE_VALUE = 1 << 5  # the source repeats an old value
    RANK_INVALID = 1 << 6
    LIST_PRICE_INVALID = 1 << 7
    RATINGS_JUMPED = 1 << 8
    RANK_SPIKE = 1 << 9  # far from the rank before, in the same category
    PRICE_IMPLAUSIBLE = 1 << 10  # no earlier price, and too low or far from the row's others
    AMOUNTS_DISAGREE = 1 << 11  # amounts of one row that can't all belong to one product


class Confirmed(IntFlag):
    """Which flags a later observation lifted. Stored in the same number as `Flag`'s bits.

    A confirmed value counts like any other; the bit records that it was flagged at first.
    """

    PRICE = 1 << 12
    RATINGS_COUNT = 1 << 13
    RANK = 1 << 14
    STALE = 1 << 15


@dataclass(frozen=True, slots=True)
class CategoryRank:
    """A rank, comparable only within its category and marketplace."""

    category: str
    rank: int
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The values of one product at one time; `outcome.is_about_product` is always true here."""

    marketplace: str  # a marketplace's code, "US"
    asin: str
    captured_at: datetime
    source: Source
    kind: Kind = Kind.SAMPLE
    outcome: Outcome = Outcome.OK
    seen: Seen = Seen.NONE
    # Fields that could not be read, with their texts as shortened by
    # `value_parsers.make_excerpt`. Their bits in `seen` are not set, their values are None.
    unreadable: Mapping[Seen, str] = field(default_factory=dict)
    flags: Flag = Flag.NONE  # set by the source itself, such as a stale price
    currency: str | None = None  # as observed; None: the source names none
    price: int | None = None  # the price a buyer sees; of the kind `price_basis`
    price_basis: PriceBasis | None = None
    list_price: int | None = None
    buy_box_price: int | None = None
    buy_box_shipping: int | None = None
    buy_box_seller: str | None = None
    buy_box_seller_id: str | None = None
    amazon_price: int | None = None
    new_price: int | None = None  # lowest new offer
    new_fba_price: int | None = None
    used_price: int | None = None
    deal_price: int | None = None
    coupon_amount: int | None = None
    coupon_percent: int | None = None
    fulfilment: Fulfilment | None = None
    ranks: tuple[CategoryRank, ...] = ()  # the first is the main category's
    rating: int | None = None
    ratings_count: int | None = None  # ratings, with or without text
    reviews_count: int | None = None  # written reviews
    availability: Availability | None = None
    stock_left: int | None = None
    offers_new: int | None = None
    offers_used: int | None = None
    listing: Listing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A check without values of the product; `outcome.is_about_product` is false."""

    outcome: Outcome
    detail: str  # a sentence that users may see
    marketplace: str | None = None  # None: it could not be read
    asin: str | None = None
    captured_at: datetime | None = None
