"""Text from outside makes no links, mentions or formats in Discord."""

import re

from core.delivery.channels.discord import build_content, escape
from core.delivery.channels.registry import ChannelKind, parse_address, send_message
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message, MessageItem
from tests.receiver import running_receiver


def test_a_title_is_text_and_mentions_no_one() -> None:
    title = "Cup [click](https://evil.example) @everyone <@1> ||x|| `y` # z"
    content = build_content(Message("k", title, title, (MessageItem(title, title),)))
    assert content["allowed_mentions"] == {"parse": []}
    shown = content["embeds"][0]["title"]
    assert re.sub(r"\\(.)", r"\1", shown) == title
    assert not re.search(r"(?<!\\)[\[\]()@<>|`#:]", shown)


def test_discord_is_asked_to_answer_with_the_message() -> None:
    with running_receiver() as receiver:
        hosts = frozenset({"127.0.0.1"})
        typed = {"url": f"{receiver.url}/api/webhooks/1/token?wait=false"}
        address = parse_address(ChannelKind.DISCORD, typed, hosts)
        send_message(address, Message("k", "a", "b"), SendContext(private_hosts=hosts))
        assert receiver.requests[0].path == "/api/webhooks/1/token?wait=true"


def test_a_backslash_does_not_free_the_next_sign() -> None:
    assert escape("\\*a*") == "\\\\\\*a\\*"


def test_a_link_of_another_scheme_is_left_out() -> None:
    item = MessageItem("Cup", "a", (), "javascript:alert(1)")
    assert "javascript" not in str(build_content(Message("k", "s", "t", (item,))))
