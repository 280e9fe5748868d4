"""The limits of a product's price. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PriceCaps:
    """The lowest and highest price of a product, and the largest change at once. None: no limit."""

    floor: int | None = None
    ceiling: int | None = None
    step_percent: float = 15.0

    def find_problem(self, current: int | None, proposed: object) -> str | None:
        """Return why a proposed price (minor units) breaks the limits, None if it keeps them."""
        if isinstance(proposed, bool) or not isinstance(proposed, int) or proposed <= 0:
            return "A price is a whole amount above 0."
        if self.floor is not None and proposed < self.floor:
            return "The price is below the product's floor."
        if self.ceiling is not None and proposed > self.ceiling:
            return "The price is above the product's ceiling."
        if current is not None and abs(proposed - current) * 100 > self.step_percent * current:
            return f"The price moves by more than {self.step_percent:g} % at once."
        return None

    def find_coupon_problem(self, price: int | None, values: Mapping[str, Any]) -> str | None:
        """Return why a coupon's price is below the floor or not above 0, None if it is allowed."""
        if price is None:
            return "Without a known price a coupon can't be checked against the floor."
        amount = values.get("amount")
        paid = price * (100 - values["percent"]) / 100 if amount is None else price - amount
        if paid <= 0 or (self.floor is not None and paid < self.floor):
            return "With this coupon the price is below the product's floor."
        return None
