"""A provider of single sign-on for tests: discovery, authorize, token and keys, by the standard.

It shows no form: every visitor is signed in as the user that the test has set.
"""

import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from tests.mailbox import free_port

CLIENT, SECRET = "amazcope", "a secret of the client"


@dataclass
class Provider:
    """The claims of the next user."""

    port: int
    claims: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}/realm"

    def settings(self, **more: str) -> dict[str, str]:
        """Return the settings of an Amazcope that trusts this provider."""
        return {
            "AMAZCOPE_OIDC_ISSUER": self.issuer,
            "AMAZCOPE_OIDC_CLIENT_ID": CLIENT,
            "AMAZCOPE_OIDC_CLIENT_SECRET": SECRET,
            **more,
        }

    async def discovery(self, _request: Request) -> JSONResponse:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def authorize(self, request: Request) -> RedirectResponse:
        asked = dict(request.query_params)
        self.asked.append(asked)
        if self.error:
            answer = {"error": self.error, "state": asked["state"]}
        else:
            code = token_urlsafe(16)
            self._codes[code] = asked
            answer = {"code": code, "state": asked["state"]}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

    async def token(self, request: Request) -> JSONResponse:
        form = await request.form()
        asked = self._codes.pop(str(form["code"]), None)
        proof = sha256(str(form.get("code_verifier", "")).encode()).digest()
        is_proven = asked is not None and asked["code_challenge"] == (
            urlsafe_b64encode(proof).rstrip(b"=").decode()
        )
        if asked is None or not is_proven:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        usual = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        }
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, usual | self.claims, self._key)
        return JSONResponse(
            {"id_token": signed, "access_token": token_urlsafe(16), "token_type": "Bearer"}
        )

    async def keys(self, _request: Request) -> JSONResponse:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Serve a provider on a free port."""
    provider = Provider(free_port())
    app = Starlette(
        routes=[
            Route("/realm/.well-known/openid-configuration", provider.discovery),
            Route("/realm/authorize", provider.authorize),
            Route("/realm/token", provider.token, methods=["POST"]),
            Route("/realm/keys", provider.keys),
        ]
    )
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=provider.port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(120)
