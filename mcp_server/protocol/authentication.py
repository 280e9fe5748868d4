"""Who makes a call: the owner of the request's token, or of the environment's.

The token is looked up for every call, so a revoked token or a changed role applies at once.
"""

import logging
from dataclasses import replace
from typing import Any, Protocol

from anyio.to_thread import run_sync
from mcp.server.auth.provider import AccessToken
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_REQUEST
from pydantic import ConfigDict
from starlette.requests import Request

from core.accounts.access.api_tokens import Bearer, find_bearer, mark_token_used
from core.accounts.access.permissions import Principal
from core.database.session import autocommit_scope, read_scope, shared_time

log = logging.getLogger(__name__)

RequestContext = ServerRequestContext[Any, Any]

UNAUTHENTICATED = (
    "No valid API token. Create one at Profile → API tokens. Over HTTP, send it as the header "
    "“Authorization: Bearer …”; over stdio, set AMAZCOPE_TOKEN."
)


class Callers(Protocol):
    """Finds the principal of a call."""

    async def find_principal(self, ctx: RequestContext) -> Principal:
        """Return the principal. Raises MCPError where there is no valid token."""
        ...


def find_valid_bearer(token: str, address: str | None) -> Bearer | None:
    """Return the owner of a token and record its use; None for an invalid token."""
    now = shared_time()
    with read_scope() as session:
        bearer = find_bearer(session, token, now, address)
    if bearer is not None and not bearer.is_use_noted and bearer.principal.token_id is not None:
        with autocommit_scope() as session:
            mark_token_used(session, bearer.principal.token_id, now)
    return bearer


# Over HTTP


class KnownToken(AccessToken):
    """The valid token of one request, with its owner."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    principal: Principal


class Verifier:
    """Looks up the bearer token of every request."""

    async def verify_token(self, token: str) -> KnownToken | None:
        """Return the token with its owner, None for an invalid one."""
        bearer = await run_sync(find_valid_bearer, token, None)
        if bearer is None:
            return None
        principal = bearer.principal
        return KnownToken(
            token="",  # not needed any more
            client_id=f"token:{principal.token_id}",
            subject=f"person:{principal.person_id}",
            scopes=sorted(principal.scopes or ()),
            principal=principal,
        )


class RequestToken:
    """Finds the owner of an HTTP request's token."""

    async def find_principal(self, ctx: RequestContext) -> Principal:
        request = ctx.request
        if not isinstance(request, Request) or "user" not in request.scope:
            raise MCPError(code=INVALID_REQUEST, message=UNAUTHENTICATED)
        token = getattr(request.user, "access_token", None)
        if not isinstance(token, KnownToken):
            raise MCPError(code=INVALID_REQUEST, message=UNAUTHENTICATED)
        return replace(token.principal, address=request.client.host if request.client else None)


class EnvironmentToken:
    """Finds the owner of one token, for a client that started this process."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def find_principal(self, ctx: RequestContext) -> Principal:  # noqa: ARG002
        bearer = await run_sync(find_valid_bearer, self._token, None)
        if bearer is None:
            raise MCPError(code=INVALID_REQUEST, message=UNAUTHENTICATED)
        return bearer.principal
