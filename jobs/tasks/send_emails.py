"""When links are mailed. No rules of its own.

The links are made here, not by the page that asks: the page takes the same time for
an address that is known and one that is not, and no token waits in the queue.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from huey import crontab
from sqlalchemy.orm import Session

from core.accounts.people import account_notices, email_templates, membership, self_service
from core.accounts.people.email_templates import Letter
from core.database.session import database_time, write_scope
from core.delivery import smtp
from core.errors import OutsideServiceError
from core.settings.environment import get_settings
from jobs.claims import alone
from jobs.job import job
from jobs.queue import huey

log = logging.getLogger(__name__)


@huey.task(expires=3600)
def send_reset(mail: str) -> None:
    """Mail the link for a new password, where the address is somebody's."""
    _write(lambda session: self_service.request_reset(session, mail, _now()), email_templates.reset)


@huey.task(expires=3600)
def send_registration(mail: str) -> None:
    """Keep somebody who registered, and mail the link that proves the address."""
    base = get_settings().public_url
    with job("mail") as notes:
        with write_scope() as session:
            made = self_service.register(session, mail, _now())
        if made is None:
            notes.say("Nobody to write to.")
        elif made.token is None:
            deliver(email_templates.known_already(made.mail, base))
        else:
            deliver(email_templates.registration(made.mail, made.token, base))


@huey.task(expires=86_400)
def send_invitation(person_id: int) -> None:
    """Mail an invitation; an earlier link is void."""
    _write(
        lambda session: membership.renew_invitation(session, person_id, _now()),
        email_templates.invitation,
    )


@huey.periodic_task(crontab(minute="*/5"), expires=300)
def send_notices() -> None:
    """Mail what stayed unread behind the bells, where a mail server is set."""
    if get_settings().amazcope_smtp_url is not None:
        alone("notices", mail_notices)


def mail_notices() -> None:
    """Mail each person one letter. Raises OutsideServiceError when any was not taken."""
    with write_scope() as session:
        waiting = account_notices.claim_for_mail(session, _now())
    if not waiting:
        return
    base, failed = get_settings().public_url, 0
    with job("mail") as notes:
        for mail, told in waiting.items():
            try:
                deliver(email_templates.notices(mail, told, base))
            except OutsideServiceError as error:
                failed += 1  # the others' letters go out all the same
                log.warning("Notices were not mailed: %s", error)
        notes.say(f"Notices mailed to {len(waiting) - failed} of {len(waiting)} people.")
        if failed:
            raise OutsideServiceError(f"The mail server refused {failed} letters with notices.")


def _now() -> datetime:
    return database_time()


def _write(
    make: Callable[[Session], tuple[str, str] | None], wording: Callable[[str, str, str], Letter]
) -> None:
    """Make a link in a scope of its own, then send it with none open."""
    with job("mail") as notes:
        with write_scope() as session:
            made = make(session)
        if made is None:
            notes.say("Nobody to write to.")
            return
        mail, token = made
        deliver(wording(mail, token, get_settings().public_url))
        notes.say("One link is on its way.")


def deliver(letter: Letter) -> None:
    """Hand a letter to the mail server, or print it where none is configured.

    Raises OutsideServiceError when the server does not take it.
    """
    settings = get_settings()
    if settings.amazcope_smtp_url is None:
        log.warning("No mail server is set; this would be mailed: %s", letter.text)
        return
    server = smtp.mail_server(settings.amazcope_smtp_url.get_secret_value())
    smtp.send(server, settings.amazcope_mail_from, letter.to, letter.subject, letter.text)
