"""Around every call: who acts, at which pace, the access log, and faults in words.

What a program reads of a fault of ours says that it was ours; the log says the rest.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from anyio import CancelScope, get_cancelled_exc_class
from anyio.lowlevel import checkpoint_if_cancelled
from anyio.to_thread import run_sync
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, CallToolResult, TextContent

from core.accounts.access.permissions import Principal
from core.agents.access_log import CallRequest, begin_call, end_call, hash_arguments
from core.agents.rules import CallLimit, CallOutcome
from core.database import outages
from core.database.session import autocommit_scope, shared_time
from core.errors import AmazcopeError, ConfigurationError
from core.settings.environment import get_settings
from mcp_server.protocol.authentication import Asking, Callers

log = logging.getLogger(__name__)

# What is counted and logged, and the parameter that names what was asked for.
TOOL = "tools/call"
RECORDED = {
    TOOL: "name",
    "resources/read": "uri",
    "prompts/get": "name",
    "completion/complete": "ref",
}
# JSON-RPC reserves -32768 to -32000; every other number is for applications. As in HTTP.
RETRY_LATER = 503


Report = Callable[[float, float | None, str], None]


def _tell_nobody(_done: float, _total: float | None, _sentence: str) -> None:
    """Progress that nobody waits for."""


class TooOftenError(AmazcopeError):
    """A token calls faster than it may."""


class Entry:
    """A call's line in the access log. Written by whoever has a thread at hand first."""

    def __init__(self) -> None:
        self.id: int | None = None  # None: not begun
        self.is_ended = False
        self.outcome: CallOutcome | None = None  # of the work; None: it did not come to that
        self.began_at = monotonic()

    @property
    def took(self) -> timedelta:
        """Return how long the call has taken so far."""
        return timedelta(seconds=monotonic() - self.began_at)


@dataclass(frozen=True, slots=True)
class Call:
    """A call under way."""

    principal: Principal
    asked: CallRequest
    now: datetime  # UTC, when it began
    report: Report = _tell_nobody  # how far it is: done, of how many, in words
    entry: Entry = field(default_factory=Entry)

    def with_progress(self, report: Report) -> "Call":
        """Return the call with somebody who is told how far it is."""
        return replace(self, report=report)


_CALL: ContextVar[Call] = ContextVar("call")


def current_call() -> Call:
    """Return the call that is being answered. Raises LookupError outside of one."""
    return _CALL.get()


class CallLogMiddleware:
    """Middleware: lets a call through at its pace, and writes it down.

    A tool writes its own line, in the thread that it runs in: most calls are tools, and each
    change of threads costs as much as the line. What is refused before a tool runs is
    written here.
    """

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def __call__(self, ctx: Asking, call_next: CallNext) -> HandlerResult:
        if ctx.method not in RECORDED or ctx.request_id is None:
            return await call_next(ctx)
        try:
            who = await self._callers.who(ctx)  # asks for the time as well: it is known then
            call = Call(who, _asked(ctx), shared_time())
            if ctx.method != TOOL and (wait := await _begin_beside(call)):
                return _told(ctx.method, too_often(wait))
        except (*outages.ERRORS, ConfigurationError) as error:
            return _away(ctx.method, error)
        return await _answered(call, ctx, call_next)


async def _answered(call: Call, asking: Asking, call_next: CallNext) -> HandlerResult:
    """Have a call answered and see to it that its end is noted, whichever way it ends."""
    outcome = CallOutcome.FAILED
    token = _CALL.set(call)
    try:
        result = await call_next(asking)
        await checkpoint_if_cancelled()  # a tool works on to its end, whoever waits for it
        outcome = _outcome_of(result)
        return result
    except MCPError as error:
        outcome = CallOutcome.FAILED if error.code == INTERNAL_ERROR else CallOutcome.REFUSED
        raise
    except get_cancelled_exc_class():
        outcome = CallOutcome.LEFT
        raise
    finally:
        _CALL.reset(token)
        if outcome is CallOutcome.LEFT:
            await _end_beside(call, outcome)
        elif not call.entry.is_ended:
            await _end_beside(call, call.entry.outcome or outcome)


@contextmanager
def logged_call(call: Call) -> Iterator[None]:
    """Write a call's line around its work, in the thread of the work.

    Raises TooOftenError for a call that has to wait, and what the database raises.
    """
    call.entry.outcome = outcome = CallOutcome.FAILED  # as long as nothing better is known
    wait = begin(call)
    if wait:
        raise TooOftenError(too_often(wait))
    try:
        yield
        outcome = CallOutcome.ANSWERED
    except AmazcopeError:
        outcome = CallOutcome.REFUSED
        raise
    finally:
        end(call, outcome)


def begin(call: Call) -> timedelta:
    """Begin a call's line; return how long the call has to wait, zero when it may go on."""
    with autocommit_scope() as session:
        begun = begin_call(session, call.principal, call.asked, call_limit(), call.now)
    call.entry.id, call.entry.is_ended = begun.id, bool(begun.wait)
    return begun.wait


def end(call: Call, outcome: CallOutcome) -> None:
    """End a call's line. A database that is gone by then is only logged: the work is done."""
    entry = call.entry
    entry.outcome = outcome
    try:
        if entry.id is not None:
            with autocommit_scope() as session:
                end_call(session, entry.id, outcome, entry.took)
            entry.is_ended = True
    except outages.ERRORS as error:
        log.warning("The end of call %s could not be noted: %s", entry.id, error)


async def _begin_beside(call: Call) -> timedelta:
    with CancelScope(shield=True):  # who is gone by now has called all the same
        wait = await run_sync(begin, call)
    return wait  # noqa: RET504 - to mypy the scope may swallow a return


async def _end_beside(call: Call, outcome: CallOutcome) -> None:
    with CancelScope(shield=True):  # the client may be gone
        await run_sync(_write_rest, call, outcome)


def _write_rest(call: Call, outcome: CallOutcome) -> None:
    """Write what is missing of a call's line; one too many stands there as such."""
    try:
        if call.entry.id is None and begin(call):
            return
    except outages.ERRORS as error:
        log.warning("A refused call could not be noted: %s", error)
        return
    end(call, outcome)


def _asked(asking: Asking) -> CallRequest:
    given: Mapping[str, Any] = asking.params or {}
    name = given.get(RECORDED[asking.method])
    if isinstance(name, Mapping):  # a completion says of what
        name = name.get("name") or name.get("uri")
    rest = {key: value for key, value in given.items() if key != "_meta"}
    return CallRequest(asking.method, str(name or ""), hash_arguments(rest.get("arguments", rest)))


def call_limit() -> CallLimit:
    """Return how often a token may call, by the settings."""
    settings = get_settings()
    return CallLimit(settings.amazcope_mcp_calls_per_minute, settings.amazcope_mcp_calls_at_once)


def _outcome_of(result: HandlerResult) -> CallOutcome:
    is_error = result.is_error if isinstance(result, CallToolResult) else None
    if isinstance(result, dict):
        is_error = result.get("isError")
    return CallOutcome.REFUSED if is_error else CallOutcome.ANSWERED


def too_often(wait: timedelta) -> str:
    """Say how long a token has to wait, and how to get by with fewer calls."""
    seconds = max(1, -(-wait // timedelta(seconds=1)))
    return (
        f"Too many calls with this token. Wait {seconds} s, then go on; ask for more at a time "
        "(larger pages, longer periods) rather than more often."
    )


def _away(method: str, error: Exception) -> HandlerResult:
    log.warning("A call found no database: %s", error)
    return _told(method, outages.describe_outage(error) or outages.UNAVAILABLE)


def _told(method: str, sentence: str) -> HandlerResult:
    """Refuse a call in words. A model reads the results of tools; others read errors."""
    if method != TOOL:
        raise MCPError(code=RETRY_LATER, message=sentence)
    return CallToolResult(content=[TextContent(type="text", text=sentence)], is_error=True)
