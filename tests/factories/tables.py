"""What is stored, as plain rows."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session


def fetch_rows(session: Session, statement: str, **values: Any) -> list[dict[str, Any]]:
    """Return rows of plain SQL as dicts."""
    return [dict(row) for row in session.execute(text(statement), values).mappings()]


def fetch_row(session: Session, statement: str, **values: Any) -> dict[str, Any]:
    """Return the one row of plain SQL."""
    (found,) = fetch_rows(session, statement, **values)
    return found


def fetch_latest(session: Session, product_id: int) -> dict[str, Any]:
    """Return a product's newest accepted values."""
    return fetch_row(session, "SELECT * FROM product_latest WHERE product_id = :id", id=product_id)


def fetch_change(session: Session, product_id: int) -> dict[str, Any]:
    """Return a product's changes over the periods."""
    return fetch_row(session, "SELECT * FROM product_change WHERE product_id = :id", id=product_id)


def fetch_days(session: Session, product_id: int) -> list[dict[str, Any]]:
    """Return a product's days in order."""
    return fetch_rows(
        session, "SELECT * FROM product_daily WHERE product_id = :id ORDER BY day", id=product_id
    )


def fetch_snapshots(session: Session, product_id: int) -> list[dict[str, Any]]:
    """Return a product's snapshots in order."""
    return fetch_rows(
        session,
        "SELECT * FROM snapshot WHERE product_id = :id ORDER BY captured_at, source",
        id=product_id,
    )


def fetch_schedule(session: Session, product_id: int) -> dict[str, Any] | None:
    """Return when a product is due, None where it is not fetched."""
    found = fetch_rows(
        session, "SELECT * FROM fetch_schedule WHERE product_id = :id", id=product_id
    )
    return found[0] if found else None
