"""Every call: who makes it, how often its token may call, and its row in the access log.

One row per call, written by its `LogEntry`. `begin` inserts the row and counts the call
against its token's limit, in one statement; `end` stores the outcome. Both run in the thread
of the work, since switching threads takes as long as the statement:

    event loop                             thread of the work
    CallLogMiddleware
      find the caller
      check permission and arguments
      run_sync ──────────────────────────► logged_call
                                             begin (over the limit: TooOftenError)
                                             the tool, resource, prompt or completion
                                             end
      result or error ◄──────────────────────┘
      complete, only where needed

`complete` writes what is still missing: both statements for a call refused before its work,
the end where the database was unavailable, the outcome for a client that left.
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
from mcp_server.protocol.authentication import Callers, RequestContext

log = logging.getLogger(__name__)

# The methods that are logged and limited, each with the parameter that names its target.
TOOL = "tools/call"
RECORDED = {
    TOOL: "name",
    "resources/read": "uri",
    "prompts/get": "name",
    "completion/complete": "ref",
}
RETRY_LATER = 503  # as in HTTP; JSON-RPC reserves -32768 to -32000
Report = Callable[[float, float | None, str], None]


def _ignore_progress(_done: float, _total: float | None, _message: str) -> None:
    """Drop progress: the client asked for none."""


class TooOftenError(AmazcopeError):
    """The token is over its rate limit."""


class LogEntry:
    """The row of one call in the access log."""

    def __init__(self) -> None:
        self._id: int | None = None  # None: not begun
        self._is_ended = False
        self._is_limited = False
        self._outcome: CallOutcome | None = None  # of the work; None: it did not run
        self._began_at = monotonic()

    def begin(self, call: "Call") -> timedelta:
        """Insert the row and count the call; return how long to wait, zero: not at all."""
        self._outcome = CallOutcome.FAILED  # until the work ends otherwise
        with autocommit_scope() as session:
            begun = begin_call(session, call.principal, call.asked, call_limit(), call.now)
        self._id, self._is_limited = begun.id, bool(begun.wait)
        return begun.wait

    def end(self, outcome: CallOutcome) -> None:
        """Store the outcome. The work is done: an unavailable database is only logged."""
        self._outcome = outcome
        if self._id is None:
            return
        took = timedelta(seconds=monotonic() - self._began_at)
        try:
            with autocommit_scope() as session:
                end_call(session, self._id, outcome, took)
            self._is_ended = True
        except outages.ERRORS as error:
            log.warning("The end of call %s could not be logged: %s", self._id, error)

    def is_complete(self, outcome: CallOutcome) -> bool:
        """True when the row needs nothing more. The client leaving replaces other outcomes."""
        return self._is_limited or (self._is_ended and outcome is not CallOutcome.LEFT)

    def complete(self, call: "Call", outcome: CallOutcome) -> None:
        """Write what is missing of the row. A call over the limit is logged as limited.

        The outcome of the work, where it ran, is used instead of `outcome`, unless the
        client left.
        """
        if self._outcome is not None and outcome is not CallOutcome.LEFT:
            outcome = self._outcome
        try:
            if self._id is None and self.begin(call):
                return
        except outages.ERRORS as error:
            log.warning("A call could not be logged: %s", error)
            return
        self.end(outcome)


@dataclass(frozen=True, slots=True)
class Call:
    """A call in progress."""

    principal: Principal
    asked: CallRequest
    now: datetime  # UTC, when it began
    report: Report = _ignore_progress  # progress: steps done, steps in all, message
    entry: LogEntry = field(default_factory=LogEntry)

    def with_progress(self, report: Report) -> "Call":
        """Return the call with a function that reports progress to the client."""
        return replace(self, report=report)


_CALL: ContextVar[Call] = ContextVar("call")


def current_call() -> Call:
    """Return the call in progress. Raises LookupError outside of one."""
    return _CALL.get()


class CallLogMiddleware:
    """Middleware: find the caller, make the call current, and complete its log row."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def __call__(self, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        if ctx.method not in RECORDED or ctx.request_id is None:
            return await call_next(ctx)
        try:
            principal = await self._callers.find_principal(ctx)  # loads the shared time as well
            call = Call(principal, _read_request(ctx), shared_time())
        except (*outages.ERRORS, ConfigurationError) as error:
            return _refuse_without_database(ctx.method, error)
        return await _run_call(call, ctx, call_next)


async def _run_call(call: Call, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    outcome = CallOutcome.FAILED
    token = _CALL.set(call)
    try:
        result = await call_next(ctx)
        await checkpoint_if_cancelled()  # a tool runs to its end even when its client left
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
        if not call.entry.is_complete(outcome):
            with CancelScope(shield=True):  # the client may have left
                await run_sync(call.entry.complete, call, outcome)


@contextmanager
def logged_call(call: Call) -> Iterator[None]:
    """Log a call around its work, in the thread of the work.

    Raises TooOftenError for a call over the limit, and the database's errors.
    """
    if wait := call.entry.begin(call):
        raise TooOftenError(format_too_often(wait))
    outcome = CallOutcome.FAILED
    try:
        yield
        outcome = CallOutcome.ANSWERED
    except AmazcopeError:
        outcome = CallOutcome.REFUSED
        raise
    finally:
        call.entry.end(outcome)


def _read_request(ctx: RequestContext) -> CallRequest:
    given: Mapping[str, Any] = ctx.params or {}
    name = given.get(RECORDED[ctx.method])
    if isinstance(name, Mapping):  # a completion's reference
        name = name.get("name") or name.get("uri")
    rest = {key: value for key, value in given.items() if key != "_meta"}
    return CallRequest(ctx.method, str(name or ""), hash_arguments(rest.get("arguments", rest)))


def call_limit() -> CallLimit:
    """Return the rate limit of a token, from the settings."""
    settings = get_settings()
    return CallLimit(settings.amazcope_mcp_calls_per_minute, settings.amazcope_mcp_calls_at_once)


def _outcome_of(result: HandlerResult) -> CallOutcome:
    is_error = result.is_error if isinstance(result, CallToolResult) else None
    if isinstance(result, dict):
        is_error = result.get("isError")
    return CallOutcome.REFUSED if is_error else CallOutcome.ANSWERED


def format_too_often(wait: timedelta) -> str:
    """Return how long to wait, and how to need fewer calls."""
    seconds = max(1, -(-wait // timedelta(seconds=1)))
    return (
        f"Too many calls with this token. Wait {seconds} s before the next call, and request "
        "more per call (larger pages, longer periods)."
    )


def _refuse_without_database(method: str, error: Exception) -> HandlerResult:
    """Refuse a call. Models read results of tools; for other methods, raise MCPError."""
    log.warning("A call found the database unavailable: %s", error)
    message = outages.describe_outage(error) or outages.UNAVAILABLE
    if method != TOOL:
        raise MCPError(code=RETRY_LATER, message=message)
    return CallToolResult(content=[TextContent(type="text", text=message)], is_error=True)
