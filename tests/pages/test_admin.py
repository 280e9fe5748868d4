"""Administration and audit, as an administrator sees them, and that no other user does."""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.auth import session as signed_in
from app.data import accounts
from app.login import account_links
from core.accounts.access import api_tokens, audit
from core.accounts.access.one_time_tokens import Purpose
from core.accounts.access.permissions import Principal, Role, Scope, Via
from core.accounts.models import Person
from core.accounts.people import membership, profile
from core.errors import NotAllowedError
from core.settings.environment import get_settings
from core.tracking.sellers.queries import list_own_sellers
from jobs.tasks import send_account_emails
from tests.factories.observations import days_ago, store_observation
from tests.factories.people import count_unread_notices
from tests.factories.products import add_product
from tests.factories.suggestions import own_lamp
from tests.pages.conftest import SignIn
from tests.pages.screen import errors, labelled, open_page, plain, press, toasts, words

NASTY = "=1+1 <b>x</b> **y** $a$ :smile:"


@pytest.fixture
def mailed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Set a mail server, and keep who would be written to."""
    sent: list[int] = []
    monkeypatch.setenv("AMAZCOPE_SMTP_URL", "smtp://localhost:2525")
    monkeypatch.setattr(send_account_emails, "send_invitation", sent.append)
    get_settings.cache_clear()
    yield sent
    get_settings.cache_clear()


def state_of(session: Session, person_id: int) -> tuple[str, str]:
    row = session.execute(
        text("SELECT role, state FROM person WHERE id = :id"), {"id": person_id}
    ).one()
    return row[0], row[1]


def manage(person_id: int) -> AppTest:
    """Open the dialog about a person; a test's click runs its script as a whole."""
    assert f"manage_{person_id}" in [button.key for button in open_page("admin").button]
    return AppTest.from_function(_managing, args=(person_id,), default_timeout=120).run()


def _managing(person_id: int) -> None:
    from app.admin import people
    from app.data import accounts

    for person in accounts.list_members():
        if person.id == person_id:
            people.show_manage_dialog(person)


# Who sees it


@pytest.mark.parametrize("page", ["admin", "audit"])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.SELLER, Role.MANAGER])
def test_only_an_administrator_sees_it(
    session: Session,
    make_user: Callable[[Role], Principal],
    sign_in: SignIn,
    role: Role,
    page: str,
) -> None:
    sign_in(make_user(role))
    app = open_page(page)
    assert "You may not see this" in words(app)
    assert not app.dataframe
    assert not app.title


def test_what_the_pages_read_asks_for_the_role_itself(
    session: Session, make_user: Callable[[Role], Principal], sign_in: SignIn
) -> None:
    sign_in(make_user(Role.MANAGER))
    for read in (
        accounts.list_members,
        accounts.list_team_tokens,
        accounts.get_team_settings,
        accounts.list_event_kinds,
        lambda: accounts.list_audit_events(None, None, None),
        lambda: accounts.export_audit(signed_in.get_principal(), None, None),
    ):
        with pytest.raises(NotAllowedError):
            read()


# People


def test_a_role_is_changed_and_the_user_notified(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal]
) -> None:
    seller = make_user(Role.SELLER)
    app = manage(seller.person_id)
    labelled(app.selectbox, "Role").set_value(Role.MANAGER)
    press(app, "Change role")
    assert state_of(session, seller.person_id) == ("manager", "active")
    assert count_unread_notices(session, seller) == 1


def test_the_last_administrator_stays_one(session: Session, principal: Principal) -> None:
    app = manage(principal.person_id)
    labelled(app.selectbox, "Role").set_value(Role.VIEWER)
    press(app, "Change role")
    assert "last administrator" in errors(app)
    assert state_of(session, principal.person_id) == ("admin", "active")


def test_a_user_is_disabled_enabled_and_erased_only_by_their_name(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal]
) -> None:
    seller = make_user(Role.SELLER)
    press(manage(seller.person_id), "Disable")
    assert state_of(session, seller.person_id)[1] == "disabled"
    assert "disabled" in plain(open_page("admin"))
    press(manage(seller.person_id), "Enable again")
    assert state_of(session, seller.person_id)[1] == "active"
    press(manage(seller.person_id), "Disable")
    app = manage(seller.person_id)
    labelled(app.text_input, "Type the name to confirm").set_value("somebody else")
    press(app, "Delete permanently")
    assert "Type the name" in errors(app)
    labelled(app.text_input, "Type the name to confirm").set_value(seller.name)
    press(app, "Delete permanently")
    assert state_of(session, seller.person_id)[1] == "erased"
    assert seller.name not in plain(open_page("admin"))


def test_a_lost_second_factor_is_removed(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal]
) -> None:
    seller = make_user(Role.SELLER)
    person = session.get_one(Person, seller.person_id)
    person.totp_secret, person.totp_confirmed_at = b"x", datetime.now(UTC)
    session.commit()
    press(manage(seller.person_id), "Turn off two-factor authentication")
    session.refresh(person)
    assert person.totp_confirmed_at is None


def test_who_waits_for_the_set_up_link_is_left_alone(
    session: Session, principal: Principal
) -> None:
    person = Person(team_id=principal.team_id, name="Owner", role="admin", state="unclaimed")
    session.add(person)
    session.commit()
    keys = [button.key for button in open_page("admin").button]
    assert f"manage_{person.id}" not in keys


# Invitations


def test_without_a_mail_server_the_link_is_shown_once(
    session: Session, principal: Principal
) -> None:
    app = open_page("admin", part="Invitations")
    labelled(app.text_input, "Email").set_value("New@Team.example")
    labelled(app.selectbox, "Role").set_value(Role.MANAGER)
    press(app, "Invite")
    token = app.code[0].value.partition("?invitation=")[2]
    invited = membership.find_link_recipient(session, token, Purpose.INVITATION, datetime.now(UTC))
    assert invited is not None
    assert (invited.mail, invited.role) == ("new@team.example", Role.MANAGER)
    assert "new@team.example" in plain(press(app, "Done"))
    assert token not in words(app)
    press(app, "New link")
    now = datetime.now(UTC)
    assert membership.find_link_recipient(session, token, Purpose.INVITATION, now) is None
    press(app, "Withdraw")
    assert "No pending invitations." in words(app)


def test_with_a_mail_server_the_link_is_mailed_and_not_shown(
    session: Session, principal: Principal, mailed: list[int]
) -> None:
    app = open_page("admin", part="Invitations")
    labelled(app.text_input, "Email").set_value("new@team.example")
    press(app, "Invite")
    assert "on its way" in toasts(app)
    assert len(mailed) == 1
    assert not app.code
    press(app, "Send again")
    assert len(mailed) == 2


def test_what_is_no_address_is_shown_below_the_form(session: Session, principal: Principal) -> None:
    app = open_page("admin", part="Invitations")
    labelled(app.text_input, "Email").set_value("nobody")
    press(app, "Invite")
    assert "not an email address" in errors(app)


# Tokens and the team


def test_anybodys_token_is_revoked(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal]
) -> None:
    now = datetime.now(UTC)
    seller = make_user(Role.SELLER)
    token = api_tokens.create_api_token(session, seller, NASTY, [Scope.ACT], None, now)
    session.commit()
    app = open_page("admin", part="API tokens")
    assert "Seller: **" in words(app)
    assert "\\<b\\>x" in words(app)
    press(app, "Revoke")
    assert api_tokens.find_bearer(session, token, now, None) is None


def test_the_teams_settings_win_over_the_process_and_are_audited(
    session: Session, principal: Principal
) -> None:
    assert not account_links.is_registration_open()
    app = open_page("admin", part="Team")
    labelled(app.text_input, "Name of the team").set_value("Kettle & Co")
    labelled(app.selectbox, "Who may join").set_value("open")
    labelled(app.selectbox, "Time zone").set_value("Europe/Berlin")
    press(app, "Save")
    assert account_links.is_registration_open()
    assert "times in Europe/Berlin" in words(app)
    found = open_page("audit", kind="changed team settings").dataframe[0].value
    [row] = [row for row in found.to_dict("records") if row["What"] == "Changed team settings"]
    assert "registration: invitation → open" in row["Details"]
    assert "→ Kettle & Co" in row["Details"]


def test_an_own_seller_is_added_removed_and_suggested(
    session: Session, principal: Principal
) -> None:
    own_lamp(session, principal)
    store_observation(session, days_ago(1), buy_box_seller="Bright <b>Shop</b>")
    session.commit()
    app = open_page("admin", part="Team")
    assert "None is set." in words(app)
    assert "Bright \\<b\\>Shop" in words(app)
    assert "1 product" in words(app)
    app.button(key="add_seller_0").click().run()
    assert "Seller added" in toasts(app)
    assert "In the Buy Box of your own products" not in words(app)
    labelled(app.text_input, "Seller id").set_value("no id")
    press(app, "Add")
    assert "no seller id" in errors(app)
    labelled(app.text_input, "Seller id").set_value("a1demoseller")
    press(app, "Add")
    assert "`A1DEMOSELLER`" in words(app)
    for each in list_own_sellers(session, principal):
        app.button(key=f"remove_seller_{each.id}").click().run()
    assert "Seller removed" in toasts(app)
    assert list_own_sellers(session, principal) == []


# The audit


def test_events_are_newest_first_with_what_changed(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal]
) -> None:
    seller = make_user(Role.SELLER)
    membership.change_role(session, principal, seller.person_id, Role.VIEWER, datetime.now(UTC))
    membership.disable_member(session, principal, seller.person_id, datetime.now(UTC))
    session.commit()
    rows = open_page("audit").dataframe[0].value.to_dict("records")
    assert [row["What"] for row in rows[:2]] == ["Disabled user", "Changed role"]
    assert rows[1]["Details"] == "role: seller → viewer"
    assert rows[1]["Who"] == principal.name
    assert rows[1]["From"] == "page, from this machine"
    assert not rows[1]["Integrity"]
    audit.seal_events(session)
    session.commit()
    assert all(open_page("audit").dataframe[0].value["Integrity"])


def test_the_audit_is_narrowed_by_kind_and_person(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal]
) -> None:
    seller = make_user(Role.SELLER)
    audit.record(session, seller, "followed", "product:7", new={"count": 2})
    audit.record(session, principal, "followed", "product:8")
    session.commit()
    app = open_page("audit")
    app.selectbox(key="kind").set_value("followed").run()
    assert list(app.dataframe[0].value["Object"]) == ["product 8", "product 7"]
    app.selectbox(key="person").set_value(seller.person_id).run()
    assert list(app.dataframe[0].value["Object"]) == ["product 7"]


def test_the_audit_names_products_as_people_do(session: Session, principal: Principal) -> None:
    kettle, lamp = (add_product(session, asin) for asin in ("B0TEST0001", "B0TEST0002"))
    audit.record(
        session, principal, "added competitor", f"product:{kettle}", new={"competitor": lamp}
    )
    audit.record_bulk(session, principal, "paused", "product", [kettle, lamp])
    audit.record(session, principal, "followed", "product:8000000")
    rows = open_page("audit").dataframe[0].value.to_dict("records")
    assert [(row["Object"], row["Details"]) for row in rows[:3]] == [
        ("product 8000000", ""),
        ("product", "ids: US B0TEST0001, US B0TEST0002; count: 2"),
        ("US B0TEST0001", "competitor: US B0TEST0002"),
    ]


def test_the_audit_is_narrowed_to_steps_of_no_user(session: Session, principal: Principal) -> None:
    audit.record(session, principal, "followed", "product:8")
    step = (principal.team_id, None, Via.JOB, "suggestion verified", "suggestion:3")
    audit.record_transition(session, *step, {"state": "applied"}, {"state": "verified"})
    session.commit()
    app = open_page("audit")
    app.selectbox(key="person").set_value(audit.NO_PERSON).run()
    [row] = app.dataframe[0].value.to_dict("records")
    assert (row["Who"], row["What"], row["From"]) == (
        "worker",
        "Change verified",
        "job",
    )
    assert row["Details"] == "state: applied → verified"


def test_older_events_are_a_page_away_and_back(session: Session, principal: Principal) -> None:
    for number in range(audit.PAGE + 5):
        audit.record(session, principal, "tried", f"thing:{number}")
    session.commit()
    app = open_page("audit")
    app.selectbox(key="kind").set_value("tried").run()
    assert app.dataframe[0].value["Object"].iloc[0] == "thing 104"
    press(app, "Older")
    assert list(app.dataframe[0].value["Object"]) == [f"thing {n}" for n in (4, 3, 2, 1, 0)]
    press(app, "Newer")
    assert len(app.dataframe[0].value) == audit.PAGE


def test_where_the_oldest_event_is_shown_nothing_older_is_offered(
    session: Session, principal: Principal
) -> None:
    for number in range(audit.PAGE):
        audit.record(session, principal, "tried", f"thing:{number}")
    session.commit()
    app = open_page("audit")
    app.selectbox(key="kind").set_value("tried").run()
    assert len(app.dataframe[0].value) == audit.PAGE
    assert "Older" not in [each.label for each in app.button]


def test_the_file_holds_no_formulas(session: Session, principal: Principal) -> None:
    audit.record(session, principal, "renamed", "tag:1", {"name": "a"}, {"name": NASTY})
    audit.record(session, principal, "=cmd|' /C calc'!A0", "tag:2")
    session.get_one(Person, principal.person_id).name = "@SUM(A1)"
    session.commit()
    body = accounts.export_audit(principal, None, None).decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(body)))
    assert rows[0]["what"] == "'=cmd|' /C calc'!A0"
    assert rows[0]["person"] == "'@SUM(A1)"
    assert rows[1]["new"] == '{"name":"' + NASTY + '"}'
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    shown = open_page("audit").dataframe[0].value.to_dict("records")
    assert shown[0]["Who"] == "@SUM(A1)"


def test_a_file_is_made_for_the_role_that_a_user_has_by_then(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal], sign_in: SignIn
) -> None:
    """It is made after the page has run, where nothing of the page is at hand."""
    other = make_user(Role.ADMIN)
    sign_in(other)
    later = signed_in.defer_principal()
    sign_in(None)
    assert accounts.export_audit(later(), None, None)
    membership.change_role(session, principal, other.person_id, Role.MANAGER, datetime.now(UTC))
    session.commit()
    with pytest.raises(NotAllowedError):
        accounts.export_audit(later(), None, None)
    membership.disable_member(session, principal, other.person_id, datetime.now(UTC))
    session.commit()
    with pytest.raises(signed_in.SignedOutError):
        later()


def test_a_profile_that_was_never_saved_shows_only_what_differs(
    session: Session, principal: Principal
) -> None:
    own = profile.get_profile(session, principal)
    wanted = profile.ProfileUpdate(
        own.name, own.time_zone, "de_DE", own.page_size, "symbol", "system", None, None, True
    )
    profile.update_profile(session, principal, wanted)
    session.commit()
    assert open_page("audit").dataframe[0].value["Details"].iloc[0] == "locale: en_US → de_DE"


# Two-factor authentication for everybody


def test_who_lacks_the_second_factor_sees_its_set_up_and_nothing_else(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal], sign_in: SignIn
) -> None:
    seller = make_user(Role.SELLER)
    session.get_one(Person, seller.person_id).password_hash = "$argon2id$theirs"
    session.get_one(Person, principal.person_id).totp_confirmed_at = datetime.now(UTC)
    session.commit()
    app = open_page("admin", part="Team")
    labelled(app.toggle, "Require two-factor authentication").set_value(True)
    press(app, "Save")
    assert "Settings saved." in toasts(app)
    sign_in(seller)
    for page in ("overview", "products", "profile", "add"):
        app = open_page(page)
        assert [title.value for title in app.title] == ["Two-factor authentication"]
        assert not app.dataframe
    press(app, "Set up")
    code = pyotp.TOTP(app.code[0].value.replace(" ", "")).now()
    labelled(app.text_input, "**2.** The code that the app shows now").set_value(code)
    press(app, "Confirm")
    assert len(app.code[0].value.split("\n")) == 10  # the recovery codes, shown only now
    press(app, "Done")
    assert [title.value for title in app.title] == ["Add products"]


def test_a_page_that_is_not_ones_own_leaves_a_trace(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal], sign_in: SignIn
) -> None:
    sign_in(make_user(Role.SELLER))
    open_page("audit")
    sign_in(principal)
    assert "page audit" in words(open_page("audit")) + str(
        [frame.value.to_dict() for frame in open_page("audit").dataframe]
    )
