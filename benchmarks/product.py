"""The product page with a year of hours: bytes, CPU, and many people at once."""

from collections.abc import Iterator, Sequence
from statistics import fmean, median
from urllib.parse import quote_plus

from app import keys
from benchmarks.browser import first_load_bytes
from benchmarks.figures import Figure, percentile
from benchmarks.history import history_size
from benchmarks.load import Load, press_chips, walk
from benchmarks.rows import build_history, history_asin
from benchmarks.servers import Server
from benchmarks.web import Web, running_web
from core.history.chart.content import USUAL_SERIES, Series

SESSIONS = 20
_PRESSES = 30  # of each choice
_ALL_SERIES = "".join(f"&series={quote_plus(each)}" for each in Series)


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the figures of sessions that walk all products once cold and once warm."""
    products = history_size(quick)
    build = server.shared("history", lambda: build_history(products))
    with build, running_web() as web:
        one = min(products, 40) // 2
        usual_cpu, warm_cpu, alone = _cpu_of_one_tab(web, range(one))
        yield from _cpu_figures(usual_cpu, warm_cpu, alone)
        yield _chip_figure(web)
        cold_cpu, _, loads = _cpu_of_one_tab(web, range(one), _ALL_SERIES)
        yield from _figures_of_all_series(cold_cpu, alone[0], loads[0])
        cold, warm = walk(web.pages, "product", _walks(range(one, products)), passes=2)
        yield from _load_figures("cold", cold, usual_cpu)
        yield from _load_figures("warm", warm, warm_cpu)
        wire = first_load_bytes(web.pages, f"/product?{_query(0)}")
    if wire is not None:
        yield Figure("First load in a browser", wire / 1e6, "MB over the wire", target=2.6)


def _query(number: int, more: str = "") -> str:
    return f"marketplace=US&asin={history_asin(number)}&days=365{more}"


def _walks(numbers: range) -> list[list[str]]:
    """Return which products each session walks: all of them together, each once."""
    return [[_query(number) for number in numbers[start::SESSIONS]] for start in range(SESSIONS)]


def _cpu_of_one_tab(
    web: Web, numbers: range, more: str = ""
) -> tuple[float, float, Sequence[Load]]:
    """Return the CPU milliseconds of a rerun, cold and warm, without what rest costs."""
    queries = [_query(number, more) for number in numbers]
    found, loads = [], []
    walk(web.pages, "product", [[_query(numbers[-1] + 1)]])  # whatever is loaded at the first run
    idle = web.idle_share()
    for _ in range(2):
        before = web.cpu_seconds()
        (load,) = walk(web.pages, "product", [queries])
        load.raise_errors()
        used = web.cpu_seconds() - before - idle * load.seconds
        found.append(used / (len(load.runs) + 1) * 1000)  # the run that opens the session, too
        loads.append(load)
    return found[0], found[1], loads


def _cpu_figures(cold: float, warm: float, loads: Sequence[Load]) -> Iterator[Figure]:
    charts = max(run.chart_bytes for run in loads[0].runs)
    if charts == 0:
        raise RuntimeError("The product page shows no chart: there is nothing to measure.")
    yield Figure("Product page: charts", charts / 1000, "kB", target=120)
    yield Figure("Product page: CPU of a rerun, cold frames", cold, "ms", target=25)
    yield Figure("Product page: CPU of a rerun, warm frames", warm, "ms", target=12)
    for name, load in zip(("cold", "warm"), loads, strict=True):
        seconds = [run.seconds * 1000 for run in load.runs]
        yield Figure(f"Product page: one tab, {name}", median(seconds), "ms", best=min(seconds))


def _chip_figure(web: Web) -> Figure:
    """Return the CPU of a pressed chip, which draws the chart alone; it was drawn before."""
    usual = sorted(USUAL_SERIES)
    choices = [usual[1:], usual]
    press_chips(web.pages, "product", _query(0), keys.SERIES, choices)
    idle, before = web.idle_share(), web.cpu_seconds()
    opened = press_chips(web.pages, "product", _query(0), keys.SERIES, [])
    opening = web.cpu_seconds() - before - idle * opened.seconds
    before = web.cpu_seconds()
    load = press_chips(web.pages, "product", _query(0), keys.SERIES, choices * _PRESSES)
    load.raise_errors()
    used = web.cpu_seconds() - before - idle * load.seconds - opening
    name = "Product page: CPU of a pressed chip, warm"
    return Figure(name, used / len(load.runs) * 1000, "ms", target=12)


def _figures_of_all_series(cold: float, usual: Load, everything: Load) -> Iterator[Figure]:
    yield Figure("Product page: CPU, cold, all series", cold, "ms", target=40)
    more = max(run.chart_bytes for run in everything.runs) - max(
        run.chart_bytes for run in usual.runs
    )
    further = len(Series) - len(USUAL_SERIES)
    yield Figure("Product page: a further series", more / further / 1000, "kB", target=25)


def _load_figures(name: str, load: Load, cpu: float) -> Iterator[Figure]:
    """Yield the figures of many sessions. `cpu`: milliseconds of such a rerun without others."""
    load.raise_errors()
    seconds = [run.seconds * 1000 for run in load.runs]
    title = f"Product page: {SESSIONS} sessions, {name}"
    yield Figure(title, load.per_second, "reruns/s", more_is_better=True)
    used = load.per_second * cpu / 1000
    yield Figure(f"{title}, times CPU", used, "cores", target=0.9, more_is_better=True)
    slowest = percentile(seconds, 95)
    yield Figure(f"{title}, p95", slowest, "ms", best=percentile(seconds, 50))
    yield Figure(f"{title}, p95 to mean", slowest / fmean(seconds), "×", target=1.6)
