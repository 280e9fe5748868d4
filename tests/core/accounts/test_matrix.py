"""Who may call what: every verb of core by role, and by the scopes of a token.

A verb that is new has no entry in the table below, and the test says so: decide who
may call it, and write it down.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest

import core
from core.accounts.access import refusals
from core.accounts.access.operations import VERBS
from core.accounts.access.permissions import Acting, Right, Role, Scope
from core.errors import NotAllowedError

# Verb → the least role that may call it, and the scope a token needs; None: no token may.
LEAST: dict[str, tuple[Role, Scope | None]] = {
    "accounts.api_tokens.make_api_token": (Role.VIEWER, None),
    "accounts.api_tokens.own_tokens": (Role.VIEWER, None),
    "accounts.api_tokens.revoke_any": (Role.ADMIN, None),
    "accounts.api_tokens.revoke_own": (Role.VIEWER, None),
    "accounts.api_tokens.team_tokens": (Role.ADMIN, None),
    "accounts.audit.events": (Role.ADMIN, None),
    "accounts.audit.kinds_of_events": (Role.ADMIN, None),
    "accounts.confirmation.mark_confirmed": (Role.VIEWER, None),
    "accounts.mailed.make_reset_link": (Role.ADMIN, None),
    "accounts.notices.count_unread": (Role.VIEWER, None),
    "accounts.notices.mark_read": (Role.VIEWER, None),
    "accounts.notices.newest": (Role.VIEWER, None),
    "accounts.profile.change_mail": (Role.VIEWER, None),
    "accounts.profile.change_password": (Role.VIEWER, None),
    "accounts.profile.change_profile": (Role.VIEWER, None),
    "accounts.profile.get_profile": (Role.VIEWER, None),
    "accounts.profile.own_password_hash": (Role.VIEWER, None),
    "accounts.second_factor.begin_second_factor": (Role.VIEWER, None),
    "accounts.second_factor.confirm_second_factor": (Role.VIEWER, None),
    "accounts.second_factor.recovery_codes_left": (Role.VIEWER, None),
    "accounts.second_factor.remove_second_factor": (Role.VIEWER, None),
    "accounts.second_factor.remove_second_factor_of": (Role.ADMIN, None),
    "accounts.second_factor.renew_recovery_codes": (Role.VIEWER, None),
    "accounts.service.change_role": (Role.ADMIN, None),
    "accounts.service.disable": (Role.ADMIN, None),
    "accounts.service.enable": (Role.ADMIN, None),
    "accounts.service.erase": (Role.ADMIN, None),
    "accounts.service.invite": (Role.ADMIN, None),
    "accounts.service.members": (Role.ADMIN, None),
    "accounts.service.withdraw_invitation": (Role.ADMIN, None),
    "accounts.sessions.end_one": (Role.VIEWER, None),
    "accounts.sessions.end_others": (Role.VIEWER, None),
    "accounts.sessions.open_sign_ins": (Role.VIEWER, None),
    "accounts.sessions.touch": (Role.VIEWER, None),
    "accounts.team_settings.change_team_settings": (Role.ADMIN, None),
    "accounts.team_settings.get_team_settings": (Role.ADMIN, None),
    "agents.queries.agent_calls": (Role.ADMIN, None),
    "agents.queries.call_counts": (Role.ADMIN, None),
    "demo.load.remove_demo": (Role.ADMIN, None),
    "history.changes.find_changes": (Role.VIEWER, Scope.READ),
    "history.listing_moves.listing_diffs": (Role.VIEWER, Scope.READ),
    "history.origins.find_origin": (Role.VIEWER, Scope.READ),
    "history.origins.find_origin_of_look": (Role.VIEWER, Scope.READ),
    "history.origins.find_origin_of_value": (Role.VIEWER, Scope.READ),
    "history.product_head.find_product_head": (Role.VIEWER, Scope.READ),
    "history.ranks.newest_ranks": (Role.VIEWER, Scope.READ),
    "importing.queries.earlier_imports": (Role.VIEWER, Scope.READ),
    "importing.queries.find_import": (Role.VIEWER, Scope.READ),
    "importing.queries.only_product": (Role.VIEWER, Scope.READ),
    "importing.queries.verdict_csv": (Role.VIEWER, Scope.READ),
    "importing.queries.verdict_groups": (Role.VIEWER, Scope.READ),
    "importing.queries.verdict_rows": (Role.VIEWER, Scope.READ),
    "importing.service.confirm": (Role.SELLER, Scope.ACT),
    "importing.service.discard": (Role.SELLER, Scope.ACT),
    "importing.service.find_earlier": (Role.VIEWER, Scope.READ),
    "importing.service.get_import": (Role.VIEWER, Scope.READ),
    "importing.service.latest_imports": (Role.VIEWER, Scope.READ),
    "importing.service.offer": (Role.SELLER, Scope.ACT),
    "importing.storing.store_chunk": (Role.SELLER, Scope.ACT),
    "scraping.status.runs_of": (Role.VIEWER, Scope.READ),
    "scraping.status.schedule_now": (Role.VIEWER, Scope.READ),
    "suggestions.advising.advice_progress": (Role.VIEWER, Scope.READ),
    "suggestions.advising.request_advice": (Role.SELLER, Scope.ACT),
    "suggestions.model_day.model_day": (Role.VIEWER, Scope.READ),
    "suggestions.applying.undo": (Role.MANAGER, None),
    "suggestions.competitor_queries.competitors_of": (Role.VIEWER, Scope.READ),
    "suggestions.competitor_queries.own_products_in": (Role.VIEWER, Scope.READ),
    "suggestions.competitor_queries.price_caps_of": (Role.VIEWER, Scope.READ),
    "suggestions.contenders.contenders": (Role.VIEWER, Scope.READ),
    "suggestions.competitors.add_competitor": (Role.SELLER, Scope.ACT),
    "suggestions.competitors.remove_competitor": (Role.SELLER, Scope.ACT),
    "suggestions.competitors.set_price_cap": (Role.MANAGER, None),
    "suggestions.drafting.citable": (Role.VIEWER, Scope.READ),
    "suggestions.drafting.propose_by_name": (Role.SELLER, Scope.PROPOSE),
    "suggestions.drafting.propose": (Role.SELLER, Scope.PROPOSE),
    "suggestions.extending.add_action": (Role.SELLER, Scope.PROPOSE),
    "suggestions.handover.change_set": (Role.SELLER, Scope.ACT),
    "suggestions.advice_queries.answers_since": (Role.VIEWER, Scope.READ),
    "suggestions.queries.find_place": (Role.VIEWER, Scope.READ),
    "suggestions.queries.find_suggestion": (Role.VIEWER, Scope.READ),
    "suggestions.queries.first_waiting": (Role.VIEWER, Scope.READ),
    "suggestions.advice_queries.how_far": (Role.VIEWER, Scope.READ),
    "suggestions.queries.of_product": (Role.VIEWER, Scope.READ),
    "suggestions.advice_queries.own_products": (Role.VIEWER, Scope.READ),
    "suggestions.queries.queue": (Role.VIEWER, Scope.READ),
    "suggestions.queries.queue_after": (Role.VIEWER, Scope.READ),
    "suggestions.queries.time_line": (Role.VIEWER, Scope.READ),
    "suggestions.service.approve": (Role.MANAGER, None),
    "suggestions.service.approve_all": (Role.MANAGER, None),
    "suggestions.service.approve_many": (Role.MANAGER, None),
    "suggestions.service.decline": (Role.MANAGER, None),
    "suggestions.service.decline_all": (Role.MANAGER, None),
    "suggestions.service.decline_many": (Role.MANAGER, None),
    "suggestions.service.set_four_eyes": (Role.ADMIN, None),
    "tracking.by_name.change_named": (Role.SELLER, Scope.ACT),
    "tracking.by_name.refresh_named": (Role.SELLER, Scope.ACT),
    "tracking.by_name.set_running_named": (Role.SELLER, Scope.ACT),
    "tracking.by_name.track_named": (Role.SELLER, Scope.ACT),
    "tracking.completion.complete_asin": (Role.VIEWER, Scope.READ),
    "tracking.completion.complete_name": (Role.VIEWER, Scope.READ),
    "tracking.counts.freshness": (Role.VIEWER, Scope.READ),
    "tracking.naming.get_named": (Role.VIEWER, Scope.READ),
    "tracking.queries.count_products": (Role.VIEWER, Scope.READ),
    "tracking.queries.find_products": (Role.VIEWER, Scope.READ),
    "tracking.queries.find_rows": (Role.VIEWER, Scope.READ),
    "tracking.queries.follows_anything": (Role.VIEWER, Scope.READ),
    "tracking.queries.marketplaces_followed": (Role.VIEWER, Scope.READ),
    "tracking.queries.tags_used": (Role.VIEWER, Scope.READ),
    "tracking.service.add_tags": (Role.SELLER, Scope.ACT),
    "tracking.service.follow": (Role.SELLER, Scope.ACT),
    "tracking.service.pause": (Role.SELLER, Scope.ACT),
    "tracking.service.request_refresh": (Role.SELLER, Scope.ACT),
    "tracking.service.resume": (Role.SELLER, Scope.ACT),
    "tracking.service.unfollow": (Role.SELLER, Scope.ACT),
    "tracking.settings.change_settings": (Role.SELLER, Scope.ACT),
    "tracking.settings.change_some": (Role.SELLER, Scope.ACT),
    "tracking.team.pause_everybody": (Role.MANAGER, None),
    "tracking.team.resume_for": (Role.MANAGER, None),
    "tracking.team.set_cadence": (Role.MANAGER, None),
    "tracking.team.set_threshold": (Role.MANAGER, None),
    "upkeep.fetching.hindrances": (Role.VIEWER, Scope.READ),
}
# What takes who acts and is no verb: it checks, writes down what a verb did, or words its question.
NO_VERBS = {
    "agents.service.begin_call",
    "agents.service.earlier_answer",
    "agents.service.keep_answer",
    "accounts.audit.note",
    "accounts.audit.note_many",
    "accounts.confirmation.require_confirmed",
    "accounts.refusals.note_refused",
    "accounts.rules.require",
    "suggestions.steps.require_page",
    "tracking.naming.named",
    "tracking.narrowing.narrow",
    "tracking.narrowing.scope_values",
    "tracking.rows.own_of",
    "tracking.rows.row_to_change",
    "tracking.rows.rows_of",
    "tracking.standing.standings_of",
}
ROLES = list(Role)
SCOPES = [frozenset(some) for size in range(4) for some in combinations(Scope, size)]


@pytest.fixture(autouse=True)
def noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was refused: kept here, since these tests have no database."""
    names: list[str] = []
    monkeypatch.setattr(refusals, "note_refused", lambda _acting, name: names.append(name))
    return names


class Untouched:
    """A session that nothing may ask anything of."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"The session was asked for {name} before the right was checked.")


def annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function takes and returns; a type that is only there for mypy stays a word."""
    found = inspect.get_annotations(function)
    known = function.__globals__
    return {
        name: known.get(kind, kind) if isinstance(kind, str) else kind
        for name, kind in found.items()
    }


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function of core that is told who acts, by its name below core."""
    for module in pkgutil.walk_packages(core.__path__, "core."):
        if ".migrations" in module.name:
            continue
        loaded = importlib.import_module(module.name)
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            is_here = function.__module__ == module.name and not name.startswith("_")
            if is_here and Acting in annotations(function).values():
                yield f"{module.name}.{name}".removeprefix("core."), function


TOLD_WHO_ACTS = {
    name: function
    for name, function in functions()
    if annotations(function).get("return") is not Acting
}


def call(
    name: str,
    role: Role,
    scopes: frozenset[Scope] | None = None,
    *,
    needs_second_factor: bool = False,
) -> None:
    """Call a verb with nothing but who acts; raises NotAllowedError when that is refused."""
    acting = Acting(
        1, 1, "Somebody", "UTC", role, scopes=scopes, needs_second_factor=needs_second_factor
    )
    try:
        TOLD_WHO_ACTS[name](Untouched(), acting)
    except (TypeError, AssertionError):
        return  # it went past the check, and then missed its other arguments or the session


def test_every_function_that_is_told_who_acts_is_a_verb() -> None:
    named = {name.removeprefix("core.") for name in VERBS}
    assert set(TOLD_WHO_ACTS) - NO_VERBS == named


def test_every_verb_has_an_entry_in_the_table() -> None:
    missing = {name.removeprefix("core.") for name in VERBS} - set(LEAST)
    assert missing == set(), "Decide who may call these, and write it into LEAST."
    assert set(LEAST) - set(TOLD_WHO_ACTS) == set(), "These are no verbs any more."


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_let_through_or_refused_before_anything_else(name: str, role: Role) -> None:
    least, _ = LEAST[name]
    if ROLES.index(role) >= ROLES.index(least):
        call(name, role)
    else:
        with pytest.raises(NotAllowedError, match=f"takes the role {least.value}"):
            call(name, role)


def test_a_refusal_is_noted_and_what_is_let_through_is_not(noted: list[str]) -> None:
    call("accounts.service.members", Role.ADMIN)
    assert noted == []
    with pytest.raises(NotAllowedError):
        call("accounts.service.members", Role.MANAGER)
    assert noted == ["accounts.service.members"]


@pytest.mark.parametrize("name", LEAST)
def test_without_the_second_factor_that_is_required_only_ones_own_is_there(name: str) -> None:
    right = VERBS[f"core.{name}"]
    if right is Right.SELF:
        call(name, Role.ADMIN, needs_second_factor=True)
    else:
        with pytest.raises(NotAllowedError, match="two-factor authentication"):
            call(name, Role.ADMIN, needs_second_factor=True)


@pytest.mark.parametrize("name", LEAST)
@pytest.mark.parametrize("scopes", SCOPES, ids=lambda scopes: "+".join(sorted(scopes)) or "none")
def test_a_token_is_let_through_by_its_scope_or_refused(
    name: str, scopes: frozenset[Scope]
) -> None:
    _, needed = LEAST[name]
    if needed in scopes:
        call(name, Role.ADMIN, scopes)
    else:
        with pytest.raises(NotAllowedError, match="token"):
            call(name, Role.ADMIN, scopes)


@pytest.mark.parametrize("name", LEAST)
def test_a_token_with_all_scopes_does_no_more_than_its_owner(name: str) -> None:
    least, _ = LEAST[name]
    for role in ROLES[: ROLES.index(least)]:
        with pytest.raises(NotAllowedError):
            call(name, role, frozenset(Scope))
