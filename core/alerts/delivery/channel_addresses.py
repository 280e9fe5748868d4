"""Encrypts the addresses of channels, and reads them.

The key is derived for each channel's kind and owner, so an address that is moved to another
user's row is refused.
"""

from core.accounts.access.credentials import decrypt, encrypt
from core.delivery.channels.registry import (
    Address,
    ChannelKind,
    dump_address,
    load_address,
    parse_address,
)
from core.errors import InvalidInputError
from core.settings.environment import Settings
from core.settings.secret_key import get_secret_key


def encrypt_address(
    kind: ChannelKind, person_id: int, address: Address, settings: Settings
) -> bytes:
    """Return an address encrypted for its owner. Raises ConfigurationError for a short key."""
    return encrypt(dump_address(address), get_secret_key(settings), _purpose(kind, person_id))


def read_address(
    kind: ChannelKind, person_id: int, sealed: bytes | None, mail: str | None, settings: Settings
) -> Address:
    """Return a channel's address; of emails the account's.

    Raises InvalidInputError where there is none, and ConfigurationError if it was encrypted with
    another key or for another user.
    """
    if kind is ChannelKind.EMAIL:
        return parse_address(kind, {"to": mail or ""})
    if sealed is None:
        raise InvalidInputError("The channel has no address any more.")
    return load_address(kind, decrypt(sealed, get_secret_key(settings), _purpose(kind, person_id)))


def _purpose(kind: ChannelKind, person_id: int) -> str:
    return f"channel {kind.value} of {person_id}"
