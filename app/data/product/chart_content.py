"""What a product's chart shows of a period: the chosen series, events and competitors."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.data.product.team_view import TeamView
from core.catalog.marketplaces import get_marketplace
from core.catalog.service import category_names
from core.chart_theme import money_style
from core.history.buy_box.periods import BuyBoxPeriod
from core.history.chart import deals, extra_lines
from core.history.chart.content import ChartContent, Competitor, Deal, EventMark, Series
from core.history.product_summary import HistoryKey, ProductSummary
from core.history.timeline import period, queries, series
from core.history.timeline.series import Line
from core.history.timeline.snapshot_timeline import SnapshotTimeline
from core.history.timeline.timeline import Timeline
from core.text.locale import Formats

_COMPETITOR_POINTS = 300  # of a competitor's line


@dataclass(frozen=True, slots=True)
class CompetitorKey:
    """What a competitor's lines are read by. The name is text from outside."""

    history: HistoryKey
    name: str
    category_id: int | None  # of its newest rank
    data_version: int


@dataclass(frozen=True, slots=True)
class ContentKey:
    """What a chart's content is read by, beside the product's own data."""

    category_id: int | None  # of the product's newest rank
    category: str  # its name, text from outside; empty: none
    shown: frozenset[Series]
    team: TeamView
    competitors: tuple[CompetitorKey, ...]
    is_phone: bool
    time_zone: str
    formats: Formats


def make_competitor_keys(heads: Sequence[ProductSummary]) -> tuple[CompetitorKey, ...]:
    """Return the keys of competitors that were ever observed."""
    return tuple(
        CompetitorKey(key, head.title or head.asin, head.bsr_category_id, head.data_version)
        for head in heads
        if (key := head.history_key) is not None
    )


def read_content(
    session: Session,
    key: HistoryKey,
    timeline: Timeline,
    holders: Sequence[BuyBoxPeriod],
    wanted: ContentKey,
) -> ChartContent:
    """Return all that is drawn of a timeline's period."""
    place = get_marketplace(key.marketplace)
    extras, sub_ranks = _read_extras(session, key, timeline, wanted.shown)
    is_named = wanted.category_id == timeline.find_newest_category()
    return ChartContent(
        timeline=timeline,
        marketplace=key.marketplace,
        money=money_style(
            place.currency,
            wanted.formats.locale_of_money(place.locale),
            wanted.formats.has_currency_code,
        ),
        zone=ZoneInfo(wanted.time_zone),
        category=wanted.category if is_named else None,
        shown=wanted.shown,
        holders=holders,
        deals=_read_deals(session, key, timeline, wanted.shown),
        extras=extras,
        sub_ranks=sub_ranks,
        events=[*wanted.team.events, *_list_own_events(session, key, timeline, wanted.shown)],
        competitors=[
            _read_competitor(session, each, wanted.category_id, timeline)
            for each in wanted.competitors
        ],
        is_phone=wanted.is_phone,
    )


def _read_extras(
    session: Session, key: HistoryKey, timeline: Timeline, shown: frozenset[Series]
) -> tuple[SnapshotTimeline | None, dict[str, Line]]:
    """Return what is read on request: further columns, and lines of sub ranks by category."""
    columns = extra_lines.find_columns(shown)
    if not columns:
        return None, {}
    since, until = timeline.since, timeline.until
    arrays = queries.extra_columns(session, key.product_id, since, until, key.first_day, columns)
    extras = SnapshotTimeline(arrays, since, until)
    if Series.SUB_RANKS not in shown:
        return extras, {}
    further = queries.further_rank_columns(session, key.product_id, since, until)
    chosen = extra_lines.list_sub_categories(extras, further)
    names = category_names(session, chosen)
    return extras, {
        names.get(each, "a sub-category"): extra_lines.make_sub_rank(extras, further, each)
        for each in chosen
    }


def _read_deals(
    session: Session, key: HistoryKey, timeline: Timeline, shown: frozenset[Series]
) -> Sequence[Deal]:
    if Series.DEALS not in shown:
        return ()
    rows = queries.deal_columns(session, key.product_id, timeline.since, timeline.until)
    return deals.find_deals(timeline, rows)


def _list_own_events(
    session: Session, key: HistoryKey, timeline: Timeline, shown: frozenset[Series]
) -> list[EventMark]:
    """Return the events that the product's own data hold."""
    runs = period.list_named_rank_categories(session, timeline)
    events = [
        EventMark(at, "C", f"Rank category changed to {name or 'one without a name'}")
        for at, name in runs[1:]
    ]
    if Series.LISTING in shown:
        changes = queries.listing_changes(session, key.product_id, timeline.since)
        events += [EventMark(at, "L", "Listing changed") for at in changes]
    return events


def _read_competitor(
    session: Session, competitor: CompetitorKey, category_id: int | None, own: Timeline
) -> Competitor:
    """Return a competitor's lines; ranks only of the product's own category."""
    timeline = period.read_timeline(
        session, competitor.history, own.since, own.until, (series.PRICE, series.RANK)
    )
    is_comparable = category_id is not None and competitor.category_id == category_id
    ranks = timeline.get_comparable_ranks() if is_comparable else Line.make_empty()
    prices = timeline.get_line(series.PRICE).thin_points(_COMPETITOR_POINTS)
    return Competitor(competitor.name, prices, ranks.thin_points(_COMPETITOR_POINTS))
