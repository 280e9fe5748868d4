"""The two inputs for the thresholds above which a change is listed."""

from decimal import Decimal, InvalidOperation

import streamlit as st

from core.errors import InvalidInputError
from core.thresholds import Thresholds


class ThresholdInputs:
    """Two inputs side by side, the defaults below them, and what was typed."""

    def __init__(
        self, price: Decimal | None, rank: Decimal | None, team: Thresholds, about: str
    ) -> None:
        """Show the stored values; `about` is a sentence on what the thresholds are for."""
        left, right = st.columns(2)
        self._price = left.text_input(
            "Price change threshold (%)",
            _format_percent(price),
            placeholder=f"Team's default: {_format_percent(team.price_percent)}",
            help="Smaller price changes are not listed on Overview, and open no alert.",
        )
        self._rank = right.text_input(
            "Rank change threshold (%)",
            _format_percent(rank),
            placeholder=f"Team's default: {_format_percent(team.rank_percent)}",
            help="Smaller rank changes are not listed on Overview, and open no alert. From #100, "
            "50 % is #150 or worse, or #66 or better.",
        )
        st.caption(f"{about} Leave blank for the team's default.")

    def price(self) -> Decimal | None:
        """Return the price threshold in percent, None for the default.

        Raises InvalidInputError.
        """
        return parse_percent(self._price)

    def rank(self) -> Decimal | None:
        """Return the rank threshold in percent, None for the default. Raises InvalidInputError."""
        return parse_percent(self._rank)


def parse_percent(typed: str) -> Decimal | None:
    """Return a typed percentage, None when it is empty. Raises InvalidInputError."""
    plain = typed.replace("%", "").replace(",", ".").strip()
    if not plain:
        return None
    try:
        percent = Decimal(plain)
    except InvalidOperation:
        percent = Decimal("NaN")
    if not percent.is_finite():
        raise InvalidInputError(f"“{typed}” is no percentage. Write a number such as 5 or 2.5.")
    return percent


def _format_percent(percent: Decimal | None) -> str:
    return "" if percent is None else f"{percent.normalize():f}"
