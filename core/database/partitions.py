"""Create and list partitions by time, of any table.

A partition is created as a separate table and then attached: CREATE … PARTITION OF would
lock the parent against readers, ATTACH PARTITION does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

_LOCK = 0x70617274  # one session at a time creates partitions


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of `table` for [starts, ends), days in UTC."""

    table: str
    starts: date
    ends: date

    @property
    def name(self) -> str:
        return f"{self.table}_p{self.starts:%Y%m%d}"


def month_of(day: date, table: str) -> Partition:
    """Return the monthly partition of `table` that holds a UTC day."""
    first = day.replace(day=1)
    return Partition(table, first, (first + timedelta(days=32)).replace(day=1))


def day_of(day: date, table: str) -> Partition:
    """Return the daily partition of `table` that holds a UTC day."""
    return Partition(table, day, day + timedelta(days=1))


def months_between(first: date, last: date, table: str) -> list[Partition]:
    """Return the monthly partitions that cover first … last, both included."""
    found = [month_of(first, table)]
    while found[-1].ends <= last:
        found.append(month_of(found[-1].ends, table))
    return found


def list_partitions(session: Session, table: str) -> set[str]:
    """Return the names of a table's partitions."""
    partitions = text(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:parent)"
    )
    rows = session.execute(partitions, {"parent": table})
    return {name for (name,) in rows}


def create_partitions(session: Session, wanted: Iterable[Partition]) -> int:
    """Create the partitions that are missing and return how many were created."""
    by_table: dict[str, list[Partition]] = {}
    for partition in dict.fromkeys(wanted):
        by_table.setdefault(partition.table, []).append(partition)
    return sum(_create_missing(session, table, parts) for table, parts in by_table.items())


def _create_missing(session: Session, table: str, wanted: list[Partition]) -> int:
    missing = _find_missing(session, table, wanted)
    if not missing:
        return 0
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    missing = _find_missing(session, table, wanted)  # another session may have been quicker
    for partition in missing:
        _create_partition(session, partition)
    return len(missing)


def _find_missing(session: Session, table: str, wanted: list[Partition]) -> list[Partition]:
    there = list_partitions(session, table)
    return [partition for partition in wanted if partition.name not in there]


def _create_partition(session: Session, partition: Partition) -> None:
    session.execute(text(f"CREATE TABLE {partition.name} (LIKE {partition.table} INCLUDING ALL)"))
    session.execute(
        text(
            f"ALTER TABLE {partition.table} ATTACH PARTITION {partition.name} "
            f"FOR VALUES FROM ('{partition.starts:%Y-%m-%d}T00:00:00Z') "
            f"TO ('{partition.ends:%Y-%m-%d}T00:00:00Z')"
        )
    )


def drop_partition(session: Session, name: str, table: str) -> None:
    """Detach and drop one partition of a table with its rows."""
    session.execute(text(f"ALTER TABLE {table} DETACH PARTITION {name}"))
    session.execute(text(f"DROP TABLE {name}"))
