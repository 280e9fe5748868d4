"""Operations of tracking: each acts for the principal, and only on their own rows."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.models import AuditEvent, Person
from core.errors import InvalidInputError, NotFoundError
from core.tracking.rules import Cadence, Role
from core.tracking.service import (
    NewTracking,
    add_tags,
    clean_tags,
    pause,
    request_checks,
    resume,
    stop_tracking,
    sync_schedule,
    track,
)
from core.tracking.settings import TrackingSettings, change_settings
from tests.factories.people import add_colleague, add_stranger
from tests.factories.products import KETTLE, LAMP, add_product, track_products
from tests.factories.tables import fetch_row, fetch_rows, fetch_schedule


def tracking(session: Session, principal: Principal, product_id: int) -> dict[str, Any] | None:
    session.flush()
    found = fetch_rows(
        session,
        "SELECT * FROM tracking WHERE person_id = :person AND product_id = :id",
        person=principal.person_id,
        id=product_id,
    )
    return found[0] if found else None


def cadence_minutes(session: Session, product_id: int) -> int | None:
    found = fetch_schedule(session, product_id)
    return None if found is None else found["cadence_minutes"]


def settings_of(**values: Any) -> TrackingSettings:
    usual: dict[str, Any] = {
        "role": Role.OWN,
        "cadence": Cadence.HOURLY,
        "tags": (),
        "note": None,
        "is_primary": False,
        "price_change_percent": None,
        "rank_change_percent": None,
    }
    return TrackingSettings(**(usual | values))


def test_a_tracked_product_is_due_at_once(session: Session, principal: Principal) -> None:
    (lamp,) = track_products(session, principal, [LAMP])
    due = fetch_schedule(session, lamp)
    assert due is not None
    assert (due["provider"], due["marketplace"], due["cadence_minutes"]) == ("apify", "US", 1440)
    assert fetch_row(session, "SELECT now() >= :due AS is_due", due=due["due_at"])["is_due"]


def test_a_demo_product_is_fetched_at_home(session: Session, principal: Principal) -> None:
    (lamp,) = track_products(session, principal, [LAMP], is_demo=True)
    assert fetch_schedule(session, lamp)["provider"] == "demo"


def test_without_fetching_nothing_is_due(session: Session, principal: Principal) -> None:
    (lamp,) = track_products(session, principal, [LAMP], fetch=False)
    assert fetch_schedule(session, lamp) is None


def test_each_wish_gets_its_answer_in_order(session: Session, principal: Principal) -> None:
    (lamp,) = track_products(session, principal, [LAMP])
    answers = track(
        session, principal, [NewTracking("US", name) for name in (KETTLE, LAMP, KETTLE)]
    )
    assert [answer.is_new for answer in answers] == [True, False, False]
    assert answers[1].product_id == lamp
    assert answers[0].product_id == answers[2].product_id


def test_tracking_again_keeps_what_the_request_leaves_out(
    session: Session, principal: Principal
) -> None:
    how: dict[str, Any] = {"role": Role.OWN, "cadence": Cadence.HOURLY, "note": "Mine"}
    (lamp,) = track_products(session, principal, [LAMP], tags=("a",), **how)
    track_products(session, principal, [LAMP], tags=("b",), price_change_percent=Decimal(5))
    kept = tracking(session, principal, lamp)
    assert kept is not None
    assert (kept["role"], kept["cadence"], kept["note"]) == ("own", "hourly", "Mine")
    assert (kept["tags"], kept["price_change_percent"]) == (["a", "b"], 5)


def test_two_wishes_for_one_product_both_count(session: Session, principal: Principal) -> None:
    wishes = [
        NewTracking("US", LAMP, tags=("first",), note="Kept"),
        NewTracking("US", LAMP, tags=("second",), cadence=Cadence.HOURLY),
    ]
    lamp = track(session, principal, wishes)[0].product_id
    kept = tracking(session, principal, lamp)
    assert kept is not None
    assert (kept["tags"], kept["note"], kept["cadence"]) == (["first", "second"], "Kept", "hourly")
    assert cadence_minutes(session, lamp) == 60


def test_the_fastest_of_several_cadences_wins(session: Session, principal: Principal) -> None:
    other = add_colleague(session, principal)
    (lamp,) = track_products(session, principal, [LAMP], cadence=Cadence.WEEKLY)
    track_products(session, other, [LAMP], cadence=Cadence.HOURLY)
    assert cadence_minutes(session, lamp) == 60
    stop_tracking(session, other, [lamp])
    assert cadence_minutes(session, lamp) == 10080


def test_a_pause_of_one_person_does_not_stop_another(
    session: Session, principal: Principal
) -> None:
    other = add_colleague(session, principal)
    (lamp,) = track_products(session, principal, [LAMP], cadence=Cadence.HOURLY)
    track_products(session, other, [LAMP], cadence=Cadence.DAILY)
    assert pause(session, principal, [lamp]) == 1
    assert cadence_minutes(session, lamp) == 1440
    assert tracking(session, other, lamp)["paused_at"] is None
    assert pause(session, principal, [lamp]) == 0


def test_a_product_that_everybody_paused_is_not_fetched(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track_products(session, principal, [LAMP])
    pause(session, principal, [lamp])
    assert fetch_schedule(session, lamp) is None
    assert resume(session, principal, [lamp]) == 1
    assert cadence_minutes(session, lamp) == 1440


def test_removing_leaves_the_history_and_other_people(
    session: Session, principal: Principal
) -> None:
    other = add_stranger(session)
    lamp, kettle = track_products(session, principal, [LAMP, KETTLE])
    track_products(session, other, [LAMP])
    assert stop_tracking(session, principal, [lamp, kettle]) == 2
    assert fetch_schedule(session, lamp) is not None
    assert fetch_schedule(session, kettle) is None
    assert tracking(session, other, lamp) is not None
    assert fetch_row(session, "SELECT count(*) AS n FROM product")["n"] == 2


def test_a_product_in_a_run_leaves_the_schedule_only_when_the_fetch_ends(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track_products(session, principal, [LAMP])
    session.execute(text("UPDATE fetch_schedule SET leased_until = now() + interval '1 hour'"))
    stop_tracking(session, principal, [lamp])
    assert fetch_schedule(session, lamp) is not None


@pytest.mark.parametrize("operation", [pause, stop_tracking, request_checks])
def test_a_strangers_operation_does_not_change_my_products(
    session: Session, principal: Principal, operation: Any
) -> None:
    (lamp,) = track_products(session, principal, [LAMP])
    before, due = tracking(session, principal, lamp), fetch_schedule(session, lamp)
    assert operation(session, add_stranger(session), [lamp]) == 0
    assert tracking(session, principal, lamp) == before
    assert fetch_schedule(session, lamp) == due


def test_a_stranger_can_neither_tag_nor_set_my_products(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track_products(session, principal, [LAMP])
    other = add_stranger(session)
    assert add_tags(session, other, [lamp], ["x"]) == 0
    with pytest.raises(NotFoundError):
        change_settings(session, other, lamp, settings_of())
    assert tracking(session, principal, lamp)["tags"] == []


def test_tags_are_added_to_those_that_are_there(session: Session, principal: Principal) -> None:
    (lamp,) = track_products(session, principal, [LAMP], tags=("b",))
    assert add_tags(session, principal, [lamp], ["  a ", "b", ""]) == 1
    assert tracking(session, principal, lamp)["tags"] == ["a", "b"]


def test_changed_settings_replace_the_old_ones_and_the_cadence(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track_products(session, principal, [LAMP], tags=("old",))
    change_settings(
        session, principal, lamp, settings_of(tags=("new",), is_primary=True, note="x\0")
    )
    kept = tracking(session, principal, lamp)
    assert kept is not None
    assert (kept["tags"], kept["is_primary"], kept["note"]) == (["new"], True, "x")
    assert cadence_minutes(session, lamp) == 60


@pytest.mark.parametrize(
    "values",
    [
        {"price_change_percent": Decimal(0)},
        {"rank_change_percent": Decimal(10_001)},
        {"note": "x" * 4001},
        {"tags": ("x" * 41,)},
    ],
    ids=lambda values: next(iter(values)),
)
def test_settings_out_of_bounds_are_refused(
    session: Session, principal: Principal, values: dict[str, Any]
) -> None:
    (lamp,) = track_products(session, principal, [LAMP])
    with pytest.raises(InvalidInputError):
        change_settings(session, principal, lamp, settings_of(**values))


def test_tags_are_cleaned_of_doubles_spaces_and_hidden_characters() -> None:
    assert clean_tags([" b  c ", "a", "a", "", "\0", "x\x1fy"]) == ["a", "b c", "x y"]


def test_a_refresh_makes_a_product_due_ahead_of_the_others(
    session: Session, principal: Principal
) -> None:
    lamp, kettle = track_products(session, principal, [LAMP, KETTLE])
    session.execute(text("UPDATE fetch_schedule SET due_at = now() + interval '1 day'"))
    assert request_checks(session, principal, [lamp]) == 1
    asked = fetch_schedule(session, lamp)
    assert asked is not None
    assert (asked["priority"], asked["requested_at"] is not None) == (0, True)
    assert fetch_schedule(session, kettle)["priority"] == 1


def test_a_product_in_a_run_is_not_asked_for_twice(session: Session, principal: Principal) -> None:
    (lamp,) = track_products(session, principal, [LAMP])
    session.execute(text("UPDATE fetch_schedule SET leased_until = now() + interval '1 hour'"))
    assert request_checks(session, principal, [lamp]) == 0


def test_a_paused_product_may_be_asked_for_once(session: Session, principal: Principal) -> None:
    (lamp,) = track_products(session, principal, [LAMP])
    pause(session, principal, [lamp])
    assert request_checks(session, principal, [lamp]) == 1
    assert tracking(session, principal, lamp)["paused_at"] is not None


def test_a_request_does_not_restore_a_paused_users_cadence(
    session: Session, principal: Principal
) -> None:
    other = add_colleague(session, principal)
    (lamp,) = track_products(session, principal, [LAMP], cadence=Cadence.HOURLY)
    track_products(session, other, [LAMP], cadence=Cadence.DAILY)
    pause(session, principal, [lamp])
    request_checks(session, other, [lamp])
    assert cadence_minutes(session, lamp) == 1440


def test_a_faster_cadence_makes_the_product_due_earlier(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track_products(session, principal, [LAMP], cadence=Cadence.WEEKLY)
    session.execute(
        text("UPDATE fetch_schedule SET looked_at = now(), due_at = now() + interval '7 days'")
    )
    change_settings(session, principal, lamp, settings_of(cadence=Cadence.HOURLY))
    due = fetch_row(
        session, "SELECT due_at <= now() + interval '1 hour' AS soon FROM fetch_schedule"
    )
    assert due["soon"]


def test_updating_the_schedule_twice_changes_nothing(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track_products(session, principal, [LAMP])
    before = fetch_schedule(session, lamp)
    sync_schedule(session, [lamp])
    sync_schedule(session, [])
    assert fetch_schedule(session, lamp) == before


def test_a_product_that_no_one_tracks_is_not_fetched(session: Session) -> None:
    lamp = add_product(session)
    sync_schedule(session, [lamp])
    assert fetch_schedule(session, lamp) is None


def read_events(session: Session) -> list[tuple[str, str | None, dict[str, Any] | None]]:
    """Return the audit's events in order: verb, object, new values."""
    events = session.execute(
        select(AuditEvent.verb, AuditEvent.object, AuditEvent.new).order_by(AuditEvent.id)
    )
    return [tuple(event) for event in events]


def test_tracking_many_products_is_one_audit_event(session: Session, principal: Principal) -> None:
    ids = track_products(session, principal, [LAMP, KETTLE])
    track_products(session, principal, [LAMP])  # tracked already: nothing changed
    assert read_events(session) == [("followed", "product", {"count": 2, "ids": sorted(ids)})]


def test_changed_settings_are_recorded_with_old_and_new_values(
    session: Session, principal: Principal
) -> None:
    [lamp] = track_products(session, principal, [LAMP])
    wanted = TrackingSettings(
        Role.OWN, Cadence.HOURLY, ("desk",), "Look here", True, Decimal("7.5"), None
    )
    change_settings(session, principal, lamp, wanted)
    change_settings(session, principal, lamp, wanted)  # the same again: nothing happened
    events = session.scalars(select(AuditEvent).where(AuditEvent.verb == "changed settings")).all()
    assert [event.object for event in events] == [f"product:{lamp}"]
    old, new = events[0].old, events[0].new
    assert old is not None
    assert new is not None
    assert (old["role"], old["cadence"], old["note"], old["tags"]) == ("watched", "daily", None, [])
    assert (new["role"], new["cadence"], new["note"], new["tags"]) == (
        "own",
        "hourly",
        "Look here",
        ["desk"],
    )


def test_every_other_operation_is_recorded_with_what_it_changed(
    session: Session, principal: Principal
) -> None:
    [lamp] = track_products(session, principal, [LAMP])
    add_tags(session, principal, [lamp], ["desk"])
    pause(session, principal, [lamp])
    pause(session, principal, [lamp])
    resume(session, principal, [lamp])
    request_checks(session, principal, [lamp])
    stop_tracking(session, principal, [lamp])
    stop_tracking(session, principal, [lamp])
    expected = ["followed", "tagged", "paused", "resumed", "asked for a fetch", "unfollowed"]
    assert [operation for operation, _, _ in read_events(session)] == expected
    assert {thing for _, thing, _ in read_events(session)} == {f"product:{lamp}"}


def test_newly_tracked_products_have_the_users_default_thresholds(
    session: Session, principal: Principal
) -> None:
    before = track_products(session, principal, [KETTLE])[0]
    person = session.get_one(Person, principal.person_id)
    person.price_change_percent, person.rank_change_percent = Decimal("7.5"), Decimal(30)
    session.flush()
    [after] = track(session, principal, [NewTracking("US", LAMP, rank_change_percent=Decimal(80))])
    kept = tracking(session, principal, after.product_id)
    assert kept is not None
    assert (kept["price_change_percent"], kept["rank_change_percent"]) == (Decimal("7.5"), 80)
    track(session, principal, [NewTracking("US", KETTLE)])
    old = tracking(session, principal, before)
    assert old is not None
    assert old["price_change_percent"] is None
