"""Choosing and leasing the next full batch out of many due products."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

from sqlalchemy import text

from benchmarks.figures import Figure, milliseconds, seconds_of
from benchmarks.rows import build_list
from benchmarks.servers import Server
from core.database.session import write_scope
from core.scraping.parsers.registry import AXESSO_DETAILS
from core.scraping.runs.budget import Limits
from core.scraping.runs.dispatch import plan_run

TARGET = 50.0  # ms
_LIMITS = Limits(1000, 50, Decimal(1_000_000), Decimal("0.005"))
# As many rows of the same table, named by their keys: nothing is chosen.
_FLOOR = text(
    "UPDATE fetch_schedule SET leased_until = now() + interval '2 hours' "
    "WHERE product_id > :first AND product_id <= :first + 1000"
)
# What the end of a run does: its products are due again tomorrow.
_GIVE_BACK = (
    "UPDATE fetch_schedule SET leased_until = NULL, fetch_run_id = NULL, "
    "due_at = due_at + interval '1 day' WHERE leased_until IS NOT NULL",
    "UPDATE fetch_run SET state = 'collected'",
)


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the milliseconds of planning a run of 1,000 products, commit included."""
    due = list_size(quick)
    planning, updating = [], []
    with server.database(f"list{due}", lambda: build_list(due)):
        for number in range(8 if quick else 30):
            planning.append(seconds_of(_plan))
            _give_back()
            updating.append(seconds_of(partial(_update, number * 500)))
            _give_back()
    value, best = milliseconds(planning[3:])  # the first ones plan their statements
    yield Figure(
        f"Lease: 1,000 of {due:,} due products",
        value,
        "ms",
        best=best,
        floor=milliseconds(updating[3:])[0],
        floor_name="UPDATE of 1,000 given rows",
        target=TARGET,
    )


def list_size(quick: bool) -> int:
    """Return how many products the large list holds."""
    return 20_000 if quick else 100_000


def _plan() -> None:
    with write_scope() as session:
        run = plan_run(session, "apify", AXESSO_DETAILS, _LIMITS, datetime.now(UTC))
    if run is None or len(run.input["urls"]) != 1000:
        raise RuntimeError("The batch is not full: the data is wrong.")


def _update(first: int) -> None:
    with write_scope() as session:
        session.execute(_FLOOR, {"first": first})


def _give_back() -> None:
    with write_scope() as session:
        for statement in _GIVE_BACK:
            session.execute(text(statement))
