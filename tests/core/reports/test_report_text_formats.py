"""A reader's formats and zone are those of the email, the page's texts and the frozen file."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.delivery.channels.email import write_html
from core.delivery.channels.plain_text import write_body
from core.history.periods.change_period import ChangePeriod
from core.reports import report_text
from core.reports.compute_report import compute_report
from core.reports.content import Report
from core.reports.email_message import write_message
from core.reports.frozen.frozen_file import write_products_file, write_report_file
from core.reports.frozen.service import read_frozen_products
from core.text.locale import Formats, apply_formats
from core.tracking.list_filter import ListScope
from tests.factories.alerts import add_incident
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.products import LAMP, track_products
from tests.factories.reports import AT, seed_report

GERMAN, CODES = Formats("de_DE"), Formats("de_DE", has_currency_code=True)
# What the default formats and UTC would write of the values below.
OTHERS = re.compile(r"1,[05]00|\b[34]0\.00|\$[34]0|9 Mar|10 Mar|2026-03-|12:00")


@pytest.fixture
def report(session: Session, principal: Principal) -> Report:
    lamp, _ = seed_report(session, principal)
    add_incident(session, principal, lamp, AT - timedelta(hours=1))
    tokyo = replace_zone(principal)
    with apply_formats(GERMAN):
        return compute_report(
            session, tokyo, ListScope.TEAM, ChangePeriod.DAY, AT, AT, Decimal("0.01")
        )


def replace_zone(principal: Principal) -> Principal:
    return replace(principal, time_zone="Asia/Tokyo")


def list_page_texts(report: Report) -> str:
    """Return what the page shows of a report besides names."""
    return " | ".join(
        [
            report_text.name_report(report),
            report_text.describe_days(report),
            report_text.describe_making(report, report.time_zone),
            report_text.describe_issues(report, report.time_zone),
            report_text.describe_changed(report),
            report_text.describe_suggestions(report, report.time_zone),
            report_text.describe_cost(report),
            *report_text.list_health_sentences(report),
            *(f"{each.value} {each.change}" for each in report_text.list_figure_texts(report)),
            *map(report_text.write_change, report.changes),
            *map(report_text.write_mover_step, report.movers),
            *map(report_text.write_mover_values, report.movers),
            *(each.text for each in report.issues.worst),
        ]
    )


@pytest.mark.parametrize(("formats", "price"), [(GERMAN, "30,00 $"), (CODES, "30,00 USD")])
def test_email_page_and_file_are_in_the_readers_formats(
    report: Report, formats: Formats, price: str
) -> None:
    with apply_formats(formats):
        message = write_message(report, "https://own.example")
        written = {
            "html": write_html(message),
            "text": write_body(message, 100_000),
            "page": list_page_texts(report),
            "file": write_report_file(report, report.time_zone).body.decode().split("<script")[0],
        }
    for place, text in written.items():
        plain = text.replace("\u00a0", " ")
        for value in ("#1.500", price, "09.03.2026", "10.03.2026, 21:00", "0,1"):
            assert value in plain, (place, value)
        assert not OTHERS.search(plain), (place, OTHERS.search(plain))


def test_a_frozen_product_is_in_the_readers_formats(session: Session, principal: Principal) -> None:
    track_products(session, principal, [LAMP])
    made = make_observation(LAMP, price=123_400, rank=1_500, ratings_count=2_500)
    store_observations(session, made, now=NOON + timedelta(days=1))
    period = (NOON - timedelta(days=1), NOON + timedelta(days=1))
    tokyo = replace_zone(principal)
    with apply_formats(GERMAN):
        products = read_frozen_products(session, tokyo, [("US", LAMP)], period)
        file = write_products_file(products, period[1], tokyo.time_zone)
    body = file.body.decode().split("<script")[0].replace("\u00a0", " ")
    for value in ("1.234,00 $", "#1.500", "2.500", "4,5", "02.03.2026, 21:00"):
        assert value in body, value
    assert not re.search(r"1,234|1,500|2,500|\b4\.5\b|2 Mar 2026|12:00", body)
