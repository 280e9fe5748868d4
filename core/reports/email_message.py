"""A report as a message for an email: figures, issues, changes, movers with their lines."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from core.alerts.rules.rule import Severity
from core.delivery.message import Message, MessageItem, MessagePicture, Urgency
from core.reports import report_text
from core.reports.content import Report, ReportMover, ReportProduct
from core.reports.line_picture import draw_line_png
from core.text.times import format_day

ISSUES_SENT: Final = 10
CHANGES_SENT: Final = 10
_URGENCY: Final = {
    Severity.CRITICAL: Urgency.CRITICAL,
    Severity.WARNING: Urgency.WARNING,
    Severity.INFO: Urgency.INFO,
}


def write_message(report: Report, base_url: str, unsubscribe: str | None = None) -> Message:
    """Return a report as a message, in the formats in use; `number_message` gives it its key.

    `unsubscribe`: the address that ends such emails by one click.
    """
    zone = report.time_zone
    items = [
        *_write_paragraph(report),
        MessageItem(
            "Figures",
            report_text.describe_days(report),
            tuple(
                (each.label, ", ".join(filter(None, (each.value, each.change, each.note))))
                for each in report_text.list_figure_texts(report)
            ),
        ),
        MessageItem("Open issues", report_text.describe_issues(report, zone)),
        *_write_issues(report, base_url),
        MessageItem("What changed", report_text.describe_changed(report)),
        *_write_changes(report, base_url),
        *(_write_mover(each, report, base_url) for each in report.movers),
        MessageItem("Suggestions", report_text.describe_suggestions(report, zone)),
        MessageItem("Data health", " ".join(report_text.list_health_sentences(report))),
        MessageItem("Cost", report_text.describe_cost(report)),
    ]
    name = report_text.name_report(report)
    return Message(
        key="report",
        subject=f"{name}: {report_text.summarize(report)}",
        summary=report_text.describe_making(report, zone),
        items=tuple(items),
        link=f"{base_url}/reports",
        footer="You subscribed to this report. Change or end that at Reports, Subscribe.",
        unsubscribe=unsubscribe,
    )


def _write_paragraph(report: Report) -> Iterator[MessageItem]:
    about = report_text.describe_paragraph(report)
    if report.paragraph is None or about is None:
        return
    if report.paragraph.text is None:
        yield MessageItem("Summary", about)
    else:
        yield MessageItem("Summary", report.paragraph.text, (("Source", about),))


def number_message(message: Message, report_id: int) -> Message:
    """Return a report's message with the key and the address of the kept report.

    Apart from writing it: pictures are drawn before a report is kept and has a number.
    """
    link = f"{message.link}?{urlencode({'report': report_id})}"
    return replace(message, key=f"report/{report_id}", link=link)


def _write_issues(report: Report, base_url: str) -> Iterator[MessageItem]:
    for each in report.issues.worst[:ISSUES_SENT]:
        yield MessageItem(
            report_text.name_product(each.product),
            f"{each.text}. {each.next_step}",
            link=_link(each.product, base_url),
            urgency=_URGENCY[each.severity],
        )


def _write_changes(report: Report, base_url: str) -> Iterator[MessageItem]:
    for each in report.changes[:CHANGES_SENT]:
        day = report.find_day(each.product.marketplace).day
        yield MessageItem(
            report_text.name_product(each.product),
            f"{report_text.label_change(each)}: {report_text.write_change(each)} "
            f"({format_day(day)}, {report_text.describe_role(each.product)})",
            link=_link(each.product, base_url),
        )


def _write_mover(mover: ReportMover, report: Report, base_url: str) -> MessageItem:
    label = report_text.MOVER_LABELS[mover.value]
    png = draw_line_png(mover)
    about = report_text.describe_line(mover, report.find_day(mover.product.marketplace).day)
    return MessageItem(
        report_text.name_product(mover.product),
        f"{label} {report_text.write_mover_step(mover)}: {report_text.write_mover_values(mover)}",
        link=_link(mover.product, base_url),
        picture=None if png is None else MessagePicture(png, about),
    )


def _link(product: ReportProduct, base_url: str) -> str:
    named = urlencode({"marketplace": product.marketplace, "asin": product.asin})
    return f"{base_url}/product?{named}"
