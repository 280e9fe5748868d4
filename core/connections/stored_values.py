"""Encrypts a connection's values, and reads them. The key is the installation's secret key.

The key is derived for each connection, so values that are moved to another name are refused.
"""

import json
from hashlib import blake2b

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.credentials import decrypt, derive_key, encrypt
from core.connections.models import Connection
from core.connections.values import ConnectionName, Values, from_json, get_name, to_json
from core.errors import ConfigurationError
from core.settings.environment import Settings
from core.settings.secret_key import get_secret_key


def read_sealed(session: Session, name: ConnectionName) -> bytes | None:
    """Return a connection's encrypted values, None if nothing is stored."""
    return session.scalar(select(Connection.sealed).where(Connection.name == name.value))


def encrypt_values(values: Values, settings: Settings) -> bytes:
    """Return values encrypted for their connection. Raises ConfigurationError for a short key."""
    body = json.dumps(to_json(values))
    return encrypt(body, get_secret_key(settings), _purpose(get_name(values)))


def decrypt_values(name: ConnectionName, sealed: bytes, settings: Settings) -> Values:
    """Return stored values.

    Raises ConfigurationError if they were encrypted with another key, for another connection,
    or by another version of Amazcope.
    """
    try:
        body = decrypt(sealed, get_secret_key(settings), _purpose(name))
        return from_json(name, json.loads(body))
    except (ConfigurationError, ValueError, TypeError) as error:
        raise ConfigurationError(
            "The stored values can't be decrypted: the secret key is not the one that they were "
            "stored with. An administrator enters them again at Connections, or the operator "
            "restores AMAZCOPE_SECRET_KEY."
        ) from error


def hash_values(values: Values, settings: Settings) -> bytes:
    """Return a keyed hash of values, by which a test is known to be of the same ones."""
    key = derive_key(get_secret_key(settings), f"test of {_purpose(get_name(values))}")
    body = orjson.dumps(to_json(values), option=orjson.OPT_SORT_KEYS)
    return blake2b(body, key=key, digest_size=16).digest()


def _purpose(name: ConnectionName) -> str:
    return f"connection {name.value}"
