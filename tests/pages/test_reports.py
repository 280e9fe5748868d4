"""The Reports page: make one, open it again, subscribe; the numbers shown."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.commands import frozen_files
from core.accounts.access.permissions import Principal, Role
from core.history.observation import Availability
from core.history.periods.change_period import ChangePeriod
from core.reports import service
from core.reports.feed.read_feed import read_feed
from core.settings.environment import ROOT
from core.text.locale import Formats
from core.text.numbers import THIN_SPACE
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role as ProductRole
from tests.factories.alerts import add_incident
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.people import add_colleague
from tests.factories.products import LAMP, track_products
from tests.factories.reports import add_close, keep_empty_report
from tests.open_scopes import record_open_scopes
from tests.pages.conftest import SignIn
from tests.pages.seeding import seed

pytestmark = pytest.mark.dates  # what it stores is of today

NOW = datetime.now(UTC)
ODD = "<b>مصباح</b> $5 **now** :smile: [x](http://y)"


def open_reports(**address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    app.run()
    for name, value in address.items():
        app.query_params[name] = value
    app.switch_page("../pages/reports.py").run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return " | ".join(str(each.value) for each in (*app.caption, *app.markdown))


def test_a_report_is_made_and_opened_again(session: Session, principal: Principal) -> None:
    lamp = seed(session, principal, LAMP, ODD, role=ProductRole.OWN)
    last = datetime.now(ZoneInfo("America/Los_Angeles")).date() - timedelta(days=1)
    stock = {"availability_close": int(Availability.IN_STOCK)}
    add_close(session, lamp, last - timedelta(days=1), bsr_close=1000, price_close=2000, **stock)
    add_close(session, lamp, last, bsr_close=1500, price_close=2500, **stock)
    add_incident(session, principal, lamp, datetime.now(UTC) - timedelta(hours=3))
    session.commit()
    app = open_reports()
    assert "No report yet" in app.info[0].value
    app.button(key="make_report").click().run()
    assert not app.exception
    assert {each.label: (each.value, each.delta) for each in app.metric} == {
        "BSR, median change": (f"▼ +50{THIN_SPACE}%", "of 1 own product"),
        "Price, median change": (f"+25{THIN_SPACE}%", "of 1 own product"),
        "Buy Box won": ("unknown", "Your team set no own sellers."),
        "In stock": (f"100{THIN_SPACE}%", "no change"),
        "Rating": ("unknown", "No rating was reported."),
    }
    shown = texts(app)
    assert "1 product changed: BSR worsened 1." in shown
    assert "1 open at" in shown
    assert "▼ 500 (+50 %)" in shown
    [row] = app.dataframe[0].value.to_dict("records")
    assert (row["title"], row["what"], row["mood"]) == (ODD, "BSR worsened", "worse")
    [number] = [each.id for each in service.list_reports(session, principal, 10)]
    again = open_reports(report=str(number))
    assert texts(again) == shown
    assert not again.toast


def test_a_colleagues_report_is_not_shown(
    session: Session, principal: Principal, sign_in: SignIn
) -> None:
    open_reports().button(key="make_report").click().run()
    [report] = service.list_reports(session, principal, 10)
    sign_in(add_colleague(session, principal, role=Role.VIEWER))
    session.commit()
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    app.run()
    app.query_params["report"] = str(report.id)
    app.switch_page("../pages/reports.py").run()
    assert "You have no such report." in " ".join(each.value for each in app.error)


def test_a_user_subscribes_and_ends_it(session: Session, principal: Principal) -> None:
    app = open_reports()
    hours = [each for each in app.selectbox if each.label == "Hour"]
    hours[1].set_value(18)
    [day] = [each for each in app.selectbox if each.label == "Day"]
    day.set_value(4)
    saves = [each for each in app.button if each.label == "Save"]
    saves[1].click().run()
    assert not app.exception
    [listed] = service.list_subscriptions(session, principal, datetime.now(UTC))
    assert (listed.wish.kind, listed.wish.hour, listed.wish.weekday) == ("weekly", 18, 4)
    [end] = [each for each in app.button if each.label == "End"]
    end.click().run()
    assert service.list_subscriptions(session, principal, datetime.now(UTC)) == []


def test_the_hash_of_a_file_leads_to_its_author(session: Session, principal: Principal) -> None:
    open_reports().button(key="make_report").click().run()
    [report] = service.list_reports(session, principal, 10)
    body = frozen_files.freeze_report(report.id, Formats("de_DE"), principal)
    app = open_reports()
    app.text_input(key="frozen_hash").input(sha256(body).hexdigest().upper()).run()
    [made] = [each.value for each in app.success]
    assert "by Owner on a page: report, day; in the audit, not sealed yet." in made
    app.text_input(key="frozen_hash").input("0" * 64).run()
    assert "Your team made no file with this hash." in [each.value for each in app.warning]
    app.text_input(key="frozen_hash").input("abc").run()
    assert "A SHA-256 has 64 digits" in app.warning[0].value


def test_a_frozen_file_is_written_with_no_transaction_open(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = keep_empty_report(session, principal)
    track_products(session, principal, [LAMP])
    store_observations(session, make_observation(LAMP), now=NOW)
    writers = ("write_report_file", "write_products_file")
    calls = record_open_scopes(monkeypatch, frozen_files, *writers)
    formats, period = Formats("de_DE"), (NOON - timedelta(days=1), NOON)
    frozen_files.freeze_report(report, formats, principal)
    frozen_files.freeze_period(ListScope.TEAM, ChangePeriod.DAY, formats, principal)
    frozen_files.freeze_products([("US", LAMP)], period, formats, principal)
    assert calls == [(writers[0], 0), (writers[0], 0), (writers[1], 0)]


def test_a_feeds_address_is_shown_once(session: Session, principal: Principal) -> None:
    app = open_reports()
    app.button(key="create_feed").click().run()
    assert not app.exception
    [address] = [each.value for each in app.code]
    body = read_feed(session, address.partition("token=")[2], "https://own.example", NOW)
    assert body is not None
    assert not open_reports().code
    app.button(key="revoke_feed").click().run()
    assert not app.code
    assert read_feed(session, address.partition("token=")[2], "https://own.example", NOW) is None
