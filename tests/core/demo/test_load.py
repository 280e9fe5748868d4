"""Taking the demo market away: only what is marked as demo, and the audit knows."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.models import AuditEvent
from core.accounts.rules import Acting
from core.catalog.models import Product
from core.demo.load import has_demo, remove_demo
from tests.factories import KETTLE, LAMP, follow_all


def test_removing_the_demo_leaves_ones_own_products_and_one_event(
    session: Session, acting: Acting
) -> None:
    follow_all(session, acting, [LAMP], is_demo=True)
    [own] = follow_all(session, acting, [KETTLE])
    assert remove_demo(session, acting) == 1
    assert session.scalars(select(Product.id)).all() == [own]
    assert not has_demo(session)
    event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
    assert (event.verb, event.person_id, event.new) == (
        "removed demo",
        acting.person_id,
        {"count": 1},
    )
