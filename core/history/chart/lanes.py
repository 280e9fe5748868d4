"""The lanes of the product's chart, from top to bottom on one time axis. Pure numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.history.buy_box.holders import HolderState
from core.history.chart.content import ChartContent, Series


class Lane(StrEnum):
    """A lane, named as its value axis."""

    EVENTS = "y4"
    PRICE = "y"
    BUY_BOX = "y3"
    RANK = "y2"
    OFFERS = "y5"
    RATING = "y6"
    RATINGS = "y7"

    @property
    def axis(self) -> str:
        """Return the key of the axis in a layout."""
        return "yaxis" + self.value[1:]


_HEIGHTS: Final[Mapping[Lane, int]] = {  # px
    Lane.EVENTS: 22,
    Lane.PRICE: 190,
    Lane.BUY_BOX: 16,
    Lane.RANK: 150,
    Lane.OFFERS: 64,
    Lane.RATING: 64,
    Lane.RATINGS: 64,
}
_SPACE_ABOVE: Final[Mapping[Lane, int]] = {Lane.BUY_BOX: 30, Lane.EVENTS: 0, Lane.PRICE: 18}
_USUAL_SPACE: Final = 18
TOP, BOTTOM, PHONE_TOP = 44, 46, 10  # px of legend and dates; a phone has no legend


@dataclass(frozen=True, slots=True)
class Lanes:
    """Where each lane is: its part of the plot's height, from the bottom."""

    domains: Mapping[Lane, tuple[float, float]]
    plot: int  # px
    top: int  # px

    @property
    def height(self) -> int:
        """Return the figure's height in px."""
        return self.plot + self.top + BOTTOM


def place_lanes(shown: frozenset[Series], *, has_buy_box: bool, is_phone: bool) -> Lanes:
    """Return the lanes of a chart; its height is known before anything is read."""
    chosen = [Lane.EVENTS, Lane.PRICE]
    chosen += [Lane.BUY_BOX] if has_buy_box else []
    chosen += [Lane.RANK]
    chosen += [Lane.OFFERS] if Series.OFFERS in shown else []
    chosen += [Lane.RATING, Lane.RATINGS] if Series.RATING in shown else []
    return _stack(chosen, PHONE_TOP if is_phone else TOP)


def lanes_of(content: ChartContent) -> Lanes:
    """Return the lanes of a content."""
    has_buy_box = any(each.holder.state is HolderState.SELLER for each in content.holders)
    return place_lanes(content.shown, has_buy_box=has_buy_box, is_phone=content.is_phone)


def _stack(chosen: Sequence[Lane], top: int) -> Lanes:
    spaces = [0, *(_SPACE_ABOVE.get(lane, _USUAL_SPACE) for lane in chosen[1:])]
    plot = sum(spaces) + sum(_HEIGHTS[lane] for lane in chosen)
    domains, at = {}, plot
    for lane, space in zip(chosen, spaces, strict=True):
        at -= space
        domains[lane] = ((at - _HEIGHTS[lane]) / plot, at / plot)
        at -= _HEIGHTS[lane]
    domains[chosen[-1]] = (0.0, domains[chosen[-1]][1])
    return Lanes(domains, plot, top)
