"""Notices are mailed to those who want it, once, and only what stayed unread."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.models import Person
from core.accounts.people import account_notices
from core.accounts.people.email_templates import Email
from core.errors import OutsideServiceError
from jobs.tasks import send_account_emails


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> list[Email]:
    sent: list[Email] = []
    monkeypatch.setattr(send_account_emails, "deliver_email", sent.append)
    return sent


def add_notice(session: Session, person_id: int, words: str, age: timedelta) -> None:
    account_notices.notify(session, [person_id], words)
    session.execute(
        text("UPDATE notice SET at = :at WHERE text = :words"),
        {"at": datetime.now(UTC) - age, "words": words},
    )
    session.commit()


def test_what_stayed_unread_is_mailed_once(
    session: Session, principal: Principal, letters: list[Email]
) -> None:
    add_notice(session, principal.person_id, "Your password was changed.", timedelta(minutes=9))
    add_notice(session, principal.person_id, "Line\nbreak: x\r\nBcc: y", timedelta(minutes=8))
    send_account_emails.send_unread_notices()
    send_account_emails.send_unread_notices()
    [letter] = letters
    assert letter.to == "owner@team.example"
    assert letter.subject == "2 new notices about your Amazcope account"
    assert "\n\n- Your password was changed.\n- Line break: x Bcc: y\n\n" in letter.text


@pytest.mark.parametrize("age", [timedelta(minutes=4), timedelta(hours=25)])
def test_neither_the_newest_nor_old_news_is_mailed(
    session: Session, principal: Principal, letters: list[Email], age: timedelta
) -> None:
    add_notice(session, principal.person_id, "News", age)
    send_account_emails.send_unread_notices()
    assert letters == []


def test_what_was_read_is_not_mailed(
    session: Session, principal: Principal, letters: list[Email]
) -> None:
    add_notice(session, principal.person_id, "News", timedelta(minutes=9))
    account_notices.mark_notices_read(
        session, principal, account_notices.list_notices(session, principal)[0].id
    )
    session.commit()
    send_account_emails.send_unread_notices()
    assert letters == []


@pytest.mark.parametrize(
    "so",
    [
        {"preferences": {"mails": False}},
        {"state": "disabled"},
        {"is_demo": True},
        {"mail": None},
    ],
)
def test_who_wants_none_or_can_not_get_any_is_not_written_to(
    session: Session, principal: Principal, letters: list[Email], so: dict[str, object]
) -> None:
    person = session.get_one(Person, principal.person_id)
    for name, value in so.items():
        setattr(person, name, value)
    add_notice(session, principal.person_id, "News", timedelta(minutes=9))
    send_account_emails.send_unread_notices()
    assert letters == []


def test_a_refused_email_stops_no_other_and_is_reported(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Person(team_id=principal.team_id, name="Other", mail="other@team.example")
    session.add(other)
    session.flush()
    add_notice(session, principal.person_id, "First", timedelta(minutes=9))
    add_notice(session, other.id, "Second", timedelta(minutes=8))
    taken: list[str] = []

    def deliver(letter: Email) -> None:
        if letter.to == "owner@team.example":
            raise OutsideServiceError("Mailbox full.")
        taken.append(letter.to)

    monkeypatch.setattr(send_account_emails, "deliver_email", deliver)
    with pytest.raises(OutsideServiceError):
        send_account_emails.send_unread_notices()
    assert taken == ["other@team.example"]
