"""Signing in: its time for known and unknown addresses, and pages under a flood of attempts."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from statistics import median
from typing import Any
from unittest.mock import patch

from benchmarks.figures import Figure, interleaved
from benchmarks.load import Load, walk
from benchmarks.rows import build_history, history_asin
from benchmarks.servers import Server
from benchmarks.sign_in import address_of, flood
from benchmarks.web import Web, running_web
from core.accounts.access.credentials import hash_password
from core.accounts.models import Person
from core.accounts.people.membership import get_owner_principal
from core.database.session import write_scope

PASSWORD = "the right one of the benchmark"
PLACES = 10_000  # more addresses than one flood comes from: each is let try so often only
AT_ONCE = 16  # browsers that try passwords
PRODUCTS = 40
RATIO = 1.25
SLOWER = 2.0


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the ratio of unknown to wrong, then the pages' time in a flood against quiet."""
    with server.database("history", lambda: build_history(PRODUCTS)):
        yield from _unknown_or_wrong(rounds=60 if quick else 300)
        with running_web() as web:
            yield from _pages_in_a_flood(web, passes=2 if quick else 6)


def _unknown_or_wrong(rounds: int) -> Iterator[Figure]:
    """Try an unknown address and a wrong password in turns, each address once."""
    from app.auth import login, session  # they bring Streamlit along

    _make_people(rounds + 5)
    places = (address_of(number) for number in count())
    numbers = [iter(range(rounds + 5)) for _ in range(2)]

    def unknown() -> None:
        login.attempt_password(f"nobody{next(numbers[0])}@bench.example", "a wrong password")

    def wrong() -> None:
        login.attempt_password(f"person{next(numbers[1])}@bench.example", "a wrong password")

    with patch.object(session, "client_address", lambda: next(places)):
        interleaved(5, unknown, wrong)
        of_unknown, of_wrong = interleaved(rounds, unknown, wrong)
    ratio = median(of_unknown) / median(of_wrong)
    yield Figure("Sign-in: a wrong password", median(of_wrong) * 1000, "ms", min(of_wrong) * 1000)
    yield Figure("Sign-in: an unknown person, against a wrong password", ratio, "×", target=RATIO)
    yield Figure(
        "Sign-in: a wrong password, against an unknown person", 1 / ratio, "×", target=RATIO
    )


def _make_people(number: int) -> None:
    password_hash = hash_password(PASSWORD)
    with write_scope() as session:
        team_id = get_owner_principal(session).team_id
        session.add_all(
            Person(
                team_id=team_id,
                name=f"Person {each}",
                mail=f"person{each}@bench.example",
                password_hash=password_hash,
            )
            for each in range(number)
        )


def _pages_in_a_flood(web: Web, passes: int) -> Iterator[Figure]:
    """Walk the product page quietly and in a flood, in turns."""
    _walk(web)
    quiet: list[float] = []
    flooded: list[float] = []
    attempts, seconds = 0, 0.0
    for number in range(passes):
        quiet += _seconds(_walk(web))
        with _flood(web, number * PLACES) as tried:
            began = time.monotonic()
            flooded += _seconds(_walk(web))
            seconds += time.monotonic() - began
        attempts += tried[0]
    value, floor = median(flooded) * 1000, median(quiet) * 1000
    yield Figure("Flood: attempts to sign in", attempts / seconds, "/s")
    yield Figure("Product page in the flood", value, "ms", min(flooded) * 1000, floor, "quiet")
    yield Figure("Product page in the flood, against quiet", value / floor, "×", target=SLOWER)


def _walk(web: Web) -> Load:
    queries = [f"marketplace=US&asin={history_asin(each)}&days=365" for each in range(PRODUCTS)]
    (load,) = walk(web.pages, "product", [queries])
    load.raise_errors()
    return load


def _seconds(load: Load) -> list[float]:
    return [run.seconds for run in load.runs]


@contextmanager
def _flood(web: Web, first_place: int) -> Iterator[list[int]]:
    """Flood the sign-in page from another process; the list holds the attempts afterwards."""
    context = multiprocessing.get_context("spawn")
    begun, ended = context.Event(), context.Event()
    tried: Any = context.Queue()
    given = (web.pages.url, AT_ONCE, first_place, begun, ended, tried.put)
    process = context.Process(target=flood, args=given)
    process.start()
    found: list[int] = []
    try:
        if not begun.wait(60):
            raise RuntimeError("The flood did not begin.")
        yield found
    finally:
        ended.set()
        process.join(60)
    if process.exitcode != 0:
        raise RuntimeError("The flood broke off; it has said why.")
    found.append(tried.get())
