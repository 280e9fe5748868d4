"""Two closes of many products compared: changes, movers, figures. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from statistics import fmean, median
from typing import Final

from core.history.accepted_values import AcceptedValues
from core.history.changes.comparison import find_notable_change
from core.history.observation import Availability
from core.history.periods.change_detection import ChangeKind
from core.history.periods.figures import is_won
from core.history.periods.queries import MovedValue
from core.reports.closes import ProductCloses
from core.reports.content import (
    CHANGES_SHOWN,
    MOVERS_SHOWN,
    FigureKind,
    ReportChange,
    ReportFigure,
    ReportMover,
)
from core.thresholds import Thresholds
from core.tracking.rules import Role
from core.tracking.sellers.rules import OwnSellers

Products = Sequence[ProductCloses]


@dataclass(frozen=True, slots=True)
class FoundReportChanges:
    """The worst changes, how many products changed, and by which kind."""

    worst: tuple[ReportChange, ...]
    total: int
    counts: tuple[tuple[ChangeKind, int], ...]  # most first


def find_report_changes(products: Products, team: Thresholds) -> FoundReportChanges:
    """Return the changes that reach the user's thresholds, the worst first."""
    found: list[tuple[float, int, ReportChange]] = []
    for each in products:
        thresholds = team.with_own(*each.percents)
        notable = find_notable_change(each.then, each.now, each.has_new_listing, thresholds)
        if notable is not None:
            kind, score = notable
            change = ReportChange(each.product, kind, None, each.then, each.now)
            found.append((-score, each.product.product_id, change))
    found.sort(key=lambda item: item[:2])
    counts = Counter(change.kind for _, _, change in found)
    return FoundReportChanges(
        tuple(change for _, _, change in found[:CHANGES_SHOWN]),
        len(found),
        tuple(counts.most_common()),
    )


_MOVED: Final[dict[MovedValue, Callable[[AcceptedValues], int | None]]] = {
    MovedValue.RANK: lambda values: values.bsr,
    MovedValue.PRICE: lambda values: values.price,
    MovedValue.RATINGS_COUNT: lambda values: values.ratings_count,
}


def find_report_movers(products: Products) -> tuple[ReportMover, ...]:
    """Return the products whose rank, price or count of ratings moved most, risen ones first.

    Ranks are compared within one category only.
    """
    return tuple(mover for value in _MOVED for mover in _find_extremes(products, value))


def _find_extremes(products: Products, value: MovedValue) -> list[ReportMover]:
    read = _MOVED[value]
    moves = []
    for each in products:
        before, after = read(each.then), read(each.now)
        is_comparable = value is not MovedValue.RANK or _has_same_category(each)
        if before and after and before != after and is_comparable:
            size = after - before if value is MovedValue.RATINGS_COUNT else log(after / before)
            moves.append((size, each.product, before, after))
    moves.sort(key=lambda move: (-move[0], move[1].product_id))
    rising = [move for move in moves if move[0] > 0][:MOVERS_SHOWN]
    falling = [move for move in moves if move[0] < 0][-MOVERS_SHOWN:]
    return [
        ReportMover(product, value, before, after)
        for _, product, before, after in [*rising, *falling]
    ]


def _has_same_category(each: ProductCloses) -> bool:
    return each.then.bsr_category_id == each.now.bsr_category_id


_NO_OWN: Final = "No product is marked as your own."


def compute_figures(products: Products, own: OwnSellers) -> tuple[ReportFigure, ...]:
    """Return the figures of own products, each with the reason if it is unknown.

    A competitor's rise is no gain: with both together no figure would mean anything.
    """
    products = [each for each in products if each.product.role is Role.OWN]
    if not products:
        return tuple(ReportFigure(kind, None, None, 0, _NO_OWN) for kind in FigureKind)
    return (
        _compute_median(products, FigureKind.RANK, MovedValue.RANK),
        _compute_median(products, FigureKind.PRICE, MovedValue.PRICE),
        _compute_share(
            products,
            FigureKind.BUY_BOX,
            lambda each, values: is_won(
                own, each.product.marketplace, None, values.seller, values.availability
            ),
            "The seller in the Buy Box is not known, or the products are not for sale."
            if own
            else "Your team set no own sellers.",
        ),
        _compute_share(
            products,
            FigureKind.IN_STOCK,
            lambda _each, values: _is_in_stock(values),
            "No availability was reported.",
        ),
        _compute_rating(products),
    )


def _compute_median(products: Products, kind: FigureKind, value: MovedValue) -> ReportFigure:
    ratios = list(_list_ratios(products, value))
    if not ratios:
        return ReportFigure(kind, None, None, 0, "No product has this value at both closes.")
    return ReportFigure(kind, median(ratios) - 1, None, len(ratios))


def _list_ratios(products: Products, value: MovedValue) -> Iterator[float]:
    read = _MOVED[value]
    for each in products:
        before, after = read(each.then), read(each.now)
        if before and after and (value is not MovedValue.RANK or _has_same_category(each)):
            yield after / before


def _compute_share(
    products: Products,
    kind: FigureKind,
    holds: Callable[[ProductCloses, AcceptedValues], bool | None],
    reason: str,
) -> ReportFigure:
    """Return the share of products for which something holds, of those of which it is known."""
    pairs = [(holds(each, each.then), holds(each, each.now)) for each in products]
    known = [now for _, now in pairs if now is not None]
    if not known:
        return ReportFigure(kind, None, None, 0, reason)
    both = [now - then for then, now in pairs if then is not None and now is not None]
    return ReportFigure(kind, fmean(known), fmean(both) if both else None, len(known))


_STOCKED: Final = frozenset({Availability.IN_STOCK, Availability.LIMITED})


def _is_in_stock(values: AcceptedValues) -> bool | None:
    return None if values.availability is None else values.availability in _STOCKED


def _compute_rating(products: Products) -> ReportFigure:
    known = [each.now.rating for each in products if each.now.rating is not None]
    if not known:
        return ReportFigure(FigureKind.RATING, None, None, 0, "No rating was reported.")
    both = [
        each.now.rating - each.then.rating
        for each in products
        if each.now.rating is not None and each.then.rating is not None
    ]
    change = fmean(both) if both else None
    return ReportFigure(FigureKind.RATING, fmean(known), change, len(known))
