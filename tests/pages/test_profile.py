"""The profile, as the person sees it and changes it."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.account.security import format_secret, render_qr_code
from app.auth import session as signed_in
from app.commands import account
from core.accounts.access import api_tokens, sessions
from core.accounts.access.credentials import hash_password, verify_password
from core.accounts.access.permissions import Principal, Role, Scope
from core.accounts.login import two_factor
from core.accounts.models import Person
from core.accounts.people import account_notices
from core.settings.environment import ROOT, get_settings
from core.settings.secret_key import get_secret_key
from tests.factories.people import count_unread_notices
from tests.pages.conftest import SignIn
from tests.pages.screen import errors, labelled, open_page, plain, press, toasts, words
from tests.pages.seeding import follow_many, seed

PRESENT = "quiet harbour 41 lamps"
NASTY = "<b>x</b> **y** $a$ :smile: =1+1 [z](http://a.b)"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AMAZCOPE_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def with_password(session: Session, principal: Principal) -> Person:
    person = session.get_one(Person, principal.person_id)
    person.password_hash = hash_password(PRESENT)
    session.commit()
    return person


# You


def test_what_is_saved_is_what_the_form_shows_next(session: Session, principal: Principal) -> None:
    app = open_page("profile")
    labelled(app.text_input, "Name").set_value("Nora Nuñez")
    labelled(app.selectbox, "Time zone").set_value("Asia/Tokyo")
    labelled(app.selectbox, "Products on a page").set_value(25)
    labelled(app.text_input, "Price change threshold (%)").set_value("7,5")
    press(app, "Save")
    assert "Profile saved." in toasts(app)
    person = session.get_one(Person, principal.person_id, populate_existing=True)
    assert (person.name, person.time_zone, person.page_size) == ("Nora Nuñez", "Asia/Tokyo", 25)
    again = open_page("profile")
    assert labelled(again.text_input, "Price change threshold (%)").value == "7.5"


def test_what_is_no_percentage_is_shown_below_the_form(
    session: Session, principal: Principal
) -> None:
    app = open_page("profile")
    labelled(app.text_input, "Rank change threshold (%)").set_value("much")
    press(app, "Save")
    assert "is no percentage" in errors(app)


def test_a_name_with_markup_shows_as_it_was_typed(session: Session, principal: Principal) -> None:
    session.get_one(Person, principal.person_id).name = NASTY
    session.commit()
    app = open_page("admin")
    shown = " ".join(each.value for each in app.markdown)
    assert "\\<b\\>x\\</b\\>" in shown
    assert "\\*\\*y\\*\\*" in shown
    assert ":smile:" not in shown


def test_a_page_of_products_is_as_long_as_the_person_wants(
    session: Session, principal: Principal
) -> None:
    follow_many(session, principal, 30)
    assert len(open_page("products").dataframe[0].value) == 30
    session.get_one(Person, principal.person_id).page_size = 25
    session.commit()
    assert len(open_page("products").dataframe[0].value) == 25


# Formats


def test_each_person_reads_figures_their_own_way(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal], sign_in: SignIn
) -> None:
    seed(session, principal, "B0TEST0001", "Kettle", price=123450, bsr=1204, ratings_count=2310)
    reader = make_user(Role.MANAGER)
    seed(session, reader, "B0TEST0002", "Pot", price=123450, bsr=1204, ratings_count=2310)
    person = session.get_one(Person, reader.person_id)
    person.locale, person.preferences = "de_DE", {"currency_display": "code"}
    session.commit()
    for who, price, rank in (
        (principal, "$1,234.50", "#1,204"),
        (reader, "1.234,50\u00a0USD", "#1.204"),
        (principal, "$1,234.50", "#1,204"),
    ):
        sign_in(who)
        cards = " ".join(each.proto.body for each in open_page("products").get("html"))
        assert f">{price}<" in cards
        assert f">BSR {rank}<" in cards


def test_a_dialog_writes_in_the_persons_formats(session: Session, principal: Principal) -> None:
    """A dialog runs without the frame, in a thread without the user's formats."""
    seed(session, principal, "B0TEST0001", "Kettle", price=123450, bsr=1204)
    person = session.get_one(Person, principal.person_id)
    person.locale = "de_DE"
    for number in range(3):
        account_notices.notify(session, [person.id], f"Notice {number}")
    session.commit()
    app = open_page("products")
    app.button(key="bell").click().run()
    assert "Notice 2" in words(app)
    assert not app.exception


# The bell


def test_the_bell_counts_what_is_unread_and_opening_it_reads_all(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal]
) -> None:
    other = make_user(Role.VIEWER)
    account_notices.notify(session, [principal.person_id, other.person_id], NASTY, "profile")
    account_notices.notify(session, [principal.person_id], "Your role is now admin.")
    session.commit()
    app = open_page("products")
    assert app.button(key="bell").label == "2"
    app.button(key="bell").click().run()
    assert "\\<b\\>x" in words(app)
    assert open_page("products").button(key="bell").label == ""
    assert count_unread_notices(session, other) == 1


# Getting in


def test_the_mail_address_changes_only_with_the_present_password(
    session: Session, principal: Principal
) -> None:
    person = with_password(session, principal)
    app = open_page("profile")
    labelled(app.text_input, "New address").set_value("new@team.example")
    app.text_input(key="password_for_email").set_value("guessed")
    press(app, "Change")
    assert "Incorrect current password" in errors(app)
    app.text_input(key="password_for_email").set_value(PRESENT)
    press(app, "Change")
    session.refresh(person)
    assert person.mail == "new@team.example"
    assert "You sign in as new@team.example" in plain(app)


def test_a_present_password_is_not_guessed_for_long(session: Session, principal: Principal) -> None:
    with_password(session, principal)
    app = open_page("profile", part="Security")
    for present in (*(f"guess {number}" for number in range(5)), PRESENT):
        app.text_input(key="password_current").set_value(present)
        for key in ("new", "again"):
            app.text_input(key=f"password_{key}").set_value("a fresh lemon tree 7")
        press(app, "Change password")
        assert ("Too many attempts" if present == PRESENT else "Incorrect") in errors(app)


def test_a_new_password_ends_all_other_sign_ins(session: Session, principal: Principal) -> None:
    person = with_password(session, principal)
    now = datetime.now(UTC)
    ticket = sessions.create_ticket(session, principal.person_id, now)
    elsewhere = sessions.start_session(
        session, ticket, signed_in.get_lifetime(), now, "10.0.0.7", "Firefox/1"
    )
    session.commit()
    assert elsewhere
    app = open_page("profile", part="Security")
    assert "10.0.0.7" in plain(app)
    app.text_input(key="password_current").set_value(PRESENT)
    for key in ("new", "again"):
        app.text_input(key=f"password_{key}").set_value("a fresh lemon tree 7")
    press(app, "Change password")
    assert "Password changed" in toasts(app)
    session.refresh(person)
    assert verify_password(person.password_hash, "a fresh lemon tree 7")
    assert sessions.find_session(session, elsewhere, signed_in.get_lifetime(), now, None) is None
    assert "10.0.0.7" not in plain(app)
    assert labelled(app.button, "Sign out everywhere else").disabled


def test_an_easy_password_is_refused_with_its_reason(
    session: Session, principal: Principal
) -> None:
    with_password(session, principal)
    app = open_page("profile", part="Security")
    app.text_input(key="password_current").set_value(PRESENT)
    for key in ("new", "again"):
        app.text_input(key=f"password_{key}").set_value("password1234")
    press(app, "Change password")
    assert "easy to guess" in errors(app)


def test_one_sign_in_ends_by_its_button(session: Session, principal: Principal) -> None:
    now = datetime.now(UTC)
    ticket = sessions.create_ticket(session, principal.person_id, now)
    token = sessions.start_session(
        session, ticket, signed_in.get_lifetime(), now, "10.0.0.7", "Firefox/1"
    )
    session.commit()
    assert token
    app = open_page("profile", part="Security")
    [end] = [button for button in app.button if (button.key or "").startswith("end_")]
    assert end.label == "Sign out"
    end.click().run()
    assert sessions.find_session(session, token, signed_in.get_lifetime(), now, None) is None


# The second factor


def test_the_second_factor_is_set_up_with_a_first_code_and_removed_with_another(
    session: Session, principal: Principal
) -> None:
    app = press(open_page("profile", part="Security"), "Set up")
    secret = app.code[0].value.replace(" ", "")
    assert len(secret) == 32
    label = "**2.** The code that the app shows now"
    labelled(app.text_input, label).set_value("000000")
    press(app, "Confirm")
    assert "Incorrect code" in errors(app)
    labelled(app.text_input, label).set_value(pyotp.TOTP(secret).now())
    press(app, "Confirm")
    codes = app.code[0].value.split("\n")
    assert len(set(codes)) == 10
    assert codes[0] not in words(press(app, "Done"))
    assert "Unused recovery codes: 10" in words(app)
    labelled(app.text_input, "Code of your app, or a recovery code").set_value(codes[3])
    press(app, "Turn off two-factor authentication")
    assert not two_factor.is_two_factor_enabled(session, principal.person_id)


def test_the_qr_code_carries_the_address_and_the_secret_is_there_to_type() -> None:
    address = pyotp.TOTP("ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOP").provisioning_uri(
        name="a@b.example", issuer_name="Amazcope"
    )
    assert render_qr_code(address).startswith("<svg")
    assert format_secret(address) == "ABCD EFGH IJKL MNOP ABCD EFGH IJKL MNOP"


def test_the_demos_people_can_change_neither_password_nor_address(
    session: Session, principal: Principal
) -> None:
    person = with_password(session, principal)
    person.is_demo = True
    session.commit()
    app = open_page("profile", part="Security")
    assert labelled(app.button, "Change password").disabled
    assert labelled(app.button, "Set up").disabled
    assert labelled(open_page("profile").button, "Change").disabled


# Tokens


def test_a_token_is_shown_once_and_its_row_lists_its_scopes(
    session: Session, principal: Principal
) -> None:
    app = open_page("profile", part="API tokens")
    labelled(app.text_input, "Name").set_value(NASTY)
    press(app, "Create token")
    token = app.code[0].value
    assert api_tokens.find_bearer(session, token, datetime.now(UTC), None)
    shown = words(app)
    assert f"`{token[:8]}…` · may read · expires in 90 days · never used" in shown or (
        f"`{token[:8]}…` · may read · expires in 89 days" in shown
    )
    assert "\\<b\\>x" in shown
    assert token not in words(press(app, "Done"))
    press(app, "Revoke")
    assert "No tokens yet." in words(app)
    assert api_tokens.find_bearer(session, token, datetime.now(UTC), None) is None


def test_how_to_connect_is_shown_with_a_new_token_and_later_without_it(
    session: Session, principal: Principal
) -> None:
    app = open_page("profile", part="API tokens")
    assert app.expander[0].label == "Connect an agent"
    labelled(app.text_input, "Name").set_value("Agent")
    press(app, "Create token")
    token, *configurations = [each.value for each in app.code]
    over_http, stdio = [json.loads(each)["mcpServers"]["amazcope"] for each in configurations]
    assert over_http["url"] == "http://127.0.0.1:8503/mcp"
    assert stdio["args"] == ["-m", "mcp_server"]
    assert stdio["env"]["AMAZCOPE_DATA_DIR"] == str(get_settings().amazcope_data_dir)
    assert "http://127.0.0.1:8503/mcp" in words(app)
    press(app, "Done")
    everything = [each.value for each in [*app.code, *app.markdown, *app.caption]]
    assert [text for text in everything if token in text] == []
    assert len(app.code) == 2


def test_a_program_learns_where_the_pages_are_when_no_file_names_it(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAZCOPE_PORT", "8777")
    get_settings.cache_clear()
    app = open_page("profile", part="API tokens")
    stdio = json.loads(app.code[1].value)["mcpServers"]["amazcope"]
    assert stdio["env"]["AMAZCOPE_URL"] == "http://127.0.0.1:8777"


def test_beyond_this_machine_its_folders_stay_hidden(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAZCOPE_MCP_URL", "https://watch.example.com/mcp")
    monkeypatch.setenv("AMAZCOPE_URL", "https://watch.example.com")
    get_settings.cache_clear()
    app = open_page("profile", part="API tokens")
    [configuration] = [each.value for each in app.code]
    assert "https://watch.example.com/mcp" in configuration
    assert str(ROOT) not in configuration


def test_a_token_that_may_nothing_is_not_made(session: Session, principal: Principal) -> None:
    app = open_page("profile", part="API tokens")
    labelled(app.text_input, "Name").set_value("Report")
    app.button_group[-1].set_value([])
    press(app, "Create token")
    assert "Choose what the token may do." in errors(app)


def test_a_used_token_shows_when(session: Session, principal: Principal) -> None:
    now = datetime.now(UTC)
    api_tokens.create_api_token(session, principal, "Report", [Scope.READ], None, now)
    [kept] = api_tokens.list_own_tokens(session, principal, now)
    api_tokens.mark_token_used(session, kept.id, now - timedelta(hours=2))
    session.commit()
    shown = words(open_page("profile", part="API tokens"))
    assert "does not expire · used 2 h ago" in shown


def test_what_is_shown_once_is_kept_in_no_table(session: Session, principal: Principal) -> None:
    app = press(open_page("profile", part="Security"), "Set up")
    secret = app.code[0].value.replace(" ", "")
    kept = session.execute(
        text("SELECT totp_secret FROM person WHERE id = :id"), {"id": principal.person_id}
    )
    body = bytes(kept.scalar_one())
    assert secret.encode() not in body
    assert account.SETTING_UP in app.session_state
    assert get_secret_key(get_settings()) not in words(app)


# Asked again


def owned(session: Session) -> int:
    return session.scalar(text("SELECT count(*) FROM api_token")) or 0


@pytest.mark.usefixtures("unconfirmed")
def test_a_session_that_was_left_open_makes_no_token(
    session: Session, principal: Principal
) -> None:
    with_password(session, principal)
    app = open_page("profile", part="API tokens")
    labelled(app.text_input, "Name").set_value("Report")
    press(app, "Create token")
    assert "enter your password again" in words(app)
    assert owned(session) == 0
    app.text_input(key="password_to_confirm").set_value("guessed")
    press(app, "Confirm and continue")
    assert "Incorrect current password" in errors(app)
    assert owned(session) == 0
    app.text_input(key="password_to_confirm").set_value(PRESENT)
    press(app, "Confirm and continue")
    assert "Token created. Copy it now." in toasts(app)
    labelled(app.text_input, "Name").set_value("Another")
    press(app, "Create token")
    assert owned(session) == 2  # within ten minutes no user is asked twice


@pytest.mark.usefixtures("unconfirmed")
def test_setting_up_the_second_factor_takes_the_password(
    session: Session, principal: Principal
) -> None:
    with_password(session, principal)
    app = press(open_page("profile", part="Security"), "Set up")
    assert account.SETTING_UP not in app.session_state
    app.text_input(key="password_to_confirm").set_value(PRESENT)
    press(app, "Confirm and continue")
    assert len(app.code[0].value.replace(" ", "")) == 32


@pytest.mark.usefixtures("unconfirmed")
def test_who_has_no_password_is_asked_to_sign_in_again(
    session: Session, principal: Principal
) -> None:
    app = press(open_page("profile", part="Security"), "Set up")
    assert "sign in again by single sign-on" in words(app)
    assert labelled(app.button, "Sign in again")


def test_a_password_is_not_guessed_where_it_is_asked_for_again(
    session: Session, principal: Principal
) -> None:
    with_password(session, principal)
    app = open_page("profile")
    labelled(app.text_input, "New address").set_value("new@team.example")
    for present in (*(f"guess {number}" for number in range(5)), PRESENT):
        app.text_input(key="password_for_email").set_value(present)
        press(app, "Change")
    assert "Too many attempts" in errors(app)
    recorded = session.execute(text("SELECT new FROM audit_event WHERE verb = 'refused'"))
    assert recorded.scalars().all() == [{"what": "present password", "times today": 1}]


def test_a_changed_password_takes_the_tokens_along_where_that_is_asked_for(
    session: Session, principal: Principal
) -> None:
    with_password(session, principal)
    now = datetime.now(UTC)
    token = api_tokens.create_api_token(session, principal, "Report", [Scope.READ], None, now)
    session.commit()
    app = open_page("profile", part="Security")
    app.text_input(key="password_current").set_value(PRESENT)
    for key in ("new", "again"):
        app.text_input(key=f"password_{key}").set_value("a fresh lemon tree 7")
    app.checkbox(key="revoke_with_password").check()
    press(app, "Change password")
    assert api_tokens.find_bearer(session, token, now, None) is None


# Recovery codes


def test_new_recovery_codes_replace_short_ones_which_work_until_then(
    session: Session, principal: Principal
) -> None:
    now = datetime.now(UTC)
    person = session.get_one(Person, principal.person_id)
    person.totp_confirmed_at = now
    session.execute(
        text("INSERT INTO recovery_code (person_id, code_hash) VALUES (:id, sha256('abcde23456'))"),
        {"id": person.id},
    )
    session.commit()
    app = open_page("profile", part="Security")
    assert "older, shorter kind" in words(app)
    press(app, "Create new recovery codes")
    codes = app.code[0].value.split("\n")
    assert {len(code.replace("-", "")) for code in codes} == {25}
    key = get_secret_key(get_settings())
    assert not two_factor.verify_code(session, person.id, "ABCDE-23456", key, now)
    assert two_factor.verify_code(session, person.id, codes[0], key, now)
