"""What each role sees and may do on the pages."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.accounts.access.permissions import Principal, Role
from core.tracking.rules import Role as ProductRole
from tests.factories.tables import fetch_rows
from tests.pages.conftest import SignIn
from tests.pages.screen import open_page
from tests.pages.seeding import seed

ASIN = "B0ROLE0001"
MakeUser = Callable[[Role], Principal]


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def words(app: AppTest) -> str:
    shown = [*app.title, *app.markdown, *app.caption, *app.info, *app.warning, *app.error]
    return " | ".join(element.value for element in shown)


@pytest.fixture
def product(session: Session, principal: Principal) -> int:
    return seed(session, principal, ASIN, "Brass kettle", role=ProductRole.OWN, price=1999)


@pytest.mark.parametrize("page", ["overview", "products", "product", "add", "health"])
def test_who_is_signed_out_sees_the_form_at_every_address(sign_in: SignIn, page: str):
    sign_in(None)
    app = open_page(page)
    assert "Sign in" in labels(app)
    assert not app.metric
    assert not app.dataframe


def test_a_viewer_sees_the_teams_products_and_no_way_to_change_them(
    sign_in: SignIn, make_user: MakeUser, product: int
):
    sign_in(make_user(Role.VIEWER))
    app = open_page("products")
    assert "1 product" in words(app)
    assert not {"Add products", "Pause", "Remove"} & labels(app)
    app = open_page("product", marketplace="US", asin=ASIN)
    assert "Brass kettle" in words(app)
    assert not {"Track", "Check now", "Settings"} & labels(app)


def test_a_viewer_may_not_add_products(sign_in: SignIn, make_user: MakeUser):
    sign_in(make_user(Role.VIEWER))
    app = open_page("add")
    assert "may not see this" in words(app)
    assert not app.text_area


def test_a_seller_begins_with_a_list_of_their_own(
    sign_in: SignIn, make_user: MakeUser, product: int
):
    sign_in(make_user(Role.SELLER))
    app = open_page("products")
    assert "You track no product yourself yet" in words(app)
    app.segmented_control(key="list").set_value("All products").run()
    assert "1 product" in words(app)


def test_a_seller_follows_what_a_teammate_follows(
    session: Session, sign_in: SignIn, make_user: MakeUser, product: int
):
    seller = make_user(Role.SELLER)
    sign_in(seller)
    app = open_page("product", marketplace="US", asin=ASIN)
    assert {"Track", "Check now"} <= labels(app)
    assert "Settings" not in labels(app)
    app.button(key="follow").click().run()
    assert not app.exception
    assert "Settings" in labels(app)
    followed = fetch_rows(session, "SELECT person_id FROM tracking WHERE NOT is_first")
    assert followed == [{"person_id": seller.person_id}]


def test_a_manager_begins_with_the_teams_list_and_may_set_a_teammates_product(
    sign_in: SignIn, make_user: MakeUser, product: int
):
    sign_in(make_user(Role.MANAGER))
    assert "1 product" in words(open_page("products"))
    app = open_page("product", marketplace="US", asin=ASIN)
    assert "Settings" in labels(app)


def test_a_role_that_is_lowered_counts_at_the_next_run(
    session: Session, sign_in: SignIn, make_user: MakeUser, product: int
):
    manager = make_user(Role.MANAGER)
    sign_in(manager)
    app = open_page("product", marketplace="US", asin=ASIN)
    assert "Settings" in labels(app)
    session.connection().exec_driver_sql(
        "UPDATE person SET role = 'viewer' WHERE id = %s", (manager.person_id,)
    )
    session.commit()
    app.session_state["_acting"] = None  # a run later than half a second
    app.run()
    assert not {"Settings", "Check now", "Track"} & labels(app)


def test_a_disabled_user_is_out_at_the_next_run(
    session: Session, sign_in: SignIn, make_user: MakeUser, product: int
):
    seller = make_user(Role.SELLER)
    sign_in(seller)
    app = open_page("products")
    session.connection().exec_driver_sql(
        "UPDATE person SET state = 'disabled' WHERE id = %s", (seller.person_id,)
    )
    session.commit()
    app.session_state["_acting"] = None
    app.run()
    assert "Sign in" in labels(app)
    assert not app.dataframe
