"""What the product screen writes: a person's settings for one product."""

from app.data import principal
from core.database.session import write_scope
from core.tracking import settings
from core.tracking.list_filter import ListScope
from core.tracking.settings import TrackingSettings


def change_settings(
    product_id: int, wanted: TrackingSettings, whose: ListScope = ListScope.MINE
) -> str:
    """Replace the settings of a followed product; return what came of it in words."""
    with write_scope() as session:
        settings.change_settings(session, principal(), product_id, wanted, whose)
    return "Settings saved."
