"""Frozen files and reports of odd data: hostile titles, hardly any values, far too many."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.models import Product, ProductText
from core.delivery.channels.email import write_html
from core.errors import InvalidInputError, NotFoundError
from core.history.chart.content import EventMark
from core.history.observation import Flag
from core.history.periods.change_period import ChangePeriod
from core.reports import service as kept_reports
from core.reports.compute_report import compute_report
from core.reports.content import Report
from core.reports.email_message import write_message
from core.reports.frozen import service
from core.reports.frozen.document import LARGEST
from core.reports.frozen.frozen_file import FrozenFile, write_products_file, write_report_file
from core.reports.frozen.product_page import MOST_COMPARED, FrozenProduct
from core.reports.rules import ReportKind
from core.tracking.list_filter import ListScope
from core.tracking.models import Tracking
from tests.core.reports.frozen.test_document import HOSTILE, read
from tests.factories.alerts import add_incident
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.people import add_stranger
from tests.factories.products import KETTLE, LAMP, make_listing, track_products
from tests.factories.reports import AT, seed_report

TITLES = [
    "<img src=x onerror=alert(1)> <b>Lamp</b> &amp; “more”",
    "</script><script>alert(1)</script><!--",
    "مصباح \u202egnp.exe\u202c \u2066x\u2069",
    "Lamp\u2028with\u2029lines\r\nand \x1b[31m",
    "Long lamp " * 41 + "of 417!",
    HOSTILE.replace("\x00", "").replace("\ud800", ""),
]
PERIOD = (NOON - timedelta(days=1), NOON + timedelta(days=9))


def freeze(session: Session, principal: Principal, *keys: tuple[str, str]) -> FrozenFile:
    products = service.read_frozen_products(session, principal, keys, PERIOD)
    return write_products_file(products, PERIOD[1], principal.time_zone)


def compute(session: Session, principal: Principal) -> Report:
    return compute_report(
        session, principal, ListScope.TEAM, ChangePeriod.DAY, AT, AT, Decimal("0.01")
    )


def rename(session: Session, title: str) -> None:
    """Give each product of the test this title."""
    session.execute(update(ProductText).values(title=title))


def check_harmless(file: FrozenFile) -> None:
    """Check that the file runs nothing, asks no address and turns no text."""
    body, reader = file.body.decode(), read(file.body)
    assert [tag for tag, _ in reader.elements].count("script") == 1
    assert not {tag for tag, _ in reader.elements} & {"img", "b", "a", "iframe", "link", "object"}
    assert reader.comments == 0
    for _, attributes in reader.elements:
        assert not {"src", "href", "style", "onerror", "onload"} & attributes.keys()
    assert not re.search("[\x00\u2028\u2029\u202a-\u202e\u2066-\u2069]", body)
    assert json.loads(reader.data)
    assert len(file.body) <= LARGEST


@pytest.mark.parametrize("title", TITLES)
def test_a_hostile_title_is_text_in_every_file_and_email(
    session: Session, principal: Principal, title: str
) -> None:
    assert len(TITLES[4]) == 417
    lamp, _ = seed_report(session, principal)
    for asin in (LAMP, KETTLE):
        made = make_observation(asin, listing=make_listing())
        store_observations(session, made, now=PERIOD[1])
    rename(session, title)
    add_incident(session, principal, lamp, AT - timedelta(hours=1))
    check_harmless(freeze(session, principal, ("US", LAMP)))
    check_harmless(freeze(session, principal, ("US", LAMP), ("US", KETTLE)))
    report = compute(session, principal)
    assert report.movers[0].product.title == title
    check_harmless(write_report_file(report, principal.time_zone))
    html = write_html(write_message(report, "https://own.example"))
    assert not re.search("<(?:script|img src=x|b>)", html)
    assert not re.search("[\x00\u2028\u2029\u202a-\u202e\u2066-\u2069]", html)


def test_a_report_of_no_product_is_one_too(session: Session, principal: Principal) -> None:
    report = compute(session, principal)
    assert report.products == 0
    file = write_report_file(report, principal.time_zone)
    check_harmless(file)
    assert "No product is tracked." in file.body.decode()
    message = write_message(report, "https://own.example")
    assert "0 changed, 0 open, 0 pending" in message.subject
    with pytest.raises(InvalidInputError):
        service.read_frozen_products(session, principal, [], PERIOD)


def test_one_observation_is_a_line(session: Session, principal: Principal) -> None:
    track_products(session, principal, [LAMP])
    store_observations(session, make_observation(LAMP), now=PERIOD[1])
    file = freeze(session, principal, ("US", LAMP))
    check_harmless(file)
    assert "$20.00" in file.body.decode()


def test_flagged_values_alone_are_no_value(session: Session, principal: Principal) -> None:
    track_products(session, principal, [LAMP])
    stale = make_observation(LAMP, price=4711, rank=None, flags=Flag.STALE_VALUE)
    store_observations(session, stale, now=PERIOD[1])
    file = freeze(session, principal, ("US", LAMP))
    check_harmless(file)
    body = file.body.decode()
    assert "47.11" not in body
    assert body.count("No accepted value in this period.") == 2
    assert "4711" not in read(file.body).data


def test_a_product_that_was_removed_meanwhile_stays_in_kept_reports_alone(
    session: Session, principal: Principal
) -> None:
    seed_report(session, principal)
    number = kept_reports.keep_report(
        session, principal, ReportKind.DAILY, compute(session, principal), AT.date()
    )
    session.execute(delete(Tracking))
    session.execute(delete(Product))
    kept = kept_reports.open_report(session, principal, number)
    assert kept.products == 2
    check_harmless(write_report_file(kept, principal.time_zone))
    with pytest.raises(NotFoundError):
        freeze(session, principal, ("US", LAMP))


def test_each_product_has_its_own_currency(session: Session, principal: Principal) -> None:
    for marketplace in ("US", "DE", "JP"):
        track_products(session, principal, [LAMP], marketplace)
        made = make_observation(LAMP, marketplace=marketplace, price=4711)
        store_observations(session, made, now=PERIOD[1])
    file = freeze(session, principal, ("US", LAMP), ("DE", LAMP), ("JP", LAMP))
    check_harmless(file)
    body = file.body.decode().replace("\u00a0", " ").replace("￥", "¥")
    for written in ("$47.11", "47,11 €", "¥4,711"):
        assert written in body
    data = json.loads(read(file.body).data)
    assert [each["currency"] for each in data["products"]] == ["USD", "EUR", "JPY"]


def make_largest(product: FrozenProduct) -> Iterator[FrozenProduct]:
    """Yield as many products as a file compares, each with a value an hour over a year."""
    hours = 24 * 366
    since, until = NOON - timedelta(hours=hours), NOON

    def make_points(low: int) -> list[tuple[datetime, float | None]]:
        values = islice(cycle([*range(low, low + 997, 7), None]), hours)
        return [(since + timedelta(hours=n), value) for n, value in enumerate(values)]

    alerts = [
        EventMark(since + timedelta(hours=43 * n), "A", f"{n} {TITLES[0] * 9}") for n in range(200)
    ]
    for number in range(MOST_COMPARED):
        yield replace(
            product,
            head=replace(product.head, title=f"{number} {TITLES[0]} {'long ' * 80}"[:417]),
            since=since,
            until=until,
            points={name: make_points(9_000 * (number + 1)) for name in product.points},
            alerts=alerts,
        )


def test_the_largest_selection_fits_into_a_file(session: Session, principal: Principal) -> None:
    track_products(session, principal, [LAMP])
    made = [
        make_observation(
            at=NOON + timedelta(hours=hour), buy_box_seller=f"Seller {hour % 40} {'x' * 200}"
        )
        for hour in range(200)
    ]
    store_observations(session, *made, now=PERIOD[1])
    [one] = service.read_frozen_products(session, principal, [("US", LAMP)], PERIOD)
    file = write_products_file(list(make_largest(one)), PERIOD[1], principal.time_zone)
    check_harmless(file)
    data = json.loads(read(file.body).data)
    assert len(data["products"]) == MOST_COMPARED
    assert all(each["points_left_out"] > 0 for each in data["products"])


def test_a_hash_is_found_in_its_own_team_alone(session: Session, principal: Principal) -> None:
    stranger = add_stranger(session)
    file = write_report_file(compute(session, principal), principal.time_zone)
    service.record_file(session, principal, file)
    assert service.find_origin(session, stranger, file.sha256) is None
    assert service.find_origin(session, stranger, "' OR true --") is None
    # The same bytes made by both: each team finds its own.
    service.record_file(session, stranger, file)
    for who, name in ((principal, "Owner"), (stranger, "Stranger")):
        found = service.find_origin(session, who, file.sha256)
        assert found is not None
        assert found.person == name
