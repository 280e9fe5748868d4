"""When a start loads the demo market: on an empty database, and where loading was cut short."""

import pytest
from sqlalchemy.orm import Session

from core.demo.seed_state import STATE_NAME, is_demo_wanted
from core.upkeep.installation_state import set_state
from tests.factories.products import add_product


def test_an_empty_database_wants_the_demo(session: Session) -> None:
    assert is_demo_wanted(session)


def test_a_team_with_own_products_gets_no_invented_ones(session: Session) -> None:
    add_product(session)
    assert not is_demo_wanted(session)


@pytest.mark.parametrize(
    ("state", "wanted"), [("loading", True), ("loaded", False), ("removed", False)]
)
def test_only_a_loading_that_was_cut_short_goes_on(
    session: Session, state: str, wanted: bool
) -> None:
    add_product(session)
    set_state(session, STATE_NAME, {"state": state})
    session.flush()
    assert is_demo_wanted(session) is wanted
