"""Silences: which incidents they are for, who may add and end them, what the audit keeps."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.alerts.incidents import silences
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.incidents.silences import (
    SILENCED,
    Silence,
    Silenced,
    SilenceRequest,
    find_silences,
)
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.tracking.rules import Role as ProductRole
from tests.factories.alerts import add_incident, add_rule
from tests.factories.observations import NOW
from tests.factories.people import add_member, add_stranger
from tests.factories.products import KETTLE, LAMP, track_products
from tests.factories.tables import fetch_rows

DAY = timedelta(days=1)
LAMP_GONE = Silenced(IncidentKind.OUT_OF_STOCK, 1, 11, "US")
USUAL = Silence(1, None, None, None, None, "A sale", NOW, NOW + DAY, "Mia", None)


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_products(session, principal, [LAMP], role=ProductRole.OWN)[0]


def request(**values: object) -> SilenceRequest:
    return replace(SilenceRequest("Restock is on its way", NOW + DAY), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("silence", "applies"),
    [
        (replace(USUAL, kind=IncidentKind.OUT_OF_STOCK), True),
        (replace(USUAL, product_id=1, marketplace="US"), True),
        (replace(USUAL, product_id=1, marketplace="DE"), False),  # all that is set must match
        (replace(USUAL, rule_id=12), False),
        (replace(USUAL, rule_id=11, begins_at=NOW + DAY / 2), False),
        (replace(USUAL, rule_id=11, ends_at=NOW), False),
    ],
)
def test_a_silence_is_for_what_matches_all_that_is_set(silence: Silence, applies: bool) -> None:
    assert bool(find_silences([silence], LAMP_GONE, NOW)) is applies


def test_of_several_the_one_that_ends_last_comes_first() -> None:
    short, long = (
        replace(USUAL, product_id=1),
        replace(USUAL, id=2, rule_id=11, ends_at=NOW + 3 * DAY),
    )
    assert [each.id for each in find_silences([short, long], LAMP_GONE, NOW)] == [2, 1]


def test_the_condition_in_sql_agrees_with_the_function(
    session: Session, principal: Principal, lamp: int
) -> None:
    [kettle] = track_products(session, principal, [KETTLE], "DE", role=ProductRole.OWN)
    rule = add_rule(session, principal)
    gone = add_incident(session, principal, lamp)
    lost = add_incident(session, principal, kettle, code="buy_box_lost")
    own = add_incident(session, principal, kettle, rule_id=rule)
    facts = {
        gone: Silenced(IncidentKind.OUT_OF_STOCK, lamp, 0, "US"),
        lost: Silenced(IncidentKind.BUY_BOX_LOST, kettle, 0, "DE"),
        own: Silenced(IncidentKind.TEAM_RULE, kettle, rule, "DE"),
    }
    found = text(
        "SELECT i.id FROM incident i JOIN alert_rule r ON r.id = i.rule_id "
        f"JOIN product p ON p.id = i.product_id WHERE {SILENCED.replace('%(now)s', ':now')}"
    )
    for wanted, expected in (
        (request(kind=IncidentKind.OUT_OF_STOCK), {gone}),
        (request(kind=IncidentKind.TEAM_RULE), {own}),
        (request(product_id=kettle), {lost, own}),
        (request(rule_id=rule), {own}),
        (request(marketplace="DE"), {lost, own}),
        (request(marketplace="DE", kind=IncidentKind.BUY_BOX_LOST), {lost}),
    ):
        number = silences.add_silence(session, principal, wanted, NOW)
        assert set(session.scalars(found, {"now": NOW})) == expected
        rows = silences.list_silences(session, principal, NOW)
        assert {
            each for each, is_of in facts.items() if find_silences(rows, is_of, NOW)
        } == expected
        assert silences.end_silence(session, principal, number, NOW + DAY / 2)
        assert not set(session.scalars(found, {"now": NOW + DAY / 2}))
        session.execute(text("DELETE FROM alert_silence"))


def test_a_silence_has_author_reason_and_end_and_is_ended_once(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = silences.add_silence(session, principal, request(product_id=lamp), NOW)
    [found] = silences.list_silences(session, principal, NOW)
    assert (found.created_by, found.reason) == (principal.name, "Restock is on its way")
    assert (found.begins_at, found.ends_at, found.ended_by) == (NOW, NOW + DAY, None)
    assert found.ends_soon(NOW)
    assert not found.ends_soon(NOW - DAY)
    assert silences.end_silence(session, principal, number, NOW + DAY / 2)
    assert not silences.end_silence(session, principal, number, NOW + DAY / 2)
    assert silences.list_silences(session, principal, NOW + DAY / 2) == []
    [before] = silences.list_silences_at(session, principal.team_id, NOW + DAY / 4)
    assert (before.ends_at, before.ended_by) == (NOW + DAY / 2, principal.name)
    rows = fetch_rows(session, "SELECT verb, object FROM audit_event WHERE verb LIKE '%alerts'")
    assert {(row["verb"], row["object"]) for row in rows} == {
        ("silenced alerts", f"alert_silence:{number}"),
        ("ended silence of alerts", f"alert_silence:{number}"),
    }


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (request(), "Choose a kind, a product, a rule or a marketplace"),
        (request(kind=IncidentKind.OUT_OF_STOCK, reason=" "), "Write why"),
        (request(kind=IncidentKind.OUT_OF_STOCK, reason="x" * 501), "at most 500 characters"),
        (request(kind=IncidentKind.OUT_OF_STOCK, ends_at=NOW), "within the next year"),
        (request(kind=IncidentKind.OUT_OF_STOCK, ends_at=NOW + 367 * DAY), "within the next year"),
        (request(marketplace="XX"), "Unknown marketplace"),
    ],
)
def test_what_is_no_silence_is_refused(
    session: Session, principal: Principal, wanted: SilenceRequest, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        silences.add_silence(session, principal, wanted, NOW)


def test_a_team_has_so_many_silences_at_a_time(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silences, "MOST_SILENCES", 1)
    silences.add_silence(session, principal, request(product_id=lamp), NOW)
    with pytest.raises(InvalidInputError, match="at most 1 silences"):
        silences.add_silence(session, principal, request(product_id=lamp), NOW)
    silences.add_silence(
        session, principal, request(product_id=lamp, ends_at=NOW + 3 * DAY), NOW + 2 * DAY
    )


def test_sellers_silence_what_they_track_and_managers_all(
    session: Session, principal: Principal, lamp: int
) -> None:
    seller = add_member(session, principal, Role.SELLER)
    with pytest.raises(NotAllowedError):
        silences.add_silence(session, seller, request(product_id=lamp), NOW)
    with pytest.raises(NotAllowedError):
        silences.add_silence(session, seller, request(kind=IncidentKind.OUT_OF_STOCK), NOW)
    [kettle] = track_products(session, seller, [KETTLE])
    own = silences.add_silence(session, seller, request(product_id=kettle), NOW)
    others = silences.add_silence(session, principal, request(product_id=lamp), NOW)
    with pytest.raises(NotAllowedError, match="Only a manager"):
        silences.end_silence(session, seller, others, NOW)
    assert silences.end_silence(session, seller, own, NOW)


def test_nothing_of_another_team_is_silenced(
    session: Session, principal: Principal, lamp: int
) -> None:
    stranger = add_stranger(session, Role.ADMIN)
    rule = add_rule(session, principal)
    for wanted in (request(product_id=lamp), request(rule_id=rule)):
        with pytest.raises(NotFoundError):
            silences.add_silence(session, stranger, wanted, NOW)
    silences.add_silence(session, principal, request(product_id=lamp), NOW)
    assert silences.list_silences(session, stranger, NOW) == []
