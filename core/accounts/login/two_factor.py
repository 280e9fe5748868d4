"""Two-factor authentication: codes of an authenticator app, and recovery codes. Never commits."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import pyotp
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.confirmation import require_confirmed
from core.accounts.access.credentials import decrypt, encrypt
from core.accounts.access.one_time_tokens import lock_person
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.access.team_settings import is_two_factor_required
from core.accounts.models import Person, RecoveryCode
from core.accounts.people import account_notices
from core.errors import InvalidInputError, NotFoundError

ISSUER = "Amazcope"
RECOVERY_CODES = 10
STEP = 30  # seconds; the default of authenticator apps
DRIFT = 1  # steps that a phone's clock may differ, in both directions
MAX_CODE_LENGTH = 64  # characters of a code as it is typed
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # without characters that look alike
_GROUPS, _GROUP = 5, 5  # of a recovery code: 25 characters of 31 have 124 bits


def _lock_own_person(session: Session, principal: Principal) -> Person:
    return session.get_one(
        Person, principal.person_id, with_for_update=True, populate_existing=True
    )


@requires(Permission.SELF)
def start_two_factor_setup(session: Session, principal: Principal, key: str, now: datetime) -> str:
    """Start the set-up; return the URI for the QR code.

    Sign-ins need no code until the first one is confirmed. Raises InvalidInputError if it is
    set up already, and ConfirmationNeededError.
    """
    require_confirmed(session, principal, now)
    person = _lock_own_person(session, principal)
    if person.is_demo:
        raise InvalidInputError("Demo users can't set up two-factor authentication.")
    if person.totp_confirmed_at is not None:
        raise InvalidInputError("Two-factor authentication is already on.")
    secret = pyotp.random_base32()
    person.totp_secret = encrypt(secret, key)
    session.flush()
    return pyotp.TOTP(secret).provisioning_uri(name=person.mail or person.name, issuer_name=ISSUER)


@requires(Permission.SELF)
def confirm_two_factor_setup(
    session: Session, principal: Principal, code: str, key: str, now: datetime
) -> list[str]:
    """Finish the set-up with a first code; return the recovery codes, shown once.

    Raises InvalidInputError for a wrong code, and ConfirmationNeededError.
    """
    require_confirmed(session, principal, now)
    person = _lock_own_person(session, principal)
    if person.totp_confirmed_at is not None or person.totp_secret is None:
        raise InvalidInputError("Start the set-up of two-factor authentication again.")
    if not _verify_totp(person, code, key, now):
        raise InvalidInputError("Incorrect code. Check the clock of your phone.")
    person.totp_confirmed_at = now
    codes = _replace_recovery_codes(session, person.id, now)
    audit.record(session, principal, "set up second factor", f"person:{person.id}")
    account_notices.notify_security(
        session,
        person.id,
        "Two-factor authentication was turned on.",
        "profile",
        address=principal.address,
    )
    return codes


@requires(Permission.SELF)
def remove_two_factor(
    session: Session, principal: Principal, code: str, key: str, now: datetime
) -> None:
    """Turn off the user's own two-factor authentication, with a code.

    Raises InvalidInputError for a wrong code and where the team requires two-factor
    authentication, and ConfirmationNeededError.
    """
    require_confirmed(session, principal, now)
    if is_two_factor_required(session, principal.team_id):
        raise InvalidInputError("Your team requires two-factor authentication.")
    if not verify_code(session, principal.person_id, code, key, now):
        raise InvalidInputError("Incorrect code.")
    _delete_two_factor(session, principal.person_id)
    audit.record(session, principal, "removed second factor", f"person:{principal.person_id}")
    account_notices.notify_security(
        session,
        principal.person_id,
        "Two-factor authentication was turned off.",
        "profile",
        address=principal.address,
    )


@requires(Permission.SELF)
def renew_recovery_codes(session: Session, principal: Principal, now: datetime) -> list[str]:
    """Replace the recovery codes; return the new ones, shown once.

    Raises InvalidInputError without two-factor authentication, and ConfirmationNeededError.
    """
    require_confirmed(session, principal, now)
    if _lock_own_person(session, principal).totp_confirmed_at is None:
        raise InvalidInputError("Set up two-factor authentication first.")
    codes = _replace_recovery_codes(session, principal.person_id, now)
    audit.record(session, principal, "made recovery codes", f"person:{principal.person_id}")
    account_notices.notify_security(
        session,
        principal.person_id,
        "New recovery codes were created.",
        "profile",
        address=principal.address,
    )
    return codes


@requires(Permission.ADMIN)
def remove_member_two_factor(
    session: Session, principal: Principal, person_id: int, now: datetime
) -> None:
    """Turn off another user's two-factor authentication.

    Raises NotFoundError for a user of another team, InvalidInputError for a user without it
    and for the admin's own, which needs a code, and ConfirmationNeededError.
    """
    require_confirmed(session, principal, now)
    if person_id == principal.person_id:
        raise InvalidInputError(
            "Turn off your own two-factor authentication in your profile, with a code."
        )
    person = lock_person(session, person_id)
    if person is None or person.team_id != principal.team_id or person.state == "erased":
        raise NotFoundError("This user is not in your team.")
    if person.totp_confirmed_at is None:
        raise InvalidInputError("This user has no two-factor authentication.")
    _delete_two_factor(session, person_id)
    audit.record(session, principal, "removed second factor", f"person:{person_id}")
    account_notices.notify_security(
        session,
        person_id,
        "An administrator turned off your two-factor authentication.",
        "profile",
    )


def _delete_two_factor(session: Session, person_id: int) -> None:
    session.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(totp_secret=None, totp_confirmed_at=None, totp_last_step=None)
    )
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))


def is_two_factor_enabled(session: Session, person_id: int) -> bool:
    """Return whether a user signs in with two-factor authentication."""
    found = select(Person.totp_confirmed_at).where(Person.id == person_id)
    return session.scalar(found) is not None


def verify_code(session: Session, person_id: int, code: str, key: str, now: datetime) -> bool:
    """Return whether a code of the app or an unused recovery code is correct; consume it."""
    person = lock_person(session, person_id)
    if person is None or person.totp_confirmed_at is None or len(code) > MAX_CODE_LENGTH:
        return False
    return _verify_totp(person, code, key, now) or _use_recovery_code(session, person_id, code, now)


def _verify_totp(person: Person, code: str, key: str, now: datetime) -> bool:
    """Return whether the app shows this code now; each code is valid once (RFC 6238, 5.2)."""
    digits = "".join(code.split())
    if person.totp_secret is None or not (digits.isascii() and digits.isdigit()):
        return False
    totp = pyotp.TOTP(decrypt(person.totp_secret, key), interval=STEP)
    step = int(now.timestamp()) // STEP
    for each in range(step - DRIFT, step + DRIFT + 1):
        is_fresh = person.totp_last_step is None or each > person.totp_last_step
        if is_fresh and secrets.compare_digest(totp.generate_otp(each), digits):
            person.totp_last_step = each
            return True
    return False


def _replace_recovery_codes(session: Session, person_id: int, now: datetime) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = ["-".join(_random_group() for _ in range(_GROUPS)) for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(person_id=person_id, code_hash=_hash_code(code), made_at=now) for code in codes
    )
    session.flush()
    return codes


def _random_group() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP))


def _use_recovery_code(session: Session, person_id: int, code: str, now: datetime) -> bool:
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person_id,
            RecoveryCode.code_hash == _hash_code(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.code_hash)
    ).first()
    return used is not None


def _hash_code(code: str) -> bytes:
    # 124 random bits can't be guessed, so a fast hash is enough.
    plain = "".join(code.lower().replace("-", "").split())
    return sha256(plain.encode("utf-8", "replace")).digest()


@dataclass(frozen=True, slots=True)
class RecoveryCodesLeft:
    """A user's unused recovery codes."""

    count: int
    has_short: bool  # from a version with codes of 10 characters; valid, but should be replaced


@requires(Permission.SELF)
def count_recovery_codes(session: Session, principal: Principal) -> RecoveryCodesLeft:
    """Return the number of the user's unused recovery codes."""
    unused = select(RecoveryCode.made_at).where(
        RecoveryCode.person_id == principal.person_id, RecoveryCode.used_at.is_(None)
    )
    made = session.scalars(unused).all()
    return RecoveryCodesLeft(len(made), None in made)
