"""Signing in, step by step: count the attempt, find the account, check, admit. No widgets.

An unknown email address can't be distinguished from a wrong password, neither by message
nor by time: both are counted, looked up and hashed.
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
    """Return how many attempts may fail, by account and by network address."""
    settings = get_settings()
    return AttemptLimits(
        per_person=settings.amazcope_sign_in_attempts,
        per_address=settings.amazcope_sign_in_attempts_address,
        window=timedelta(minutes=settings.amazcope_sign_in_window),
    )


def attempt_password(email: str, password: str) -> tuple[Purpose, str] | None:
    """Return the token of the next step with its purpose, None for wrong credentials.

    The step is the ticket or the two-factor code. Raises TooManyAttemptsError before the
    password is checked.
    """
    target, now = _normalize_target(email), shared_time()
    bucket, attempt = _begin_attempt(target, now)
    with read_scope() as session:
        candidate = password_login.find_login_candidate(
            session, target, with_demo=get_settings().amazcope_demo
        )
    is_correct = verify_password(candidate.password_hash if candidate else None, password)
    if candidate is None or not is_correct:
        with write_scope() as session:
            password_login.record_failure(
                session, target, signed.client_address(), get_attempt_limits(), now, bucket
            )
        return None
    _rehash_if_needed(candidate, password)
    with write_scope() as session:
        return password_login.complete_login(session, candidate, attempt, now)


def _begin_attempt(
    target: str, now: datetime, form: ThrottledForm = ThrottledForm.SIGN_IN
) -> tuple[str | None, int]:
    """Count an attempt; return the bucket of a known device and the attempt's id.

    Raises TooManyAttemptsError, and records the refusal.
    """
    where = signed.client_address()
    try:
        with write_scope() as session:
            device = devices.find_device(session, signed.read_device_token(), target, now)
            bucket = devices.format_device_bucket(device)
            limits = _LIMITS.get(form) or get_attempt_limits()
            return bucket, throttling.begin_attempt(
                session, target, where, limits, now, form=form, bucket=bucket
            )
    except TooManyAttemptsError:
        refusals.record_anonymous_refusal(
            throttling.normalize_network_address(where), f"form {form.value}"
        )
        raise


def count_request(form: ThrottledForm, target: str) -> None:
    """Count a visitor's request. Raises TooManyAttemptsError, and records the refusal.

    `target`: the email address or the link's token; it isn't checked whether it exists.
    """
    _begin_attempt(target, shared_time(), form)


def _normalize_target(email: str) -> str:
    """Return an email address as it is counted and looked up.

    Invalid addresses are counted under an escaped form that can't match a real account.
    """
    try:
        return normalize_typed_email(email)
    except InvalidInputError:
        plain = email[:300].encode("ascii", "backslashreplace").decode()
        return plain.replace("\0", "\\0")


def _rehash_if_needed(candidate: LoginCandidate, password: str) -> None:
    if candidate.password_hash is not None and needs_rehash(candidate.password_hash):
        renewed = hash_password(password)
        with write_scope() as session:
            password_login.replace_hash(session, candidate, renewed)


def attempt_code(token: str, email: str, code: str) -> str | None:
    """Return the ticket for a correct two-factor code, None for a wrong one.

    `token` is the one of `attempt_password`. Raises NotAllowedError when it has expired,
    and TooManyAttemptsError.
    """
    now, target = shared_time(), _normalize_target(email)
    bucket, attempt = _begin_attempt(target, now)
    with write_scope() as session:
        person_id = one_time_tokens.find_token_owner(session, token, Purpose.SECOND, now)
        if person_id is None:
            raise NotAllowedError(_TOO_LATE)
        key = get_secret_key(get_settings())
        if not two_factor.verify_code(session, person_id, code, key, now):
            password_login.record_failure(
                session, target, signed.client_address(), get_attempt_limits(), now, bucket
            )
            return None
        if one_time_tokens.claim_token(session, token, Purpose.SECOND, now) is None:
            raise NotAllowedError(_TOO_LATE)
        throttling.reset_failures(session, attempt)
        return create_ticket(session, person_id, now)


def verify_owner(email: str, password: str, code: str) -> bool:
    """Return whether the password and, if set up, the two-factor code are an account's.

    Counted like signing in. Raises NotAllowedError and TooManyAttemptsError.
    """
    opened = attempt_password(email, password)
    if opened is None:
        return False
    purpose, token = opened
    return purpose is Purpose.TICKET or attempt_code(token, email, code) is not None
