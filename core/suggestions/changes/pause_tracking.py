"""A pause of a product's checks, for the whole team."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.errors import InvalidInputError
from core.suggestions.changes.current_values import ChangeTarget, find_team_tracking, is_checked
from core.suggestions.changes.spec import Editor, GivenValue
from core.suggestions.changes.tracking import TrackingChange
from core.suggestions.changes.values import Values
from core.suggestions.lifecycle import LockedAction
from core.suggestions.rules import Change, Facts
from core.tracking import team_tracking as team


class PauseTracking(TrackingChange):
    change = Change.PAUSE_TRACKING
    label = "Tracking"
    takes = ()
    editor = Editor.NONE
    usual_evidence = ("availability_now", "out_of_stock_30", "stock_days_30")

    def validate(self, values: Values) -> dict[str, Any]:
        return {}

    def read_given(self, given: GivenValue, facts: Facts) -> dict[str, Any] | None:
        return {}

    def current_in(self, facts: Facts) -> dict[str, Any]:
        return {}

    def find_problems(self, proposed: Values, facts: Facts) -> Iterator[str]:
        yield from ()

    def read_current(self, session: Session, target: ChangeTarget) -> dict[str, Any]:
        if find_team_tracking(session, target.team_id, target.product_id) is None:
            return {}
        return {"paused": not is_checked(session, target.team_id, target.product_id)}

    def is_current(self, current: Values, proposed: Values) -> bool:
        return bool(current.get("paused"))

    def apply(
        self, session: Session, principal: Principal, locked: LockedAction, now: datetime
    ) -> dict[str, Any]:
        return {"people": team.pause_for_team(session, principal, locked.product.id, now)}

    def undo(self, session: Session, principal: Principal, locked: LockedAction) -> None:
        people = (locked.action.inverse or {})["people"]
        team.resume_for_team(session, principal, locked.product.id, people)

    def format(self, values: Values, marketplace: str) -> str:
        return ""

    def format_stored(self, values: Values, marketplace: str) -> str:
        return "paused" if values.get("paused") else "tracked"

    def changed_parts(
        self, current: Values, new_values: Values, marketplace: str
    ) -> list[tuple[str, str, str]]:
        return [(self.label, "tracked", "paused")]

    def format_for_edit(self, values: Values, marketplace: str) -> str:
        return ""

    def _parse_typed(self, text: str, marketplace: str) -> dict[str, Any]:
        raise InvalidInputError("A pause has no value.")


SPEC = PauseTracking()
