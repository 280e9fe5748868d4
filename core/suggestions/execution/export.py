"""Exports price and listing changes: to sellers as a change set, to connectors as a request.

Reads only.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.models import Product
from core.suggestions.changes.registry import get_published_spec
from core.suggestions.execution.change_set import ChangeSet, Line, make_change_set, make_patches
from core.suggestions.execution.connectors import PushRequest
from core.suggestions.lifecycle import LockedAction
from core.suggestions.models import Suggestion, SuggestionAction
from core.suggestions.review.preconditions import find_stale_reason
from core.suggestions.rules import ActionState

_EXPORTED = (
    ActionState.APPLIED,
    ActionState.VERIFIED,
    ActionState.UNSEEN,
    ActionState.UNDONE,  # with the value from before
)


@requires(Permission.TRACK)
def export_change_set(
    session: Session, principal: Principal, suggestion_ids: Collection[int]
) -> ChangeSet:
    """Return the files and the checklist of the price and listing changes of suggestions.

    They contain applied actions only; an undone one with its value from before.
    """
    found = session.execute(
        select(SuggestionAction, Suggestion, Product)
        .join(Suggestion, Suggestion.id == SuggestionAction.suggestion_id)
        .join(Product, Product.id == Suggestion.product_id)
        .where(
            Suggestion.team_id == principal.team_id,
            Suggestion.id.in_(suggestion_ids),
            SuggestionAction.state.in_(_EXPORTED),
        )
        .order_by(Product.marketplace, Product.asin, Suggestion.id, SuggestionAction.place)
    )
    locked = [LockedAction(action, suggestion, product) for action, suggestion, product in found]
    return make_change_set([_line(each) for each in locked if not each.change.is_setting])


def _line(locked: LockedAction) -> Line:
    before, after = _before_and_after(locked)
    return Line(
        action_id=locked.action.id,
        marketplace=locked.product.marketplace,
        asin=locked.product.asin,
        change=locked.change,
        before=before,
        after=after,
        reason=locked.action.reason,
    )


def _before_and_after(locked: LockedAction) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    inverse = locked.action.inverse or locked.action.current
    if locked.state is ActionState.UNDONE:
        spec = get_published_spec(locked.change)
        return locked.new_values, spec.values_of_undo(inverse, locked.new_values)
    return inverse, locked.new_values


def find_push_request(session: Session, action_id: int) -> PushRequest | None:
    """Return an approved action as a connector receives it.

    None for a change of tracking, and for an action that isn't approved or is stale.
    """
    row = session.execute(
        select(SuggestionAction, Suggestion, Product)
        .join(Suggestion, Suggestion.id == SuggestionAction.suggestion_id)
        .join(Product, Product.id == Suggestion.product_id)
        .where(
            SuggestionAction.id == action_id,
            SuggestionAction.state == ActionState.APPROVED.value,
        )
    ).first()
    if row is None:
        return None
    locked = LockedAction(*row)
    if locked.change.is_setting or find_stale_reason(session, locked) is not None:
        return None
    line = _line(locked)
    [patch] = make_patches([line])["listings"]
    return PushRequest(
        key=f"suggestion-action-{action_id}",
        marketplace=line.marketplace,
        asin=line.asin,
        change=locked.change,
        before=line.before,
        after=line.after,
        patch=patch,
    )
