"""Who can sign in after a start: the demo's people, the first administrator, a set-up link."""

from datetime import UTC, datetime

from core.accounts import letters, service
from core.accounts.credentials import hash_password, password_problem
from core.config import get_settings
from core.db import read_scope, write_scope
from core.demo import people
from core.errors import ConfigurationError


def bring_in_demo() -> None:
    """Let the demo's people in where the demo is on, and shut them out where it is not."""
    now = datetime.now(UTC)
    if not get_settings().amazcope_demo:
        with write_scope() as session:
            people.shut_out(session, now)
        return
    with read_scope() as session:
        if people.are_there(session):
            return
    hashes = {person.mail: hash_password(person.password) for person in people.PEOPLE}
    with write_scope() as session:
        people.bring_in(session, hashes, now)


def make_administrator() -> bool:
    """Make the first administrator of the settings, once; return whether this call did.

    Raises ConfigurationError for a password that is not good enough.
    """
    settings = get_settings()
    mail, given = settings.amazcope_admin_mail, settings.amazcope_admin_password
    if mail is None or given is None:
        return False
    with read_scope() as session:
        if not service.needs_setup(session):
            return False
    password = given.get_secret_value()
    problem = password_problem(password, mail)
    if problem:
        raise ConfigurationError(f"AMAZCOPE_ADMIN_PASSWORD: {problem}")
    password_hash = hash_password(password)
    with write_scope() as session:
        return service.set_up(session, mail, None, password_hash, datetime.now(UTC))


def setup_link() -> str | None:
    """Return a link that sets up the first administrator; None when there is one."""
    settings = get_settings()
    with write_scope() as session:
        token = service.make_setup_link(session, datetime.now(UTC))
    return None if token is None else letters.link(settings.public_url, "setup", token)
