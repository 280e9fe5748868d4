"""Which connection counts: what the environment sets, else what is stored, else none.

Never a mixture: a key of the environment is not sent to a server that an administrator entered.
Stored values are read at most `KEPT_SECONDS` late, so web, worker and MCP server use a change
without a restart.
"""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar, cast

from core.connections.stored_values import decrypt_values, read_sealed
from core.connections.values import ApifyToken, ConnectionName, MailServer, ModelServer, Values
from core.database.session import read_scope
from core.delivery.smtp import parse_smtp_url
from core.errors import ConfigurationError
from core.settings.environment import Settings

KEPT_SECONDS = 5.0
V = TypeVar("V", bound=Values)


class Origin(StrEnum):
    """Where the values of a connection are from."""

    ENVIRONMENT = "environment"
    STORED = "stored"
    NONE = "none"
    UNREADABLE = "unreadable"  # stored, and encrypted with another key


@dataclass(frozen=True, slots=True)
class Resolved(Generic[V]):
    """A connection's values with their origin. `missing`: why there are none, in a sentence."""

    origin: Origin
    values: V | None = None
    missing: str | None = None


def resolve_apify(settings: Settings) -> Resolved[ApifyToken]:
    """Return the Apify token to use."""
    return cast(Resolved[ApifyToken], resolve(ConnectionName.APIFY, settings))


def resolve_model(settings: Settings) -> Resolved[ModelServer]:
    """Return the model server to use. Prices of the environment are not in it."""
    return cast(Resolved[ModelServer], resolve(ConnectionName.MODEL, settings))


def resolve_mail(settings: Settings) -> Resolved[MailServer]:
    """Return the mail server to use. Raises ConfigurationError for an invalid setting."""
    return cast(Resolved[MailServer], resolve(ConnectionName.MAIL, settings))


def resolve(name: ConnectionName, settings: Settings) -> Resolved[Values]:
    """Return a connection's values by its name."""
    given = read_environment(name, settings)
    if given is not None:
        return Resolved(Origin.ENVIRONMENT, given)
    sealed = _cache.read(name)
    if sealed is None:
        return Resolved(Origin.NONE, missing=_describe_none(name, settings))
    try:
        return Resolved(Origin.STORED, decrypt_values(name, sealed, settings))
    except ConfigurationError as error:
        return Resolved(Origin.UNREADABLE, missing=str(error))


class _Cache:
    """The encrypted values as last read, by name. Secrets are decrypted when they are used."""

    def __init__(self) -> None:
        self._known: dict[ConnectionName, tuple[float, bytes | None]] = {}

    def read(self, name: ConnectionName) -> bytes | None:
        known = self._known.get(name)
        if known is None or time.monotonic() - known[0] > KEPT_SECONDS:
            before = time.monotonic()
            with read_scope() as session:
                known = self._known[name] = (before, read_sealed(session, name))
        return known[1]

    def clear(self) -> None:
        self._known.clear()


_cache = _Cache()


def clear_cache() -> None:
    """Have the next call read what is stored; call it after the commit of a change."""
    _cache.clear()


# The environment

_SETTINGS = {
    ConnectionName.APIFY: ("APIFY_TOKEN",),
    ConnectionName.MODEL: ("OPENAI_BASE_URL", "OPENAI_API_KEY", "AMAZCOPE_MODEL"),
    ConnectionName.MAIL: ("AMAZCOPE_SMTP_URL",),
}
_NONE = {
    ConnectionName.APIFY: "Apify isn't connected: nothing is checked on Amazon.",
    ConnectionName.MODEL: "No model is connected.",
    ConnectionName.MAIL: "No mail server is connected: no emails are sent.",
}


def list_settings(name: ConnectionName) -> tuple[str, ...]:
    """Return the settings of the environment that make up a connection."""
    return _SETTINGS[name]


def list_missing_settings(name: ConnectionName, settings: Settings) -> list[str]:
    """Return those of a connection's settings that the environment leaves out."""
    return [each for each in _SETTINGS[name] if getattr(settings, each.lower()) is None]


def read_environment(name: ConnectionName, settings: Settings) -> Values | None:
    """Return the values that the environment sets, None unless it sets all.

    Raises ConfigurationError for an address of a mail server that can't be read.
    """
    if name is ConnectionName.APIFY and settings.apify_token is not None:
        return ApifyToken(settings.apify_token.get_secret_value())
    if name is ConnectionName.MAIL and settings.amazcope_smtp_url is not None:
        server = parse_smtp_url(settings.amazcope_smtp_url.get_secret_value())
        place = server.host, server.port, settings.amazcope_mail_from, server.is_tls
        return MailServer(*place, server.user, server.password)
    address, key, model = (
        settings.openai_base_url, settings.openai_api_key, settings.amazcope_model,
    )  # fmt: skip
    if name is ConnectionName.MODEL and address and key is not None and model:
        return ModelServer(address, model, key.get_secret_value())
    return None


def _describe_none(name: ConnectionName, settings: Settings) -> str:
    """Return that nothing is connected and how to change it."""
    missing = list_missing_settings(name, settings)
    if len(missing) < len(_SETTINGS[name]):
        verb = "is" if len(missing) == 1 else "are"
        return f"{_NONE[name]} {', '.join(missing)} {verb} not set in the environment."
    return (
        f"{_NONE[name]} An administrator connects it at Connections, or the operator sets "
        f"{' and '.join(filter(None, (', '.join(missing[:-1]), missing[-1])))}."
    )
