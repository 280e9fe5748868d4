"""A caller for tests without tokens."""

from core.accounts.access.permissions import Principal
from mcp_server.protocol.authentication import RequestContext


class FixedCaller:
    """One principal for every call, in memory or on loopback."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    async def find_principal(self, ctx: RequestContext) -> Principal:
        """Return the principal."""
        return self._principal
