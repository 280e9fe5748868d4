"""Declaring resources, finding them by URI and reading them.

A resource is a plain function, like a tool: first the call, then the variables of the URI.

    @resource("product://{marketplace}/{asin}", Permission.READ, "A product")
    def product(call: Call, marketplace: str, asin: str) -> ProductDetails:
        \"\"\"Describe the content, for the client that chooses a resource.\"\"\"

The result is sent as JSON; text from outside is under the key `untrusted`.
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
    """A declared resource. `uri` is a URI, or a URI template."""

    uri: str
    name: str
    title: str
    permission: Permission
    description: str
    function: Callable[..., ResultPart]

    @cached_property
    def template(self) -> UriTemplate:
        """Return the parsed URI."""
        return UriTemplate.parse(self.uri)

    @property
    def is_template(self) -> bool:
        """True when the URI has variables."""
        return bool(self.template.variable_names)


RESOURCES: dict[str, Resource] = {}
"""All resources by URI, in the order of declaration."""


def resource(
    uri: str, permission: Permission, title: str
) -> Callable[[Function[P, A]], Function[P, A]]:
    """Declare a function as the resource of a URI, or of a URI template."""

    def declare(function: Function[P, A]) -> Function[P, A]:
        about = inspect.cleandoc(function.__doc__ or "")
        RESOURCES[uri] = Resource(uri, function.__name__, title, permission, about, function)
        return function

    return declare


def list_sdk_resources() -> list[SdkResource]:
    """Return the resources with a fixed URI, as the SDK lists them."""
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


def list_sdk_templates() -> list[SdkTemplate]:
    """Return the resources with a URI template, as the SDK lists them."""
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


async def read_resource(uri: str) -> str:
    """Return the content of a URI, as JSON. Raises MCPError for an unknown URI or a refusal."""
    resource, variables = _find_resource(uri)
    return await run_sync(_read, resource, current_call(), variables)


def _find_resource(uri: str) -> tuple[Resource, dict[str, Any]]:
    """Return the resource of a URI, and the URI's variables."""
    if uri in RESOURCES and not RESOURCES[uri].is_template:
        return RESOURCES[uri], {}
    for each in RESOURCES.values():
        found = each.template.match(uri) if each.is_template else None
        if found is not None:
            return each, dict(found)
    raise invalid_params(f"There is no resource {uri[:100]!r}. There are: {', '.join(RESOURCES)}.")


def _read(resource: Resource, call: Call, variables: dict[str, Any]) -> str:
    def read(call: Call) -> str:
        return resource.function(call, **variables).model_dump_json()

    return run_for_protocol(call, resource.permission, read)
