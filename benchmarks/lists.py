"""Products page: a hundred thousand products beside a thousand."""

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from statistics import median
from time import process_time
from urllib.parse import quote_plus

from app.data.list_export import FILE_TYPES
from app.products.filters import SORTS
from benchmarks.figures import Figure, seconds_of
from benchmarks.lease import list_size
from benchmarks.load import open_each
from benchmarks.rows import FIRST_WORDS, SECOND_WORDS, build_list
from benchmarks.servers import Server, using
from benchmarks.web import Web, running_web
from core.accounts.people.membership import get_owner_principal
from core.database.session import read_scope
from core.history.current import list_export
from core.text.streamed_tables import Writer
from core.tracking.list_filter import ListFilter, Sort, SortBy
from core.tracking.lists.queries import find_products
from core.tracking.rules import Role

FEW = 1000
TARGET_MS = 80.0
TARGET_RATIO = 1.5
SEARCHES = ("lamp", "brass kettle", "B00000", "model 77", "Oak", "nothing like this")


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield every sort and search as a query, then the screen as a page."""
    many = list_size(quick)
    with server.shared(f"list{FEW}", lambda: build_list(FEW)) as small:
        pass
    with server.shared(f"list{many}", lambda: build_list(many)) as large:
        pass
    yield from _queries(small, large, many, rounds=5 if quick else 15)
    yield from _exports(large, many)
    yield from _pages(small, large, many, times=1 if quick else 3)


def _queries(small: str, large: str, many: int, rounds: int) -> Iterator[Figure]:
    questions = {f"sort by {by}": (ListFilter(), Sort(by, True, 7), 1) for by in SortBy}
    questions |= {f"search “{word}”": (ListFilter(search=word), Sort(), 1) for word in SEARCHES}
    questions["page 100 by price"] = (ListFilter(), Sort(SortBy.PRICE), 100)
    worst = Sort(SortBy.RANK_CHANGE, True, 7)
    questions["page 100 by rank change"] = (ListFilter(), worst, 100)
    questions["own products with a worse rank"] = (
        ListFilter(roles=(Role.OWN,), rank_worse_days=7),
        worst,
        1,
    )
    questions["of one marketplace by rank change"] = (ListFilter(marketplaces=("DE",)), worst, 1)
    slow: dict[str, list[float]] = {name: [] for name in questions}
    quick: dict[str, list[float]] = {name: [] for name in questions}
    for url, found in ((small, quick), (large, slow), (small, quick), (large, slow)):
        with using(url):
            for name, question in questions.items():
                ask = _asking(*question)
                ask()
                found[name] += [seconds_of(ask) for _ in range(rounds)]
    for name in questions:
        yield Figure(
            f"List query of {many:,}: {name}",
            median(slow[name]) * 1000,
            "ms",
            best=min(slow[name]) * 1000,
            floor=median(quick[name]) * 1000,
            floor_name=f"of {FEW:,}",
        )


def _asking(asked: ListFilter, sort: Sort, page: int) -> Callable[[], object]:
    def ask() -> None:
        with read_scope() as session:
            find_products(session, get_owner_principal(session), asked, sort, page, 50)

    return ask


def _exports(url: str, many: int) -> Iterator[Figure]:
    """Yield the seconds and the memory of the whole list as each kind of file."""
    everything = ListFilter()
    with using(url):
        with read_scope() as session:
            who = get_owner_principal(session)
        ids = list_export.list_ids(who, everything, Sort())
        for kind, file_type in FILE_TYPES.items():

            def export(some: Sequence[int], write: Writer = file_type.write) -> int:
                batches = list_export.read_batches(who, some, everything)
                return sum(len(part) for part in write(list_export.COLUMNS, batches))

            began = process_time()
            size = export(ids)
            name = f"Export of {many:,} as {kind}"
            yield Figure(f"{name}: CPU of the web process", process_time() - began, "s")
            yield Figure(f"{name}: size", size / 1e6, "MB")
            tracemalloc.start()  # it makes all else slow, and each batch needs the same
            export(ids[: 10 * list_export.BATCH])
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            yield Figure(f"{name}: most memory", peak / 1e6, "MB")


def _pages(small: str, large: str, many: int, times: int) -> Iterator[Figure]:
    questions = {"products": _product_queries(times)}
    with ExitStack() as stack:
        webs = []
        for url in (small, large):
            with using(url):
                webs.append(stack.enter_context(running_web()))
        for page, queries in questions.items():
            of_few, of_many = _opened(webs, page, queries)
            value, floor = median(of_many) * 1000, median(of_few) * 1000
            name = f"{page.capitalize()} page of {many:,}"
            yield Figure(
                name, value, "ms", min(of_many) * 1000, floor, f"of {FEW:,}", target=TARGET_MS
            )
            yield Figure(f"{name}, against {FEW:,}", value / floor, "×", target=TARGET_RATIO)


def _opened(webs: list[Web], page: str, queries: list[str]) -> tuple[list[float], list[float]]:
    """Return the seconds of each page on either process, in turns."""
    found: tuple[list[float], list[float]] = ([], [])
    for web in webs:
        open_each(web.pages, page, [""] * 3)  # the first runs load modules
    for query in queries:
        for web, seconds in zip(webs, found, strict=True):
            load = open_each(web.pages, page, [query])
            load.raise_errors()
            seconds += [run.seconds for run in load.runs]
    return found


def _product_queries(times: int) -> list[str]:
    """Return questions none of which is asked twice, so that none is answered from memory."""
    labels = [quote_plus(label) for label in SORTS]
    sorts = [f"sort={label}&page={page + 1}" for label in labels for page in range(times)]
    words = [f"{first}+{second}" for first in FIRST_WORDS[:3] for second in SECOND_WORDS[:times]]
    return sorts + [f"search={word}" for word in [*words, "lamp", "kettle", "B00000"]]
