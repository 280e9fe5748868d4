"""The emails about accounts: who, what, the link, how long it is valid, and what if not you."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.accounts.access.one_time_tokens import LIFETIMES, Purpose
from core.accounts.people import email_templates
from core.accounts.people.email_templates import Email

BASE = "https://watch.shop.example"
ADA = "ada@shop.example"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("write", "name", "purpose", "valid"),
    [
        (email_templates.write_reset_email, "reset", Purpose.RESET, {"1 hour": HOUR}),
        (
            email_templates.write_invitation_email,
            "invitation",
            Purpose.INVITATION,
            {"7 days": 7 * DAY},
        ),
        (
            email_templates.write_registration_email,
            "confirm",
            Purpose.CONFIRMATION,
            {"1 day": DAY},
        ),
    ],
)
def test_an_email_has_its_link_how_long_it_is_valid_and_what_to_do_if_it_was_not_you(
    write: Callable[[str, str, str], Email],
    name: str,
    purpose: Purpose,
    valid: dict[str, timedelta],
) -> None:
    email = write(ADA, "to-ken_1", BASE)
    assert email.to == ADA
    assert f"\n{BASE}/?{name}=to-ken_1\n" in email.text
    [(text, lifetime)] = valid.items()
    assert f"valid for {text} and works once" in email.text
    assert LIFETIMES[purpose] == lifetime
    assert "ignore this email" in email.text


def test_a_token_is_quoted_in_an_address() -> None:
    assert email_templates.build_link(BASE, "reset", "a b&c=d") == f"{BASE}/?reset=a+b%26c%3Dd"


def test_a_known_address_learns_so_by_email_alone_and_gets_no_token() -> None:
    new = email_templates.write_registration_email(ADA, "token", BASE)
    known = email_templates.write_already_registered_email(ADA, BASE)
    assert known.subject == new.subject
    assert "already has an account" in known.text
    assert f"\n{BASE}/\n" in known.text
    assert "?" not in known.text
    assert "ignore this email" in known.text


def test_an_email_with_notices_lists_each_on_a_line() -> None:
    email = email_templates.write_notices_email(ADA, ["Your role\nis now seller."], BASE)
    assert email.subject == "1 new notice about your Amazcope account"
    assert ADA in email.text
    assert "\n\n- Your role is now seller.\n\n" in email.text
    assert f"\n{BASE}/\n" in email.text
    assert "change your password and inform an administrator" in email.text
    assert "turn these emails off" in email.text
