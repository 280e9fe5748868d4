"""A new threshold: the smallest price change that triggers an alert."""

from core.suggestions.changes.tracking import ThresholdChange
from core.suggestions.rules import Change, Facts
from core.tracking.team_tracking import Threshold


class SetPriceThreshold(ThresholdChange):
    change = Change.SET_PRICE_THRESHOLD
    label = "Price threshold"
    threshold = Threshold.PRICE
    usual_evidence = (
        "price_threshold",
        "price_moves_90",
        "price_alerts_90",
        "price_wide_move_90",
    )

    def percent_in(self, facts: Facts) -> float | None:
        return facts.price_change_percent


SPEC = SetPriceThreshold()
