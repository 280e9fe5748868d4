"""Counting attempts at forms that are open to everybody, in a sliding window. Never commits.

An attempt is written as failed before anything is checked, so that many at once can't
all slip through before the first of them is counted.
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
    """Attempts are refused for a while, whoever it is and whatever the password."""


class ThrottledForm(StrEnum):
    """The forms whose attempts are counted, each by itself."""

    SIGN_IN = "sign_in"  # also the present password, where it is asked for again
    RESET = "reset"  # "Forgot your password?"
    REGISTRATION = "registration"
    LINK = "link"  # behind a link: set-up, invitation, reset, registration


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How many attempts may fail in a window."""

    per_person: int
    per_address: int
    window: timedelta


# A mail server is slower than a form, and an office has one address.
REQUEST_LIMITS = AttemptLimits(per_person=5, per_address=20, window=timedelta(hours=1))
"""For forms that have something mailed: "person" is the mail address that was given."""
LINK_LIMITS = AttemptLimits(per_person=20, per_address=60, window=timedelta(hours=1))
"""For forms behind a link: "person" is the link. Each attempt judges and hashes a password."""


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
    """Write an attempt down as failed and return its id.

    `target`: the mail address (or link) that was given. `bucket`: the known device or the
    session that it comes from, whose attempts are counted by themselves, whoever else
    tries; None for an unknown device: it counts for the target and for its address.

    Raises TooManyAttemptsError, saying how long it takes, when there were too many.
    A refused attempt is not counted: trying on does not lengthen the wait.
    """
    who, where = _hash_target(target, bucket), throttled_address(address)
    _lock(session, f"address {where}")  # always before the person: no deadlock
    _lock(session, f"mail {who.hex()}")
    of_form = SignInAttempt.kind == form.value
    of_person = of_form, SignInAttempt.who == who, ~SignInAttempt.is_forgiven
    of_address = of_form, SignInAttempt.address == where
    waits = [_next_allowed_at(session, of_person, limits.per_person, limits.window, now)]
    if bucket is None:
        waits.append(_next_allowed_at(session, of_address, limits.per_address, limits.window, now))
    until = max((wait for wait in waits if wait), default=None)
    if until is not None:
        minutes = max(1, -(-int((until - now).total_seconds()) // 60))
        unit = "minute" if minutes == 1 else "minutes"
        raise TooManyAttemptsError(f"Too many attempts. Try again in {minutes} {unit}.")
    attempt = SignInAttempt(kind=form.value, who=who, address=where, at=now)
    session.add(attempt)
    session.flush()
    return attempt.id


def throttled_address(address: str | None) -> str:
    """Return what an address is counted as: of IPv6 the network, which one customer has whole."""
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
    """Return when the next attempt is let through; None: now."""
    failed = (
        select(SignInAttempt.at)
        .where(*which, ~SignInAttempt.has_succeeded, SignInAttempt.at > now - window)  # type: ignore[arg-type]
        .order_by(SignInAttempt.at.desc())
        .limit(most)
    )
    times = session.scalars(failed).all()
    return times[-1] + window if len(times) >= most else None


def reset_failures(session: Session, attempt_id: int) -> None:
    """Mark an attempt as successful; those before it in its bucket count no longer.

    Those of the address still do: one's own account is no way to reset them. Nor does a
    sign-in on a known device give new attempts to those on unknown ones.
    """
    attempt = session.get_one(SignInAttempt, attempt_id)
    # Two of one person at once would wait for each other's attempts otherwise.
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
    """Mark an attempt as successful: it counts neither for the person nor the address."""
    session.get_one(SignInAttempt, attempt_id).has_succeeded = True
    session.flush()


def count_failed(
    session: Session, mail: str, window: timedelta, now: datetime, bucket: str | None = None
) -> int:
    """Return how many attempts to sign in count at the moment, of one bucket."""
    found = select(func.count()).where(
        SignInAttempt.kind == ThrottledForm.SIGN_IN.value,
        SignInAttempt.who == _hash_target(mail, bucket),
        ~SignInAttempt.is_forgiven,
        ~SignInAttempt.has_succeeded,
        SignInAttempt.at > now - window,
    )
    return session.scalar(found) or 0


def _hash_target(target: str, bucket: str | None) -> bytes:
    """Return what an attempt is counted by. No target that is typed can name a bucket."""
    named = target.replace("\0", "?") if bucket is None else f"\0{bucket}"
    return sha256(named.encode("utf-8", "surrogatepass")).digest()
