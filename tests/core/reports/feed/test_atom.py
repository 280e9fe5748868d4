"""A feed is valid Atom, whatever the titles in it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from core.reports.feed.atom import FeedEntry, write_feed

FEED = UUID("00000000-0000-4000-8000-000000000001")
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "]]></title><entry>\u202egnp.exe <b>&amp; \x00\x0b \ufffe \ud800 '\" \u2028 مصباح"
TEXTS = st.one_of(st.text(max_size=50), st.just(HOSTILE))


def make_entry(name: str, text: str, updated: datetime = NOON) -> FeedEntry:
    return FeedEntry(name, text, text, f"https://own.example/?a=1&b={name}", NOON, updated)


def read(body: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(body)


@given(st.lists(TEXTS, max_size=4))
def test_any_title_is_shown_as_text(texts: list[str]) -> None:
    entries = [make_entry(f"incident/{n}", text) for n, text in enumerate(texts)]
    feed = read(write_feed(FEED, "Amazcope", "https://own.example/", NOON, entries))
    found = feed.findall(f"{ATOM}entry")
    assert len(found) == len(texts)
    for entry in found:
        assert {child.tag.removeprefix(ATOM) for child in entry} == {
            "id", "title", "updated", "published", "link", "summary",
        }  # fmt: skip
        for child in entry:
            assert len(child) == 0
            assert not set(child.text or "") & set("\u202e\u202d\u2066\u2028\x7f")


def test_ids_are_stable_and_times_are_those_of_the_newest_entry() -> None:
    entries = [make_entry("incident/1", "a"), make_entry("incident/2", "b", NOON + timedelta(1))]
    body = write_feed(FEED, "Amazcope", "https://own.example/", NOON, entries)
    assert body == write_feed(FEED, "Amazcope", "https://own.example/", NOON, entries[::-1])
    feed = read(body)
    assert feed.findtext(f"{ATOM}id") == FEED.urn
    assert feed.findtext(f"{ATOM}updated") == "2026-03-11T12:00:00Z"
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")]
    assert len(set(ids)) == 2
    changed = [make_entry("incident/1", "another title", NOON + timedelta(2)), entries[1]]
    again = read(write_feed(FEED, "Amazcope", "https://own.example/", NOON, changed))
    assert {entry.findtext(f"{ATOM}id") for entry in again.findall(f"{ATOM}entry")} == set(ids)


def test_an_empty_feed_is_valid() -> None:
    feed = read(write_feed(FEED, "Amazcope", "https://own.example/", NOON, []))
    assert feed.findtext(f"{ATOM}updated") == "2026-03-10T12:00:00Z"
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Amazcope"
