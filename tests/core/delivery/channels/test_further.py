"""What Apprise may call, and what is known when it fails. Its services are replaced by ours."""

import logging
from collections.abc import Iterator

import pytest
from apprise.plugins.pushover import NotifyPushover

from core.delivery.channels.further import SERVICES, FurtherAddress, _make_plugin, parse, send
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message, MessageItem, Urgency
from core.delivery.outcome import Attempt, Outcome
from tests.receiver import Receiver, running_receiver

ADDRESSES = {
    "gchat": "gchat://space/key/token",
    "ifttt": "ifttt://key1234@event",
    "line": f"line://{'t' * 40}/user",
    "pagerduty": f"pagerduty://{'a' * 32}@{'b' * 32}",
    "pbul": f"pbul://{'a' * 34}",
    "pover": f"pover://{'u' * 30}@{'a' * 30}",
    "prowl": f"prowl://{'a' * 40}",
    "signl4": "signl4://secretsecret",
    "wxteams": f"wxteams://{'a' * 80}",
}


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with running_receiver() as running:
        monkeypatch.setattr(NotifyPushover, "notify_url", f"{running.url}/1/messages.json")
        yield running


def push(text: str = "It changed", url: str = ADDRESSES["pover"]) -> Attempt:
    item = MessageItem(text, text, (("Before", "€1"),))
    message = Message("k", text, text, (item,) * 30, urgency=Urgency.CRITICAL)
    return send(parse({"url": url}, frozenset()), message, SendContext())


def test_every_service_is_read_and_follows_no_redirect() -> None:
    assert ADDRESSES.keys() == SERVICES.keys()
    for url in ADDRESSES.values():
        plugin = _make_plugin(parse({"url": url}, frozenset()).url)
        assert (plugin.redirects, len(plugin), plugin.verify_certificate) == (False, 1, True)
        assert sum(plugin.request_timeout) <= 5


def test_a_message_is_sent_by_one_request_within_the_services_limits(receiver: Receiver) -> None:
    receiver.give(200, '{"status": 1}')
    assert push("<b>𝄞 &" * 300).outcome is Outcome.SENT
    [request] = receiver.requests
    assert len(request.body) < 16_000


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(400, Outcome.REFUSED), (401, Outcome.REFUSED), (429, Outcome.LATER), (503, Outcome.LATER),
     (302, Outcome.REFUSED)],
)  # fmt: skip
def test_a_status_decides_whether_to_try_again(
    receiver: Receiver, status: int, outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.give(status, "sorry " + "a" * 30, Location="http://169.254.169.254/")
    with caplog.at_level(logging.DEBUG):
        attempt = push()
    assert (attempt.outcome, attempt.answer) == (outcome, f"Pushover answered {status}.")
    assert len(receiver.requests) == 1
    assert "a" * 30 not in caplog.text


@pytest.mark.parametrize("manner", ["reset", "close"])
def test_no_answer_is_unknown(receiver: Receiver, manner: str) -> None:
    receiver.manner = manner
    assert push().outcome is Outcome.UNKNOWN


def test_an_address_that_apprise_cannot_read_or_with_several_recipients_is_refused(
    receiver: Receiver,
) -> None:
    assert push(url="pover://abcd").outcome is Outcome.REFUSED
    assert push(url="ifttt://key1234@one/two").outcome is Outcome.REFUSED
    stored = FurtherAddress("json://127.0.0.1/x")
    assert send(stored, Message("k", "a", "b"), SendContext()).outcome is Outcome.REFUSED
    assert receiver.requests == []
