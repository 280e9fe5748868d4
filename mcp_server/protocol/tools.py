"""Declaring and running tools; dry runs and idempotency keys of writes.

A tool is a plain function: first the call, then its arguments. It returns a `Result`.

    @tool(Permission.READ, "Price history")
    def get_price_history(call: Call, product: ProductName, days: Days = 90) -> PriceHistory:
        \"\"\"Describe the result, for the model that chooses a tool.\"\"\"

It runs in its own thread, may block, and raises the errors of `core.errors`, whose messages
say what to do next.
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
    find_minimum_role,
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
    """A declared tool."""

    name: str
    title: str
    permission: Permission
    description: str
    function: Callable[..., Result]
    result: type[Result]
    annotations: ToolAnnotations

    @property
    def scope(self) -> Scope:
        """Return the scope that a token needs."""
        return SCOPE_FOR[self.permission]

    @property
    def arguments(self) -> list[str]:
        """Return the names of the arguments."""
        return list(inspect.signature(self.function).parameters)[1:]

    @cached_property
    def sdk_tool(self) -> SdkTool:
        """Return the SDK's tool. Made once, since its schemas take 10 ms."""
        return _make_sdk_tool(self)

    @cached_property
    def optional_arguments(self) -> frozenset[str]:
        """Return the names of the optional arguments."""
        parameters = list(inspect.signature(self.function).parameters.values())[1:]
        return frozenset(each.name for each in parameters if each.default is not each.empty)

    @property
    def minimum_role(self) -> Role:
        """Return the lowest role that the token's owner may have."""
        return find_minimum_role(self.permission)


TOOLS: dict[str, Tool] = {}
"""All tools by name, in the order of declaration."""


def tool(
    permission: Permission,
    title: str,
    *,
    is_destructive: bool = False,
    is_idempotent: bool = True,
    is_open_world: bool = False,
) -> Callable[[Function[P, A]], Function[P, A]]:
    """Declare a function as a tool.

    `is_destructive`: may overwrite or remove a user's work. `is_idempotent`: a repeated call
    changes nothing more. `is_open_world`: fetches something from the marketplace.
    """

    def declare(function: Function[P, A]) -> Function[P, A]:
        name = function.__name__
        is_read_only = permission is Permission.READ
        TOOLS[name] = Tool(
            name=name,
            title=title,
            permission=permission,
            description=inspect.cleandoc(function.__doc__ or ""),
            function=function,
            result=get_type_hints(function)["return"],
            annotations=ToolAnnotations(
                title=title,
                read_only_hint=is_read_only,
                destructive_hint=is_destructive and not is_read_only,
                idempotent_hint=is_idempotent,
                open_world_hint=is_open_world,
            ),
        )
        return function

    return declare


def list_sdk_tools() -> list[SdkTool]:
    """Return all tools, as the SDK takes them."""
    return [each.sdk_tool for each in TOOLS.values()]


def _make_sdk_tool(tool: Tool) -> SdkTool:
    made = SdkTool.from_function(
        _make_async_function(tool),
        name=tool.name,
        title=tool.title,
        description=tool.description,
        annotations=tool.annotations,
        structured_output=True,
    )
    # The SDK ignores unknown arguments. Refuse them, so that a typo is noticed.
    strict = made.fn_metadata.arg_model
    strict.model_config["extra"] = "forbid"
    strict.model_rebuild(force=True)
    made.parameters = schemas.shorten_arguments(strict.model_json_schema(by_alias=True))
    metadata = made.fn_metadata
    metadata.output_schema = schemas.shorten_result(metadata.output_schema or {})
    metadata.output_model = None  # results are instances of this model already
    return made


def authorize(tool: Tool, arguments: Mapping[str, Any]) -> None:
    """Check the caller's permission and the arguments' characters, before validation.

    Raises ToolError naming the role or scope that is missing, or the characters to leave out.
    """
    try:
        require_permission(current_call().principal, tool.permission)
    except AmazcopeError as error:
        raise ToolError(str(error)) from error
    if not is_storable(arguments):
        raise ToolError(
            "The arguments contain a character that can't be stored (NUL, or half of a surrogate "
            "pair). Leave it out."
        )


def is_storable(value: Any) -> bool:
    """True when PostgreSQL can store every text in a value, and UTF-8 can encode it."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, Mapping):
        return all(is_storable(key) and is_storable(each) for key, each in value.items())
    return not isinstance(value, list | tuple) or all(map(is_storable, value))


def _make_async_function(tool: Tool) -> Callable[..., Any]:
    """Return the function for the SDK: the tool's arguments, and the SDK's context."""

    async def run(ctx: Context[Any, Any], **given: Any) -> CallToolResult:
        call = current_call().with_progress(partial(_report_progress, ctx))
        return await run_sync(_run_tool, tool, call, given)

    run.__name__ = tool.name
    hints = get_type_hints(tool.function, include_extras=True)
    parameters = list(inspect.signature(tool.function, eval_str=True).parameters.values())[1:]
    returned = Annotated[CallToolResult, tool.result]
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=Context)
    keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    run.__signature__ = inspect.Signature([*keywords, context], return_annotation=returned)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: hints[each.name] for each in parameters}
    run.__annotations__ |= {"ctx": Context, "return": returned}
    return run


def _run_tool(tool: Tool, call: Call, given: dict[str, Any]) -> CallToolResult:
    """Run a tool in the current thread and log it. Raises ToolError for refusals and outages."""
    locale.use_formats(locale.FOR_PROGRAMS)  # for this call only: the thread has its own context
    try:
        with logged_call(call):
            result = tool.function(call, **given)
            return CallToolResult(
                content=[TextContent(type="text", text=result.summarize())],
                structured_content=result.model_dump(mode="json"),
            )
    except AmazcopeError as error:
        raise ToolError(str(error)) from error
    except outages.ERRORS as error:
        message = outages.describe_outage(error)
        if message is None:
            raise
        log.warning("%s found the database unavailable: %s", tool.name, error)
        raise ToolError(message) from error


def _report_progress(
    ctx: Context[Any, Any], done: float, total: float | None, message: str
) -> None:
    """Report a call's progress to the client, from the call's thread."""
    anyio.from_thread.run(ctx.report_progress, done, total, message)


# Writes


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """The arguments that all writes share."""

    dry_run: bool
    idempotency_key: str | None


def run_write(
    call: Call, options: WriteOptions, result: type[W], work: Callable[[Session], W]
) -> W:
    """Run a write in a transaction and return its result.

    A dry run does the same work and rolls it back. With an idempotency key the result is stored
    in the same transaction, and returned for later calls with this key. Wake the worker after
    this, unless the result has `dry_run`.
    """
    if options.dry_run:
        with dry_run_scope() as session:
            return work(session).model_copy(update={"dry_run": True})
    with write_scope() as session:
        if options.idempotency_key is None:
            return work(session)
        return _run_once(call, options.idempotency_key, result, work, session)


def _run_once(
    call: Call, key: str, result: type[W], work: Callable[[Session], W], session: Session
) -> W:
    asked = call.asked
    stored = find_response(session, call.principal, key, asked.name, asked.arguments_hash, call.now)
    if stored is not None:
        return _read_stored(result, stored)
    done = work(session)
    save_response(session, call.principal, key, done.model_dump(mode="json"))
    return done


def _read_stored(result: type[W], stored: Any) -> W:
    try:
        return result.model_validate(stored).model_copy(update={"is_repeat": True})
    except ValidationError as error:  # stored by an earlier version
        raise InvalidInputError(
            "This write was made earlier, but its result can't be read any more. Check what it "
            "changed."
        ) from error
