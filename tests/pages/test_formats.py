"""Figures in the reader's way: on every path that shows one, and never in another's."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.accounts.access.permissions import Principal, Role
from core.accounts.models import Person
from core.settings.environment import ROOT
from tests.core.history.observations import ASIN, make_sourced, store, this_hour, track_product
from tests.pages.conftest import SignIn
from tests.pages.screen import open_page

DAY = timedelta(days=1)


@pytest.fixture
def german(session: Session, make_user: Callable[[Role], Principal]) -> Principal:
    reader = make_user(Role.VIEWER)
    session.get_one(Person, reader.person_id).locale = "de_DE"
    session.commit()
    return reader


@pytest.fixture
def product(session: Session, principal: Principal) -> int:
    number, now = track_product(session, principal), this_hour()
    dear = {"price": 200000, "buy_box_price": 200000}
    store(session, [make_sourced(number, now - 5 * DAY, **dear), make_sourced(number, now - DAY)])
    return number


def read_figures() -> str:
    page = open_page("product", marketplace="US", asin=ASIN)
    return "".join(each.value for each in page.get("html"))


def test_a_product_is_written_in_each_readers_way(
    session: Session, principal: Principal, german: Principal, product: int, sign_in: SignIn
) -> None:
    assert '<p class="value">#1,200</p>' in read_figures()
    sign_in(german)
    assert '<p class="value">#1.200</p>' in read_figures()
    sign_in(principal)
    assert '<p class="value">#1,200</p>' in read_figures()


def test_a_kept_chart_is_not_shown_to_a_user_with_other_formats(
    session: Session, principal: Principal, german: Principal, product: int, sign_in: SignIn
) -> None:
    def alt() -> str:
        script = AppTest.from_function(_alt_text, args=(ASIN,), default_timeout=120).run()
        assert not script.exception
        return script.text[0].value

    assert "$2,000.00" in alt()
    sign_in(german)
    assert "2.000,00\u00a0$" in alt()
    sign_in(principal)
    assert "$2,000.00" in alt()


def _alt_text(asin: str) -> None:
    import streamlit as st

    from app.data import get_principal
    from app.data.product.period import Range, read_period
    from app.data.product.summary import find_product_summary

    get_principal()
    head = find_product_summary("US", asin)
    assert head
    period = read_period(head, Range(30, "the last 30 days"))
    assert period
    st.text(period.alt)


def test_a_part_that_runs_alone_writes_in_the_readers_way(
    session: Session, german: Principal, sign_in: SignIn
) -> None:
    """Such a part runs without the frame, in a thread without the user's formats."""
    sign_in(german)
    assert AppTest.from_function(_alone).run().caption[0].value == "1.234"


def test_a_part_that_runs_alone_shows_nothing_to_who_is_signed_out(
    session: Session, sign_in: SignIn
) -> None:
    sign_in(None)
    script = AppTest.from_function(_alone).run()
    assert not script.caption
    assert not script.exception
    assert script.warning[0].value == "You are signed out. Reload the page to sign in again."


def _alone() -> None:
    import streamlit as st

    from app.components import fragments
    from core.text import locale, numbers

    locale.use_formats(locale.USUAL)

    @fragments.fragment()
    def part() -> None:
        st.caption(numbers.format_count(1234))

    part()


def test_every_part_that_runs_alone_asks_who_is_signed_in() -> None:
    bare = re.compile(r"@st\.(dialog|fragment)\b")
    files = [*(ROOT / "app").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    assert [path.name for path in files if bare.search(path.read_text())] == []
