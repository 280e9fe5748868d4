"""Security notices are emailed at once, also to users who want no emails, until one is taken."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.models import Notice, Person
from core.accounts.people import account_notices
from core.database.session import write_scope
from core.settings.environment import get_settings
from jobs.tasks import send_account_emails
from jobs.tasks.wake import wake_for_security_emails
from tests.mailbox import Mailbox, free_port

pytestmark = pytest.mark.usefixtures("public_address")

TEXT = "Your password was changed."


def notify(session: Session, principal: Principal, words: str = TEXT, **how: str) -> None:
    account_notices.notify_security(session, principal.person_id, words, "profile", **how)
    session.commit()


def send() -> None:
    send_account_emails.send_security_emails.call_local()


def test_a_security_notice_is_emailed_at_once_and_once(
    session: Session, principal: Principal, served: Mailbox
) -> None:
    session.get_one(Person, principal.person_id).preferences = {"mails": False}
    notify(session, principal, address="203.0.113.7", browser="Firefox <b>")
    send()
    send()
    [letter] = served.letters
    assert (letter["To"], letter["Subject"]) == (
        "owner@team.example",
        "Security notice for your Amazcope account",
    )
    body = letter.get_body(("plain",))
    assert body is not None
    for words in (
        TEXT,
        "When: ",
        "(UTC)",
        "From: 203.0.113.7, Firefox <b>",
        "change your password",
    ):
        assert words in body.get_content()
    html = letter.get_body(("html",))
    assert html is not None
    assert "Firefox &lt;b&gt;" in html.get_content()
    [notice] = account_notices.list_notices(session, principal)
    assert (notice.text, notice.page, notice.is_read) == (TEXT, "profile", False)
    kept = session.scalars(select(Notice)).one()
    assert (kept.origin, kept.security_mail) == (None, None)


def test_it_is_not_emailed_again_with_the_unread_notices(
    session: Session, principal: Principal, served: Mailbox
) -> None:
    notify(session, principal)
    session.execute(update(Notice).values(at=datetime.now(UTC) - timedelta(minutes=9)))
    session.commit()
    send_account_emails.send_unread_notices()
    assert served.letters == []
    account_notices.mark_security_emailed(
        session, session.scalars(select(Notice.id)).one(), datetime.now(UTC)
    )
    session.commit()
    send_account_emails.send_unread_notices()
    assert served.letters == []


def test_it_is_sent_once_the_mail_server_is_back(
    session: Session, principal: Principal, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify(session, principal)
    monkeypatch.setenv("AMAZCOPE_SMTP_URL", f"smtp://127.0.0.1:{free_port()}")
    with pytest.raises(Exception, match="did not take 1"):
        send()
    get_settings.cache_clear()
    monkeypatch.setenv("AMAZCOPE_SMTP_URL", mailbox.url)
    send()
    assert len(mailbox.letters) == 1


def test_one_that_is_refused_for_good_stops_no_other(
    session: Session, principal: Principal, served: Mailbox
) -> None:
    served.answer = "550 no such mailbox"
    notify(session, principal)
    with pytest.raises(Exception, match="did not take 1"):
        send()
    served.answer = "250 OK"
    notify(session, principal, "Your role is now admin.")
    send()
    [letter] = served.letters
    body = letter.get_body(("plain",))
    assert body is not None
    assert body.get_content().startswith("Your role is now admin.")


def test_the_former_address_learns_of_a_new_one(
    session: Session, principal: Principal, served: Mailbox
) -> None:
    notify(session, principal, "Your email address was changed.", mail="old@team.example")
    send()
    assert served.recipients == ["old@team.example"]


@pytest.mark.parametrize("values", [{"is_demo": True}, {"mail": None}, {"state": "disabled"}])
def test_users_without_a_mailbox_get_none(
    session: Session, principal: Principal, served: Mailbox, values: dict[str, object]
) -> None:
    session.execute(update(Person).where(Person.id == principal.person_id).values(**values))
    notify(session, principal)
    send()
    assert served.letters == []


NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "minute", "count"),
    [
        (timedelta(minutes=4), 3, 1),
        (timedelta(minutes=6), 3, 0),  # while a mail server is down: every five minutes
        (timedelta(minutes=6), 5, 1),
        (timedelta(hours=23), 5, 1),
        (timedelta(hours=25), 5, 0),
    ],
)
def test_one_that_was_not_sent_is_tried_again_for_a_day(
    session: Session,
    principal: Principal,
    served: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    age: timedelta,
    minute: int,
    count: int,
) -> None:
    now = NOON + timedelta(minutes=minute)
    monkeypatch.setattr(send_account_emails, "_now", lambda: now)
    notify(session, principal)
    session.execute(update(Notice).values(at=now - age))
    session.commit()
    send()
    assert len(served.letters) == count


# Waking the worker


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Run a task at once instead of putting it into the queue; how often that was."""
    calls: list[int] = []
    send_at_once = send_account_emails.send_security_now.call_local

    def run() -> None:
        calls.append(1)
        send_at_once()

    monkeypatch.setattr(send_account_emails, "send_security_now", run)
    monkeypatch.setattr(account_notices, "_wakers", [wake_for_security_emails])
    return calls


def test_the_worker_is_woken_once_when_notices_are_committed(
    principal: Principal, served: Mailbox, woken: list[int]
) -> None:
    with write_scope() as session:
        account_notices.notify_security(session, principal.person_id, TEXT)
        account_notices.notify_security(session, principal.person_id, "Your role is now admin.")
        assert woken == []
    assert woken == [1]
    assert len(served.letters) == 2


def test_a_notice_that_is_undone_wakes_no_worker(
    principal: Principal, served: Mailbox, woken: list[int]
) -> None:
    with suppress(ZeroDivisionError), write_scope() as session:
        account_notices.notify_security(session, principal.person_id, TEXT)
        raise ZeroDivisionError
    assert (woken, served.letters) == ([], [])


def test_a_queue_that_is_away_leaves_the_notice_to_the_next_round(
    principal: Principal, served: Mailbox, woken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("the queue is away")

    with monkeypatch.context() as patch:
        patch.setattr(send_account_emails, "send_security_now", fail)
        with write_scope() as session:
            account_notices.notify_security(session, principal.person_id, TEXT)
    assert served.letters == []
    send()
    assert len(served.letters) == 1
