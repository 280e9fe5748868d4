"""Expires suggestions. No rules of its own."""

from huey import crontab

from core.database.session import database_time, write_scope
from core.suggestions import lifecycle
from jobs.job import JobReport, periodic_job


@periodic_job("expire suggestions", crontab(minute="*/10"), expires=600, lock="expire")
def expire_suggestions(report: JobReport) -> None:
    """Expire the actions whose time is over."""
    with write_scope() as session:
        expired = lifecycle.expire_suggestions(session, database_time())
    if expired:
        report.summary = f"{expired} actions expired."
    else:
        report.nothing_to_do("Nothing expired.")
