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
from core.connections.values import MailServer
from core.database.session import database_time, read_scope, write_scope
from core.delivery import smtp
from core.delivery.channels.email import EmailAddress
from core.delivery.channels.registry import send_message
from core.delivery.channels.send_context import SendContext
from core.delivery.outcome import Outcome
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


@huey.periodic_task(crontab(minute="*"), expires=60)
def send_security_emails() -> None:
    """Email security notices that no wake-up led to."""
    _send_security()


@huey.task(expires=60)
def send_security_now() -> None:
    """Email a security notice that was just stored."""
    _send_security()


def _send_security() -> None:
    """Email security notices, if a mail server is connected."""
    found = resolve_mail(get_settings()).values
    if found is None:
        return
    now = _now()
    with read_scope() as session:
        unsent = account_notices.list_unsent_security(session, now)
    # While the mail server is down, older ones are tried every five minutes.
    if any(
        notice.at > now - account_notices.EMAIL_DELAY or now.minute % 5 == 0 for notice in unsent
    ):
        skip_if_locked("security emails", lambda: send_unsent_security(found))


def send_unsent_security(mail: MailServer) -> None:
    """Send each security notice, and mark it only then: after a crash it is sent once more.

    One that the server can't take now stays unsent for a day. Raises OutsideServiceError if any
    was not sent.
    """
    with read_scope() as session:
        unsent = account_notices.list_unsent_security(session, _now())
    context, base = SendContext(mail.server, mail.sender), get_settings().public_url
    with job("mail") as report:
        failed = 0
        for notice in unsent:
            message = email_templates.write_security_message(notice, base)
            attempt = send_message(EmailAddress(notice.to), message, context)
            if attempt.outcome is not Outcome.LATER:
                with write_scope() as session:
                    account_notices.mark_security_emailed(session, notice.id, _now())
            if attempt.outcome is not Outcome.SENT:
                failed += 1
                log.warning("A security notice was not sent: %s", attempt.answer)
        report.summary = f"{len(unsent) - failed} of {len(unsent)} security notices sent."
        if failed:
            raise OutsideServiceError(f"The mail server did not take {failed} security notices.")


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
