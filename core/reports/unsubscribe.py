"""One-click unsubscribing from emails of reports (RFC 8058). Never commits.

The token is that of the emails about alerts: it names a user and can only end emails.
"""

from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.models import Person
from core.alerts.delivery.unsubscribe import make_token
from core.delivery.outbox import Purpose, cancel_pending
from core.reports.models import ReportSubscription
from core.settings.environment import Settings

PATH: Final = "/unsubscribe-reports"


def make_report_unsubscribe_link(person_id: int, settings: Settings) -> str:
    """Return the address that ends a user's emails of reports."""
    return f"{settings.public_url}{PATH}?token={make_token(person_id, settings)}"


def end_report_emails(session: Session, person_id: int) -> int:
    """Keep a user's reports without emails from now on; return of how many. Twice does it once."""
    person = session.get(Person, person_id)
    if person is None:
        return 0
    ended = session.execute(
        update(ReportSubscription)
        .where(ReportSubscription.person_id == person_id, ReportSubscription.by_email)
        .values(by_email=False)
        .returning(ReportSubscription.kind)
    ).all()
    if ended:
        cancel_pending(session, person_id, Purpose.REPORT, "You ended these emails.")
        audit.record_anonymous(
            session, person.team_id, "unsubscribed from reports", None, person_id
        )
    return len(ended)
