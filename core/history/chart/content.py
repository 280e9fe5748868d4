"""What the product's chart shows: chosen series, and the values behind them. Values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final

import numpy as np

from core.chart_theme import MoneyStyle
from core.history.buy_box.periods import BuyBoxPeriod
from core.history.timeline.series import Line
from core.history.timeline.snapshot_timeline import SnapshotTimeline
from core.history.timeline.timeline import Timeline


class Series(StrEnum):
    """What a chart shows on request, in the order of its chips. Values are in addresses."""

    DEALS = "Deals"
    LIST_PRICE = "List price"
    COUPONS = "Coupons"
    NEW = "New"
    USED = "Used"
    SUB_RANKS = "Sub-ranks"
    OFFERS = "Offers"
    RATING = "Rating"
    LISTING = "Listing changes"
    SUGGESTIONS = "Suggestions"
    NOTES = "Notes"
    ALERTS = "Alerts"


USUAL_SERIES: Final = frozenset(
    {
        Series.DEALS,
        Series.LIST_PRICE,
        Series.LISTING,
        Series.SUGGESTIONS,
        Series.NOTES,
        Series.ALERTS,
    }
)


@dataclass(frozen=True, slots=True)
class Deal:
    """A time with a deal. Prices in minor units; `usual` is the price before, NaN: not known."""

    since: np.datetime64
    until: np.datetime64
    price: float
    usual: float


@dataclass(frozen=True, slots=True)
class EventMark:
    """Something that happened to the product: a letter on the chart, and its text on hover.

    The text may be from outside.
    """

    at: datetime
    letter: str
    text: str


@dataclass(frozen=True, slots=True)
class Competitor:
    """A competitor's lines. The name is text from outside; `ranks` empty: of another category."""

    name: str
    prices: Line
    ranks: Line


@dataclass(frozen=True, slots=True)
class ChartContent:
    """All that is drawn of one period."""

    timeline: Timeline
    marketplace: str
    money: MoneyStyle
    zone: tzinfo
    category: str | None  # of the newest rank; text from outside
    shown: frozenset[Series] = USUAL_SERIES
    holders: Sequence[BuyBoxPeriod] = ()
    deals: Sequence[Deal] = ()
    extras: SnapshotTimeline | None = None  # what is read on request
    sub_ranks: Mapping[str, Line] = field(default_factory=dict)  # by the category's name
    events: Sequence[EventMark] = ()
    competitors: Sequence[Competitor] = ()
    is_phone: bool = False
