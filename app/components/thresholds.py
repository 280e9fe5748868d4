"""From which changes on something is news: the two inputs for it, and what was typed there."""

from decimal import Decimal, InvalidOperation

import streamlit as st

from core.errors import InvalidInputError
from core.history.ingest.change_detection import USUAL_RULE

_PRICE, _RANK = f"{USUAL_RULE.price_percent:g}", f"{USUAL_RULE.rank_percent:g}"


class ThresholdInputs:
    """Two inputs beside each other, and below them what holds where they are left empty."""

    def __init__(self, price: Decimal | None, rank: Decimal | None, about: str) -> None:
        """Show what is kept; `about` says what the thresholds are for, in a sentence."""
        left, right = st.columns(2)
        self._price = left.text_input(
            "Price change threshold (%)",
            _written(price),
            placeholder=f"{_PRICE}, as usual",
            help="Smaller price changes are not listed on Overview.",
        )
        self._rank = right.text_input(
            "Rank change threshold (%)",
            _written(rank),
            placeholder=f"{_RANK}, as usual",
            help="Smaller rank changes are not listed on Overview.",
        )
        st.caption(
            f"{about} Empty: the usual {_PRICE} % and {_RANK} %, which are also the least that "
            "have an effect."
        )
        self.without_effect = _without_effect(self._price, self._rank)
        for sentence in self.without_effect:
            st.warning(sentence, icon=":material/notifications_off:")

    def price(self) -> Decimal | None:
        """Return the price's threshold in percent, None for the usual. Raises InvalidInputError."""
        return parse_percent(self._price)

    def rank(self) -> Decimal | None:
        """Return the rank's threshold in percent, None for the usual. Raises InvalidInputError."""
        return parse_percent(self._rank)


def _without_effect(price: str, rank: str) -> list[str]:
    """Say which of two typed thresholds are too low to have an effect."""
    try:
        return USUAL_RULE.ineffective(parse_percent(price), parse_percent(rank))
    except InvalidInputError:
        return []  # told when it is saved


def parse_percent(written: str) -> Decimal | None:
    """Read a percentage as a person types it; None when it is empty.

    Raises InvalidInputError.
    """
    plain = written.replace("%", "").replace(",", ".").strip()
    if not plain:
        return None
    try:
        percent = Decimal(plain)
    except InvalidOperation:
        percent = Decimal("NaN")
    if not percent.is_finite():
        raise InvalidInputError(f"“{written}” is no percentage. Write a number such as 5 or 2.5.")
    return percent


def _written(percent: Decimal | None) -> str:
    return "" if percent is None else f"{percent.normalize():f}"
