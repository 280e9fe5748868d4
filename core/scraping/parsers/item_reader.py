"""Read an item's fields one by one and record which of them it reports. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from core.history.observation import Availability, Outcome, Seen
from core.scraping.parsers.value_parsers import UnreadableValueError, make_excerpt

P = ParamSpec("P")
T = TypeVar("T")

# Plain numbers, because combining members of an enum costs more than reading a field.
PRICE: Final = int(Seen.PRICE | Seen.BUY_BOX)
LISTED_PRICE: Final = int(Seen.PRICE)
LIST_PRICE: Final = int(Seen.LIST_PRICE)
USED_PRICE: Final = int(Seen.USED_PRICE)
DEAL: Final = int(Seen.DEAL)
COUPON: Final = int(Seen.COUPON)
BSR: Final = int(Seen.BSR)
RATING: Final = int(Seen.RATING)
RATINGS_COUNT: Final = int(Seen.RATINGS_COUNT)
AVAILABILITY: Final = int(Seen.AVAILABILITY)
STOCK_LEFT: Final = int(Seen.STOCK_LEFT)
SELLER: Final = int(Seen.SELLER)
SELLER_ID: Final = int(Seen.SELLER_ID)
FULFILMENT: Final = int(Seen.FULFILMENT)
LISTING: Final = int(Seen.LISTING)


class ItemReader:
    """One item, the bits of the fields read so far, and the texts of unreadable fields."""

    __slots__ = ("bits", "item", "texts")

    def __init__(self, item: Mapping[str, Any]) -> None:
        self.item = item
        self.bits = 0
        self.texts: dict[int, str] = {}

    def read_field(
        self,
        bit: int,
        key: str,
        parse: Callable[Concatenate[Any, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T | None:
        """Return the parsed field and record it as seen; None if it is absent or unreadable.

        `bit` 0 records nothing: the caller decides what a missing value means.
        """
        if key not in self.item:
            return None
        try:
            value = parse(self.item[key], *args, **kwargs)
        except UnreadableValueError:
            self.note_unreadable(bit, self.item[key])
            return None
        self.bits |= bit
        return value

    def note_unreadable(self, bit: int, value: object) -> None:
        """Record that a field has a value that can't be read."""
        if bit:
            self.texts[bit] = make_excerpt(value)

    def collect_seen(self) -> Seen:
        return Seen(self.bits)

    def collect_unreadable(self) -> dict[Seen, str]:
        """Return the texts of unreadable fields, without fields that were read elsewhere."""
        return {each: text for bits, text in self.texts.items() for each in Seen(bits & ~self.bits)}


def read_seller_id(
    reader: ItemReader,
    key: str,
    parse: Callable[[Any], str | None],
    *,
    seller: str | None,
    price: int | None,
) -> str | None:
    """Return the id of the Buy Box seller, whose name and price were read before.

    A name without an id, as of Amazon's own offers, means that the id is not reported. An
    id with neither name nor price is not that of a Buy Box.
    """
    found = reader.read_field(SELLER_ID, key, parse)
    if found is None and seller is not None:
        reader.bits &= ~SELLER_ID
    return found if seller is not None or price is not None else None


def find_outcome(
    price: int | None, availability: Availability | None, *, knows_price: bool
) -> Outcome:
    """Return the outcome of a readable product page by its price and availability.

    If the page has no price (`knows_price`: it was read) and no stock sentence, only one
    thing is certain: no offer is featured.
    """
    if availability is Availability.UNAVAILABLE:
        return Outcome.UNAVAILABLE
    if availability is Availability.NO_OFFERS:
        return Outcome.NO_OFFER
    if price is None and knows_price:
        return Outcome.NO_FEATURED_OFFER
    return Outcome.OK


def correct_without_price(availability: Availability | None) -> Availability | None:
    """Return the availability of a product without a featured price, given the page's.

    "In stock" without a price means that there are offers and none is featured.
    """
    if availability in (Availability.IN_STOCK, Availability.LIMITED):
        return Availability.BUY_BOX_SUPPRESSED
    return availability
