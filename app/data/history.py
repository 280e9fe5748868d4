"""A product's history, read and drawn once per state of its data.

What a page shows of a period is small; the timeline behind it is not, and is dropped
as soon as figures and statistics are made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from threading import BoundedSemaphore
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.data import get_principal
from app.data.cache import cached_read
from app.data.prebuilt_figure import FigureBody, pack_figure
from app.data.products import get_cache_token
from core.accounts.access.permissions import Principal
from core.alerts.incidents import queries as incident_queries
from core.alerts.incidents.incident_filter import LARGEST_PAGE, IncidentFilter
from core.catalog.marketplaces import get_marketplace
from core.catalog.service import category_names
from core.chart_theme import money_style
from core.database.session import read_scope
from core.history import product_summary
from core.history.buy_box import text as buy_box_text
from core.history.buy_box.periods import BuyBoxShare
from core.history.buy_box.queries import read_buy_box
from core.history.buy_box.text import PeriodRow, ShareRow
from core.history.chart import alt_text, deals, extra_lines, figure, range_strip
from core.history.chart.content import (
    USUAL_SERIES,
    ChartContent,
    Competitor,
    Deal,
    EventMark,
    Series,
)
from core.history.current import further_values
from core.history.current.competitor_values import list_competitors
from core.history.current.further_values import FurtherValues
from core.history.notes import queries as note_queries
from core.history.notes.queries import Note
from core.history.product_summary import HistoryKey, ProductSummary
from core.history.timeline import period, queries, series, summary_text
from core.history.timeline.facts import PeriodFacts
from core.history.timeline.queries import ListingText
from core.history.timeline.series import Line
from core.history.timeline.snapshot_timeline import SnapshotTimeline
from core.history.timeline.statistics import Statistics
from core.history.timeline.summary import compute_facts, read_figures
from core.history.timeline.summary_text import SummaryRow
from core.history.timeline.timeline import Timeline
from core.suggestions.review import queries as review_queries
from core.text import locale as formats
from core.text.locale import Formats
from core.tracking.sellers.queries import read_own_sellers
from core.tracking.sellers.rules import OwnSeller

CACHED_FOR: Final = 3600  # s; a new hour moves the period's edges
ALERTS_SINCE: Final = timedelta(days=366)  # older ones are not marked
WHOLE_HISTORY: Final = 0  # days
MOST_COMPETITORS: Final = 5  # in one chart
_RIVAL_POINTS: Final = 300  # of a competitor's line
# One reads while another draws; more at once would only compete for Python's lock.
_DRAWING = BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Range:
    """The chosen range: the last `days` (0: all), or from one day of the marketplace to another."""

    days: int
    name: str  # "the last 90 days"
    ends: tuple[date, date] | None = None  # the first and the last day; None: `days` decides


@dataclass(frozen=True, slots=True)
class ChartChoice:
    """What the chart shows beside price, Buy Box and rank."""

    shown: frozenset[Series] = USUAL_SERIES
    rivals: tuple[ProductSummary, ...] = ()
    is_phone: bool = False


@dataclass(frozen=True, slots=True)
class Rival:
    """A competitor that can be drawn beside the product. The name is text from outside."""

    marketplace: str
    asin: str
    name: str


USUAL_CHOICE: Final = ChartChoice()


@dataclass(frozen=True, slots=True)
class SummaryView:
    """The summary of a period as the page shows it."""

    rows: tuple[SummaryRow, ...]
    facts: tuple[tuple[str, str], ...]  # names and texts


@dataclass(frozen=True, slots=True)
class BuyBoxView:
    """Who held the Buy Box in a period, as its tab shows it."""

    holders: tuple[BuyBoxShare, ...]  # largest share first
    periods: tuple[PeriodRow, ...]  # newest first
    shares: tuple[ShareRow, ...]  # largest first
    reason: str | None  # why there are none
    has_own_sellers: bool  # the team named its sellers in this marketplace


@dataclass(frozen=True, slots=True)
class PeriodView:
    """What pages show of a product's period."""

    since: datetime
    until: datetime
    name: str  # "the last 90 days"
    statistics: Statistics
    facts: PeriodFacts
    chart: FigureBody
    height: int  # px, of the chart
    alt: str
    last_price: float | None  # the last known one, minor units
    summary: SummaryView
    buy_box: BuyBoxView
    missing: tuple[str, ...] = ()  # sentences on chosen series without a value


def find_product_summary(marketplace: str, asin: str) -> ProductSummary | None:
    """Return a product as the user sees it now. Never cached: it carries the data version."""
    with read_scope() as session:
        return product_summary.find_product_summary(session, get_principal(), marketplace, asin)


def read_period(
    head: ProductSummary, chosen: Range, choice: ChartChoice = USUAL_CHOICE
) -> PeriodView | None:
    """Return a range of a product's history, None when nothing was ever observed."""
    if head.history_key is None:
        return None
    who = get_principal()
    own, events = _read_team_view(
        who, head.marketplace, head.product_id, choice.shown, get_cache_token()
    )
    rivals = tuple(
        (each.history_key, each.title or each.asin, each.bsr_category_id, each.data_version)
        for each in choice.rivals
        if each.history_key is not None
    )
    return _read_period(
        head.history_key,
        chosen.days,
        chosen.ends,
        chosen.name,
        (head.bsr_category_id, head.bsr_category or ""),
        tuple(sorted(choice.shown)),
        own,
        events,
        rivals,
        choice.is_phone,
        who.time_zone,
        formats.get_formats(),
        head.data_version,
    )


Sellers = tuple[tuple[str | None, str | None], ...]  # ids and names
Events = tuple[tuple[datetime, str, str], ...]  # as in EventMark


@cached_read(seconds=30, entries=1000)
def _read_team_view(
    who: Principal, marketplace: str, product_id: int, shown: frozenset[Series], token: str
) -> tuple[Sellers, Events]:
    """Return a team's own sellers and its events, which change without the product's data.

    As of half a minute ago at most; a user's own actions show at once.
    """
    del token  # part of the key
    events: list[tuple[datetime, str, str]] = []
    with read_scope() as session:
        own = read_own_sellers(session, who.team_id).get(marketplace, ())
        if Series.NOTES in shown:
            notes = note_queries.list_notes(session, who, product_id)
            events += [(note.noted_at, "N", f"{note.body} ({note.author})") for note in notes]
        if Series.SUGGESTIONS in shown:
            applied = review_queries.list_applied_changes(session, who, product_id)
            events += [(at, "S", f"Applied: {title}") for at, title in applied]
        if Series.ALERTS in shown:
            events += _list_alerts(session, who, product_id)
    return tuple((each.seller_id, each.name) for each in own), tuple(events)


def _list_alerts(
    session: Session, who: Principal, product_id: int
) -> list[tuple[datetime, str, str]]:
    """Return the newest alerts of a product as events; of withdrawn ones none."""
    now = datetime.now(UTC)
    wanted, period = IncidentFilter(product_id=product_id), (now - ALERTS_SINCE, now)
    found = incident_queries.find_incidents(session, who, wanted, period, now, 0, LARGEST_PAGE)
    return [
        (row.opened_at, "A", f"{row.name_rule()}: {row.describe(who.time_zone, now)}")
        for row in found.rows
        if row.withdrawn_at is None
    ]


def list_rivals(product_id: int) -> list[Rival]:
    """Return the competitors that the team chose for a product, the earliest choice first."""
    return _list_rivals(get_principal(), product_id, get_cache_token())


@cached_read(seconds=30, entries=1000)
def _list_rivals(who: Principal, product_id: int, token: str) -> list[Rival]:
    del token  # part of the key
    with read_scope() as session:
        rows = list_competitors(session, who, product_id)
    return [Rival(row.marketplace, row.asin, row.title or row.asin) for row in rows]


def list_notes(product_id: int) -> list[Note]:
    """Return the team's notes on a product, newest first. Never cached."""
    with read_scope() as session:
        return note_queries.list_notes(session, get_principal(), product_id)


@cached_read(seconds=CACHED_FOR, entries=1000)
def _read_period(
    key: HistoryKey,
    days: int,
    ends: tuple[date, date] | None,
    name: str,
    category: tuple[int | None, str],
    shown: tuple[Series, ...],
    own: Sellers,
    events: Events,
    rivals: tuple[tuple[HistoryKey, str, int | None, int], ...],
    is_phone: bool,
    zone: str,
    written: Formats,
    data_version: int,
) -> PeriodView:
    del data_version  # part of the key
    now = datetime.now(UTC)
    since, until = _find_ends(key, days, ends, now)
    place = get_marketplace(key.marketplace)
    money = money_style(
        place.currency, written.locale_of_money(place.locale), written.has_currency_code
    )
    chosen = frozenset(shown)
    own_sellers = {key.marketplace: tuple(OwnSeller(*each) for each in own)}
    with _DRAWING:
        with read_scope() as session:
            timeline = period.read_timeline(session, key, since, until)
            buy_box = read_buy_box(session, key, since, until, own_sellers)
            extras, sub_ranks = _read_extras(session, key, since, until, chosen)
            marks = [EventMark(*each) for each in events]
            content = ChartContent(
                timeline=timeline,
                marketplace=key.marketplace,
                money=money,
                zone=ZoneInfo(zone),
                category=category[1] if category[0] == timeline.find_newest_category() else None,
                shown=chosen,
                holders=buy_box.periods,
                deals=_read_deals(session, key, timeline, chosen),
                extras=extras,
                sub_ranks=sub_ranks,
                events=[*marks, *_list_own_events(session, key, timeline, chosen)],
                competitors=[
                    _read_rival(session, each, category[0], since, until) for each in rivals
                ],
                is_phone=is_phone,
            )
            more = read_figures(session, key, since, until)
        drawn, statistics = figure.draw_chart(content), timeline.compute_statistics()
        facts = compute_facts(timeline, statistics, now)
        rows = summary_text.list_summary_rows(statistics, more, key.marketplace, category[1], zone)
        return PeriodView(
            since=since,
            until=until,
            name=name,
            statistics=statistics,
            facts=facts,
            chart=pack_figure(drawn),
            height=drawn["layout"]["height"],
            alt=alt_text.describe_chart(content),
            missing=tuple(alt_text.list_missing(content)),
            last_price=_find_last(timeline.get_line(series.PRICE)),
            summary=SummaryView(
                tuple(rows), tuple(summary_text.list_facts(facts, statistics, zone))
            ),
            buy_box=BuyBoxView(
                holders=buy_box.shares,
                periods=tuple(buy_box_text.list_period_rows(buy_box, key.marketplace, zone)),
                shares=tuple(buy_box_text.list_share_rows(buy_box, key.marketplace, zone)),
                reason=None if buy_box.reason is None else str(buy_box.reason),
                has_own_sellers=bool(own),
            ),
        )


def _find_ends(
    key: HistoryKey, days: int, ends: tuple[date, date] | None, now: datetime
) -> tuple[datetime, datetime]:
    """Return where a range begins and ends; the whole history begins with its first day."""
    zone = ZoneInfo(get_marketplace(key.marketplace).time_zone)
    if ends is not None:
        first, last = (datetime.combine(day, time(), zone) for day in ends)
        return first.astimezone(UTC), min((last + timedelta(days=1)).astimezone(UTC), now)
    first_day = datetime.combine(key.first_day, time(), zone).astimezone(UTC)
    return first_day if days == WHOLE_HISTORY else now - timedelta(days=days), now


def _read_extras(
    session: Session,
    key: HistoryKey,
    since: datetime,
    until: datetime,
    shown: frozenset[Series],
) -> tuple[SnapshotTimeline | None, dict[str, Line]]:
    """Return what is read on request: further columns, and lines of sub ranks by category."""
    columns = extra_lines.find_columns(shown)
    if not columns:
        return None, {}
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


def _read_rival(
    session: Session,
    rival: tuple[HistoryKey, str, int | None, int],
    category: int | None,
    since: datetime,
    until: datetime,
) -> Competitor:
    """Return a competitor's lines; ranks only of the product's own category."""
    key, name, rival_category, _ = rival
    timeline = period.read_timeline(session, key, since, until, (series.PRICE, series.RANK))
    is_comparable = category is not None and rival_category == category
    ranks = timeline.get_comparable_ranks() if is_comparable else Line.make_empty()
    prices = timeline.get_line(series.PRICE).thin_points(_RIVAL_POINTS)
    return Competitor(name, prices, ranks.thin_points(_RIVAL_POINTS))


def _find_last(line: Line) -> float | None:
    newest = line.find_newest_point().values
    return float(newest[0]) if len(newest) else None


def read_further_values(head: ProductSummary) -> FurtherValues:
    """Return the newest values that lists don't keep."""
    return _read_further_values(head.product_id, head.data_version)


@cached_read(seconds=CACHED_FOR, entries=1000)
def _read_further_values(product_id: int, data_version: int) -> FurtherValues:
    del data_version  # part of the key
    with read_scope() as session:
        return further_values.read_further_values(session, product_id)


def read_strip(head: ProductSummary, period: PeriodView) -> FigureBody | None:
    """Return the range strip; None for a history of less than two days."""
    if head.history_key is None or head.first_day is None:
        return None
    return _read_strip(head.history_key, period.since, period.until, head.data_version)


@cached_read(seconds=CACHED_FOR, entries=1000)
def _read_strip(
    key: HistoryKey, since: datetime, until: datetime, data_version: int
) -> FigureBody | None:
    whole = _find_ends(key, WHOLE_HISTORY, None, datetime.now(UTC))
    if whole[1] - whole[0] < timedelta(days=2):
        return None
    line, color = _read_strip_line(key, data_version)
    return pack_figure(range_strip.draw_strip(line, color, whole, (since, until)))


@cached_read(seconds=CACHED_FOR, entries=1000)
def _read_strip_line(key: HistoryKey, data_version: int) -> tuple[Line, str]:
    del data_version  # part of the key
    whole = _find_ends(key, WHOLE_HISTORY, None, datetime.now(UTC))
    first, last = period.days_between(key.marketplace, *whole)
    with read_scope() as session:
        lines = period.read_days(session, key, first, last)
    return range_strip.make_strip_line(
        lines.get_line(series.PRICE).thin_points(range_strip.MOST_POINTS),
        lines.get_line(series.RANK).thin_points(range_strip.MOST_POINTS),
    )


@cached_read(seconds=CACHED_FOR, entries=200)
def list_listing_versions(product_id: int, data_version: int) -> list[ListingText]:
    """Return the versions of a listing, newest first."""
    del data_version  # part of the key
    with read_scope() as session:
        return queries.listing_versions(session, product_id)


@cached_read(seconds=CACHED_FOR, entries=200)
def count_snapshots(product_id: int, since: datetime, until: datetime, data_version: int) -> int:
    """Return how many snapshots a period has."""
    del data_version  # part of the key
    with read_scope() as session:
        return queries.count_snapshots(session, product_id, since, until)


def list_snapshots(
    product_id: int, since: datetime, until: datetime, *, offset: int = 0, limit: int | None = 100
) -> list[dict[str, Any]]:
    """Return the stored snapshots of a period, newest first."""
    with read_scope() as session:
        return queries.snapshot_page(session, product_id, since, until, offset=offset, limit=limit)
