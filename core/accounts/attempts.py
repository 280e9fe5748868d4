"""Counting attempts to sign in, in a window that slides. Never commits.

An attempt is written as failed before the password is looked at, so that many at
once can't all slip through before the first of them is counted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core.accounts.models import SignInAttempt
from core.errors import NotAllowedError

UNKNOWN_ADDRESS = "this machine"


class TooManyAttemptsError(NotAllowedError):
    """Attempts are refused for a while, whoever it is and whatever the password."""


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How many attempts may fail in a window."""

    per_person: int
    per_address: int
    window: timedelta


def begin_attempt(
    session: Session, mail: str, address: str | None, limits: AttemptLimits, now: datetime
) -> int:
    """Write an attempt down as failed and return its id.

    Raises TooManyAttemptsError, saying how long it takes, when there were too many.
    A refused attempt is not counted: trying on does not lengthen the wait.
    """
    who, where = _hashed(mail), counted_address(address)
    _lock(session, f"address {where}")  # always before the person: no deadlock
    _lock(session, f"mail {who.hex()}")
    of_person = SignInAttempt.who == who, ~SignInAttempt.is_forgiven
    of_address = (SignInAttempt.address == where,)
    waits = [
        _free_at(session, of_person, limits.per_person, limits.window, now),
        _free_at(session, of_address, limits.per_address, limits.window, now),
    ]
    until = max((wait for wait in waits if wait), default=None)
    if until is not None:
        minutes = max(1, -(-int((until - now).total_seconds()) // 60))
        unit = "minute" if minutes == 1 else "minutes"
        raise TooManyAttemptsError(f"Too many attempts. Try again in {minutes} {unit}.")
    attempt = SignInAttempt(who=who, address=where, at=now)
    session.add(attempt)
    session.flush()
    return attempt.id


def counted_address(address: str | None) -> str:
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


def _free_at(
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


def forgive(session: Session, attempt_id: int) -> None:
    """Mark an attempt as successful; the person's slips before it count no longer.

    Those of the address still do: one's own account is no way to reset them.
    """
    attempt = session.get_one(SignInAttempt, attempt_id)
    # Two of one person at once would wait for each other's attempts otherwise.
    _lock(session, f"mail {attempt.who.hex()}")
    mark_right(session, attempt_id)
    session.execute(
        update(SignInAttempt)
        .where(SignInAttempt.who == attempt.who, ~SignInAttempt.is_forgiven)
        .values(is_forgiven=True)
    )


def mark_right(session: Session, attempt_id: int) -> None:
    """Mark an attempt as successful: it counts neither for the person nor the address."""
    session.get_one(SignInAttempt, attempt_id).has_succeeded = True
    session.flush()


def count_failed(session: Session, mail: str, window: timedelta, now: datetime) -> int:
    """Return how many attempts for a mail address count at the moment."""
    found = select(func.count()).where(
        SignInAttempt.who == _hashed(mail),
        ~SignInAttempt.is_forgiven,
        ~SignInAttempt.has_succeeded,
        SignInAttempt.at > now - window,
    )
    return session.scalar(found) or 0


def _hashed(mail: str) -> bytes:
    return sha256(mail.encode("utf-8", "surrogatepass")).digest()
