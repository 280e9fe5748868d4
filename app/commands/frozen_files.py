"""Makes frozen reports for downloads: each records that it was made, and returns the file.

They run on the click, outside a page's run, so each is given the user and the user's formats. A
file is written with no transaction open: what it shows is read before, that it was made is stored
after.
"""

from collections.abc import Sequence
from datetime import datetime

from core.accounts.access.permissions import Principal
from core.database.session import read_scope, shared_time, write_scope
from core.history.periods.change_period import ChangePeriod
from core.reports.compute_report import compute_report
from core.reports.frozen import service
from core.reports.frozen.frozen_file import FrozenFile, write_products_file, write_report_file
from core.reports.service import open_report
from core.scraping.runs.providers import make_limits
from core.settings.environment import get_settings
from core.text.locale import Formats, apply_formats
from core.tracking.list_filter import ListScope


def freeze_products(
    keys: Sequence[tuple[str, str]],
    period: tuple[datetime, datetime],
    formats: Formats,
    who: Principal,
) -> bytes:
    """Return products over a period as a file. `keys`: marketplaces and ASINs."""
    now = shared_time()
    with apply_formats(formats):
        with read_scope() as session:
            products = service.read_frozen_products(session, who, keys, period)
        return _record(who, write_products_file(products, now, who.time_zone))


def freeze_period(
    scope: ListScope, period: ChangePeriod, formats: Formats, who: Principal
) -> bytes:
    """Return a report of the days that are over now as a file."""
    now = shared_time()
    dollars = make_limits(get_settings()).dollars_per_product
    with apply_formats(formats):
        with read_scope() as session:
            report = compute_report(session, who, scope, period, now, now, dollars)
        return _record(who, write_report_file(report, who.time_zone))


def freeze_report(report_id: int, formats: Formats, who: Principal) -> bytes:
    """Return a kept report as a file."""
    with apply_formats(formats):
        with read_scope() as session:
            report = open_report(session, who, report_id)
        return _record(who, write_report_file(report, who.time_zone))


def _record(who: Principal, file: FrozenFile) -> bytes:
    """Record a file, and return it only then."""
    with write_scope() as session:
        service.record_file(session, who, file)
    return file.body
