"""Every team has the built-in rules, from a migration or from the code."""

import importlib
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.rules.builtin import (
    NEW_DEFAULTS,
    OPEN_ISSUES,
    THRESHOLD_CODES,
    make_new_rules,
    make_threshold_rule,
)
from core.alerts.rules.queries import list_rules, read_active_rules
from core.alerts.rules.rule import Subject
from core.alerts.rules.rule_json import dump_rule, load_rule
from core.alerts.rules.seeds import add_missing_rules
from core.tracking.sellers.service import add_own_seller
from tests.factories.people import add_stranger

migration: Any = importlib.import_module("core.database.migrations.versions.0014_alerts")

SINCE_THE_MIGRATION = (
    "listing_removed",
    "out_of_stock",
    "buy_box_suppressed",
    "buy_box_lost",
    "rank_below_usual",
    "price_outside_caps",
    "unexplained_edit",
)


def test_the_migration_stores_the_rules_of_today() -> None:
    stored = {each["code"]: each for each in migration.list_rules()}
    assert set(stored) == {*SINCE_THE_MIGRATION, *THRESHOLD_CODES}
    for each in OPEN_ISSUES:
        if each.code not in SINCE_THE_MIGRATION:
            continue  # a later one, which `add_missing_rules` adds
        assert stored[each.code]["old"] == stored[each.code]["new"] == dump_rule(each.rule)
    for code, old in zip(THRESHOLD_CODES, (5.0, 50.0), strict=True):
        assert stored[code]["old"] == dump_rule(make_threshold_rule(code, old))
        assert stored[code]["new"] == dump_rule(make_threshold_rule(code, NEW_DEFAULTS[code]))


def test_the_first_team_of_an_empty_database_has_the_new_defaults(
    session: Session, principal: Principal
) -> None:
    add_missing_rules(session)  # those that are newer than the migration
    found = list_rules(session, principal)
    assert all(each.is_on for each in found)
    assert {each.code: each.rule for each in found} == {
        each.code: each.rule for each in make_new_rules()
    }


def test_without_own_sellers_a_lost_buy_box_is_evaluated_as_a_moved_one(
    session: Session, principal: Principal
) -> None:
    add_missing_rules(session)
    kept = {each.code: each.rule for each in list_rules(session, principal)}
    active = {each.code: each.rule for each in read_active_rules(session)}
    assert active.pop("buy_box_lost").subjects == (Subject.SELLER,)
    assert kept.pop("buy_box_lost").subjects == (Subject.BUY_BOX_OWNER,)
    assert active == kept
    add_own_seller(session, principal, "US", "A1SELLER", "")
    assert {each.code: each.rule for each in read_active_rules(session)} == {
        each.code: each.rule for each in make_new_rules()
    }


def test_a_new_team_gets_every_rule_and_none_twice(session: Session) -> None:
    stranger = add_stranger(session)
    assert add_missing_rules(session) == 0
    codes = [each.code for each in read_active_rules(session) if each.team_id == stranger.team_id]
    assert codes == [each.code for each in make_new_rules()]


def test_a_rule_that_is_new_in_the_code_reaches_every_team_and_changes_no_other(
    session: Session, principal: Principal
) -> None:
    add_missing_rules(session)
    session.execute(text("DELETE FROM alert_rule WHERE code = 'out_of_stock'"))
    session.execute(text("UPDATE alert_rule SET is_on = false WHERE code = 'listing_removed'"))
    assert add_missing_rules(session) == 1
    found = {each.code: each for each in read_active_rules(session)}
    assert "listing_removed" not in found
    assert found["out_of_stock"].team_id == principal.team_id


def test_a_stored_rule_of_the_migration_can_be_read() -> None:
    for each in migration.list_rules():
        assert dump_rule(load_rule(each["old"])) == each["old"]
