"""A caller that needs no token. No tests here."""

from core.accounts.access.permissions import Principal
from mcp_server.protocol.authentication import Asking


class FixedCaller:
    """Return the same user for every call."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    async def who(self, asking: Asking) -> Principal:
        return self._principal
