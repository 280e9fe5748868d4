"""Texts of the emails about accounts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from core.accounts.people.account_notices import SecurityNotice
from core.delivery.message import Message, MessageItem, Urgency
from core.text.times import format_moment


@dataclass(frozen=True, slots=True)
class Email:
    """A message to one address."""

    to: str
    subject: str
    text: str


def build_link(base: str, name: str, token: str) -> str:
    """Return the URL of the page that takes a token. `name`: of the URL parameter."""
    return f"{base}/?{urlencode({name: token})}"


def write_reset_email(address: str, token: str, base: str) -> Email:
    """Return the email with a link for a new password."""
    return Email(
        address,
        "Reset your Amazcope password",
        f"A password reset was requested for your Amazcope account {address}.\n\n"
        "Set a new password here:\n\n"
        f"{build_link(base, 'reset', token)}\n\n"
        "The link is valid for 1 hour and works once.\n\n"
        "If you didn't request this, ignore this email: your password stays unchanged.\n",
    )


def write_invitation_email(address: str, token: str, base: str) -> Email:
    """Return the email with a link for joining the team."""
    return Email(
        address,
        "Your invitation to Amazcope",
        f"An administrator invited you to the team at {base}, which tracks products on Amazon.\n\n"
        "Accept the invitation and set a password here:\n\n"
        f"{build_link(base, 'invitation', token)}\n\n"
        "The link is valid for 7 days and works once.\n\n"
        "If you didn't expect an invitation, ignore this email: the invitation expires.\n",
    )


def write_registration_email(address: str, token: str, base: str) -> Email:
    """Return the email with a link that confirms a registered address."""
    return Email(
        address,
        _REGISTRATION_SUBJECT,
        f"This email address was registered at {base}.\n\n"
        "Confirm the address and set a password here:\n\n"
        f"{build_link(base, 'confirm', token)}\n\n"
        "The link is valid for 1 day and works once.\n\n"
        "If you didn't register, ignore this email: without the link, the account can't be used.\n",
    )


def write_already_registered_email(address: str, base: str) -> Email:
    """Return the email for a registration with the address of an existing account.

    Only the mailbox learns that the account exists, so its subject is that of a registration.
    """
    return Email(
        address,
        _REGISTRATION_SUBJECT,
        "This email address was registered again, but already has an account. Sign in here:\n\n"
        f"{base}/\n\n"
        "If you forgot your password, request a new one on that page.\n\n"
        "If you didn't register, ignore this email: your account stays unchanged.\n",
    )


_REGISTRATION_SUBJECT = "Your Amazcope registration"


def write_notices_email(address: str, notices: Sequence[str], base: str) -> Email:
    """Return the email with a user's unread account notices."""
    lines = "".join(f"- {' '.join(notice.split())}\n" for notice in notices)
    count = "1 new notice" if len(notices) == 1 else f"{len(notices)} new notices"
    return Email(
        address,
        f"{count} about your Amazcope account",
        f"Unread notices for your Amazcope account {address}:\n\n"
        f"{lines}\n"
        f"Read them here:\n\n{base}/\n\n"
        "If you don't recognise one of these actions, change your password and inform an "
        "administrator.\n\n"
        "You can turn these emails off in your profile.\n",
    )


def write_security_message(notice: SecurityNotice, base: str) -> Message:
    """Return the email of a security notice: what, when, where from, and what to do."""
    facts = [("When", f"{format_moment(notice.at, notice.zone)} ({notice.zone})")]
    if notice.origin:
        facts.append(("From", notice.origin))
    facts.append(("Account", notice.to))
    return Message(
        key=f"security:{notice.id}",
        subject="Security notice for your Amazcope account",
        summary=notice.text,
        items=(
            MessageItem(
                "What to do",
                "If you recognise this, there is nothing to do. Otherwise change your password at "
                "once, end your other sessions in your profile, and inform an administrator.",
                tuple(facts),
                urgency=Urgency.WARNING,
            ),
        ),
        link=f"{base}/profile",
        urgency=Urgency.WARNING,
        footer="Emails about the security of your account can't be turned off.",
    )
