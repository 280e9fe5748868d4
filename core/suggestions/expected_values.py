"""Notes what a team expects of a product as the states of its actions change. Never commits.

Search terms and settings of tracking are on no page, so nothing is expected of them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.history.expected.rules import ExpectedField
from core.history.expected.store import expect_value, publish_value, withdraw_value
from core.suggestions.models import Suggestion, SuggestionAction
from core.suggestions.rules import ActionState, Change

_COUPON_KEYS = ("percent", "amount")
# The field that a change is about, and the keys of its values.
_FIELDS: Mapping[Change, tuple[ExpectedField, tuple[str, ...]]] = {
    Change.UPDATE_PRICE: (ExpectedField.PRICE, ("price",)),
    Change.SET_COUPON: (ExpectedField.COUPON, _COUPON_KEYS),
    Change.UPDATE_TITLE: (ExpectedField.TITLE, ("title",)),
    Change.UPDATE_BULLETS: (ExpectedField.BULLETS, ("bullets",)),
    Change.UPDATE_DESCRIPTION: (ExpectedField.DESCRIPTION, ("description",)),
    Change.ADD_IMAGES: (ExpectedField.IMAGES, ("count",)),
    Change.UPDATE_BRAND: (ExpectedField.BRAND, ("brand",)),
    Change.UPDATE_CATEGORY: (ExpectedField.CATEGORY, ("category_path",)),
}
_GIVEN_UP = frozenset(
    {ActionState.STALE, ActionState.FAILED, ActionState.DECLINED, ActionState.EXPIRED}
)


def find_expected_field(change: Change) -> ExpectedField | None:
    """Return the field that pages show of a change; None: no page shows it."""
    return _FIELDS[change][0] if change in _FIELDS else None


def read_expected_value(change: Change, values: Mapping[str, Any]) -> object:
    """Return an action's values in the form of `ExpectedField`; None: none, or unknown."""
    field, keys = _FIELDS[change]
    if field is ExpectedField.COUPON:
        return {key: values[key] for key in keys if values.get(key) is not None} or None
    return values.get(keys[0])


def update_expected_value(
    session: Session,
    suggestion: Suggestion,
    action: SuggestionAction,
    then: ActionState,
    now: datetime,
) -> None:
    """Update the expected value of the field that an action changes, after a transition."""
    change = Change(action.change)
    field = find_expected_field(change)
    if field is None:
        return
    product = suggestion.team_id, suggestion.product_id
    if then is ActionState.APPROVED:
        new_values = action.proposed if action.edited is None else action.edited
        expect_value(
            session, product, field, read_expected_value(change, new_values), action.id, now
        )
    elif then is ActionState.VERIFIED:
        publish_value(session, action.id, action.seen_at or now)
    elif then is ActionState.UNDONE:
        withdraw_value(session, action.id, now)
        if action.inverse:
            before = read_expected_value(change, action.inverse)
            expect_value(session, product, field, before, action.id, now, is_undo=True)
    elif then in _GIVEN_UP:
        withdraw_value(session, action.id, now)
