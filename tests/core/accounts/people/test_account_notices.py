"""What is behind the bell."""

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.accounts.people import account_notices
from tests.core.accounts.conftest import Member
from tests.factories.people import add_stranger, count_unread_notices


def test_a_notice_is_unread_until_it_is_read(session: Session, member: Member) -> None:
    sam = member()
    account_notices.notify(session, [sam.person_id], "First.")
    account_notices.notify(session, [sam.person_id], "Second.", "profile")
    assert count_unread_notices(session, sam) == 2
    newest, oldest = account_notices.list_notices(session, sam)
    assert (newest.text, newest.page, newest.is_read) == ("Second.", "profile", False)
    assert account_notices.mark_notices_read(session, sam, oldest.id) == 1
    assert count_unread_notices(session, sam) == 1
    assert account_notices.mark_notices_read(session, sam, newest.id) == 1
    assert account_notices.mark_notices_read(session, sam, newest.id) == 0


def test_anothers_notices_are_neither_seen_nor_read(session: Session, member: Member) -> None:
    sam, eve = member(), member(mail="eve@team.example")
    account_notices.notify(session, [sam.person_id], "For Sam.")
    [notice] = account_notices.list_notices(session, sam)
    assert account_notices.list_notices(session, eve) == []
    assert account_notices.mark_notices_read(session, eve, notice.id) == 0
    assert count_unread_notices(session, sam) == 1


def test_active_administrators_of_the_team_are_notified(
    session: Session, principal: Principal, member: Member
) -> None:
    others = [
        member(Role.MANAGER),
        member(Role.ADMIN, "off@team.example", state="disabled"),
        add_stranger(session, Role.ADMIN),
    ]
    account_notices.notify_admins(session, principal.team_id, "Something happened.")
    assert count_unread_notices(session, principal) == 1
    assert [count_unread_notices(session, each) for each in others] == [0, 0, 0]


def test_a_long_notice_is_cut_and_the_newest_come_first(session: Session, member: Member) -> None:
    sam = member()
    for number in range(40):
        account_notices.notify(session, [sam.person_id], f"{number} " + "x" * 600)
    shown = account_notices.list_notices(session, sam)
    assert len(shown) == account_notices.MAX_SHOWN
    assert shown[0].text.startswith("39 ")
    assert len(shown[0].text) == 500
