"""Recording refusals: counted by day; the audit gets the 1st, 10th, 100th and so on.

Each is committed by itself, since the transaction of a refused operation is rolled back.
"""

import logging

import psycopg
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.permissions import Principal
from core.accounts.models import Team
from core.database.session import autocommit_scope
from core.errors import ConfigurationError

log = logging.getLogger(__name__)

REFUSED = "refused"

_COUNT = """
INSERT INTO refusal_count (subject, what, day, times)
VALUES (:subject, :what, (now() AT TIME ZONE 'UTC')::date, 1)
ON CONFLICT (subject, what, day) DO UPDATE SET times = refusal_count.times + 1
RETURNING times
"""


def record_refusal(principal: Principal, what: str) -> None:
    """Record that a user was refused something. Never raises, so the refusal stands."""
    try:
        with autocommit_scope() as session:
            times = _count_refusal(session, f"person:{principal.person_id}", what)
            if is_audited(times):
                values = {"what": what, "times today": times}
                audit.record(session, principal, REFUSED, new=values)
    except (SQLAlchemyError, psycopg.Error, ConfigurationError) as error:
        log.warning("The refusal of %s could not be recorded: %s", what, error)


def record_anonymous_refusal(address: str, what: str) -> None:
    """Record that an address was refused something without a session. Never raises."""
    try:
        with autocommit_scope() as session:
            times = _count_refusal(session, f"address:{address}", what)
            team_id = session.scalar(select(Team.id).order_by(Team.id).limit(1))
            if team_id is not None and is_audited(times):
                values = {"what": what, "times today": times}
                audit.record_anonymous(session, team_id, REFUSED, address, new=values)
    except (SQLAlchemyError, psycopg.Error, ConfigurationError) as error:
        log.warning("The refusal of %s could not be recorded: %s", what, error)


def is_audited(times: int) -> bool:
    """Return whether a count is recorded in the audit: 1, 10, 100, …, to prevent floods."""
    return str(times).rstrip("0") == "1"


def _count_refusal(session: Session, subject: str, what: str) -> int:
    values = {"subject": subject[:200], "what": what[:200]}
    return int(session.execute(text(_COUNT), values).scalar_one())
