"""Create partitions ahead of time and delete old data. Never commits.

Retention of snapshots is off unless an operator sets it; imported history and
daily values are kept for ever.
"""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database.partitions import (
    Partition,
    create_partitions,
    day_of,
    drop_partition,
    list_partitions,
    month_of,
    months_between,
)

MONTHS_AHEAD = 3
DAYS_AHEAD = 7


def make_partitions_ahead(session: Session, now: datetime) -> int:
    """Create the partitions of this month and the next ones; return how many were missing."""
    today = now.astimezone(UTC).date()
    far = today + timedelta(days=31 * MONTHS_AHEAD)
    wanted = [
        partition
        for table in ("snapshot", "snapshot_rank")
        for partition in months_between(today.replace(day=1), far, table)
    ]
    wanted += [day_of(today + timedelta(days=n), "raw_item") for n in range(DAYS_AHEAD)]
    return create_partitions(session, wanted)


def drop_raw_items(session: Session, now: datetime, keep_days: int) -> int:
    """Drop the days of original items that are older than `keep_days`; return how many."""
    oldest = day_of(now.astimezone(UTC).date() - timedelta(days=keep_days), "raw_item").name
    old = sorted(name for name in list_partitions(session, "raw_item") if name < oldest)
    for name in old:
        drop_partition(session, name, "raw_item")
    return len(old)


def drop_old_snapshots(session: Session, now: datetime, keep_months: int) -> int:
    """Delete scraped snapshots of whole months before the last `keep_months`.

    Their daily values are sealed first and stay. Returns how many months were deleted.
    """
    first_kept = _find_month_before(now.astimezone(UTC).date(), keep_months)
    dropped = 0
    for name in sorted(list_partitions(session, "snapshot")):
        month = _parse_month(name, "snapshot")
        if month < first_kept and _has_scraped_rows(session, name):
            _seal_days(session, month)
            _keep_imported(session, month_of(month, "snapshot"))
            _keep_imported_ranks(session, month_of(month, "snapshot_rank"))
            dropped += 1
    _drop_fetch_items(session, first_kept)
    return dropped


def _find_month_before(day: date, months: int) -> date:
    first = day.replace(day=1)
    for _ in range(months):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def _parse_month(name: str, table: str) -> date:
    return datetime.strptime(name, f"{table}_p%Y%m%d").replace(tzinfo=UTC).date()


def _has_scraped_rows(session: Session, name: str) -> bool:
    found = session.execute(text(f"SELECT 1 FROM {name} WHERE import_run_id IS NULL LIMIT 1"))
    return found.first() is not None


def _seal_days(session: Session, month: date) -> None:
    # A marketplace's day reaches up to fourteen hours beyond the UTC month that is deleted.
    session.execute(
        text(
            "UPDATE product_daily SET is_sealed = true WHERE NOT is_sealed "
            "AND day >= :first - 1 AND day <= :first + interval '1 month'"
        ),
        {"first": month},
    )


def _keep_imported(session: Session, partition: Partition) -> None:
    """Delete the rows of a partition that were not imported."""
    session.execute(
        text(
            f"CREATE TEMP TABLE kept ON COMMIT DROP AS "
            f"SELECT * FROM {partition.name} WHERE import_run_id IS NOT NULL"
        )
    )
    session.execute(text(f"TRUNCATE {partition.name}"))
    session.execute(text(f"INSERT INTO {partition.name} SELECT * FROM kept"))
    session.execute(text("DROP TABLE kept"))


def _drop_fetch_items(session: Session, first_kept: date) -> None:
    """Delete the outcomes of runs whose snapshots were deleted."""
    session.execute(
        text(
            "DELETE FROM fetch_item i USING fetch_run r WHERE r.id = i.fetch_run_id "
            "AND r.state IN ('collected', 'failed') "
            "AND COALESCE(r.finished_at, r.intended_at) < (CAST(:first AS date) "
            "+ time '00:00') AT TIME ZONE 'UTC'"
        ),
        {"first": first_kept},
    )


def _keep_imported_ranks(session: Session, partition: Partition) -> None:
    """Delete the further ranks whose snapshot was deleted."""
    if partition.name not in list_partitions(session, "snapshot_rank"):
        return
    session.execute(
        text(
            f"DELETE FROM {partition.name} r WHERE NOT EXISTS (SELECT 1 FROM snapshot s "
            "WHERE s.product_id = r.product_id AND s.captured_at = r.captured_at "
            "AND s.source = r.source)"
        )
    )
