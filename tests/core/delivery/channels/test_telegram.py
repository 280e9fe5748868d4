"""Telegram's own errors, which hold more than the status."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.delivery.channels.answers import read_pause
from core.delivery.channels.registry import ChannelKind, parse_address, send_message
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message
from core.delivery.outcome import Attempt, Outcome
from tests.receiver import Receiver, running_receiver

DAY = 86_400  # s
TOKEN = "123456:AAabcdefghijklmnop"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def send(receiver: Receiver) -> Attempt:
    hosts = frozenset({"127.0.0.1"})
    typed = {"token": TOKEN, "chat": "@team", "server": receiver.url}
    address = parse_address(ChannelKind.TELEGRAM, typed, hosts)
    return send_message(address, Message("k", "<b>A</b>", "B_c*"), SendContext(private_hosts=hosts))


@pytest.mark.parametrize(
    ("status", "body", "outcome", "seconds"),
    [
        (400, '{"ok":false,"error_code":400,"description":"no chat"}', Outcome.REFUSED, None),
        (403, '{"ok":false,"error_code":403,"description":"blocked"}', Outcome.REFUSED, None),
        (200, '{"ok":false,"error_code":403,"description":"blocked"}', Outcome.REFUSED, None),
        (429, '{"ok":false,"error_code":429,"parameters":{"retry_after":31}}', Outcome.LATER, 31),
        (200, '{"ok":false,"error_code":429,"parameters":{"retry_after":31}}', Outcome.LATER, 31),
        (429, '{"ok":false,"error_code":429,"parameters":{"retry_after":-1}}', Outcome.LATER, None),
        (429, '{"ok":false,"error_code":429,"parameters":{"retry_after":1e9}}', Outcome.LATER, DAY),
        (502, '{"ok":false,"error_code":502,"description":"Bad Gateway"}', Outcome.LATER, None),
    ],
)  # fmt: skip
def test_an_error_decides_and_gives_the_pause(
    receiver: Receiver, status: int, body: str, outcome: Outcome, seconds: int | None
) -> None:
    receiver.give(status, body)
    attempt = send(receiver)
    pause = None if seconds is None else timedelta(seconds=seconds)
    assert (attempt.outcome, attempt.pause) == (outcome, pause)


def test_a_message_is_plain_text_for_the_chat(receiver: Receiver) -> None:
    receiver.requests.clear()
    receiver.give(200, '{"ok": true, "result": {"message_id": 5}}')
    assert send(receiver).provider_id == "5"
    [request] = receiver.requests
    assert request.path == f"/bot{TOKEN}/sendMessage"
    assert (request.content["chat_id"], request.content["text"]) == ("@team", "<b>A</b>\n\nB_c*")
    assert "parse_mode" not in request.content


def test_a_pause_of_any_size_is_at_most_a_day() -> None:
    for seconds in (10**400, 1e300, float("inf"), 86_401):
        assert read_pause(seconds) == timedelta(days=1)
    for nonsense in (float("nan"), -1, True, "5", None):
        assert read_pause(nonsense) is None
