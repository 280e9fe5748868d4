"""A new title."""

from core.suggestions.changes.publication import RANK_EVIDENCE, TextChange
from core.suggestions.rules import Change, ListingPart


class UpdateTitle(TextChange):
    change = Change.UPDATE_TITLE
    label = "Title"
    key = "title"
    part = ListingPart.TITLE
    usual_evidence = ("title_length", *RANK_EVIDENCE)
    patch_path = "/attributes/item_name"
    instruction = "Replace the title"


SPEC = UpdateTitle()
