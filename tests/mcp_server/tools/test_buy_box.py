"""Who held the Buy Box, as agents read it."""

from sqlalchemy.orm import Session

from core.accounts.people.membership import get_owner_principal
from core.history.observation import Availability, Fulfilment, Seen
from core.tracking.sellers.service import add_own_seller
from tests.factories.observations import (
    EVERYTHING,
    days_ago,
    hours_ago,
    make_price_observation,
    store_observation,
    store_observations,
)
from tests.factories.products import LAMP, track_products
from tests.mcp_server.conftest import Agent
from tests.mcp_server.shop import HOSTILE, NAME, NEVER_SEEN

SEEN = EVERYTHING | Seen.FULFILMENT


def test_a_lost_buy_box_has_its_seller_price_and_share(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    add_own_seller(session, get_owner_principal(session), "US", "", "Bright Shop")
    fba = {"seen": SEEN, "fulfilment": Fulfilment.FBA}
    for hours, seller, price in ((6, "Bright Shop", 2000), (5, "Bright Shop", 2000)):
        store_observation(session, hours_ago(hours), buy_box_seller=seller, price=price, **fba)
    store_observation(session, hours_ago(3), buy_box_seller=HOSTILE, price=1920)
    store_observation(
        session, hours_ago(2), buy_box_seller=None, price=None, rank=None,
        availability=Availability.BUY_BOX_SUPPRESSED,
    )  # fmt: skip
    store_observation(session, hours_ago(1), buy_box_seller="Bright Shop")
    found = agent.call("get_buy_box_history", product=NAME)
    assert [
        (each["state"], each["is_own"], each["price"], each["change"]) for each in found["periods"]
    ] == [
        ("seller", True, 20, "Featured again"),
        ("suppressed", None, None, "Suppressed: offers, none featured"),
        ("seller", False, 19.2, "New holder at −4\u202f% of your last price"),
        ("seller", True, 20, ""),
    ]
    assert found["periods"][2]["seller"] == {"untrusted": HOSTILE}
    assert found["periods"][1]["reason"] == "Buy Box suppressed"
    shares = {each["seller"]["untrusted"] if each["seller"] else each["state"]: each
              for each in found["shares"]}  # fmt: skip
    assert {name: each["share"] for name, each in shares.items()} == {
        "Bright Shop": 0.6, HOSTILE: 0.2, "suppressed": 0.2,
    }  # fmt: skip
    own = shares["Bright Shop"]
    assert (own["average_price"], own["fulfilment"]) == (20, "FBA")
    assert (found["periods_total"], found["shares_total"], found["why_none"]) == (4, 3, None)
    answer = agent.words("get_buy_box_history", product=NAME)
    assert "last «Bright Shop» (own). «Bright Shop» (own) 60\u202f%" in answer
    assert "\x1b" not in answer


def test_why_nothing_is_known_of_a_buy_box(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP, "B0TEST0009"])
    store_observations(session, make_price_observation(LAMP, hours_ago(1)), now=hours_ago(0))
    found = agent.call("get_buy_box_history", product=NAME)
    assert (found["periods"], found["why_none"]) == ([], "not reported in this period")
    assert "not reported in this period" in agent.words("get_buy_box_history", product=NAME)
    refused = agent.refusal("get_buy_box_history", product=NEVER_SEEN)
    assert "`get_fetch_status` explains why" in refused


def test_a_long_period_is_by_day(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observation(session, days_ago(450))
    found = agent.call("get_buy_box_history", product=NAME, days=600)
    assert (found["resolution"], found["periods"][0]["price"]) == ("days", 20)
