"""Operations on a team's alert rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.alerts.models import StoredRule
from core.alerts.rules import service
from core.alerts.rules.builtin import (
    NEW_DEFAULTS,
    PRICE_CHANGE,
    make_new_rules,
    make_threshold_rule,
)
from core.alerts.rules.queries import TeamRule, get_rule, list_rules
from core.alerts.rules.rule import (
    AlertRule,
    BuyBoxOwner,
    Comparison,
    Condition,
    Reference,
    RuleScope,
    ScopeKind,
    Subject,
    Timing,
)
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.tracking.list_filter import ListFilter, ListScope, Sort, State
from core.tracking.lists.team_thresholds import read_team_thresholds
from core.tracking.rules import Role as ProductRole
from core.tracking.sellers.service import add_own_seller
from core.tracking.service import pause
from core.tracking.views.queries import list_views
from core.tracking.views.rules import ViewDefinition
from core.tracking.views.service import save_view
from tests.factories.alerts import BUILTIN_RULES, add_incident
from tests.factories.people import add_member, add_stranger
from tests.factories.products import KETTLE, LAMP, add_product, track_products
from tests.factories.tables import fetch_rows

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
DROP = AlertRule((Condition(Subject.PRICE, Comparison.CHANGED, percent=10),))
BELOW_20 = AlertRule((Condition(Subject.PRICE, Comparison.BELOW, target=2000),))


@pytest.fixture
def manager(session: Session, principal: Principal) -> Principal:
    return add_member(session, principal, Role.MANAGER)


def stored(session: Session, rule_id: int) -> StoredRule:
    return session.get_one(StoredRule, rule_id, populate_existing=True)


def builtin(session: Session, principal: Principal, code: str) -> TeamRule:
    return next(each for each in list_rules(session, principal) if each.code == code)


def begin(session: Session, rule_id: int) -> None:
    """As the worker does once every product was evaluated."""
    stored(session, rule_id).started_at = NOW
    session.flush()


def events(session: Session) -> list[str]:
    rows = fetch_rows(session, "SELECT verb FROM audit_event ORDER BY id")
    return [row["verb"] for row in rows if "alert rule" in row["verb"]]


# Creating


def test_a_rule_counts_from_now_on_for_no_product_yet(session: Session, manager: Principal) -> None:
    track_products(session, manager, [LAMP, KETTLE], role=ProductRole.OWN)
    made = service.create_rule(session, manager, DROP, NOW, name="  Cheaper ")
    assert (made.rule.rule, made.rule.name, made.rule.code) == (DROP, "Cheaper", None)
    assert (made.rule.version, made.rule.is_on) == (1, True)
    assert (made.rule.active_from, made.rule.started_at) == (NOW, None)
    assert (made.products, made.remarks) == (2, ())
    assert list_rules(session, manager)[-1] == made.rule
    assert stored(session, made.rule.rule_id).created_by == manager.person_id
    [event] = fetch_rows(session, "SELECT * FROM audit_event WHERE verb = 'created alert rule'")
    assert event["object"] == f"alert_rule:{made.rule.rule_id}"
    assert event["new"]["definition"]["conditions"][0]["percent"] == 10


def test_a_seller_reads_rules_and_changes_none(session: Session, principal: Principal) -> None:
    seller = add_member(session, principal, Role.SELLER)
    assert list_rules(session, seller)
    with pytest.raises(NotAllowedError, match="requires the role manager"):
        service.create_rule(session, seller, DROP, NOW)


def test_a_rule_that_makes_no_sense_is_refused(session: Session, manager: Principal) -> None:
    senseless = AlertRule((Condition(Subject.PRICE, Comparison.CHANGED, percent=-5),))
    with pytest.raises(InvalidInputError, match="above 0"):
        service.create_rule(session, manager, senseless, NOW)
    made = service.create_rule(session, manager, DROP, NOW)
    with pytest.raises(InvalidInputError, match="above 0"):
        service.change_rule(session, manager, made.rule.rule_id, senseless, NOW)


def test_a_tag_that_no_product_has_is_allowed_and_remarked(
    session: Session, manager: Principal
) -> None:
    rule = replace(DROP, scope=RuleScope(ScopeKind.TAG, tag="spring"))
    assert service.create_rule(session, manager, rule, NOW).remarks == (
        "No product has the tag “spring” now: the rule counts once one has it.",
    )
    track_products(session, manager, [LAMP], tags=("spring",))
    made = service.create_rule(session, manager, rule, NOW)
    assert (made.products, made.remarks) == (1, ())


def test_without_own_sellers_a_rule_on_the_buy_box_is_remarked(
    session: Session, principal: Principal, manager: Principal
) -> None:
    won = AlertRule(
        (
            Condition(
                Subject.BUY_BOX_OWNER, Comparison.BECAME, states=frozenset({BuyBoxOwner.OWN.value})
            ),
        )
    )
    track_products(session, manager, [LAMP], role=ProductRole.OWN)
    [remark] = service.create_rule(session, manager, won, NOW).remarks
    assert "no sellers of its own" in remark
    add_own_seller(session, add_member(session, principal, Role.ADMIN), "US", "A1SELLER", "")
    assert service.create_rule(session, manager, won, NOW).remarks == ()


@pytest.mark.parametrize(
    ("scope", "products"),
    [
        (RuleScope(ScopeKind.OWN), 2),
        (RuleScope(ScopeKind.COMPETITORS), 1),
        (RuleScope(ScopeKind.TRACKED), 4),
        (RuleScope(ScopeKind.TAG, tag="a"), 1),
    ],
)
def test_a_scope_counts_each_product_of_the_team_once(
    session: Session, principal: Principal, manager: Principal, scope: RuleScope, products: int
) -> None:
    asins = [f"B0TEST100{number}" for number in range(6)]
    track_products(session, principal, asins[:2], role=ProductRole.OWN)
    track_products(session, manager, asins[:2], role=ProductRole.OWN)
    track_products(session, manager, asins[2:3], role=ProductRole.COMPETITOR)
    track_products(session, manager, asins[3:4], tags=("a", "b"))
    [paused] = track_products(session, principal, asins[4:5], role=ProductRole.OWN, tags=("a",))
    pause(session, principal, [paused])
    track_products(session, add_stranger(session), asins[5:], role=ProductRole.OWN, tags=("a",))
    made = service.create_rule(session, manager, replace(DROP, scope=scope), NOW)
    assert made.products == products


def save_as_scope(
    session: Session, who: Principal, list_filter: ListFilter, *, is_shared: bool = True
) -> AlertRule:
    """Save a view and return the rule for it."""
    save_view(session, who, "Lamps", ViewDefinition(list_filter, Sort()), is_shared=is_shared)
    [view] = [each for each in list_views(session, who) if each.is_own]
    return replace(DROP, scope=RuleScope(ScopeKind.VIEW, view_id=view.id))


def test_a_rule_is_for_the_products_that_a_shared_view_lists(
    session: Session, principal: Principal, manager: Principal
) -> None:
    track_products(session, principal, [LAMP], role=ProductRole.OWN, tags=("a",))
    [paused] = track_products(session, principal, ["B0TEST1001"], tags=("a",))
    pause(session, principal, [paused])
    track_products(session, manager, [KETTLE], role=ProductRole.OWN, tags=("b",))
    track_products(session, add_stranger(session), ["B0TEST1002"], tags=("a",))
    whole_team = ListFilter(tags=("a",), scope=ListScope.TEAM)
    rule = save_as_scope(session, principal, whole_team)
    assert service.create_rule(session, manager, rule, NOW).products == 1
    # "Mine" means the products of the user who saved the view, not of the rule's author.
    rule = save_as_scope(session, principal, ListFilter(scope=ListScope.MINE))
    assert service.create_rule(session, manager, rule, NOW).products == 1
    rule = save_as_scope(session, principal, ListFilter(search=KETTLE, scope=ListScope.TEAM))
    assert service.create_rule(session, manager, rule, NOW).products == 1


@pytest.mark.parametrize(
    ("list_filter", "is_shared", "problem"),
    [
        (ListFilter(), False, "share the saved view “Lamps” with the team first"),
        (ListFilter(states=(State.OUT_OF_STOCK,)), True, "Each check can change these"),
        (ListFilter(rank_worse_days=7), True, "Each check can change these"),
    ],
)
def test_a_view_that_is_no_scope_is_refused(
    session: Session, manager: Principal, list_filter: ListFilter, is_shared: bool, problem: str
) -> None:
    rule = save_as_scope(session, manager, list_filter, is_shared=is_shared)
    with pytest.raises(InvalidInputError, match=problem):
        service.create_rule(session, manager, rule, NOW)


def test_a_view_of_others_is_no_scope(
    session: Session, principal: Principal, manager: Principal
) -> None:
    private = save_as_scope(session, principal, ListFilter(), is_shared=False)
    of_strangers = save_as_scope(session, add_stranger(session), ListFilter())
    for rule in (private, of_strangers):
        with pytest.raises(NotFoundError, match="saved view does not exist"):
            service.create_rule(session, manager, rule, NOW)


def test_a_rule_for_a_product_needs_one_that_the_team_tracks(
    session: Session, manager: Principal
) -> None:
    rule = replace(DROP, scope=RuleScope(ScopeKind.PRODUCT, product_id=add_product(session)))
    with pytest.raises(NotFoundError, match="does not track"):
        service.create_rule(session, manager, rule, NOW)
    track_products(session, manager, [LAMP])
    assert service.create_rule(session, manager, rule, NOW).products == 1


def test_an_amount_is_for_products_of_one_currency(session: Session, manager: Principal) -> None:
    track_products(session, manager, [LAMP], "DE", role=ProductRole.OWN)
    track_products(session, manager, [LAMP], "FR", role=ProductRole.OWN)
    assert service.create_rule(session, manager, BELOW_20, NOW).products == 2
    track_products(session, manager, [LAMP], "JP", role=ProductRole.OWN)
    with pytest.raises(InvalidInputError, match="prices in EUR, JPY"):
        service.create_rule(session, manager, BELOW_20, NOW)
    any_deal = AlertRule((Condition(Subject.DEAL_PRICE, Comparison.ABOVE, target=0),))
    for rule in (DROP, any_deal):
        assert service.create_rule(session, manager, rule, NOW).products == 3


def test_a_rule_for_very_many_products_asks_with_their_number(
    session: Session, manager: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LARGE_REACH", 1)
    [_, kettle] = track_products(session, manager, [LAMP, KETTLE], role=ProductRole.OWN)
    with pytest.raises(service.ManyProductsError, match="is for 2 products") as asked:
        service.create_rule(session, manager, DROP, NOW)
    assert asked.value.products == 2
    made = service.create_rule(session, manager, DROP, NOW, confirmed=True)
    with pytest.raises(service.ManyProductsError):
        service.change_rule(session, manager, made.rule.rule_id, BELOW_20, NOW)
    one = replace(DROP, scope=RuleScope(ScopeKind.PRODUCT, product_id=kettle))
    assert service.change_rule(session, manager, made.rule.rule_id, one, NOW).products == 1


def test_a_team_has_so_many_rules_and_no_more(
    session: Session, manager: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_OWN_RULES", 2)
    first = service.create_rule(session, manager, DROP, NOW)
    service.create_rule(session, manager, DROP, NOW)
    with pytest.raises(InvalidInputError, match="at most 2 rules"):
        service.create_rule(session, manager, DROP, NOW)
    service.delete_rule(session, manager, first.rule.rule_id)
    service.create_rule(session, manager, DROP, NOW)


# Changing


def test_a_changed_rule_begins_anew(session: Session, manager: Principal) -> None:
    made = service.create_rule(session, manager, DROP, NOW)
    begin(session, made.rule.rule_id)
    changed = service.change_rule(session, manager, made.rule.rule_id, BELOW_20, LATER).rule
    assert (changed.rule, changed.version) == (BELOW_20, 2)
    assert (changed.active_from, changed.started_at) == (LATER, None)
    [event] = fetch_rows(session, "SELECT * FROM audit_event WHERE verb = 'changed alert rule'")
    assert event["old"]["definition"]["conditions"][0]["comparison"] == "changed"
    assert event["new"]["definition"]["conditions"][0]["comparison"] == "below"


def test_a_rule_that_stays_the_same_does_not_begin_anew(
    session: Session, manager: Principal
) -> None:
    made = service.create_rule(session, manager, DROP, NOW)
    begin(session, made.rule.rule_id)
    same = service.change_rule(session, manager, made.rule.rule_id, DROP, LATER).rule
    assert (same.version, same.active_from, same.started_at) == (1, NOW, NOW)
    assert events(session) == ["created alert rule"]


def test_a_rule_is_renamed_without_beginning_anew(session: Session, manager: Principal) -> None:
    made = service.create_rule(session, manager, DROP, NOW, name="Cheaper")
    service.rename_rule(session, manager, made.rule.rule_id, "Much cheaper")
    service.rename_rule(session, manager, made.rule.rule_id, "Much cheaper ")
    found = get_rule(session, manager, made.rule.rule_id)
    assert (found.name, found.version) == ("Much cheaper", 1)
    service.rename_rule(session, manager, made.rule.rule_id, "")
    assert get_rule(session, manager, made.rule.rule_id).name is None
    assert events(session) == ["created alert rule", "renamed alert rule", "renamed alert rule"]


def test_a_rule_that_is_switched_on_again_counts_from_then_on(
    session: Session, manager: Principal
) -> None:
    rule_id = builtin(session, manager, "out_of_stock").rule_id
    begin(session, rule_id)
    assert service.switch_rule(session, manager, rule_id, False, NOW)
    assert not service.switch_rule(session, manager, rule_id, False, NOW)
    assert not get_rule(session, manager, rule_id).is_on
    assert service.switch_rule(session, manager, rule_id, True, LATER)
    found = get_rule(session, manager, rule_id)
    assert (found.is_on, found.active_from, found.started_at) == (True, LATER, None)
    assert found.version == 3
    assert events(session) == ["switched off alert rule", "switched on alert rule"]


def test_a_deleted_rule_takes_what_it_recorded_with_it(
    session: Session, manager: Principal
) -> None:
    [product_id] = track_products(session, manager, [LAMP], role=ProductRole.OWN)
    made = service.create_rule(session, manager, DROP, NOW)
    add_incident(session, manager, product_id, rule_id=made.rule.rule_id)
    service.delete_rule(session, manager, made.rule.rule_id)
    assert fetch_rows(session, "SELECT * FROM incident") == []
    with pytest.raises(NotFoundError):
        get_rule(session, manager, made.rule.rule_id)
    assert events(session)[-1] == "deleted alert rule"


# Built-in rules


def test_a_built_in_rule_takes_another_threshold_and_is_reset(
    session: Session, manager: Principal
) -> None:
    usual = BUILTIN_RULES["rank_below_usual"]
    rule_id = builtin(session, manager, "rank_below_usual").rule_id
    wanted = replace(
        usual,
        conditions=(
            Condition(
                Subject.RANK,
                Comparison.CHANGED,
                percent=40,
                clear_percent=20,
                reference=Reference.AVERAGE,
                direction=usual.conditions[0].direction,
            ),
        ),
        timing=Timing(rearm_after=timedelta(days=1)),
    )
    assert service.change_rule(session, manager, rule_id, wanted, NOW).rule.rule == wanted
    reset = service.reset_rule(session, manager, rule_id, LATER).rule
    assert (reset.rule, reset.version, reset.active_from) == (usual, 3, LATER)
    assert events(session) == ["changed alert rule", "reset alert rule"]


def test_a_built_in_rule_is_not_made_into_another_renamed_or_deleted(
    session: Session, manager: Principal
) -> None:
    rule_id = builtin(session, manager, "out_of_stock").rule_id
    with pytest.raises(InvalidInputError, match="create a rule of your own"):
        service.change_rule(session, manager, rule_id, DROP, NOW)
    with pytest.raises(InvalidInputError, match="Switch it off"):
        service.delete_rule(session, manager, rule_id)
    with pytest.raises(InvalidInputError, match="name of a built-in rule"):
        service.rename_rule(session, manager, rule_id, "Sold out")
    own = service.create_rule(session, manager, DROP, NOW).rule.rule_id
    with pytest.raises(InvalidInputError, match="Only a built-in rule"):
        service.reset_rule(session, manager, own, NOW)


def test_the_teams_default_threshold_is_set_and_reset(session: Session, manager: Principal) -> None:
    rule_id = builtin(session, manager, PRICE_CHANGE).rule_id
    smaller = make_threshold_rule(PRICE_CHANGE, 2.5)
    assert service.change_rule(session, manager, rule_id, smaller, NOW).rule.rule == smaller
    thresholds = read_team_thresholds(session, manager.team_id)
    assert (thresholds.price_percent, thresholds.rank_percent) == (Decimal("2.5"), Decimal(30))
    for senseless in (-1, 10_001, float("nan")):
        with pytest.raises(InvalidInputError, match="above 0"):
            service.change_rule(
                session, manager, rule_id, make_threshold_rule(PRICE_CHANGE, senseless), NOW
            )
    assert get_rule(session, manager, rule_id).version == 2
    reset = service.reset_rule(session, manager, rule_id, NOW).rule
    assert reset.rule == make_threshold_rule(PRICE_CHANGE, NEW_DEFAULTS[PRICE_CHANGE])


def test_the_rules_of_another_team_are_not_listed(session: Session, manager: Principal) -> None:
    service.create_rule(session, manager, DROP, NOW)
    stranger = add_stranger(session)
    assert [each.code for each in list_rules(session, stranger)] == [
        each.code for each in make_new_rules()
    ]
