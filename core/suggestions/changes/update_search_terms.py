"""New search terms. No page shows them, so they are unknown and no check confirms them."""

from collections.abc import Mapping
from typing import Any

from core.catalog.listing import Listing
from core.suggestions.changes.publication import RANK_EVIDENCE, TextChange
from core.suggestions.changes.spec import Editor
from core.suggestions.changes.values import Values
from core.suggestions.rules import Change, Facts, ListingPart


class UpdateSearchTerms(TextChange):
    change = Change.UPDATE_SEARCH_TERMS
    label = "Search terms"
    key = "search_terms"
    part = ListingPart.SEARCH_TERMS
    editor = Editor.LONG_TEXT
    size_unit = "bytes"
    usual_evidence = ("title_length", *RANK_EVIDENCE)
    no_value = "no page shows search terms"
    patch_path = "/attributes/generic_keyword"
    instruction = "Replace the search terms"
    is_on_page = False

    def current_in(self, facts: Facts) -> dict[str, Any]:
        return {}

    def of_listing(self, listing: Listing) -> dict[str, Any]:
        return {}

    def listing_fields(self, values: Values) -> Mapping[str, Any]:
        return {}

    def size_of(self, text: str) -> int:
        return len(text.encode())


SPEC = UpdateSearchTerms()
