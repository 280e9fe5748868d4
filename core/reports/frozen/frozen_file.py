"""Writes frozen reports as files, from values that were read before. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from core.errors import InvalidInputError
from core.reports import report_text
from core.reports.content import Report
from core.reports.frozen import period_page, product_page
from core.reports.frozen.document import LARGEST, write_document
from core.reports.frozen.product_page import FrozenProduct

_POINTS: Final = (3_000, 1_500, 700, 300, 100, 0)  # of each line inside a file, until it fits
_COLUMNS: Final = (1, 2, 4, 8)  # px: how finely lines are drawn, if it still doesn't fit


@dataclass(frozen=True, slots=True)
class FrozenFile:
    """A file and what it is of. The hash is that of all its bytes."""

    title: str
    subject: str  # "US B0TEST0001", "report, day"
    body: bytes

    @property
    def sha256(self) -> str:
        """Return the file's hash as 64 hexadecimal digits."""
        return sha256(self.body).hexdigest()


def write_report_file(report: Report, time_zone: str) -> FrozenFile:
    """Return a report of a period as a file, in the formats in use.

    Raises InvalidInputError for a file that would be too large.
    """
    title = report_text.name_report(report)
    body = write_document(
        title,
        period_page.describe_period(report, time_zone),
        period_page.write_period(report, time_zone),
        period_page.collect_period_data(report),
    )
    return _check_size(FrozenFile(title, f"report, {report.period.value}", body))


def write_products_file(
    products: Sequence[FrozenProduct], made_at: datetime, time_zone: str
) -> FrozenFile:
    """Return products over a period as a file, in the formats in use.

    Raises InvalidInputError for a file that would be too large.
    """
    title = product_page.name_products(products)
    about = product_page.describe_products(products, made_at, time_zone)
    sizes = (
        write_document(title, about, parts, product_page.collect_product_data(products, most))
        for column in _COLUMNS
        for parts in (product_page.write_products(products, time_zone, column),)
        for most in (_POINTS if column == 1 else _POINTS[-1:])
    )
    subject = ", ".join(f"{each.head.marketplace} {each.head.asin}" for each in products)
    return _check_size(FrozenFile(title, subject, _find_fitting(sizes)))


def _find_fitting(bodies: Iterator[bytes]) -> bytes:
    body = b""
    for body in bodies:
        if len(body) <= LARGEST:
            break
    return body


def _check_size(file: FrozenFile) -> FrozenFile:
    if len(file.body) > LARGEST:
        raise InvalidInputError("This is too much for one file. Choose a shorter period.")
    return file
