"""The feed of a token: what its owner may see now, and nothing for any other."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.models import Person
from core.accounts.people import membership
from core.reports.feed import feed_tokens
from core.reports.feed.read_feed import read_feed
from core.tracking.rules import Role
from tests.factories.alerts import add_incident
from tests.factories.people import add_colleague
from tests.factories.products import LAMP, track_products
from tests.factories.reports import AT as NOW
from tests.factories.reports import keep_empty_report

BASE = "https://own.example"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(autouse=True)
def _confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (feed_tokens, membership):
        monkeypatch.setattr(module, "require_confirmed", lambda *_args: None)


def titles(session: Session, token: str) -> list[str | None] | None:
    body = read_feed(session, token, BASE, NOW)
    if body is None:
        return None
    feed = ElementTree.fromstring(body)
    return [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]


def test_a_feed_has_its_owners_alerts_and_reports(session: Session, principal: Principal) -> None:
    [lamp] = track_products(session, principal, [LAMP], role=Role.OWN)
    add_incident(session, principal, lamp, NOW - timedelta(hours=3))
    add_incident(session, principal, lamp, NOW - timedelta(days=15), ended_at=NOW)
    add_incident(
        session, principal, lamp, NOW - timedelta(hours=2), code="buy_box_lost", muted_by="outage"
    )
    keep_empty_report(session, principal)
    token = feed_tokens.create_feed_token(session, principal, NOW)
    assert titles(session, token) == ["Daily report, 10 Mar 2026", "Out of stock: B0TEST0001 · US"]
    body = read_feed(session, token, BASE, NOW)
    assert body is not None
    assert token.encode() not in body
    assert b"https://own.example/product?marketplace=US&amp;asin=B0TEST0001" in body


def test_each_user_has_one_address_that_can_be_revoked(
    session: Session, principal: Principal
) -> None:
    first = feed_tokens.create_feed_token(session, principal, NOW)
    assert titles(session, first) == []
    second = feed_tokens.create_feed_token(session, principal, NOW)
    assert titles(session, first) is None
    assert titles(session, second) == []
    assert feed_tokens.find_token_time(session, principal) == NOW
    assert feed_tokens.revoke_feed_token(session, principal)
    assert not feed_tokens.revoke_feed_token(session, principal)
    assert titles(session, second) is None
    assert feed_tokens.find_token_time(session, principal) is None


@pytest.mark.parametrize("state", ["disabled", "erased", "invited"])
def test_a_user_who_is_not_active_has_no_feed(
    session: Session, principal: Principal, state: str
) -> None:
    colleague = add_colleague(session, principal)
    token = feed_tokens.create_feed_token(session, colleague, NOW)
    session.execute(update(Person).where(Person.id == colleague.person_id).values(state=state))
    assert titles(session, token) is None


def test_an_address_of_before_a_user_was_disabled_stays_revoked(
    session: Session, principal: Principal
) -> None:
    colleague = add_colleague(session, principal)
    token = feed_tokens.create_feed_token(session, colleague, NOW)
    own = feed_tokens.create_feed_token(session, principal, NOW)
    membership.disable_member(session, principal, colleague.person_id, NOW)
    membership.enable_member(session, principal, colleague.person_id, NOW)
    assert titles(session, token) is None
    assert feed_tokens.find_token_time(session, colleague) is None
    assert titles(session, own) == []
    assert titles(session, feed_tokens.create_feed_token(session, colleague, NOW)) == []


@pytest.mark.parametrize("token", ["", "amzfeed_", "amz_x", "amzfeed_" + "x" * 9999, "amzfeed_é"])
def test_an_invented_token_has_no_feed(session: Session, principal: Principal, token: str) -> None:
    assert titles(session, token) is None
