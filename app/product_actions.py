"""What the product screen writes: a person's settings for one product."""

from app.data import acting
from core.db import write_scope
from core.tracking import service
from core.tracking.lists import Whose
from core.tracking.service import Settings


def change_settings(product_id: int, settings: Settings, whose: Whose = Whose.MINE) -> str:
    """Replace the settings of a followed product; return what came of it in words."""
    with write_scope() as session:
        service.change_settings(session, acting(), product_id, settings, whose)
    return "Settings saved."
