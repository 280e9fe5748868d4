"""A new check frequency."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.errors import InvalidInputError
from core.suggestions.changes.spec import Editor, GivenValue
from core.suggestions.changes.tracking import SettingChange
from core.suggestions.changes.values import Values
from core.suggestions.rules import Change, Facts
from core.text.times import format_cadence
from core.tracking import team_tracking as team
from core.tracking.models import Tracking
from core.tracking.rules import Cadence

_CADENCES = [cadence.value for cadence in Cadence]
_ONE_OF = f"The cadence must be one of {', '.join(_CADENCES)}."


class SetCadence(SettingChange):
    change = Change.SET_CADENCE
    label = "Check frequency"
    key = "cadence"
    takes = ("text",)
    editor = Editor.CADENCE
    usual_evidence = (
        "looks_per_day_30",
        "price_changes_30",
        "price_ranges_30",
        "price_days_30",
    )

    def validate(self, values: Values) -> dict[str, Any]:
        cadence = str(values.get("cadence"))
        if cadence not in _CADENCES:
            raise InvalidInputError(_ONE_OF)
        return {"cadence": cadence}

    def read_given(self, given: GivenValue, facts: Facts) -> dict[str, Any] | None:
        return None if given.text is None else {"cadence": given.text}

    def current_in(self, facts: Facts) -> dict[str, Any]:
        return {"cadence": facts.cadence}

    def find_problems(self, proposed: Values, facts: Facts) -> Iterator[str]:
        yield from super().find_problems(proposed, facts)
        if proposed["cadence"] not in _CADENCES:
            yield _ONE_OF

    def of_tracking(self, row: Tracking) -> dict[str, Any]:
        return {"cadence": row.cadence}

    def set_values(
        self, session: Session, principal: Principal, product_id: int, values: Values
    ) -> None:
        team.set_cadence(session, principal, product_id, Cadence(values["cadence"]))

    def format(self, values: Values, marketplace: str) -> str:
        return format_cadence(values["cadence"]) if values.get("cadence") else ""

    def _parse_typed(self, text: str, marketplace: str) -> dict[str, Any]:
        if text not in _CADENCES:
            raise InvalidInputError("Choose how often the product is checked.")
        return {"cadence": text}


SPEC = SetCadence()
