"""How a resource is declared, found by its address and read.

A resource is a plain function, like a tool: who calls first, then what the address names.

    @resource("product://{marketplace}/{asin}", Permission.READ, "A product")
    def product(call: Call, marketplace: str, asin: str) -> ProductDetails:
        \"\"\"Say what it holds, for who chooses among resources.\"\"\"

What comes back is written as JSON; text from outside lies under the key `untrusted`.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Concatenate, ParamSpec, TypeVar

from anyio.to_thread import run_sync
from mcp.shared.uri_template import UriTemplate
from mcp_types import Resource as SdkResource
from mcp_types import ResourceTemplate as SdkTemplate

from core.accounts.access.permissions import Permission
from mcp_server.protocol.call_log import Call, current_call
from mcp_server.protocol.protocol_errors import invalid_params, run_for_protocol
from mcp_server.results.base import ResultPart

MIME_TYPE = "application/json"

P = ParamSpec("P")
A = TypeVar("A", bound=ResultPart)
Function = Callable[Concatenate[Call, P], A]


@dataclass(frozen=True)
class Resource:
    """A resource as it is declared. `uri` is an address, or a template of addresses."""

    uri: str
    name: str
    title: str
    permission: Permission
    description: str
    function: Callable[..., ResultPart]

    @cached_property
    def template(self) -> UriTemplate:
        """The address, taken apart."""
        return UriTemplate.parse(self.uri)

    @property
    def is_template(self) -> bool:
        """True when the address has parts to fill in."""
        return bool(self.template.variable_names)


RESOURCES: dict[str, Resource] = {}
"""Every resource by its address, in the order of declaration."""


def resource(
    uri: str, permission: Permission, title: str
) -> Callable[[Function[P, A]], Function[P, A]]:
    """Declare a function as the resource of an address, or of a template of addresses."""

    def declared(function: Function[P, A]) -> Function[P, A]:
        about = inspect.cleandoc(function.__doc__ or "")
        RESOURCES[uri] = Resource(uri, function.__name__, title, permission, about, function)
        return function

    return declared


def resources_of_the_sdk() -> list[SdkResource]:
    """Return every resource that has an address of its own, as the SDK lists it."""
    return [
        SdkResource(
            uri=each.uri,
            name=each.name,
            title=each.title,
            description=each.description,
            mime_type=MIME_TYPE,
        )
        for each in RESOURCES.values()
        if not each.is_template
    ]


def templates_of_the_sdk() -> list[SdkTemplate]:
    """Return every template of addresses, as the SDK lists it."""
    return [
        SdkTemplate(
            uri_template=each.uri,
            name=each.name,
            title=each.title,
            description=each.description,
            mime_type=MIME_TYPE,
        )
        for each in RESOURCES.values()
        if each.is_template
    ]


async def read(uri: str) -> str:
    """Return what lies at an address, as JSON. Raises MCPError, saying what to do instead."""
    declared, given = _at(uri)
    part = await run_sync(_answered, declared, current_call(), given)
    return part.model_dump_json()


def _at(uri: str) -> tuple[Resource, dict[str, Any]]:
    """Return which resource an address means, and what it names."""
    if uri in RESOURCES and not RESOURCES[uri].is_template:
        return RESOURCES[uri], {}
    for each in RESOURCES.values():
        found = each.template.match(uri) if each.is_template else None
        if found is not None:
            return each, dict(found)
    raise invalid_params(f"There is no resource {uri[:100]!r}. There are: {', '.join(RESOURCES)}.")


def _answered(declared: Resource, call: Call, given: dict[str, Any]) -> ResultPart:
    return run_for_protocol(call, declared.permission, declared.function, **given)
