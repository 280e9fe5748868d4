"""An email's two forms, and what becomes of text from outside in them."""

import re
from dataclasses import replace

import pytest

from core.delivery.channels.email import EmailAddress, send, write_html
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message, MessageItem, Urgency
from core.delivery.outcome import Outcome
from core.delivery.smtp import parse_smtp_url
from tests.mailbox import Mailbox

HOSTILE = 'Cup\r\nBcc: b@else.example <img src=x onerror="alert(1)"> & </title><script>x</script>'
ITEM = MessageItem(
    "Größe", "Lost", (("Before", "€24.90"),), "https://a.b/?x=1&y=2", Urgency.WARNING
)
MESSAGE = Message(
    "incident:7:anna",
    "Lost Buy Box",
    "1 alert",
    (ITEM,),
    "https://a.b/alerts",
    footer="You chose at once.",
    unsubscribe="https://a.b/unsubscribe?token=abc&x=1",
)


def deliver(box: Mailbox, message: Message) -> Outcome:
    context = SendContext(parse_smtp_url(box.url), "Amazcope <a@team.example>")
    return send(EmailAddress("anna@team.example"), message, context).outcome


def test_a_long_address_stays_readable_in_its_header(mailbox: Mailbox) -> None:
    address = f"https://a.b/unsubscribe?token={'x' * 300}"
    assert deliver(mailbox, replace(MESSAGE, unsubscribe=address)) is Outcome.SENT
    assert f"\r\nList-Unsubscribe: <{address}>\r\n".encode() in mailbox.sources[0]


def test_an_email_has_both_forms_and_ends_by_one_click(mailbox: Mailbox) -> None:
    assert deliver(mailbox, MESSAGE) is Outcome.SENT
    [letter] = mailbox.letters
    assert letter["List-Unsubscribe"] == f"<{MESSAGE.unsubscribe}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    for part in ("Größe", "€24.90", "1 alert", "You chose at once."):
        assert part in text.get_content()
        assert part in html.get_content()
    assert 'href="https://a.b/?x=1&amp;y=2"' in html.get_content()
    assert "https://a.b/?x=1&y=2" in text.get_content()


def test_a_repeated_email_is_recognisable(mailbox: Mailbox) -> None:
    for key in ("k:1", "k:1", "k:2"):
        deliver(mailbox, Message(key, "a", "b"))
    ids = [letter["Message-ID"] for letter in mailbox.letters]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@team.example>")


def test_text_from_outside_is_text(mailbox: Mailbox) -> None:
    item = MessageItem(HOSTILE, HOSTILE, ((HOSTILE, HOSTILE),), "javascript:alert(1)")
    hostile = Message("k\r\nX: y", HOSTILE, HOSTILE, (item,), "data:text/html,x", footer=HOSTILE)
    assert deliver(mailbox, hostile) is Outcome.SENT
    [letter] = mailbox.letters
    assert mailbox.recipients == ["anna@team.example"]
    assert (letter["Bcc"], letter["X"]) == (None, None)
    html = write_html(hostile)
    assert not re.search(r"<(script|img)|onerror=\"|javascript:|data:", html)


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://a.b/>\r\nBcc: x@y.example", "https://a.b/ü", ""]
)
def test_an_unsubscribe_address_that_is_none_makes_no_header(
    mailbox: Mailbox, address: str
) -> None:
    assert deliver(mailbox, Message("k", "a", "b", unsubscribe=address)) is Outcome.SENT
    assert mailbox.letters[0]["List-Unsubscribe"] is None


def test_one_click_needs_https(mailbox: Mailbox) -> None:
    deliver(mailbox, Message("k", "a", "b", unsubscribe="http://a.b/u"))
    [letter] = mailbox.letters
    assert (letter["List-Unsubscribe"], letter["List-Unsubscribe-Post"]) == ("<http://a.b/u>", None)


def test_without_a_mail_server_an_email_is_tried_later() -> None:
    assert send(EmailAddress("a@b.example"), MESSAGE, SendContext()).outcome is Outcome.LATER
