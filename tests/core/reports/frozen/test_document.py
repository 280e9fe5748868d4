"""A frozen file stays what it is, whatever the texts in it."""

import json
import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.reports.frozen.document import (
    escape_json,
    make_heading,
    make_list,
    make_paragraph,
    make_table,
    write_document,
)

HOSTILE = (
    "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)> \u2028\u2029 ]]> "
    "\u202egnp.exe\u202c &amp; \"'` \x00\x1b[31m \ud800 https://evil.example مصباح"
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from([HOSTILE, "</script", "<!--", "--!>", "<script>", "]]>", "\u2028", "&lt;"]),
)
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


class Reader(HTMLParser):
    """Notes each element with its attributes, and the text in the block of data."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.data, self.comments = "", 0
        self._is_in_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._is_in_data = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._is_in_data = False

    def handle_data(self, data: str) -> None:
        if self._is_in_data:
            self.data += data

    def handle_comment(self, data: str) -> None:
        self.comments += 1


def read(body: bytes) -> Reader:
    reader = Reader()
    reader.feed(body.decode())
    reader.close()
    return reader


def write(text: str, data: Any) -> bytes:
    parts = [
        make_heading(text),
        make_paragraph(text),
        make_list([text]),
        make_table(text, (text, text), [(text, text)]),
    ]
    return write_document(text, [text], parts, data)


USUAL = [tag for tag, _ in read(write("a", {})).elements]


@given(TEXTS, JSON)
def test_no_text_becomes_an_element_an_attribute_or_a_script(text: str, data: Any) -> None:
    body = write(text, data)
    reader = read(body)
    assert [tag for tag, _ in reader.elements] == USUAL
    assert reader.comments == 0
    assert json.loads(reader.data) == json.loads(json.dumps(data))
    for _, attributes in reader.elements:
        assert not {"src", "href", "style", "onerror", "onload"} & attributes.keys()
    assert b"\x00" not in body
    assert not re.search("[\u2028\u2029\u202a-\u202e\u2066-\u2069]", body.decode())


@given(JSON)
def test_json_in_the_file_is_ascii_without_what_ends_its_block(data: Any) -> None:
    written = escape_json(data)
    assert written.isascii()
    assert not set("<>&") & set(written)
    assert json.loads(written) == json.loads(json.dumps(data))


def test_the_policy_allows_its_own_style_alone() -> None:
    reader = read(write(HOSTILE, {}))
    policies = [
        attributes["content"]
        for tag, attributes in reader.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    assert str(policies[0]).startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in str(policies[0])
    scripts = [attributes for tag, attributes in reader.elements if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}]
