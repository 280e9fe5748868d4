"""Open issues, the incidents of a period and of a product, as a team finds them."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.evaluation.fold import Finding, IncidentState
from core.alerts.incidents import queries
from core.alerts.incidents.incident_filter import Handling, IncidentFilter, IncidentKind
from core.alerts.models import StoredIncident, StoredRule
from core.alerts.rules.builtin import OPEN_ISSUES, THRESHOLD_CODES
from core.alerts.rules.rule import Severity
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role
from tests.factories.alerts import add_incident, add_rule
from tests.factories.observations import NOON, NOW
from tests.factories.people import add_colleague, add_stranger
from tests.factories.products import KETTLE, LAMP, track_products

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ALL = IncidentFilter()


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_products(session, principal, [LAMP], role=Role.OWN)[0]


@pytest.fixture
def kettle(session: Session, principal: Principal) -> int:
    return track_products(session, principal, [KETTLE], "DE", role=Role.COMPETITOR)[0]


def issues(session: Session, principal: Principal, **filtered: object) -> list[int]:
    wanted = IncidentFilter(**filtered)  # type: ignore[arg-type]
    return [each.id for each in queries.find_open_issues(session, principal, wanted, NOW).rows]


def test_an_open_issue_has_its_product_rule_and_findings(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp, NOON + HOUR, rule_version=1)
    [found] = queries.find_open_issues(session, principal, ALL, NOW).rows
    assert (found.id, found.product_id, found.marketplace, found.asin) == (number, lamp, "US", LAMP)
    assert (found.kind, found.role, found.state) == (
        IncidentKind.OUT_OF_STOCK,
        Role.OWN,
        IncidentState.FIRING,
    )
    assert found.findings == (Finding(7, NOON + HOUR, 1, NOON),)
    assert found.name_rule() == "Out of stock"
    assert found.describe("UTC", NOW).startswith("Out of stock since 2 Mar 2026, 13:00")


def test_findings_of_a_changed_rule_of_the_team_are_not_read_as_what_it_watches_now(
    session: Session, principal: Principal, lamp: int
) -> None:
    finding = Finding(1700, NOON, 2000, NOON)
    own = add_rule(session, principal)
    add_incident(session, principal, lamp, rule_id=own, findings=(finding,))
    add_incident(
        session, principal, lamp, code="price_change", findings=(finding,), severity="info"
    )
    session.execute(update(StoredRule).values(version=2))
    first, second = queries.find_open_issues(session, principal, ALL, NOW).rows
    assert first.describe("UTC", NOW) == "Values not kept: the rule was changed since"
    assert second.describe("UTC", NOW).startswith("Price $20.00")


def test_without_own_sellers_a_buy_box_moved(
    session: Session, principal: Principal, lamp: int
) -> None:
    finding = Finding("Other Shop", NOON, "Bright Shop", NOON)
    add_incident(session, principal, lamp, code="buy_box_lost", findings=(finding,))
    [found] = queries.find_open_issues(session, principal, ALL, NOW).rows
    assert found.name_rule() == "Buy Box moved"
    assert "moved from Bright Shop" in found.describe("UTC", NOW)


def test_the_worst_comes_first_then_what_lasts_longest(
    session: Session, principal: Principal, lamp: int, kettle: int
) -> None:
    info = add_incident(session, principal, lamp, NOON, severity="info")
    warning = add_incident(session, principal, lamp, NOON + HOUR, severity="warning")
    later = add_incident(session, principal, lamp, NOON + 3 * HOUR)
    critical = add_incident(session, principal, kettle, NOON + 2 * HOUR)
    assert issues(session, principal) == [critical, later, warning, info]


def test_what_ended_is_muted_or_switched_off_is_no_open_issue(
    session: Session, principal: Principal, lamp: int
) -> None:
    flapping = add_incident(session, principal, lamp, NOON, state="flapping")
    for hours, state in enumerate(("resolved", "withdrawn"), start=1):
        add_incident(session, principal, lamp, NOON + hours * HOUR, state=state)
    muted = add_incident(session, principal, lamp, NOON + 4 * HOUR, muted_by="listing_removed")
    add_incident(session, principal, lamp, code="listing_removed", rule_id=add_rule(
        session, principal, code="listing_removed", is_on=False
    ))  # fmt: skip
    assert issues(session, principal) == [flapping]
    counts = queries.group_open_issues(session, principal, ALL, NOW)
    assert (counts.total, counts.muted) == (1, 1)
    session.execute(update(StoredIncident).where(StoredIncident.id == muted).values(muted_by=None))
    assert issues(session, principal) == [flapping, muted]


def test_what_lasts_from_before_its_rule_is_an_open_issue(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp, silent_reason="before_rule")
    assert issues(session, principal) == [number]


def test_snoozed_and_acknowledged_ones_stay_and_can_be_filtered(
    session: Session, principal: Principal, lamp: int
) -> None:
    new = add_incident(session, principal, lamp, NOON)
    known = add_incident(session, principal, lamp, NOON + HOUR, acknowledged_at=NOW)
    snoozed = add_incident(session, principal, lamp, NOON + 2 * HOUR, snoozed_until=NOW + HOUR)
    over = add_incident(session, principal, lamp, NOON + 3 * HOUR, snoozed_until=NOW)
    assert issues(session, principal) == [new, known, snoozed, over]
    found = queries.find_open_issues(session, principal, ALL, NOW).rows
    for handling, numbers in (
        (Handling.NEW, [new, over]),
        (Handling.ACKNOWLEDGED, [known]),
        (Handling.SNOOZED, [snoozed]),
    ):
        assert issues(session, principal, handling=(handling,)) == numbers
        assert [each.id for each in found if each.get_handling(NOW) is handling] == numbers


def test_filters_narrow_the_list_and_the_counts(
    session: Session, principal: Principal, lamp: int, kettle: int
) -> None:
    mine = add_rule(session, principal)
    own = add_incident(session, principal, lamp)
    other = add_incident(session, principal, kettle, rule_id=mine, severity="info")
    for filtered in (
        {"roles": (Role.OWN,)},
        {"marketplaces": ("US",)},
        {"kinds": (IncidentKind.OUT_OF_STOCK, IncidentKind.BUY_BOX_LOST)},
        {"severities": (Severity.CRITICAL,)},
        {"product_id": lamp},
    ):
        assert issues(session, principal, **filtered) == [own], filtered
        wanted = IncidentFilter(**filtered)  # type: ignore[arg-type]
        assert queries.count_open_issues(session, principal, wanted, NOW) == 1
        assert queries.group_open_issues(session, principal, wanted, NOW).total == 1
    assert issues(session, principal, kinds=(IncidentKind.TEAM_RULE,)) == [other]
    assert issues(session, principal, rule_id=mine) == [other]
    counts = queries.group_open_issues(session, principal, ALL, NOW)
    assert counts.severities == {Severity.CRITICAL: 1, Severity.INFO: 1}
    assert counts.kinds == {IncidentKind.OUT_OF_STOCK: 1, IncidentKind.TEAM_RULE: 1}


def test_a_list_of_ones_own_leaves_out_what_only_colleagues_track(
    session: Session, principal: Principal, lamp: int
) -> None:
    colleague = add_colleague(session, principal)
    [theirs] = track_products(session, colleague, [KETTLE])
    own = add_incident(session, principal, lamp)
    other = add_incident(session, principal, theirs, NOON + HOUR)
    assert issues(session, principal) == [own, other]
    assert issues(session, principal, scope=ListScope.MINE) == [own]
    assert issues(session, colleague, scope=ListScope.MINE) == [other]


def test_a_product_that_several_users_track_is_listed_once(
    session: Session, principal: Principal, lamp: int
) -> None:
    colleague = add_colleague(session, principal)
    track_products(session, colleague, [LAMP])
    number = add_incident(session, principal, lamp)
    assert issues(session, principal) == [number]
    assert issues(session, colleague, scope=ListScope.MINE) == [number]


def test_another_team_sees_nothing(session: Session, principal: Principal, lamp: int) -> None:
    stranger = add_stranger(session)
    track_products(session, stranger, [LAMP])
    add_incident(session, principal, lamp)
    assert issues(session, stranger) == []
    assert queries.count_open_issues(session, stranger, ALL, NOW) == 0
    assert queries.group_open_issues(session, stranger, ALL, NOW).total == 0
    found = queries.find_incidents(session, stranger, ALL, (NOON - DAY, NOW), NOW)
    assert found.total == 0


def test_a_list_is_turned_by_its_offset(session: Session, principal: Principal, lamp: int) -> None:
    numbers = [add_incident(session, principal, lamp, NOON + n * HOUR) for n in range(5)]
    pages = [
        queries.find_open_issues(session, principal, ALL, NOW, skipped, 2) for skipped in (0, 2, 4)
    ]
    assert [each.id for page in pages for each in page.rows] == numbers
    assert {page.total for page in pages} == {5}
    assert [page.has_more for page in pages] == [True, True, False]
    beyond = queries.find_open_issues(session, principal, ALL, NOW, 6, 2)
    assert (beyond.rows, beyond.total, beyond.has_more) == ([], 5, False)


def test_beyond_a_number_lists_are_not_counted_and_can_still_be_turned(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "COUNTED", 2)
    numbers = [add_incident(session, principal, lamp, NOON + n * HOUR) for n in range(5)]
    found = queries.find_open_issues(session, principal, ALL, NOW, 3, 2)
    assert ([each.id for each in found.rows], found.total) == (numbers[3:], 3)
    assert queries.count_open_issues(session, principal, ALL, NOW) == 3


def test_a_period_holds_incidents_of_every_state_with_their_reason(
    session: Session, principal: Principal, lamp: int
) -> None:
    def listed(since: datetime, until: datetime) -> list[tuple[str, str | None, str | None]]:
        found = queries.find_incidents(session, principal, ALL, (since, until), NOW)
        assert found.total == len(found.rows)
        return [(each.state.value, each.silent_reason, each.muted_by) for each in found.rows]

    add_incident(session, principal, lamp, NOON)
    add_incident(session, principal, lamp, NOON + HOUR, state="withdrawn", withdrawn_at=NOW)
    add_incident(session, principal, lamp, NOON + 2 * HOUR, state="resolved", silent_reason="late")
    add_incident(session, principal, lamp, NOON + 3 * HOUR, muted_by="outage")
    assert listed(NOON, NOON + 4 * HOUR) == [
        ("firing", None, "outage"),
        ("resolved", "late", None),
        ("withdrawn", None, None),
        ("firing", None, None),
    ]
    assert listed(NOON + HOUR, NOON + 2 * HOUR) == [("withdrawn", None, None)]


def test_every_built_in_rule_and_threshold_is_a_kind() -> None:
    codes = {*(each.code for each in OPEN_ISSUES), *THRESHOLD_CODES}
    assert codes == {each.value for each in IncidentKind} - {IncidentKind.TEAM_RULE.value}


def test_what_is_worse_by_what_it_is_comes_first_among_equally_severe_issues(
    session: Session, principal: Principal, lamp: int
) -> None:
    first = add_incident(session, principal, lamp, NOON, code="buy_box_lost")
    later = add_incident(session, principal, lamp, NOON + HOUR, code="out_of_stock")
    gone = add_incident(session, principal, lamp, NOON + 2 * HOUR, code="listing_removed")
    rank = add_incident(
        session, principal, lamp, NOON - HOUR, code="rank_below_usual", severity="warning"
    )
    found = queries.find_open_issues(session, principal, ALL, NOW, is_by_kind=True)
    assert [each.id for each in found.rows] == [gone, later, first, rank]
    assert issues(session, principal) == [first, later, gone, rank]


def test_issues_are_counted_at_each_moment(
    session: Session, principal: Principal, lamp: int, kettle: int
) -> None:
    add_incident(session, principal, lamp, NOON - 2 * DAY)
    add_incident(
        session, principal, lamp, NOON - 3 * DAY, code="buy_box_lost", state="resolved",
        ended_at=NOON - HOUR,
    )  # fmt: skip
    add_incident(session, principal, kettle, NOON - HOUR)
    add_incident(
        session, principal, lamp, NOON - 4 * DAY, code="listing_removed", state="withdrawn",
        withdrawn_at=NOON,
    )  # fmt: skip
    moments = [NOON - 4 * DAY, NOON - 2 * DAY, NOON]

    def counts(**filtered: object) -> list[int]:
        wanted = IncidentFilter(**filtered)  # type: ignore[arg-type]
        return queries.count_issues_at(session, principal, wanted, moments, NOON)

    assert counts() == [0, 2, 2]
    assert counts(roles=(Role.OWN,)) == [0, 2, 1]
    assert counts(marketplaces=("DE",)) == [0, 0, 1]
    assert queries.count_issues_at(session, add_stranger(session), ALL, moments, NOON) == [0, 0, 0]
