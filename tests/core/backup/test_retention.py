"""Which backups are kept."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.backup.retention import DAYS, MONTHS, WEEKS, choose_kept

NEW_YEAR = datetime(2026, 1, 1, 2, 41, tzinfo=UTC)


def test_of_a_year_of_days_the_last_days_weeks_and_months_are_kept() -> None:
    made = [NEW_YEAR + timedelta(days=n) for n in range(365)]
    kept = sorted(choose_kept(made), reverse=True)
    assert [f"{at:%m-%d}" for at in kept] == [
        *("12-31", "12-30", "12-29", "12-28", "12-27", "12-26", "12-25"),
        *("12-20", "12-13"),  # the weeks before, by their Sundays
        *("11-30", "10-31", "09-30", "08-31", "07-31"),
    ]


def test_the_newest_of_a_day_is_kept() -> None:
    made = [NEW_YEAR + timedelta(hours=n) for n in range(12)]
    assert choose_kept(made) == {made[-1]}


def test_after_a_long_pause_old_ones_stay() -> None:
    old = [NEW_YEAR + timedelta(days=n) for n in range(3)]
    assert choose_kept([*old, NEW_YEAR + timedelta(days=700)]) >= set(old)


@given(st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), max_size=60))
def test_the_newest_is_kept_and_no_more_than_the_rule(made: list[datetime]) -> None:
    kept = choose_kept(at.replace(tzinfo=UTC) for at in made)
    assert len(kept) <= DAYS + WEEKS + MONTHS
    assert not made or max(made).replace(tzinfo=UTC) in kept
    assert choose_kept(kept) == kept  # a second round deletes nothing
