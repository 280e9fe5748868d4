"""What is expected of a product follows each step of an action, in the same transaction."""

import runpy
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.expected.queries import read_expected_values
from core.history.expected.rules import ExpectedField, ExpectedState, ExpectedValue
from core.settings.environment import ROOT
from core.suggestions.changes.publication import PublishedChange
from core.suggestions.changes.registry import SPECS
from core.suggestions.execution import apply
from core.suggestions.expected_values import find_expected_field, read_expected_value
from core.suggestions.lifecycle import expire_suggestions
from core.suggestions.review.service import approve, decline
from core.suggestions.rules import Change
from tests.core.suggestions.changes.test_registry import STORED
from tests.factories.observations import NOON
from tests.factories.people import add_stranger
from tests.factories.products import make_listing
from tests.factories.suggestions import (
    SHORTER,
    TITLE,
    new_cadence,
    new_price,
    new_title,
    only_action,
    own_lamp,
    proposed,
    show,
    suggest,
    verify_waiting,
)

MIGRATION = "core/database/migrations/versions/0016_expected_values.py"
APPLIED = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def lamp(session: Session, principal: Principal) -> int:
    return own_lamp(session, principal)


def hours(number: float) -> datetime:
    return APPLIED + timedelta(hours=number)


def approved(
    session: Session, principal: Principal, *actions: Any, at: datetime = APPLIED, **how: Any
) -> int:
    """Return the id of an action that was proposed, approved and not yet applied."""
    number = only_action(session, suggest(session, principal, *actions, now=at)).id
    approve(session, principal, number, at, **how)
    return number


def applied(session: Session, principal: Principal, *actions: Any, at: datetime = APPLIED) -> int:
    number = approved(session, principal, *actions, at=at)
    apply.apply(session, number, at)
    return number


def expected(session: Session, principal: Principal, lamp: int) -> list[ExpectedValue]:
    return read_expected_values(session, principal.team_id, [lamp]).get(lamp, [])


def states(session: Session, principal: Principal, lamp: int) -> list[tuple[object, str]]:
    return [(each.value, each.state.value) for each in expected(session, principal, lamp)]


def test_what_is_only_proposed_or_declined_or_expired_is_not_expected(
    session: Session, principal: Principal, lamp: int
) -> None:
    declined = only_action(session, suggest(session, principal)).id
    decline(session, principal, declined, APPLIED, "No")
    suggest(session, principal, new_title())
    assert expire_suggestions(session, NOON + timedelta(days=90)) == 1
    assert expected(session, principal, lamp) == []


def test_the_value_as_edited_is_expected_from_the_approval_on(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = approved(session, principal, edited={"price": 1950})
    [each] = expected(session, principal, lamp)
    assert each == ExpectedValue(
        ExpectedField.PRICE, 1950, ExpectedState.APPROVED, APPLIED, None, None, number
    )
    apply.apply(session, number, hours(1))
    assert expected(session, principal, lamp) == [each]


def test_a_check_that_shows_it_publishes_it_and_supersedes_the_one_before(
    session: Session, principal: Principal, lamp: int
) -> None:
    applied(session, principal)
    show(session, hours(1), price=1900)
    assert verify_waiting(session, hours(1.5)) == (1, 0)
    [first] = expected(session, principal, lamp)
    assert (first.state, first.published_at, first.ended_at) == ("published", hours(1), None)
    applied(session, principal, new_price(1800, 1900), at=hours(2))
    assert states(session, principal, lamp) == [(1900, "published"), (1800, "approved")]
    show(session, hours(3), price=1800)
    assert verify_waiting(session, hours(3.5)) == (1, 0)
    first, second = expected(session, principal, lamp)
    assert (first.state, first.ended_at) == ("superseded", hours(3))
    assert (second.state, second.published_at) == ("published", hours(3))


def test_a_late_confirmation_leaves_a_newer_approval_expected(
    session: Session, principal: Principal, lamp: int
) -> None:
    applied(session, principal)
    assert verify_waiting(session, hours(24 * 15)) == (0, 1)
    approved(session, principal, new_price(1800), at=hours(24 * 16))
    show(session, hours(24 * 17), price=1900)
    assert verify_waiting(session, hours(24 * 17 + 1)) == (1, 0)
    assert states(session, principal, lamp) == [(1900, "published"), (1800, "approved")]


def test_another_field_is_not_superseded(session: Session, principal: Principal, lamp: int) -> None:
    applied(session, principal, new_title())
    applied(session, principal, at=hours(1))
    show(session, hours(2), price=1900)
    assert verify_waiting(session, hours(2.5)) == (1, 0)
    assert states(session, principal, lamp) == [(SHORTER, "approved"), (1900, "published")]


def test_undoing_expects_the_value_from_before(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = applied(session, principal, new_title())
    show(session, hours(1), listing=make_listing(SHORTER))
    verify_waiting(session, hours(1.5))
    apply.undo(session, principal, number, hours(2))
    withdrawn, back = expected(session, principal, lamp)
    assert (withdrawn.state, withdrawn.published_at, withdrawn.ended_at) == (
        "withdrawn",
        hours(1),
        hours(2),
    )
    assert back == ExpectedValue(
        ExpectedField.TITLE, TITLE, ExpectedState.APPROVED, hours(2), None, None, number, True
    )


def test_undoing_a_coupon_where_there_was_none_expects_none(
    session: Session, principal: Principal, lamp: int
) -> None:
    coupon = proposed(Change.SET_COUPON, {"percent": None}, {"percent": 5})
    number = applied(session, principal, coupon)
    apply.undo(session, principal, number, hours(1))
    assert states(session, principal, lamp) == [({"percent": 5}, "withdrawn"), (None, "approved")]


def test_what_is_out_of_date_or_failed_is_withdrawn_until_it_is_approved_again(
    session: Session, principal: Principal, lamp: int
) -> None:
    stale = approved(session, principal)
    show(session, hours(1), price=1950)
    apply.apply(session, stale, hours(2))
    [each] = expected(session, principal, lamp)
    assert (each.state, each.ended_at) == ("withdrawn", hours(2))
    failed = approved(session, principal, new_title(), at=hours(3))
    apply.mark_failed(session, failed, hours(4), "Amazon refused it.")
    assert states(session, principal, lamp)[1] == (SHORTER, "withdrawn")
    approve(session, principal, failed, hours(5))
    again = expected(session, principal, lamp)[1]
    assert (again.state, again.since, again.ended_at) == ("approved", hours(5), None)


def test_a_superseded_value_that_is_undone_keeps_its_end(
    session: Session, principal: Principal, lamp: int
) -> None:
    first = applied(session, principal)
    show(session, hours(1), price=1900)
    verify_waiting(session, hours(1.5))
    applied(session, principal, new_price(1800, 1900), at=hours(2))
    show(session, hours(3), price=1800)
    verify_waiting(session, hours(3.5))
    apply.undo(session, principal, first, hours(4))
    found = {
        each.action_id: each for each in expected(session, principal, lamp) if not each.is_undo
    }
    assert (found[first].state, found[first].ended_at) == ("withdrawn", hours(3))


def test_the_migration_fills_what_the_steps_write(
    session: Session, principal: Principal, lamp: int
) -> None:
    first = applied(session, principal)
    show(session, hours(1), price=1900)
    verify_waiting(session, hours(1.5))
    applied(session, principal, new_price(1800, 1900), at=hours(2))
    show(session, hours(3), price=1800)
    verify_waiting(session, hours(3.5))
    approved(session, principal, new_price(1750, 1800), at=hours(4), edited={"price": 1740})
    title = applied(session, principal, new_title(), at=hours(5))
    show(session, hours(6), price=1800, listing=make_listing(SHORTER))
    verify_waiting(session, hours(6.5))
    apply.undo(session, principal, title, hours(7))
    coupon = proposed(Change.SET_COUPON, {"percent": None}, {"percent": 5})
    apply.undo(session, principal, applied(session, principal, coupon, at=hours(8)), hours(9))
    written = expected(session, principal, lamp)
    assert len(written) == 7
    assert first in {each.action_id for each in written}
    session.execute(text("DELETE FROM expected_value"))
    filling = runpy.run_path(str(ROOT / MIGRATION))
    for name in ("_STORED", "_UNDONE", "_SUPERSEDED"):
        session.execute(text(filling[name].replace("::jsonb", "\\:\\:jsonb")))
    assert expected(session, principal, lamp) == written


def test_of_settings_and_for_another_team_nothing_is_expected(
    session: Session, principal: Principal, lamp: int
) -> None:
    applied(session, principal, new_cadence())
    assert expected(session, principal, lamp) == []
    applied(session, principal, at=hours(1))
    assert expected(session, add_stranger(session), lamp) == []
    assert read_expected_values(session, principal.team_id, []) == {}


def test_every_change_that_a_page_shows_has_a_field() -> None:
    on_page = {
        change
        for change, spec in SPECS.items()
        if isinstance(spec, PublishedChange) and spec.is_on_page
    }
    assert {change for change in Change if find_expected_field(change) is not None} == on_page


@pytest.mark.parametrize("change", [each for each in Change if find_expected_field(each)])
def test_a_kinds_own_value_is_read_and_confirms_it(change: Change) -> None:
    values = STORED[change]
    spec = SPECS[change]
    assert isinstance(spec, PublishedChange)
    assert read_expected_value(change, values) is not None
    assert spec.is_confirmed_by(values, values)
