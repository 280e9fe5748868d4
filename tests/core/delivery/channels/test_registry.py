"""Addresses of all kinds: entered, stored, described; and how attempts end, the same for all."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.delivery.channels.registry import (
    FIELDS,
    Address,
    ChannelKind,
    describe_address,
    dump_address,
    find_signing_secret,
    honours_key,
    load_address,
    parse_address,
    send_message,
)
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message, MessageItem, Urgency
from core.delivery.outcome import Attempt, Outcome
from core.delivery.smtp import parse_smtp_url
from core.errors import ConfigurationError, InvalidInputError
from core.runtime.guarded_http import Reach
from tests.mailbox import Mailbox
from tests.receiver import Receiver, running_receiver

ROOT = Path(__file__).resolve().parents[4]
HOSTS = frozenset({"127.0.0.1"})
CONTEXT = SendContext(private_hosts=HOSTS)
SECRET = "Zq8secretPart7Lw4"
HTTP_KINDS = ["webhook", "slack", "discord", "telegram", "ntfy"]
# What each provider answers to a message that it took.
TAKEN = {
    "webhook": (204, ""),
    "slack": (200, "ok"),
    "discord": (200, '{"id": "1186000000000000001"}'),
    "telegram": (200, '{"ok": true, "result": {"message_id": 77}}'),
    "ntfy": (200, '{"id": "hwQ2YpKdmg", "event": "message"}'),
}
IDS = {"discord": "1186000000000000001", "telegram": "77", "ntfy": "hwQ2YpKdmg"}
HOSTILE = "Cup & <b>x</b>\r\nBcc: a@b.example [y](http://evil.example) @everyone <!channel> *_`~|"
MESSAGE = Message(
    key="incident:7:anna:1",
    subject="Lost Buy Box",
    summary="1 alert",
    items=(MessageItem("Cup", "Lost to Other", (("Before", "€24.90"),), "https://a.example/p"),),
    link="https://a.example/alerts",
    urgency=Urgency.CRITICAL,
    footer="You receive this for your own products.",
    data={"price": "24.90"},
)


def build_message(count: int, text: str = "It changed.") -> Message:
    items = tuple(
        MessageItem(text, text, ((text, text),) * 12, "https://a.b/p") for _ in range(count)
    )
    return Message("digest:1", text, text, items, "https://a.b/", footer=text)


def make_address(kind: str, url: str) -> Address:
    typed = {
        "webhook": {"url": f"{url}/hooks/{SECRET}"},
        "slack": {"url": f"{url}/services/T1/B2/{SECRET}"},
        "discord": {"url": f"{url}/api/webhooks/11/{SECRET}"},
        "telegram": {"token": f"123456:{SECRET}", "chat": "-100123", "server": url},
        "ntfy": {"server": url, "topic": SECRET, "token": f"tk_{SECRET}"},
        "further": {"url": f"pover://{'u' * 30}@{SECRET}"},
        "email": {"to": "anna@team.example"},
    }[kind]
    return parse_address(ChannelKind(kind), typed, HOSTS)


@pytest.fixture(scope="module")
def served() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def receiver(served: Receiver) -> Receiver:
    served.requests.clear()
    return served


def send(kind: str, receiver: Receiver, message: Message = MESSAGE) -> Attempt:
    return send_message(make_address(kind, receiver.url), message, CONTEXT)


# Addresses


@pytest.mark.parametrize("kind", [kind.value for kind in ChannelKind])
def test_an_address_is_stored_and_described_without_its_secret(kind: str) -> None:
    address = make_address(kind, "http://127.0.0.1:8080")
    assert load_address(ChannelKind(kind), dump_address(address)) == address
    assert SECRET not in f"{address!r} {describe_address(address)}"
    assert {field.name for field in FIELDS[ChannelKind(kind)]} >= set(
        json.loads(dump_address(address))
    ) - {"to"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 1, "other": 2}', "null"])
def test_an_address_of_another_version_is_entered_again(text: str) -> None:
    with pytest.raises(ConfigurationError, match="Enter it again"):
        load_address(ChannelKind.SLACK, text)


def test_hints_show_the_host_and_the_end() -> None:
    slack = {"url": "https://hooks.slack.com/services/T000/B000/abcdefghijklx9Q2"}
    assert describe_address(parse_address(ChannelKind.SLACK, slack)) == "hooks.slack.com…/x9Q2"
    ntfy = parse_address(ChannelKind.NTFY, {"topic": "short"})
    assert describe_address(ntfy) == "ntfy.sh…/"
    assert describe_address(make_address("further", "")) == f"Pushover …{SECRET[-4:]}"


WRONG: list[tuple[str, dict[str, str], str]] = [
    ("webhook", {}, "Enter the address"),
    ("webhook", {"url": "example.com/hook"}, "as https://example.com/hook"),
    ("webhook", {"url": "http://example.com/hook"}, "with https"),
    ("webhook", {"url": "https://user:pass@example.com/"}, "without user"),
    ("webhook", {"url": "https://user@example.com/"}, "without user"),
    ("webhook", {"url": "https://example.com/#a"}, "without user"),
    ("webhook", {"url": "https://10.0.0.7/hook"}, "not on the internet"),
    ("webhook", {"url": "https://[::ffff:169.254.169.254]/"}, "not on the internet"),
    ("webhook", {"url": "https://example.com/a b"}, "as https://example.com/hook"),
    ("webhook", {"url": "https://bücher.example/"}, "ASCII"),
    ("webhook", {"url": "https://e.example/" + "x" * 1000}, "at most 1000"),
    ("webhook", {"url": "https://e.example/", "secret": "abc"}, "whsec_"),
    ("webhook", {"url": "https://e.example/", "secret": "whsec_YWJj"}, "24 to 64"),
    ("webhook", {"url": "https://e.example/", "secret": "whsec_!" + "YWJj" * 9}, "base64"),
    ("slack", {"url": "https://hooks.slack.com.evil.example/services/x"}, "Slack's webhook"),
    ("slack", {"url": "https://evil.example/services/T/B/x"}, "Slack's webhook"),
    ("discord", {"url": "https://discord.example/api/webhooks/1/x"}, "Discord's webhook"),
    ("discord", {"url": "https://discord.com/channels/1"}, "Discord's webhook"),
    ("telegram", {"token": "123456:" + SECRET}, "Enter the chat id"),
    ("telegram", {"token": "123456/../x:" + SECRET, "chat": "1"}, "@BotFather"),
    ("telegram", {"token": "123456:" + SECRET, "chat": "my chat"}, "as a number"),
    ("telegram", {"token": "123456:" + SECRET, "chat": "1", "server": "http://t.example"}, "https"),
    ("ntfy", {"topic": "a/b"}, "A topic has"),
    ("ntfy", {"topic": "t", "server": "https://ntfy.sh/topic"}, "without the topic"),
    ("ntfy", {"topic": "t", "token": "a b"}, "no spaces"),
    ("further", {"url": "json://localhost/x"}, "begins with gchat://"),
    ("further", {"url": "file:///etc/passwd"}, "begins with"),
    ("further", {"url": "pover://user@token?redirect=yes"}, "without options"),
    ("further", {"url": "pover://user@token, json://localhost/"}, "one Apprise address"),
    ("further", {"url": "config://example.com/x"}, "begins with"),
    ("email", {}, "no email address"),
    ("email", {"to": "a@b.example\r\nBcc: c@d.example"}, "no email address"),
]


@pytest.mark.parametrize(("kind", "typed", "words"), WRONG)
def test_the_error_of_a_wrong_address_names_what_to_enter(
    kind: str, typed: dict[str, str], words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        parse_address(ChannelKind(kind), typed)


def test_a_listed_host_of_ones_own_may_be_private_and_unencrypted() -> None:
    hosts = frozenset({"ntfy.lan", "10.0.0.7"})
    for server in ("http://ntfy.lan:8080", "http://NTFY.LAN", "http://10.0.0.7"):
        assert parse_address(ChannelKind.NTFY, {"server": server, "topic": "t"}, hosts)
    with pytest.raises(InvalidInputError, match="not on the internet"):
        parse_address(
            ChannelKind.WEBHOOK, {"url": "http://169.254.169.254/"}, hosts | {"169.254.169.254"}
        )


# Attempts


@pytest.mark.parametrize("kind", HTTP_KINDS)
def test_a_taken_message_is_sent_once_with_the_id_that_the_provider_gives(
    receiver: Receiver, kind: str
) -> None:
    receiver.give(*TAKEN[kind])
    attempt = send(kind, receiver)
    assert (attempt.outcome, attempt.provider_id) == (Outcome.SENT, IDS.get(kind))
    assert len(receiver.requests) == 1
    assert "€24.90" in receiver.requests[0].body.decode().replace("\\u20ac", "€")


ANSWERS: list[tuple[int, dict[str, str], Outcome, int | None]] = [
    (301, {"Location": "https://elsewhere.example/"}, Outcome.REFUSED, None),
    (307, {"Location": "http://169.254.169.254/latest/"}, Outcome.REFUSED, None),
    (400, {}, Outcome.REFUSED, None),
    (404, {}, Outcome.REFUSED, None),
    (410, {}, Outcome.REFUSED, None),
    (429, {"Retry_After": "7"}, Outcome.LATER, 7),
    (429, {}, Outcome.LATER, None),
    (500, {}, Outcome.LATER, None),
    (503, {"Retry_After": "120"}, Outcome.LATER, 120),
]


@pytest.mark.parametrize("kind", HTTP_KINDS)
def test_a_status_decides_whether_to_try_again(receiver: Receiver, kind: str) -> None:
    for status, headers, outcome, seconds in ANSWERS:
        receiver.give(status, "sorry", **headers)
        attempt = send(kind, receiver)
        pause = None if seconds is None else timedelta(seconds=seconds)
        assert (attempt.outcome, attempt.pause) == (outcome, pause), status
        assert attempt.answer.startswith(str(status))
    receiver.give(302, "")
    assert "isn't followed" in send(kind, receiver).answer


@pytest.mark.parametrize("kind", HTTP_KINDS)
def test_a_lost_answer_is_unknown_and_a_closed_port_is_not_sent(
    receiver: Receiver, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SendContext, "reach", Reach(HOSTS, seconds=0.5))
    for manner in ("reset", "hang"):
        receiver.manner = manner
        attempt = send(kind, receiver)
        assert attempt.outcome is Outcome.UNKNOWN
        assert SECRET not in attempt.answer
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        gone = make_address(kind, f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert send_message(gone, MESSAGE, CONTEXT).outcome is Outcome.LATER


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("webhook", Outcome.SENT), ("slack", Outcome.UNKNOWN), ("discord", Outcome.SENT),
     ("telegram", Outcome.UNKNOWN), ("ntfy", Outcome.SENT)],
)  # fmt: skip
def test_nonsense_with_200_counts_where_the_status_is_the_answer(
    receiver: Receiver, kind: str, outcome: Outcome
) -> None:
    for body in ("<html>Welcome</html>", "[" * 3000, '{"ok": "true", "id": 7}', "\x00\x1b[31m"):
        receiver.give(200, body)
        attempt = send(kind, receiver)
        assert (attempt.outcome, attempt.provider_id) == (outcome, None)
        assert attempt.answer.isprintable()


@pytest.mark.parametrize("kind", HTTP_KINDS)
def test_answers_are_short_and_without_secrets(receiver: Receiver, kind: str) -> None:
    for status in (200, 400, 500):
        path = f"/services/T1/B2/{SECRET} https:\\/\\/x\\/hooks\\/{SECRET} bot123456:{SECRET}"
        receiver.give(status, f"{path.upper()} {path} \x07 tk_{SECRET}" + "y" * 5000)
        answer = send(kind, receiver).answer
        assert SECRET.lower() not in answer.lower()
        assert len(answer) <= 500
        assert answer.isprintable()


@pytest.mark.parametrize("kind", HTTP_KINDS)
def test_a_host_that_is_no_longer_listed_is_refused(receiver: Receiver, kind: str) -> None:
    address = make_address(kind, receiver.url)
    assert send_message(address, MESSAGE, SendContext()).outcome is Outcome.REFUSED
    assert receiver.requests == []


# Services


def test_only_receivers_of_webhooks_recognise_a_repeated_message() -> None:
    assert [kind.value for kind in ChannelKind if honours_key(kind)] == ["webhook"]


def test_a_signing_secret_is_of_webhooks_only() -> None:
    assert (find_signing_secret(make_address("webhook", "https://a.example")) or "")[:6] == "whsec_"
    assert find_signing_secret(make_address("ntfy", "https://a.example")) is None


@pytest.mark.parametrize("kind", ["slack", "discord", "telegram", "ntfy"])
def test_large_messages_keep_the_limits_of_each_service(receiver: Receiver, kind: str) -> None:
    for text in ("𝄞" * 900, HOSTILE * 30, "a"):
        receiver.give(*TAKEN[kind])
        assert send(kind, receiver, build_message(60, text)).outcome is Outcome.SENT
        check = {"slack": check_slack, "discord": check_discord}.get(kind)
        content = receiver.requests[-1].content
        if check:
            check(content)
        else:
            limit, found = (
                (4096, content.get("text"))
                if kind == "telegram"
                else (4096, content.get("message"))
            )
            encoded = found.encode("utf-16-le") if kind == "telegram" else found.encode()
            assert len(encoded) // (2 if kind == "telegram" else 1) <= limit
            assert "more." in found or "…" in found


def check_slack(content: dict[str, Any]) -> None:
    assert len(content["blocks"]) <= 50
    assert all(len(block["text"]["text"]) <= 3000 for block in content["blocks"])
    assert len(content["blocks"][0]["text"]["text"]) <= 150
    assert len(content["text"]) <= 3000
    assert any("20 more." in block["text"]["text"] for block in content["blocks"])
    for block in content["blocks"][1:]:
        without_links = (
            block["text"]["text"].replace("<https://a.b/p|", "").replace("<https://a.b/|", "")
        )
        assert "<" not in without_links


def check_discord(content: dict[str, Any]) -> None:
    embeds = content["embeds"]
    assert len(content["content"]) <= 2000
    assert 1 <= len(embeds) <= 10
    assert all(len(embed["title"]) <= 256 and len(embed["description"]) <= 4096 for embed in embeds)
    assert sum(len(embed["title"]) + len(embed["description"]) for embed in embeds) <= 6000
    assert f"{60 - len(embeds)} more." in content["content"].replace("\\", "")
    assert content["allowed_mentions"] == {"parse": []}


def test_no_process_carries_apprise_before_it_sends_by_it() -> None:
    code = "import sys; import core.delivery.channels.registry; assert 'apprise' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=200)


ODD = ["\ud800 half", "\x00\x1b[0m", "a\r\n.\r\nb", "‮gnirts", "💥" * 5000, "", " "]


@pytest.mark.parametrize("kind", [*HTTP_KINDS, "email"])
def test_no_text_makes_sending_fail(receiver: Receiver, mailbox: Mailbox, kind: str) -> None:
    context = SendContext(parse_smtp_url(mailbox.url), "Amazcope <a@team.example>", HOSTS)
    if kind != "email":
        receiver.give(*TAKEN[kind])
    for text in ODD:
        item = MessageItem(text, text, ((text, text),), text)
        message = Message(f"k{text[:1]}", text, text, (item,), text, footer=text, unsubscribe=text)
        attempt = send_message(make_address(kind, receiver.url), message, context)
        assert attempt.outcome is Outcome.SENT
