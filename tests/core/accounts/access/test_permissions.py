"""Roles and rights, names, addresses and the length of passwords."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.access.permissions import (
    Permission,
    Principal,
    Role,
    Scope,
    require_permission,
)
from core.accounts.email_address import normalize_email, normalize_typed_email
from core.accounts.password_rules import (
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
    find_length_problem,
    normalize_password,
)
from core.accounts.profile_fields import MAX_NAME_LENGTH, clean_name
from core.errors import InvalidInputError, NotAllowedError
from core.text.escaping import escape_markdown


def make_principal(role: Role, scopes: frozenset[Scope] | None = None) -> Principal:
    return Principal(1, 1, "Somebody", "UTC", role, scopes=scopes)


MAY = {
    Role.VIEWER: {Permission.READ, Permission.SELF},
    Role.SELLER: {Permission.READ, Permission.SELF, Permission.PROPOSE, Permission.TRACK},
    Role.MANAGER: set(Permission) - {Permission.ADMIN},
    Role.ADMIN: set(Permission),
}


@pytest.mark.parametrize("right", Permission)
@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_is_its_own(role: Role, right: Permission) -> None:
    assert make_principal(role).may(right) is (right in MAY[role])


@pytest.mark.parametrize("right", Permission)
def test_a_token_never_administers_nor_touches_its_owners_account(right: Permission) -> None:
    everything = make_principal(Role.ADMIN, frozenset(Scope))
    allowed = {Permission.READ, Permission.PROPOSE, Permission.TRACK, Permission.TRACK_TEAM}
    assert everything.may(right) is (right in allowed)


def test_a_token_without_scopes_may_nothing() -> None:
    assert not any(make_principal(Role.ADMIN, frozenset()).may(right) for right in Permission)


def test_a_refusal_names_the_role_it_takes() -> None:
    with pytest.raises(NotAllowedError, match="requires the role manager; yours is viewer"):
        require_permission(make_principal(Role.VIEWER), Permission.TEAM)


def test_a_refused_token_gets_the_name_of_the_missing_scope() -> None:
    reader = make_principal(Role.SELLER, frozenset({Scope.READ}))
    with pytest.raises(NotAllowedError, match="lacks the scope act"):
        require_permission(reader, Permission.TRACK)
    with pytest.raises(NotAllowedError, match="Tokens can't do this"):
        require_permission(reader, Permission.SELF)


@pytest.mark.parametrize("scope", Scope)
def test_a_token_proposes_with_its_own_scope_only(scope: Scope) -> None:
    token = make_principal(Role.SELLER, frozenset({scope}))
    assert token.may(Permission.PROPOSE) is (scope is Scope.PROPOSE)


def test_who_acts_always_has_a_role() -> None:
    with pytest.raises(TypeError, match="role"):
        Principal(1, 1, "Nobody", "UTC")  # type: ignore[call-arg]
    assert replace(make_principal(Role.VIEWER), name="Else").role is Role.VIEWER


# Mail addresses and names


@given(st.one_of(st.text(), st.emails()))
def test_an_address_is_cleaned_once_and_for_all_or_refused(address: str) -> None:
    try:
        cleaned = normalize_email(address)
    except InvalidInputError:
        return
    assert normalize_email(cleaned) == cleaned
    assert cleaned.isprintable()


@pytest.mark.parametrize(
    "address",
    ["Ada@Shop.Example", " ada@shop.example ", "ADA@SHOP.EXAMPLE", "ａｄａ@shop.example"],
)
def test_one_mailbox_is_one_address_however_it_is_typed(address: str) -> None:
    assert normalize_email(address) == "ada@shop.example"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@shop.example",
        "ada@",
        "ada@shop",
        "ada@.",
        "ada shop@x.example",
        "ada@x.example\nBcc: all@x.example",
        "Ada <ada@x.example>",
        "ada@x.example,eve@y.example",
        "ada\x00@x.example",
        "a\u202eda@x.example",
        "a" * 250 + "@x.example",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInputError):
        normalize_email(address)


def test_an_address_may_be_copied_from_a_page_that_makes_no_link_of_it() -> None:
    shown = escape_markdown("ada@shop.example")
    assert shown != "ada@shop.example", "nothing to take away: the test is out of date"
    assert normalize_typed_email(shown) == "ada@shop.example"


@given(st.text())
def test_a_name_is_cleaned_once_and_for_all_or_refused(name: str) -> None:
    try:
        cleaned = clean_name(name)
    except InvalidInputError:
        return
    assert clean_name(cleaned) == cleaned
    assert cleaned.isprintable()
    assert 1 <= len(cleaned) <= MAX_NAME_LENGTH


def test_a_name_keeps_its_language_and_loses_what_hides() -> None:
    assert clean_name("  李 小龍\u200b\n") == "李 小龍"
    with pytest.raises(InvalidInputError):
        clean_name("\u200b\x00 ")


# Passwords


@given(st.text(max_size=300))
def test_a_password_is_hashed_in_one_form(password: str) -> None:
    once = normalize_password(password)
    assert normalize_password(once) == once


@pytest.mark.parametrize(
    "password",
    [
        "korrekt pferd batterie",
        "правильная лошадь",
        "正しい馬の電池をここに置く",
        "🐎🔋📎✨🌍🧭🪁🛶🧵🪴🫖🎣",
    ],
)
def test_a_password_may_be_in_any_language(password: str) -> None:
    assert find_length_problem(password) is None


def test_a_password_has_12_to_128_characters() -> None:
    assert find_length_problem("x" * (MIN_PASSWORD_LENGTH - 1))
    assert find_length_problem("x" * MIN_PASSWORD_LENGTH) is None
    assert find_length_problem("x" * MAX_PASSWORD_LENGTH) is None
    assert find_length_problem("x" * (MAX_PASSWORD_LENGTH + 1))


def test_spaces_around_do_not_make_a_password_long() -> None:
    assert find_length_problem("short" + " " * 20)


def test_one_sign_that_stands_for_a_phrase_is_no_long_password() -> None:
    assert len(normalize_password("\ufdfa")) >= MIN_PASSWORD_LENGTH
    assert find_length_problem("\ufdfa")
