"""Users for tests: colleagues, and a stranger of another team."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role, Via
from core.accounts.models import Notice, Person, Team
from core.accounts.people.account_notices import list_notices
from core.accounts.people.membership import get_principal
from core.alerts.rules.seeds import add_missing_rules


def add_colleague(
    session: Session, principal: Principal, name: str = "Colleague", role: Role = Role.SELLER
) -> Principal:
    """Return another person of the same team."""
    person = Person(team_id=principal.team_id, name=name, role=role.value)
    session.add(person)
    session.flush()
    return get_principal(session, person.id, Via.PAGE)


def add_member(session: Session, principal: Principal, role: Role) -> Principal:
    """Return a member of the same team in a role."""
    return add_colleague(session, principal, role.value.title(), role)


def add_stranger(session: Session, role: Role = Role.ADMIN) -> Principal:
    """Return a person of another team."""
    team = Team(name="Another team")
    session.add(team)
    session.flush()
    add_missing_rules(session)
    person = Person(team_id=team.id, name="Stranger", role=role.value)
    session.add(person)
    session.flush()
    return get_principal(session, person.id, Via.PAGE)


def count_unread_notices(session: Session, principal: Principal) -> int:
    """Return how many of their notices a user has not read."""
    return sum(not notice.is_read for notice in list_notices(session, principal))


def list_security_mails(session: Session) -> list[tuple[str, str | None]]:
    """Return the notices that are emailed at once, and where to, oldest first."""
    found = select(Notice.text, Notice.security_mail).where(Notice.security_mail.is_not(None))
    return [(text, mail) for text, mail in session.execute(found.order_by(Notice.id))]
