"""Addresses with anything at all in them: a sentence or the usual view, never an error."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.web import error_boundary, url_parameters
from core.accounts.access.permissions import Principal
from core.settings.environment import ROOT
from tests.hypothesis_runs import examples
from tests.pages.seeding import seed

PARAMETERS = {
    "overview": ["list", "whose", "period", "place", "moved"],
    "products": ["list", "market", "role", "state", "tag", "search", "sort", "page"],
    "product": ["marketplace", "asin", "days"],
    "suggestions": ["status", "kind", "priority", "advisor", "about", "queue_page"],
    "suggestion": ["id"],
    "alerts": [
        "view",
        "within",
        "list",
        "severity",
        "alert_role",
        "alert_market",
        "alert_kind",
        "handling",
        "alert_page",
    ],
    "add": ["import"],
    "profile": ["part"],
    "admin": ["part"],
}
ODD = st.one_of(
    st.sampled_from(["\x00", "US\x00", "%00", "-1", "1e999", "٣", "9" * 30, "9" * 18, "0", "NaN"]),
    st.sampled_from(["%s", "%(id)s", "' OR 1=1 --", "[1]", "\u202e", "x" * 20_000, "\\", "\n"]),
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30),
)


def opened(page: str, address: dict[str, str | list[str]]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    app.switch_page(f"../pages/{page}.py")
    app.query_params.update(address)
    return app.run()


def unexpected(app: AppTest) -> list[str]:
    """Return the unexpected errors."""
    errors = [each.message for each in app.exception]
    return errors + [each.value for each in app.error if "could not be shown" in each.value]


CASES = [
    ("product", {"marketplace": "\x00", "asin": "B0TEST0001"}, "�"),
    ("product", {"marketplace": "US", "asin": "B0TEST0001\x00"}, "�"),
    ("product", {"marketplace": "US\x00", "asin": "\x00" * 50}, "�"),
    ("alerts", {"view": "\x00", "alert_page": "9" * 30, "severity": "x"}, "No product is marked"),
    ("suggestion", {"id": "9" * 18}, "doesn't exist"),
    ("suggestion", {"id": "9" * 5000}, "Choose a suggestion"),
    ("suggestion", {"id": "٣"}, "Choose a suggestion"),
    ("add", {"import": "9" * 18}, "doesn't exist"),
    ("products", {"search": "kettle\x00", "page": "9" * 30}, "Kettle"),
    ("products", {"page": ["2", "1e9"], "list": ["x", "\x00"]}, "Kettle"),
]


@pytest.mark.parametrize(("page", "address", "words"), CASES)
def test_an_odd_address_is_answered_in_words(
    session: Session,
    principal: Principal,
    page: str,
    address: dict[str, str | list[str]],
    words: str,
) -> None:
    seed(session, principal, "B0TEST0001", "Kettle")
    app = opened(page, address)
    assert unexpected(app) == []
    shown = [*app.markdown, *app.info, *app.warning, *app.caption, *app.dataframe, *app.title]
    assert words in " ".join(str(each.value) for each in shown)


@settings(max_examples=examples(12), derandomize=True)
@given(data=st.data())
def test_whatever_an_address_holds_the_page_is_shown(
    session: Session, principal: Principal, data: st.DataObject
) -> None:
    seed(session, principal, "B0TEST0001", "Kettle")
    page = data.draw(st.sampled_from(sorted(PARAMETERS)))
    values = st.one_of(ODD, st.lists(ODD, min_size=2, max_size=3))
    address = data.draw(st.fixed_dictionaries(dict.fromkeys(PARAMETERS[page], values)))
    assert unexpected(opened(page, address)) == []


@given(st.one_of(ODD, st.text()))
def test_what_is_read_of_an_address_can_be_stored_and_is_short(value: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(url_parameters.st, "query_params", {"name": value})
        read, number = url_parameters.read_text("name"), url_parameters.read_number("name")
        assert url_parameters.read_text("other") is None
    if value:
        assert read is not None
        assert read.encode()
        assert "\x00" not in read
        assert len(read) <= url_parameters.LONGEST
    assert number is None or 0 <= number < 2**63


def test_addresses_are_read_in_one_place() -> None:
    readers = [
        path.name
        for folder in ("app", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bst\.query_params\.get\(", path.read_text(encoding="utf-8"))
    ]
    assert readers == ["url_parameters.py"]


@pytest.mark.parametrize("value", ["a\x00b", "a\ud800b"])
def test_a_text_that_can_not_be_stored_is_refused_in_words(session: Session, value: str) -> None:
    with pytest.raises(error_boundary.EXPECTED_ERRORS) as raised:
        session.execute(text("SELECT CAST(:given AS text)"), {"given": value})
    assert "can't be stored" in error_boundary.get_message(raised.value)  # type: ignore[arg-type]
