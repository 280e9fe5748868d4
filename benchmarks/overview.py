"""The Overview: a hundred thousand products, a fiftieth of them own, beside a thousand."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from urllib.parse import quote_plus

from sqlalchemy import text

from benchmarks.changes import roll_all
from benchmarks.figures import Figure
from benchmarks.issues import add_incidents
from benchmarks.lease import list_size
from benchmarks.load import open_each
from benchmarks.rows import build_list, vacuum
from benchmarks.servers import Server, using
from benchmarks.web import Web, running_web
from core.accounts.people.membership import get_owner_principal
from core.database.session import write_scope
from core.history.periods.team_days import compute_day
from core.tracking.rules import Role
from core.tracking.sellers.service import add_own_seller

FEW = 1000
PAGE = ""  # the first page has no name in its address
TARGET_MS = 80.0
TARGET_RATIO = 1.5
OWN = 50  # one product in so many is own, as in `build_list`
DAYS = 8  # of teams that are counted: an index over 7 days
LISTS = ("Team", "Mine")
PERIODS = ("7 d", "30 d", "Yesterday")


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the milliseconds of the page over each period, none of it in a cache."""
    many = list_size(quick)
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in PERIODS}
    urls = []
    for size in (FEW, many):
        with server.shared(f"overview{size}", partial(_build, size)) as url:
            urls.append(url)
    for _ in range(1 if quick else 3):
        _open(urls, found)
    for period, (of_few, of_many) in found.items():
        value, floor = median(of_many) * 1000, median(of_few) * 1000
        name = f"Overview of {many:,}, {period}"
        target = TARGET_MS if period == PERIODS[0] else None
        ratio = TARGET_RATIO if period == PERIODS[0] else None
        yield Figure(name, value, "ms", min(of_many) * 1000, floor, f"of {FEW:,}", target=target)
        yield Figure(f"{name}, against {FEW:,}", value / floor, "×", target=ratio)


def _open(urls: list[str], found: dict[str, tuple[list[float], list[float]]]) -> None:
    """Open each question once in fresh processes, few and many products in turns."""
    with ExitStack() as stack:
        webs: list[Web] = []
        for url in urls:
            with using(url):
                webs.append(stack.enter_context(running_web()))
        for web in webs:  # the first runs load modules
            open_each(web.pages, PAGE, ["whose=Competitors", "place=US", "place=DE"])
        for period, seconds in found.items():
            for scope in LISTS:
                for web, taken in zip(webs, seconds, strict=True):
                    load = open_each(web.pages, PAGE, [f"period={quote_plus(period)}&list={scope}"])
                    load.raise_errors()
                    taken += [run.seconds for run in load.runs]


def _build(products: int) -> None:
    build_list(products)
    now = datetime.now(UTC)
    roll_all(now)
    with write_scope() as session:
        session.execute(text("UPDATE product_latest SET buy_box_seller = 'Bench Trading'"))
        add_own_seller(session, get_owner_principal(session), "US", "", "Bench Trading")
    for days in range(1, DAYS + 1):
        day = now.date() - timedelta(days=days)
        with write_scope() as session:
            compute_day(session, day, dict.fromkeys(("US", "DE", "JP", "FR"), now.date()))
    add_incidents(products // OWN // 5, Role.OWN)  # a fifth of them is open
    vacuum("product_change, product_latest, team_change_day, team_index_day, team_figure_day")
