"""A report as data for a model, and the numbers that a text about it may contain. Pure.

All sentences are our own, in the formats of the reader. From outside are names of products only:
sellers' names, titles of suggestions and texts of alerts are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from core.history.periods.change_detection import ChangeKind
from core.reports import report_text
from core.reports.content import Report, ReportProduct
from core.reports.paragraph.number_check import AllowedNumbers, WrittenNumber, read_numbers
from core.text.escaping import shorten, write_line
from core.text.locale import USUAL, apply_formats
from core.text.times import format_day

_CHANGES: Final = 10  # given to the model
_LONGEST_NAME: Final = 80
# Its digits can be read as a group or as decimals: 1,234.
_IS_AMBIGUOUS: Final = re.compile(r"\d{1,3}[.,]\d{3}")


@dataclass(frozen=True, slots=True)
class ReportData:
    """What a model gets of a report, and what its text may contain."""

    payload: dict[str, Any]
    allowed: AllowedNumbers


def collect_report_data(report: Report) -> ReportData:
    """Return a report as data, in the formats in use; its numbers also in the default ones."""
    payload = _make_payload(report)
    numbers = _read_numbers(payload)
    with apply_formats(USUAL):
        usual = _read_numbers(_make_payload(report))
        days = set(_list_days(report))
    # "1,234" of the default format could be read as 1.234 by a reader with another one.
    numbers |= {each for each in usual if not _IS_AMBIGUOUS.fullmatch(each.digits)}
    names = frozenset(_name(each) for each in _list_products(report))
    phrases = days | set(_list_days(report))
    return ReportData(payload, AllowedNumbers(frozenset(numbers), frozenset(phrases), names))


def _make_payload(report: Report) -> dict[str, Any]:
    zone = report.time_zone
    return {
        "report": report_text.name_report(report),
        "key_figures": [
            [each.label, each.value, each.change, each.note]
            for each in report_text.list_figure_texts(report)
        ],
        "open_issues": report_text.describe_issues(report, zone),
        "changed": report_text.describe_changed(report),
        "worst_changes": [
            {
                "name": _name(each.product),
                "role": report_text.describe_role(each.product),
                "change": report_text.label_change(each),
                "from_to": _write_change(each),
            }
            for each in report.changes[:_CHANGES]
        ],
        "largest_moves": [
            {
                "name": _name(each.product),
                "role": report_text.describe_role(each.product),
                "figure": report_text.MOVER_LABELS[each.value],
                "from_to": report_text.write_mover_values(each),
                "by": report_text.write_mover_step(each),
            }
            for each in report.movers
        ],
        "suggestions": report_text.describe_suggestions(report, zone),
        "data_health": report_text.list_health_sentences(report),
        "cost": report_text.describe_cost(report),
    }


def _write_change(change: Any) -> str | None:
    """Return from which value to which a product changed, without names from outside."""
    if change.kind is ChangeKind.BUY_BOX_MOVED:
        return None
    return report_text.write_change(replace(change, bsr_category=None))


def _name(product: ReportProduct) -> str:
    return shorten(write_line(product.title or product.asin), _LONGEST_NAME)


def _list_products(report: Report) -> Iterator[ReportProduct]:
    yield from (each.product for each in report.changes[:_CHANGES])
    yield from (each.product for each in report.movers)


def _list_days(report: Report) -> Iterator[str]:
    yield from (format_day(day) for each in report.days for day in (each.day, each.then_day))
    cost = report.cost
    yield from (format_day(day) for day in (cost.first, cost.last, cost.last.replace(day=1)))


def _read_numbers(payload: dict[str, Any]) -> set[WrittenNumber]:
    return {number for text in _list_texts(payload) for number in read_numbers(text)}


def _list_texts(value: Any) -> Iterator[str]:
    """Yield all texts that are not names of products."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _list_texts(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key != "name":
                yield from _list_texts(each)
