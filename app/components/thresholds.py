"""The two inputs for the thresholds above which a change is listed."""

from decimal import Decimal, InvalidOperation

import streamlit as st

from core.errors import InvalidInputError
from core.history.periods.change_detection import USUAL_RULE

_PRICE, _RANK = f"{USUAL_RULE.price_percent:g}", f"{USUAL_RULE.rank_percent:g}"


class ThresholdInputs:
    """Two inputs side by side, the defaults below them, and what was typed."""

    def __init__(self, price: Decimal | None, rank: Decimal | None, about: str) -> None:
        """Show the stored values; `about` is a sentence on what the thresholds are for."""
        left, right = st.columns(2)
        self._price = left.text_input(
            "Price change threshold (%)",
            _format_percent(price),
            placeholder=f"Default: {_PRICE}",
            help="Smaller price changes are not listed on Overview.",
        )
        self._rank = right.text_input(
            "Rank change threshold (%)",
            _format_percent(rank),
            placeholder=f"Default: {_RANK}",
            help="Smaller rank changes are not listed on Overview.",
        )
        st.caption(f"{about} Leave blank for the default. Minimum: {_PRICE} % and {_RANK} %.")
        self.without_effect = _list_ineffective(self._price, self._rank)
        for sentence in self.without_effect:
            st.warning(sentence, icon=":material/notifications_off:")

    def price(self) -> Decimal | None:
        """Return the price threshold in percent, None for the default.

        Raises InvalidInputError.
        """
        return parse_percent(self._price)

    def rank(self) -> Decimal | None:
        """Return the rank threshold in percent, None for the default. Raises InvalidInputError."""
        return parse_percent(self._rank)


def _list_ineffective(price: str, rank: str) -> list[str]:
    """Return a sentence for each typed threshold that is too low to have an effect."""
    try:
        return USUAL_RULE.list_ineffective_thresholds(parse_percent(price), parse_percent(rank))
    except InvalidInputError:
        return []  # shown when the form is saved


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
