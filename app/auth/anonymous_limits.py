"""How much visitors who are not signed in may hold: sockets, and bytes of each session.

Streamlit keeps up to 20 MB of widgets' values for each page that anybody opens, for as long
as the socket lives and two minutes more. A form to sign in needs a few hundred bytes.

Nobody is locked out: where there are too many sockets the one that was idle longest is
closed for the newcomer, of whoever has the most. Its page, if it is one, connects again.
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
from core.accounts.login.throttling import throttled_address
from core.database import outages
from core.errors import ConfigurationError

log = logging.getLogger(__name__)

# Sessions without a socket that are still counted; Streamlit itself keeps 128 of them.
_REMEMBERED = 1000
_TOO_BIG, _TRY_AGAIN = 1009, 1013  # codes that a websocket closes with
_PROTOCOL = "sec-websocket-protocol"


@dataclass(frozen=True, slots=True)
class AnonymousQuota:
    """What those who are not signed in may hold, in one web process."""

    message_bytes: int = LONGEST_ANONYMOUS_MESSAGE
    session_bytes: int = 512 * 1024  # in all its life: thousands of keystrokes and clicks
    sockets_per_address: int = 100  # a whole office may be behind one
    sockets: int = 400


@dataclass(slots=True)
class _Session:
    """What one session of a page was sent so far."""

    spent: int = 0  # bytes
    sockets: int = 0


class _SocketPool:
    """The sockets that are open, by address, the one that was idle longest first."""

    def __init__(self, limits: AnonymousQuota) -> None:
        self._limits = limits
        self._by_address: dict[str, OrderedDict[asyncio.Future[None], None]] = {}

    def admit(self, address: str) -> asyncio.Future[None]:
        """Return a new socket's place, which is done when the socket has to leave."""
        if sum(map(len, self._by_address.values())) >= self._limits.sockets:
            self._dismiss(max(self._by_address, key=lambda each: len(self._by_address[each])))
        if len(self._by_address.get(address, ())) >= self._limits.sockets_per_address:
            self._dismiss(address)
        place = asyncio.get_running_loop().create_future()
        self._by_address.setdefault(address, OrderedDict())[place] = None
        return place

    def touch(self, address: str, place: asyncio.Future[None]) -> None:
        """Take down that a socket is in use."""
        if place in self._by_address.get(address, ()):
            self._by_address[address].move_to_end(place)

    def leave(self, address: str, place: asyncio.Future[None]) -> None:
        """Give a place back; one that was taken away already stays so."""
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
    """Middleware: bound what websockets of those who are not signed in take up."""

    def __init__(
        self,
        app: ASGIApp,
        limits: AnonymousQuota | None = None,
        find_person: Callable[[HTTPConnection], int | None] = find_person_id,
    ) -> None:
        self.app = app
        self.limits = limits or AnonymousQuota()
        self.find_person = find_person
        self.crowd = _SocketPool(self.limits)
        self.sessions: OrderedDict[str, _Session] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
        elif await self._is_known(HTTPConnection(scope)):
            lift_message_limit(scope)
            await self.app(scope, receive, send)
        else:
            await self._serve_anonymous(scope, receive, send)

    async def _is_known(self, asked: HTTPConnection) -> bool:
        """Return whether somebody is signed in; who can't be asked after is taken for nobody.

        The page says that the database is away; what is too big for nobody connects anew.
        """
        try:
            return await run_in_threadpool(self.find_person, asked) is not None
        except (*outages.ERRORS, ConfigurationError) as error:
            log.warning("A socket opens, and nobody can say for whom: %s", error)
            return False

    async def _serve_anonymous(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = throttled_address(client_address(HTTPConnection(scope)))
        place = self.crowd.admit(address)
        session = self._session_of(scope)
        session.sockets += 1

        async def receive_bounded() -> Message:
            message = await _receive_unless(place, receive)
            self.crowd.touch(address, place)
            code = _TRY_AGAIN if message is None else self._count(session, message)
            if code is None and message is not None:
                return message
            await send({"type": "websocket.close", "code": code})
            return {"type": "websocket.disconnect", "code": code}

        try:
            await self.app(scope, receive_bounded, send)
        finally:
            session.sockets -= 1
            self.crowd.leave(address, place)

    def _count(self, session: _Session, message: Message) -> int | None:
        """Count a message; return the code to close with where it is too much, else None."""
        size = len(message.get("bytes") or message.get("text") or b"")
        session.spent += size
        is_too_much = size > self.limits.message_bytes or session.spent > self.limits.session_bytes
        return _TOO_BIG if is_too_much else None

    def _session_of(self, scope: Scope) -> _Session:
        """Return the count of the session that a page goes on with, or a new one.

        The third of the subprotocols names it. A session that had its share is not gone on
        with: the page gets a new one.
        """
        headers = MutableHeaders(scope=scope)
        named = headers.get(_PROTOCOL, "").split(",")
        name = named[2].strip() if len(named) > 2 else ""
        if not name:
            return _Session()
        session = self.sessions.setdefault(name[:100], _Session())
        self.sessions.move_to_end(name[:100])
        self._forget_oldest()
        if session.spent <= self.limits.session_bytes:
            return session
        headers[_PROTOCOL] = ",".join(named[:2])
        return _Session()

    def _forget_oldest(self) -> None:
        if len(self.sessions) > _REMEMBERED + self.limits.sockets:
            gone = next(name for name, kept in self.sessions.items() if not kept.sockets)
            del self.sessions[gone]


async def _receive_unless(place: asyncio.Future[None], receive: Receive) -> Message | None:
    """Return the next message, None where the socket has to leave first."""
    coming: asyncio.Future[Any] = asyncio.ensure_future(receive())
    try:
        await asyncio.wait({coming, place}, return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    finally:
        coming.cancel()
