"""What holds for every kind of change, and where a limit is the same on every way in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from core.errors import InvalidInputError
from core.suggestions.changes import registry
from core.suggestions.changes.add_images import MOST_IMAGES
from core.suggestions.changes.publication import Preview, PublishedChange
from core.suggestions.changes.set_coupon import LARGEST_COUPON
from core.suggestions.changes.spec import Editor, GivenValue
from core.suggestions.changes.tracking import TrackingChange
from core.suggestions.rules import Change, ListingFacts
from tests.core.suggestions.model_facts import lamp_facts

STORED: Mapping[Change, Mapping[str, Any]] = {
    Change.UPDATE_PRICE: {"price": 1890},
    Change.SET_COUPON: {"percent": 5},
    Change.UPDATE_TITLE: {"title": "A desk lamp of brass"},
    Change.UPDATE_BULLETS: {"bullets": ["Warm light", "Turns by a full circle"]},
    Change.UPDATE_DESCRIPTION: {"description": "Stands firmly."},
    Change.UPDATE_SEARCH_TERMS: {"search_terms": "reading light"},
    Change.ADD_IMAGES: {"count": 7},
    Change.UPDATE_BRAND: {"brand": "Lumora"},
    Change.UPDATE_CATEGORY: {"category_path": ["Home", "Lamps"]},
    Change.SET_PRICE_THRESHOLD: {"percent": "7.5"},
    Change.SET_RANK_THRESHOLD: {"percent": "60"},
    Change.SET_CADENCE: {"cadence": "hourly"},
    Change.ADD_COMPETITOR: {"marketplace": "US", "asin": "B0TEST0002"},
    Change.PAUSE_TRACKING: {},
}
every_kind = pytest.mark.parametrize("change", Change)
published = pytest.mark.parametrize("change", [each for each in Change if not each.is_setting])


@every_kind
def test_a_kind_has_its_specification_in_the_module_of_its_name(change: Change) -> None:
    spec = registry.get_spec(change)
    assert spec.change is change
    assert type(spec).__module__ == f"core.suggestions.changes.{change.value}"
    assert isinstance(spec, TrackingChange if change.is_setting else PublishedChange)


def test_labels_of_kinds_differ() -> None:
    assert len({spec.label for spec in registry.SPECS.values()}) == len(Change)


@every_kind
def test_values_are_stored_in_one_form(change: Change) -> None:
    spec = registry.get_spec(change)
    assert spec.validate(STORED[change]) == STORED[change]


@pytest.mark.parametrize("change", [each for each in Change if STORED[each]])
def test_a_missing_value_is_refused(change: Change) -> None:
    with pytest.raises(InvalidInputError):
        registry.get_spec(change).validate(dict.fromkeys(STORED[change]))


@every_kind
def test_an_edit_that_changes_nothing_keeps_the_values(change: Change) -> None:
    spec = registry.get_spec(change)
    text = spec.format_for_edit(STORED[change], "US")
    if spec.editor is Editor.NONE:
        with pytest.raises(InvalidInputError, match="nothing to edit"):
            spec.parse_edit(text, "US")
    else:
        assert spec.validate(spec.parse_edit(text, "US")) == STORED[change]


@every_kind
def test_what_changes_is_shown_with_text_on_the_new_side(change: Change) -> None:
    spec = registry.get_spec(change)
    parts = spec.changed_parts({}, STORED[change], "US")
    assert parts
    assert all(name and after for name, _, after in parts)


@published
def test_a_change_set_holds_the_field_and_the_value(change: Change) -> None:
    spec = registry.get_published_spec(change)
    assert spec.patch_path.startswith("/attributes/")
    assert spec.instruction
    assert spec.patch_value(STORED[change], "DE")
    cells = list(spec.cells({}, STORED[change], "DE"))
    assert cells
    assert all(field and before == "" and after for field, before, after in cells)
    assert spec.to_copy(STORED[change], "DE") not in ("", "none", "unknown")


@published
def test_undoing_what_was_not_there_leaves_none(change: Change) -> None:
    spec = registry.get_published_spec(change)
    before = spec.values_of_undo({}, STORED[change])
    assert spec.to_copy(before, "US") == "none"
    assert spec.patch_value(before, "US") == []


@published
def test_a_preview_changes_what_a_page_shows(change: Change) -> None:
    spec = registry.get_published_spec(change)
    before = Preview(ListingFacts(title="Lamp"), 1999, None)
    after = spec.preview(before, STORED[change])
    assert (after == before) is not spec.is_on_page
    assert replace(after, price=1999, coupon=None).listing.title is not None


def test_the_reviewed_setting_is_not_a_published_change() -> None:
    with pytest.raises(TypeError):
        registry.get_published_spec(Change.SET_CADENCE)
    with pytest.raises(TypeError):
        registry.get_tracking_spec(Change.UPDATE_PRICE)


@pytest.mark.parametrize("percent", [1, LARGEST_COUPON, LARGEST_COUPON + 1, 80])
def test_the_largest_coupon_is_the_same_on_every_way_in(percent: int) -> None:
    spec, facts = registry.get_spec(Change.SET_COUPON), lamp_facts()
    facts = replace(facts, caps=replace(facts.caps, step_percent=100.0, floor=None))
    given = spec.read_given(GivenValue(percent=float(percent)), facts)
    assert given is not None
    is_proposed = not list(spec.find_problems(given, facts))
    assert is_proposed is (percent <= LARGEST_COUPON)
    assert is_accepted(lambda: spec.validate({"percent": percent})) is is_proposed
    assert is_accepted(lambda: spec.parse_edit(f"{percent} %", "US")) is is_proposed


@pytest.mark.parametrize("count", [MOST_IMAGES, MOST_IMAGES + 1, 20])
def test_the_most_images_are_the_same_proposed_and_edited(count: int) -> None:
    spec, facts = registry.get_spec(Change.ADD_IMAGES), lamp_facts()
    is_proposed = not list(spec.find_problems({"count": count}, facts))
    assert is_proposed is (count <= MOST_IMAGES)
    assert is_accepted(lambda: spec.parse_edit(str(count), "US")) is is_proposed


def is_accepted(read: Any) -> bool:
    try:
        read()
    except InvalidInputError:
        return False
    return True
