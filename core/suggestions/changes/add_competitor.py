"""A further competitor of a product."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.asin import MentionVerdict, read_mentions
from core.catalog.service import find_products
from core.errors import InvalidInputError
from core.suggestions.changes import values as shared
from core.suggestions.changes.current_values import ChangeTarget, find_team_tracking
from core.suggestions.changes.spec import GivenValue
from core.suggestions.changes.tracking import TrackingChange
from core.suggestions.changes.values import Values
from core.suggestions.lifecycle import LockedAction
from core.suggestions.rules import Change, Facts
from core.tracking.competitors.queries import count_competitors, is_competitor
from core.tracking.competitors.service import MOST_COMPETITORS, add_competitor, remove_competitor
from core.tracking.product_reference import parse_reference
from core.tracking.rules import Role
from core.tracking.service import NewTracking, stop_tracking, track

_OTHER_MARKETPLACE = "Ranks and prices can be compared only within one marketplace."


class AddCompetitor(TrackingChange):
    change = Change.ADD_COMPETITOR
    label = "Competitor"
    takes = ("text",)
    usual_evidence = ("bsr_now",)
    model_may_propose = False  # it is about another product than the model was asked about
    no_value = "not a competitor yet"

    def validate(self, values: Values) -> dict[str, Any]:
        return {key: shared.require_text(values.get(key)) for key in ("marketplace", "asin")}

    def read_given(self, given: GivenValue, facts: Facts) -> dict[str, Any] | None:
        """Return the product that a text names. An ASIN alone means the same marketplace."""
        named = parse_reference(given.text or "", facts.marketplace)
        if named.marketplace is None or named.asin is None:
            raise InvalidInputError(named.detail)
        return {"marketplace": named.marketplace, "asin": named.asin}

    def current_in(self, facts: Facts) -> dict[str, Any]:
        return {}

    def find_problems(self, proposed: Values, facts: Facts) -> Iterator[str]:
        yield from ()

    def require_proposable(
        self, session: Session, team_id: int, facts: Facts, proposed: Values
    ) -> None:
        if proposed["marketplace"] != facts.marketplace:
            raise InvalidInputError(_OTHER_MARKETPLACE)
        if proposed["asin"] == facts.asin:
            raise InvalidInputError("A product can't be its own competitor.")
        if count_competitors(session, team_id, facts.product_id) >= MOST_COMPETITORS:
            raise InvalidInputError(f"A product has at most {MOST_COMPETITORS} competitors.")

    def read_current(self, session: Session, target: ChangeTarget) -> dict[str, Any]:
        new_values = target.new_values
        key = new_values.get("marketplace"), new_values.get("asin")
        is_known = is_competitor(session, target.team_id, target.product_id, *key)
        return dict(new_values) if is_known else {}

    def apply(
        self, session: Session, principal: Principal, locked: LockedAction, now: datetime
    ) -> dict[str, Any]:
        """Add the competitor, and track it if the team doesn't yet."""
        key = locked.new_values["marketplace"], locked.new_values["asin"]
        if key[0] != locked.product.marketplace:
            raise InvalidInputError(_OTHER_MARKETPLACE)
        competitor_id = find_products(session, [key]).get(key)
        is_tracked = competitor_id and find_team_tracking(session, principal.team_id, competitor_id)
        if competitor_id is None or not is_tracked:
            new = NewTracking(*key, role=Role.COMPETITOR)
            [result] = track(session, principal, [new], is_demo=locked.product.is_demo)
            competitor_id = result.product_id
        add_competitor(session, principal, locked.product.id, competitor_id, now)
        return {"competitor": competitor_id, "unfollow": not is_tracked}

    def undo(self, session: Session, principal: Principal, locked: LockedAction) -> None:
        inverse = locked.action.inverse or {}
        remove_competitor(session, principal, locked.product.id, inverse["competitor"])
        if inverse["unfollow"]:
            person_id = locked.action.decided_by or principal.person_id
            approver = replace(principal, person_id=person_id)
            stop_tracking(
                session, approver, [inverse["competitor"]]
            )  # only the row that `apply` added

    def format(self, values: Values, marketplace: str) -> str:
        return " · ".join(str(values[key]) for key in ("marketplace", "asin") if values.get(key))

    def format_for_edit(self, values: Values, marketplace: str) -> str:
        return f"{values.get('marketplace', '')} {values.get('asin', '')}".strip()

    def _parse_typed(self, text: str, marketplace: str) -> dict[str, Any]:
        place, asin = parse_competitor(text, marketplace)
        return {"marketplace": place, "asin": asin}


def parse_competitor(text: str, marketplace: str) -> tuple[str, str]:
    """Return marketplace and ASIN of the one product that a pasted URL or ASIN names.

    An ASIN alone means the given marketplace. Raises InvalidInputError.
    """
    mentions = read_mentions(text, marketplace)
    named = {
        (each.marketplace, each.asin)
        for each in mentions
        if each.verdict is MentionVerdict.FOUND and each.marketplace and each.asin
    }
    if len(named) == 1:
        place, asin = named.pop()
        return str(place), str(asin)
    if not named and mentions:
        raise InvalidInputError(mentions[0].detail)
    found = "more than one product" if named else "no product"
    raise InvalidInputError(
        f"This names {found}. Paste one address of a product page, or one ASIN."
    )


SPEC = AddCompetitor()
