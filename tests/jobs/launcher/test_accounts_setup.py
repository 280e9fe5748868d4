"""What an operator asks on the console: who is there, a link, whether the audit is whole."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from core.accounts.access import audit, sessions
from core.accounts.access.one_time_tokens import Purpose, find_token_owner
from core.accounts.access.permissions import Principal
from core.accounts.models import AuditEvent, Person, SignIn
from core.accounts.people.membership import get_owner_principal, set_up_owner
from core.errors import NotFoundError
from core.upkeep.models import JobRun
from jobs.commands.cli import commands
from jobs.launcher import accounts_setup
from jobs.tasks import maintenance

runner = CliRunner()


def asked(*words: str) -> tuple[int, str]:
    """Run a command; return its exit code and output."""
    result = runner.invoke(commands, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def token_in(output: str, name: str) -> str:
    found = re.search(rf"/\?{name}=(\S+)", output)
    assert found is not None
    return found.group(1)


def newest_event(session: Session) -> AuditEvent:
    return session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()


def test_the_people_of_the_team_are_listed(session: Session, principal: Principal) -> None:
    code, output = asked("people")
    assert code == 0
    assert f"{principal.name} <owner@team.example>: admin, active, never signed in" in output


def test_a_setup_link_is_printed_until_there_is_an_administrator(session: Session) -> None:
    code, output = asked("people", "--setup-link")
    assert code == 0
    owner = get_owner_principal(session)
    token = token_in(output, "setup")
    assert find_token_owner(session, token, Purpose.SETUP, datetime.now(UTC)) == owner.person_id
    event = newest_event(session)
    assert (event.verb, event.means) == ("made set-up link", "command")
    set_up_owner(session, "ada@shop.example", "Ada", "$hash", datetime.now(UTC))
    session.commit()
    assert asked("people", "--setup-link")[0] == 1


def test_a_reset_link_is_printed_and_audited(session: Session, principal: Principal) -> None:
    code, output = asked("people", "--reset", "Owner@team.example")
    assert code == 0
    token = token_in(output, "reset")
    assert find_token_owner(session, token, Purpose.RESET, datetime.now(UTC)) == principal.person_id
    event = newest_event(session)
    assert (event.verb, event.means, event.object) == (
        "made reset link",
        "command",
        f"person:{principal.person_id}",
    )


def test_there_is_no_reset_link_for_who_is_not_active(
    session: Session, principal: Principal
) -> None:
    person = Person(
        team_id=principal.team_id, name="Sam", mail="sam@team.example", state="disabled"
    )
    session.add(person)
    session.commit()
    for mail in ("sam@team.example", "nobody@team.example"):
        with pytest.raises(NotFoundError):
            accounts_setup.print_reset_link(mail, print)


def test_a_whole_audit_is_reported_as_whole_and_a_broken_one_with_its_place(
    session: Session, principal: Principal
) -> None:
    for number in range(3):
        audit.record(session, principal, "changed", f"product:{number}")
    session.commit()
    maintenance.seal_events()
    code, output = asked("audit")
    assert code == 0
    assert "3 events are sealed and intact, 0 wait" in output
    head = output.rsplit("Head: ", 1)[1].strip()
    assert len(head) == 64
    assert asked("audit", "--head", head.upper())[0] == 0
    code, output = asked("audit", "--head", "00" * 31 + "01")
    assert code == 1
    assert "not in the chain" in output
    session.execute(text("ALTER TABLE audit_event DISABLE TRIGGER USER"))
    session.execute(text("DELETE FROM audit_event WHERE place = 2"))
    session.execute(text("ALTER TABLE audit_event ENABLE TRIGGER USER"))
    session.commit()
    code, output = asked("audit")
    assert code == 1
    assert "BROKEN at event 2" in output


def test_sealing_leaves_a_trace_only_where_it_sealed(
    session: Session, principal: Principal
) -> None:
    maintenance.seal_events()
    assert session.scalars(select(JobRun)).all() == []
    audit.record(session, principal, "changed")
    session.commit()
    maintenance.seal_events()
    [run] = session.scalars(select(JobRun))
    assert (run.job, run.note) == ("seal audit", "1 event sealed.")
    maintenance.seal_events()
    assert len(session.scalars(select(JobRun)).all()) == 1


def test_more_events_than_are_sealed_at_once_are_all_sealed(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        audit.record(session, principal, "changed")
    session.commit()
    monkeypatch.setattr(audit, "SEALING_BATCH", 3)
    maintenance.seal_events()
    assert audit.verify_chain(session).unsealed == 0


def test_old_sign_ins_are_forgotten(session: Session, principal: Principal) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=200)
    lifetime = sessions.SessionLifetime(timedelta(hours=1), timedelta(days=1))
    ticket = sessions.create_ticket(session, principal.person_id, long_ago)
    sessions.start_session(session, ticket, lifetime, long_ago, None, None)
    session.commit()
    maintenance.purge_sign_ins()
    assert session.scalars(select(SignIn)).all() == []
