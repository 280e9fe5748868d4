"""Further services by Apprise: an allow-list of those whose hosts are fixed.

Apprise follows no redirect here, attaches nothing, reads no configuration, and sends to one
recipient. It is imported with the first message, since it takes 27 MB of memory.
"""

import logging
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from core.delivery.channels.fields import Field, hint_secret, read_field
from core.delivery.channels.plain_text import clean_line, write_body
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message, Urgency
from core.delivery.outcome import Attempt, Outcome
from core.errors import InvalidInputError

# Scheme → service. Each plugin has its host in its code and takes `redirect=no`.
SERVICES: Final[Mapping[str, str]] = {
    "gchat": "Google Chat",
    "ifttt": "IFTTT",
    "line": "LINE",
    "pagerduty": "PagerDuty",
    "pbul": "Pushbullet",
    "pover": "Pushover",
    "prowl": "Prowl",
    "signl4": "SIGNL4",
    "wxteams": "Webex",
}
LONGEST_TEXT: Final = 4000  # characters, where a service takes more
_LOG: Final = logging.getLogger("apprise")
_OPTIONS: Final = "format=text&overflow=upstream&image=no&verify=yes&cto=2&rto=3"
_ADDRESS: Final = re.compile(r"([a-z0-9]+)://([A-Za-z0-9@:/._~+=%-]{4,900})", re.ASCII)
_STATUS: Final = re.compile(r"error=([1-5]\d\d)\b")
_TYPES: Final = {
    Urgency.CRITICAL: "failure",
    Urgency.WARNING: "warning",
    Urgency.INFO: "info",
}

FIELDS = (
    Field(
        "url",
        "Apprise address",
        "For example pover://user@token. One recipient of "
        + ", ".join(f"{name} ({scheme})" for scheme, name in SERVICES.items())
        + ".",
        is_secret=True,
    ),
)


@dataclass(frozen=True, slots=True)
class FurtherAddress:
    """An address in Apprise's form, without options."""

    url: str = field(repr=False)


def parse(typed: Mapping[str, str], private_hosts: frozenset[str]) -> FurtherAddress:  # noqa: ARG001
    """Return a typed address of a service in the list. Raises InvalidInputError."""
    url = read_field(typed, "url", "the Apprise address")
    found = _ADDRESS.fullmatch(url)
    if found is None:
        raise InvalidInputError(
            "Enter one Apprise address such as pover://user@token, without options after “?”."
        )
    if found[1] not in SERVICES:
        raise InvalidInputError(f"Enter an address that begins with {_list_schemes()}.")
    return FurtherAddress(url)


def _list_schemes() -> str:
    *first, last = (f"{scheme}://" for scheme in SERVICES)
    return f"{', '.join(first)} or {last}"


def describe(address: FurtherAddress) -> str:
    """Return the service and the last characters of the address."""
    scheme, _, rest = address.url.partition("://")
    return f"{SERVICES.get(scheme, scheme)} …{hint_secret(rest)}"


def send(address: FurtherAddress, message: Message, context: SendContext) -> Attempt:  # noqa: ARG001
    """Send a message. Unknown where Apprise names no status: it hides timeouts."""
    scheme = address.url.partition("://")[0]
    service = SERVICES.get(scheme)
    plugin = _make_plugin(address.url) if service is not None else None
    if plugin is None or len(plugin) != 1:
        return Attempt(Outcome.REFUSED, "Apprise can't read the address, or it has several.")
    with _kept_lines() as lines:
        is_sent = plugin.notify(
            title=clean_line(message.subject, plugin.title_maxlen or 200),
            body=write_body(message, min(LONGEST_TEXT, plugin.body_maxlen - 250)),
            notify_type=_TYPES[message.urgency],
        )
    if is_sent:
        return Attempt(Outcome.SENT, f"{service} accepted it.")
    statuses = [int(found) for line in lines for found in _STATUS.findall(line)]
    if not statuses:
        return Attempt(Outcome.UNKNOWN, f"{service} did not answer.")
    is_later = statuses[-1] == 429 or statuses[-1] >= 500
    outcome = Outcome.LATER if is_later else Outcome.REFUSED
    return Attempt(outcome, f"{service} answered {statuses[-1]}.")


def _make_plugin(url: str) -> Any:
    """Return Apprise's sender for an address, None for one that it can't read."""
    import apprise  # only a process that sends to such a service carries it

    # They name tokens, also at DEBUG: nothing of them reaches the log.
    _LOG.propagate = False
    _LOG.setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
    asset = apprise.AppriseAsset(
        app_id="Amazcope",
        app_desc="Amazcope",
        http_redirects=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )
    try:
        return apprise.Apprise.instantiate(f"{url}?{_OPTIONS}", asset=asset)
    except (TypeError, ValueError):
        return None


@contextmanager
def _kept_lines() -> Iterator[list[str]]:
    """Collect the lines that Apprise logs in this thread."""
    lines: list[str] = []
    own = threading.get_ident()

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == own:
                lines.append(record.getMessage())

    collector = Collector(logging.WARNING)
    _LOG.addHandler(collector)
    try:
        yield lines
    finally:
        _LOG.removeHandler(collector)
