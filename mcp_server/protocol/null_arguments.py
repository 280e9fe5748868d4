"""Middleware that reads null for an optional argument as "not given".

Many clients send every argument of a schema and fill those they don't need with null. This
runs before arguments are hashed and validated, so no schema has to list null as a type, and a
repeated write is recognised with or without its nulls. Null for a required argument, or
for one that doesn't exist, stays and is refused like any other wrong value.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from mcp.server.context import CallNext, HandlerResult

from mcp_server.protocol.authentication import RequestContext
from mcp_server.protocol.prompts import PROMPTS
from mcp_server.protocol.tools import TOOLS

Values = Mapping[str, Any]


async def drop_null_arguments(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Pass a request on without the optional arguments whose value is null."""
    if ctx.params is None:
        return await call_next(ctx)
    return await call_next(replace(ctx, params=_without_nulls(ctx.method, ctx.params)))


def _without_nulls(method: str, params: Values) -> Values:
    """Return a request's parameters without optional arguments that are null."""
    params = {
        key: value
        for key, value in params.items()
        if value is not None or key not in ("arguments", "context")
    }
    name, arguments, context = (params.get(key) for key in ("name", "arguments", "context"))
    if method == "tools/call" and name in TOOLS:
        return _drop_nulls(params, "arguments", arguments, TOOLS[name].optional_arguments)
    if method == "prompts/get" and name in PROMPTS:
        return _drop_nulls(params, "arguments", arguments, PROMPTS[name].optional_arguments)
    if method == "completion/complete" and isinstance(context, Mapping):
        others = context.get("arguments")  # the arguments filled in so far, all optional
        return {**params, "context": _drop_nulls(context, "arguments", others, others or ())}
    return params


def _drop_nulls(params: Values, key: str, given: Any, optional: Collection[str]) -> Values:
    """Return parameters without null for the optional names under `key`."""
    if not isinstance(given, Mapping):
        return params
    kept = {name: each for name, each in given.items() if each is not None or name not in optional}
    return {**params, key: kept}
