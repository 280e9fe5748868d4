"""Limits for visitors who are not signed in: open sockets, and bytes of each session.

Streamlit keeps up to 20 MB of widget values for each open page, until two minutes after its
socket closes. The login form needs a few hundred bytes.

No visitor is locked out: when there are too many sockets, a new one replaces the one that
was idle longest, of the address that has the most. A page whose socket closed reconnects.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.auth.request_guard import find_person_id
from app.web.anonymous_sockets import LONGEST_ANONYMOUS_MESSAGE, lift_message_limit
from app.web.origin import client_address
from core.accounts.login.throttling import normalize_network_address
from core.database import outages
from core.errors import ConfigurationError

log = logging.getLogger(__name__)

# Sessions without a socket that are still counted; Streamlit itself keeps 128 of them.
_REMEMBERED = 1000
_TOO_BIG, _TRY_AGAIN = 1009, 1013  # codes that a websocket closes with
_PROTOCOL = "sec-websocket-protocol"


@dataclass(frozen=True, slots=True)
class AnonymousQuota:
    """The limits for visitors who are not signed in, in one web process."""

    message_bytes: int = LONGEST_ANONYMOUS_MESSAGE
    session_bytes: int = 512 * 1024  # in total: thousands of keystrokes and clicks
    sockets_per_address: int = 100  # a whole office may be behind one
    sockets: int = 400


@dataclass(slots=True)
class _Session:
    """What one page's session has used so far."""

    spent: int = 0  # bytes
    sockets: int = 0


class _SocketPool:
    """The open sockets by address, the one that was idle longest first."""

    def __init__(self, limits: AnonymousQuota) -> None:
        self._limits = limits
        self._by_address: dict[str, OrderedDict[asyncio.Future[None], None]] = {}

    def admit(self, address: str) -> asyncio.Future[None]:
        """Return a new socket's place; the future is done when the socket must close."""
        if sum(map(len, self._by_address.values())) >= self._limits.sockets:
            self._dismiss(max(self._by_address, key=lambda each: len(self._by_address[each])))
        if len(self._by_address.get(address, ())) >= self._limits.sockets_per_address:
            self._dismiss(address)
        place = asyncio.get_running_loop().create_future()
        self._by_address.setdefault(address, OrderedDict())[place] = None
        return place

    def touch(self, address: str, place: asyncio.Future[None]) -> None:
        """Record that a socket is in use."""
        if place in self._by_address.get(address, ()):
            self._by_address[address].move_to_end(place)

    def leave(self, address: str, place: asyncio.Future[None]) -> None:
        """Release a place; one that was already released stays so."""
        places = self._by_address.get(address, OrderedDict())
        places.pop(place, None)
        if not places:
            self._by_address.pop(address, None)

    def _dismiss(self, address: str) -> None:
        place = next(iter(self._by_address[address]))
        self.leave(address, place)
        if not place.done():
            place.set_result(None)


class AnonymousLimits:
    """Middleware: limit the websockets of visitors who are not signed in."""

    def __init__(
        self,
        app: ASGIApp,
        limits: AnonymousQuota | None = None,
        find_person: Callable[[HTTPConnection], int | None] = find_person_id,
    ) -> None:
        self.app = app
        self.limits = limits or AnonymousQuota()
        self.find_person = find_person
        self.pool = _SocketPool(self.limits)
        self.sessions: OrderedDict[str, _Session] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
        elif await self._is_signed_in(HTTPConnection(scope)):
            lift_message_limit(scope)
            await self.app(scope, receive, send)
        else:
            await self._serve_anonymous(scope, receive, send)

    async def _is_signed_in(self, request: HTTPConnection) -> bool:
        """Return whether the request's user is signed in; False while the database is away.

        The page shows the outage. A socket that needs more than a visitor's limit reconnects.
        """
        try:
            return await run_in_threadpool(self.find_person, request) is not None
        except (*outages.ERRORS, ConfigurationError) as error:
            log.warning("A socket is opened without a database to check its user: %s", error)
            return False

    async def _serve_anonymous(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = normalize_network_address(client_address(HTTPConnection(scope)))
        place = self.pool.admit(address)
        session = self._session_of(scope)
        session.sockets += 1

        async def receive_bounded() -> Message:
            message = await _receive_unless(place, receive)
            self.pool.touch(address, place)
            code = _TRY_AGAIN if message is None else self._count(session, message)
            if code is None and message is not None:
                return message
            await send({"type": "websocket.close", "code": code})
            return {"type": "websocket.disconnect", "code": code}

        try:
            await self.app(scope, receive_bounded, send)
        finally:
            session.sockets -= 1
            self.pool.leave(address, place)

    def _count(self, session: _Session, message: Message) -> int | None:
        """Count a message; return the close code if a limit is exceeded, else None."""
        size = len(message.get("bytes") or message.get("text") or b"")
        session.spent += size
        is_too_much = size > self.limits.message_bytes or session.spent > self.limits.session_bytes
        return _TOO_BIG if is_too_much else None

    def _session_of(self, scope: Scope) -> _Session:
        """Return the usage of the session that a page continues, or a new one.

        The third subprotocol names the session. One that used up its limit isn't continued:
        the page gets a new one.
        """
        headers = MutableHeaders(scope=scope)
        protocols = headers.get(_PROTOCOL, "").split(",")
        name = protocols[2].strip() if len(protocols) > 2 else ""
        if not name:
            return _Session()
        session = self.sessions.setdefault(name[:100], _Session())
        self.sessions.move_to_end(name[:100])
        self._drop_oldest()
        if session.spent <= self.limits.session_bytes:
            return session
        headers[_PROTOCOL] = ",".join(protocols[:2])
        return _Session()

    def _drop_oldest(self) -> None:
        if len(self.sessions) > _REMEMBERED + self.limits.sockets:
            oldest = next(name for name, each in self.sessions.items() if not each.sockets)
            del self.sessions[oldest]


async def _receive_unless(place: asyncio.Future[None], receive: Receive) -> Message | None:
    """Return the next message, None if the socket must close first."""
    coming: asyncio.Future[Any] = asyncio.ensure_future(receive())
    try:
        await asyncio.wait({coming, place}, return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    finally:
        coming.cancel()
