"""A new description."""

from core.suggestions.changes.publication import RANK_EVIDENCE, TextChange
from core.suggestions.changes.spec import Editor
from core.suggestions.rules import Change, ListingPart


class UpdateDescription(TextChange):
    change = Change.UPDATE_DESCRIPTION
    label = "Description"
    key = "description"
    part = ListingPart.DESCRIPTION
    editor = Editor.LONG_TEXT
    may_break_lines = True
    usual_evidence = ("description_length", *RANK_EVIDENCE)
    patch_path = "/attributes/product_description"
    instruction = "Replace the description"


SPEC = UpdateDescription()
