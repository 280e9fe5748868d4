"""A new category: its levels from the widest to the narrowest."""

from core.suggestions.changes.publication import RANK_EVIDENCE, TextsChange
from core.suggestions.changes.values import Values
from core.suggestions.rules import Change

_BELOW = " › "


class UpdateCategory(TextsChange):
    change = Change.UPDATE_CATEGORY
    label = "Category"
    key = "category_path"
    usual_evidence = RANK_EVIDENCE
    patch_path = "/attributes/recommended_browse_nodes"
    is_made_by_hand = True
    instruction = "Move it to the category"

    def format(self, values: Values, marketplace: str) -> str:
        return _BELOW.join(map(str, values.get("category_path") or ()))


SPEC = UpdateCategory()
