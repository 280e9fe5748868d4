"""Which tool takes which role and scope; a generated matrix over every tool there is.

A new tool fails here until the table below states who may call it.
"""

import ast
from itertools import product as pairs
from pathlib import Path

import pytest
from mcp_types import CallToolResult
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role, Scope, Via
from core.errors import NotAllowedError
from core.suggestions.execution import apply
from core.suggestions.review import service as suggestions
from core.tracking.price_caps import service as price_caps
from core.tracking.price_caps.service import set_price_cap
from mcp_server.protocol.tools import TOOLS
from mcp_server.server import make_server
from tests.factories.observations import NOW
from tests.factories.suggestions import new_cadence, only_action, own_lamp, suggest
from tests.mcp_server.conftest import client_of, words_of
from tests.mcp_server.fixed_caller import FixedCaller

READS = (Role.VIEWER, Scope.READ)
PROPOSES = (Role.SELLER, Scope.PROPOSE)
ACTS = (Role.SELLER, Scope.ACT)
# Tool → the least role of the token's owner, and the scope that the token needs.
LEAST: dict[str, tuple[Role, Scope]] = {
    "acknowledge_incidents": ACTS,
    "add_suggestion_action": PROPOSES,
    "compare_products": READS,
    "create_rule": PROPOSES,
    "create_suggestion": PROPOSES,
    "explain_value": READS,
    "get_bsr_history": READS,
    "get_buy_box_history": READS,
    "get_competitor_analysis": READS,
    "get_daily_report": READS,
    "get_fetch_status": READS,
    "get_incident": READS,
    "get_my_products": READS,
    "get_price_history": READS,
    "get_product_details": READS,
    "get_rating_history": READS,
    "get_statistics": READS,
    "get_suggestion": READS,
    "get_suggestion_evidence": READS,
    "list_alert_rules": READS,
    "list_changes": READS,
    "get_change_trend": READS,
    "list_open_issues": READS,
    "list_suggestions": READS,
    "preview_rule": READS,
    "propose_content_improvement": PROPOSES,
    "propose_price_optimization": PROPOSES,
    "propose_tracking_adjustment": PROPOSES,
    "search_products": READS,
    "snooze_incidents": ACTS,
    "toggle_product_tracking": ACTS,
    "track_products": ACTS,
    "trigger_product_refresh": ACTS,
    "update_alert_thresholds": ACTS,
    "update_tracking_settings": ACTS,
}
# What decides on a suggestion or carries one out. No tool does; a person at a page does.
DECIDING = {
    suggestions: {
        "approve",
        "approve_all",
        "approve_many",
        "decline",
        "decline_all",
        "decline_many",
        "set_second_approver",
    },
    apply: {"undo", *(name for name in dir(apply) if name.startswith("apply"))},
    price_caps: {"set_price_cap"},
}
ROLES = list(Role)
TOKENS = [(role, scope) for role, scope in pairs(Role, [None, *Scope])]


def called(tool: str, role: Role, scopes: frozenset[Scope]) -> CallToolResult:
    """Call a tool without arguments, in a role, with a token of these scopes."""
    principal = Principal(1, 1, "Somebody", "UTC", role, via=Via.TOOL, scopes=scopes)
    return client_of(make_server(FixedCaller(principal)), lambda client: client.call_tool(tool, {}))


def test_every_tool_has_an_entry_in_the_table() -> None:
    assert set(TOOLS) - set(LEAST) == set(), "Decide who may call these, and write it into LEAST."
    assert set(LEAST) - set(TOOLS) == set(), "These are no tools any more."


@pytest.mark.parametrize("tool", LEAST)
def test_a_tool_declares_what_the_table_states(tool: str) -> None:
    declared = TOOLS[tool]
    assert (declared.minimum_role, declared.scope) == LEAST[tool]
    assert declared.annotations.read_only_hint is (LEAST[tool][1] is Scope.READ)


@pytest.mark.parametrize("tool", LEAST)
def test_a_token_is_accepted_by_role_and_scope_or_refused_with_the_missing_one(
    session: Session,
    tool: str,
) -> None:
    least, needed = LEAST[tool]
    for role, scope in TOKENS:
        result = called(tool, role, frozenset({scope} - {None}))  # type: ignore[arg-type]
        message = words_of(result)
        if ROLES.index(role) < ROLES.index(least):
            assert result.is_error
            assert f"requires the role {least.value}; yours is {role.value}" in message
        elif scope is not needed:
            assert result.is_error
            assert f"lacks the scope {needed.value}" in message
        else:
            assert "requires the role" not in message
            assert "lacks the scope" not in message


# No tool approves or applies


def names_in(path: Path) -> set[str]:
    """Return every name that a module imports, calls or reaches for."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def test_no_tool_reaches_for_what_decides() -> None:
    forbidden = set().union(*DECIDING.values())
    for path in Path("mcp_server").rglob("*.py"):
        assert names_in(path) & forbidden == set(), path


def test_the_list_of_what_decides_is_whole() -> None:
    for module, names in DECIDING.items():
        assert {name for name in names if not hasattr(module, name)} == set()
    known = {name for name in dir(suggestions) if name.startswith(("appr", "decl", "set_"))}
    assert known <= DECIDING[suggestions]


@pytest.mark.parametrize("scopes", [None, frozenset(Scope)], ids=["none", "all"])
def test_a_tool_that_reached_it_would_be_refused(
    session: Session, principal: Principal, scopes: frozenset[Scope] | None
) -> None:
    product = own_lamp(session, principal)
    number = suggest(session, principal, new_cadence(), now=NOW)
    action = only_action(session, number).id
    tool = Principal(
        principal.person_id,
        principal.team_id,
        "A",
        "UTC",
        Role.ADMIN,
        via=Via.TOOL,
        scopes=scopes,
    )
    refused = [
        lambda: suggestions.approve(session, tool, action, NOW),
        lambda: suggestions.approve_all(session, tool, number, NOW),
        lambda: suggestions.approve_many(session, tool, [number], NOW),
    ]
    if scopes is not None:
        refused += [
            lambda: suggestions.decline(session, tool, action, NOW, "No"),
            lambda: suggestions.decline_all(session, tool, number, NOW, "No"),
            lambda: suggestions.decline_many(session, tool, [number], NOW, "No"),
            lambda: apply.undo(session, tool, action, NOW),
            lambda: suggestions.set_second_approver(session, tool, False),
            lambda: set_price_cap(session, tool, product, None),  # type: ignore[arg-type]
        ]
    for verb in refused:
        with pytest.raises(NotAllowedError):
            verb()
    assert only_action(session, number).state == "pending"
