"""A new price."""

from dataclasses import replace
from typing import Any

from core.catalog.marketplaces import get_marketplace
from core.catalog.models import ProductLatest
from core.catalog.money import format_price, to_decimal
from core.history.models import Snapshot
from core.suggestions.changes import values as shared
from core.suggestions.changes.publication import OfferChange, Preview
from core.suggestions.changes.spec import Editor, GivenValue
from core.suggestions.changes.values import Values
from core.suggestions.rules import Change, Facts
from core.tracking.price_caps.rules import PriceCaps


class UpdatePrice(OfferChange):
    change = Change.UPDATE_PRICE
    label = "Price"
    takes = ("amount",)
    editor = Editor.AMOUNT
    patch_path = "/attributes/purchasable_offer"
    instruction = "Set the price"
    _amount_key = "price"

    def validate(self, values: Values) -> dict[str, Any]:
        complaint = "A price must be a whole number of minor units above 0."
        return {"price": shared.require_whole(values.get("price"), complaint)}

    def read_given(self, given: GivenValue, facts: Facts) -> dict[str, Any] | None:
        return None if given.amount is None else {"price": given.amount}

    def current_in(self, facts: Facts) -> dict[str, Any]:
        return {"price": facts.price}

    def of_offer(self, offer: ProductLatest | Snapshot) -> dict[str, Any]:
        return {"price": offer.price}

    def price_after(self, price: int, proposed: Values) -> int:
        return int(proposed["price"])

    def find_cap_problem(
        self, caps: PriceCaps, reviewed: Values, price_now: int | None, new_values: Values
    ) -> str | None:
        return caps.find_problem(reviewed.get("price"), new_values.get("price"))

    def offer_fields(self, values: Values) -> dict[str, Any]:
        return {"price": values.get("price")}

    def preview(self, before: Preview, values: Values) -> Preview:
        return replace(before, price=values.get("price"))

    def format(self, values: Values, marketplace: str) -> str:
        price = values.get("price")
        return "" if price is None else format_price(price, marketplace)

    def format_for_edit(self, values: Values, marketplace: str) -> str:
        return shared.format_major_units(values.get("price"), marketplace)

    def _parse_typed(self, text: str, marketplace: str) -> dict[str, Any]:
        return {"price": shared.parse_minor_units(text, marketplace)}

    def patch_value(self, after: Values, marketplace: str) -> list[dict[str, Any]]:
        if after["price"] is None:
            return []
        place = get_marketplace(marketplace)
        # JSON has no decimal type; the shortest form of this float is the exact amount.
        amount = float(to_decimal(after["price"], place.currency))
        schedule = [{"schedule": [{"value_with_tax": amount}]}]
        offer = {"currency": place.currency, "our_price": schedule}
        return [{**offer, "marketplace_id": place.marketplace_id}]


SPEC = UpdatePrice()
