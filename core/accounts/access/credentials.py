"""Passwords hashed with Argon2id, random tokens, what is kept encrypted. No database."""

import re
import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b, sha256
from threading import BoundedSemaphore
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken

from core.accounts.access.permissions import (
    exceeds_password_input,
    find_length_problem,
    normalize_password,
)
from core.errors import ConfigurationError

# OWASP's first choice for Argon2id where memory is dear: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_ONE_CORE = BoundedSemaphore(1)
_waiting: deque[None] = deque()  # one for each that waits for the core


@contextmanager
def _limit_to_one_core() -> Iterator[None]:
    """Hash on one core; while others wait, for half of its time.

    Hashing frees Python but not the core: a flood of attempts must leave the pages of
    those who are signed in their share of the machine.
    """
    _waiting.append(None)
    with _ONE_CORE:
        _waiting.pop()
        began = time.monotonic()
        yield
        if _waiting:
            time.sleep(time.monotonic() - began)


_MIN_GUESSES_LOG10 = 10.0  # log10 of the guesses that a determined guesser needs
_MIN_NAME_LENGTH = 3  # shorter ones are part of many words
_NAME_GUESSES_LOG10 = 2.0  # log10 of the guesses that one's own names are worth, together
_MAX_ESTIMATED_LENGTH = 72  # what zxcvbn looks at


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password, with its salt and costs."""
    with _limit_to_one_core():
        return _HASHER.hash(_encode_password(password))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Return whether a password is the one that was hashed.

    Takes as long when there is no hash: nobody can tell by the clock who is known.
    """
    if exceeds_password_input(password):
        password_hash, password = None, ""
    with _limit_to_one_core():
        try:
            _HASHER.verify(password_hash or _dummy_hash(), _encode_password(password))
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def _encode_password(password: str) -> bytes:
    # Half a sign of a broken client is a wrong password, not an error.
    return normalize_password(password).encode("utf-8", "surrogatepass")


def needs_rehash(password_hash: str) -> bool:
    """Return whether a hash was made with other costs than today's."""
    return _HASHER.check_needs_rehash(password_hash)


@lru_cache(maxsize=1)
def _dummy_hash() -> str:
    """Return a hash of today's costs that no password has: made up, so that the first
    unknown person after a start does not wait for it."""
    costs = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    salt, digest = (
        b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (_HASHER.salt_len, _HASHER.hash_len)
    )
    return f"$argon2id$v=19${costs}${salt}${digest}"


def find_password_problem(password: str, *names: str) -> str | None:
    """Return why a password is not good enough for somebody of these names, None if it is.

    Length, and how easily it is guessed: common passwords and words, keyboard
    patterns, repetitions, dates and the person's own names are looked for.
    """
    problem = find_length_problem(password)
    if problem:
        return problem
    own = [part for name in map(normalize_password, names) for part in _split_name(name)]
    judged = _estimate_strength(normalize_password(password), own)
    if float(judged["guesses_log10"]) < _MIN_GUESSES_LOG10:
        warning = judged["feedback"]["warning"] or "It is too close to common words or your name."
        return f"This password is easy to guess. {warning.rstrip('.')}."
    return _find_name_problem(password, own)


def _find_name_problem(password: str, own: list[str]) -> str | None:
    """Return what is wrong with a password that is little more than its owner's names.

    Several of them with a year between count as several guesses each, but are the
    first that somebody who knows the person tries: what else there is has to be good.
    """
    folded = normalize_password(password).casefold()
    rest = folded
    for part in sorted(own, key=len, reverse=True):
        if len(part) >= _MIN_NAME_LENGTH:
            rest = rest.replace(part.casefold(), "")
    if rest == folded:
        return None
    if (
        rest
        and float(_estimate_strength(rest)["guesses_log10"])
        >= _MIN_GUESSES_LOG10 - _NAME_GUESSES_LOG10
    ):
        return None
    return "This password is easy to guess. It is little more than your own name or address."


def _estimate_strength(password: str, names: Sequence[str] = ()) -> Mapping[str, Any]:
    """Return how easily a password is guessed, as zxcvbn tells it."""
    # Its lists of words take 12 MB: the worker and the agents' door never need them.
    from zxcvbn import zxcvbn

    judged: Mapping[str, Any] = zxcvbn(password[:_MAX_ESTIMATED_LENGTH], user_inputs=list(names))
    return judged


def _split_name(name: str) -> list[str]:
    """Return a name or an address, and what it is made of."""
    return [part for part in (name, *re.split(r"[\W_]+", name)) if part]


def generate_token(prefix: str = "") -> str:
    """Return a random token of 256 bits that is safe in an address."""
    return prefix + secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """Return what is kept of a token. It is random, so it needs neither salt nor cost."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def derive_key(secret: str, purpose: str) -> bytes:
    """Return a key of 32 bytes for one purpose. Raises ConfigurationError for a short secret."""
    if len(secret) < 32:
        raise ConfigurationError("AMAZCOPE_SECRET_KEY has at least 32 characters.")
    return blake2b(purpose.encode(), key=sha256(secret.encode()).digest(), digest_size=32).digest()


def encrypt(value: str, secret: str) -> bytes:
    """Return a value that only the holder of the secret can read."""
    return _fernet(secret).encrypt(value.encode())


def decrypt(body: bytes, secret: str) -> str:
    """Return what `encrypt` was given. Raises ConfigurationError with another secret."""
    try:
        return _fernet(secret).decrypt(body).decode()
    except InvalidToken as error:
        raise ConfigurationError(
            "AMAZCOPE_SECRET_KEY is not the one that second factors were kept with."
        ) from error


def _fernet(secret: str) -> Fernet:
    return Fernet(urlsafe_b64encode(derive_key(secret, "second factors")))
