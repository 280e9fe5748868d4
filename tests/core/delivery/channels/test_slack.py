"""Text from outside makes no links, mentions or entities in Slack."""

from core.delivery.channels.slack import build_content
from core.delivery.message import Message, MessageItem


def test_a_title_is_text() -> None:
    title = "Cup <!channel> <https://evil.example|click> &amp; *bold*\nnew line"
    item = MessageItem(title, "a", (("b", "c"),), 'https://a.b/?x=1&y="|<2>')
    content = build_content(Message("k", title, title, (item,)))
    text = content["blocks"][2]["text"]["text"]
    assert "&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp;amp;" in text
    assert text.endswith('<https://a.b/?x=1&amp;y="%7C%3C2%3E|Open>')
    assert content["text"].count("<") == 1
    assert content["blocks"][0]["text"]["type"] == "plain_text"


def test_a_link_of_another_scheme_is_left_out() -> None:
    item = MessageItem("Cup", "a", (), "javascript:alert(1)")
    assert "javascript" not in str(build_content(Message("k", "s", "t", (item,))))
