"""When a second observation of the same moment contradicts the stored one."""

from core.history.ingest.differences import differing_fields, snapshot_values
from core.history.observation import Seen
from tests.factories.observations import EVERYTHING, make_observation

BOTH = EVERYTHING | Seen.SELLER_ID


def differ(stored_seen: Seen, stored_id: str | None) -> list[str]:
    stored = make_observation(seen=stored_seen, buy_box_seller_id=stored_id)
    again = make_observation(seen=BOTH, buy_box_seller_id="A1DEMOSELLER")
    return differing_fields(snapshot_values(stored), snapshot_values(again))


def test_another_seller_of_the_same_moment_is_a_contradiction() -> None:
    assert differ(BOTH, "A2DEMOSELLER") == ["id of the Buy Box seller"]
    assert differ(BOTH, None) == ["id of the Buy Box seller"]


def test_a_row_from_before_ids_were_read_is_not_contradicted_by_one() -> None:
    assert differ(EVERYTHING, None) == []
