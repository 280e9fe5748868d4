"""The tab Listing shows the changed images of a listing side by side."""

import re
from datetime import timedelta

from sqlalchemy.orm import Session

from app.product_tabs import tabs
from core.accounts.access.permissions import Principal
from core.history.ingest.store import SourcedObservation
from core.history.observation import Seen
from tests.core.history.observations import SEEN, make_sourced, store, this_hour, track_product
from tests.factories.images import store_image
from tests.factories.products import make_listing
from tests.pages.test_product_tabs import open_tab, texts

HOUR = timedelta(hours=1)


def address(letter: str) -> str:
    return f"https://m.media-amazon.com/images/I/71abcdeFG{letter}._AC_SL1500_.jpg"


def test_changed_images_stand_side_by_side_with_what_became_of_each(
    session: Session, principal: Principal
) -> None:
    product, now = track_product(session, principal), this_hour()

    def listed(hours: int, letters: str) -> SourcedObservation:
        listing = make_listing(images=tuple(map(address, letters)))
        seen = SEEN | Seen.LISTING
        return make_sourced(product, now - hours * HOUR, seen=seen, listing=listing)

    store(session, [listed(9, "ABCD"), listed(5, "ACBX"), listed(2, "ACBX")])
    image = store_image(session, address("X"))
    page = open_tab(tabs.LISTING)
    assert ":gray[Images:] 1 added, 1 removed, 1 moved" in texts(page)
    shown = [element.proto.body for element in page.get("html")]
    before, after = (body for body in shown if "<figcaption>" in body)
    captions = [re.findall("<figcaption>(.*?)</figcaption>", side) for side in (before, after)]
    assert captions == [
        ["1", "2", "3 · moved to 2", "4 · removed"],
        ["1", "2 · moved from 3", "3", "4 · added"],
    ]
    assert before.count("<img") == 0
    [source] = re.findall('<img src="(.*?)" alt="Image 4"', after)
    assert source.endswith(f"/thumbnails/{image.id}.webp")
    assert "media-amazon" not in "".join(shown)
