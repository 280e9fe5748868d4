"""Averages, lows and highs of the days before an observation, for many products at once.

Days are the marketplace's, and each day's close counts once in an average. Never commits.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from core.alerts.rules.rule import Subject
from core.database.columnar_read import Arrays, Column, read_columns

LEAST_DAYS: Final = 5  # with a value; fewer say nothing about what is usual
_FIRST_DAY: Final = date(2000, 1, 1)
_DAYS_OF_KEY: Final = 1 << 20  # more days than there are between any two dates here


class DayQuestion(NamedTuple):
    """What an observation is compared with: the days of a product before its own."""

    product_id: int
    day: date  # the observation's
    category: int | None  # of a rank: days in other categories don't count


class DayFigures(NamedTuple):
    """The figures of some days. None: too few of them have a value."""

    average: float | None
    low: int | None
    high: int | None


_UNKNOWN: Final = DayFigures(None, None, None)


class _Days(NamedTuple):
    """Columns of `product_daily` with a subject's lowest, highest and last value of a day."""

    low: str
    high: str
    close: str
    category: str = "-1"


_COLUMNS: Final[Mapping[Subject, _Days]] = {
    Subject.PRICE: _Days("price_low", "price_high", "price_close"),
    Subject.LIST_PRICE: _Days("list_price", "list_price", "list_price"),
    Subject.RANK: _Days("bsr_best", "bsr_worst", "bsr_close", "COALESCE(bsr_category_id, -1)"),
    Subject.RATING: _Days("rating", "rating", "rating"),
    Subject.RATINGS_COUNT: _Days("ratings_count", "ratings_count", "ratings_count"),
}


def read_day_figures(
    session: Session, subject: Subject, days: int, questions: Sequence[DayQuestion]
) -> list[DayFigures]:
    """Return the figures of the `days` days before each question's day."""
    if not questions or subject not in _COLUMNS:
        return [_UNKNOWN] * len(questions)
    columns = _COLUMNS[subject]
    asked = [each.day for each in questions]
    rows = read_columns(
        session,
        [
            Column("product", "product_id", "long"),
            Column("day", f"day - DATE '{_FIRST_DAY.isoformat()}'", "int"),
            Column("category", columns.category, "int"),
            Column("low", columns.low),
            Column("high", columns.high),
            Column("close", columns.close),
        ],
        "FROM product_daily WHERE product_id = ANY(%(ids)s) AND day >= %(first)s "
        f"AND day < %(last)s AND {columns.close} IS NOT NULL",
        {
            "ids": sorted({each.product_id for each in questions}),
            "first": min(asked) - timedelta(days=days),
            "last": max(asked),
        },
    )
    is_of_categories = columns.category != "-1"
    wanted = np.array(
        [
            (
                each.product_id,
                (each.day - _FIRST_DAY).days,
                -1 if each.category is None or not is_of_categories else each.category,
            )
            for each in questions
        ],
        dtype="i8",
    )
    return _compute(rows, wanted, days)


def _compute(rows: Arrays, wanted: npt.NDArray[Any], days: int) -> list[DayFigures]:
    """Return the figures by windows of a sorted array: one search and one sum for all products."""
    if not len(rows["day"]):
        return [_UNKNOWN] * len(wanted)
    products = np.unique(rows["product"])
    categories = np.unique(rows["category"])
    keys = _make_keys(rows["product"], rows["category"], products, categories) + rows["day"]
    order = np.argsort(keys, kind="stable")
    keys, close = keys[order], rows["close"][order]
    of_wanted = _make_keys(wanted[:, 0], wanted[:, 2], products, categories)
    first = np.searchsorted(keys, of_wanted + wanted[:, 1] - days)
    last = np.searchsorted(keys, of_wanted + wanted[:, 1])
    counts = last - first
    sums = np.concatenate(([0.0], np.cumsum(close)))
    is_known = counts >= min(LEAST_DAYS, days)
    averages = (sums[last] - sums[first]) / np.maximum(counts, 1)
    lows = _reduce(np.minimum, rows["low"][order], first, last)
    highs = _reduce(np.maximum, rows["high"][order], first, last)
    return [
        DayFigures(average, int(low), int(high)) if known else _UNKNOWN
        for known, average, low, high in zip(
            is_known.tolist(), averages.tolist(), lows.tolist(), highs.tolist(), strict=True
        )
    ]


def _make_keys(
    product: npt.NDArray[Any],
    category: npt.NDArray[Any],
    products: npt.NDArray[Any],
    categories: npt.NDArray[Any],
) -> npt.NDArray[Any]:
    """Return numbers that rise by product, then by category, with room for the days of each.

    What is not among the known ones gets a place that no row has.
    """
    of_product = np.searchsorted(products, product)
    of_category = np.searchsorted(categories, category)
    near = categories[np.minimum(of_category, len(categories) - 1)]
    of_category = np.where(near == category, of_category, len(categories))
    near = products[np.minimum(of_product, len(products) - 1)]
    of_product = np.where(near == product, of_product, len(products))
    keys: npt.NDArray[Any] = (of_product * (len(categories) + 1) + of_category) * _DAYS_OF_KEY
    return keys


def _reduce(
    function: np.ufunc,
    values: npt.NDArray[Any],
    first: npt.NDArray[Any],
    last: npt.NDArray[Any],
) -> npt.NDArray[Any]:
    """Return a function of the values of each window; 0 for an empty one."""
    padded = np.append(values, 0.0)
    places = np.column_stack((first, last)).ravel()
    found: npt.NDArray[Any] = function.reduceat(padded, places)[::2]
    return np.where(last > first, np.nan_to_num(found), 0.0)
