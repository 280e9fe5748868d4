"""Each service that Apprise sends to: the request it gets, and how its answers are read.

The plugins are the real ones. Only the connection goes to a server of the tests instead.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from core.delivery.channels.further import SERVICES, parse, send
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message, MessageItem, MessagePicture, Urgency
from core.delivery.outcome import Attempt, Outcome
from tests.receiver import Receiver, Request, running_receiver


@dataclass(frozen=True)
class Service:
    """A service: an address of it, the secrets in that, and where the request goes."""

    address: str
    secrets: tuple[str, ...]
    host: str
    path: str
    accepted: tuple[int, str] = (200, "{}")


SERVED = {
    "gchat": Service(
        "gchat://space/roomkey4711/tokenabc0815",
        ("roomkey4711", "tokenabc0815"),
        "chat.googleapis.com",
        "/v1/spaces/space/messages",
    ),
    "ifttt": Service(
        "ifttt://keyabcd4711@event",
        ("keyabcd4711",),
        "maker.ifttt.com",
        "/trigger/event/with/key/keyabcd4711",
    ),
    "line": Service(
        f"line://{'t' * 40}/someone", ("t" * 40,), "api.line.me", "/v2/bot/message/push"
    ),
    "pagerduty": Service(
        f"pagerduty://{'a' * 32}@{'b' * 32}",
        ("a" * 32, "b" * 32),
        "events.pagerduty.com",
        "/v2/enqueue",
        (202, '{"status": "success"}'),
    ),
    "pbul": Service(f"pbul://{'a' * 34}", ("a" * 34,), "api.pushbullet.com", "/v2/pushes"),
    "pover": Service(
        f"pover://{'u' * 30}@{'a' * 30}",
        ("u" * 30, "a" * 30),
        "api.pushover.net",
        "/1/messages.json",
        (200, '{"status": 1}'),
    ),
    "prowl": Service(f"prowl://{'a' * 40}", ("a" * 40,), "api.prowlapp.com", "/publicapi/add"),
    "signl4": Service(
        "signl4://teamsecret4711", ("teamsecret4711",), "connect.signl4.com",
        "/webhook/teamsecret4711/",
    ),
    "wxteams": Service(
        f"wxteams://{'a' * 80}",
        ("a" * 80,),
        "api.ciscospark.com",
        f"/v1/webhooks/incoming//{'a' * 80}",
    ),
}  # fmt: skip
every_service = pytest.mark.parametrize("scheme", sorted(SERVED))


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A server that gets what is for any host; `Host` says for which."""
    direct = HTTPAdapter.send

    def to_receiver(
        adapter: HTTPAdapter, request: PreparedRequest, *args: Any, **named: Any
    ) -> Response:
        parts = urlsplit(str(request.url))
        assert parts.scheme == "https"
        assert named["verify"]  # True, or the certificates that the environment names
        connect, read = named["timeout"]
        assert connect + read <= 5
        request.headers["Host"] = parts.netloc
        request.url = running.url + parts._replace(scheme="", netloc="").geturl()
        # A hanging server is left soon; the real time was checked.
        return direct(adapter, request, *args, **named | {"timeout": (connect, 0.5)})

    with running_receiver() as running:
        monkeypatch.setattr(HTTPAdapter, "send", to_receiver)
        yield running


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """All that the process's log gets. Not `caplog`, which also reads what is kept from it."""
    written = StringIO()
    handler, root = logging.StreamHandler(written), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.setLevel(level)
    root.removeHandler(handler)


def push(scheme: str) -> Attempt:
    message = Message(
        "k",
        "Out of stock: Lamp & shade",
        "One alert of amazon.de",
        (MessageItem("Lamp", "No offer since 9 March", picture=MessagePicture("aGk=", "a line")),),
        urgency=Urgency.CRITICAL,
    )
    return send(parse({"url": SERVED[scheme].address}, frozenset()), message, SendContext())


def list_texts(request: Request) -> str:
    """Return all texts of a JSON object or of a form."""
    written = request.body.decode()
    if "json" in request.headers["content-type"]:
        return "\n".join(_list_texts(json.loads(written)))
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    return "\n".join(text for texts in parse_qs(written).values() for text in texts)


def _list_texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _list_texts(each)
    elif isinstance(value, str):
        yield value


def test_every_service_is_tested() -> None:
    assert SERVED.keys() == SERVICES.keys()


@every_service
def test_a_service_gets_title_and_text_in_one_request(scheme: str, receiver: Receiver) -> None:
    service = SERVED[scheme]
    receiver.give(*service.accepted)
    assert push(scheme) == Attempt(Outcome.SENT, f"{SERVICES[scheme]} accepted it.")
    [request] = receiver.requests
    assert request.method == "POST"
    assert request.headers["host"] == service.host
    assert urlsplit(request.path).path == service.path
    texts = list_texts(request)
    for words in ("Out of stock: Lamp & shade", "One alert of amazon.de", "No offer since 9 March"):
        assert words in texts
    assert "aGk=" not in request.body.decode()  # no picture, in no form


@every_service
@pytest.mark.parametrize(
    ("status", "outcome"),
    [(302, Outcome.REFUSED), (400, Outcome.REFUSED), (429, Outcome.LATER), (500, Outcome.LATER)],
)
def test_a_refusal_is_read_by_its_status_and_names_no_secret(
    scheme: str,
    status: int,
    outcome: Outcome,
    receiver: Receiver,
    logged: StringIO,
) -> None:
    secrets = SERVED[scheme].secrets
    receiver.give(status, f"sorry {secrets}", Location="http://169.254.169.254/")
    attempt = push(scheme)
    assert attempt == Attempt(outcome, f"{SERVICES[scheme]} answered {status}.")
    assert len(receiver.requests) == 1
    assert not any(secret in logged.getvalue() for secret in secrets)


@every_service
@pytest.mark.parametrize("manner", ["hang", "reset", "close"])
def test_a_service_that_does_not_answer_may_have_the_message(
    scheme: str, manner: str, receiver: Receiver, logged: StringIO
) -> None:
    receiver.manner = manner
    attempt = push(scheme)
    assert attempt == Attempt(Outcome.UNKNOWN, f"{SERVICES[scheme]} did not answer.")
    assert len(receiver.requests) == 1
    assert not any(secret in logged.getvalue() for secret in SERVED[scheme].secrets)
