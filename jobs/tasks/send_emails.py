"""Sends emails with links and account notices. No rules of its own.

Links are made here, not by the page that asks for them: so the page takes the same time for
known and unknown addresses, and no token is kept in the queue.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from huey import crontab
from sqlalchemy.orm import Session

from core.accounts.people import account_notices, email_templates, membership, self_service
from core.accounts.people.email_templates import Email
from core.connections.resolve import resolve_mail
from core.database.session import database_time, write_scope
from core.delivery import smtp
from core.errors import OutsideServiceError
from core.settings.environment import get_settings
from jobs.claims import skip_if_locked
from jobs.job import job
from jobs.queue import huey

log = logging.getLogger(__name__)


@huey.task(expires=3600)
def send_reset(mail: str) -> None:
    """Email a link for a new password, if the address belongs to a user."""
    _send_link(
        lambda session: self_service.request_reset(session, mail, _now()),
        email_templates.write_reset_email,
    )


@huey.task(expires=3600)
def send_registration(mail: str) -> None:
    """Store a registration and email the link that confirms the address."""
    base = get_settings().public_url
    with job("mail") as report:
        with write_scope() as session:
            made = self_service.request_registration(session, mail, _now())
        if made is None:
            report.summary = "No recipient."
        elif made.token is None:
            deliver_email(email_templates.write_already_registered_email(made.mail, base))
        else:
            deliver_email(email_templates.write_registration_email(made.mail, made.token, base))


@huey.task(expires=86_400)
def send_invitation(person_id: int) -> None:
    """Email an invitation; earlier links are revoked."""
    _send_link(
        lambda session: membership.renew_invitation(session, person_id, _now()),
        email_templates.write_invitation_email,
    )


@huey.periodic_task(crontab(minute="*/5"), expires=300)
def send_notices() -> None:
    """Email unread account notices, if a mail server is configured."""
    if resolve_mail(get_settings()).values is not None:
        skip_if_locked("notices", send_unread_notices)


def send_unread_notices() -> None:
    """Send each user one email. Raises OutsideServiceError if any was refused."""
    with write_scope() as session:
        unsent = account_notices.claim_unsent_emails(session, _now())
    if not unsent:
        return
    base, failed = get_settings().public_url, 0
    with job("mail") as report:
        for address, notices in unsent.items():
            try:
                deliver_email(email_templates.write_notices_email(address, notices, base))
            except OutsideServiceError as error:
                failed += 1  # the other emails are sent all the same
                log.warning("Notices were not sent: %s", error)
        report.summary = f"Notices sent to {len(unsent) - failed} of {len(unsent)} users."
        if failed:
            raise OutsideServiceError(f"The mail server refused {failed} emails with notices.")


def _now() -> datetime:
    return database_time()


def _send_link(
    make: Callable[[Session], tuple[str, str] | None], wording: Callable[[str, str, str], Email]
) -> None:
    """Make a link in its own transaction, then send it with none open."""
    with job("mail") as report:
        with write_scope() as session:
            made = make(session)
        if made is None:
            report.summary = "No recipient."
            return
        mail, token = made
        deliver_email(wording(mail, token, get_settings().public_url))
        report.summary = "One link was sent."


def deliver_email(email: Email) -> None:
    """Send an email, or log its text if no mail server is connected.

    Raises OutsideServiceError if the server refuses it.
    """
    found = resolve_mail(get_settings()).values
    if found is None:
        log.warning("No mail server is connected; this email was not sent: %s", email.text)
        return
    smtp.send_email(found.server, found.sender, email.to, email.subject, email.text)
