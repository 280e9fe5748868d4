"""Whether the demo market is still to be loaded. Apart from the loading, which needs much more:
every start asks this.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.models import Product
from core.upkeep.installation_state import get_state

STATE_NAME = "demo"


def is_demo_wanted(session: Session) -> bool:
    """True unless the market was loaded or removed before, or own products are there.

    Also true for one that was half loaded when its start was cut short.
    """
    state = (get_state(session, STATE_NAME) or {}).get("state")
    if state is not None:
        return bool(state == "loading")
    return session.scalars(select(Product.id).limit(1)).first() is None
