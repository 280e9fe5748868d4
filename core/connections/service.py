"""Operations of administrators on connections: list, save, remove, store a test. Never commits.

Secrets are never returned, logged or written to the audit.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.confirmation import require_confirmed
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import Person
from core.connections.models import Connection
from core.connections.resolve import (
    Origin,
    Resolved,
    list_missing_settings,
    list_settings,
    read_environment,
)
from core.connections.stored_values import decrypt_values, encrypt_values, hash_values
from core.connections.values import (
    ApifyToken,
    ConnectionName,
    MailServer,
    ModelServer,
    Values,
    get_name,
    hint_secret,
    is_same_place,
)
from core.errors import ConfigurationError, InvalidInputError
from core.settings.environment import Settings

_LONGEST_ANSWER = 300  # characters kept of a test's answer


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """What a test of the present values answered."""

    at: datetime
    is_working: bool
    answer: str


@dataclass(frozen=True, slots=True)
class ListedConnection:
    """A connection as administrators see it. `values` is for forms and has no secret."""

    name: ConnectionName
    origin: Origin
    values: Values | None
    hint: str  # the last characters of the secret; "" for a short or none
    test: ConnectionTest | None  # None: these values were not tested
    problem: str | None = None  # why it can't be used
    changed_at: datetime | None = None
    changed_by: str | None = None
    is_stored: bool = False  # also where the environment's values count
    set_settings: list[str] = field(default_factory=list)  # of the environment


@requires(Permission.ADMIN)
def list_connections(
    session: Session, _principal: Principal, settings: Settings
) -> list[ListedConnection]:
    """Return all connections with state and last test."""
    found = session.execute(
        select(Connection, Person.name).outerjoin(Person, Person.id == Connection.changed_by)
    )
    rows = {row.name: (row, by) for row, by in found}
    return [_describe(name, rows.get(name.value), settings) for name in ConnectionName]


def _describe(
    name: ConnectionName, found_row: tuple[Connection, str | None] | None, settings: Settings
) -> ListedConnection:
    row, by = found_row or (None, None)
    found = _resolve_row(name, row, settings)
    missing = list_missing_settings(name, settings)
    values = found.values
    return ListedConnection(
        name,
        found.origin,
        None if values is None else _hide_secret(values),
        "" if values is None else hint_secret(values.secret),
        None if values is None or row is None else _read_test(row, values, settings),
        found.missing,
        None if row is None else row.changed_at,
        by,
        row is not None and row.sealed is not None,
        [each for each in list_settings(name) if each not in missing],
    )


def _resolve_row(
    name: ConnectionName, row: Connection | None, settings: Settings
) -> Resolved[Values]:
    """Return the values that count, by the row just read."""
    try:
        given = read_environment(name, settings)
    except ConfigurationError as error:
        return Resolved(Origin.ENVIRONMENT, missing=str(error))
    if given is not None:
        return Resolved(Origin.ENVIRONMENT, given)
    if row is None or row.sealed is None:
        return Resolved(Origin.NONE)
    try:
        return Resolved(Origin.STORED, decrypt_values(name, row.sealed, settings))
    except ConfigurationError as error:
        return Resolved(Origin.UNREADABLE, missing=str(error))


def _hide_secret(values: Values) -> Values:
    if isinstance(values, ApifyToken):
        return ApifyToken("")
    if isinstance(values, ModelServer):
        return replace(values, key="")
    return replace(values, password=None)


def _read_test(row: Connection, values: Values, settings: Settings) -> ConnectionTest | None:
    """Return the row's test if it was of these values."""
    if row.tested_at is None or row.tested_values != hash_values(values, settings):
        return None
    return ConnectionTest(row.tested_at, bool(row.is_working), row.answer or "")


@requires(Permission.ADMIN)
def keep_secret(
    session: Session, _principal: Principal, values: Values, settings: Settings
) -> Values:
    """Return typed values with the stored secret, for a form whose secret was left empty.

    Raises InvalidInputError if none is stored, or one for another server or user.
    """
    row = session.get(Connection, get_name(values).value, populate_existing=True)
    kept = None
    if row is not None and row.sealed is not None:
        try:
            kept = decrypt_values(get_name(values), row.sealed, settings)
        except ConfigurationError:
            kept = None
    if kept is None or not is_same_place(kept, values):
        raise InvalidInputError("Enter the secret as well: the server or the user is another one.")
    if isinstance(values, ApifyToken):
        return kept
    if isinstance(values, ModelServer):
        return replace(values, key=kept.secret)
    return replace(values, password=kept.secret or None)


@requires(Permission.ADMIN)
def save_connection(
    session: Session, principal: Principal, values: Values, settings: Settings, now: datetime
) -> None:
    """Store a connection encrypted. Raises ConfirmationNeededError.

    The audit has where it leads to, not the secret and not the user.
    """
    require_confirmed(session, principal, now)
    name = get_name(values)
    changed = {
        "sealed": encrypt_values(values, settings),
        "changed_at": now,
        "changed_by": principal.person_id,
    }
    session.execute(
        insert(Connection)
        .values(name=name.value, **changed)
        .on_conflict_do_update(index_elements=["name"], set_=changed)
    )
    new = {"server": _name_place(values)}
    audit.record(session, principal, "changed connection", f"connection:{name.value}", new=new)


def _name_place(values: Values) -> str:
    if isinstance(values, ModelServer):
        return f"{values.model} at {values.base_url}"
    if isinstance(values, MailServer):
        return f"{values.host}:{values.port}"
    return "Apify"


@requires(Permission.ADMIN)
def remove_connection(
    session: Session, principal: Principal, name: ConnectionName, now: datetime
) -> bool:
    """Delete what is stored of a connection; return whether there was anything."""
    require_confirmed(session, principal, now)
    row = session.get(Connection, name.value, populate_existing=True, with_for_update=True)
    if row is None or row.sealed is None:
        return False
    session.delete(row)
    session.flush()
    audit.record(session, principal, "removed connection", f"connection:{name.value}")
    return True


@requires(Permission.ADMIN)
def store_test(
    session: Session,
    _principal: Principal,
    values: Values,
    settings: Settings,
    result: ConnectionTest,
) -> None:
    """Store what a test of values answered."""
    answer = " ".join("".join(c if c.isprintable() else " " for c in result.answer).split())
    tested = {
        "tested_at": result.at,
        "tested_values": hash_values(values, settings),
        "is_working": result.is_working,
        "answer": answer[:_LONGEST_ANSWER],
    }
    session.execute(
        insert(Connection)
        .values(name=get_name(values).value, **tested)
        .on_conflict_do_update(index_elements=["name"], set_=tested)
    )
