"""Signing in, step by step: count, look, hash, let in. No widgets.

Nothing here tells an unknown mail address from a wrong password, in words or in time:
both are counted, looked for and hashed.
"""

from datetime import datetime, timedelta

from app.auth import session as signed
from core.accounts.access import devices, one_time_tokens, refusals
from core.accounts.access.credentials import hash_password, needs_rehash, verify_password
from core.accounts.access.one_time_tokens import Purpose
from core.accounts.access.sessions import create_ticket
from core.accounts.email_address import normalize_typed_email
from core.accounts.login import password_login, throttling, two_factor
from core.accounts.login.password_login import LoginCandidate
from core.accounts.login.throttling import (
    LINK_LIMITS,
    REQUEST_LIMITS,
    AttemptLimits,
    ThrottledForm,
    TooManyAttemptsError,
)
from core.database.session import read_scope, shared_time, write_scope
from core.errors import InvalidInputError, NotAllowedError
from core.settings.environment import get_settings
from core.settings.secret_key import get_secret_key

WRONG_CREDENTIALS = "Incorrect email or password."
_LIMITS = {
    ThrottledForm.RESET: REQUEST_LIMITS,
    ThrottledForm.REGISTRATION: REQUEST_LIMITS,
    ThrottledForm.LINK: LINK_LIMITS,
}
_TOO_LATE = "That took too long. Sign in again."


def get_attempt_limits() -> AttemptLimits:
    """Return how many attempts may fail."""
    settings = get_settings()
    return AttemptLimits(
        per_person=settings.amazcope_sign_in_attempts,
        per_address=settings.amazcope_sign_in_attempts_address,
        window=timedelta(minutes=settings.amazcope_sign_in_window),
    )


def attempt_password(mail: str, password: str) -> tuple[Purpose, str] | None:
    """Return what opens the next door, None when mail address or password is wrong.

    Raises TooManyAttemptsError before the password is looked at.
    """
    who, now = _normalize_target(mail), shared_time()
    bucket, attempt = _begin_attempt(who, now)
    with read_scope() as session:
        known = password_login.find_login_candidate(
            session, who, with_demo=get_settings().amazcope_demo
        )
    is_right = verify_password(known.password_hash if known else None, password)
    if known is None or not is_right:
        with write_scope() as session:
            password_login.record_failure(
                session, who, signed.client_address(), get_attempt_limits(), now, bucket
            )
        return None
    _rehash_if_needed(known, password)
    with write_scope() as session:
        return password_login.complete_login(session, known, attempt, now)


def _begin_attempt(
    target: str, now: datetime, form: ThrottledForm = ThrottledForm.SIGN_IN
) -> tuple[str | None, int]:
    """Count an attempt; return the bucket of a known device and the attempt's id.

    Raises TooManyAttemptsError, and notes that.
    """
    where = signed.client_address()
    try:
        with write_scope() as session:
            device = devices.find_device(session, signed.read_device_token(), target, now)
            bucket = devices.device_bucket(device)
            limited_to = _LIMITS.get(form) or get_attempt_limits()
            return bucket, throttling.begin_attempt(
                session, target, where, limited_to, now, form=form, bucket=bucket
            )
    except TooManyAttemptsError:
        refusals.record_anonymous_refusal(throttling.throttled_address(where), f"form {form.value}")
        raise


def count_request(form: ThrottledForm, target: str) -> None:
    """Count a request of an anonymous visitor. Raises TooManyAttemptsError, and notes that.

    `target`: the mail address or the link that was given; whether it is known is not asked.
    """
    _begin_attempt(target, shared_time(), form)


def _normalize_target(mail: str) -> str:
    """Return an address as it is counted and looked for.

    What is no address is counted by its signs, in a form that a database can be asked
    for and that nobody's address has.
    """
    try:
        return normalize_typed_email(mail)
    except InvalidInputError:
        plain = mail[:300].encode("ascii", "backslashreplace").decode()
        return plain.replace("\0", "\\0")


def _rehash_if_needed(known: LoginCandidate, password: str) -> None:
    if known.password_hash is not None and needs_rehash(known.password_hash):
        renewed = hash_password(password)
        with write_scope() as session:
            password_login.replace_hash(session, known, renewed)


def attempt_code(token: str, mail: str, code: str) -> str | None:
    """Return the ticket for a right second factor, None for a wrong one.

    `token`: what the right password gave. Raises NotAllowedError when it is too old,
    and TooManyAttemptsError.
    """
    now, who = shared_time(), _normalize_target(mail)
    bucket, attempt = _begin_attempt(who, now)
    with write_scope() as session:
        person_id = one_time_tokens.find_token_owner(session, token, Purpose.SECOND, now)
        if person_id is None:
            raise NotAllowedError(_TOO_LATE)
        key = get_secret_key(get_settings())
        if not two_factor.verify_code(session, person_id, code, key, now):
            password_login.record_failure(
                session, who, signed.client_address(), get_attempt_limits(), now, bucket
            )
            return None
        if one_time_tokens.claim_token(session, token, Purpose.SECOND, now) is None:
            raise NotAllowedError(_TOO_LATE)
        throttling.reset_failures(session, attempt)
        return create_ticket(session, person_id, now)


def verify_owner(mail: str, password: str, code: str) -> bool:
    """Return whether password and, where one is set up, second factor are an account's.

    Counted as signing in is. Raises NotAllowedError, and TooManyAttemptsError.
    """
    opened = attempt_password(mail, password)
    if opened is None:
        return False
    purpose, token = opened
    return purpose is Purpose.TICKET or attempt_code(token, mail, code) is not None
