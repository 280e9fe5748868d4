"""What is mailed, in words. Pure: no sending, no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Email:
    """A message to one address."""

    to: str
    subject: str
    text: str


def build_link(base: str, name: str, token: str) -> str:
    """Return the address behind which a token opens its door."""
    return f"{base}/?{urlencode({name: token})}"


def reset_email(mail: str, token: str, base: str) -> Email:
    """The link for a new password."""
    return Email(
        mail,
        "A new password for Amazcope",
        "Somebody asked for a new password for this address. Set one here, within an hour:\n\n"
        f"{build_link(base, 'reset', token)}\n\n"
        "If it was not you, do nothing: your password stays as it is.\n",
    )


def invitation_email(mail: str, token: str, base: str) -> Email:
    """The link by which somebody joins the team."""
    return Email(
        mail,
        "You are invited to Amazcope",
        "You are invited to watch products with your team. Join here, within seven days:\n\n"
        f"{build_link(base, 'invitation', token)}\n",
    )


def registration_email(mail: str, token: str, base: str) -> Email:
    """The link that proves a mail address."""
    return Email(
        mail,
        "Your registration at Amazcope",
        "Finish your registration here, within a day:\n\n"
        f"{build_link(base, 'confirm', token)}\n\n"
        "If it was not you, do nothing: nobody gets in without this link.\n",
    )


def already_registered_email(mail: str, base: str) -> Email:
    """Told to the mailbox alone: somebody registered an address that is known."""
    return Email(
        mail,
        "Your registration at Amazcope",
        f"Somebody registered this address, which signs in already: {base}/\n\n"
        "If it was you and the password is forgotten, ask there for a new one.\n",
    )


def notices_email(mail: str, told: Sequence[str], base: str) -> Email:
    """What waits behind somebody's bell."""
    lines = "".join(f"- {' '.join(words.split())}\n" for words in told)
    count = "A notice" if len(told) == 1 else f"{len(told)} notices"
    return Email(
        mail,
        f"{count} from Amazcope",
        f"{lines}\nSee {base}/\n\nYour profile says whether such mails are sent.\n",
    )
