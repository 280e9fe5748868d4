"""When a listing counts as changed, and what is kept and found of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.catalog.listing import Listing
from core.catalog.listing_versions import (
    NewVersion,
    content_hash,
    current_listings,
    find_character_pairs,
    merge_listing,
    neighbouring_hashes,
    store_versions,
)
from tests.factories.observations import NOON
from tests.factories.products import add_product, make_listing
from tests.factories.tables import fetch_row, fetch_rows

HOUR = timedelta(hours=1)
FULL = make_listing(attributes={"Colour": "red"})
texts = st.text(max_size=12)
listings = st.builds(
    Listing,
    title=st.none() | texts,
    brand=st.none() | texts,
    bullets=st.lists(texts, max_size=3).map(tuple),
    description=st.none() | texts,
    category_path=st.lists(texts, max_size=3).map(tuple),
    images=st.lists(texts, max_size=3).map(tuple),
)


def version(product_id: int, listing: Listing, hours: int = 0, **how: bool) -> NewVersion:
    return NewVersion(product_id, listing, content_hash(listing), NOON + hours * HOUR, 1, **how)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"brand": None},
        {"bullets": ("Shines", "Bends")},
        {"description": "Two lamps."},
        {"category_path": ("Home",)},
        {"images": ()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_any_text_or_image_is_a_change(change: dict[str, object]) -> None:
    assert content_hash(replace(FULL, **change)) != content_hash(FULL)


def test_other_attributes_are_no_change() -> None:
    assert content_hash(replace(FULL, attributes={})) == content_hash(FULL)


def test_a_text_moved_to_another_part_is_a_change() -> None:
    assert content_hash(Listing(bullets=("A",))) != content_hash(Listing(images=("A",)))
    assert content_hash(Listing(bullets=("A", "B"))) != content_hash(Listing(bullets=("A",)))


@given(listings)
def test_a_listing_merged_with_itself_is_the_same(listing: Listing) -> None:
    assert content_hash(merge_listing(listing, listing)) == content_hash(listing)


@given(listings, listings)
def test_merging_never_loses_a_part_of_either_source(newer: Listing, known: Listing) -> None:
    both = merge_listing(newer, known)
    for name in ("title", "brand", "bullets", "description", "category_path", "images"):
        assert getattr(both, name) == (getattr(newer, name) or getattr(known, name))


def test_a_version_is_stored_with_all_its_text(session: Session) -> None:
    number = add_product(session)
    store_versions(session, [version(number, FULL)])
    assert current_listings(session, [number]) == {number: FULL}


def test_the_same_version_stored_twice_is_stored_once(session: Session) -> None:
    number = add_product(session)
    for _ in range(2):
        store_versions(session, [version(number, FULL)])
    assert fetch_row(session, "SELECT count(*) AS n FROM listing_version")["n"] == 1


def test_a_new_version_closes_the_one_before(session: Session) -> None:
    number = add_product(session)
    store_versions(session, [version(number, FULL)])
    store_versions(session, [version(number, make_listing("Other"), hours=3)])
    first = fetch_row(session, "SELECT * FROM listing_version ORDER BY first_seen_at LIMIT 1")
    assert first["last_seen_at"] == NOON + 3 * HOUR


def test_a_past_version_is_not_indexed_for_search(session: Session) -> None:
    number = add_product(session)
    store_versions(session, [version(number, FULL, hours=5)])
    store_versions(session, [version(number, make_listing("Past"), is_current=False)])
    assert fetch_row(session, "SELECT title FROM product_text")["title"] == FULL.title


def test_of_two_versions_in_a_batch_the_newer_is_indexed_for_search(session: Session) -> None:
    number = add_product(session)
    store_versions(session, [version(number, FULL), version(number, make_listing("New"), hours=1)])
    assert fetch_row(session, "SELECT title FROM product_text")["title"] == "New"
    assert len(fetch_rows(session, "SELECT * FROM listing_version")) == 2


def test_hashes_around_a_time_are_those_before_and_after_it(session: Session) -> None:
    number = add_product(session)
    two = [version(number, FULL), version(number, make_listing("New"), hours=2)]
    store_versions(session, two)
    at = NOON + HOUR
    assert neighbouring_hashes(session, [(number, at)]) == {
        (number, at): {each.content_hash for each in two}
    }
    assert neighbouring_hashes(session, []) == {}


def test_text_in_the_form_of_sql_or_markup_is_stored_as_text(session: Session) -> None:
    number = add_product(session)
    nasty = Listing(title="'; DROP TABLE product; --", bullets=("{a,b}", "NULL", '"\\', "<b>"))
    store_versions(session, [version(number, nasty)])
    assert current_listings(session, [number])[number] == nasty


def test_pairs_are_made_of_neighbours_in_scripts_without_spaces() -> None:
    assert find_character_pairs("卓上ライト LED") == sorted({"卓上", "上ラ", "ライ", "イト"})
    assert find_character_pairs("Lamp 灯 Lamp") == []
    assert find_character_pairs("") == []
