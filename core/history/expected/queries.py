"""Reads expected values of many products at once."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy.orm import Session

from core.database.session import driver_connection
from core.history.expected.rules import ExpectedField, ExpectedState, ExpectedValue

_EXPECTED = """
SELECT product_id, field, value, state, since, published_at, ended_at, action_id, is_undo
FROM expected_value WHERE team_id = %s AND product_id = ANY(%s) ORDER BY product_id, since, id
"""


def read_expected_values(
    session: Session, team_id: int, product_ids: Collection[int]
) -> dict[int, list[ExpectedValue]]:
    """Return what a team expected of products, the earliest approval first.

    Ended ones are included, since a past change is explained by what was expected then. A
    product without any has no entry.
    """
    found: dict[int, list[ExpectedValue]] = defaultdict(list)
    with driver_connection(session).cursor(binary=True) as cursor:
        cursor.execute(_EXPECTED, [team_id, list(product_ids)])
        for product_id, field, value, state, *rest in cursor:
            expected = ExpectedValue(ExpectedField(field), value, ExpectedState(state), *rest)
            found[product_id].append(expected)
    return dict(found)
