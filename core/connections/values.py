"""The values of each connection, and what may be entered for them."""

from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from core.accounts.email_address import normalize_email
from core.delivery.smtp import SmtpServer
from core.errors import InvalidInputError
from core.runtime.outbound import reject_unsafe_host

LONGEST_VALUE = 500  # characters
_SHORTEST_HINTED = 12  # characters; of a shorter secret four would be a third
_LARGEST_PRICE = Decimal(100_000)


class ConnectionName(StrEnum):
    """The services that can be connected."""

    APIFY = "apify"
    MODEL = "model"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class ApifyToken:
    """A token of an Apify account."""

    token: str = field(repr=False)

    @property
    def secret(self) -> str:
        return self.token

    @property
    def facts(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A server with OpenAI's chat completions API. Prices: dollars per million tokens."""

    base_url: str
    model: str
    key: str = field(repr=False)
    prompt_price: str = "0"
    reply_price: str = "0"

    @property
    def secret(self) -> str:
        return self.key

    @property
    def facts(self) -> dict[str, str]:
        price = f"${self.prompt_price} / ${self.reply_price} per million tokens"
        return {"Base URL": self.base_url, "Model": self.model, "Price": price}


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server and the sender of its emails. Without a user there is no sign-in."""

    host: str
    port: int
    sender: str
    is_tls: bool = False  # from the first byte; otherwise STARTTLS if the server offers it
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def secret(self) -> str:
        return self.password or ""

    @property
    def facts(self) -> dict[str, str]:
        mode = "TLS" if self.is_tls else "STARTTLS"
        found = {"Server": f"{self.host}:{self.port}, {mode}", "Sender": self.sender}
        return found | ({"User": self.user} if self.user else {})

    @property
    def server(self) -> SmtpServer:
        return SmtpServer(self.host, self.port, self.is_tls, self.user, self.password)


Values = ApifyToken | ModelServer | MailServer
_CLASSES: dict[ConnectionName, type[Values]] = {
    ConnectionName.APIFY: ApifyToken,
    ConnectionName.MODEL: ModelServer,
    ConnectionName.MAIL: MailServer,
}


def to_json(values: Values) -> dict[str, Any]:
    """Return the values as they are stored."""
    return asdict(values)


def from_json(name: ConnectionName, stored: dict[str, Any]) -> Values:
    """Return stored values. Raises TypeError for those of another version of Amazcope."""
    return _CLASSES[name](**stored)


def get_name(values: Values) -> ConnectionName:
    """Return the name of the connection that values are of."""
    return next(name for name, kind in _CLASSES.items() if isinstance(values, kind))


def hint_secret(secret: str) -> str:
    """Return the last four characters of a long secret, "" for a short one."""
    return secret[-4:] if len(secret) >= _SHORTEST_HINTED else ""


def clean_apify_token(token: str) -> ApifyToken:
    """Return a typed token. Raises InvalidInputError."""
    return ApifyToken(_clean_secret(token, "token"))


def clean_model_server(
    base_url: str, model: str, key: str, prompt_price: str, reply_price: str
) -> ModelServer:
    """Return a typed model server. Raises InvalidInputError."""
    return ModelServer(
        _clean_address(base_url),
        _clean_text(model, "the name of the model"),
        _clean_secret(key, "key"),
        _clean_price(prompt_price),
        _clean_price(reply_price),
    )


def clean_mail_server(
    host: str, port: int, sender: str, user: str, password: str, *, is_tls: bool
) -> MailServer:
    """Return a typed mail server. Raises InvalidInputError."""
    named = _clean_text(host, "the host of the mail server")
    if "/" in named or "@" in named or " " in named:
        raise InvalidInputError("Enter the mail server as a host name, such as mail.example.com.")
    if not 1 <= port <= 65_535:
        raise InvalidInputError("A port is a number from 1 to 65535.")
    reject_unsafe_host(named, port)
    from_whom = _clean_text(sender, "the sender")
    address = from_whom.rpartition("<")[2].removesuffix(">")
    try:
        normalize_email(address)
    except InvalidInputError:
        raise InvalidInputError(
            "Enter the sender as an email address, such as Amazcope <amazcope@example.com>."
        ) from None
    known = _clean_text(user, "the user") if user.strip() else None
    secret = _clean_secret(password, "password") if password and known else None
    return MailServer(named, port, from_whom, is_tls, known, secret)


def is_same_place(one: Values, other: Values) -> bool:
    """Return whether two values lead to the same server and user.

    Only then a stored secret may be kept: it must not be sent to another server than the one
    that it was entered for.
    """
    if isinstance(one, ModelServer) and isinstance(other, ModelServer):
        return urlsplit(one.base_url)[:2] == urlsplit(other.base_url)[:2]
    if isinstance(one, MailServer) and isinstance(other, MailServer):
        return (one.host, one.port, one.is_tls, one.user) == (
            other.host, other.port, other.is_tls, other.user,
        )  # fmt: skip
    return isinstance(one, ApifyToken) and isinstance(other, ApifyToken)


def _clean_text(value: str, what: str) -> str:
    text = value.strip()
    if not text:
        raise InvalidInputError(f"Enter {what}.")
    if len(text) > LONGEST_VALUE or not text.isprintable():
        raise InvalidInputError(f"Enter {what} in at most {LONGEST_VALUE} printable characters.")
    return text


def _clean_secret(value: str, what: str) -> str:
    secret = _clean_text(value, f"the {what}")
    if what != "password" and not (secret.isascii() and " " not in secret):
        raise InvalidInputError(f"A {what} has letters, digits and signs only, no spaces.")
    return secret


def _clean_address(value: str) -> str:
    address = _clean_text(value, "the base URL").rstrip("/")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise InvalidInputError("Enter the base URL as https://api.example.com/v1.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidInputError("Enter the base URL without user, password, ? and #.")
    reject_unsafe_host(host, port)
    return address


def _clean_price(value: str) -> str:
    try:
        price = Decimal(value.strip() or "0")
    except InvalidOperation:
        price = Decimal("NaN")
    if not (price.is_finite() and 0 <= price <= _LARGEST_PRICE):
        raise InvalidInputError("Enter prices in dollars per million tokens, such as 0.15.")
    return f"{price.normalize():f}"
