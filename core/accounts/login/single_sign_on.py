"""Users who sign in by single sign-on: their account and role. Never commits.

The provider has authenticated the user. This module finds the account by claims whose
signature was verified before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.credentials import hash_token
from core.accounts.access.one_time_tokens import get_or_create_person
from core.accounts.access.permissions import Role
from core.accounts.email_address import normalize_email
from core.accounts.models import OneTimeToken, Person, Team
from core.accounts.people import account_notices
from core.accounts.people.membership import is_last_admin, lock_team
from core.accounts.profile_fields import MAX_NAME_LENGTH, clean_name
from core.errors import ConfigurationError, InvalidInputError, NotAllowedError

MAX_CLAIM_AGE = timedelta(minutes=5)  # between the provider's signature and the check here
_USED = "outside"
_NEW = "coming"  # within one transaction: a row that was created here
_MAX_GROUPS = 500


class LinkNeedsPasswordError(NotAllowedError):
    """An account with a password has this address: its owner must confirm the link first."""

    def __init__(self) -> None:
        super().__init__("Confirm with your password that this account is yours.")


@dataclass(frozen=True, slots=True)
class Claims:
    """Verified claims of the provider about a user."""

    issuer: str
    subject: str
    mail: str  # verified, as `normalize_email` writes it
    name: str
    groups: tuple[str, ...]
    issued_at: datetime
    nonce: str  # identifies this sign-on

    @property
    def identity(self) -> str:
        """Return the id of the user at the provider, which never changes."""
        return f"{self.issuer} {self.subject}"


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """Which users may sign in. `roles`: group → role; empty: admins assign roles."""

    is_open: bool  # also users without an invitation
    roles: Mapping[str, Role]


def parse_group_roles(setting: str) -> dict[str, Role]:
    """Return the roles in "group=role, group=role". Raises ConfigurationError."""
    found: dict[str, Role] = {}
    for part in filter(None, (each.strip() for each in setting.split(","))):
        group, _, role = (each.strip() for each in part.rpartition("="))
        if not group or role not in set(Role):
            roles = ", ".join(Role)
            raise ConfigurationError(
                f"Write AMAZCOPE_OIDC_GROUPS as group=role, …; the roles are {roles}."
            )
        found[group] = Role(role)
    return found


def parse_claims(given: Mapping[str, Any], issuer: str) -> Claims:
    """Return the claims of a sign-on. Raises NotAllowedError for missing or unverified claims."""
    subject, nonce, issued_at = given.get("sub"), given.get("nonce"), _parse_time(given.get("iat"))
    is_whole = all(isinstance(each, str) and each for each in (subject, nonce))
    if not is_whole or given.get("iss") != issuer or issued_at is None:
        raise NotAllowedError("Single sign-on did not send your identity. Try again.")
    if given.get("email_verified") not in (True, "true"):
        raise NotAllowedError("Single sign-on did not verify your email address.")
    try:
        mail = normalize_email(str(given.get("email") or ""))
    except InvalidInputError as error:
        raise NotAllowedError("Single sign-on did not send an email address.") from error
    return Claims(
        issuer,
        str(subject),
        mail,
        _parse_name(given, mail),
        _parse_groups(given.get("groups")),
        issued_at,
        str(nonce),
    )


def _parse_time(seconds: object) -> datetime | None:
    """Return the time of a claim, None for an invalid one."""
    if not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _parse_name(given: Mapping[str, Any], mail: str) -> str:
    try:
        return clean_name(str(given.get("name") or "")[:MAX_NAME_LENGTH])
    except InvalidInputError:
        return mail.partition("@")[0][:MAX_NAME_LENGTH]


def _parse_groups(given: object) -> tuple[str, ...]:
    """Return the groups of a claim; some providers send one name instead of a list."""
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Sequence):
        return ()
    return tuple(each for each in given[:_MAX_GROUPS] if isinstance(each, str))


def find_highest_role(groups: Sequence[str], roles: Mapping[str, Role]) -> Role | None:
    """Return the highest role of the groups, None for no role."""
    given = [roles[group] for group in groups if group in roles]
    return max(given, key=list(Role).index, default=None)


def complete_single_sign_on(
    session: Session,
    claims: Claims,
    admission: AdmissionPolicy,
    now: datetime,
    address: str | None,
    *,
    is_proven: bool = False,
) -> int:
    """Return the id of the user who signed on, created or updated by the claims.

    `is_proven`: the user has proven to own the account with this address, by its password and
    second factor. Raises LinkNeedsPasswordError where that is missing, NotAllowedError for a
    user who may not sign in.
    """
    role = find_highest_role(claims.groups, admission.roles)
    if admission.roles and role is None:
        raise NotAllowedError("You are in no group that may use Amazcope. Ask its administrator.")
    team_id = session.scalars(select(Team.id).order_by(Team.id).limit(1)).one()
    lock_team(session, team_id)  # as every change of users does, before any user is locked
    person = _find_user(session, claims) or _register_user(
        session, claims, admission, role, team_id
    )
    expected = ("invited", "registered") if admission.is_open else ("invited",)
    if person.state not in ("active", *expected) or person.is_demo:
        raise NotAllowedError("You may not sign in here. Ask an administrator of your team.")
    is_linked = person.outside_identity is not None
    if person.state == "active" and person.password_hash and not (is_linked or is_proven):
        raise LinkNeedsPasswordError
    _consume_claims(session, claims, person.id, now)
    if person.state in expected:
        _activate_user(session, person, claims, address)
    if person.outside_identity is None:
        person.outside_identity = claims.identity
        audit.record_anonymous(
            session, person.team_id, "linked sign-on", address, person.id, {"by": claims.issuer}
        )
    if role is not None:
        _assign_role(session, person, role, address)
    session.flush()
    return person.id


def _find_user(session: Session, claims: Claims) -> Person | None:
    """Return the user with this identity, else the one with this address and no identity."""
    known = select(Person).where(Person.outside_identity == claims.identity).with_for_update()
    person = session.scalars(known).first()
    if person is None:
        by_mail = select(Person).where(
            Person.mail == claims.mail, Person.outside_identity.is_(None)
        )
        person = session.scalars(by_mail.with_for_update()).first()
    return person


def _activate_user(session: Session, person: Person, claims: Claims, address: str | None) -> None:
    """Activate a user who was invited or registered.

    Deletes a password that was set before the address was confirmed.
    """
    person.name, person.state, person.password_hash = claims.name, "active", None
    audit.record_anonymous(session, person.team_id, "joined by sign-on", address, person.id)
    account_notices.notify_admins(
        session, person.team_id, "A user has joined by single sign-on.", "admin"
    )


def _register_user(
    session: Session, claims: Claims, admission: AdmissionPolicy, role: Role | None, team_id: int
) -> Person:
    if not admission.is_open:
        raise NotAllowedError("You have not been invited yet. Ask an administrator of your team.")
    person = get_or_create_person(session, claims.mail, team_id, _NEW)
    if person.state != _NEW:
        raise NotAllowedError("Another account uses your email address.")
    person.name, person.state = claims.name, "active"
    person.role = (role or Role.VIEWER).value
    session.flush()
    audit.record_anonymous(session, team_id, "registered", None, person.id)
    account_notices.notify_admins(
        session, team_id, "A user has registered by single sign-on.", "admin"
    )
    return person


def _consume_claims(session: Session, claims: Claims, person_id: int, now: datetime) -> None:
    """Accept each sign-on once and within minutes, since its cookie could have been copied."""
    if not -MAX_CLAIM_AGE <= now - claims.issued_at <= MAX_CLAIM_AGE:
        raise NotAllowedError("That took too long. Sign in again.")
    used = session.execute(
        insert(OneTimeToken)
        .values(
            token_hash=hash_token(f"{claims.identity} {claims.nonce}"),
            purpose=_USED,
            person_id=person_id,
            made_at=now,
            expires_at=now + 2 * MAX_CLAIM_AGE,
            used_at=now,
        )
        .on_conflict_do_nothing()
        .returning(OneTimeToken.person_id)
    ).first()
    if used is None:
        raise NotAllowedError("This sign-on was used already. Sign in again.")


def _assign_role(session: Session, person: Person, role: Role, address: str | None) -> None:
    """Set the role of the groups, replacing one that an admin set."""
    if person.role == role.value or is_last_admin(session, person):
        return
    audit.record_anonymous(
        session,
        person.team_id,
        "changed role",
        address,
        person.id,
        {"from": person.role, "role": role.value, "by": "groups of the sign-on"},
    )
    person.role = role.value
    account_notices.notify_security(session, person.id, f"Your role is now {role.value}.")
