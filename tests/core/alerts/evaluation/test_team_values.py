"""Whether a version of a listing follows what a team approved."""

from datetime import UTC, datetime, timedelta

from core.alerts.evaluation.team_values import explain_versions
from core.catalog.models import ListingVersion
from core.history.expected.rules import ExpectedField, ExpectedState, ExpectedValue

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
APPROVED = ExpectedValue(
    ExpectedField.TITLE, "Approved", ExpectedState.PUBLISHED, NOON, NOON + HOUR, None, 1
)


def make_versions(*titles: str) -> list[ListingVersion]:
    """Return a version an hour, from noon on."""
    return [
        ListingVersion(
            title=title,
            bullets=[],
            category_path=[],
            images=[],
            attributes={},
            first_seen_at=NOON + hour * HOUR,
        )
        for hour, title in enumerate(titles)
    ]


def explain(*titles: str, since: datetime | None = None, is_approved: bool = True) -> list[str]:
    expected = [APPROVED] if is_approved else []
    return [str(each.value) for each in explain_versions(make_versions(*titles), expected, since)]


def test_a_published_edit_is_explained_and_losing_it_is_drift() -> None:
    found = explain("One", "Approved", "One", "Approved")
    assert found == ["explained", "drift", "explained"]


def test_an_edit_that_was_not_approved_lasts_until_the_last_explained_version() -> None:
    found = explain("One", "Two", "Three", "One", is_approved=False)
    assert found == ["unexplained", "unexplained", "explained"]


def test_what_was_shown_before_the_rule_is_what_later_edits_are_compared_with() -> None:
    found = explain("One", "Two", "One", "Two", since=NOON + 1.5 * HOUR, is_approved=False)
    assert found == ["explained", "unexplained", "explained"]
