"""A daily and a weekly report of 2,000 products, its email and its frozen file."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from statistics import median

from benchmarks.figures import Figure, seconds_of
from benchmarks.issues import add_incidents
from benchmarks.rows import build_list
from benchmarks.servers import Server, using
from core.accounts.people.membership import get_owner_principal
from core.database.session import read_scope, write_scope
from core.history.periods.change_period import ChangePeriod
from core.reports.compute_report import compute_report
from core.reports.email_message import write_message
from core.reports.frozen.frozen_file import write_report_file
from core.reports.frozen.service import record_file
from core.tracking.list_filter import ListScope

PRODUCTS = 2_000
TARGET_S = 3.0


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the seconds of a report with its email and its file, by period."""
    times = 3 if quick else 9
    with server.shared("reports", _build) as url, using(url):
        for period in (ChangePeriod.DAY, ChangePeriod.WEEK):
            whole = [seconds_of(partial(_make, period, is_whole=True)) for _ in range(times)]
            content = [seconds_of(partial(_make, period, is_whole=False)) for _ in range(times)]
            yield Figure(
                f"Report of {PRODUCTS:,} products over a {period}, with email and file",
                median(whole),
                "s",
                best=min(whole),
                floor=median(content),
                floor_name="its content",
                target=TARGET_S,
            )


def _build() -> None:
    build_list(PRODUCTS)
    add_incidents(PRODUCTS)


def _make(period: ChangePeriod, *, is_whole: bool) -> None:
    now = datetime.now(UTC)
    with read_scope() as session:
        who = get_owner_principal(session)
        report = compute_report(session, who, ListScope.TEAM, period, now, now, Decimal("0.01"))
    assert report.products == PRODUCTS
    if is_whole:
        write_message(report, "https://own.example")
        file = write_report_file(report, who.time_zone)
        with write_scope() as session:
            record_file(session, who, file)
