"""The charts of the tab Analysis, drawn once per state of a product's data."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from app.data.cache import cached_read
from app.data.prebuilt_figure import FigureBody, pack_figure
from app.data.product.period import CACHED_FOR
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_price
from core.chart_theme import PRICE, RANK, money_style
from core.database.session import read_scope
from core.history.analysis import charts, text
from core.history.analysis.charts import Measured
from core.history.analysis.correlation import correlate
from core.history.analysis.days import ProductDays, make_days, split_by_year, spread_by_month
from core.history.product_summary import HistoryKey, ProductSummary
from core.history.timeline import queries
from core.history.timeline.period import days_between
from core.history.timeline.series import Floats
from core.text import locale as formats
from core.text.locale import Formats
from core.text.numbers import format_rank

_CALENDAR = timedelta(days=371)  # 53 weeks


@dataclass(frozen=True, slots=True)
class DrawnFinding:
    """A chart and what it shows; None: the sentence says why there is no chart."""

    chart: FigureBody | None
    finding: str
    height: int = charts.CHART_HEIGHT  # px


@dataclass(frozen=True, slots=True)
class AnalysisView:
    """A product's days in four charts; the last has price and rank, the others one of them."""

    calendar: DrawnFinding
    months: DrawnFinding
    years: DrawnFinding
    price_and_rank: DrawnFinding


def read_analysis(head: ProductSummary, *, of_rank: bool) -> AnalysisView | None:
    """Return the analysis of a product's rank or price, None if no day has a value of it."""
    if head.history_key is None:
        return None
    return _read_analysis(head.history_key, of_rank, formats.get_formats(), head.data_version)


@cached_read(seconds=CACHED_FOR, entries=200)
def _read_analysis(
    key: HistoryKey, of_rank: bool, written: Formats, data_version: int
) -> AnalysisView | None:
    del data_version  # part of the key
    now = datetime.now(UTC)
    # Today is not over: it has no close yet.
    last = days_between(key.marketplace, now, now)[1] - timedelta(days=1)
    with read_scope() as session:
        columns = queries.daily_columns(session, key.product_id, key.first_day, last)
    days = make_days(columns)
    values = days.ranks if of_rank else days.prices
    if np.isnan(values).all():
        return None
    place = get_marketplace(key.marketplace)
    money = money_style(
        place.currency, written.locale_of_money(place.locale), written.has_currency_code
    )
    price = Measured("price", PRICE, False, lambda amount: format_price(amount, place.code), money)
    rank = Measured("BSR", RANK, True, format_rank)
    return _draw(days, values, rank if of_rank else price, price, rank, last)


def _draw(
    days: ProductDays,
    values: Floats,
    measured: Measured,
    price: Measured,
    rank: Measured,
    last: date,
) -> AnalysisView:
    recent = days.days > np.datetime64(last - _CALENDAR)
    months = spread_by_month(days.days, values)
    years = split_by_year(days.days, values)
    correlation = correlate(days.prices, days.ranks)
    calendar = charts.draw_calendar(days.days, values, measured, last)
    scatter = charts.draw_price_and_rank(days.days, days.prices, days.ranks, price, rank)
    return AnalysisView(
        calendar=DrawnFinding(
            pack_figure(calendar),
            text.describe_calendar(days.days[recent], values[recent], measured),
            charts.CALENDAR_HEIGHT,
        ),
        months=DrawnFinding(
            pack_figure(charts.draw_months(months, measured)),
            text.describe_months(months, measured),
        ),
        years=DrawnFinding(
            pack_figure(charts.draw_years(years, measured)) if len(years) > 1 else None,
            text.describe_years(years, measured),
        ),
        price_and_rank=DrawnFinding(
            None if correlation.coefficient is None else pack_figure(scatter),
            text.describe_correlation(correlation),
        ),
    )
