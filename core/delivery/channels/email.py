"""Email: to the account's own address, as HTML and text."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from core.delivery.channels.fields import Field
from core.delivery.channels.plain_text import clean_line, write_body
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message, MessageItem, Urgency
from core.delivery.outcome import Attempt, Outcome
from core.delivery.smtp import OutgoingEmail, submit_email
from core.errors import InvalidInputError

_LONGEST_TEXT = 100_000  # characters
_MOST_ITEMS = 100
_COLOURS = {Urgency.CRITICAL: "#c62828", Urgency.WARNING: "#b35300", Urgency.INFO: "#1565c0"}

FIELDS: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """The confirmed address of an account."""

    to: str


def parse(typed: Mapping[str, str], private_hosts: frozenset[str]) -> EmailAddress:  # noqa: ARG001
    """Return the address that the caller gives as "to". Raises InvalidInputError."""
    to = typed.get("to", "").strip()
    if "@" not in to or not to.isprintable():
        raise InvalidInputError("Your account has no email address.")
    return EmailAddress(to)


def describe(address: EmailAddress) -> str:
    """Return the address, which is no secret of its owner's."""
    return address.to


def send(address: EmailAddress, message: Message, context: SendContext) -> Attempt:
    """Hand an email to the mail server."""
    if context.mail_server is None:
        return Attempt(Outcome.LATER, "No mail server is connected.")
    text = write_body(message, _LONGEST_TEXT)
    if message.unsubscribe:
        text += f"\n\nStop these emails: {clean_line(message.unsubscribe)}"
    email = OutgoingEmail(
        address.to,
        clean_line(message.subject, 200),
        text + "\n",
        html=write_html(message),
        key=message.key,
        unsubscribe=message.unsubscribe,
        pictures=list_pictures(message),
    )
    return submit_email(context.mail_server, context.sender, email)


def write_html(message: Message) -> str:
    """Return a message as a page without scripts and remote addresses; pictures are inside."""
    shown = message.items[:_MOST_ITEMS]
    parts = [
        f'<h1 style="font-size:20px;margin:0 0 8px">{_clean(message.subject)}</h1>',
        f'<p style="margin:0 0 16px">{_clean(message.summary)}</p>',
        *(_write_item(item, number) for number, item in enumerate(shown)),
    ]
    if len(message.items) > len(shown):
        parts.append(f"<p>… and {len(message.items) - len(shown):,} more.</p>")
    if message.link:
        parts.append(f"<p>{_write_link(message.link, 'Open in Amazcope')}</p>")
    if message.footer:
        parts.append(f'<p style="color:#595959;font-size:13px">{_clean(message.footer)}</p>')
    if message.unsubscribe:
        parts.append(f"<p>{_write_link(message.unsubscribe, 'Stop these emails')}</p>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{_clean(message.subject)}</title></head>"
        '<body style="font-family:system-ui,sans-serif;font-size:15px;line-height:1.5;'
        'color:#1f1f1f;background:#ffffff;max-width:640px;margin:0 auto;padding:16px">'
        f"{''.join(parts)}</body></html>"
    )


def list_pictures(message: Message) -> tuple[tuple[str, bytes], ...]:
    """Return the pictures inside the email: the id by which the page names each, and a PNG."""
    return tuple(
        (_name_picture(number), b64decode(item.picture.png))
        for number, item in enumerate(message.items[:_MOST_ITEMS])
        if item.picture is not None
    )


def _name_picture(number: int) -> str:
    return f"picture{number}@amazcope"


def _write_picture(item: MessageItem, number: int) -> str:
    if item.picture is None:
        return ""
    return (
        f'<p style="margin:4px 0 0"><img src="cid:{_name_picture(number)}" '
        f'alt="{_clean(item.picture.alt)}" width="84" height="24"></p>'
    )


def _write_item(item: MessageItem, number: int) -> str:
    rows = "".join(
        '<tr><th scope="row" style="text-align:left;font-weight:normal;color:#595959;'
        f'padding-right:12px">{_clean(label)}</th><td>{_clean(value)}</td></tr>'
        for label, value in item.facts
    )
    table = f'<table style="border-collapse:collapse;font-size:14px">{rows}</table>' if rows else ""
    link = f'<p style="margin:4px 0 0">{_write_link(item.link, "Open")}</p>' if item.link else ""
    return (
        f'<div style="border-left:4px solid {_COLOURS[item.urgency]};padding:0 0 0 12px;'
        'margin:0 0 16px">'
        f'<p style="margin:0;font-weight:600">{_clean(item.title)}</p>'
        f'<p style="margin:0 0 4px">{_clean(item.text)}</p>{table}'
        f"{_write_picture(item, number)}{link}</div>"
    )


def _clean(text: str) -> str:
    return escape(clean_line(text))


def _write_link(address: str, label: str) -> str:
    if not address.startswith(("http://", "https://")):
        return ""
    return f'<a href="{_clean(address)}" style="color:#0b57d0">{escape(label)}</a>'
