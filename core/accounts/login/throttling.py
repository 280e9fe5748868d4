"""Limits of attempts at public forms, in a sliding window. Never commits.

An attempt is stored as failed before it is checked, so simultaneous attempts are all counted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core.accounts.models import SignInAttempt
from core.errors import NotAllowedError

UNKNOWN_ADDRESS = "this machine"


class TooManyAttemptsError(NotAllowedError):
    """Further attempts are refused for a while, even with the correct password."""


class ThrottledForm(StrEnum):
    """The forms with limited attempts, each counted separately."""

    SIGN_IN = "sign_in"  # also confirmations by password
    RESET = "reset"  # "Forgot your password?"
    REGISTRATION = "registration"
    LINK = "link"  # opened by a link: set-up, invitation, reset, registration


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How many attempts may fail within a window."""

    per_person: int
    per_address: int
    window: timedelta


# Sending emails is slow, and an office shares one address.
REQUEST_LIMITS = AttemptLimits(per_person=5, per_address=20, window=timedelta(hours=1))
"""For forms that send an email: "person" is the given email address."""
LINK_LIMITS = AttemptLimits(per_person=20, per_address=60, window=timedelta(hours=1))
"""For forms opened by a link: "person" is the link. Each attempt hashes a password."""


def begin_attempt(
    session: Session,
    target: str,
    address: str | None,
    limits: AttemptLimits,
    now: datetime,
    *,
    form: ThrottledForm = ThrottledForm.SIGN_IN,
    bucket: str | None = None,
) -> int:
    """Store an attempt as failed and return its id.

    `target`: the given email address (or link). `bucket`: the known device or session of the
    attempt, which is counted separately; None: an unknown device, counted for the target and
    for its network address.

    Raises TooManyAttemptsError with the waiting time. A refused attempt is not counted, so
    retrying does not lengthen the wait.
    """
    who, where = _hash_target(target, bucket), normalize_network_address(address)
    _lock(session, f"address {where}")  # always before the target: prevents deadlocks
    _lock(session, f"mail {who.hex()}")
    of_form = SignInAttempt.kind == form.value
    of_person = of_form, SignInAttempt.who == who, ~SignInAttempt.is_forgiven
    of_address = of_form, SignInAttempt.address == where
    times = [_next_allowed_at(session, of_person, limits.per_person, limits.window, now)]
    if bucket is None:
        times.append(_next_allowed_at(session, of_address, limits.per_address, limits.window, now))
    until = max((time for time in times if time), default=None)
    if until is not None:
        minutes = max(1, -(-int((until - now).total_seconds()) // 60))
        unit = "minute" if minutes == 1 else "minutes"
        raise TooManyAttemptsError(f"Too many attempts. Try again in {minutes} {unit}.")
    attempt = SignInAttempt(kind=form.value, who=who, address=where, at=now)
    session.add(attempt)
    session.flush()
    return attempt.id


def normalize_network_address(address: str | None) -> str:
    """Return the key by which an address is counted; for IPv6 the /64 network of a customer."""
    if not address:
        return UNKNOWN_ADDRESS
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))


def _lock(session: Session, key: str) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})


def _next_allowed_at(
    session: Session, which: tuple[object, ...], most: int, window: timedelta, now: datetime
) -> datetime | None:
    """Return when the next attempt is allowed; None: now."""
    failed = (
        select(SignInAttempt.at)
        .where(*which, ~SignInAttempt.has_succeeded, SignInAttempt.at > now - window)  # type: ignore[arg-type]
        .order_by(SignInAttempt.at.desc())
        .limit(most)
    )
    times = session.scalars(failed).all()
    return times[-1] + window if len(times) >= most else None


def reset_failures(session: Session, attempt_id: int) -> None:
    """Mark an attempt as successful; earlier ones of its bucket no longer count.

    Those of the network address still count, so an own account can't reset them. A sign-in on
    a known device does not reset the attempts of unknown devices.
    """
    attempt = session.get_one(SignInAttempt, attempt_id)
    # Prevents two sign-ins of one user from waiting for each other.
    _lock(session, f"mail {attempt.who.hex()}")
    mark_succeeded(session, attempt_id)
    session.execute(
        update(SignInAttempt)
        .where(
            SignInAttempt.kind == attempt.kind,
            SignInAttempt.who == attempt.who,
            ~SignInAttempt.is_forgiven,
        )
        .values(is_forgiven=True)
    )


def mark_succeeded(session: Session, attempt_id: int) -> None:
    """Mark an attempt as successful: it no longer counts as failed."""
    session.get_one(SignInAttempt, attempt_id).has_succeeded = True
    session.flush()


def count_failed(
    session: Session, mail: str, window: timedelta, now: datetime, bucket: str | None = None
) -> int:
    """Return the number of failed sign-in attempts of a bucket within the window."""
    found = select(func.count()).where(
        SignInAttempt.kind == ThrottledForm.SIGN_IN.value,
        SignInAttempt.who == _hash_target(mail, bucket),
        ~SignInAttempt.is_forgiven,
        ~SignInAttempt.has_succeeded,
        SignInAttempt.at > now - window,
    )
    return session.scalar(found) or 0


def _hash_target(target: str, bucket: str | None) -> bytes:
    """Return the key by which an attempt is counted. A typed target can't match a bucket."""
    named = target.replace("\0", "?") if bucket is None else f"\0{bucket}"
    return sha256(named.encode("utf-8", "surrogatepass")).digest()
