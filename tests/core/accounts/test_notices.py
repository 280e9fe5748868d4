"""What is behind the bell."""

from sqlalchemy.orm import Session

from core.accounts import notices
from core.accounts.rules import Acting, Role
from tests.core.accounts.conftest import Member
from tests.factories import stranger


def test_a_notice_is_unread_until_it_is_read(session: Session, member: Member) -> None:
    sam = member()
    notices.tell(session, [sam.person_id], "First.")
    notices.tell(session, [sam.person_id], "Second.", "profile")
    assert notices.count_unread(session, sam) == 2
    newest, oldest = notices.newest(session, sam)
    assert (newest.text, newest.page, newest.is_read) == ("Second.", "profile", False)
    assert notices.mark_read(session, sam, oldest.id) == 1
    assert notices.count_unread(session, sam) == 1
    assert notices.mark_read(session, sam, newest.id) == 1
    assert notices.mark_read(session, sam, newest.id) == 0


def test_anothers_notices_are_neither_seen_nor_read(session: Session, member: Member) -> None:
    sam, eve = member(), member(mail="eve@team.example")
    notices.tell(session, [sam.person_id], "For Sam.")
    [told] = notices.newest(session, sam)
    assert notices.newest(session, eve) == []
    assert notices.mark_read(session, eve, told.id) == 0
    assert notices.count_unread(session, sam) == 1


def test_administrators_are_told_those_of_the_team_who_are_active(
    session: Session, acting: Acting, member: Member
) -> None:
    others = [
        member(Role.MANAGER),
        member(Role.ADMIN, "off@team.example", state="disabled"),
        stranger(session, Role.ADMIN),
    ]
    notices.tell_admins(session, acting.team_id, "Something happened.")
    assert notices.count_unread(session, acting) == 1
    assert [notices.count_unread(session, each) for each in others] == [0, 0, 0]


def test_a_long_notice_is_cut_and_the_newest_come_first(session: Session, member: Member) -> None:
    sam = member()
    for number in range(40):
        notices.tell(session, [sam.person_id], f"{number} " + "x" * 600)
    shown = notices.newest(session, sam)
    assert len(shown) == notices.SHOWN
    assert shown[0].text.startswith("39 ")
    assert len(shown[0].text) == 500
