"""Sets up accounts on start, and lists or resets them from the command line."""

from core.accounts.access.credentials import hash_password
from core.accounts.password_rules import find_password_problem
from core.accounts.people import email_templates, membership, self_service
from core.database.session import database_time, read_scope, write_scope
from core.demo import people
from core.errors import ConfigurationError
from core.runtime.log import Reporter
from core.settings.environment import get_settings


def sync_demo_people() -> None:
    """Activate the demo accounts if the demo is on, else deactivate them."""
    now = database_time()
    if not get_settings().amazcope_demo:
        with write_scope() as session:
            people.deactivate_demo_people(session, now)
        return
    with read_scope() as session:
        if people.have_demo_people(session):
            return
    hashes = {person.mail: hash_password(person.password) for person in people.PEOPLE}
    with write_scope() as session:
        people.add_demo_people(session, hashes, now)


def make_administrator() -> bool:
    """Create the first administrator from the settings, once; return whether this call did.

    Raises ConfigurationError if the password is too weak.
    """
    settings = get_settings()
    mail, given = settings.amazcope_admin_mail, settings.amazcope_admin_password
    if mail is None or given is None:
        return False
    with read_scope() as session:
        if not membership.needs_setup(session):
            return False
    password = given.get_secret_value()
    problem = find_password_problem(password, mail)
    if problem:
        raise ConfigurationError(f"AMAZCOPE_ADMIN_PASSWORD: {problem}")
    password_hash = hash_password(password)
    with write_scope() as session:
        return membership.set_up_owner(session, mail, None, password_hash, database_time())


def make_setup_link() -> str | None:
    """Return a link that sets up the first administrator; None if there is one."""
    settings = get_settings()
    with write_scope() as session:
        token = membership.create_setup_link(session, database_time())
    return (
        None if token is None else email_templates.build_link(settings.public_url, "setup", token)
    )


# Commands


def list_people(report: Reporter) -> None:
    """Print the users, one a line."""
    with read_scope() as session:
        members = membership.list_members(session, membership.get_owner_principal(session))
    for each in members:
        seen = each.last_signed_in_at
        when = f"signed in {seen:%Y-%m-%d %H:%M} UTC" if seen else "never signed in"
        mark = ", demo" if each.is_demo else ""
        report(f"{each.name} <{each.mail or 'no email'}>: {each.role}, {each.state}{mark}, {when}")


def print_setup_link(report: Reporter) -> bool:
    """Print the link that sets up the first administrator; False if there is one already."""
    link = make_setup_link()
    if link is None:
        report("There is an administrator already. Use `--reset EMAIL` for a new password.")
        return False
    report(f"Valid once, for one day:\n  {link}")
    return True


def print_reset_link(mail: str, report: Reporter) -> None:
    """Print a link that sets a new password. Raises NotFoundError for an unknown address."""
    with write_scope() as session:
        principal = membership.get_owner_principal(session)
        token = self_service.create_reset_link(session, principal, mail, database_time())
    link = email_templates.build_link(get_settings().public_url, "reset", token)
    report(f"New password for {mail}, valid once, for one hour:\n  {link}")
