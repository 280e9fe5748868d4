"""The listing as it would be after a suggestion."""

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.suggestions.review.listing_preview import Preview, preview_changes, read_current_preview
from core.suggestions.rules import Change, ListingFacts
from tests.factories.products import KETTLE, add_product
from tests.factories.suggestions import PRICE, TITLE, own_lamp


def test_a_preview_begins_with_what_was_seen_last(session: Session, principal: Principal):
    before = read_current_preview(session, own_lamp(session, principal))
    assert (before.listing.title, before.price) == (TITLE, PRICE)
    assert before.listing.bullets == ("Bends", "Shines")


def test_of_a_product_that_was_never_seen_nothing_is_known(session: Session):
    assert read_current_preview(session, add_product(session, KETTLE)) == Preview(
        ListingFacts(), None, None
    )


def test_each_change_shows_where_a_buyer_would_see_it():
    before = Preview(ListingFacts("Old", "Lumo", ("a",), "Text", ("Home",), 3), 2000, None)
    after = preview_changes(
        before,
        [
            (Change.UPDATE_TITLE, {"title": "New"}),
            (Change.UPDATE_BRAND, {"brand": "LUMO"}),
            (Change.UPDATE_BULLETS, {"bullets": ["b", "c"]}),
            (Change.UPDATE_DESCRIPTION, {"description": "More"}),
            (Change.UPDATE_CATEGORY, {"category_path": ["Home", "Lamps"]}),
            (Change.ADD_IMAGES, {"count": 6}),
            (Change.UPDATE_PRICE, {"price": 1900}),
            (Change.SET_COUPON, {"percent": 5}),
        ],
    )
    listing = ListingFacts("New", "LUMO", ("b", "c"), "More", ("Home", "Lamps"), 6)
    assert after == Preview(listing, 1900, {"percent": 5})


def test_what_no_buyer_sees_changes_nothing():
    before = Preview(ListingFacts("Old"), 2000, None)
    unseen = [
        (Change.UPDATE_SEARCH_TERMS, {"search_terms": "x"}),
        (Change.SET_CADENCE, {"cadence": "hourly"}),
    ]
    assert preview_changes(before, unseen) == before
