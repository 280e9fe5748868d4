"""Frozen files of products and reports: their numbers, their size, and who made them."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.permissions import Principal
from core.accounts.models import Person
from core.errors import InvalidInputError, NotFoundError
from core.history.periods.change_period import ChangePeriod
from core.reports.compute_report import compute_report
from core.reports.frozen import frozen_file, service
from core.reports.frozen.document import LARGEST
from core.reports.frozen.frozen_file import FrozenFile, write_products_file, write_report_file
from core.tracking.list_filter import ListScope
from tests.factories.alerts import add_incident, add_rule
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.people import add_colleague, add_stranger
from tests.factories.products import KETTLE, LAMP, track_products
from tests.factories.reports import AT, seed_report

PERIOD = (NOON - timedelta(days=1), NOON + timedelta(days=9))
NOW = PERIOD[1]


def data_of(file: FrozenFile) -> Any:
    [written] = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', file.body.decode()
    )
    return json.loads(written)


def freeze(session: Session, principal: Principal, *asins: str) -> FrozenFile:
    return freeze_over(session, principal, PERIOD, *asins)


def freeze_over(
    session: Session, principal: Principal, period: tuple[datetime, datetime], *asins: str
) -> FrozenFile:
    keys = [("US", asin) for asin in asins]
    products = service.read_frozen_products(session, principal, keys, period)
    return write_products_file(products, period[1], principal.time_zone)


def test_a_frozen_product_has_its_lines_and_figures(session: Session, principal: Principal) -> None:
    track_products(session, principal, [LAMP])
    made = [
        make_observation(at=NOON + timedelta(days=day), price=price, rank=rank)
        for day, price, rank in ((0, 2000, 500), (2, 2500, 500), (4, 2500, 250))
    ]
    store_observations(session, *made, now=NOW)
    file = freeze(session, principal, LAMP)
    [product] = data_of(file)["products"]
    prices = [value for _, value in product["lines"]["price"] if value is not None]
    assert prices[:2] == [2000, 2500]
    assert product["lines"]["price"][0][0] == f"{NOON:%Y-%m-%dT%H:%MZ}"
    assert (product["currency"], product["points_left_out"]) == ("USD", 0)
    body = file.body.decode()
    assert "$25.00" in body
    assert "#250" in body
    assert "Bright Shop" in body
    assert len(file.body) < 40_000
    assert not re.search(r"(?:src|href|url)\s*[=(]", body)


def test_alerts_of_the_product_are_marked_on_its_chart(
    session: Session, principal: Principal
) -> None:
    [lamp] = track_products(session, principal, [LAMP])
    store_observations(session, make_observation(LAMP), now=NOW)
    assert 'r="8.5"' not in freeze(session, principal, LAMP).body.decode()
    for hours in (0, 1, 72):
        rule = add_rule(session, principal, name=f"<b>Rule</b> {hours}")
        add_incident(session, principal, lamp, NOON + timedelta(hours=hours), rule_id=rule)
    body = freeze(session, principal, LAMP).body.decode()
    circles = re.findall(r"<g><title>([^<]*)</title>.*?<text[^>]*>([^<]*)</text></g>", body)
    assert [sign for _, sign in circles] == ["A", "A"]  # two lie within a 60th of the period
    assert circles[0][0].count("&lt;b&gt;Rule&lt;/b&gt;") == 2


def test_several_products_are_one_comparison(session: Session, principal: Principal) -> None:
    track_products(session, principal, [LAMP, KETTLE])
    store_observations(session, make_observation(LAMP), make_observation(KETTLE), now=NOW)
    file = freeze(session, principal, LAMP, KETTLE)
    assert [each["asin"] for each in data_of(file)["products"]] == [LAMP, KETTLE]
    assert file.body.count(b'<svg viewBox="0 0 960') == 2
    with pytest.raises(InvalidInputError):
        freeze(session, principal, *[LAMP] * 7)
    with pytest.raises(NotFoundError):
        freeze(session, principal, LAMP, "B0NEVERSEEN")


def test_a_long_history_fits_into_the_file(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    track_products(session, principal, [LAMP])
    made = [
        make_observation(
            at=NOON + timedelta(hours=hour),
            price=2000 + hour % 97,
            rank=500 + hour % 89,
            ratings_count=1000 + hour,
            buy_box_seller=f"Seller {hour % 40}",
        )
        for hour in range(24 * 90)
    ]
    store_observations(session, *made, now=NOON + timedelta(days=90))
    period = (NOON, NOON + timedelta(days=90))
    file = freeze_over(session, principal, period, LAMP)
    assert len(file.body) <= LARGEST
    assert data_of(file)["products"][0]["points_left_out"] == 0
    monkeypatch.setattr(frozen_file, "LARGEST", len(file.body) // 2)
    smaller = freeze_over(session, principal, period, LAMP)
    assert len(smaller.body) <= len(file.body) // 2
    [product] = data_of(smaller)["products"]
    assert product["points_left_out"] > 0
    assert 0 < len(product["lines"]["bsr"]) < 24 * 90
    monkeypatch.setattr(frozen_file, "LARGEST", 1_000)
    with pytest.raises(InvalidInputError):
        freeze_over(session, principal, period, LAMP)


def test_a_frozen_report_has_the_same_numbers(session: Session, principal: Principal) -> None:
    seed_report(session, principal)
    report = compute_report(
        session, principal, ListScope.TEAM, ChangePeriod.DAY, AT, AT, Decimal("0.01")
    )
    file = write_report_file(report, principal.time_zone)
    body = file.body.decode()
    assert "#1,000 → #1,500" in body
    assert "Closes of 9 Mar 2026 against 8 Mar 2026 (US)" in body
    assert data_of(file)["report"]["changed"] == 2


def test_a_hash_leads_to_a_files_author_and_time(session: Session, principal: Principal) -> None:
    seed_report(session, principal)
    colleague = add_colleague(session, principal, "Chris")
    report = compute_report(
        session, principal, ListScope.TEAM, ChangePeriod.DAY, AT, AT, Decimal("0.01")
    )
    file = write_report_file(report, principal.time_zone)
    service.record_file(session, colleague, file)
    found = service.find_origin(session, principal, file.sha256)
    assert found is not None
    assert (found.person, found.subject, found.is_sealed) == ("Chris", "report, day", False)
    assert datetime.now(UTC) - found.made_at < timedelta(minutes=5)
    # The same file again: who made it first stays.
    service.record_file(session, principal, file)
    assert service.find_origin(session, principal, file.sha256) == found
    audit.seal_events(session)
    session.execute(update(Person).where(Person.id == colleague.person_id).values(state="erased"))
    sealed = service.find_origin(session, principal, file.sha256)
    assert sealed is not None
    assert (sealed.person, sealed.is_sealed) == (None, True)
    assert service.find_origin(session, principal, "0" * 64) is None
    assert service.find_origin(session, add_stranger(session), file.sha256) is None


def test_a_user_who_was_disabled_meanwhile_makes_no_file(
    session: Session, principal: Principal
) -> None:
    colleague = add_colleague(session, principal)
    file = FrozenFile("Report", "report, day", b"whole")
    session.execute(update(Person).where(Person.id == colleague.person_id).values(state="disabled"))
    with pytest.raises(NotFoundError):
        service.record_file(session, colleague, file)
    assert service.find_origin(session, principal, file.sha256) is None
