"""Kept changes: lists by what changed over 7 days, and the roll at midnight."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

from sqlalchemy import text

from benchmarks.figures import Figure, interleaved, seconds_of
from benchmarks.lease import list_size
from benchmarks.rows import build_list, vacuum
from benchmarks.servers import Server
from core.accounts.people.membership import get_owner_principal
from core.database.session import driver_connection, read_scope, write_scope
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import MovedValue, find_movers
from core.history.periods.roll import CHUNK, list_due_days, roll_products
from core.history.periods.team_days import compute_day, find_due_days
from core.tracking.list_filter import ListFilter, ListScope
from core.tracking.rules import Role

LIST_TARGET_MS = 40.0
ROLL_TARGET = 5.0  # seconds
TRACKED = ListFilter(scope=ListScope.TEAM)
OWN = ListFilter(scope=ListScope.TEAM, roles=(Role.OWN,))  # a fiftieth


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the lists by each value, the roll and a day of teams."""
    products = list_size(quick)
    with server.database(f"list{products}", lambda: build_list(products)):
        now = datetime.now(UTC)
        roll_all(now)
        vacuum("product_change")
        for value in MovedValue:
            yield _list_figure(products, value, TRACKED, products, rounds=5 if quick else 15)
            yield _list_figure(products, value, OWN, products // 50, rounds=5 if quick else 15)
        yield from _night_figures(products, now, nights=2 if quick else 4)


def _list_figure(
    products: int, value: MovedValue, asked: ListFilter, size: int, rounds: int
) -> Figure:
    ask = partial(_find, asked, value)
    if not ask():
        raise RuntimeError(f"No product has a {value}: the data is wrong.")
    floor = partial(_scan, f"{ChangePeriod.WEEK}_{value}")
    found, floors = interleaved(rounds, ask, floor)
    return Figure(
        f"50 of {size:,} of {products:,} by their {value} over 7 days",
        median(found) * 1000,
        "ms",
        best=min(found) * 1000,
        floor=median(floors) * 1000,
        floor_name="the 50 largest of the table alone",
        target=LIST_TARGET_MS,
    )


def _find(asked: ListFilter, value: MovedValue) -> list[int]:
    with read_scope() as session:
        found = find_movers(
            session,
            get_owner_principal(session),
            asked,
            ChangePeriod.WEEK,
            value,
            is_descending=True,
            skipped=0,
            size=50,
        )
    return found.product_ids


def _scan(column: str) -> None:
    statement = (
        f"SELECT product_id FROM product_change WHERE {column} <> 0 ORDER BY {column} DESC LIMIT 50"
    )
    with read_scope() as session:
        driver_connection(session).execute(statement).fetchall()


def _night_figures(products: int, now: datetime, nights: int) -> Iterator[Figure]:
    """Yield the seconds of the roll, and of a day of teams, night after night."""
    rolling, writing, counting = [], [], []
    for night in range(1, nights + 1):
        at = now + timedelta(days=night)
        rolling.append(seconds_of(partial(roll_all, at)))
        writing.append(seconds_of(_write_all))
        vacuum("product_change")
        counting.append(seconds_of(partial(_count_day, at)))
    yield _night(f"Roll of {products:,} products at midnight", rolling, writing)
    yield _night(f"A day of a team with {products:,} products, changes and indexes", counting, [])


def _night(name: str, seconds: list[float], floors: list[float]) -> Figure:
    return Figure(
        name,
        median(seconds),
        "s",
        best=min(seconds),
        floor=median(floors) if floors else None,
        floor_name="UPDATE of all rows" if floors else "",
        target=ROLL_TARGET,
    )


def roll_all(now: datetime) -> None:
    """Roll as the job does."""
    with read_scope() as session:
        due = list_due_days(session, now)
    for marketplace, day in due.items():
        _until_empty(partial(roll_products, marketplace=marketplace, day=day))


def _until_empty(roll: Callable[..., list[int]]) -> None:
    after = 0
    while True:
        with write_scope() as session:
            ids = roll(session, after=after)
        if len(ids) < CHUNK:
            return
        after = ids[-1]


def _write_all() -> None:
    with write_scope() as session:
        session.execute(text("UPDATE product_change SET day = day"))


def _count_day(now: datetime) -> None:
    with read_scope() as session:
        due = find_due_days(session, now)
    day = datetime.now(UTC).date() - timedelta(days=1)
    with write_scope() as session:
        compute_day(session, day, due.closed)
