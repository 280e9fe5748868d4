"""A report of a period as a frozen file. Pure."""

from typing import Any

from core.alerts.incidents.labels import SEVERITIES
from core.history.periods.queries import MovedValue
from core.reports import report_text
from core.reports.content import Report
from core.reports.content_json import dump_report
from core.reports.frozen.document import (
    Html,
    make_heading,
    make_list,
    make_paragraph,
    make_table,
)
from core.reports.frozen.steps_chart import draw_small_line
from core.small_lines import GREEN, RED, VIOLET
from core.text.times import format_day, format_moment
from core.tracking.change_sentiment import Sentiment

_COLORS = {Sentiment.BETTER: GREEN, Sentiment.WORSE: RED, Sentiment.NEUTRAL: VIOLET}


def describe_period(report: Report, time_zone: str) -> list[str]:
    """Return whose days the file is of, and when it was made."""
    return [report_text.describe_days(report), report_text.describe_making(report, time_zone)]


def write_period(report: Report, time_zone: str) -> list[Html]:
    """Return the parts of the file, in the reader's formats."""
    figures = [
        (each.label, each.value, each.change or "", each.note)
        for each in report_text.list_figure_texts(report)
    ]
    return [
        *_write_paragraph(report),
        make_table("Figures", ("Figure", "At the close", "Change", "Of"), figures),
        make_heading("Open issues"),
        make_paragraph(report_text.describe_issues(report, time_zone)),
        *_write_issues(report, time_zone),
        make_heading("What changed"),
        make_paragraph(report_text.describe_changed(report)),
        *_write_changes(report),
        *(part for value in MovedValue for part in _write_movers(report, value)),
        make_heading("Suggestions"),
        make_paragraph(report_text.describe_suggestions(report, time_zone)),
        make_heading("Data health and cost"),
        make_list([*report_text.list_health_sentences(report), report_text.describe_cost(report)]),
    ]


def _write_paragraph(report: Report) -> list[Html]:
    about = report_text.describe_paragraph(report)
    if report.paragraph is None or about is None:
        return []
    text = report.paragraph.text
    parts = [] if text is None else [make_heading("Summary"), make_paragraph(text)]
    return [*parts, make_paragraph(about, is_quiet=True)]


def _write_issues(report: Report, time_zone: str) -> list[Html]:
    if not report.issues.worst:
        return []
    rows = [
        (
            SEVERITIES[each.severity],
            report_text.name_product(each.product),
            each.product.asin,
            each.text,
            format_moment(each.opened_at, time_zone),
        )
        for each in report.issues.worst
    ]
    return [make_table("The worst", ("Severity", "Product", "ASIN", "Issue", "Since"), rows)]


def _write_changes(report: Report) -> list[Html]:
    if not report.changes:
        return []
    rows = [
        (
            report_text.name_product(each.product),
            each.product.asin,
            report_text.describe_role(each.product),
            report_text.label_change(each),
            report_text.write_change(each),
            report_text.find_change_sentiment(each).value,
            format_day(report.find_day(each.product.marketplace).day),
        )
        for each in report.changes
    ]
    columns = ("Product", "ASIN", "Role", "Change", "From → to", "For you", "Day")
    return [make_table("The worst", columns, rows)]


def _write_movers(report: Report, value: MovedValue) -> list[Html]:
    movers = report.list_movers(value)
    if not movers:
        return []
    label = report_text.MOVER_LABELS[value]
    rows = []
    for mover in movers:
        day = report.find_day(mover.product.marketplace).day
        line = [
            None if each is None else -float(each) if value is MovedValue.RANK else float(each)
            for each in mover.line
        ]
        about = report_text.describe_line(mover, day)
        rows.append(
            (
                report_text.name_product(mover.product),
                mover.product.asin,
                report_text.write_mover_step(mover),
                report_text.write_mover_values(mover),
                draw_small_line(line, _COLORS[report_text.find_mover_sentiment(mover)], about),
            )
        )
    columns = ("Product", "ASIN", "Moved", "From → to", "30 days")
    return [make_table(f"{label}: largest moves", columns, rows)]


def collect_period_data(report: Report) -> Any:
    """Return the data inside the file."""
    return {"kind": "period", **dump_report(report)}
