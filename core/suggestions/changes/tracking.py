"""Changes of how a team tracks a product. The worker makes them, at once."""

from abc import abstractmethod
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.errors import InvalidInputError
from core.suggestions.changes import values as shared
from core.suggestions.changes.current_values import ChangeTarget, find_team_tracking
from core.suggestions.changes.spec import ChangeSpec, GivenValue
from core.suggestions.changes.values import Values
from core.suggestions.lifecycle import LockedAction
from core.suggestions.rules import Facts, InvalidTransitionError
from core.text.locale import localize_digits
from core.text.numbers import THIN_SPACE
from core.thresholds import LARGEST_THRESHOLD, NO_THRESHOLD, is_threshold
from core.tracking import team_tracking as team
from core.tracking.models import Tracking


class TrackingChange(ChangeSpec):
    """A change of how a product is tracked."""

    @abstractmethod
    def apply(
        self, session: Session, principal: Principal, locked: LockedAction, now: datetime
    ) -> dict[str, Any]:
        """Set the new values and return what `undo` needs."""

    @abstractmethod
    def undo(self, session: Session, principal: Principal, locked: LockedAction) -> None:
        """Undo the change. Raises InvalidTransitionError if the value was changed since."""


class SettingChange(TrackingChange):
    """A change of one setting in the team's tracking row of a product."""

    key: ClassVar[str]

    @abstractmethod
    def of_tracking(self, row: Tracking) -> dict[str, Any]:
        """Return the current values in the team's row."""

    @abstractmethod
    def set_values(
        self, session: Session, principal: Principal, product_id: int, values: Values
    ) -> None:
        """Set the values for the whole team."""

    def read_current(self, session: Session, target: ChangeTarget) -> dict[str, Any]:
        row = find_team_tracking(session, target.team_id, target.product_id)
        return {} if row is None else self.of_tracking(row)

    def apply(
        self, session: Session, principal: Principal, locked: LockedAction, now: datetime
    ) -> dict[str, Any]:
        before = self.read_current(session, _target_of(locked))
        self.set_values(session, principal, locked.product.id, locked.new_values)
        return before

    def undo(self, session: Session, principal: Principal, locked: LockedAction) -> None:
        now = self.read_current(session, _target_of(locked))
        if not shared.are_equal(now, locked.new_values):
            set_to, is_now = (
                self.format_stored(each, locked.product.marketplace)
                for each in (locked.new_values, now)
            )
            raise InvalidTransitionError(
                f"It was changed since: it was set to {set_to}; now it is {is_now}."
            )
        self.set_values(session, principal, locked.product.id, locked.action.inverse or {})

    def format_for_edit(self, values: Values, marketplace: str) -> str:
        return str(values.get(self.key, ""))


def _target_of(locked: LockedAction) -> ChangeTarget:
    return ChangeTarget(locked.suggestion.team_id, locked.product.id, locked.new_values)


class ThresholdChange(SettingChange):
    """A change of a threshold: the smallest change that triggers an alert."""

    key = "percent"
    takes = ("percent",)
    no_value = "no threshold of its own: the team's default applies"
    threshold: ClassVar[team.Threshold]

    def validate(self, values: Values) -> dict[str, Any]:
        number = shared.to_number(values.get("percent"))
        if number is None or not is_threshold(number):
            raise InvalidInputError(NO_THRESHOLD)
        return {"percent": _rounded(number)}

    def read_given(self, given: GivenValue, facts: Facts) -> dict[str, Any] | None:
        return None if given.percent is None else {"percent": _written(given.percent)}

    @abstractmethod
    def percent_in(self, facts: Facts) -> float | None:
        """Return the threshold in an advisor's facts; None: the default."""

    def current_in(self, facts: Facts) -> dict[str, Any]:
        percent = self.percent_in(facts)
        return {"percent": None if percent is None else _written(percent)}

    def find_problems(self, proposed: Values, facts: Facts) -> Iterator[str]:
        yield from super().find_problems(proposed, facts)
        if not is_threshold(Decimal(proposed["percent"])):
            yield NO_THRESHOLD

    def of_tracking(self, row: Tracking) -> dict[str, Any]:
        percent = getattr(row, self.threshold.value)
        return {"percent": None if percent is None else str(percent)}

    def set_values(
        self, session: Session, principal: Principal, product_id: int, values: Values
    ) -> None:
        percent = None if values["percent"] is None else Decimal(values["percent"])
        team.set_threshold(session, principal, product_id, self.threshold, percent)

    def format(self, values: Values, marketplace: str) -> str:
        percent = values.get("percent")
        if percent is None:
            return "the team's default"
        return f"{localize_digits(str(percent))}{THIN_SPACE}%"

    def _parse_typed(self, text: str, marketplace: str) -> dict[str, Any]:
        percent = shared.parse_number(text.replace("%", ""))
        if not is_threshold(percent):
            raise InvalidInputError(NO_THRESHOLD)
        return {"percent": f"{percent.normalize():f}"}


def _written(percent: float) -> str:
    number = Decimal(str(percent))
    if abs(number) > LARGEST_THRESHOLD:
        return str(number)  # rejected later; `quantize` fails for very large numbers
    return _rounded(number)


def _rounded(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.01')).normalize():f}"
