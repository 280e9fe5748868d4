"""Links that are mailed: to whom, once, with no transaction open; or to the log."""

import logging
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.access.one_time_tokens import Purpose
from core.accounts.access.permissions import Principal, Role
from core.accounts.models import OneTimeToken, Person
from core.accounts.people import membership
from core.errors import OutsideServiceError
from jobs.tasks import send_account_emails
from tests.mailbox import Mailbox

pytestmark = pytest.mark.usefixtures("public_address")


@pytest.fixture(autouse=True)
def _the_owner_has_a_password(session: Session, principal: Principal) -> None:
    session.get_one(Person, principal.person_id).password_hash = "$old"
    session.commit()


def token_in(link: str, name: str) -> str:
    assert link.startswith("https://watch.example.com/?")
    return parse_qs(urlsplit(link).query)[name][0]


def tokens(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(OneTimeToken)) or 0


def test_a_reset_is_mailed_to_whom_it_belongs(
    session: Session, principal: Principal, served: Mailbox
) -> None:
    send_account_emails.send_reset.call_local(" Owner@Team.example ")
    token = token_in(served.wait_for_link("owner@team.example"), "reset")
    found = membership.find_link_recipient(
        session, token, Purpose.RESET, send_account_emails._now()
    )
    assert found is not None
    assert found.person_id == principal.person_id


@pytest.mark.parametrize("mail", ["nobody@team.example", "no address", "\x00", "\udcff@a.example"])
def test_for_an_unknown_address_nothing_is_emailed_or_made(
    session: Session, principal: Principal, served: Mailbox, mail: str
) -> None:
    send_account_emails.send_reset.call_local(mail)
    assert (served.letters, tokens(session)) == ([], 0)


def test_a_mailbox_is_not_flooded_with_resets(
    session: Session, principal: Principal, served: Mailbox
) -> None:
    for _ in range(5):
        send_account_emails.send_reset.call_local("owner@team.example")
    assert len(served.letters) == 1


def test_people_of_the_demo_get_no_reset(
    session: Session, principal: Principal, served: Mailbox
) -> None:
    owner = session.get_one(Person, principal.person_id)
    owner.is_demo = True
    session.commit()
    send_account_emails.send_reset.call_local("owner@team.example")
    assert served.letters == []


def test_an_invitation_is_renewed_so_that_only_the_mailed_link_opens(
    session: Session, principal: Principal, served: Mailbox
) -> None:
    number, first = membership.invite_member(
        session, principal, "nora@team.example", Role.SELLER, send_account_emails._now()
    )
    session.commit()
    send_account_emails.send_invitation.call_local(number)
    mailed = token_in(served.wait_for_link("nora@team.example"), "invitation")
    found = [
        membership.find_link_recipient(
            session, token, Purpose.INVITATION, send_account_emails._now()
        )
        for token in (first, mailed)
    ]
    assert found[0] is None
    assert found[1] is not None


def test_who_registers_a_known_address_learns_it_in_the_mailbox_alone(
    session: Session, principal: Principal, served: Mailbox
) -> None:
    send_account_emails.send_registration.call_local("owner@team.example")
    (letter,) = served.letters
    assert "already has an account" in letter.get_content()
    assert "confirm=" not in letter.get_content()


def test_a_server_that_refuses_fails_the_job_and_a_new_link_can_be_asked_for(
    session: Session, principal: Principal, served: Mailbox
) -> None:
    served.answer = "451 try later"
    with pytest.raises(OutsideServiceError):
        send_account_emails.send_reset.call_local("owner@team.example")
    assert served.letters == []


def test_without_a_mail_server_the_link_is_in_the_log(
    session: Session, principal: Principal, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        send_account_emails.send_reset.call_local("owner@team.example")
    assert "https://watch.example.com/?reset=" in caplog.text
