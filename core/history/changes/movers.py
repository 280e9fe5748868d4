"""The products of a list whose rank, price or ratings moved most over a period. SELECTs only."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from typing import Final

from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.money import format_price
from core.history.changes.change_query import ORDER_VALUES, ChangeQuery
from core.history.changes.comparison import ChangedProduct
from core.history.changes.period_changes import read_period_details
from core.history.changes.text import ARROW
from core.history.periods.queries import MovedValue, find_extremes
from core.history.timeline.statistics_text import count_change
from core.text.numbers import (
    format_count,
    format_percent_change,
    format_rank,
    format_rank_change,
)
from core.tracking.change_sentiment import Sentiment, rank_sentiment

_ORDERS: Final = {value: order for order, value in ORDER_VALUES.items()}


@dataclass(frozen=True, slots=True)
class Mover:
    """A product and the two values that one figure of it moved between, in the stored unit."""

    product: ChangedProduct
    value: MovedValue
    before: int
    after: int

    @property
    def size(self) -> float:
        """Return how far it moved: to the right a rank improved, other values rose.

        Ranks and prices by the logarithm to 2 of their ratio: half and double are equally far.
        Counts by their difference.
        """
        if self.value is MovedValue.RATINGS_COUNT:
            return float(self.after - self.before)
        ratio = log2(self.after / self.before)
        return -ratio if self.value is MovedValue.RANK else ratio

    @property
    def sentiment(self) -> Sentiment:
        """Return whether the move is better or worse; only a rank's or a count's is either."""
        if self.value is MovedValue.PRICE:
            return Sentiment.NEUTRAL
        if self.value is MovedValue.RANK:
            return rank_sentiment(self.product.role, self.before, self.after)
        return Sentiment.WORSE if self.after < self.before else Sentiment.NEUTRAL

    def format_step(self) -> str:
        """Write how far it moved: "▲ 3,742 (−35 %)", "−16 %", "+48"."""
        if self.value is MovedValue.RANK:
            return format_rank_change(self.before, self.after)
        if self.value is MovedValue.PRICE:
            return format_percent_change(self.before, self.after)
        return count_change(self.before, self.after)

    def format_share(self) -> str:
        """Write how far it moved in percent, a rank with its direction: "▼ +57 %"."""
        percent = format_percent_change(self.before, self.after)
        if self.value is not MovedValue.RANK:
            return percent
        return f"{'▲' if self.after < self.before else '▼'} {percent}"

    def format_values(self) -> str:
        """Write both values: "#10,735 → #6,993", "€28.99 → €24.49"."""
        return f"{self._format(self.before)} {ARROW} {self._format(self.after)}"

    def _format(self, stored: int) -> str:
        if self.value is MovedValue.RANK:
            return format_rank(stored)
        if self.value is MovedValue.PRICE:
            return format_price(stored, self.product.marketplace)
        return format_count(stored)


@requires(Permission.READ)
def list_extreme_movers(
    session: Session,
    principal: Principal,
    query: ChangeQuery,
    product_ids: Sequence[int],
    value: MovedValue,
    size: int,
) -> list[Mover]:
    """Return the movers of a period, at most `size` to each side, the largest rise first.

    A risen rank is a worse one. `product_ids`: of a list of the principal's. `query`: its period
    and scope count.
    """
    if query.period is None:
        return []
    asked = ChangeQuery(query.since, False, query.scope, order=_ORDERS[value], period=query.period)
    ids = find_extremes(session, principal, product_ids, query.period, value, size)
    rows = read_period_details(session, principal, asked, query.period, ids)
    return make_movers(rows, value)


def make_movers(rows: Sequence[ChangedProduct], value: MovedValue) -> list[Mover]:
    """Return the products with a change of a value as movers, in their order."""
    pairs = ((row, *_values_of(row, value)) for row in rows)
    return [
        Mover(row, value, before, after)
        for row, before, after in pairs
        if before and after and before != after
    ]


def _values_of(row: ChangedProduct, value: MovedValue) -> tuple[int | None, int | None]:
    if value is MovedValue.RANK:
        return row.then.bsr, row.now.bsr
    if value is MovedValue.PRICE:
        return row.then.price, row.now.price
    return row.then.ratings_count, row.now.ratings_count
