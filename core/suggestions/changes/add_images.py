"""A larger number of images. The seller chooses them."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.catalog.listing import Listing
from core.errors import InvalidInputError
from core.suggestions.changes import values as shared
from core.suggestions.changes.publication import RANK_EVIDENCE, ListingChange
from core.suggestions.changes.spec import GivenValue
from core.suggestions.changes.values import Values
from core.suggestions.rules import Change, Facts

MOST_IMAGES = 12


class AddImages(ListingChange):
    change = Change.ADD_IMAGES
    label = "Images"
    key = "count"
    takes = ("count",)
    usual_evidence = ("image_count", *RANK_EVIDENCE)
    competitor_figure = "image_count"
    patch_path = "/attributes/product_image_locator"
    is_made_by_hand = True
    instruction = "Add images until there are"

    def validate(self, values: Values) -> dict[str, Any]:
        complaint = "The number of images must be a whole number above 0."
        return {"count": shared.require_whole(values.get("count"), complaint)}

    def read_given(self, given: GivenValue, facts: Facts) -> dict[str, Any] | None:
        return None if given.count is None else {"count": given.count}

    def current_in(self, facts: Facts) -> dict[str, Any]:
        return {"count": facts.listing.image_count}

    def find_problems(self, proposed: Values, facts: Facts) -> Iterator[str]:
        yield from super().find_problems(proposed, facts)
        now = facts.listing.image_count
        if now is None:
            yield "The current number of images is unknown."
        elif not now < proposed["count"] <= MOST_IMAGES:
            yield f"The number of images must be above the current {now} and at most {MOST_IMAGES}."

    def of_listing(self, listing: Listing) -> dict[str, Any]:
        return {"count": len(listing.images)}

    def listing_fields(self, values: Values) -> Mapping[str, Any]:
        return {"image_count": values.get("count")}

    def format(self, values: Values, marketplace: str) -> str:
        number = values.get("count")
        return "" if number is None else f"{number} {'image' if number == 1 else 'images'}"

    def format_for_edit(self, values: Values, marketplace: str) -> str:
        return str(values.get("count", ""))

    def _parse_typed(self, text: str, marketplace: str) -> dict[str, Any]:
        number = shared.parse_number(text)
        if number != number.to_integral_value() or not 1 <= number <= MOST_IMAGES:
            raise InvalidInputError(
                f"Write how many images there should be, from 1 to {MOST_IMAGES}."
            )
        return {"count": int(number)}


SPEC = AddImages()
