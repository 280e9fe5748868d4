"""Idempotency keys: a repeated write returns the stored response. Never commits."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.agents.models import AgentWrite
from core.errors import InvalidInputError


def find_response(
    session: Session,
    principal: Principal,
    key: str,
    tool: str,
    arguments_hash: bytes,
    now: datetime,
) -> Any | None:
    """Claim an idempotency key; return the stored response of its write, None the first time.

    A concurrent second call waits for the first. Raises InvalidInputError for a key that
    was used with another tool or other arguments.
    """
    claimed = session.execute(
        upsert(AgentWrite)
        .values(
            person_id=principal.person_id, key=key, tool=tool, arguments_hash=arguments_hash, at=now
        )
        .on_conflict_do_nothing()
        .returning(AgentWrite.key)
    ).first()
    if claimed is not None:
        return None
    kept = session.execute(
        select(AgentWrite.tool, AgentWrite.arguments_hash, AgentWrite.answer).where(
            AgentWrite.person_id == principal.person_id, AgentWrite.key == key
        )
    ).one()
    if (kept.tool, bytes(kept.arguments_hash)) != (tool, arguments_hash):
        raise InvalidInputError(
            "This idempotency key was used for another call. Use a new key for a new write; "
            "repeat a write with the very same arguments."
        )
    return kept.answer


def save_response(session: Session, principal: Principal, key: str, answer: Any) -> None:
    """Store the response of a write, in the transaction of the write."""
    session.execute(
        update(AgentWrite)
        .where(AgentWrite.person_id == principal.person_id, AgentWrite.key == key)
        .values(answer=answer)
    )
