"""A report's email: its numbers, its pictures inside, and nothing that a title could do."""

from base64 import b64decode
from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.delivery.channels.email import list_pictures, write_html
from core.delivery.message_json import dump_message, load_message
from core.delivery.smtp import OutgoingEmail, _build_message
from core.history.periods.change_period import ChangePeriod
from core.reports.compute_report import compute_report
from core.reports.content import Report, ReportParagraph, ReportProduct
from core.reports.email_message import number_message, write_message
from core.reports.frozen.frozen_file import write_report_file
from core.reports.line_picture import HEIGHT, WIDTH
from core.text.locale import Formats, apply_formats
from core.tracking.list_filter import ListScope
from tests.factories.alerts import add_incident
from tests.factories.reports import AT, seed_report

HOSTILE = 'x</p><script>alert(1)</script><img src="https://evil.example">\r\nBcc: a@b.example\u202e'


@pytest.fixture
def report(session: Session, principal: Principal) -> Report:
    lamp, _ = seed_report(session, principal)
    add_incident(session, principal, lamp, AT)
    return compute_report(
        session, principal, ListScope.TEAM, ChangePeriod.DAY, AT, AT, Decimal("0.01")
    )


def test_an_email_has_the_reports_numbers_and_pictures(report: Report) -> None:
    message = number_message(write_message(report, "https://own.example"), 7)
    assert load_message(dump_message(message)) == message
    assert message.subject == "Daily report, 9 Mar 2026: 2 changed, 1 open, 0 pending"
    assert message.link == "https://own.example/reports?report=7"
    html = write_html(message)
    assert "#1,000 → #1,500" in html
    pictures = list_pictures(message)
    assert len(pictures) == len(report.movers) == 3
    for name, png in pictures:
        assert f'src="cid:{name}"' in html
        assert Image.open(BytesIO(png)).size == (WIDTH, HEIGHT)
    email = OutgoingEmail("a@b.example", "s", "t", html=html, pictures=pictures)
    sent = _build_message("own@own.example", email)
    kinds = [part.get_content_type() for part in sent.walk()]
    assert kinds == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html",
        "image/png", "image/png", "image/png",
    ]  # fmt: skip
    assert b64decode(str(list(sent.walk())[-1].get_payload())) == pictures[-1][1]


def test_days_are_in_the_readers_format(report: Report) -> None:
    with apply_formats(Formats("de_DE")):
        html = write_html(write_message(report, "https://own.example"))
    assert "(09.03.2026, " in html
    assert "2026-03-09" not in html


def test_a_hostile_title_stays_text(report: Report) -> None:
    def rename(product: ReportProduct) -> ReportProduct:
        return replace(product, title=HOSTILE)

    hostile = replace(
        report,
        changes=tuple(replace(each, product=rename(each.product)) for each in report.changes),
        movers=tuple(replace(each, product=rename(each.product)) for each in report.movers),
    )
    message = write_message(hostile, "https://own.example")
    html = write_html(message)
    assert "<script>" not in html
    assert 'src="https:' not in html
    assert "\u202e" not in html
    assert "\n" not in message.subject


MARK = "Written by the model stand-in-1."


def test_a_paragraph_is_marked_as_a_models_in_email_and_file(report: Report) -> None:
    text = "The <b>BSR</b> went to #1,500."
    written = replace(report, paragraph=ReportParagraph(text, "stand-in-1", None))
    html = write_html(write_message(written, "https://own.example"))
    file = write_report_file(written, report.time_zone).body.decode()
    for each in (html, file):
        assert "The &lt;b&gt;BSR&lt;/b&gt; went to #1,500." in each
        assert each.count(MARK) == 1
    assert write_html(write_message(report, "https://own.example")).count("Summary") == 0


def test_a_report_without_its_paragraph_has_the_reason(report: Report) -> None:
    without = replace(report, paragraph=ReportParagraph(None, None, "The budget is spent."))
    html = write_html(write_message(without, "https://own.example"))
    file = write_report_file(without, report.time_zone).body.decode()
    for each in (html, file):
        assert "No paragraph by a model: The budget is spent." in each
        assert "Written by the model" not in each
