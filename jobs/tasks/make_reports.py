"""Makes the reports that users subscribed to. No rules of its own."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from huey import crontab
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Via
from core.accounts.people.membership import get_principal
from core.accounts.people.profile import read_formats
from core.database.session import database_time, read_scope, write_scope
from core.delivery.message import Message
from core.delivery.outbox import Purpose, add_message
from core.errors import NotFoundError
from core.reports import service
from core.reports.compute_report import compute_report
from core.reports.content import Report
from core.reports.email_message import number_message, write_message
from core.reports.paragraph.ask import ask_paragraph
from core.reports.rules import PERIODS
from core.reports.service import DueSubscription
from core.reports.unsubscribe import make_report_unsubscribe_link
from core.scraping.runs.providers import make_limits
from core.settings.environment import get_settings
from core.suggestions.llm.config import get_setup
from core.suggestions.llm.text_calls import TextReader
from core.text.locale import apply_formats
from jobs.job import JobReport, periodic_job

USEFUL: Final = timedelta(hours=20)  # after which an email of a report is not sent any more
log = logging.getLogger(__name__)


@periodic_job(
    "make reports", crontab(minute="*/5"), expires=240, lock="make reports", is_outward=True
)
def make_reports(report: JobReport) -> None:
    """Make each report that is due, each stored in a transaction of its own: a kill loses none."""
    with read_scope() as session:
        due = service.list_due(session, database_time())
    if not due:
        report.nothing_to_do("No report is due.")
        return
    made = failed = 0
    for each in due:
        try:
            made += make_due_report(each)
        except NotFoundError:
            continue  # the user was disabled meanwhile
        except Exception:  # the other reports are made all the same; this one is tried again
            failed += 1
            log.exception("A report of user %s failed", each.person_id)
    report.summary = f"{made} of {len(due)} reports made."
    if failed:
        raise RuntimeError(f"{failed} of {len(due)} reports failed; the log has the reasons.")


def make_due_report(due: DueSubscription) -> bool:
    """Make and keep one report; return False where it isn't wanted any more, or was made.

    Raises NotFoundError for a user who was disabled. It is read, then written with no transaction
    open, then stored.
    """
    with read_scope() as session:
        formats = read_formats(session, due.person_id)
        with apply_formats(formats):
            content = _compute(session, due)
    if due.wish.has_paragraph:
        with apply_formats(formats):
            content = _add_paragraph(content, due)
    message = None
    if due.wish.by_email:
        with apply_formats(formats):
            message = _write_email(content, due.person_id)
    with write_scope() as session:
        who = get_principal(session, due.person_id, Via.JOB)
        kept = service.keep_due_report(session, who, due, content)
        if kept is not None and message is not None and kept.is_emailed:
            _add_email(session, number_message(message, kept.id), kept.id, who.person_id)
    return kept is not None


def _compute(session: Session, due: DueSubscription) -> Report:
    who = get_principal(session, due.person_id, Via.JOB)
    dollars = make_limits(get_settings()).dollars_per_product
    period, now = PERIODS[due.wish.kind], database_time()
    return compute_report(session, who, due.wish.scope, period, due.due.at, now, dollars)


def _add_paragraph(content: Report, due: DueSubscription) -> Report:
    """Return a report with a paragraph by the model, or with why it has none."""
    with read_scope() as session:
        who = get_principal(session, due.person_id, Via.JOB)
    subject, setup = f"report/{due.wish.kind}/{due.due.day}", get_setup(get_settings())
    reader, now = TextReader(who.team_id, who.person_id), database_time()
    return replace(content, paragraph=ask_paragraph(content, reader, subject, setup, now))


def _write_email(content: Report, person_id: int) -> Message:
    settings = get_settings()
    link = make_report_unsubscribe_link(person_id, settings)
    return write_message(content, settings.public_url, link)


def _add_email(session: Session, message: Message, report_id: int, person_id: int) -> None:
    now = database_time()
    add_message(session, message, person_id, None, Purpose.REPORT, now, now + USEFUL)
    service.mark_sent(session, report_id)


@periodic_job("delete old reports", crontab(minute="47", hour="3"), expires=3600)
def delete_old_reports(report: JobReport) -> None:
    """Delete reports that are too old, and all of erased users."""
    with write_scope() as session:
        report.summary = f"{service.delete_old_reports(session, database_time())} reports deleted."
