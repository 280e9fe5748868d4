"""The summary of a period: its facts, and the figures that only the summary shows.

Everything is computed from timelines; `read_figures` reads those that it needs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from core.catalog.service import category_names
from core.history.observation import Kind
from core.history.product_summary import HistoryKey
from core.history.timeline import facts, queries, series
from core.history.timeline.facts import PeriodFacts
from core.history.timeline.period import read_timeline
from core.history.timeline.series import Field
from core.history.timeline.snapshot_timeline import SnapshotTimeline
from core.history.timeline.statistics import (
    FieldStatistics,
    Measure,
    MissingReason,
    Statistics,
    missing_statistics,
)
from core.history.timeline.timeline import Timeline, to_array_time

TRAILING = timedelta(days=90)  # of the average that is the same for every range
_COLUMNS = ("offers_new", "sub_rank", "sub_category")


@dataclass(frozen=True, slots=True)
class TrailingAverages:
    """Averages of the 90 days before the period's end, weighted by time."""

    price: Measure
    list_price: Measure
    rank: Measure
    sub_rank: Measure
    rating: Measure
    ratings_count: Measure
    offers: Measure


@dataclass(frozen=True, slots=True)
class SummaryFigures:
    """The figures of a summary beside the statistics of the period."""

    offers: FieldStatistics  # new offers
    sub_rank: FieldStatistics  # in its newest category
    sub_category: str | None  # text from outside; None: no sub rank
    averages: TrailingAverages


def compute_facts(timeline: Timeline, found: Statistics, now: datetime) -> PeriodFacts:
    """Return the facts of a period. `found`: the timeline's statistics."""
    price = timeline.get_line(series.PRICE)
    until = timeline.find_held_until(series.PRICE)
    states = timeline.find_states()
    by_day = Measure(None, MissingReason.ONLY_DAYS)
    return PeriodFacts(
        out_of_stock=facts.share_of_states(states, facts.OUT_OF_STOCK),
        suppressed=by_day
        if timeline.is_by_day
        else facts.share_of_states(states, facts.SUPPRESSED),
        price_changes_per_week=facts.changes_per_week(price, until, found.price.changes),
        price_percentile=facts.share_below(price, until, found.price.now),
        days_since_price_change=facts.days_since_change(price, now),
        rank_drops=by_day
        if timeline.is_by_day
        else facts.count_drops(timeline.get_comparable_ranks()),
    )


def read_figures(
    session: Session, key: HistoryKey, since: datetime, until: datetime
) -> SummaryFigures:
    """Return the figures of a period that need reads of their own.

    Offers and sub ranks are read by snapshot, also of long periods, as far as snapshots are kept.
    """
    recent_since = until - TRAILING
    recent = read_timeline(session, key, recent_since, until)
    start = min(since, recent_since)
    arrays = queries.extra_columns(session, key.product_id, start, until, key.first_day, _COLUMNS)
    extras = SnapshotTimeline(
        arrays | {"bsr": arrays["sub_rank"], "bsr_category": arrays["sub_category"]}, start, until
    )
    category = extras.find_newest_category()
    names = {} if category is None else category_names(session, [category])
    shown = _begin_at(extras, since)
    return SummaryFigures(
        offers=shown.compute_field_statistics(series.OFFERS),
        sub_rank=missing_statistics(MissingReason.NOT_REPORTED)
        if category is None
        else shown.compute_field_statistics(series.RANK),
        sub_category=None if category is None else names.get(category),
        averages=TrailingAverages(
            price=_average(recent, series.PRICE, recent_since),
            list_price=_average(recent, series.LIST_PRICE, recent_since),
            rank=_average(recent, series.RANK, recent_since),
            sub_rank=_average(extras, series.RANK, recent_since),
            rating=_average(recent, series.RATING, recent_since),
            ratings_count=_average(recent, series.RATINGS_COUNT, recent_since),
            offers=_average(extras, series.OFFERS, recent_since),
        ),
    )


def _average(timeline: Timeline, field: Field, since: datetime) -> Measure:
    line = timeline.get_comparable_ranks() if field is series.RANK else timeline.get_line(field)
    if line.is_empty:
        return timeline.compute_field_statistics(field).average
    return facts.average_since(line, timeline.find_held_until(field), to_array_time(since))


def _begin_at(timeline: SnapshotTimeline, since: datetime) -> SnapshotTimeline:
    """Return the later part of a timeline; a change before it holds at its beginning."""
    begin = to_array_time(since)
    place = int(np.searchsorted(timeline.times, begin))
    if place and timeline.columns["kind"][place - 1] == Kind.CHANGE:
        place -= 1
    columns = {name: values[place:] for name, values in timeline.columns.items()}
    times = np.maximum(columns["captured_at"], begin)
    return SnapshotTimeline(columns | {"captured_at": times}, since, timeline.until)
