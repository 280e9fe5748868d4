"""A coupon: a percentage or an amount off the price."""

from dataclasses import replace
from typing import Any

from core.catalog.models import ProductLatest
from core.catalog.money import format_price
from core.errors import InvalidInputError
from core.history.models import Snapshot
from core.suggestions.changes import values as shared
from core.suggestions.changes.publication import (
    PRICE_EVIDENCE,
    RANK_EVIDENCE,
    OfferChange,
    Preview,
)
from core.suggestions.changes.spec import GivenValue
from core.suggestions.changes.values import Values
from core.suggestions.rules import Change, Facts
from core.text.numbers import THIN_SPACE
from core.tracking.price_caps.rules import PriceCaps

LARGEST_COUPON = 50  # percent


class SetCoupon(OfferChange):
    change = Change.SET_COUPON
    label = "Coupon"
    takes = ("percent", "amount")
    usual_evidence = ("coupon_now", *PRICE_EVIDENCE, *RANK_EVIDENCE)
    no_value = "no coupon is known"
    value_suffix = " off"
    patch_path = "/attributes/coupon"
    is_made_by_hand = True
    instruction = "Make a coupon"
    _amount_key = "amount"

    def validate(self, values: Values) -> dict[str, Any]:
        if values.get("percent") is None:
            complaint = "A coupon's amount must be a whole number of minor units above 0."
            return {"amount": shared.require_whole(values.get("amount"), complaint)}
        complaint = "A coupon's percentage must be a whole number above 0."
        percent = shared.require_whole(values["percent"], complaint)
        if percent > LARGEST_COUPON:
            raise InvalidInputError(f"A coupon can take off at most {LARGEST_COUPON} %.")
        return {"percent": percent}

    def read_given(self, given: GivenValue, facts: Facts) -> dict[str, Any] | None:
        if given.amount is not None:
            return {"amount": given.amount} if given.percent is None else None
        if given.percent is None or not given.percent.is_integer():
            return None
        return {"percent": int(given.percent)}

    def takes_text(self) -> str:
        return "This takes either percent (a whole number) or amount (money), not both."

    def current_in(self, facts: Facts) -> dict[str, Any]:
        for each in facts.evidence:
            if each.key == "coupon_now":
                return {"percent" if each.unit == "%" else "amount": each.value}
        return {"percent": None}

    def of_offer(self, offer: ProductLatest | Snapshot) -> dict[str, Any]:
        return {"percent": offer.coupon_percent, "amount": offer.coupon_amount}

    def _find_value_problem(self, proposed: Values) -> str | None:
        if not 0 < proposed.get("percent", 1) <= LARGEST_COUPON:
            return f"A coupon must take off 1 to {LARGEST_COUPON} percent."
        if proposed.get("amount", 1) <= 0:
            return "A coupon must take off an amount above 0."
        return None

    def price_after(self, price: int, proposed: Values) -> int:
        if "amount" in proposed:
            return price - int(proposed["amount"])
        return price * (100 - int(proposed["percent"])) // 100

    def find_cap_problem(
        self, caps: PriceCaps, reviewed: Values, price_now: int | None, new_values: Values
    ) -> str | None:
        return caps.find_coupon_problem(price_now, new_values)

    def offer_fields(self, values: Values) -> dict[str, Any]:
        return {"coupon_percent": values.get("percent"), "coupon_amount": values.get("amount")}

    def preview(self, before: Preview, values: Values) -> Preview:
        return replace(before, coupon=values)

    def values_of_undo(self, inverse: Values, new_values: Values) -> Values:
        # One of them may be an amount, the other a percentage.
        before = {key: value for key, value in inverse.items() if value is not None}
        return before or super().values_of_undo(inverse, new_values)

    def format(self, values: Values, marketplace: str) -> str:
        if values.get("percent") is not None:
            return f"{values['percent']}{THIN_SPACE}% off"
        amount = values.get("amount")
        return "none" if amount is None else f"{format_price(amount, marketplace)} off"

    def format_for_edit(self, values: Values, marketplace: str) -> str:
        percent = values.get("percent")
        if percent is None:
            return shared.format_major_units(values.get("amount"), marketplace)
        return f"{percent} %"

    def _parse_typed(self, text: str, marketplace: str) -> dict[str, Any]:
        if "%" not in text:
            return {"amount": shared.parse_minor_units(text, marketplace)}
        percent = shared.parse_number(text.replace("%", ""))
        if percent != percent.to_integral_value() or not 1 <= percent <= LARGEST_COUPON:
            raise InvalidInputError(
                f"A coupon must be a whole percentage from 1 to {LARGEST_COUPON}."
            )
        return {"percent": int(percent)}


SPEC = SetCoupon()
