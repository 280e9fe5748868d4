"""Users of a team: set-up, invitations, roles, disabling and erasing. Never commits.

Passwords are hashed by the caller, with no transaction open, since hashing is slow.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.confirmation import require_confirmed
from core.accounts.access.one_time_tokens import (
    LINK_EXPIRED,
    Purpose,
    activate_person,
    consume_token,
    create_token,
    find_token_owner,
    get_or_create_person,
    lock_person,
    revoke_all_tokens,
    revoke_tokens,
)
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Role, Via
from core.accounts.access.sessions import end_sessions
from core.accounts.email_address import normalize_email, normalize_typed_email
from core.accounts.models import (
    ApiToken,
    KnownDevice,
    Notice,
    OneTimeToken,
    Person,
    RecoveryCode,
    SignIn,
    Team,
)
from core.accounts.people import account_notices
from core.accounts.profile_fields import clean_name
from core.delivery.models import DeliveryChannel, OutboxMessage
from core.errors import InvalidInputError, NotAllowedError, NotFoundError

ERASED = "Former member"
# A user's own rows. Those of channels take notifications and preferences with them.
_ERASED_TABLES = (
    SignIn, KnownDevice, ApiToken, RecoveryCode, OneTimeToken, Notice, OutboxMessage,
    DeliveryChannel,
)  # fmt: skip
# The same of packages that this one may not import.
_ERASED_NAMES = ("notification", "delivery_settings")
_REVOKE_FEED = "UPDATE feed_token SET token_hash = NULL WHERE person_id = :id"


# Principals without a session


def get_owner_principal(session: Session, via: Via = Via.COMMAND) -> Principal:
    """Return the first administrator, as whom commands and the start-up act.

    Raises NotFoundError for a database without users, which was never migrated.
    """
    number = session.scalar(
        select(Person.id)
        .where(Person.role == Role.ADMIN.value, Person.state.in_(("active", "unclaimed")))
        .order_by(Person.is_demo, Person.id)
        .limit(1)
    )
    if number is None:
        raise NotFoundError("There is no administrator. Run `python -m jobs migrate`.")
    return get_principal(session, number, via)


def get_principal(session: Session, person_id: int, via: Via = Via.JOB) -> Principal:
    """Return the principal of a user, without a session. Raises NotFoundError unless active."""
    row = session.execute(
        select(Person, Team.time_zone)
        .join(Team, Team.id == Person.team_id)
        .where(Person.id == person_id)
    ).first()
    if row is None or row[0].state not in ("active", "unclaimed"):
        raise NotFoundError("The user who requested this is no longer active.")
    person, zone = row
    return Principal(
        person.id, person.team_id, person.name, person.time_zone or zone, Role(person.role), via
    )


# Set-up


def needs_setup(session: Session) -> bool:
    """Return whether the first administrator has not been set up yet."""
    return not session.scalar(
        select(func.count()).where(
            Person.role == Role.ADMIN.value, Person.state == "active", ~Person.is_demo
        )
    )


def create_setup_link(session: Session, now: datetime) -> str | None:
    """Return a token for setting up the first administrator; None if set up already."""
    owner = _lock_unclaimed_owner(session)
    if owner is None:
        return None
    principal = get_principal(session, owner.id, Via.COMMAND)
    audit.record(session, principal, "made set-up link", f"person:{owner.id}")
    return create_token(session, owner.id, Purpose.SETUP, now)


def _lock_unclaimed_owner(session: Session) -> Person | None:
    """Return the administrator to set up, locked; None if set up already."""
    if not needs_setup(session):
        return None
    return session.scalars(
        select(Person)
        .where(Person.role == Role.ADMIN.value, Person.state == "unclaimed")
        .order_by(Person.id)
        .limit(1)
        .with_for_update()
    ).first()


def set_up_owner(
    session: Session, mail: str, name: str | None, password_hash: str, now: datetime
) -> bool:
    """Set up the first administrator from settings; return False if set up already."""
    person = _lock_unclaimed_owner(session)
    if person is None:
        return False
    activate_person(person, name or person.name, normalize_email(mail), password_hash, now)
    session.flush()
    audit.record_anonymous(session, person.team_id, "set up", None, person.id)
    return True


# Links


@dataclass(frozen=True, slots=True)
class LinkRecipient:
    """The user of a link."""

    person_id: int
    name: str
    mail: str | None
    role: Role


def find_link_recipient(
    session: Session, token: str, purpose: Purpose, now: datetime
) -> LinkRecipient | None:
    """Return the user of a valid link, None for an invalid one."""
    number = find_token_owner(session, token, purpose, now)
    person = session.get(Person, number) if number else None
    if person is None or person.state == "disabled":
        return None
    return LinkRecipient(person.id, person.name, person.mail, Role(person.role))


def accept_link(
    session: Session,
    token: str,
    purpose: Purpose,
    name: str,
    mail: str | None,
    password_hash: str,
    now: datetime,
) -> int:
    """Activate the user of an invitation or set-up link; return the user's id.

    `mail` is used for the set-up only: an invitation belongs to an address. Raises
    InvalidInputError for an invalid link and for an address in use.
    """
    person = consume_token(session, token, purpose, now)
    if person is None or person.state not in ("invited", "unclaimed"):
        raise InvalidInputError(LINK_EXPIRED)
    address = normalize_typed_email(mail or "") if purpose is Purpose.SETUP else person.mail
    if address is None or _is_email_taken(session, address, but=person.id):
        raise InvalidInputError("This email address is already in use.")
    activate_person(person, clean_name(name), address, password_hash, now)
    session.flush()
    audit.record_anonymous(session, person.team_id, f"accepted {purpose.value}", None, person.id)
    if purpose is Purpose.INVITATION:
        # Without the name, which is text from outside and may be erased later.
        notice = f"An invited user has joined as {person.role}."
        account_notices.notify_admins(session, person.team_id, notice, "admin")
    return person.id


def _is_email_taken(session: Session, mail: str, but: int = 0) -> bool:
    taken = select(Person.id).where(Person.mail == mail, Person.id != but)
    return session.scalar(taken) is not None


# Administration


@dataclass(frozen=True, slots=True)
class Member:
    """A user of the team, as admins see them."""

    id: int
    name: str
    mail: str | None
    role: Role
    state: str
    is_demo: bool
    has_second_factor: bool
    last_signed_in_at: datetime | None


@requires(Permission.ADMIN)
def list_members(session: Session, principal: Principal) -> list[Member]:
    """Return the users of the team by name, without erased ones."""
    rows = session.scalars(
        select(Person)
        .where(Person.team_id == principal.team_id, Person.state != "erased")
        .order_by(func.lower(Person.name), Person.id)
    )
    return [_to_member(row) for row in rows]


@requires(Permission.READ)
def count_members(session: Session, principal: Principal) -> int:
    """Return how many users the team has, also invited ones, without erased and demo ones."""
    return int(
        session.scalar(
            select(func.count())
            .select_from(Person)
            .where(
                Person.team_id == principal.team_id,
                Person.state != "erased",
                Person.is_demo.is_(False),
            )
        )
        or 0
    )


def _to_member(row: Person) -> Member:
    return Member(
        id=row.id,
        name=row.name,
        mail=row.mail,
        role=Role(row.role),
        state=row.state,
        is_demo=row.is_demo,
        has_second_factor=row.totp_confirmed_at is not None,
        last_signed_in_at=row.last_signed_in_at,
    )


@requires(Permission.ADMIN)
def invite_member(
    session: Session, principal: Principal, mail: str, role: Role, now: datetime
) -> tuple[int, str]:
    """Invite an address; return (user's id, token of the link). Revokes an earlier invitation.

    Raises InvalidInputError for an address of an active user, and ConfirmationNeededError.
    """
    require_confirmed(session, principal, now)
    address = normalize_typed_email(mail)
    person = get_or_create_person(session, address, principal.team_id, "invited")
    # An unconfirmed registration must not block the owner of the address.
    if person.state not in ("invited", "registered") or person.team_id != principal.team_id:
        raise InvalidInputError("This email address is already in use.")
    revoke_all_tokens(session, person.id, now)
    person.role, person.state, person.password_hash = role.value, "invited", None
    session.flush()
    audit.record(session, principal, "invited", f"person:{person.id}", new={"role": role.value})
    return person.id, create_token(session, person.id, Purpose.INVITATION, now)


def renew_invitation(session: Session, person_id: int, now: datetime) -> tuple[str, str] | None:
    """Return (email address, token) of an invitation to send; None if accepted or withdrawn.

    For the job that sends it: the permission was checked when the user was invited.
    """
    person = lock_person(session, person_id)
    if person is None or person.state != "invited" or person.mail is None:
        return None
    return person.mail, create_token(session, person.id, Purpose.INVITATION, now)


@requires(Permission.ADMIN)
def withdraw_invitation(
    session: Session, principal: Principal, person_id: int, now: datetime
) -> None:
    """Withdraw an invitation and revoke its link."""
    person = _lock_member(session, principal, person_id)
    if person.state != "invited":
        raise InvalidInputError("This user has already joined. Disable them instead.")
    revoke_tokens(session, person.id, Purpose.INVITATION, now)
    session.delete(person)
    session.flush()
    audit.record(session, principal, "withdrew invitation", f"person:{person_id}")


@requires(Permission.ADMIN)
def change_role(
    session: Session, principal: Principal, person_id: int, role: Role, now: datetime
) -> None:
    """Change a user's role.

    Raises InvalidInputError for the last administrator, and ConfirmationNeededError.
    """
    require_confirmed(session, principal, now)
    person = _lock_member(session, principal, person_id)
    if person.state == "unclaimed":
        raise InvalidInputError("This account has not been set up yet. Use its set-up link.")
    if person.role == role.value:
        return
    if person.state == "unclaimed":
        raise InvalidInputError("This administrator has not been set up yet.")
    _require_another_admin(session, person)
    audit.record(
        session,
        principal,
        "changed role",
        f"person:{person.id}",
        {"role": person.role},
        {"role": role.value},
    )
    person.role = role.value
    session.flush()
    account_notices.notify_security(session, person.id, f"Your role is now {role.value}.")


@requires(Permission.ADMIN)
def disable_member(session: Session, principal: Principal, person_id: int, now: datetime) -> None:
    """Disable a user: end sessions and revoke tokens; delete nothing.

    A user who is enabled again signs in and makes new tokens.
    """
    person = _lock_member(session, principal, person_id)
    if person.state != "active":
        raise InvalidInputError("This user is not active.")
    _require_another_admin(session, person)
    person.state = "disabled"
    session.flush()
    end_sessions(session, person.id, now)
    revoke_all_tokens(session, person.id, now)
    _revoke_standing_tokens(session, person.id, now)
    audit.record(session, principal, "disabled", f"person:{person.id}")


def _revoke_standing_tokens(session: Session, person_id: int, now: datetime) -> None:
    """Revoke a user's API tokens and the token of the user's feed."""
    session.execute(
        update(ApiToken)
        .where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    session.execute(text(_REVOKE_FEED), {"id": person_id})


@requires(Permission.ADMIN)
def enable_member(session: Session, principal: Principal, person_id: int, now: datetime) -> None:
    """Enable a disabled user. Raises ConfirmationNeededError."""
    require_confirmed(session, principal, now)
    person = _lock_member(session, principal, person_id)
    if person.state != "disabled":
        raise InvalidInputError("This user is not disabled.")
    person.state = "active"
    session.flush()
    audit.record(session, principal, "enabled", f"person:{person.id}")


@requires(Permission.ADMIN)
def erase_member(session: Session, principal: Principal, person_id: int) -> None:
    """Erase a disabled user's data. Their events stay in the audit, without a name."""
    person = _lock_member(session, principal, person_id)
    if person.state != "disabled":
        raise InvalidInputError("Disable this user first.")
    for table in _ERASED_TABLES:
        session.execute(delete(table).where(table.person_id == person.id))
    for name in _ERASED_NAMES:
        session.execute(text(f"DELETE FROM {name} WHERE person_id = :id"), {"id": person.id})
    session.execute(
        update(Person)
        .where(Person.id == person.id)
        .values(
            name=ERASED,
            mail=None,
            state="erased",
            password_hash=None,
            password_changed_at=None,
            totp_secret=None,
            totp_confirmed_at=None,
            totp_last_step=None,
            outside_identity=None,
            last_signed_in_at=None,
            time_zone=None,
            preferences={},
        )
    )
    session.expire(person)
    audit.record(session, principal, "erased", f"person:{person_id}")


def _lock_member(session: Session, principal: Principal, person_id: int) -> Person:
    """Return a user of the team, locked, for a change by an admin.

    Locks the team and checks again that the caller is an admin: two admins who demote each
    other at the same time would leave none.
    """
    lock_team(session, principal.team_id)
    _require_still_admin(session, principal)
    person = lock_person(session, person_id)
    if person is None or person.team_id != principal.team_id or person.state == "erased":
        raise NotFoundError("This user is not in your team.")
    return person


def lock_team(session: Session, team_id: int) -> None:
    """Lock a team against changes of its users until the transaction ends."""
    session.execute(
        text("SELECT id FROM team WHERE id = :team FOR NO KEY UPDATE"), {"team": team_id}
    )


def _require_still_admin(session: Session, principal: Principal) -> None:
    row = session.execute(
        select(Person.role, Person.state).where(Person.id == principal.person_id)
    ).first()
    if row is None or row[0] != Role.ADMIN.value or row[1] not in ("active", "unclaimed"):
        raise NotAllowedError("You are no longer an administrator. Reload the page.")


def _require_another_admin(session: Session, person: Person) -> None:
    """Raise InvalidInputError for the last admin of the team."""
    if is_last_admin(session, person):
        raise InvalidInputError(
            "This is the last administrator. Make another user an administrator first."
        )


def is_last_admin(session: Session, person: Person) -> bool:
    """Return whether a user is the last active admin of the team.

    Call it under the team's lock. Demo users don't count as other admins: they are deleted
    with the demo.
    """
    if person.role != Role.ADMIN.value or person.state != "active":
        return False
    others = select(func.count()).where(
        Person.team_id == person.team_id,
        Person.role == Role.ADMIN.value,
        Person.state == "active",
        Person.id != person.id,
    )
    return not session.scalar(others if person.is_demo else others.where(~Person.is_demo))
