"""A database that the code of 6ba1250 filled, brought to the newest schema: nothing is lost.

What is in it: README.md beside this file.
"""

import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from core.accounts.access import audit, one_time_tokens, sessions
from core.accounts.access.api_tokens import find_bearer
from core.accounts.access.credentials import verify_password
from core.accounts.access.permissions import Principal, Via
from core.accounts.login import two_factor
from core.accounts.people.membership import get_principal
from core.alerts.engine.rule_starts import list_unstarted_rules, start_rule
from core.alerts.rules.builtin import (
    PRICE_CHANGE,
    RANK_CHANGE,
    make_new_rules,
    make_threshold_rule,
)
from core.alerts.rules.queries import read_active_rules
from core.database import migrate
from core.database import session as db
from core.history.expected.queries import read_expected_values
from core.history.expected.rules import ExpectedField, ExpectedState, ExpectedValue
from core.history.periods.roll import list_due_days, roll_products
from core.history.provenance.provenance import find_latest_provenance
from core.metadata import metadata
from core.suggestions.execution import apply
from core.suggestions.proposals.store import store_advice
from core.suggestions.review import service
from core.suggestions.rules import ActionState, Advisor
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy
from core.tracking.lists.queries import find_rows
from tests.factories.evaluation import evaluate_new, list_incidents
from tests.factories.observations import make_observation, store_observations
from tests.factories.suggestions import advice, new_price
from tests.factories.tables import fetch_change, fetch_rows
from tests.mcp_server.conftest import Agent
from tests.test_migrations import is_described

DUMP = Path(__file__).parent / "database_6ba1250.sql.gz"
SOON = datetime(2026, 11, 30, 0, 50, tzinfo=UTC)  # a quarter of an hour after it was filled
LAMP_ID, KETTLE_ID, DESK_ID, JAR_ID = 4, 5, 6, 7

SECRET_KEY = "a-key-of-the-kept-database-and-of-nothing-else"
API_TOKEN = "amz_JVZM2teu3zRSEXByPvwZKLCju9ZFH3VdMCA09EEW9LE"
REVOKED_TOKEN = "amz_49buu7i7NuQhplKof6E2bGA9wCQLPANWfKk2KZKMcxs"
COOKIE_OF_SAM = "LisARAEEUfrAJ2Il2JjukZ37q_-yaM3QRMJxPts-Bow"
RESET_LINK_OF_SAM = "GxmTFh_HlgtXelX-Xi1wlQSuWddyeJGy7WSjo7_0CJs"
RECOVERY_CODE_OF_MIA = "4bvza-m6kux"
AUDIT_HEAD = "108476373889a6104f27a966942aa49c364fed25330b3419ce6e55a1ecaff782"
# What a user could type then, with a sentence that it has no effect.
BELOW_THE_FLOORS = b"""
UPDATE public.tracking SET price_change_percent = 3, rank_change_percent = 30
WHERE person_id = 1 AND product_id = 5;
UPDATE public.person SET rank_change_percent = 20 WHERE id = 3
"""


@pytest.fixture(scope="module")
def upgraded(server_url: str) -> Iterator[str]:
    """The address of the kept database, brought to the newest schema."""
    name = f"amazcope_{uuid4().hex[:12]}"
    url = f"{server_url.rsplit('/', 1)[0]}/{name}"
    server = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(gzip.decompress(DUMP.read_bytes()))
        connection.execute(BELOW_THE_FLOORS)
    migrate.upgrade(url)
    yield url
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    server.dispose()


@pytest.fixture(scope="module")
def engine(upgraded: str) -> Iterator[Engine]:
    """An engine on it, in place of the empty database that other tests have."""
    engine = db.make_engine(upgraded)
    yield engine
    engine.dispose()


@pytest.fixture
def olga(session: Session) -> Principal:
    return get_principal(session, 1, Via.PAGE)


@pytest.fixture
def sam(session: Session) -> Principal:
    return get_principal(session, 2, Via.PAGE)


@pytest.fixture
def mia(session: Session) -> Principal:
    return get_principal(session, 3, Via.PAGE)


def listed(session: Session, principal: Principal, whose: ListScope = ListScope.MINE) -> set[str]:
    asked = ListFilter(scope=whose)
    found = find_rows(session, principal, asked, Sort(SortBy.TITLE), 0, 50)
    return {row["asin"] for row in found.rows}


def test_its_schema_is_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        assert migrate.current_revision(connection) == migrate.head_revision()
        options = {
            "include_object": is_described,
            "compare_type": True,
            "compare_server_default": False,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_its_audit_is_whole_and_holds_the_head_that_was_noted(session: Session) -> None:
    verified = audit.verify_chain(session, AUDIT_HEAD)
    assert (verified.sealed, verified.unsealed, verified.broken_at) == (30, 1, None)
    assert verified.has_noted
    assert audit.seal_events(session) == 1
    assert audit.verify_chain(session, AUDIT_HEAD).broken_at is None


def test_its_two_lists_are_as_they_were(session: Session, olga: Principal, sam: Principal) -> None:
    demo = {"B0DEMO0101", "B0DEMO0102", "B0TEST9999"}  # fetched from a local server once
    assert listed(session, olga) == {"B0TEST0001", "B0TEST0002", "B0TEST0008"} | demo
    assert listed(session, sam) == {"B0TEST0002", "B0TEST0003", "B0TEST0004"}
    assert listed(session, sam, ListScope.TEAM) == listed(session, olga) | listed(session, sam)
    [own] = fetch_rows(session, "SELECT * FROM tracking WHERE person_id = 1 AND product_id = 4")
    assert (own["tags"], own["note"], str(own["price_change_percent"])) == (
        ["best", "light"],
        "Ours since May",
        "7.50",
    )
    [desk] = fetch_rows(session, "SELECT * FROM tracking WHERE person_id = 2 AND product_id = 6")
    assert desk["paused_at"] is not None


def test_its_histories_are_as_they_were(session: Session) -> None:
    counted = {
        row["product_id"]: row["n"]
        for row in fetch_rows(session, "SELECT product_id, count(*) AS n FROM snapshot GROUP BY 1")
    }
    assert [counted[each] for each in (LAMP_ID, KETTLE_ID, DESK_ID, JAR_ID)] == [101, 56, 20, 34]
    [slip] = fetch_rows(session, "SELECT price, currency FROM snapshot WHERE flags <> 0")
    assert slip == {"price": 29, "currency": "JPY"}
    found = find_latest_provenance(session, LAMP_ID, "price")
    assert found is not None


def test_its_days_have_the_availability_and_the_seller_at_their_close(session: Session) -> None:
    found = fetch_rows(
        session,
        "SELECT day, availability_close AS stock, seller_close AS seller FROM product_daily "
        "WHERE product_id = :id AND day >= '2026-11-01' ORDER BY day",
        id=KETTLE_ID,
    )
    assert {(row["stock"], row["seller"]) for row in found} == {(1, "Pot & Co")}


def test_what_changed_since_yesterday_is_kept_until_the_first_roll(session: Session) -> None:
    kept = fetch_change(session, LAMP_ID)
    assert (kept["day"], kept["day_price"], kept["day_bsr"]) == (None, 1900, 598)
    due = list_due_days(session, SOON)
    assert LAMP_ID in roll_products(session, "US", due["US"], 0)
    kept = fetch_change(session, LAMP_ID)
    assert (kept["day"], kept["day_price"]) == (date(2026, 11, 29), None)
    assert (kept["month_price"], kept["month_seller"]) == (1900, "Bright Shop")


def test_its_people_get_in_by_all_their_ways(
    session: Session, olga: Principal, sam: Principal, mia: Principal
) -> None:
    for who, word in ((olga, "olga"), (sam, "sam"), (mia, "mia")):
        [kept] = fetch_rows(
            session, "SELECT password_hash AS h FROM person WHERE id = :id", id=who.person_id
        )
        assert verify_password(kept["h"], f"{word} keeps lamps 2026")
    lifetime = sessions.SessionLifetime(timedelta(days=30), timedelta(days=30))
    found = sessions.find_session(session, COOKIE_OF_SAM, lifetime, SOON, None)
    assert found is not None
    assert found.principal.person_id == sam.person_id
    assert (
        one_time_tokens.find_token_owner(
            session, RESET_LINK_OF_SAM, one_time_tokens.Purpose.RESET, SOON
        )
        == sam.person_id
    )
    code = RECOVERY_CODE_OF_MIA
    assert two_factor.count_recovery_codes(session, mia) == two_factor.RecoveryCodesLeft(9, True)
    assert two_factor.verify_code(session, mia.person_id, code, SECRET_KEY, SOON)
    assert not two_factor.verify_code(session, mia.person_id, code, SECRET_KEY, SOON)


def test_its_tokens_open_what_they_opened(session: Session, olga: Principal) -> None:
    bearer = find_bearer(session, API_TOKEN, SOON, None)
    assert bearer is not None
    assert bearer.principal.person_id == olga.person_id
    assert find_bearer(session, REVOKED_TOKEN, SOON, None) is None


def test_an_agent_gets_the_answer_that_was_kept_for_its_key(
    session: Session, olga: Principal
) -> None:
    agent = Agent(API_TOKEN, olga)
    answer = agent.call("track_products", products=["US:B0TEST0008"], idempotency_key="kept-1")
    assert answer["is_repeat"]
    assert [row["verdict"] for row in answer["products"]] == ["added"]


def test_what_was_declined_is_not_proposed_again(session: Session) -> None:
    same = advice(new_price(1700, 1900), title="Ask for much less", evidence=3)
    made = store_advice(session, 1, LAMP_ID, same, Advisor.RULES, None, None, SOON)
    assert made is None


def test_its_pending_threshold_can_be_approved_and_is_set(session: Session, mia: Principal) -> None:
    decision = service.approve(session, mia, 1, SOON)
    assert (decision.did, decision.state) == (True, ActionState.APPROVED)
    apply.apply(session, 1, SOON)
    [kept] = fetch_rows(
        session,
        "SELECT price_change_percent AS p FROM tracking WHERE person_id = 1 AND product_id = 4",
    )
    assert str(kept["p"]) == "12.50"


def test_its_team_gets_the_rules_with_the_floors_that_it_had(session: Session) -> None:
    found = {each.code: each for each in read_active_rules(session)}
    assert list(found) == [each.code for each in make_new_rules()]
    assert found[PRICE_CHANGE].rule == make_threshold_rule(PRICE_CHANGE, 5)
    assert found[RANK_CHANGE].rule == make_threshold_rule(RANK_CHANGE, 50)
    [newest] = fetch_rows(session, "SELECT max(captured_at) AS at FROM snapshot")
    assert all(each.active_from > newest["at"] for each in found.values())
    assert {each.started_at for each in found.values()} == {None}


def test_its_thresholds_have_the_effect_that_they_had(session: Session) -> None:
    found = fetch_rows(
        session,
        "SELECT person_id, product_id, price_change_percent::text AS price, "
        "rank_change_percent::text AS rank FROM tracking "
        "WHERE price_change_percent IS NOT NULL OR rank_change_percent IS NOT NULL ORDER BY id",
    )
    assert [tuple(row.values()) for row in found] == [
        (1, LAMP_ID, "7.50", None),
        (1, KETTLE_ID, "5.00", "50.00"),  # were below the floors, which counted
        (2, KETTLE_ID, None, "60.00"),
    ]
    [mia] = fetch_rows(session, "SELECT rank_change_percent AS p FROM person WHERE id = 3")
    assert str(mia["p"]) == "50.00"


def test_what_was_approved_before_is_expected_of_its_product(session: Session) -> None:
    found = read_expected_values(session, 1, [LAMP_ID, KETTLE_ID])
    assert found.keys() == {LAMP_ID}
    approved_at = datetime(2026, 11, 29, 21, 33, 11, 658255, tzinfo=UTC)
    assert found[LAMP_ID] == [
        ExpectedValue(field, value, ExpectedState.APPROVED, approved_at, None, None, action)
        for field, value, action in (
            (ExpectedField.PRICE, 1880, 7),  # as the manager edited it
            (ExpectedField.TITLE, "Reading lamp", 9),
        )
    ]


def test_nothing_opens_for_what_was_there_before_and_then_by_the_thresholds_of_then(
    session: Session,
) -> None:
    now = datetime.now(UTC)
    for rule_id in list_unstarted_rules(session):
        while start_rule(session, rule_id, 100, now):
            pass
    evaluate_new(session, now)
    assert list_unstarted_rules(session) == []
    assert list_incidents(session) == []
    later = now + timedelta(hours=1)
    for product_id in (LAMP_ID, KETTLE_ID):
        [was] = fetch_rows(
            session,
            "SELECT p.marketplace, p.asin, l.price FROM product p "
            "JOIN product_latest l ON l.product_id = p.id WHERE p.id = :id",
            id=product_id,
        )
        price = was["price"] * 106 // 100
        seen = make_observation(was["asin"], later, marketplace=was["marketplace"], price=price)
        store_observations(session, seen, now=later)
    evaluate_new(session, later)
    opened = fetch_rows(
        session,
        "SELECT i.product_id, i.silent_reason FROM incident i "
        "JOIN alert_rule r ON r.id = i.rule_id WHERE r.code = 'price_change'",
    )
    # Of the lamp 7.5 % is the threshold; the kettle's own 3 % counted as 5 %.
    assert opened == [{"product_id": KETTLE_ID, "silent_reason": None}]


def test_its_actions_are_in_the_states_they_were_in(session: Session) -> None:
    found = fetch_rows(session, "SELECT id, state FROM suggestion_action ORDER BY id")
    assert [row["state"] for row in found] == [
        "pending",
        "pending",
        "pending",
        "declined",
        "verified",
        "declined",
        "applied",
        "stale",
        "applied",
        "expired",
    ]
