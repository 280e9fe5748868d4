"""The import screen, through the app's own entry point."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.commands import imports
from app.data import health
from app.data import imports as data
from app.imports import confirmation, progress, upload
from core.accounts.access.permissions import Principal
from core.errors import InvalidInputError
from core.importing.queries import find_import
from core.settings.environment import ROOT, get_settings
from core.upkeep.heartbeat import record_heartbeat
from jobs.tasks.import_files import run_import
from tests.factories.tables import fetch_rows
from tests.read_cache import forget_all

HISTORY = b"""asin,marketplace,captured_at,price,bsr
B0TEST0001,DE,2026-02-01T10:00:00Z,"19,90",1200
B0TEST0002,DE,2026-02-01T10:00:00Z,"21,90",1100
B0TEST0003,DE,someday,"21,90",1100
"""
WITHOUT_TIME = b'asin,marketplace,price,bsr\nB0TEST0003,DE,"12,50",42\n'


@pytest.fixture(autouse=True)
def _nothing_kept(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin with an empty cache, and without a queue: tests run imports themselves."""
    forget_all()
    monkeypatch.setattr(imports, "wake_for_import", lambda run_id: True)
    yield
    forget_all()


def open_page(run_id: int | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    if run_id is not None:
        app.query_params["import"] = str(run_id)
    app.run()
    app.switch_page(str(Path("..") / "pages" / "add.py"))
    return app.run()


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.caption, *app.error, *app.info, *app.warning, *app.header]
    return "\n".join(str(each.value) for each in shown)


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def paste(app: AppTest, text: str) -> AppTest:
    app.text_area(key=upload.TEXT).set_value(text)
    return app.button(key="recognise").click().run()


def test_dates_that_can_be_read_in_two_ways_are_asked_for(session: Session) -> None:
    app = paste(open_page(), "asin,marketplace,date,price\nB0TEST0001,DE,03/04/2026,5\n")
    app = app.button(key="confirm").click().run()
    assert "Choose how the file writes its dates" in words(app)
    app.selectbox(key=confirmation.DAY_ORDER).set_value("day_first")
    app = app.button(key="confirm").click().run()
    assert not app.exception
    assert run_import(None)
    [kept] = fetch_rows(session, "SELECT captured_at FROM snapshot")
    assert f"{kept['captured_at']:%d.%m.%Y}" == "03.04.2026"


def test_an_empty_installation_asks_for_products_and_lists_no_import(session: Session) -> None:
    app = open_page()
    assert not app.exception
    assert app.title[0].value == "Add products"
    assert "No import yet" in words(app)


def test_pasting_nothing_shows_what_to_do(session: Session) -> None:
    app = paste(open_page(), "   ")
    assert [error.value for error in app.error] == ["Paste links or ASINs, or choose a file."]


def test_an_uploaded_history_shows_its_rows_before_anything_is_stored(
    session: Session, principal: Principal
) -> None:
    run_id = imports.offer_file("prices.csv", BytesIO(HISTORY))
    app = open_page(run_id)
    assert "History table" in words(app)
    assert "about 3 rows" in words(app)
    assert "Each row has its own time." in words(app)
    assert "A time without a zone is read as UTC" in words(app)
    assert app.toggle(key=confirmation.FETCH).value is False
    assert len(app.dataframe[0].value) == 3


def test_a_file_of_one_row_is_described_in_the_singular(
    session: Session, principal: Principal
) -> None:
    header, *_ = HISTORY.splitlines(keepends=True)
    failing = next(row for row in HISTORY.splitlines(keepends=True) if b"someday" in row)
    shown = words(open_page(imports.offer_file("one.csv", BytesIO(header + failing))))
    assert "about 1 row ·" in shown
    assert "1 of 1 row will not be stored" in shown


def test_what_columns_are_taken_for_and_what_will_fail_is_shown_before_confirming(
    session: Session,
) -> None:
    body = HISTORY.replace(b"1100\n", b"1100.5 or so\n", 1).replace(b",bsr", b",bsr", 1)
    app = open_page(imports.offer_file("prices.csv", BytesIO(body)))
    assert "1 of 3 rows will not be stored (Refused). Row 3: “someday” in “captured\\_at”" in words(
        app
    )
    uses = app.dataframe[1].value
    assert dict(zip(uses["Column"], uses["Taken as"], strict=True)) == {
        "asin": "ASIN",
        "marketplace": "Marketplace",
        "captured_at": "Time",
        "price": "Price",
        "bsr": "Best Sellers Rank",
    }
    assert list(uses["Unreadable"])[-1] == "in 1 of 3 rows"
    assert app.expander[0].label.startswith("How the columns are read: 5 columns")


def test_a_file_without_times_asks_for_one_and_keeps_it(
    session: Session, principal: Principal
) -> None:
    run_id = imports.offer_file("latest.csv", BytesIO(WITHOUT_TIME))
    app = open_page(run_id)
    app.button(key="confirm").click().run()
    assert "Enter when the file was captured" in words(app)

    app.datetime_input(key=confirmation.CAPTURED).set_value(datetime(2026, 2, 1, 9, 0))
    app.selectbox(key=confirmation.ZONE).set_value("Europe/Berlin")
    app.button(key="confirm").click().run()
    view = find_import(session, principal, run_id)
    assert view is not None
    assert (view.state, view.captured_at) == ("queued", datetime(2026, 2, 1, 8, tzinfo=UTC))


def test_what_was_canceled_is_gone(session: Session) -> None:
    app = paste(open_page(), "https://www.amazon.de/dp/B0TEST0001")
    app.button(key="discard").click().run()
    assert "import" not in app.query_params
    assert app.text_area(key=upload.TEXT).value in (None, "")


def test_an_import_that_does_not_exist_is_shown_as_such(session: Session) -> None:
    assert "This import doesn't exist" in words(open_page(4711))


def test_a_picture_is_refused_in_a_sentence(session: Session) -> None:
    app = open_page()
    app.file_uploader(key=f"{upload.FILE}_0").set_value(
        ("list.csv", b"\x89PNG\r\n\x1a\n" + bytes(400), "text/csv")
    )
    app.button(key="recognise").click().run()
    assert len(app.error) == 1
    assert app.error[0].value.endswith((".", ")"))


def test_progress_is_honest_about_the_worker(session: Session, principal: Principal) -> None:
    run_id = imports.offer_file("prices.csv", BytesIO(HISTORY))
    imports.confirm_import(run_id, confirmation.Confirmation())
    view = data.find_import(run_id)
    assert view is not None
    now = datetime.now(UTC)
    assert "never run" in progress.state_sentence(view, None, now)
    record_heartbeat(session, now)
    sentence = progress.state_sentence(view, health.find_last_worker_activity(), now)
    assert sentence.startswith("Waiting for the worker, queued")


def test_the_download_is_a_csv_that_spreadsheets_read(
    session: Session, principal: Principal
) -> None:
    run_id = imports.offer_file("prices.csv", BytesIO(HISTORY))
    imports.confirm_import(run_id, confirmation.Confirmation())
    run_import(run_id)
    lines = data.export_row_results(principal, run_id).decode("utf-8-sig").splitlines()
    assert lines[0] == "row,asked,verdict,detail,marketplace,asin"
    assert lines[1] == "1,B0TEST0001,Stored,,DE,B0TEST0001"
    assert len(lines) == 4


def test_without_a_token_a_warning_names_that_nothing_will_be_fetched(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APIFY_TOKEN", "")
    get_settings.cache_clear()
    app = paste(open_page(), "https://www.amazon.de/dp/B0TEST0001")
    assert "Apify isn't connected" in words(app)


def test_why_a_file_is_refused_is_shown_once(session: Session) -> None:
    with pytest.raises(InvalidInputError) as refused:
        imports.offer_file("list.csv", BytesIO(b"\x00\x01\x02PK\xff" * 50))
    assert str(refused.value).count("contains no text") == 1


def test_the_import_on_the_screen_is_not_among_the_earlier_ones(session: Session) -> None:
    app = paste(open_page(), "https://www.amazon.de/dp/B0TEST0001")
    app.button(key="confirm").click().run()
    assert "Waiting for the worker" in words(app)
    assert "No import yet" in words(app)


def test_a_paste_names_what_each_line_is_and_counts_what_can_be_tracked(session: Session) -> None:
    app = paste(
        open_page(), "https://www.amazon.de/dp/B0TEST0001\nB0TEST0002 DE\nhttps://a.co/d/x\nHello"
    )
    shown = app.dataframe[0].value
    assert list(shown["line"]) == ["1", "2", "3", "4"]
    assert list(shown["ASIN"]) == ["B0TEST0001", "B0TEST0002", "", ""]
    assert list(shown["verdict"]) == ["Product", "Product", "Short link", "No product"]
    assert "Line 3: A short link doesn't say which product it leads to" in words(app)
    assert "Fetching 2 products once a day" in words(app)


def test_a_paste_without_a_usable_link_costs_nothing(session: Session) -> None:
    app = paste(open_page(), "https://a.co/d/x")
    assert "Nothing in it can be tracked" in words(app)
