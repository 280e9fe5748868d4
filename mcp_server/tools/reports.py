"""The daily or weekly report, as the Reports page shows it."""

from typing import Annotated, Literal

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.database.session import read_scope
from core.history.periods.change_period import ChangePeriod
from core.reports import report_text
from core.reports.compute_report import compute_report
from core.reports.content import FigureKind, Report, ReportProduct
from core.scraping.runs.providers import make_limits
from core.settings.environment import get_settings
from core.tracking.list_filter import ListScope
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import Scope
from mcp_server.results.base import (
    Moment,
    Number,
    Result,
    ResultPart,
    Untrusted,
    format_moment,
    format_product_name,
    mark_untrusted,
    quote_text,
)

_PERIODS = {"day": ChangePeriod.DAY, "week": ChangePeriod.WEEK}


class ReportDay(ResultPart):
    """A marketplace's day; its close is compared with that of `compared_with`."""

    marketplace: str
    day: str
    compared_with: str
    products: int
    checked: int


class ReportFigure(ResultPart):
    """rank, price: median relative change. buy_box, in_stock: share. rating: stars."""

    figure: FigureKind
    value: Number | None
    change: Number | None
    products: int
    why_unknown: str | None


class ReportLine(ResultPart):
    """A product and what happened."""

    product: str
    title: Untrusted | None
    what: str
    text: Untrusted


class DailyReport(Result):
    """A report. Issues and suggestions are those of now."""

    made_at: Moment
    days: list[ReportDay]
    figures: list[ReportFigure]
    changed: int
    changes: Annotated[list[ReportLine], Described(description="The worst 20.")]
    movers: list[ReportLine]
    open_issues: int
    issues: Annotated[list[ReportLine], Described(description="The worst 20.")]
    pending_suggestions: int
    health: list[str]
    cost: str


@tool(Permission.READ, "Daily report")
def get_daily_report(
    call: Call, whose: Scope = ListScope.TEAM, period: Literal["day", "week"] = "day"
) -> DailyReport:
    """Report the last closed day, or seven: figures, changes, movers, open issues, pending
    suggestions, data health, cost. One call instead of many.
    """
    dollars = make_limits(get_settings()).dollars_per_product
    with read_scope() as session:
        report = compute_report(
            session, call.principal, whose, _PERIODS[period], call.now, call.now, dollars
        )
    return DailyReport(
        made_at=format_moment(report.made_at),
        days=[
            ReportDay(
                marketplace=each.marketplace,
                day=each.day.isoformat(),
                compared_with=each.then_day.isoformat(),
                products=each.products,
                checked=each.checked,
            )
            for each in report.days
        ],
        figures=_make_figures(report),
        changed=report.changed,
        changes=[
            _make_line(each.product, report_text.label_change(each), report_text.write_change(each))
            for each in report.changes
        ],
        movers=[
            _make_line(
                each.product,
                f"{report_text.MOVER_LABELS[each.value]} {report_text.write_mover_step(each)}",
                report_text.write_mover_values(each),
            )
            for each in report.movers
        ],
        open_issues=report.issues.total,
        issues=[
            _make_line(each.product, f"{each.severity.value}, open", each.text)
            for each in report.issues.worst
        ],
        pending_suggestions=report.suggestions.total,
        health=report_text.list_health_sentences(report),
        cost=report_text.describe_cost(report),
        summary=_summarize(report),
    )


def _make_figures(report: Report) -> list[ReportFigure]:
    return [
        ReportFigure(
            figure=each.kind,
            value=_to_unit(each.kind, each.value),
            change=_to_unit(each.kind, each.change),
            products=each.products,
            why_unknown=each.reason,
        )
        for each in report.figures
    ]


def _to_unit(kind: FigureKind, value: float | None) -> float | None:
    """Return a figure rounded; a rating in stars."""
    if value is None:
        return None
    return round(value / 10, 2) if kind is FigureKind.RATING else round(value, 4)


def _make_line(product: ReportProduct, what: str, text: str) -> ReportLine:
    return ReportLine(
        product=format_product_name(product.marketplace, product.asin),
        title=mark_untrusted(product.title),
        what=what,
        text=Untrusted(untrusted=text),
    )


def _summarize(report: Report) -> str:
    worst = "; ".join(
        f"{format_product_name(each.product.marketplace, each.product.asin)} "
        f"{report_text.label_change(each)}: {quote_text(report_text.write_change(each))}"
        for each in report.changes[:5]
    )
    parts = [report_text.describe_days(report), f"{report_text.summarize(report)}."]
    return " ".join([*parts, *([f"Worst: {worst}."] if worst else [])])
