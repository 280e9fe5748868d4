"""The demo market comes with competitors, and goes without a trace of anything else."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.models import AuditEvent
from core.catalog.models import Product
from core.demo import seed
from core.demo.market.market import Market
from core.demo.seed import has_demo, remove_demo
from core.tracking.service import track
from tests.factories.observations import NOON
from tests.factories.products import KETTLE, LAMP, track_products

pytestmark = pytest.mark.dates  # what it stores is of today


def test_removing_the_demo_leaves_ones_own_products_and_one_event(
    session: Session, principal: Principal
) -> None:
    track_products(session, principal, [LAMP], is_demo=True)
    [own] = track_products(session, principal, [KETTLE])
    assert remove_demo(session, principal) == 1
    assert session.scalars(select(Product.id)).all() == [own]
    assert not has_demo(session)
    event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
    assert (event.verb, event.person_id, event.new) == (
        "removed demo",
        principal.person_id,
        {"count": 1},
    )


def test_each_leader_is_compared_with_the_two_competitors_of_its_category(
    session: Session, principal: Principal
) -> None:
    products = Market().products
    track(session, principal, [seed._make_tracking(each) for each in products], is_demo=True)
    for _ in range(2):  # a start that goes on chooses none twice
        seed._choose_competitors(session, products, NOON)
    found = session.execute(
        text(
            "SELECT p.asin, array_agg(o.asin ORDER BY o.asin) FROM competitor c "
            "JOIN product p ON p.id = c.product_id JOIN product o ON o.id = c.competitor_id "
            "GROUP BY p.asin ORDER BY p.asin"
        )
    ).all()
    assert len(found) == len({(each.marketplace, each.category) for each in products})
    assert tuple(found[0]) == ("B0DEMO0101", ["B0DEMO0103", "B0DEMO0104"])
