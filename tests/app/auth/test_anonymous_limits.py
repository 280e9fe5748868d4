"""What those who are not signed in may hold, with small limits and no server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from app.auth.anonymous_limits import AnonymousLimits, AnonymousQuota
from core.errors import ConfigurationError
from tests import loops

LIMITS = AnonymousQuota(message_bytes=100, session_bytes=250, sockets_per_address=2, sockets=4)
KNOWN = b"known"


class Visitor:
    """One websocket of a page: what is sent over it, what came of it."""

    def __init__(self, app: AnonymousLimits, address: str, cookie: bytes, name: str) -> None:
        self._coming: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        self.scope: Scope = {
            "type": "websocket",
            "client": (address, 5000),
            "headers": [
                (b"cookie", cookie),
                (b"sec-websocket-protocol", f"streamlit, xsrf, {name}".encode()),
            ],
        }
        self._task = asyncio.ensure_future(app(self.scope, self._coming.get, self._send))

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def send(self, size: int) -> None:
        self._coming.put_nowait({"type": "websocket.receive", "bytes": b"x" * size})
        await rest()

    async def leave(self) -> None:
        self._coming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self._task

    @property
    def received(self) -> int:
        """Bytes that reached the page."""
        return int(self.scope.get("received", 0))

    @property
    def goes_on_with(self) -> str:
        """The session that the page goes on with; empty: a new one."""
        return str(self.scope.get("session", ""))

    @property
    def code(self) -> int | None:
        """The code it was closed with, None while it is open."""
        return self.sent[0]["code"] if self.sent else None


async def rest() -> None:
    """Let all that can happen happen."""
    for _ in range(20):
        await asyncio.sleep(0)


async def page(scope: Scope, receive: Receive, _send: Send) -> None:
    """Take messages until the visitor is gone, as Streamlit does."""
    named = HTTPConnection(scope).headers["sec-websocket-protocol"].split(",")
    scope["session"] = named[2].strip() if len(named) > 2 else ""
    while (message := await receive())["type"] == "websocket.receive":
        scope["received"] = scope.get("received", 0) + len(message["bytes"])


Open = Callable[..., Awaitable[Visitor]]


def run(story: Callable[[Open], Awaitable[None]], find_person: Any = None) -> None:
    def by_cookie(asked: HTTPConnection) -> int | None:
        return 1 if asked.headers["cookie"].encode() == KNOWN else None

    async def play() -> None:
        app = AnonymousLimits(page, LIMITS, find_person or by_cookie)
        opened: list[Visitor] = []

        async def open_one(address: str = "10.0.0.1", cookie: bytes = b"", name: str = "") -> Any:
            visitor = Visitor(app, address, cookie, name)
            opened.append(visitor)
            while "session" not in visitor.scope:  # whether a user is signed in is asked apart
                await asyncio.sleep(0.001)
            await rest()  # another page may be closed for it
            return visitor

        await story(open_one)
        for each in opened:
            await each.leave()
        assert app.pool._by_address == {}
        assert all(not kept.sockets for kept in app.sessions.values())

    loops.run(play)


def test_a_message_that_no_form_sends_closes_the_socket() -> None:
    async def story(open_one: Open) -> None:
        visitor = await open_one()
        await visitor.send(100)
        assert (visitor.code, visitor.received) == (None, 100)
        await visitor.send(101)
        assert (visitor.code, visitor.received) == (1009, 100)

    run(story)


def test_many_small_messages_add_up() -> None:
    async def story(open_one: Open) -> None:
        visitor = await open_one()
        for _ in range(5):
            await visitor.send(60)
        assert (visitor.code, visitor.received) == (1009, 240)

    run(story)


def test_a_session_has_its_share_once_however_often_it_connects() -> None:
    async def story(open_one: Open) -> None:
        first = await open_one(name="a")
        await first.send(90)
        await first.send(90)
        await first.leave()
        second = await open_one(name="a")
        assert second.goes_on_with == "a"  # a phone that looked up a code goes on
        await second.send(90)
        assert second.code == 1009
        third = await open_one(name="a")
        assert third.goes_on_with == ""
        await third.send(90)
        assert third.code is None
        assert (await open_one("10.0.0.2", name="b")).goes_on_with == "b"

    run(story)


def test_who_is_signed_in_has_no_such_limits() -> None:
    async def story(open_one: Open) -> None:
        visitors = [await open_one(cookie=KNOWN) for _ in range(6)]
        for visitor in visitors:
            await visitor.send(5000)
        assert [visitor.code for visitor in visitors] == [None] * 6

    run(story)


def test_of_one_address_the_socket_that_was_idle_longest_makes_room() -> None:
    async def story(open_one: Open) -> None:
        first, second = await open_one(), await open_one()
        await first.send(1)
        await open_one("10.0.0.2")
        third = await open_one()
        await rest()
        assert (first.code, second.code, third.code) == (None, 1013, None)

    run(story)


def test_where_there_are_too_many_in_all_the_address_with_most_makes_room() -> None:
    async def story(open_one: Open) -> None:
        crowded = [await open_one("10.0.0.1") for _ in range(2)]
        others = [await open_one(f"10.0.0.{number}") for number in range(2, 4)]
        newcomer = await open_one("10.0.0.9")
        await rest()
        assert [each.code for each in crowded] == [1013, None]
        assert [each.code for each in (*others, newcomer)] == [None, None, None]

    run(story)


@pytest.mark.parametrize(
    "error", [OperationalError("", {}, Exception()), ConfigurationError("away")]
)
def test_while_sessions_can_not_be_read_all_are_taken_for_strangers(
    error: Exception,
) -> None:
    def away(_asked: HTTPConnection) -> int:
        raise error

    async def story(open_one: Open) -> None:
        visitor = await open_one(cookie=KNOWN)
        await visitor.send(101)
        assert visitor.code == 1009

    run(story, away)


def test_sessions_without_a_socket_are_not_counted_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.auth.anonymous_limits._REMEMBERED", 3)

    async def story(open_one: Open) -> None:
        staying = await open_one("10.0.0.2", name="staying")
        await staying.send(90)
        for number in range(50):
            await (await open_one(name=f"other {number}")).leave()
        await staying.leave()
        again = await open_one("10.0.0.2", name="staying")
        for _ in range(2):
            await again.send(90)
        assert again.code == 1009

    run(story)


def test_ipv4_addresses_on_an_ipv6_socket_are_visitors_of_their_own() -> None:
    async def story(open_one: Open) -> None:
        first = await open_one("::ffff:10.0.0.1")
        many = [await open_one("::ffff:10.0.0.2") for _ in range(3)]
        assert [each.code for each in [first, *many]] == [None, 1013, None, None]

    run(story)
