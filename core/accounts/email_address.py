"""Email addresses: their normalized form and validation. Pure."""

import unicodedata

from core.errors import InvalidInputError

MAX_EMAIL_LENGTH = 254  # RFC 5321
INVALID_EMAIL = "This is not an email address. Write it as name@example.com."


def normalize_email(address: str) -> str:
    """Return an email address in the normalized form in which it is compared and stored.

    Raises InvalidInputError for what can't be one.
    """
    typed = address.strip()
    if len(typed) > MAX_EMAIL_LENGTH:  # before anything that takes longer for longer texts
        raise InvalidInputError(INVALID_EMAIL)
    cleaned = unicodedata.normalize("NFKC", typed).strip().casefold()
    local, _, domain = cleaned.rpartition("@")
    is_plain = not any(sign.isspace() or sign in '<>,;:"\\()' for sign in cleaned)
    is_printable = cleaned.isprintable() and len(cleaned) <= MAX_EMAIL_LENGTH
    if not (local and "." in domain.strip(".") and is_plain and is_printable):
        raise InvalidInputError(INVALID_EMAIL)
    return cleaned


def normalize_typed_email(address: str) -> str:
    """Normalize an address that a user typed or copied from a page.

    Pages put an invisible character into addresses so that browsers don't link them; it is
    copied along (`escaping.escape_markdown`). Raises InvalidInputError for what can't be one.
    """
    return normalize_email(address.replace("\u2060", ""))
