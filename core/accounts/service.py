"""Who acts. Until there is sign-in, it is the seeded local owner."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.models import Person, Team
from core.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Acting:
    """The person who acts, in whose team, by which clock."""

    person_id: int
    team_id: int
    name: str
    time_zone: str


def acting_owner(session: Session) -> Acting:
    """Return the local owner. Raises NotFoundError when the database was never migrated."""
    row = session.execute(
        select(Person.id, Person.team_id, Person.name, Team.time_zone)
        .join(Team, Team.id == Person.team_id)
        .order_by(Person.id)
        .limit(1)
    ).first()
    if row is None:
        raise NotFoundError("There is no person yet. Run `python -m jobs migrate`.")
    return Acting(*row)
