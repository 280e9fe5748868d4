"""Who acts: the owner of the token that a request carries, or of the environment's.

A token is looked up anew for every call: what was revoked or demoted is so at once.
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

Asking = ServerRequestContext[Any, Any]

NOBODY = (
    "No valid API token. Make one at Profile → API tokens and hand it over: as the header "
    "“Authorization: Bearer …” over HTTP, as AMAZCOPE_TOKEN over stdio."
)


class Callers(Protocol):
    """Tells who makes a call."""

    async def who(self, asking: Asking) -> Principal:
        """Return who acts. Raises MCPError for nobody."""
        ...


def known_bearer(token: str, address: str | None) -> Bearer | None:
    """Return who a token acts as, and note that it was used; None when it does not hold."""
    now = shared_time()
    with read_scope() as session:
        bearer = find_bearer(session, token, now, address)
    if bearer is not None and not bearer.is_use_noted and bearer.principal.token_id is not None:
        with autocommit_scope() as session:
            mark_token_used(session, bearer.principal.token_id, now)
    return bearer


# Over HTTP


class KnownToken(AccessToken):
    """A token that was looked up for this very request, with who it acts as."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    principal: Principal


class Verifier:
    """Looks up the bearer token of each request."""

    async def verify_token(self, token: str) -> KnownToken | None:
        """Return who a token acts as, None when it does not hold."""
        bearer = await run_sync(known_bearer, token, None)
        if bearer is None:
            return None
        principal = bearer.principal
        return KnownToken(
            token="",  # nobody needs it any more
            client_id=f"token:{principal.token_id}",
            subject=f"person:{principal.person_id}",
            scopes=sorted(principal.scopes or ()),
            principal=principal,
        )


class RequestToken:
    """The owner of the token that the HTTP request came with."""

    async def who(self, asking: Asking) -> Principal:
        request = asking.request
        if not isinstance(request, Request) or "user" not in request.scope:
            raise MCPError(code=INVALID_REQUEST, message=NOBODY)
        token = getattr(request.user, "access_token", None)
        if not isinstance(token, KnownToken):
            raise MCPError(code=INVALID_REQUEST, message=NOBODY)
        return replace(token.principal, address=request.client.host if request.client else None)


class EnvironmentToken:
    """The owner of one token, for a client that started this process."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def who(self, asking: Asking) -> Principal:  # noqa: ARG002
        bearer = await run_sync(known_bearer, self._token, None)
        if bearer is None:
            raise MCPError(code=INVALID_REQUEST, message=NOBODY)
        return bearer.principal
