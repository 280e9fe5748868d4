"""After a restore: what was open then is void, and everything outward waits for an administrator.

Checks, notifications, emails and approved changes may have happened since the backup was made, or
may happen in another installation of the same data. Never commits.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import ApiToken, Person
from core.backup.restore_mark import is_unfinished, remove_mark
from core.errors import InvalidInputError
from core.scraping.runs.models import FetchRun
from core.suggestions.models import SuggestionAction
from core.suggestions.rules import ActionState
from core.tracking.models import FetchSchedule
from core.upkeep.installation_state import get_state, set_state

STATE: Final = "restore"
PAUSED: Final = (
    "Paused since a backup was restored, until an administrator continues at Data health."
)
_OPEN_RUNS: Final = ("intended", "running", "finished")

# Everything that was open when the backup was made: it may have happened since.
_VOID: Final = (
    "DELETE FROM sign_in",
    "DELETE FROM one_time_token",
    "UPDATE incident SET planned_state = 'none' WHERE planned_state IS DISTINCT FROM state",
    "UPDATE notification SET state = 'cancelled', reason = 'restored', ended_at = :now "
    "WHERE state IN ('queued', 'held')",
    "UPDATE notification SET remind_at = NULL WHERE remind_at IS NOT NULL",
    "UPDATE outbox_message SET state = 'cancelled', ended_at = :now, "
    "answer = 'Not sent: a backup of an earlier time was restored.' "
    "WHERE state IN ('pending', 'sending')",
    "UPDATE notice SET security_mail = NULL WHERE security_mail IS NOT NULL AND mailed_at IS NULL",
    "UPDATE notice SET mailed_at = :now WHERE mailed_at IS NULL",
)


@dataclass(frozen=True, slots=True)
class RestorePause:
    """A restored installation that an administrator has not confirmed yet."""

    made_at: datetime  # when the backup was made
    restored_at: datetime


@dataclass(frozen=True, slots=True)
class DueProducts:
    """The products of a provider that are checked when the pause ends, and their cost."""

    provider: str
    products: int
    dollars: Decimal


@dataclass(frozen=True, slots=True)
class TokenInForce:
    """An API token that acts again, also if it was revoked after the backup was made."""

    name: str
    owner: str
    hint: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class PausedWork:
    """What begins when the pause ends."""

    products: list[DueProducts]
    open_runs: int  # whose results are read; they are not started again
    approved_actions: int
    tokens: list[TokenInForce]


def read_pause(session: Session) -> RestorePause | None:
    """Return the pause since a restore; None if nothing is paused."""
    state = get_state(session, STATE)
    if state is None or state.get("confirmed_at") is not None:
        return None
    return RestorePause(
        datetime.fromisoformat(state["made_at"]), datetime.fromisoformat(state["restored_at"])
    )


def is_outward_paused(session: Session) -> bool:
    """Return whether everything outward waits: a restore is not confirmed, or not finished."""
    return read_pause(session) is not None or is_unfinished(session)


@requires(Permission.ADMIN)
def begin_pause(session: Session, principal: Principal, made_at: datetime, now: datetime) -> None:
    """Void what was open in a backup made at `made_at`, and pause everything outward.

    The restore is finished by this, so its mark goes.
    """
    for statement in _VOID:
        session.execute(text(statement), {"now": now})
    values = {"made_at": made_at.isoformat(), "restored_at": now.isoformat()}
    set_state(session, STATE, values)
    remove_mark(session)
    audit.record(session, principal, "restored backup", new=values)


@requires(Permission.ADMIN)
def confirm_restore(session: Session, principal: Principal, now: datetime) -> None:
    """Let checks, deliveries and approved changes go on. Raises InvalidInputError if they do."""
    pause = read_pause(session)
    if pause is None:
        raise InvalidInputError("Nothing is paused.")
    state = get_state(session, STATE) or {}
    set_state(session, STATE, state | {"confirmed_at": now.isoformat()})
    audit.record(
        session, principal, "continued after restore", new={"made_at": pause.made_at.isoformat()}
    )


@requires(Permission.ADMIN)
def read_paused_work(
    session: Session,
    principal: Principal,  # noqa: ARG001 - checked by the decorator
    prices: Collection[tuple[str, Decimal]],
    now: datetime,
) -> PausedWork:
    """Return what begins when the pause ends. `prices`: providers, with dollars a product."""
    products = []
    for provider, price in prices:
        count = _count(
            session,
            select(func.count()).where(
                FetchSchedule.provider == provider,
                FetchSchedule.priority.in_((0, 1)),
                FetchSchedule.due_at <= now,
            ),
        )
        products.append(DueProducts(provider, count, count * price))
    return PausedWork(
        products=products,
        open_runs=_count(session, select(func.count()).where(FetchRun.state.in_(_OPEN_RUNS))),
        approved_actions=_count(
            session,
            select(func.count()).where(SuggestionAction.state == ActionState.APPROVED.value),
        ),
        tokens=_list_tokens(session, now),
    )


def _count(session: Session, statement: Any) -> int:
    return int(session.execute(statement).scalar_one())


def _list_tokens(session: Session, now: datetime) -> list[TokenInForce]:
    rows = session.execute(
        select(ApiToken.name, Person.name, ApiToken.hint, ApiToken.expires_at)
        .join(Person, Person.id == ApiToken.person_id)
        .where(
            ApiToken.revoked_at.is_(None),
            (ApiToken.expires_at.is_(None)) | (ApiToken.expires_at > now),
            Person.state == "active",
        )
        .order_by(Person.name, ApiToken.name)
    )
    return [TokenInForce(*row) for row in rows]
