"""How a tool is declared, run and answered; what all writes share.

A tool is a plain function: who calls first, then its arguments, back comes an `Result`.

    @tool(Permission.READ, "Price history")
    def get_price_history(call: Call, product: ProductName, days: Days = 90) -> PriceHistory:
        \"\"\"Say what it answers, for the model that chooses a tool.\"\"\"

It runs in a thread of its own, may block, and raises the errors of `core.errors`, whose
messages say what to do next.
"""

import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, get_type_hints

import anyio.from_thread
from anyio.to_thread import run_sync
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool as SdkTool
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import ValidationError
from sqlalchemy.orm import Session

from core.accounts.access.permissions import (
    SCOPE_FOR,
    Permission,
    Role,
    Scope,
    minimum_role,
    require_permission,
)
from core.agents.idempotency import find_response, save_response
from core.database import outages
from core.database.session import dry_run_scope, write_scope
from core.errors import AmazcopeError, InvalidInputError
from core.text import locale
from mcp_server.protocol import schemas
from mcp_server.protocol.call_log import Call, current_call, logged_call
from mcp_server.results.base import Result, WriteResult

log = logging.getLogger(__name__)

P = ParamSpec("P")
A = TypeVar("A", bound=Result)
W = TypeVar("W", bound=WriteResult)
Function = Callable[Concatenate[Call, P], A]


@dataclass(frozen=True)
class Tool:
    """A tool as it is declared."""

    name: str
    title: str
    permission: Permission
    description: str
    function: Callable[..., Result]
    answer: type[Result]
    annotations: ToolAnnotations

    @property
    def scope(self) -> Scope:
        """The scope that a token needs."""
        return SCOPE_FOR[self.permission]

    @property
    def arguments(self) -> list[str]:
        """The names of its arguments."""
        return list(inspect.signature(self.function).parameters)[1:]

    @cached_property
    def for_the_sdk(self) -> SdkTool:
        """The tool as the SDK takes it: made once, since its schemas take 10 ms."""
        return _for_the_sdk(self)

    @cached_property
    def optional_arguments(self) -> frozenset[str]:
        """The names of those that may be left out."""
        parameters = list(inspect.signature(self.function).parameters.values())[1:]
        return frozenset(each.name for each in parameters if each.default is not each.empty)

    @property
    def least_role(self) -> Role:
        """The least role of the token's owner."""
        return minimum_role(self.permission)


TOOLS: dict[str, Tool] = {}
"""Every tool by its name, in the order of declaration."""


def tool(
    permission: Permission,
    title: str,
    *,
    is_destructive: bool = False,
    is_idempotent: bool = True,
    asks_outside: bool = False,
) -> Callable[[Function[P, A]], Function[P, A]]:
    """Declare a function as a tool.

    `is_destructive`: it may overwrite or remove what somebody made. `is_idempotent`:
    twice does it once. `asks_outside`: it has something fetched from the marketplace.
    """

    def declared(function: Function[P, A]) -> Function[P, A]:
        name = function.__name__
        reads = permission is Permission.READ
        TOOLS[name] = Tool(
            name=name,
            title=title,
            permission=permission,
            description=inspect.cleandoc(function.__doc__ or ""),
            function=function,
            answer=get_type_hints(function)["return"],
            annotations=ToolAnnotations(
                title=title,
                read_only_hint=reads,
                destructive_hint=is_destructive and not reads,
                idempotent_hint=is_idempotent,
                open_world_hint=asks_outside,
            ),
        )
        return function

    return declared


def tools_of_the_sdk() -> list[SdkTool]:
    """Return every declared tool as the SDK takes it."""
    return [each.for_the_sdk for each in TOOLS.values()]


def _for_the_sdk(declared: Tool) -> SdkTool:
    made = SdkTool.from_function(
        _runner(declared),
        name=declared.name,
        title=declared.title,
        description=declared.description,
        annotations=declared.annotations,
        structured_output=True,
    )
    # The SDK passes over arguments that a tool does not have; a slip of the pen is none.
    strict = made.fn_metadata.arg_model
    strict.model_config["extra"] = "forbid"
    strict.model_rebuild(force=True)
    made.parameters = schemas.shorten_arguments(strict.model_json_schema(by_alias=True))
    told = made.fn_metadata
    told.output_schema = schemas.shorten_result(told.output_schema or {})
    told.output_model = None  # what comes back was made by that very model
    return made


def authorize(declared: Tool, arguments: Mapping[str, Any]) -> None:
    """Let a call in, before anything is made of its arguments.

    Raises ToolError, saying which role or scope it takes, or what no text may hold.
    """
    try:
        require_permission(current_call().principal, declared.permission)
    except AmazcopeError as error:
        raise ToolError(str(error)) from error
    if not is_plain(arguments):
        raise ToolError(
            "These arguments hold a character that no text can be kept with (NUL, or half of a "
            "surrogate pair). Leave it out."
        )


def is_plain(value: Any) -> bool:
    """True when every text in a value can be sent on and kept."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, Mapping):
        return all(is_plain(key) and is_plain(each) for key, each in value.items())
    return not isinstance(value, list | tuple) or all(map(is_plain, value))


def _runner(declared: Tool) -> Callable[..., Any]:
    """Return a tool as the SDK takes it: the function's arguments and the context."""

    async def run(ctx: Context[Any, Any], **given: Any) -> CallToolResult:
        call = current_call().with_progress(partial(_report, ctx))
        answer = await run_sync(_answered, declared, call, given)
        return CallToolResult(
            content=[TextContent(type="text", text=answer.in_words())],
            structured_content=answer.model_dump(mode="json"),
        )

    run.__name__ = declared.name
    hints = get_type_hints(declared.function, include_extras=True)
    asked = list(inspect.signature(declared.function, eval_str=True).parameters.values())[1:]
    back = Annotated[CallToolResult, declared.answer]
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=Context)
    keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in asked]
    run.__signature__ = inspect.Signature([*keywords, context], return_annotation=back)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: hints[each.name] for each in asked}
    run.__annotations__ |= {"ctx": Context, "return": back}
    return run


def _answered(declared: Tool, call: Call, given: dict[str, Any]) -> Result:
    """Run a tool; what goes wrong on purpose becomes an answer that the model reads."""
    locale.use(locale.FOR_PROGRAMS)  # for this call: its thread has a context of its own
    try:
        with logged_call(call):
            return declared.function(call, **given)
    except AmazcopeError as error:
        raise ToolError(str(error)) from error
    except outages.ERRORS as error:
        sentence = outages.describe_outage(error)
        if sentence is None:
            raise
        log.warning("%s found no database: %s", declared.name, error)
        raise ToolError(sentence) from error


def _report(ctx: Context[Any, Any], done: float, total: float | None, sentence: str) -> None:
    """Tell how far a slow call is; from the thread that it runs in."""
    anyio.from_thread.run(ctx.report_progress, done, total, sentence)


# Writing


@dataclass(frozen=True, slots=True)
class Write:
    """How a write is asked for."""

    dry_run: bool
    idempotency_key: str | None


def run_write(call: Call, how: Write, answer: type[W], work: Callable[[Session], W]) -> W:
    """Do a write once for its key, or only find out what would come of it.

    A dry run does the very same work and undoes it. The answer of a write with a key is
    kept with the write, in one transaction, and given again to the same key. What the
    worker is to be woken for comes after this, unless `dry_run` is set in the answer.
    """
    if how.dry_run:
        with dry_run_scope() as session:
            return work(session).model_copy(update={"dry_run": True})
    with write_scope() as session:
        if how.idempotency_key is None:
            return work(session)
        return _once(call, how.idempotency_key, answer, work, session)


def _once(
    call: Call, key: str, answer: type[W], work: Callable[[Session], W], session: Session
) -> W:
    asked = call.asked
    kept = find_response(session, call.principal, key, asked.name, asked.arguments_hash, call.now)
    if kept is not None:
        return _repeated(answer, kept)
    done = work(session)
    save_response(session, call.principal, key, done.model_dump(mode="json"))
    return done


def _repeated(answer: type[W], kept: Any) -> W:
    try:
        return answer.model_validate(kept).model_copy(update={"is_repeat": True})
    except ValidationError as error:  # of a version before
        raise InvalidInputError(
            "This write was made, but its answer can't be read any more. Check what it changed."
        ) from error
