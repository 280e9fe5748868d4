"""The user's own profile, password and email address. Never commits."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.api_tokens import revoke_api_tokens
from core.accounts.access.confirmation import require_confirmed
from core.accounts.access.one_time_tokens import Purpose, revoke_tokens
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.access.sessions import end_sessions
from core.accounts.email_address import normalize_email
from core.accounts.models import Person
from core.accounts.people import account_notices
from core.accounts.profile_fields import clean_name, list_time_zones
from core.errors import InvalidInputError
from core.text.locale import Formats
from core.thresholds import NO_THRESHOLD, is_threshold, round_threshold

PAGE_SIZES = (25, 50, 100)
LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "sv_SE", "pl_PL", "ja_JP")
"""The offered formats; any locale that Babel knows may be set."""
CURRENCY_DISPLAYS = ("symbol", "code")
THEMES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's name, address and preferences."""

    name: str
    mail: str | None
    time_zone: str | None  # None: the team's
    locale: str
    page_size: int
    currency_display: str  # of CURRENCY_DISPLAYS
    theme: str  # of THEMES
    price_change_percent: Decimal | None  # of products tracked from now on
    rank_change_percent: Decimal | None
    mails: bool  # whether notices are also emailed
    has_password: bool
    has_second_factor: bool
    is_demo: bool


@dataclass(frozen=True, slots=True)
class ProfileUpdate:
    """New values of a profile."""

    name: str
    time_zone: str | None
    locale: str
    page_size: int
    currency_display: str
    theme: str
    price_change_percent: Decimal | None
    rank_change_percent: Decimal | None
    mails: bool


def read_formats(session: Session, person_id: int) -> Formats:
    """Return a user's formats of numbers and dates, for what is written without the user's page."""
    person = session.get_one(Person, person_id)
    has_code = person.preferences.get("currency_display") == "code"
    return Formats(person.locale, has_code)


@requires(Permission.SELF)
def get_profile(session: Session, principal: Principal) -> Profile:
    """Return the user's own profile."""
    person = session.get_one(Person, principal.person_id, populate_existing=True)
    preferences = person.preferences
    return Profile(
        name=person.name,
        mail=person.mail,
        time_zone=person.time_zone,
        locale=person.locale,
        page_size=person.page_size,
        currency_display=preferences.get("currency_display", CURRENCY_DISPLAYS[0]),
        theme=preferences.get("theme", THEMES[0]),
        price_change_percent=person.price_change_percent,
        rank_change_percent=person.rank_change_percent,
        mails=preferences.get("mails", True),
        has_password=person.password_hash is not None,
        has_second_factor=person.totp_confirmed_at is not None,
        is_demo=person.is_demo,
    )


@requires(Permission.SELF)
def update_profile(session: Session, principal: Principal, wanted: ProfileUpdate) -> None:
    """Change the user's own profile. Raises InvalidInputError."""
    _validate_update(wanted)
    person = _lock_own_person(session, principal)
    before, name = _audit_values(person), person.name
    person.name = clean_name(wanted.name)
    person.time_zone, person.locale = wanted.time_zone, wanted.locale
    person.page_size = wanted.page_size
    person.price_change_percent = round_threshold(wanted.price_change_percent)
    person.rank_change_percent = round_threshold(wanted.rank_change_percent)
    person.preferences = {
        **person.preferences,
        "currency_display": wanted.currency_display,
        "theme": wanted.theme,
        "mails": wanted.mails,
    }
    session.flush()
    after = _audit_values(person) | ({"name": "changed"} if person.name != name else {})
    if before != after:
        audit.record(session, principal, "changed profile", f"person:{person.id}", before, after)


def _audit_values(person: Person) -> dict[str, object]:
    """Return the values for the audit: nothing that identifies the user."""
    return {
        "time_zone": person.time_zone,
        "locale": person.locale,
        "page_size": person.page_size,
        "price_change_percent": person.price_change_percent,
        "rank_change_percent": person.rank_change_percent,
        "currency_display": CURRENCY_DISPLAYS[0],
        "theme": THEMES[0],
        "mails": True,
        **person.preferences,
    }


def _lock_own_person(session: Session, principal: Principal) -> Person:
    return session.get_one(
        Person, principal.person_id, with_for_update=True, populate_existing=True
    )


def _validate_update(wanted: ProfileUpdate) -> None:
    if wanted.time_zone is not None and wanted.time_zone not in list_time_zones():
        raise InvalidInputError("Unknown time zone. Choose one from the list.")
    try:
        Locale.parse(wanted.locale)
    except (UnknownLocaleError, ValueError) as error:
        raise InvalidInputError("Unknown language. Choose one from the list.") from error
    if wanted.page_size not in PAGE_SIZES:
        raise InvalidInputError("Choose one of the offered page sizes.")
    if wanted.currency_display not in CURRENCY_DISPLAYS or wanted.theme not in THEMES:
        raise InvalidInputError("Choose one of the offered displays.")
    for share in (wanted.price_change_percent, wanted.rank_change_percent):
        if share is not None and not is_threshold(share):
            raise InvalidInputError(NO_THRESHOLD)


@requires(Permission.SELF)
def get_own_password_hash(session: Session, principal: Principal) -> str | None:
    """Return the hash of the user's current password, None without a password."""
    return session.scalar(select(Person.password_hash).where(Person.id == principal.person_id))


@requires(Permission.SELF)
def change_password(
    session: Session,
    principal: Principal,
    password_hash: str,
    proven: str | None,
    now: datetime,
    *,
    revokes_tokens: bool = False,
) -> None:
    """Set the user's own password and end their other sessions.

    `proven`: the hash that the current password was verified against. `revokes_tokens`: also
    revoke the user's API tokens. Raises InvalidInputError if `proven` is no longer current or
    for demo users, and ConfirmationNeededError.
    """
    require_confirmed(session, principal, now)
    person = _lock_own_person(session, principal)
    if person.is_demo:
        raise InvalidInputError("Demo users can't change their password.")
    if person.password_hash != proven:
        raise InvalidInputError("The password was changed meanwhile. Try again.")
    person.password_hash, person.password_changed_at = password_hash, now
    revoke_tokens(session, person.id, Purpose.RESET, now)
    end_sessions(session, person.id, now, but=principal.session_id)
    session.flush()
    revoked = revoke_api_tokens(session, person.id, now) if revokes_tokens else 0
    values = {"revoked tokens": revoked}
    audit.record(session, principal, "changed password", f"person:{person.id}", new=values)
    account_notices.notify_security(
        session, person.id, "Your password was changed.", "profile", address=principal.address
    )


@requires(Permission.SELF)
def change_email(session: Session, principal: Principal, mail: str, now: datetime) -> None:
    """Change the user's own email address. Raises InvalidInputError for one in use.

    The former address is notified. Raises ConfirmationNeededError, since the address receives
    password resets.
    """
    require_confirmed(session, principal, now)
    address = normalize_email(mail)
    person = _lock_own_person(session, principal)
    if person.is_demo:
        raise InvalidInputError("Demo users can't change their email address.")
    old = person.mail
    if old == address:
        return
    # Checked by the index: two simultaneous changes would both find the address free.
    try:
        with session.begin_nested():
            person.mail = address
    except IntegrityError as error:
        raise InvalidInputError("This email address is already in use.") from error
    # Revoke reset links that were sent to the old address.
    revoke_tokens(session, person.id, Purpose.RESET, now)
    audit.record(session, principal, "changed mail address", f"person:{person.id}")
    account_notices.notify_security(
        session,
        person.id,
        "Your email address was changed.",
        "profile",
        address=principal.address,
        mail=old,
    )
