"""What is mailed, in words."""

from collections.abc import Callable

import pytest

from core.accounts.people import email_templates
from core.accounts.people.email_templates import Email

BASE = "https://watch.shop.example"


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (email_templates.reset_email, "reset"),
        (email_templates.invitation_email, "invitation"),
        (email_templates.registration_email, "confirm"),
    ],
)
def test_a_letter_holds_its_link_and_how_long_it_works(
    write: Callable[[str, str, str], Email], name: str
) -> None:
    letter = write("ada@shop.example", "to-ken_1", BASE)
    assert letter.to == "ada@shop.example"
    assert f"\n{BASE}/?{name}=to-ken_1\n" in letter.text
    assert "within" in letter.text


def test_a_token_is_quoted_in_an_address() -> None:
    assert email_templates.build_link(BASE, "reset", "a b&c=d") == f"{BASE}/?reset=a+b%26c%3Dd"


def test_a_known_address_learns_so_by_mail_alone_and_gets_no_token() -> None:
    new = email_templates.registration_email("ada@shop.example", "token", BASE)
    known = email_templates.already_registered_email("ada@shop.example", BASE)
    assert known.subject == new.subject
    assert "?" not in known.text.split("signs in already: ")[1].split("\n")[0]
