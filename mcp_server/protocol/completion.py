"""Completions for an argument that is being typed. Capped and fast: called at every keystroke."""

from collections.abc import Callable, Mapping

from anyio.to_thread import run_sync
from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from core.accounts.access.permissions import Permission
from core.catalog.marketplaces import MARKETPLACES, find_by_name
from core.database.session import read_scope
from core.tracking.list_filter import ListScope
from core.tracking.lists.autocomplete import complete_asin, complete_name
from core.tracking.lists.queries import list_marketplaces
from mcp_server.protocol.call_log import Call, current_call
from mcp_server.protocol.prompts import PROMPTS
from mcp_server.protocol.protocol_errors import run_for_protocol
from mcp_server.protocol.resources import RESOURCES
from mcp_server.results.base import format_product_name

MAX_COMPLETIONS = 20  # the protocol's own limit is 100
OtherArguments = Mapping[str, str]
Reference = PromptReference | ResourceTemplateReference


async def complete_argument(
    reference: Reference, argument: CompletionArgument, context: CompletionContext | None
) -> Completion:
    """Return completions of an argument; none for an argument without a completer."""
    completer = _COMPLETERS.get(argument.name)
    if completer is None or argument.name not in _argument_names(reference):
        return _make_completion([])
    others = (context.arguments if context else None) or {}
    return await run_sync(_run_completer, completer, current_call(), argument.value, others)


def _argument_names(reference: Reference) -> frozenset[str]:
    if isinstance(reference, PromptReference):
        prompt = PROMPTS.get(reference.name)
        return frozenset(prompt.arguments.model_fields) if prompt else frozenset()
    resource = RESOURCES.get(reference.uri)
    return frozenset(resource.template.variable_names) if resource else frozenset()


Completer = Callable[[Call, str, OtherArguments], Completion]


def _run_completer(
    completer: Completer, call: Call, typed: str, others: OtherArguments
) -> Completion:
    return run_for_protocol(call, Permission.READ, completer, typed=typed, others=others)


def _complete_marketplace(call: Call, typed: str, others: OtherArguments) -> Completion:  # noqa: ARG001
    """Complete by code or country name; marketplaces with tracked products first."""
    with read_scope() as session:
        used = list_marketplaces(session, call.principal, list(MARKETPLACES), ListScope.TEAM)
    begins = typed.strip().casefold()
    fitting = [
        place.code
        for place in MARKETPLACES.values()
        if place.code.casefold().startswith(begins) or place.name.casefold().startswith(begins)
    ]
    return _make_completion(sorted(fitting, key=lambda code: code not in used))


def _complete_asin(call: Call, typed: str, others: OtherArguments) -> Completion:
    place = find_by_name(others.get("marketplace", ""))
    with read_scope() as session:
        code = place.code if place else None
        found = complete_asin(session, call.principal, typed, code, MAX_COMPLETIONS)
    asins = list(dict.fromkeys(asin for _, asin in found.products))
    return Completion(values=asins, total=found.total, has_more=found.has_more)


def _complete_product(call: Call, typed: str, others: OtherArguments) -> Completion:  # noqa: ARG001
    with read_scope() as session:
        found = complete_name(session, call.principal, typed, MAX_COMPLETIONS)
    names = [format_product_name(*product) for product in found.products]
    return Completion(values=names, total=found.total, has_more=found.has_more)


def _complete_whose(call: Call, typed: str, others: OtherArguments) -> Completion:  # noqa: ARG001
    start = typed.strip().lower()
    return _make_completion([each.value for each in ListScope if each.value.startswith(start)])


def _make_completion(values: list[str]) -> Completion:
    has_more = len(values) > MAX_COMPLETIONS
    return Completion(values=values[:MAX_COMPLETIONS], total=len(values), has_more=has_more)


_COMPLETERS: dict[str, Completer] = {
    "marketplace": _complete_marketplace,
    "asin": _complete_asin,
    "product": _complete_product,
    "whose": _complete_whose,
}
"""By argument name: a name means the same in every prompt and resource."""
