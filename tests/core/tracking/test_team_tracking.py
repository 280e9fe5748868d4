"""A user's own and the team's lists, and who may change which rows."""

from decimal import Decimal

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.access.permissions import Role as AccountRole
from core.accounts.models import Person
from core.errors import NotAllowedError, NotFoundError
from core.history.product_summary import find_product_summary
from core.tracking import service
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy
from core.tracking.lists import freshness, queries
from core.tracking.rules import Cadence, Role
from core.tracking.service import NewTracking
from core.tracking.settings import TrackingSettings, change_settings
from tests.factories.people import add_colleague, add_member, add_stranger
from tests.factories.products import track_products
from tests.factories.tables import fetch_rows

ASIN, OTHER = "B0TEAM0001", "B0TEAM0002"
TEAM = ListFilter(scope=ListScope.TEAM)


def asins(session: Session, principal: Principal, asked: ListFilter) -> list[str]:
    found = queries.find_products(session, principal, asked, Sort(SortBy.TITLE), 1, 50)
    return sorted(found.rows["asin"])


def firsts(session: Session, product_id: int) -> list[int]:
    statement = "SELECT person_id FROM tracking WHERE product_id = :id AND is_first"
    return [row["person_id"] for row in fetch_rows(session, statement, id=product_id)]


def settings(note: str | None = None, cadence: Cadence = Cadence.DAILY) -> TrackingSettings:
    return TrackingSettings(Role.OWN, cadence, (), note, False, None, None)


@pytest.fixture
def mate(session: Session, principal: Principal) -> Principal:
    return add_colleague(session, principal, "Mate")


def test_the_teams_list_shows_each_product_once(
    session: Session, principal: Principal, mate: Principal
):
    track_products(session, principal, [ASIN])
    track_products(session, mate, [ASIN, OTHER])
    assert asins(session, principal, ListFilter()) == [ASIN]
    assert asins(session, mate, ListFilter()) == [ASIN, OTHER]
    assert asins(session, principal, TEAM) == [ASIN, OTHER]
    assert queries.count_products(session, principal, TEAM) == 2
    assert freshness.measure_freshness(session, principal, ListScope.TEAM).tracked == 2


def test_another_teams_products_are_not_in_it(session: Session, principal: Principal):
    outsider = add_stranger(session)
    track_products(session, outsider, [ASIN])
    assert asins(session, principal, TEAM) == []
    assert not queries.tracks_anything(session, principal, ListScope.TEAM)
    assert queries.list_marketplaces(session, principal, ["US"], ListScope.TEAM) == []
    assert queries.list_marketplaces(session, outsider, ["US"], ListScope.TEAM) == ["US"]


def test_each_team_has_a_first_of_its_own(session: Session, principal: Principal):
    outsider = add_stranger(session)
    [product] = track_products(session, outsider, [ASIN])
    track_products(session, principal, [ASIN])
    assert sorted(firsts(session, product)) == sorted([outsider.person_id, principal.person_id])


def test_when_the_first_leaves_the_next_is_first(
    session: Session, principal: Principal, mate: Principal
):
    [product] = track_products(session, principal, [ASIN])
    track_products(session, mate, [ASIN])
    assert firsts(session, product) == [principal.person_id]
    service.stop_tracking(session, principal, [product])
    assert firsts(session, product) == [mate.person_id]
    assert asins(session, principal, TEAM) == [ASIN]
    service.stop_tracking(session, mate, [product])
    assert firsts(session, product) == []


def test_a_manager_pauses_for_everybody(session: Session, principal: Principal, mate: Principal):
    manager = add_member(session, principal, AccountRole.MANAGER)
    [product] = track_products(session, principal, [ASIN])
    track_products(session, mate, [ASIN])
    assert service.pause(session, manager, [product], ListScope.TEAM) == 1
    assert (
        fetch_rows(session, "SELECT 1 FROM fetch_schedule WHERE product_id = :id", id=product) == []
    )
    assert service.resume(session, manager, [product], ListScope.TEAM) == 1


def test_a_manager_changes_a_teammates_settings(
    session: Session, principal: Principal, mate: Principal
):
    manager = add_member(session, principal, AccountRole.MANAGER)
    [product] = track_products(session, mate, [ASIN])
    change_settings(session, manager, product, settings("Raise it"), ListScope.TEAM)
    assert fetch_rows(session, "SELECT note FROM tracking WHERE product_id = :id", id=product) == [
        {"note": "Raise it"}
    ]
    with pytest.raises(NotFoundError):
        change_settings(session, manager, product, settings())


@pytest.mark.parametrize("verb", [service.pause, service.resume, service.stop_tracking])
def test_a_seller_does_not_change_the_teams_rows(
    session: Session, principal: Principal, mate: Principal, verb: object
):
    [product] = track_products(session, principal, [ASIN])
    with pytest.raises(NotAllowedError):
        verb(session, mate, [product], ListScope.TEAM)  # type: ignore[operator]
    with pytest.raises(NotAllowedError):
        service.add_tags(session, mate, [product], ["x"], ListScope.TEAM)
    with pytest.raises(NotAllowedError):
        change_settings(session, mate, product, settings(), ListScope.TEAM)


def test_a_manager_does_not_reach_into_another_team(session: Session, principal: Principal):
    outsider = add_stranger(session)
    [product] = track_products(session, outsider, [ASIN])
    manager = add_member(session, principal, AccountRole.MANAGER)
    assert service.pause(session, manager, [product], ListScope.TEAM) == 0
    assert service.stop_tracking(session, manager, [product], ListScope.TEAM) == 0
    with pytest.raises(NotFoundError):
        change_settings(session, manager, product, settings(), ListScope.TEAM)


def test_a_note_is_its_authors_and_the_managers(
    session: Session, principal: Principal, mate: Principal
):
    [product] = track_products(session, mate, [ASIN])
    change_settings(session, mate, product, settings("Secret plan"))
    viewer, manager = (
        add_member(session, principal, role) for role in (AccountRole.VIEWER, AccountRole.MANAGER)
    )

    def read(who: Principal) -> tuple[object, object]:
        listed = queries.find_products(session, who, TEAM, Sort(), 1, 50).rows["note"].iloc[0]
        head = find_product_summary(session, who, "US", ASIN)
        assert head is not None
        assert head.tracking is not None
        return listed, head.tracking.settings.note

    assert read(viewer) == (None, None)
    assert read(mate) == read(manager) == ("Secret plan", "Secret plan")


def test_a_summary_has_the_users_own_settings_before_a_teammates(
    session: Session, principal: Principal, mate: Principal
):
    [product] = track_products(session, mate, [ASIN])
    head = find_product_summary(session, principal, "US", ASIN)
    assert head is not None
    assert head.tracking is not None
    assert not head.tracking.is_mine
    track_products(session, principal, [ASIN])
    change_settings(session, principal, product, settings(cadence=Cadence.WEEKLY))
    head = find_product_summary(session, principal, "US", ASIN)
    assert head is not None
    assert head.tracking is not None
    assert head.tracking.is_mine
    assert head.tracking.settings.cadence is Cadence.WEEKLY


def test_new_products_begin_with_the_persons_usual_thresholds(
    session: Session, principal: Principal
):
    session.execute(
        update(Person)
        .where(Person.id == principal.person_id)
        .values(price_change_percent=Decimal("7.5"))
    )
    wishes = [NewTracking("US", ASIN), NewTracking("US", OTHER, price_change_percent=Decimal(2))]
    service.track(session, principal, wishes)
    found = fetch_rows(session, "SELECT price_change_percent AS p FROM tracking ORDER BY id")
    assert [row["p"] for row in found] == [Decimal("7.50"), Decimal("2.00")]


def test_only_one_row_of_a_product_is_the_first(session: Session, principal: Principal):
    index = "SELECT indexdef FROM pg_indexes WHERE indexname = 'uq_tracking_team_first'"
    assert "UNIQUE" in session.execute(text(index)).scalar_one()
