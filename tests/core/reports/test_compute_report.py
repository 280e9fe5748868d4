"""A report over invented closes: its figures, changes and movers, and whose day each means."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.history.accepted_values import AcceptedValues
from core.history.observation import Availability
from core.history.periods.change_detection import ChangeKind
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import MovedValue
from core.reports import report_text
from core.reports.compute_report import compute_report
from core.reports.content import FigureKind, Report
from core.reports.content_json import dump_report, load_report
from core.text.locale import Formats, apply_formats
from core.text.numbers import THIN_SPACE
from core.tracking.list_filter import ListScope
from core.tracking.service import pause
from tests.factories.alerts import add_incident
from tests.factories.people import add_colleague, add_stranger
from tests.factories.products import track_products
from tests.factories.reports import AT, DAY, add_close, add_closes, seed_report

NOW = AT + timedelta(minutes=3)


def read(
    session: Session,
    principal: Principal,
    period: ChangePeriod = ChangePeriod.DAY,
    scope: ListScope = ListScope.TEAM,
    at: datetime = AT,
) -> Report:
    return compute_report(session, principal, scope, period, at, NOW, Decimal("0.01"))


def test_a_report_lists_what_changed_between_two_closes(
    session: Session, principal: Principal
) -> None:
    lamp, kettle = seed_report(session, principal)
    report = read(session, principal)
    assert [(each.marketplace, each.day, each.then_day) for each in report.days] == [
        ("US", DAY, DAY - timedelta(days=1))
    ]
    assert (report.products, report.checked, report.changed) == (2, 2, 2)
    changes = [(each.product.product_id, each.kind) for each in report.changes]
    assert changes == [(kettle, ChangeKind.OUT_OF_STOCK), (lamp, ChangeKind.RANK_WORSENED)]
    assert (
        report_text.write_change(report.changes[1]) == f"#1,000 → #1,500, ▼ 500 (+50{THIN_SPACE}%)"
    )
    assert report_text.describe_changed(report) == (
        "2 products changed: Out of stock 1, BSR worsened 1."
    )
    figures = {each.kind: (each.value, each.change, each.products) for each in report.figures}
    assert figures == {  # of the lamp: the kettle is a competitor's
        FigureKind.RANK: (0.5, None, 1),
        FigureKind.PRICE: (0.0, None, 1),
        FigureKind.BUY_BOX: (None, None, 0),
        FigureKind.IN_STOCK: (1.0, 0.0, 1),
        FigureKind.RATING: (45.0, 1.0, 1),
    }
    session.execute(text("UPDATE tracking SET role = 'own'"))
    both = read(session, principal)
    figures = {each.kind: (each.value, each.change, each.products) for each in both.figures}
    assert figures == {
        FigureKind.RANK: (pytest.approx(0.25), None, 2),  # the median of +50 % and 0
        FigureKind.PRICE: (pytest.approx(-0.125), None, 2),  # of 0 and −25 %
        FigureKind.BUY_BOX: (None, None, 0),
        FigureKind.IN_STOCK: (0.5, -0.5, 2),
        FigureKind.RATING: (45.0, 1.0, 1),
    }
    shown = {each.label: (each.value, each.change, each.note) for each in _figures(both)}
    assert shown["Buy Box won"] == ("unknown", None, "Your team set no own sellers.")
    assert shown["In stock"] == (
        f"50{THIN_SPACE}%",
        f"−50{THIN_SPACE}pt",
        "of 2 own products",
    )
    assert shown["Rating"] == ("4.5", "+0.1", "of 1 own product")


def _figures(report: Report) -> list[report_text.FigureText]:
    return report_text.list_figure_texts(report)


def test_movers_have_their_lines(session: Session, principal: Principal) -> None:
    lamp, kettle = seed_report(session, principal)
    add_close(session, lamp, DAY - timedelta(days=29), bsr_close=700)
    report = read(session, principal)
    [worse] = report.list_movers(MovedValue.RANK)
    assert (worse.product.product_id, worse.before, worse.after) == (lamp, 1000, 1500)
    assert worse.line == (700, *[None] * 27, 1000, 1500)
    [cheaper] = report.list_movers(MovedValue.PRICE)
    assert report_text.write_mover_values(cheaper) == "$40.00 → $30.00"
    assert report_text.write_mover_step(cheaper) == f"−25{THIN_SPACE}%"
    [rated] = report.list_movers(MovedValue.RATINGS_COUNT)
    assert (rated.product.product_id, report_text.write_mover_step(rated)) == (kettle, "+5")


def test_each_marketplace_has_the_day_that_was_over(session: Session, principal: Principal) -> None:
    track_products(session, principal, ["B0TEST0007"], "US")
    track_products(session, principal, ["B0TEST0008"], "DE")
    # 07:00 in Berlin: the 10th has begun there, while it is still the 9th in Los Angeles.
    report = read(session, principal, at=datetime(2026, 3, 10, 6, tzinfo=UTC))
    days = {each.marketplace: each.day for each in report.days}
    assert days == {"US": DAY - timedelta(days=1), "DE": DAY}
    assert report_text.describe_days(report) == (
        "Closes of 9 Mar 2026 against 8 Mar 2026 (DE); 8 Mar 2026 against 7 Mar 2026 (US), "
        "by each marketplace's clock."
    )


def test_a_close_is_that_of_a_week_before_where_a_day_has_none(
    session: Session, principal: Principal
) -> None:
    [product] = track_products(session, principal, ["B0TEST0009"])
    add_close(session, product, DAY - timedelta(days=14), bsr_close=100, bsr_category_id=None)
    add_close(session, product, DAY - timedelta(days=3), bsr_close=400)
    report = read(session, principal, ChangePeriod.WEEK)
    [mover] = report.list_movers(MovedValue.RANK)
    assert (mover.before, mover.after) == (100, 400)
    assert read(session, principal).list_movers(MovedValue.RANK) == []
    assert read(session, principal).changed == 0


def test_nothing_known_is_unknown_and_not_0(session: Session, principal: Principal) -> None:
    track_products(session, principal, ["B0TEST0010"])
    report = read(session, principal)
    assert all(each.value is None and each.reason for each in report.figures)
    assert (report.health.without_values, report.checked, report.changed) == (1, 0, 0)
    sentences = report_text.list_health_sentences(report)
    assert "0 of 1 product were checked after 8 Mar 2026." in sentences
    assert "Nothing is known of 1 product at these closes." in sentences


def test_a_report_without_products_names_the_reason(session: Session, principal: Principal) -> None:
    report = read(session, principal)
    assert report.days == ()
    assert report_text.describe_days(report) == "No product is tracked."
    assert report_text.name_report(report) == "Daily report, 10 Mar 2026"


def test_issues_and_cost_are_those_of_now(session: Session, principal: Principal) -> None:
    lamp, _ = seed_report(session, principal)
    add_incident(session, principal, lamp, AT - timedelta(days=2))
    session.execute(
        text(
            "INSERT INTO fetch_run (intended_at, provider, cost_usd, actor, marketplace, state, "
            "batch_size, input, input_hash) SELECT at::timestamptz, provider, cost, 'a', 'US', "
            "'collected', 10, '{}', '' FROM (VALUES "
            "('2026-03-09T23:59Z', 'apify', 0.40), ('2026-03-09T01:00Z', 'apify', NULL), "
            "('2026-03-01T01:00Z', 'apify', 1), ('2026-03-10T00:00Z', 'apify', 5), "
            "('2026-03-09T05:00Z', 'demo', 7)) AS r (at, provider, cost)"
        )
    )
    report = read(session, principal)
    assert report.issues.total == 1
    [issue] = report.issues.worst
    assert issue.text.startswith("Out of stock since 8 Mar 2026, 12:00")
    assert (report.cost.dollars, report.cost.month_dollars) == (Decimal("0.50"), Decimal("1.50"))
    assert report_text.describe_cost(report).startswith(
        "Checks cost $0.50 on 9 Mar 2026 (UTC), $1.50 since 1 Mar 2026"
    )


def test_a_report_is_of_what_its_reader_may_see(session: Session, principal: Principal) -> None:
    lamp, _ = seed_report(session, principal)
    assert read(session, add_stranger(session)).products == 0
    colleague = add_colleague(session, principal, role=Role.SELLER)
    assert read(session, colleague, scope=ListScope.MINE).products == 0
    assert read(session, colleague, scope=ListScope.TEAM).products == 2
    pause(session, principal, [lamp])
    assert read(session, principal).products == 1


def test_a_kept_report_is_the_same_in_every_readers_formats(
    session: Session, principal: Principal
) -> None:
    lamp, _ = seed_report(session, principal)
    add_incident(session, principal, lamp, AT)
    report = read(session, principal)
    kept = dump_report(report)
    assert load_report(kept) == report
    # By name: a value that is added later shifts no other.
    assert kept["report"]["changes"][0]["now"].keys() == set(AcceptedValues._fields)
    with apply_formats(Formats("de_DE")):
        assert report_text.write_mover_values(report.list_movers(MovedValue.PRICE)[0]) == (
            "40,00\u00a0$ → 30,00\u00a0$"
        )
        assert report_text.name_report(report) == "Daily report, 09.03.2026"


def test_only_the_worst_are_listed_and_all_are_counted(
    session: Session, principal: Principal
) -> None:
    asins = [f"B0MANY{number:04d}" for number in range(25)]
    for number, product in enumerate(track_products(session, principal, asins)):
        add_closes(
            session,
            product,
            {"bsr_close": 1000, "availability_close": int(Availability.IN_STOCK)},
            bsr_close=2000 + 10 * number,
        )
    report = read(session, principal)
    assert (report.changed, len(report.changes)) == (25, 20)
    assert report.changes[0].now.bsr == 2240  # the worst first
    assert len(report.list_movers(MovedValue.RANK)) == 4


def test_without_own_products_each_figure_names_the_reason(
    session: Session, principal: Principal
) -> None:
    seed_report(session, principal)
    session.execute(text("UPDATE tracking SET role = 'competitor'"))
    figures = read(session, principal).figures
    assert {each.kind for each in figures} == set(FigureKind)
    assert {(each.value, each.reason) for each in figures} == {
        (None, "No product is marked as your own.")
    }
