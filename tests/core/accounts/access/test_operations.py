"""The permissions of every operation of core, by role and by the scopes of a token.

A new operation fails here until the table below states the least role that it needs.
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
from core.accounts.access.operations import OPERATIONS
from core.accounts.access.permissions import Permission, Principal, Role, Scope
from core.errors import NotAllowedError

# Verb → the least role that may call it, and the scope a token needs; None: no token may.
LEAST: dict[str, tuple[Role, Scope | None]] = {
    "accounts.people.membership.count_members": (Role.VIEWER, Scope.READ),
    "alerts.charts.alert_marks.list_alert_marks": (Role.VIEWER, Scope.READ),
    "alerts.charts.moment.read_moment": (Role.VIEWER, Scope.READ),
    "alerts.incidents.queries.count_issues_at": (Role.VIEWER, Scope.READ),
    "alerts.incidents.source_outages.acknowledge_blocked_source": (Role.ADMIN, None),
    "backup.pause.begin_pause": (Role.ADMIN, None),
    "backup.pause.confirm_restore": (Role.ADMIN, None),
    "backup.pause.read_paused_work": (Role.ADMIN, None),
    "alerts.incidents.source_outages.list_blocked_sources": (Role.ADMIN, None),
    "history.changes.movers.list_extreme_movers": (Role.VIEWER, Scope.READ),
    "history.changes.period_changes.list_worst_changes": (Role.VIEWER, Scope.READ),
    "history.notes.queries.list_notes": (Role.VIEWER, Scope.READ),
    "history.notes.service.add_note": (Role.SELLER, Scope.ACT),
    "history.notes.service.change_note": (Role.SELLER, Scope.ACT),
    "history.notes.service.delete_note": (Role.SELLER, Scope.ACT),
    "history.periods.figures.list_changed_ids": (Role.VIEWER, Scope.READ),
    "history.periods.figures.list_figure_days": (Role.VIEWER, Scope.READ),
    "history.periods.figures.list_product_ids": (Role.VIEWER, Scope.READ),
    "history.periods.figures.read_period_figures": (Role.VIEWER, Scope.READ),
    "history.periods.queries.find_extremes": (Role.VIEWER, Scope.READ),
    "reports.closes.read_closes": (Role.VIEWER, Scope.READ),
    "reports.feed.feed_tokens.create_feed_token": (Role.VIEWER, None),
    "reports.feed.feed_tokens.find_token_time": (Role.VIEWER, None),
    "reports.feed.feed_tokens.revoke_feed_token": (Role.VIEWER, None),
    "reports.frozen.service.find_origin": (Role.VIEWER, Scope.READ),
    "reports.frozen.service.read_frozen_products": (Role.VIEWER, Scope.READ),
    "reports.frozen.service.record_file": (Role.VIEWER, Scope.READ),
    "reports.compute_report.compute_report": (Role.VIEWER, Scope.READ),
    "reports.service.keep_due_report": (Role.VIEWER, Scope.READ),
    "reports.service.keep_report": (Role.VIEWER, Scope.READ),
    "reports.service.list_reports": (Role.VIEWER, Scope.READ),
    "reports.service.list_subscriptions": (Role.VIEWER, None),
    "reports.service.open_report": (Role.VIEWER, Scope.READ),
    "reports.service.subscribe": (Role.VIEWER, None),
    "reports.service.unsubscribe": (Role.VIEWER, None),
    "suggestions.review.queries.count_pending": (Role.VIEWER, Scope.READ),
    "suggestions.review.queries.count_pending_at": (Role.VIEWER, Scope.READ),
    "suggestions.review.queries.count_priorities": (Role.VIEWER, Scope.READ),
    "suggestions.review.queries.list_applied_changes": (Role.VIEWER, Scope.READ),
    "suggestions.review.queries.list_verified": (Role.VIEWER, Scope.READ),
    "tracking.lists.freshness.find_last_observed": (Role.VIEWER, Scope.READ),
    "tracking.lists.queries.list_ids": (Role.VIEWER, Scope.READ),
    "tracking.lists.queries.read_rows": (Role.VIEWER, Scope.READ),
    "tracking.lists.quick_search.search_products": (Role.VIEWER, Scope.READ),
    "tracking.views.queries.list_views": (Role.VIEWER, Scope.READ),
    "tracking.views.queries.read_columns": (Role.VIEWER, None),
    "tracking.views.service.set_columns": (Role.VIEWER, None),
    "tracking.views.service.delete_view": (Role.SELLER, Scope.ACT),
    "tracking.views.service.save_view": (Role.SELLER, Scope.ACT),
    "accounts.access.api_tokens.create_api_token": (Role.VIEWER, None),
    "accounts.access.api_tokens.list_own_tokens": (Role.VIEWER, None),
    "accounts.access.api_tokens.revoke_team_token": (Role.ADMIN, None),
    "accounts.access.api_tokens.revoke_own_token": (Role.VIEWER, None),
    "accounts.access.api_tokens.list_team_tokens": (Role.ADMIN, None),
    "accounts.access.audit.list_events": (Role.ADMIN, None),
    "accounts.access.audit.list_event_verbs": (Role.ADMIN, None),
    "accounts.access.confirmation.mark_confirmed": (Role.VIEWER, None),
    "accounts.people.self_service.create_reset_link": (Role.ADMIN, None),
    "accounts.people.account_notices.mark_notices_read": (Role.VIEWER, None),
    "accounts.people.account_notices.list_notices": (Role.VIEWER, None),
    "accounts.people.profile.change_email": (Role.VIEWER, None),
    "accounts.people.profile.change_password": (Role.VIEWER, None),
    "accounts.people.profile.update_profile": (Role.VIEWER, None),
    "accounts.people.profile.get_profile": (Role.VIEWER, None),
    "accounts.people.profile.get_own_password_hash": (Role.VIEWER, None),
    "accounts.login.two_factor.start_two_factor_setup": (Role.VIEWER, None),
    "accounts.login.two_factor.confirm_two_factor_setup": (Role.VIEWER, None),
    "accounts.login.two_factor.count_recovery_codes": (Role.VIEWER, None),
    "accounts.login.two_factor.remove_two_factor": (Role.VIEWER, None),
    "accounts.login.two_factor.remove_member_two_factor": (Role.ADMIN, None),
    "accounts.login.two_factor.renew_recovery_codes": (Role.VIEWER, None),
    "accounts.people.membership.change_role": (Role.ADMIN, None),
    "accounts.people.membership.disable_member": (Role.ADMIN, None),
    "accounts.people.membership.enable_member": (Role.ADMIN, None),
    "accounts.people.membership.erase_member": (Role.ADMIN, None),
    "accounts.people.membership.invite_member": (Role.ADMIN, None),
    "accounts.people.membership.list_members": (Role.ADMIN, None),
    "accounts.people.membership.withdraw_invitation": (Role.ADMIN, None),
    "accounts.access.sessions.end_own_session": (Role.VIEWER, None),
    "accounts.access.sessions.end_other_sessions": (Role.VIEWER, None),
    "accounts.access.sessions.list_open_sessions": (Role.VIEWER, None),
    "accounts.access.sessions.mark_session_used": (Role.VIEWER, None),
    "accounts.access.team_settings.update_team_settings": (Role.ADMIN, None),
    "accounts.access.team_settings.get_team_settings": (Role.ADMIN, None),
    "agents.queries.list_calls": (Role.ADMIN, None),
    "agents.queries.count_calls": (Role.ADMIN, None),
    "connections.service.keep_secret": (Role.ADMIN, None),
    "connections.service.list_connections": (Role.ADMIN, None),
    "connections.service.remove_connection": (Role.ADMIN, None),
    "connections.service.save_connection": (Role.ADMIN, None),
    "connections.service.store_test": (Role.ADMIN, None),
    "alerts.incidents.queries.count_open_issues": (Role.VIEWER, Scope.READ),
    "alerts.incidents.queries.find_incidents": (Role.VIEWER, Scope.READ),
    "alerts.incidents.queries.find_open_issues": (Role.VIEWER, Scope.READ),
    "alerts.incidents.queries.find_unread": (Role.VIEWER, Scope.READ),
    "alerts.incidents.queries.count_unread": (Role.VIEWER, Scope.READ),
    "alerts.notifications.read_state.find_unread": (Role.VIEWER, Scope.READ),
    "alerts.notifications.read_state.mark_read": (Role.VIEWER, None),
    "alerts.notifications.read_state.mark_all_read": (Role.VIEWER, None),
    "alerts.incidents.queries.group_open_issues": (Role.VIEWER, Scope.READ),
    "alerts.rules.queries.get_rule": (Role.VIEWER, Scope.READ),
    "alerts.rules.queries.list_rules": (Role.VIEWER, Scope.READ),
    "alerts.rules.service.change_rule": (Role.MANAGER, None),
    "alerts.rules.service.create_rule": (Role.MANAGER, None),
    "alerts.rules.service.delete_rule": (Role.MANAGER, None),
    "alerts.rules.service.draft_rule": (Role.SELLER, Scope.PROPOSE),
    "alerts.rules.service.rename_rule": (Role.MANAGER, None),
    "alerts.rules.service.reset_rule": (Role.MANAGER, None),
    "alerts.rules.service.switch_rule": (Role.MANAGER, None),
    "alerts.incidents.rule_overview.list_rule_rows": (Role.VIEWER, Scope.READ),
    "alerts.incidents.rule_preview.preview_on_history": (Role.VIEWER, Scope.READ),
    "alerts.incidents.silences.add_silence": (Role.SELLER, Scope.ACT),
    "alerts.incidents.silences.end_silence": (Role.SELLER, Scope.ACT),
    "alerts.incidents.silences.list_silences": (Role.VIEWER, Scope.READ),
    "alerts.incidents.incident_events.list_incident_events": (Role.VIEWER, Scope.READ),
    "alerts.incidents.queries.find_incident": (Role.VIEWER, Scope.READ),
    "alerts.incidents.queries.list_incident_rows": (Role.VIEWER, Scope.READ),
    "alerts.delivery.channels.add_channel": (Role.VIEWER, None),
    "alerts.delivery.channels.list_channels": (Role.VIEWER, None),
    "alerts.delivery.channels.make_test": (Role.VIEWER, None),
    "alerts.delivery.channels.pause_own_channel": (Role.VIEWER, None),
    "alerts.delivery.channels.remove_channel": (Role.VIEWER, None),
    "alerts.delivery.channels.resume_channel": (Role.VIEWER, None),
    "alerts.delivery.channels.store_test": (Role.VIEWER, None),
    "alerts.delivery.delivery_log.list_messages": (Role.VIEWER, None),
    "alerts.notifications.preferences.get_delivery_settings": (Role.VIEWER, None),
    "alerts.notifications.preferences.list_modes": (Role.VIEWER, None),
    "alerts.notifications.preferences.list_rule_modes": (Role.VIEWER, None),
    "alerts.notifications.preferences.set_delivery_settings": (Role.VIEWER, None),
    "alerts.notifications.preferences.set_mode": (Role.VIEWER, None),
    "alerts.notifications.preferences.set_rule_mode": (Role.VIEWER, None),
    "alerts.notifications.message_preview.preview_messages": (Role.VIEWER, Scope.READ),
    "alerts.notifications.recipients.read_choices": (Role.VIEWER, Scope.READ),
    "alerts.explanation.explain_delivery.explain_delivery": (Role.VIEWER, Scope.READ),
    "alerts.incidents.service.assign_incidents": (Role.SELLER, Scope.ACT),
    "alerts.incidents.service.comment_incident": (Role.SELLER, Scope.ACT),
    "alerts.incidents.service.list_assignees": (Role.VIEWER, Scope.READ),
    "alerts.incidents.service.reopen_incidents": (Role.SELLER, Scope.ACT),
    "alerts.incidents.service.resolve_incidents": (Role.SELLER, Scope.ACT),
    "alerts.incidents.service.acknowledge_incidents": (Role.SELLER, Scope.ACT),
    "alerts.incidents.service.end_snooze": (Role.SELLER, Scope.ACT),
    "alerts.incidents.service.snooze_incidents": (Role.SELLER, Scope.ACT),
    "alerts.incidents.service.unacknowledge_incidents": (Role.SELLER, Scope.ACT),
    "demo.seed.remove_demo": (Role.ADMIN, None),
    "history.changes.feed.find_changes": (Role.VIEWER, Scope.READ),
    "history.changes.listing_changes.listing_diffs": (Role.VIEWER, Scope.READ),
    "history.changes.period_changes.compare_with_close": (Role.VIEWER, Scope.READ),
    "history.changes.period_changes.list_by_value": (Role.VIEWER, Scope.READ),
    "history.changes.period_changes.read_period_details": (Role.VIEWER, Scope.READ),
    "history.periods.queries.find_movers": (Role.VIEWER, Scope.READ),
    "history.periods.queries.list_change_counts": (Role.VIEWER, Scope.READ),
    "history.periods.queries.list_index_days": (Role.VIEWER, Scope.READ),
    "history.provenance.queries.find_origin": (Role.VIEWER, Scope.READ),
    "history.provenance.queries.find_origin_of_snapshot": (Role.VIEWER, Scope.READ),
    "history.provenance.queries.find_origin_of_value": (Role.VIEWER, Scope.READ),
    "history.product_summary.find_product_summary": (Role.VIEWER, Scope.READ),
    "history.current.sub_ranks.newest_ranks": (Role.VIEWER, Scope.READ),
    "importing.queries.list_imports": (Role.VIEWER, Scope.READ),
    "importing.queries.find_import": (Role.VIEWER, Scope.READ),
    "importing.queries.find_only_product": (Role.VIEWER, Scope.READ),
    "importing.queries.export_row_results": (Role.VIEWER, Scope.READ),
    "importing.queries.count_row_results": (Role.VIEWER, Scope.READ),
    "importing.queries.list_row_results": (Role.VIEWER, Scope.READ),
    "importing.service.confirm_import": (Role.SELLER, Scope.ACT),
    "importing.service.discard_import": (Role.SELLER, Scope.ACT),
    "importing.service.find_earlier_import": (Role.VIEWER, Scope.READ),
    "importing.service.get_import": (Role.VIEWER, Scope.READ),
    "importing.service.offer_import": (Role.SELLER, Scope.ACT),
    "importing.store_rows.store_chunk": (Role.SELLER, Scope.ACT),
    "scraping.runs.status.list_product_runs": (Role.VIEWER, Scope.READ),
    "scraping.runs.status.find_current_schedule": (Role.VIEWER, Scope.READ),
    "suggestions.advice_queue.service.request_advice": (Role.SELLER, Scope.ACT),
    "suggestions.llm.daily_stats.get_model_day": (Role.VIEWER, Scope.READ),
    "suggestions.execution.apply.undo": (Role.MANAGER, None),
    "history.current.competitor_values.list_competitors": (Role.VIEWER, Scope.READ),
    "tracking.competitors.queries.list_own_products": (Role.VIEWER, Scope.READ),
    "tracking.price_caps.queries.get_price_caps": (Role.VIEWER, Scope.READ),
    "history.current.competitor_values.compare_competitors": (Role.VIEWER, Scope.READ),
    "tracking.competitors.service.add_competitor": (Role.SELLER, Scope.ACT),
    "tracking.competitors.service.remove_competitor": (Role.SELLER, Scope.ACT),
    "tracking.price_caps.service.set_price_cap": (Role.MANAGER, None),
    "suggestions.proposals.propose.get_citable_facts": (Role.VIEWER, Scope.READ),
    "suggestions.proposals.propose.propose_by_name": (Role.SELLER, Scope.PROPOSE),
    "suggestions.proposals.propose.propose": (Role.SELLER, Scope.PROPOSE),
    "suggestions.proposals.add_action.add_action": (Role.SELLER, Scope.PROPOSE),
    "suggestions.execution.export.export_change_set": (Role.SELLER, Scope.ACT),
    "suggestions.advice_queue.queries.list_advisor_answers": (Role.VIEWER, Scope.READ),
    "suggestions.review.queries.find_place": (Role.VIEWER, Scope.READ),
    "suggestions.review.queries.find_suggestion": (Role.VIEWER, Scope.READ),
    "suggestions.review.queries.find_first_pending": (Role.VIEWER, Scope.READ),
    "suggestions.advice_queue.queries.get_advice_progress": (Role.VIEWER, Scope.READ),
    "suggestions.review.queries.list_product_suggestions": (Role.VIEWER, Scope.READ),
    "suggestions.advice_queue.queries.list_own_product_ids": (Role.VIEWER, Scope.READ),
    "suggestions.review.queries.read_queue": (Role.VIEWER, Scope.READ),
    "suggestions.review.queries.read_queue_after": (Role.VIEWER, Scope.READ),
    "suggestions.review.queries.list_events": (Role.VIEWER, Scope.READ),
    "suggestions.review.service.approve": (Role.MANAGER, None),
    "suggestions.review.service.approve_all": (Role.MANAGER, None),
    "suggestions.review.service.approve_many": (Role.MANAGER, None),
    "suggestions.review.service.decline": (Role.MANAGER, None),
    "suggestions.review.service.decline_all": (Role.MANAGER, None),
    "suggestions.review.service.decline_many": (Role.MANAGER, None),
    "suggestions.review.service.set_second_approver": (Role.ADMIN, None),
    "tracking.bulk_operations.change_named": (Role.SELLER, Scope.ACT),
    "tracking.bulk_operations.refresh_named": (Role.SELLER, Scope.ACT),
    "tracking.bulk_operations.set_running_named": (Role.SELLER, Scope.ACT),
    "tracking.bulk_operations.track_named": (Role.SELLER, Scope.ACT),
    "tracking.lists.autocomplete.complete_asin": (Role.VIEWER, Scope.READ),
    "tracking.lists.autocomplete.complete_name": (Role.VIEWER, Scope.READ),
    "tracking.lists.freshness.measure_freshness": (Role.VIEWER, Scope.READ),
    "tracking.product_reference.find_product_reference": (Role.VIEWER, Scope.READ),
    "tracking.lists.queries.count_products": (Role.VIEWER, Scope.READ),
    "tracking.lists.queries.find_products": (Role.VIEWER, Scope.READ),
    "tracking.lists.queries.find_rows": (Role.VIEWER, Scope.READ),
    "tracking.lists.queries.tracks_anything": (Role.VIEWER, Scope.READ),
    "tracking.lists.queries.list_marketplaces": (Role.VIEWER, Scope.READ),
    "tracking.lists.queries.list_tags": (Role.VIEWER, Scope.READ),
    "tracking.sellers.queries.list_own_sellers": (Role.VIEWER, Scope.READ),
    "tracking.sellers.queries.list_seen_sellers": (Role.VIEWER, Scope.READ),
    "tracking.sellers.service.add_own_seller": (Role.ADMIN, None),
    "tracking.sellers.service.remove_own_seller": (Role.ADMIN, None),
    "tracking.service.add_tags": (Role.SELLER, Scope.ACT),
    "tracking.service.track": (Role.SELLER, Scope.ACT),
    "tracking.service.pause": (Role.SELLER, Scope.ACT),
    "tracking.service.request_checks": (Role.SELLER, Scope.ACT),
    "tracking.service.resume": (Role.SELLER, Scope.ACT),
    "tracking.service.stop_tracking": (Role.SELLER, Scope.ACT),
    "tracking.settings.change_settings": (Role.SELLER, Scope.ACT),
    "tracking.settings.patch_settings": (Role.SELLER, Scope.ACT),
    "tracking.team_tracking.pause_for_team": (Role.MANAGER, None),
    "tracking.team_tracking.resume_for_team": (Role.MANAGER, None),
    "tracking.team_tracking.set_cadence": (Role.MANAGER, None),
    "tracking.team_tracking.set_threshold": (Role.MANAGER, None),
    "upkeep.fetch_blockers.find_blockers": (Role.VIEWER, Scope.READ),
}
# What takes who acts and is no verb: it checks, writes down what a verb did, or words its question.
NO_VERBS = {
    # They read through verbs.
    "reports.paragraph.ask.ask_paragraph",
    "alerts.charts.rule_trial.read_trial",
    "history.current.list_export.list_ids",
    "history.current.list_export.read_batches",
    "history.notes.service.may_change",
    "demo.seed.name_own_sellers",
    "agents.access_log.begin_call",
    "agents.idempotency.find_response",
    "agents.idempotency.save_response",
    "alerts.incidents.incident_events.record_events",
    "accounts.access.audit.record",
    "accounts.access.audit.record_bulk",
    "accounts.access.confirmation.require_confirmed",
    "accounts.access.refusals.record_refusal",
    "accounts.access.permissions.require_permission",
    "tracking.list_filter.default_list_scope",
    "suggestions.lifecycle.require_page",
    "tracking.product_reference.resolve_product",
    "tracking.lists.list_filter_sql.make_filter_sql",
    "tracking.lists.list_filter_sql.scope_values",
    "tracking.editable_rows.find_own_rows",
    "tracking.editable_rows.lock_editable_row",
    "tracking.editable_rows.editable_conditions",
    "tracking.tracking_status.find_tracking_status",
}
ROLES = list(Role)
SCOPES = [frozenset(some) for size in range(4) for some in combinations(Scope, size)]


@pytest.fixture(autouse=True)
def noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was refused: kept here, since these tests have no database."""
    names: list[str] = []
    monkeypatch.setattr(refusals, "record_refusal", lambda _acting, name: names.append(name))
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
    """Every public function of core that takes a principal, by its name below core."""
    for module in pkgutil.walk_packages(core.__path__, "core."):
        if ".migrations" in module.name:
            continue
        loaded = importlib.import_module(module.name)
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            is_here = function.__module__ == module.name and not name.startswith("_")
            if is_here and Principal in annotations(function).values():
                yield f"{module.name}.{name}".removeprefix("core."), function


OPERATIONS_OF_PRINCIPALS = {
    name: function
    for name, function in functions()
    if annotations(function).get("return") is not Principal
}


def call(
    name: str,
    role: Role,
    scopes: frozenset[Scope] | None = None,
    *,
    needs_second_factor: bool = False,
) -> None:
    """Call an operation with a principal alone; raises NotAllowedError when that is refused."""
    principal = Principal(
        1, 1, "Somebody", "UTC", role, scopes=scopes, needs_second_factor=needs_second_factor
    )
    try:
        OPERATIONS_OF_PRINCIPALS[name](Untouched(), principal)
    except (TypeError, AssertionError):
        return  # it went past the check, and then missed its other arguments or the session


def test_every_function_that_takes_a_principal_is_an_operation() -> None:
    named = {name.removeprefix("core.") for name in OPERATIONS}
    assert set(OPERATIONS_OF_PRINCIPALS) - NO_VERBS == named


def test_every_verb_has_an_entry_in_the_table() -> None:
    missing = {name.removeprefix("core.") for name in OPERATIONS} - set(LEAST)
    assert missing == set(), "Decide who may call these, and write it into LEAST."
    assert set(LEAST) - set(OPERATIONS_OF_PRINCIPALS) == set(), "These are no verbs any more."


def find_refusal(
    name: str, role: Role, scopes: frozenset[Scope] | None = None, **more: bool
) -> str | None:
    """Return with which words a call is refused; None: it is let through."""
    try:
        call(name, role, scopes, **more)
    except NotAllowedError as error:
        return str(error)
    return None


def is_expected(words: str | None, expected: str | None) -> bool:
    """Return whether a refusal has the expected words; None stands for no refusal."""
    return words is None if expected is None else expected in (words or "").lower()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_let_through_or_refused_before_anything_else(role: Role) -> None:
    wrong = {}
    for name, (least, _) in LEAST.items():
        words = find_refusal(name, role)
        if not is_expected(
            words,
            None if ROLES.index(role) >= ROLES.index(least) else f"requires the role {least.value}",
        ):
            wrong[name] = words
    assert wrong == {}


def test_a_refusal_is_noted_and_what_is_let_through_is_not(noted: list[str]) -> None:
    call("accounts.people.membership.list_members", Role.ADMIN)
    assert noted == []
    with pytest.raises(NotAllowedError):
        call("accounts.people.membership.list_members", Role.MANAGER)
    assert noted == ["accounts.people.membership.list_members"]


def test_without_the_second_factor_that_is_required_only_ones_own_is_there() -> None:
    wrong = {}
    for name in LEAST:
        is_own = OPERATIONS[f"core.{name}"] is Permission.SELF
        words = find_refusal(name, Role.ADMIN, needs_second_factor=True)
        if not is_expected(words, None if is_own else "two-factor authentication"):
            wrong[name] = words
    assert wrong == {}


@pytest.mark.parametrize("scopes", SCOPES, ids=lambda scopes: "+".join(sorted(scopes)) or "none")
def test_a_token_is_let_through_by_its_scope_or_refused(scopes: frozenset[Scope]) -> None:
    wrong = {}
    for name, (_, needed) in LEAST.items():
        words = find_refusal(name, Role.ADMIN, scopes)
        if not is_expected(words, None if needed in scopes else "token"):
            wrong[name] = words
    assert wrong == {}


@pytest.mark.parametrize("role", ROLES)
def test_a_token_with_all_scopes_does_no_more_than_its_owner(role: Role) -> None:
    beyond = [name for name, (least, _) in LEAST.items() if ROLES.index(role) < ROLES.index(least)]
    assert [name for name in beyond if not find_refusal(name, role, frozenset(Scope))] == []
