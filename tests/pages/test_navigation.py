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
    alerts = navigation.BY_NAME[keys.ALERTS]
    assert navigation.write_link(alerts, 0).endswith('<span class="name">Alerts</span></a>')
    assert '<span class="name">Alerts 7</span>' in navigation.write_link(alerts, 7)
    assert '<span class="name">Alerts 99+</span>' in navigation.write_link(alerts, 100)
    assert '<span class="unread">99+ unread</span>' in navigation.write_link(alerts, 7, 100)
    assert 'href="./alerts"' in navigation.write_link(alerts, 0)
    assert 'href="./"' in navigation.write_link(navigation.BY_NAME[keys.OVERVIEW], 0)


def test_the_navigation_links_to_what_the_user_may_see(
    session: Session, principal: Principal
) -> None:
    session.commit()
    [links] = [each.proto.body for each in open_page("products").get("html")
               if 'class="pages"' in each.proto.body]  # fmt: skip
    for screen in navigation.BY_NAME.values():
        assert (navigation.write_link(screen, 0) in links) is (
            screen.is_listed and principal.may(screen.permission)
        ), screen


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
