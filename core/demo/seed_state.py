"""Decide whether the demo market must be loaded.

Every start asks this, so it is separate from the loading, which imports much more.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.models import Product
from core.upkeep.installation_state import get_state

STATE_NAME = "demo"


def is_demo_wanted(session: Session) -> bool:
    """Return whether to load the market: not if it was loaded or removed, or any products exist.

    True for a market that an interrupted start loaded in part.
    """
    state = (get_state(session, STATE_NAME) or {}).get("state")
    if state is not None:
        return bool(state == "loading")
    return session.scalars(select(Product.id).limit(1)).first() is None
