"""Commands of saved views: each writes and returns a message for the user."""

from collections.abc import Sequence

from app.data import get_principal
from app.data import views as data
from core.database.session import write_scope
from core.text.escaping import escape_markdown
from core.tracking.views import service
from core.tracking.views.rules import ViewDefinition


def save_view(name: str, definition: ViewDefinition, is_shared: bool) -> str:
    """Save what the list shows under a name."""
    with write_scope() as session:
        is_new = service.save_view(session, get_principal(), name, definition, is_shared=is_shared)
    return f"“{escape_markdown(name.strip())}” {'saved' if is_new else 'replaced'}."


def delete_view(view_id: int) -> str:
    """Delete a saved view."""
    with write_scope() as session:
        service.delete_view(session, get_principal(), view_id)
    return "View deleted."


def set_columns(names: Sequence[str]) -> None:
    """Remember the columns that the user chose."""
    with write_scope() as session:
        service.set_columns(session, get_principal(), names)
    data.clear_columns()
