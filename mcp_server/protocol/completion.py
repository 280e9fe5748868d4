"""What an argument that is being typed may become. Capped, and quick: it is asked at every key."""

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

MOST = 20  # the protocol's own limit is 100
Known = Mapping[str, str]
Reference = PromptReference | ResourceTemplateReference


async def complete(
    reference: Reference, argument: CompletionArgument, context: CompletionContext | None
) -> Completion:
    """Return what fits. An argument that nothing is known of has no completions."""
    completer = _COMPLETERS.get(argument.name)
    if completer is None or argument.name not in _arguments_of(reference):
        return _some([])
    known = (context.arguments if context else None) or {}
    return await run_sync(_answered, completer, current_call(), argument.value, known)


def _arguments_of(reference: Reference) -> frozenset[str]:
    if isinstance(reference, PromptReference):
        prompt = PROMPTS.get(reference.name)
        return frozenset(prompt.arguments.model_fields) if prompt else frozenset()
    resource = RESOURCES.get(reference.uri)
    return frozenset(resource.template.variable_names) if resource else frozenset()


Completer = Callable[[Call, str, Known], Completion]


def _answered(completer: Completer, call: Call, typed: str, known: Known) -> Completion:
    return run_for_protocol(call, Permission.READ, completer, typed=typed, known=known)


def _marketplace(call: Call, typed: str, known: Known) -> Completion:  # noqa: ARG001
    """Codes, and countries by name; those where something is followed first."""
    with read_scope() as session:
        used = list_marketplaces(session, call.principal, list(MARKETPLACES), ListScope.TEAM)
    begins = typed.strip().casefold()
    fitting = [
        place.code
        for place in MARKETPLACES.values()
        if place.code.casefold().startswith(begins) or place.name.casefold().startswith(begins)
    ]
    return _some(sorted(fitting, key=lambda code: code not in used))


def _asin(call: Call, typed: str, known: Known) -> Completion:
    place = find_by_name(known.get("marketplace", ""))
    with read_scope() as session:
        code = place.code if place else None
        found = complete_asin(session, call.principal, typed, code, MOST)
    asins = list(dict.fromkeys(asin for _, asin in found.products))
    return Completion(values=asins, total=found.total, has_more=found.has_more)


def _product(call: Call, typed: str, known: Known) -> Completion:  # noqa: ARG001
    with read_scope() as session:
        found = complete_name(session, call.principal, typed, MOST)
    names = [format_product_name(*product) for product in found.products]
    return Completion(values=names, total=found.total, has_more=found.has_more)


def _whose(call: Call, typed: str, known: Known) -> Completion:  # noqa: ARG001
    return _some([each.value for each in ListScope if each.value.startswith(typed.strip().lower())])


def _some(values: list[str]) -> Completion:
    return Completion(values=values[:MOST], total=len(values), has_more=len(values) > MOST)


_COMPLETERS: dict[str, Completer] = {
    "marketplace": _marketplace,
    "asin": _asin,
    "product": _product,
    "whose": _whose,
}
"""By the name of the argument, which means the same wherever it stands."""
