"""New bullets that replace all current ones."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from core.suggestions.changes.publication import RANK_EVIDENCE, TextsChange
from core.suggestions.changes.values import Values
from core.suggestions.rules import Change, ListingPart


class UpdateBullets(TextsChange):
    change = Change.UPDATE_BULLETS
    label = "Bullets"
    key = "bullets"
    part = ListingPart.BULLETS
    size_unit = "characters"
    usual_evidence = ("bullet_count", "bullets_length", *RANK_EVIDENCE)
    competitor_figure = "bullet_count"
    patch_path = "/attributes/bullet_point"
    instruction = "Replace all bullets"

    def format(self, values: Values, marketplace: str) -> str:
        return "\n".join(map(str, _bullets(values)))

    def parts(self, values: Values, marketplace: str) -> list[tuple[str, str]]:
        return [(f"Bullet {number}", str(text)) for number, text in enumerate(_bullets(values), 1)]

    def cells(
        self, before: Values, after: Values, marketplace: str
    ) -> Iterator[tuple[str, str, str]]:
        """Yield a row per bullet, each with a field of its own."""
        pairs = zip_longest(_bullets(before), _bullets(after), fillvalue="")
        for number, (old, new) in enumerate(pairs, 1):
            yield f"bullet_{number}", str(old), str(new)

    def _patch_items(self, after: Values) -> Sequence[str]:
        return _bullets(after)

    def _pasted(self, after: Values, marketplace: str) -> str:
        return "\n".join(_bullets(after))


def _bullets(values: Values) -> Sequence[str]:
    return values.get("bullets") or []


SPEC = UpdateBullets()
