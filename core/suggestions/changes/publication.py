"""Changes that a seller publishes on Amazon and a later check confirms: offers and listings."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from core.catalog.listing import Listing
from core.catalog.listing_versions import current_listings
from core.catalog.marketplaces import get_marketplace
from core.catalog.models import ProductLatest
from core.history.expected.rules import is_shown
from core.history.models import Snapshot
from core.suggestions.changes import values as shared
from core.suggestions.changes.current_values import ChangeTarget, find_latest
from core.suggestions.changes.spec import ChangeSpec, Editor, GivenValue
from core.suggestions.changes.values import Values
from core.suggestions.expected_values import find_expected_field, read_expected_value
from core.suggestions.rules import Facts, ListingFacts, ListingPart

RANK_EVIDENCE = ("bsr_now", "bsr_median_30")
PRICE_EVIDENCE = (
    "price_now",
    "price_median_30",
    "price_median_90",
    "price_low_90",
    "price_high_90",
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What buyers see; None: no source reports it."""

    listing: ListingFacts
    price: int | None  # minor units
    coupon: Values | None  # as in an action; None: unknown


class PublishedChange(ChangeSpec):
    """A change of what Amazon shows about a product."""

    patch_path: ClassVar[str]  # in Amazon's Listings Items API
    is_made_by_hand: ClassVar[bool] = False  # the API can't make this change
    instruction: ClassVar[str]  # the line of the checklist, before the ASIN
    is_on_page: ClassVar[bool] = True  # a check can confirm it

    @abstractmethod
    def preview(self, before: Preview, values: Values) -> Preview:
        """Return what buyers would see with these values."""

    def is_confirmed_by(self, shown: Values, new_values: Values) -> bool:
        """Return whether values that a page shows are the new ones, as alerts compare them."""
        field = find_expected_field(self.change)
        if field is None:
            return False
        seen, expected = (read_expected_value(self.change, each) for each in (shown, new_values))
        return is_shown(field, expected, seen)

    def values_of_undo(self, inverse: Values, new_values: Values) -> Values:
        """Return the values that restore the value from before."""
        return {key: inverse.get(key) for key in new_values}

    # The change set

    def has_amount(self, values: Values) -> bool:
        """Return whether the values are money: their row then has a currency."""
        return False

    def cells(
        self, before: Values, after: Values, marketplace: str
    ) -> Iterator[tuple[str, str, str]]:
        """Yield field, current value and new value of each row of the flat file."""
        for key in dict.fromkeys((*after, *before)):
            if after.get(key) is not None or key in after:
                old, new = (self._cell(key, each.get(key), marketplace) for each in (before, after))
                yield key, old, new

    def _cell(self, key: str, value: object, marketplace: str) -> str:
        if value is None:
            return ""
        return " > ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

    def patch_value(self, after: Values, marketplace: str) -> list[dict[str, Any]]:
        """Return the new attribute in the format of Amazon's Listings Items API."""
        place = get_marketplace(marketplace)
        usual = {"language_tag": place.locale, "marketplace_id": place.marketplace_id}
        return [{"value": value, **usual} for value in self._patch_items(after)]

    def _patch_items(self, after: Values) -> Iterable[object]:
        return (value for value in after.values() if value is not None)

    def to_copy(self, after: Values, marketplace: str) -> str:
        """Return the text to paste into Seller Central; "none" for no value."""
        if all(value is None for value in after.values()):
            return "none"
        return self._pasted(after, marketplace)

    def _pasted(self, after: Values, marketplace: str) -> str:
        return self.format_stored(after, marketplace)


class OfferChange(PublishedChange):
    """A change of the price or of a coupon."""

    usual_evidence: ClassVar[tuple[str, ...]] = (*PRICE_EVIDENCE, *RANK_EVIDENCE)
    competitor_figure = "price"
    _amount_key: ClassVar[str]

    @abstractmethod
    def offer_fields(self, values: Values) -> dict[str, Any]:
        """Return the values by the names of a snapshot's fields."""

    @abstractmethod
    def of_offer(self, offer: ProductLatest | Snapshot) -> dict[str, Any]:
        """Return the values in a product's newest ones or in a snapshot."""

    def read_current(self, session: Session, target: ChangeTarget) -> dict[str, Any]:
        latest = find_latest(session, target.product_id)
        return {} if latest is None else self.of_offer(latest)

    @abstractmethod
    def price_after(self, price: int, proposed: Values) -> int:
        """Return what buyers pay after the change of a price, both in minor units."""

    def find_problems(self, proposed: Values, facts: Facts) -> Iterator[str]:
        yield from super().find_problems(proposed, facts)
        if facts.price is None:
            yield "The current price is unknown, so no change of it can be proposed."
            return
        problem = self._find_value_problem(proposed)
        if problem is None:
            price = self.price_after(facts.price, proposed)
            problem = facts.caps.find_problem(facts.price, price)
        if problem is not None:
            yield problem

    def _find_value_problem(self, proposed: Values) -> str | None:
        return None

    def has_amount(self, values: Values) -> bool:
        return self._amount_key in values

    def _cell(self, key: str, value: object, marketplace: str) -> str:
        if key == self._amount_key:
            return shared.format_major_units(value, marketplace)
        return super()._cell(key, value, marketplace)

    def _pasted(self, after: Values, marketplace: str) -> str:
        if after.get(self._amount_key) is None:
            return super()._pasted(after, marketplace)
        return shared.format_major_units(after[self._amount_key], marketplace)


class ListingChange(PublishedChange):
    """A change of a listing's text or images."""

    key: ClassVar[str]  # of its one value
    part: ClassVar[ListingPart | None] = None  # the part that listing policies check

    @abstractmethod
    def of_listing(self, listing: Listing) -> dict[str, Any]:
        """Return the values in a stored listing; empty for what pages don't show."""

    def listing_fields(self, values: Values) -> Mapping[str, Any]:
        """Return the values by the names of a listing's fields; empty for what pages don't show."""
        return {self.key: values.get(self.key)}

    def preview(self, before: Preview, values: Values) -> Preview:
        return replace(before, listing=self.listing_with(before.listing, values))

    def listing_with(self, listing: ListingFacts, values: Values) -> ListingFacts:
        """Return the listing after the change."""
        return replace(listing, **self.listing_fields(values))

    def read_current(self, session: Session, target: ChangeTarget) -> dict[str, Any]:
        listing = current_listings(session, [target.product_id]).get(target.product_id)
        return {} if listing is None else self.of_listing(listing)


class WrittenChange(ListingChange):
    """A change of a listing's text. `proposals.value_problems` checks every such text alike."""

    may_break_lines: ClassVar[bool] = False
    must_be_in_listing: ClassVar[bool] = False  # the new text must already occur in it

    @abstractmethod
    def texts_of(self, values: Values) -> list[str]:
        """Return the texts in the values, one or more."""


class TextChange(WrittenChange):
    """A change of one text."""

    takes = ("text",)
    editor = Editor.TEXT
    size_unit: ClassVar[str | None] = "characters"

    def validate(self, values: Values) -> dict[str, Any]:
        return {self.key: shared.require_text(values.get(self.key))}

    def read_given(self, given: GivenValue, facts: Facts) -> dict[str, Any] | None:
        return None if given.text is None else {self.key: given.text.strip()}

    def current_in(self, facts: Facts) -> dict[str, Any]:
        return {self.key: getattr(facts.listing, self.key)}

    def of_listing(self, listing: Listing) -> dict[str, Any]:
        return {self.key: getattr(listing, self.key)}

    def texts_of(self, values: Values) -> list[str]:
        return [values[self.key]]

    def format(self, values: Values, marketplace: str) -> str:
        return str(values.get(self.key) or "")

    def format_for_edit(self, values: Values, marketplace: str) -> str:
        return self.format(values, marketplace)

    def _parse_typed(self, text: str, marketplace: str) -> dict[str, Any]:
        return {self.key: text}


class TextsChange(WrittenChange):
    """A change of several texts in their order."""

    takes = ("texts",)
    editor = Editor.LINES

    def validate(self, values: Values) -> dict[str, Any]:
        return {self.key: shared.require_texts(values.get(self.key))}

    def read_given(self, given: GivenValue, facts: Facts) -> dict[str, Any] | None:
        return {self.key: [each.strip() for each in given.texts]} if given.texts else None

    def current_in(self, facts: Facts) -> dict[str, Any]:
        known: Sequence[str] | None = getattr(facts.listing, self.key)
        return {self.key: None if known is None else list(known)}

    def of_listing(self, listing: Listing) -> dict[str, Any]:
        return {self.key: list(getattr(listing, self.key))}

    def listing_fields(self, values: Values) -> Mapping[str, Any]:
        return {self.key: tuple(map(str, values.get(self.key) or ()))}

    def texts_of(self, values: Values) -> list[str]:
        return list(values[self.key])

    def format_for_edit(self, values: Values, marketplace: str) -> str:
        return "\n".join(map(str, values.get(self.key) or ()))

    def _parse_typed(self, text: str, marketplace: str) -> dict[str, Any]:
        return {self.key: [line.strip() for line in text.splitlines() if line.strip()]}
