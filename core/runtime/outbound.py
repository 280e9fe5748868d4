"""Which network addresses outside services may have: the one list of unsafe ones.

A server that an administrator names must not be the cloud's metadata service, which gives its
credentials to any caller. Servers of this machine and of private networks are allowed: models and
mail servers often run there. Addresses that users enter, or that come with a listing, must be of
the internet (`is_global`).
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from core.errors import InvalidInputError

# Metadata services that are not at a link-local address.
_METADATA = frozenset(
    map(ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192"))
)
_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


def reject_unsafe_host(host: str, port: int | None = None) -> None:
    """Raise InvalidInputError for a host that is no address of a service.

    Looks the name up, so `http://2852039166/` and names of such addresses are refused as well. A
    name that has no address is left to the call, which fails by itself.
    """
    if any(is_unsafe(address) for address in _list_addresses(host, port)):
        raise InvalidInputError(
            f"{host} is an address that no service may have (link-local, metadata or multicast)."
        )


def _list_addresses(host: str, port: int | None) -> list[Address]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        return []
    return [ip_address(str(each[4][0]).partition("%")[0]) for each in found]


def is_global(address: Address) -> bool:
    """Return whether an address belongs to the internet, also one that carries an IPv4 address."""
    carried = find_carried_address(address)
    if carried is not None:
        return is_global(carried)
    if isinstance(address, IPv6Address) and address.teredo is not None:
        return False
    return address.is_global and not address.is_reserved and not is_unsafe(address)


def is_unsafe(address: Address) -> bool:
    """Return whether no service may have an address: link-local, metadata, multicast, reserved."""
    carried = find_carried_address(address)
    if carried is not None:
        return is_unsafe(carried)
    return (
        address in _METADATA
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (isinstance(address, IPv4Address) and address.is_reserved)
    )


def find_carried_address(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address leads to, None if it is one of its own."""
    if not isinstance(address, IPv6Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
