"""One report on the page: figures, issues, changes, movers, suggestions, health, cost."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from app import keys
from app.components import cards, data_table, product_link
from app.components.small_picture import show_drawing
from app.data import get_principal
from core import small_lines
from core.alerts.incidents.labels import SEVERITIES
from core.history.periods.queries import MovedValue
from core.reports import report_text
from core.reports.content import Report, ReportIssue, ReportMover, ReportProduct
from core.text.escaping import escape_markdown, shorten
from core.text.times import format_day
from core.tracking.change_sentiment import Sentiment

LONGEST_TITLE: Final = 60
_LONGEST_BESIDE: Final = 34  # where three lists stand beside each other
LINE_SIZE: Final = (84, 28)  # px
_COLORS: Final = {
    Sentiment.BETTER: small_lines.GREEN,
    Sentiment.WORSE: small_lines.RED,
    Sentiment.NEUTRAL: small_lines.VIOLET,
}
_SEVERITY_COLORS: Final = {"critical": "red", "warning": "orange", "info": "gray"}


def show_report(report: Report) -> None:
    """Show a report from top to bottom."""
    zone = get_principal().time_zone
    st.header(report_text.name_report(report), anchor=False)
    st.caption(
        f"{report_text.describe_days(report)}  \n{report_text.describe_making(report, zone)}"
    )
    if not report.days:
        return
    _show_paragraph(report)
    _show_figures(report)
    with st.container(border=True, gap="small"):
        _show_heading("Open issues", report_text.describe_issues(report, zone))
        for issue in report.issues.worst:
            _show_issue(issue)
    with st.container(border=True, gap="small"):
        _show_heading("What changed", report_text.describe_changed(report))
        if report.changes:
            _show_changes(report)
    if report.movers:
        _show_movers(report)
    with st.container(border=True, gap="small"):
        _show_heading("Suggestions", report_text.describe_suggestions(report, zone))
        _show_suggestions(report)
    with st.container(border=True, gap="small"):
        st.subheader("Data health and cost", anchor=False)
        st.markdown(
            "\n".join(
                f"- {escape_markdown(each)}"
                for each in (
                    *report_text.list_health_sentences(report),
                    report_text.describe_cost(report),
                )
            )
        )


def _show_heading(title: str, sentence: str) -> None:
    st.subheader(title, anchor=False)
    st.caption(escape_markdown(sentence))


def _show_paragraph(report: Report) -> None:
    about = report_text.describe_paragraph(report)
    if report.paragraph is None or about is None:
        return
    if report.paragraph.text is None:
        st.caption(escape_markdown(about))
        return
    with st.container(border=True, gap="small"):
        st.markdown(escape_markdown(report.paragraph.text))
        st.caption(f":material/smart_toy: {escape_markdown(about)}")


def _show_figures(report: Report) -> None:
    cards.show_metrics(
        [
            cards.Card(
                each.label,
                each.value,
                change=each.change,
                sentiment=each.sentiment,
                direction="none" if each.is_rise is None else "up" if each.is_rise else "down",
                note=each.note,
            )
            for each in report_text.list_figure_texts(report)
        ]
    )


def _show_issue(issue: ReportIssue) -> None:
    color = _SEVERITY_COLORS[issue.severity.value]
    label = SEVERITIES[issue.severity]
    _show_product(
        issue.product,
        f":{color}[{label}:] {escape_markdown(issue.text)}  \n:small[:gray[{issue.next_step}]]",
    )


def _show_product(product: ReportProduct, text: str, longest: int = LONGEST_TITLE) -> None:
    title = escape_markdown(shorten(product.title or product.asin, longest))
    with st.container(gap=None):
        st.page_link(
            f"../pages/{keys.PRODUCT}.py",
            label=f"**{title}** :gray[· {product.marketplace}]",
            query_params=product_link.product_parameters(product.marketplace, product.asin),
        )
        st.markdown(text)


def _show_changes(report: Report) -> None:
    rows = [
        {
            "title": shorten(each.product.title or each.product.asin, LONGEST_TITLE),
            "marketplace": each.product.marketplace,
            "asin": each.product.asin,
            "role": report_text.describe_role(each.product),
            "what": report_text.label_change(each),
            "from_to": report_text.write_change(each),
            "mood": report_text.find_change_sentiment(each).value,
            "day": format_day(report.find_day(each.product.marketplace).day),
        }
        for each in report.changes
    ]
    data_table.show_table(
        pd.DataFrame(rows),
        "report-changes",
        column_config={
            "title": st.column_config.TextColumn("Product", width="medium"),
            "marketplace": "Marketplace",
            "asin": "ASIN",
            "role": "Role",
            "what": "Change",
            "from_to": st.column_config.TextColumn("From → to", width="medium"),
            "mood": "For you",
            "day": "Day",
        },
        height=data_table.scrolling_height(len(rows)),
        row_height=data_table.ROW_HEIGHT,
    )


def _show_movers(report: Report) -> None:
    values = [value for value in report_text.MOVER_LABELS if report.list_movers(value)]
    for value, column in zip(values, st.columns(len(values)), strict=True):
        with column, st.container(border=True, height="stretch", gap="small"):
            days = "line: the closes of 30 days"
            _show_heading(f"{report_text.MOVER_LABELS[value]}: largest moves", days)
            _show_movers_of(report, report.list_movers(value), value)


def _show_movers_of(report: Report, movers: Sequence[ReportMover], value: MovedValue) -> None:
    for mover in movers:
        step = escape_markdown(report_text.write_mover_step(mover))
        values = escape_markdown(report_text.write_mover_values(mover))
        _show_product(mover.product, f"{step} :small[:gray[{values}]]", _LONGEST_BESIDE)
        line = [
            None if each is None else -each if value is MovedValue.RANK else each
            for each in mover.line
        ]
        color = _COLORS[report_text.find_mover_sentiment(mover)]
        drawing = small_lines.draw_steps(line, *LINE_SIZE, color)
        if drawing is not None:
            day = report.find_day(mover.product.marketplace).day
            title = shorten(mover.product.title or mover.product.asin, LONGEST_TITLE)
            alt = f"{title}: {report_text.describe_line(mover, day)}"
            show_drawing(drawing, alt, LINE_SIZE[0])


def _show_suggestions(report: Report) -> None:
    for each in report.suggestions.first:
        about = escape_markdown(shorten(each.product_title or "", LONGEST_TITLE))
        title = escape_markdown(shorten(each.title, LONGEST_TITLE))
        st.page_link(
            f"../pages/{keys.SUGGESTION}.py",
            label=f"{title} :gray[· {about} · {each.marketplace}]",
            icon=":material/rule:",
            query_params={keys.ID: str(each.suggestion_id)},
        )
