"""The sidebar: sections, counts, search; and the names of the browser's tabs."""

from sqlalchemy.orm import Session

from app import keys
from app.frame import navigation, product_search
from core.accounts.access.permissions import Permission, Principal
from core.settings.environment import ROOT
from tests.factories.products import track_products
from tests.pages.screen import open_page


def test_every_page_is_a_screen_of_the_navigation() -> None:
    files = {path.stem for path in (ROOT / "pages").glob("*.py")}
    assert files == set(navigation.BY_NAME)
    assert navigation.get_permission("") is navigation.get_permission(keys.OVERVIEW)
    assert navigation.get_permission(keys.ADMIN) is Permission.ADMIN


def test_a_link_counts_what_is_open_there() -> None:
    assert navigation.format_link("Alerts", 0) == "Alerts"
    assert navigation.format_link("Alerts", 7) == "Alerts :small[:gray[7]]"
    assert navigation.format_link("Alerts", 100) == "Alerts :small[:gray[99+]]"
    assert navigation.format_link("Alerts", 7, 2) == (
        "Alerts :small[:gray[7]] :blue-badge[2 unread]"
    )
    assert navigation.format_link("Alerts", 0, 100) == "Alerts :blue-badge[99+ unread]"


def test_the_search_shows_matches_and_offers_what_is_not_tracked(
    session: Session, principal: Principal
) -> None:
    track_products(session, principal, ["B0TEST0001"])
    session.commit()
    app = open_page("products")
    app.sidebar.text_input(key=product_search.FIELD).set_value("B0TEST0001").run()
    labels = [link.proto.label for link in app.get("page_link")]
    assert any("B0TEST0001" in label for label in labels)
    app.sidebar.text_input(key=product_search.FIELD).set_value("amazon.de/dp/B0TEST0009").run()
    assert "B0TEST0009 in DE is not tracked yet" in str(app.sidebar.caption[0].value)
    app.button(key="add_searched").click().run()
    assert app.text_area[0].value.endswith("B0TEST0009")
