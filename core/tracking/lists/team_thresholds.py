"""A team's default thresholds: the percentages of its two threshold rules. SELECTs only.

They count for lists whether the rule, which is for alerts, is on or off.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.thresholds import PRICE_CHANGE, RANK_CHANGE, USUAL_PERCENT, Thresholds


def default_percent(code: str, team: str) -> str:
    """Return the SQL of a team's default, a numeric. `team`: the SQL of the team's id."""
    percent = "(r.definition -> 'conditions' -> 0 ->> 'percent')::numeric"
    return (
        f"coalesce((SELECT {percent} FROM alert_rule r "
        f"WHERE r.team_id = {team} AND r.code = '{code}'), {USUAL_PERCENT[code]:g})"
    )


TEAM_DEFAULTS: Final = (
    f"SELECT m.id AS team_id, {default_percent(PRICE_CHANGE, 'm.id')} AS price_percent, "
    f"{default_percent(RANK_CHANGE, 'm.id')} AS rank_percent FROM team AS m"
)
_READ: Final = text(
    f"SELECT {default_percent(PRICE_CHANGE, ':team')} AS price_percent, "
    f"{default_percent(RANK_CHANGE, ':team')} AS rank_percent"
)


def read_team_thresholds(session: Session, team_id: int) -> Thresholds:
    """Return a team's default thresholds."""
    row = session.execute(_READ, {"team": team_id}).one()
    return Thresholds(row.price_percent, row.rank_percent)
