"""A new spelling of the brand: one that occurs in the listing."""

from core.suggestions.changes.publication import RANK_EVIDENCE, TextChange
from core.suggestions.rules import Change


class UpdateBrand(TextChange):
    change = Change.UPDATE_BRAND
    label = "Brand"
    key = "brand"
    size_unit = None
    must_be_in_listing = True
    usual_evidence = ("title_length", *RANK_EVIDENCE)
    patch_path = "/attributes/brand"
    instruction = "Set the brand"


SPEC = UpdateBrand()
