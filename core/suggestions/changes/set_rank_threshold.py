"""A new threshold: the smallest rank change that triggers an alert."""

from core.suggestions.changes.tracking import ThresholdChange
from core.suggestions.rules import Change, Facts
from core.tracking.team_tracking import Threshold


class SetRankThreshold(ThresholdChange):
    change = Change.SET_RANK_THRESHOLD
    label = "Rank threshold"
    threshold = Threshold.RANK
    usual_evidence = (
        "rank_threshold",
        "rank_moves_90",
        "rank_alerts_90",
        "rank_wide_move_90",
    )

    def percent_in(self, facts: Facts) -> float | None:
        return facts.rank_change_percent


SPEC = SetRankThreshold()
