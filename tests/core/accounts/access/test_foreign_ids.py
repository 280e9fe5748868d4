"""Ids of what is other people's: every verb that takes one finds nothing there."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access import api_tokens, audit, sessions
from core.accounts.access.permissions import Principal, Role, Scope
from core.accounts.login import two_factor
from core.accounts.models import ApiToken, SignIn
from core.accounts.people import membership
from core.agents import queries as agent_queries
from core.agents.access_log import CallRequest, begin_call
from core.agents.rules import CallLimit
from core.alerts.charts.alert_marks import list_alert_marks
from core.alerts.delivery import channels
from core.alerts.explanation.explain_delivery import explain_delivery
from core.alerts.incidents import queries as incident_queries
from core.alerts.incidents import service as incidents
from core.alerts.incidents import silences
from core.alerts.incidents.incident_events import list_incident_events
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.incidents.silences import SilenceRequest
from core.alerts.notifications import preferences
from core.alerts.notifications.policy import Mode
from core.alerts.rules import queries as rule_queries
from core.alerts.rules import service as rules
from core.delivery.outcome import Attempt, Outcome
from core.errors import NotFoundError
from core.history.current.competitor_values import compare_competitors, list_competitors
from core.history.notes import service as notes
from core.history.notes.queries import list_notes
from core.importing import queries as imports
from core.importing import service as importing
from core.importing.models import ImportRun
from core.reports import service as reports
from core.settings.environment import get_settings
from core.suggestions.execution import apply
from core.suggestions.proposals.add_action import add_action
from core.suggestions.proposals.propose import propose
from core.suggestions.review import queries as suggestions
from core.suggestions.review import service as advice
from core.tracking import editable_rows, team_tracking
from core.tracking import settings as tracking
from core.tracking.competitors.service import add_competitor, remove_competitor
from core.tracking.list_filter import ListFilter, ListScope, Sort
from core.tracking.price_caps.queries import get_price_caps
from core.tracking.price_caps.rules import PriceCaps
from core.tracking.price_caps.service import set_price_cap
from core.tracking.rules import Cadence
from core.tracking.rules import Role as ProductRole
from core.tracking.sellers import service as sellers
from core.tracking.sellers.queries import list_own_sellers
from core.tracking.views import service as views
from core.tracking.views.queries import list_views
from core.tracking.views.rules import ViewDefinition
from tests.core.accounts.access.test_operations import OPERATIONS_OF_PRINCIPALS
from tests.core.accounts.conftest import NOW, Member, signed_in
from tests.core.suggestions.proposals.test_propose import draft
from tests.factories.alerts import PRICE_RULE, add_incident, add_rule
from tests.factories.notifications import add_channel
from tests.factories.people import add_stranger
from tests.factories.reports import keep_empty_report
from tests.factories.suggestions import kettle, new_price, only_action, own_lamp, suggest


@dataclass(frozen=True, slots=True)
class Things:
    """The ids of what Sam, a seller, has."""

    person: int
    token: int
    sign_in: int
    run: int
    product: int
    suggestion: int
    action: int
    own_seller: int
    rule: int
    note: int
    view: int
    silence: int
    incident: int
    report: int
    channel: int


@pytest.fixture
def sams(session: Session, member: Member) -> Things:
    sam = member(mail="sam@team.example")
    api_tokens.create_api_token(session, sam, "A script", [Scope.READ], None, NOW)
    signed_in(session, sam)
    begin_call(
        session, sam, CallRequest("tools/call", "search_products", b""), CallLimit(60, 9), NOW
    )
    run = ImportRun(
        team_id=sam.team_id,
        person_id=sam.person_id,
        name="list.csv",
        kind="asin_list",
        state="offered",
        file_hash=bytes(32),
        file_bytes=10,
    )
    session.add(run)
    session.flush()
    token, sign_in = session.query(ApiToken).one(), session.query(SignIn).one()
    product = own_lamp(session, sam)
    number = suggest(session, sam, new_price(), now=NOW)
    set_price_cap(session, member(Role.MANAGER, mail="caps@team.example"), product, CAPS)
    rival = kettle(session, sam)
    add_competitor(session, sam, product, rival, NOW)
    action = only_action(session, number).id
    admin = member(Role.ADMIN, mail="sellers@team.example")
    sellers.add_own_seller(session, admin, "US", "A1DEMOSELLER", "")
    [own] = list_own_sellers(session, admin)
    rule = add_rule(session, sam)
    note = notes.add_note(session, sam, product, NOW, "A coupon began")
    views.save_view(session, sam, "Lamps", ViewDefinition(ListFilter(), Sort()))
    [view] = list_views(session, sam)
    request = SilenceRequest("A sale", NOW + timedelta(days=1), product_id=product)
    silence = silences.add_silence(session, sam, request, NOW)
    things = (
        product,
        number,
        action,
        own.id,
        rule,
        note,
        view.id,
        silence,
        add_incident(session, sam, product),
        keep_empty_report(session, sam),
        add_channel(session, sam),
    )
    return Things(sam.person_id, token.id, sign_in.id, run.id, *things)


DRAFT = draft()
CAPS = PriceCaps(1000, 3000, 5)
SETTINGS = tracking.TrackingSettings(ProductRole.OWN, Cadence.DAILY, (), None, False, None, None)
Call = Callable[[Session, Principal, Things], Any]

# Operations on another user's things, as a colleague of the same role would call them.
OF_A_PERSON: dict[str, Call] = {
    "alerts.delivery.channels.make_test": lambda s, who, of: channels.make_test(
        s, who, of.channel, get_settings(), NOW
    ),
    "alerts.delivery.channels.pause_own_channel": (
        lambda s, who, of: channels.pause_own_channel(s, who, of.channel, NOW)
    ),
    "alerts.delivery.channels.remove_channel": lambda s, who, of: channels.remove_channel(
        s, who, of.channel, NOW
    ),
    "alerts.delivery.channels.resume_channel": lambda s, who, of: channels.resume_channel(
        s, who, of.channel
    ),
    "alerts.delivery.channels.store_test": lambda s, who, of: channels.store_test(
        s, who, of.channel, Attempt(Outcome.SENT, "ok"), NOW
    ),
    "alerts.notifications.preferences.set_mode": lambda s, who, of: preferences.set_mode(
        s, who, of.channel, IncidentKind.OUT_OF_STOCK, Mode.OFF
    ),
    "alerts.notifications.preferences.set_rule_mode": lambda s, who, of: preferences.set_rule_mode(
        s, who, of.channel, of.rule, Mode.OFF
    ),
    "accounts.access.api_tokens.revoke_own_token": lambda s, who, of: api_tokens.revoke_own_token(
        s, who, of.token, NOW
    ),
    "accounts.access.sessions.end_own_session": lambda s, who, of: sessions.end_own_session(
        s, who, of.sign_in, NOW
    ),
    "importing.service.confirm_import": lambda s, who, of: importing.confirm_import(
        s, who, of.run, importing.Confirmation(), NOW
    ),
    "importing.service.discard_import": lambda s, who, of: importing.discard_import(s, who, of.run),
    "reports.service.open_report": lambda s, who, of: reports.open_report(s, who, of.report),
    "tracking.editable_rows.lock_editable_row": lambda s, who, of: editable_rows.lock_editable_row(
        s, who, of.product, ListScope.MINE
    ),
    "tracking.views.service.delete_view": lambda s, who, of: views.delete_view(s, who, of.view),
    "tracking.settings.change_settings": lambda s, who, of: tracking.change_settings(
        s, who, of.product, SETTINGS
    ),
    "tracking.settings.patch_settings": lambda s, who, of: tracking.patch_settings(
        s, who, of.product, tracking.TrackingPatch(is_primary=True)
    ),
}
# Operations on what the whole team has: only users of another team find nothing.
OF_A_TEAM: dict[str, Call] = {
    "alerts.explanation.explain_delivery.explain_delivery": lambda s, who, of: explain_delivery(
        s, who, of.product, NOW, NOW
    ),
    "accounts.access.api_tokens.revoke_team_token": lambda s, who, of: api_tokens.revoke_team_token(
        s, who, of.token, NOW
    ),
    "accounts.login.two_factor.remove_member_two_factor": (
        lambda s, who, of: two_factor.remove_member_two_factor(s, who, of.person, NOW)
    ),
    "accounts.people.membership.change_role": lambda s, who, of: membership.change_role(
        s, who, of.person, Role.VIEWER, NOW
    ),
    "accounts.people.membership.disable_member": lambda s, who, of: membership.disable_member(
        s, who, of.person, NOW
    ),
    "accounts.people.membership.enable_member": lambda s, who, of: membership.enable_member(
        s, who, of.person, NOW
    ),
    "accounts.people.membership.erase_member": lambda s, who, of: membership.erase_member(
        s, who, of.person
    ),
    "accounts.people.membership.withdraw_invitation": lambda s, who, of: (
        membership.withdraw_invitation(s, who, of.person, NOW)
    ),
    "alerts.incidents.service.comment_incident": lambda s, who, of: incidents.comment_incident(
        s, who, of.incident, "Restocked", NOW
    ),
    "alerts.incidents.silences.end_silence": lambda s, who, of: silences.end_silence(
        s, who, of.silence, NOW
    ),
    "alerts.rules.queries.get_rule": lambda s, who, of: rule_queries.get_rule(s, who, of.rule),
    "alerts.rules.service.change_rule": lambda s, who, of: rules.change_rule(
        s, who, of.rule, PRICE_RULE, NOW
    ),
    "alerts.rules.service.delete_rule": lambda s, who, of: rules.delete_rule(s, who, of.rule),
    "alerts.rules.service.rename_rule": lambda s, who, of: rules.rename_rule(s, who, of.rule, "A"),
    "alerts.rules.service.reset_rule": lambda s, who, of: rules.reset_rule(s, who, of.rule, NOW),
    "alerts.rules.service.switch_rule": lambda s, who, of: rules.switch_rule(
        s, who, of.rule, False, NOW
    ),
    "history.notes.service.add_note": lambda s, who, of: notes.add_note(
        s, who, of.product, NOW, "A coupon"
    ),
    "history.notes.service.change_note": lambda s, who, of: notes.change_note(
        s, who, of.note, NOW, "A deal"
    ),
    "history.notes.service.delete_note": lambda s, who, of: notes.delete_note(s, who, of.note),
    "importing.service.get_import": lambda s, who, of: importing.get_import(s, who, of.run),
    "suggestions.execution.apply.undo": lambda s, who, of: apply.undo(s, who, of.action, NOW),
    "tracking.competitors.service.add_competitor": lambda s, who, of: add_competitor(
        s, who, of.product, of.product + 1, NOW
    ),
    "tracking.price_caps.service.set_price_cap": lambda s, who, of: set_price_cap(
        s, who, of.product, PriceCaps()
    ),
    "suggestions.proposals.propose.propose": lambda s, who, of: propose(
        s, who, of.product, DRAFT, NOW
    ),
    "suggestions.proposals.add_action.add_action": lambda s, who, of: add_action(
        s, who, of.suggestion, DRAFT.actions[0], NOW
    ),
    "suggestions.review.service.approve": lambda s, who, of: advice.approve(s, who, of.action, NOW),
    "suggestions.review.service.approve_all": lambda s, who, of: advice.approve_all(
        s, who, of.suggestion, NOW
    ),
    "suggestions.review.service.decline": lambda s, who, of: advice.decline(
        s, who, of.action, NOW, "No"
    ),
    "suggestions.review.service.decline_all": lambda s, who, of: advice.decline_all(
        s, who, of.suggestion, NOW, "No"
    ),
    "tracking.sellers.service.remove_own_seller": lambda s, who, of: sellers.remove_own_seller(
        s, who, of.own_seller
    ),
    "tracking.team_tracking.set_cadence": lambda s, who, of: team_tracking.set_cadence(
        s, who, of.product, Cadence.HOURLY
    ),
    "tracking.team_tracking.set_threshold": lambda s, who, of: team_tracking.set_threshold(
        s, who, of.product, team_tracking.Threshold.PRICE, None
    ),
}
# Reads, which answer with nothing where there is nothing for the caller.
LOOKS: dict[str, Call] = {
    "alerts.notifications.preferences.list_rule_modes": (
        lambda s, who, of: preferences.list_rule_modes(s, who, of.rule)
    ),
    "alerts.charts.alert_marks.list_alert_marks": lambda s, who, of: list_alert_marks(
        s, who, of.product, (NOW - timedelta(days=9999), NOW + timedelta(days=9999)), NOW
    ),
    "alerts.incidents.incident_events.list_incident_events": (
        lambda s, who, of: list_incident_events(s, who, of.incident)
    ),
    "alerts.incidents.queries.find_incident": lambda s, who, of: incident_queries.find_incident(
        s, who, of.incident, NOW
    ),
    "history.notes.queries.list_notes": lambda s, who, of: list_notes(s, who, of.product),
    "suggestions.review.queries.list_applied_changes": lambda s, who, of: (
        suggestions.list_applied_changes(s, who, of.product)
    ),
    "agents.queries.list_calls": lambda s, who, of: agent_queries.list_calls(
        s, who, person_id=of.person
    ),
    "accounts.access.audit.list_events": lambda s, who, of: audit.list_events(
        s, who, person_id=of.person
    ),
    "importing.queries.find_import": lambda s, who, of: imports.find_import(s, who, of.run),
    "importing.queries.find_only_product": lambda s, who, of: imports.find_only_product(
        s, who, of.run
    ),
    "importing.queries.export_row_results": lambda s, who, of: list(
        imports.export_row_results(s, who, of.run)
    )[1:],
    "importing.queries.count_row_results": lambda s, who, of: imports.count_row_results(
        s, who, of.run
    ),
    "importing.queries.list_row_results": lambda s, who, of: imports.list_row_results(
        s, who, of.run, "added"
    ),
    "history.current.competitor_values.list_competitors": (
        lambda s, who, of: list_competitors(s, who, of.product)
    ),
    "tracking.price_caps.queries.get_price_caps": (
        lambda s, who, of: get_price_caps(s, who, of.product) != PriceCaps()
    ),
    "history.current.competitor_values.compare_competitors": lambda s, who, of: compare_competitors(
        s, who, of.product
    )[1],
    "tracking.competitors.service.remove_competitor": lambda s, who, of: remove_competitor(
        s, who, of.product, of.product + 1
    ),
    "suggestions.review.queries.find_place": lambda s, who, of: suggestions.find_place(
        s, who, of.suggestion, NOW
    ),
    "suggestions.review.queries.find_suggestion": lambda s, who, of: suggestions.find_suggestion(
        s, who, of.suggestion, NOW
    ),
    "suggestions.review.queries.list_product_suggestions": lambda s, who, of: (
        suggestions.list_product_suggestions(s, who, of.product, NOW)
    ),
    "suggestions.review.queries.list_events": lambda s, who, of: suggestions.list_events(
        s, who, of.suggestion
    ),
    "tracking.team_tracking.pause_for_team": lambda s, who, of: team_tracking.pause_for_team(
        s, who, of.product, NOW
    ),
    "tracking.team_tracking.resume_for_team": lambda s, who, of: team_tracking.resume_for_team(
        s, who, of.product, [of.person]
    ),
}


# What belongs to no team: administrators act for the installation.
OF_THE_INSTALLATION = {"alerts.incidents.source_outages.acknowledge_blocked_source"}


def test_every_verb_that_takes_an_id_is_tried_here() -> None:
    taking = {
        name
        for name, function in OPERATIONS_OF_PRINCIPALS.items()
        if any(parameter.endswith("_id") for parameter in inspect.signature(function).parameters)
    }
    assert taking == {*OF_A_PERSON, *OF_A_TEAM, *LOOKS, *OF_THE_INSTALLATION}


def list_successful(
    session: Session, principal: Principal, things: Things, operations: Mapping[str, Call]
) -> list[str]:
    """Return the operations that find their thing; what each does is rolled back."""
    successful = []
    for name, call in operations.items():
        savepoint = session.begin_nested()
        with suppress(NotFoundError):
            call(session, principal, things)
            successful.append(name)
        savepoint.rollback()
    return successful


def test_what_is_a_colleagues_is_not_found(session: Session, member: Member, sams: Things) -> None:
    assert list_successful(session, member(Role.SELLER), sams, OF_A_PERSON) == []


def test_what_is_another_teams_is_not_found(session: Session, sams: Things) -> None:
    admin = add_stranger(session, Role.ADMIN)
    assert list_successful(session, admin, sams, OF_A_PERSON | OF_A_TEAM) == []


def test_reading_another_teams_shows_nothing(session: Session, sams: Things) -> None:
    admin = add_stranger(session, Role.ADMIN)
    answers = {name: bool(call(session, admin, sams)) for name, call in LOOKS.items()}
    assert answers == dict.fromkeys(LOOKS, False)


@pytest.mark.parametrize("number", [0, -1, 10**15, 2**63 - 1])
def test_an_invented_id_is_not_found(session: Session, principal: Principal, number: int) -> None:
    things = Things(*[number] * len(fields(Things)))
    assert list_successful(session, principal, things, OF_A_PERSON | OF_A_TEAM) == []


def test_a_manager_decides_on_a_colleagues_import(
    session: Session, member: Member, sams: Things
) -> None:
    manager = member(Role.MANAGER)
    assert importing.confirm_import(session, manager, sams.run, importing.Confirmation(), NOW)
    # It runs as the user who confirmed it.
    assert importing.get_import(session, manager, sams.run).person_id == manager.person_id
