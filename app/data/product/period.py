"""A period of a product's history, read and drawn once per state of its data.

What a page shows of a period is small; the timeline behind it is not, and is dropped
as soon as figures and statistics are made.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from threading import BoundedSemaphore
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.data import get_principal
from app.data.cache import cached_read
from app.data.prebuilt_figure import FigureBody, pack_figure
from app.data.product.chart_content import ContentKey, make_competitor_keys, read_content
from app.data.product.team_view import read_team_view
from core.catalog.marketplaces import get_marketplace
from core.database.session import read_scope
from core.history.buy_box import text as buy_box_text
from core.history.buy_box.periods import BuyBoxHistory, BuyBoxShare
from core.history.buy_box.queries import read_buy_box
from core.history.buy_box.text import PeriodRow, ShareRow
from core.history.chart import alt_text, figure
from core.history.chart.content import USUAL_SERIES, ChartContent, Series
from core.history.product_summary import HistoryKey, ProductSummary
from core.history.timeline import series, summary_text
from core.history.timeline.facts import PeriodFacts
from core.history.timeline.period import read_timeline
from core.history.timeline.series import Line
from core.history.timeline.statistics import Statistics
from core.history.timeline.summary import SummaryFigures, compute_facts, read_figures
from core.history.timeline.summary_text import SummaryRow
from core.text import locale
from core.tracking.sellers.rules import OwnSeller

CACHED_FOR: Final = 3600  # s; a new hour moves the period's edges
WHOLE_HISTORY: Final = 0  # days
MOST_COMPETITORS: Final = 5  # in one chart
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
    competitors: tuple[ProductSummary, ...] = ()
    is_phone: bool = False


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


def read_period(
    head: ProductSummary, chosen: Range, choice: ChartChoice = USUAL_CHOICE
) -> PeriodView | None:
    """Return a range of a product's history, None when nothing was ever observed."""
    if head.history_key is None:
        return None
    wanted = ContentKey(
        category_id=head.bsr_category_id,
        category=head.bsr_category or "",
        shown=choice.shown,
        team=read_team_view(head.marketplace, head.product_id, choice.shown),
        competitors=make_competitor_keys(choice.competitors),
        is_phone=choice.is_phone,
        time_zone=get_principal().time_zone,
        formats=locale.get_formats(),
    )
    return _read_period(head.history_key, chosen, wanted, head.data_version)


@cached_read(seconds=CACHED_FOR, entries=1000)
def _read_period(
    key: HistoryKey, chosen: Range, wanted: ContentKey, data_version: int
) -> PeriodView:
    del data_version  # part of the key
    now = datetime.now(UTC)
    since, until = find_ends(key, chosen.days, chosen.ends, now)
    with _DRAWING:
        with read_scope() as session:
            timeline = read_timeline(session, key, since, until)
            own_sellers = {key.marketplace: wanted.team.own_sellers}
            buy_box = read_buy_box(session, key, since, until, own_sellers)
            content = read_content(session, key, timeline, buy_box.periods, wanted)
            figures = read_figures(session, key, since, until)
        return _make_view(chosen.name, content, buy_box, figures, wanted, now)


def _make_view(
    name: str,
    content: ChartContent,
    buy_box: BuyBoxHistory,
    figures: SummaryFigures,
    wanted: ContentKey,
    now: datetime,
) -> PeriodView:
    """Draw a period and compute its figures."""
    timeline, zone = content.timeline, wanted.time_zone
    drawn: dict[str, Any] = figure.draw_chart(content)
    statistics = timeline.compute_statistics()
    facts = compute_facts(timeline, statistics, now)
    rows = summary_text.list_summary_rows(
        statistics, figures, content.marketplace, wanted.category, zone
    )
    return PeriodView(
        since=timeline.since,
        until=timeline.until,
        name=name,
        statistics=statistics,
        facts=facts,
        chart=pack_figure(drawn),
        height=drawn["layout"]["height"],
        alt=alt_text.describe_chart(content),
        missing=tuple(alt_text.list_missing(content)),
        last_price=_find_last(timeline.get_line(series.PRICE)),
        summary=SummaryView(tuple(rows), tuple(summary_text.list_facts(facts, statistics, zone))),
        buy_box=_make_buy_box_view(buy_box, content.marketplace, wanted.team.own_sellers, zone),
    )


def _make_buy_box_view(
    buy_box: BuyBoxHistory, marketplace: str, own_sellers: tuple[OwnSeller, ...], zone: str
) -> BuyBoxView:
    return BuyBoxView(
        holders=buy_box.shares,
        periods=tuple(buy_box_text.list_period_rows(buy_box, marketplace, zone)),
        shares=tuple(buy_box_text.list_share_rows(buy_box, marketplace, zone)),
        reason=None if buy_box.reason is None else str(buy_box.reason),
        has_own_sellers=bool(own_sellers),
    )


def _find_last(line: Line) -> float | None:
    newest = line.find_newest_point().values
    return float(newest[0]) if len(newest) else None


def find_ends(
    key: HistoryKey, days: int, ends: tuple[date, date] | None, now: datetime
) -> tuple[datetime, datetime]:
    """Return where a range begins and ends; the whole history begins with its first day."""
    zone = ZoneInfo(get_marketplace(key.marketplace).time_zone)
    if ends is not None:
        first, last = (datetime.combine(day, time(), zone) for day in ends)
        return first.astimezone(UTC), min((last + timedelta(days=1)).astimezone(UTC), now)
    first_day = datetime.combine(key.first_day, time(), zone).astimezone(UTC)
    return first_day if days == WHOLE_HISTORY else now - timedelta(days=days), now
