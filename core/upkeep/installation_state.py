"""Values that the installation keeps between starts. Never commits."""

from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.upkeep.models import Setting


def get_state(session: Session, name: str) -> dict[str, Any] | None:
    """Return the value stored under a name, None if there is none."""
    found = session.get(Setting, name)
    return None if found is None else found.value


def set_state(session: Session, name: str, value: dict[str, Any]) -> None:
    """Store a value under a name, replacing any earlier one."""
    session.execute(
        insert(Setting)
        .values(name=name, value=value)
        .on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )
