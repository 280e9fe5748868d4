"""What is entered for a channel, and how it is cleaned. Opens nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from core.errors import InvalidInputError
from core.runtime.outbound import is_global, is_unsafe

LONGEST_VALUE = 1000  # characters
_SHORTEST_HINTED = 12  # characters; of a shorter secret four would be a third


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a channel's form. `help`: where its value is found. Secrets are typed hidden."""

    name: str
    label: str
    help: str
    is_secret: bool = False


def read_field(typed: Mapping[str, str], name: str, what: str) -> str:
    """Return a typed value. Raises InvalidInputError if it is missing or not printable ASCII."""
    value = find_field(typed, name, what)
    if value is None:
        raise InvalidInputError(f"Enter {what}.")
    return value


def find_field(typed: Mapping[str, str], name: str, what: str) -> str | None:
    """Return a typed value, None if it is empty. Raises InvalidInputError."""
    value = typed.get(name, "").strip()
    if not value:
        return None
    if len(value) > LONGEST_VALUE or not (value.isascii() and value.isprintable()):
        raise InvalidInputError(
            f"Enter {what} in at most {LONGEST_VALUE} letters, digits and signs (ASCII)."
        )
    return value


def clean_web_address(address: str, private_hosts: frozenset[str], example: str) -> str:
    """Return the address of a service, its scheme and host in lower case.

    https only, except for hosts in `private_hosts`; IP addresses of private networks only if they
    are in it. Raises InvalidInputError.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in ("http", "https") or not host or port == 0 or " " in address:
        raise InvalidInputError(f"Enter the address as {example}.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidInputError("Enter the address without user, password and #.")
    is_private = host.rstrip(".") in private_hosts
    if parts.scheme == "http" and not is_private:
        raise InvalidInputError(
            "Enter an address with https. Only hosts that the operator lists in "
            "AMAZCOPE_PRIVATE_HOSTS may use http."
        )
    _reject_private_ip(host, is_private=is_private)
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, parts.query, ""))


def _reject_private_ip(host: str, *, is_private: bool) -> None:
    try:
        literal = ip_address(host)
    except ValueError:
        return  # a name: its addresses are checked when it is called
    if is_unsafe(literal) or not (is_private or is_global(literal)):
        raise InvalidInputError(
            f"{host} is not on the internet. Only hosts that the operator lists in "
            "AMAZCOPE_PRIVATE_HOSTS may be in a private network."
        )


def hint_web_address(address: str) -> str:
    """Return the host and the last characters of a secret address: "hooks.slack.com…/x9Q2"."""
    parts = urlsplit(address)
    secret = parts.path + parts.query
    if not secret.strip("/"):
        return parts.netloc
    return f"{parts.netloc}…/{hint_secret(secret)}"


def hint_secret(secret: str) -> str:
    """Return the last four characters of a long secret, "" for a short one."""
    return secret[-4:] if len(secret) >= _SHORTEST_HINTED else ""


def list_secret_parts(address: str) -> list[str]:
    """Return the parts of an address that no answer may repeat, longest first."""
    parts = urlsplit(address)
    pieces = [address, parts.path, parts.query, *parts.path.split("/"), *parts.query.split("&")]
    return sorted((piece for piece in pieces if len(piece) > 3), key=len, reverse=True)
