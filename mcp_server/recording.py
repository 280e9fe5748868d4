"""Around every call: who acts, at which pace, the access log, and faults in words.

What a program reads of a fault of ours says that it was ours; the log says the rest.
"""

import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import psycopg
from anyio import CancelScope, get_cancelled_exc_class
from anyio.lowlevel import checkpoint_if_cancelled
from anyio.to_thread import run_sync
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, CallToolResult, TextContent
from sqlalchemy.exc import SQLAlchemyError

from core.accounts.rules import Acting
from core.agents.rules import CallLimit, Outcome
from core.agents.service import Asked, Begun, begin_call, end_call, hash_of
from core.config import get_settings
from core.db import note_scope
from mcp_server.callers import Asking, Callers

log = logging.getLogger(__name__)

# What is counted and logged, and the parameter that names what was asked for.
RECORDED = {
    "tools/call": "name",
    "resources/read": "uri",
    "prompts/get": "name",
    "completion/complete": "ref",
}
AWAY = "The database does not answer just now. Nothing was changed. Try again in some seconds."
RETRY_LATER = -32050  # of the range that JSON-RPC leaves to servers


Report = Callable[[float, float | None, str], None]


def _tell_nobody(_done: float, _total: float | None, _sentence: str) -> None:
    """Progress that nobody waits for."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call under way."""

    acting: Acting
    asked: Asked
    now: datetime  # UTC, when it began
    report: Report = _tell_nobody  # how far it is: done, of how many, in words

    def with_progress(self, report: Report) -> "Call":
        """Return the call with somebody who is told how far it is."""
        return replace(self, report=report)


_CALL: ContextVar[Call] = ContextVar("call")


def current_call() -> Call:
    """Return the call that is being answered. Raises LookupError outside of one."""
    return _CALL.get()


class Recording:
    """Middleware: lets a call through at its pace, and writes it down."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def __call__(self, ctx: Asking, call_next: CallNext) -> HandlerResult:
        if ctx.method not in RECORDED or ctx.request_id is None:
            return await call_next(ctx)
        try:
            acting = await self._callers.who(ctx)
            call = Call(acting, _asked(ctx), datetime.now(UTC))
            with CancelScope(shield=True):  # who is gone by now has called all the same
                begun = await run_sync(_begin, call)
        except (SQLAlchemyError, psycopg.Error) as error:
            return _away(ctx.method, error)
        if begun.wait:
            return _limited(ctx.method, begun.wait)
        return await _answered(call, begun, ctx, call_next)


async def _answered(call: Call, begun: Begun, asking: Asking, call_next: CallNext) -> HandlerResult:
    """Have a call answered and note how it ended, whichever way it does."""
    started, outcome = monotonic(), Outcome.FAILED
    token = _CALL.set(call)
    try:
        result = await call_next(asking)
        await checkpoint_if_cancelled()  # a tool works on to its end, whoever waits for it
        outcome = _outcome_of(result)
        return result
    except MCPError as error:
        outcome = Outcome.FAILED if error.code == INTERNAL_ERROR else Outcome.REFUSED
        raise
    except get_cancelled_exc_class():
        outcome = Outcome.LEFT
        raise
    finally:
        _CALL.reset(token)
        await _end(begun.id, outcome, timedelta(seconds=monotonic() - started))


def _asked(asking: Asking) -> Asked:
    given: Mapping[str, Any] = asking.params or {}
    name = given.get(RECORDED[asking.method])
    if isinstance(name, Mapping):  # a completion says of what
        name = name.get("name") or name.get("uri")
    rest = {key: value for key, value in given.items() if key != "_meta"}
    return Asked(asking.method, str(name or ""), hash_of(rest.get("arguments", rest)))


def call_limit() -> CallLimit:
    """Return how often a token may call, by the settings."""
    settings = get_settings()
    return CallLimit(settings.amazcope_mcp_calls_per_minute, settings.amazcope_mcp_calls_at_once)


def _begin(call: Call) -> Begun:
    with note_scope() as session:
        return begin_call(session, call.acting, call.asked, call_limit(), call.now)


async def _end(call_id: int, outcome: Outcome, took: timedelta) -> None:
    try:
        with CancelScope(shield=True):  # the client may be gone
            await run_sync(_note_end, call_id, outcome, took)
    except (SQLAlchemyError, psycopg.Error) as error:
        log.warning("The end of call %d could not be noted: %s", call_id, error)


def _note_end(call_id: int, outcome: Outcome, took: timedelta) -> None:
    with note_scope() as session:
        end_call(session, call_id, outcome, took)


def _outcome_of(result: HandlerResult) -> Outcome:
    is_error = result.is_error if isinstance(result, CallToolResult) else None
    if isinstance(result, dict):
        is_error = result.get("isError")
    return Outcome.REFUSED if is_error else Outcome.ANSWERED


def _limited(method: str, wait: timedelta) -> HandlerResult:
    seconds = max(1, -(-wait // timedelta(seconds=1)))
    return _told(
        method,
        f"Too many calls with this token. Wait {seconds} s, then go on; ask for more at a time "
        "(larger pages, longer periods) rather than more often.",
    )


def _away(method: str, error: Exception) -> HandlerResult:
    log.warning("A call found no database: %s", error)
    return _told(method, AWAY)


def _told(method: str, sentence: str) -> HandlerResult:
    """Refuse a call in words. A model reads the results of tools; others read errors."""
    if method != "tools/call":
        raise MCPError(code=RETRY_LATER, message=sentence)
    return CallToolResult(content=[TextContent(type="text", text=sentence)], is_error=True)
