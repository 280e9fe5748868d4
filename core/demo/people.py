"""The three users of the demo, whose passwords are public. Never commits."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.accounts.access.sessions import end_sessions
from core.accounts.models import Person, Team
from core.accounts.people.membership import get_principal


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A user as which visitors sign in to the demo."""

    name: str
    mail: str
    password: str
    role: Role
    about: str


PEOPLE = (
    DemoPerson(
        "Sam Seller",
        "seller@demo.example",
        "demo-seller-2026",
        Role.SELLER,
        "tracks products, keeps notes and thresholds",
    ),
    DemoPerson(
        "Mia Manager",
        "manager@demo.example",
        "demo-manager-2026",
        Role.MANAGER,
        "does that for the whole team",
    ),
    DemoPerson(
        "Ada Admin",
        "admin@demo.example",
        "demo-admin-2026",
        Role.ADMIN,
        "invites people, sets rules, reads the audit",
    ),
)


def have_demo_people(session: Session) -> bool:
    """Return whether all demo users can sign in."""
    known = session.scalars(
        select(Person.mail).where(Person.is_demo, Person.state == "active")
    ).all()
    return {person.mail for person in PEOPLE} <= set(known)


def add_demo_people(session: Session, hashes: dict[str, str], now: datetime) -> None:
    """Create or reactivate the demo users. `hashes`: email address → hash of the password."""
    team_id = session.scalars(select(Team.id).order_by(Team.id).limit(1)).one()
    known = {
        person.mail: person for person in session.scalars(select(Person).where(Person.is_demo))
    }
    for each in PEOPLE:
        person = known.get(each.mail) or Person(team_id=team_id, mail=each.mail, is_demo=True)
        person.name, person.role, person.state = each.name, each.role.value, "active"
        person.password_hash, person.password_changed_at = hashes[each.mail], now
        session.add(person)
    session.flush()


def deactivate_demo_people(session: Session, now: datetime) -> int:
    """Deactivate all demo users and end their sessions; return how many were active."""
    out = session.scalars(
        update(Person)
        .where(Person.is_demo, Person.state == "active")
        .values(state="disabled")
        .returning(Person.id)
    ).all()
    for person_id in out:
        end_sessions(session, person_id, now)
    return len(out)


def find_demo_seller(session: Session) -> Principal | None:
    """Return the demo's seller, who tracks its products; None if there is none."""
    found = session.scalars(
        select(Person.id).where(
            Person.is_demo, Person.role == Role.SELLER.value, Person.state == "active"
        )
    ).first()
    return get_principal(session, found) if found is not None else None
