"""Registration and password reset by an emailed link. Never commits.

Whether an address has an account is revealed in the email only, never on the page.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.api_tokens import revoke_api_tokens
from core.accounts.access.one_time_tokens import (
    LINK_EXPIRED,
    Purpose,
    activate_person,
    consume_token,
    create_token,
    get_or_create_person,
)
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.access.sessions import end_sessions
from core.accounts.email_address import normalize_typed_email
from core.accounts.models import OneTimeToken, Person, Team
from core.accounts.people import account_notices
from core.accounts.profile_fields import clean_name
from core.errors import InvalidInputError, NotFoundError

EMAIL_INTERVAL = timedelta(minutes=2)  # between links to one address


@dataclass(frozen=True, slots=True)
class RegistrationRequest:
    """The email to send after a registration. `token` None: the address has an account."""

    mail: str
    token: str | None


def request_registration(session: Session, mail: str, now: datetime) -> RegistrationRequest | None:
    """Store a registration, and return the email to send; None: one was sent recently.

    The page shows the same text in all cases. The password is set after following the link,
    not before: otherwise someone who registers another user's address would know it.
    """
    address = normalize_typed_email(mail)
    team_id = session.scalars(select(Team.id).order_by(Team.id).limit(1)).one()
    person = get_or_create_person(session, address, team_id, "registered")
    if person.is_demo or _was_sent_recently(session, person.id, Purpose.CONFIRMATION, now):
        return None
    token = create_token(session, person.id, Purpose.CONFIRMATION, now)
    # For an existing account, the token only stores when the email was sent.
    return RegistrationRequest(address, token if person.state == "registered" else None)


def confirm_registration(
    session: Session, token: str, name: str, password_hash: str, now: datetime
) -> int:
    """Activate a registered user; return their id. Raises InvalidInputError for a wrong link."""
    person = consume_token(session, token, Purpose.CONFIRMATION, now)
    if person is None or person.state != "registered" or person.mail is None:
        raise InvalidInputError(LINK_EXPIRED)
    activate_person(person, clean_name(name), person.mail, password_hash, now)
    session.flush()
    audit.record_anonymous(session, person.team_id, "registered", None, person.id)
    account_notices.notify_admins(session, person.team_id, "A user has registered.", "admin")
    return person.id


def request_reset(session: Session, mail: str, now: datetime) -> tuple[str, str] | None:
    """Return (email address, token) of a password reset; None: no email to send."""
    try:
        address = normalize_typed_email(mail)
    except InvalidInputError:
        return None
    found = select(Person).where(
        # Users who only use single sign-on can't get a password.
        Person.mail == address,
        Person.state == "active",
        Person.password_hash.is_not(None),
    )
    person = session.scalars(found.with_for_update()).first()
    if (
        person is None
        or person.is_demo
        or _was_sent_recently(session, person.id, Purpose.RESET, now)
    ):
        return None
    audit.record_anonymous(session, person.team_id, "asked for a new password", None, person.id)
    return address, create_token(session, person.id, Purpose.RESET, now)


@requires(Permission.ADMIN)
def create_reset_link(session: Session, principal: Principal, mail: str, now: datetime) -> str:
    """Return the token of a password reset for another user, to be handed over by the admin.

    Raises NotFoundError unless the address belongs to an active user of the team.
    """
    found = select(Person).where(
        Person.mail == normalize_typed_email(mail),
        Person.team_id == principal.team_id,
        Person.state == "active",
        ~Person.is_demo,
    )
    person = session.scalars(found.with_for_update()).first()
    if person is None:
        raise NotFoundError("No active member of the team has this email address.")
    audit.record(session, principal, "made reset link", f"person:{person.id}")
    account_notices.notify_security(
        session, person.id, "An administrator created a password reset link for you."
    )
    return create_token(session, person.id, Purpose.RESET, now)


def _was_sent_recently(session: Session, person_id: int, purpose: Purpose, now: datetime) -> bool:
    """Return whether a link was sent recently, so that mailboxes aren't flooded."""
    recent = select(OneTimeToken.person_id).where(
        OneTimeToken.person_id == person_id,
        OneTimeToken.purpose == purpose.value,
        OneTimeToken.made_at > now - EMAIL_INTERVAL,
    )
    return session.scalar(recent.limit(1)) is not None


def reset_password(
    session: Session,
    token: str,
    password_hash: str,
    now: datetime,
    *,
    revokes_tokens: bool = True,
) -> int:
    """Set a new password by a link and end the user's sessions; return the user's id.

    `revokes_tokens`: also revoke the user's API tokens. Raises InvalidInputError for an
    invalid link.
    """
    person = consume_token(session, token, Purpose.RESET, now)
    if person is None or person.state != "active":
        raise InvalidInputError(LINK_EXPIRED)
    person.password_hash, person.password_changed_at = password_hash, now
    session.flush()
    end_sessions(session, person.id, now)
    revoked = revoke_api_tokens(session, person.id, now) if revokes_tokens else 0
    audit.record_anonymous(
        session, person.team_id, "set a new password", None, person.id, {"revoked tokens": revoked}
    )
    account_notices.notify_security(
        session, person.id, "Your password was reset by an emailed link.", "profile"
    )
    return person.id
