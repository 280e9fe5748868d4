"""Password hashing with Argon2id, random tokens, encryption. No database."""

import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b, sha256
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken

from core.accounts.password_rules import (
    exceeds_password_input,
    normalize_password,
)
from core.errors import ConfigurationError

# OWASP's recommendation for Argon2id with little memory: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
TWO_FACTOR = "second factors"  # the purpose of its keys
_ONE_CORE = BoundedSemaphore(1)
_waiting: deque[None] = deque()  # one element per waiting thread


@contextmanager
def _limit_to_one_core() -> Iterator[None]:
    """Hash on one core, and while other threads wait, for half of its time.

    Hashing releases the GIL but not the core. A flood of attempts must not slow down the pages
    of signed-in users.
    """
    _waiting.append(None)
    with _ONE_CORE:
        _waiting.pop()
        began = time.monotonic()
        yield
        if _waiting:
            time.sleep(time.monotonic() - began)


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password, with its salt and costs."""
    with _limit_to_one_core():
        return _HASHER.hash(_encode_password(password))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Return whether a password matches a hash.

    Takes as long without a hash, so the time does not reveal whether an account exists.
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
    # Half of a surrogate pair is a wrong password, not an error.
    return normalize_password(password).encode("utf-8", "surrogatepass")


def needs_rehash(password_hash: str) -> bool:
    """Return whether a hash was made with other costs than the current ones."""
    return _HASHER.check_needs_rehash(password_hash)


@lru_cache(maxsize=1)
def _dummy_hash() -> str:
    """Return a hash with the current costs that matches no password.

    Composed instead of hashed, so the first unknown address after a start takes no longer.
    """
    costs = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    salt, digest = (
        b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (_HASHER.salt_len, _HASHER.hash_len)
    )
    return f"$argon2id$v=19${costs}${salt}${digest}"


def generate_token(prefix: str = "") -> str:
    """Return a random token of 256 bits that is safe in URLs."""
    return prefix + secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """Return the hash of a token to store. Tokens are random: no salt or cost is needed."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def derive_key(secret: str, purpose: str) -> bytes:
    """Return a key of 32 bytes for one purpose. Raises ConfigurationError for a short secret."""
    if len(secret) < 32:
        raise ConfigurationError("AMAZCOPE_SECRET_KEY has at least 32 characters.")
    return blake2b(purpose.encode(), key=sha256(secret.encode()).digest(), digest_size=32).digest()


def encrypt(value: str, secret: str, purpose: str = TWO_FACTOR) -> bytes:
    """Return a value encrypted and authenticated with a secret, for one purpose only."""
    return _fernet(secret, purpose).encrypt(value.encode())


def decrypt(body: bytes, secret: str, purpose: str = TWO_FACTOR) -> str:
    """Return the value that was encrypted.

    Raises ConfigurationError for another secret or purpose, and for a changed body.
    """
    try:
        return _fernet(secret, purpose).decrypt(body).decode()
    except InvalidToken as error:
        raise ConfigurationError(
            f"AMAZCOPE_SECRET_KEY differs from the key that encrypted the stored {purpose}."
        ) from error


def _fernet(secret: str, purpose: str) -> Fernet:
    return Fernet(urlsafe_b64encode(derive_key(secret, purpose)))
