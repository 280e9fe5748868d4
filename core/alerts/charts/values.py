"""Reads what a rule sees of one product as a line, for a chart. SELECTs only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from core.alerts.evaluation.fold import Findings, Reading
from core.alerts.evaluation.readings import read_rule_readings
from core.alerts.rules.rule import AlertRule, Comparison, Condition, Subject
from core.alerts.rules.validation import NUMBERS
from core.history.product_summary import HistoryKey
from core.history.timeline import series
from core.history.timeline.period import read_timeline
from core.history.timeline.series import Field, Line
from core.history.timeline.timeline import to_array_time

# Of these the timeline has lines with the holes that no check covers.
_FIELDS: Final[dict[Subject, Field]] = {
    Subject.PRICE: series.PRICE,
    Subject.LIST_PRICE: series.LIST_PRICE,
    Subject.RANK: series.RANK,
    Subject.RATING: series.RATING,
    Subject.RATINGS_COUNT: series.RATINGS_COUNT,
}
_PRICE: Final = Condition(Subject.PRICE, Comparison.DIFFERS)


def choose_condition(rule: AlertRule, findings: Findings = ()) -> Condition:
    """Return the condition whose values are drawn: the first that held and has numbers.

    Of states, and of parts of the listing, the price is drawn beside them.
    """
    held = [
        condition
        for condition, finding in zip(rule.conditions, findings, strict=False)
        if finding is not None
    ]
    numeric = [each for each in held or rule.conditions if each.subject in NUMBERS]
    return numeric[0] if numeric else _PRICE


def read_line(
    session: Session,
    key: HistoryKey,
    condition: Condition,
    team_id: int,
    since: datetime,
    until: datetime,
) -> Line:
    """Return the values of a condition's subject over a time, as steps."""
    field = _FIELDS.get(condition.subject)
    if field is not None and condition.category is None:
        return read_timeline(session, key, since, until, (field,)).get_line(field)
    rule = AlertRule((condition,))
    readings = read_rule_readings(session, rule, team_id, [key.product_id], since, until)
    return make_line(readings[key.product_id], since)


def make_line(readings: Sequence[Reading], since: datetime) -> Line:
    """Return the numbers that readings of one condition hold; NaN where there was none."""
    times, values = [], []
    for reading in readings:
        [measured] = reading.measured
        if measured is None:
            continue
        times.append(to_array_time(max(reading.at, since)))
        is_number = isinstance(measured.value, int)
        values.append(float(measured.value) if is_number else np.nan)  # type: ignore[arg-type]
    return Line(np.array(times, dtype="M8[us]"), np.array(values, dtype=np.float64))
