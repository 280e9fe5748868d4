"""Names of machines by their network address. Pure."""

from ipaddress import ip_address


def machine_name(address: str | None) -> str:
    """Return a network address, or "this machine" for loopback addresses and None."""
    try:
        is_own = address is None or ip_address(address).is_loopback
    except ValueError:
        is_own = False
    return "this machine" if is_own else str(address)
