"""The one place that talks to Apify, against every fault a server can have."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apify_client.http_clients import ImpitHttpClient

from core.demo.fake_apify.server import NO_CREDIT_TOKEN
from core.scraping.runs.apify import (
    Apify,
    ApifyAccess,
    NoCreditError,
    RefusedError,
    SlowDownError,
    StartUnclearError,
    TokenError,
    UnreachableError,
    UnreadableError,
)
from core.upkeep.health import WORKER_OFFLINE_AFTER
from tests.fake_apify import RunningFakeApify, running_fake_apify

ACTOR = "axesso_data/amazon-product-details-scraper"
INPUT = {"urls": [f"https://www.amazon.com/dp/B0DEMO01{n:02d}" for n in range(1, 6)]}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningFakeApify]:
    with running_fake_apify(run_seconds=0.0) as running:
        yield running


@pytest.fixture
def fake_apify(server: RunningFakeApify) -> RunningFakeApify:
    server.reset()
    return server


@pytest.fixture
def apify(fake_apify: RunningFakeApify) -> Apify:
    return client(fake_apify)


def client(fake_apify: RunningFakeApify, token: str | None = None, **options: object) -> Apify:
    usual: dict[str, object] = {"retries": 0, "timeout": timedelta(seconds=120)}
    return Apify(ApifyAccess(token or fake_apify.token, fake_apify.url, **(usual | options)))


Asking = Callable[[Apify], object]
LOOKING: dict[str, Asking] = {
    "get_run": lambda apify: apify.get_run("run1"),
    "list_runs": lambda apify: list(apify.list_runs_since(ACTOR, LONG_AGO)),
    "list_items": lambda apify: apify.list_items("set1", 0, 10),
    "get_user": lambda apify: apify.check_account(),
}


def test_a_run_is_started_polled_and_read(apify: Apify, fake_apify: RunningFakeApify) -> None:
    started = apify.start_run(ACTOR, INPUT)
    seen = apify.get_run(started.id)
    assert seen is not None
    assert (seen.status, seen.has_ended, seen.dataset_id) == (
        "SUCCEEDED",
        True,
        started.dataset_id,
    )
    assert seen.finished_at is not None
    assert seen.finished_at.tzinfo is not None
    assert seen.cost_usd is not None
    assert apify.get_input(seen) == INPUT
    assert fake_apify.stats()["runs_started"] == 1


def test_a_data_set_is_read_in_pages_that_end(apify: Apify) -> None:
    started = apify.start_run(ACTOR, INPUT)
    offset: int | None = 0
    sizes = []
    while offset is not None:
        page = apify.list_items(started.dataset_id, offset, 2)
        sizes.append(len(page.items))
        offset = page.next_offset
    assert sizes == [2, 2, 1]


def test_an_empty_data_set_is_one_empty_page(apify: Apify, fake_apify: RunningFakeApify) -> None:
    fake_apify.fail_next("empty_dataset")
    page = apify.list_items(apify.start_run(ACTOR, INPUT).dataset_id, 0, 10)
    assert (page.items, page.next_offset) == ([], None)


def test_runs_come_newest_first_and_only_those_since(apify: Apify) -> None:
    ids = [
        apify.start_run(ACTOR, {"urls": [f"https://www.amazon.com/dp/B0DEMO010{n}"]}).id
        for n in (1, 2)
    ]
    assert [run.id for run in apify.list_runs_since(ACTOR, LONG_AGO)] == ids[::-1]
    assert list(apify.list_runs_since(ACTOR, datetime.now(UTC) + timedelta(minutes=1))) == []


def test_a_run_apify_does_not_know_is_none(apify: Apify) -> None:
    assert apify.get_run("unknown") is None


def test_the_account_proves_the_token(apify: Apify) -> None:
    assert apify.check_account() != ""


def test_a_wrong_token_has_its_own_error(fake_apify: RunningFakeApify) -> None:
    wrong = client(fake_apify, "wrong")
    for ask in (lambda: wrong.start_run(ACTOR, INPUT), wrong.check_account):
        with pytest.raises(TokenError, match="APIFY_TOKEN"):
            ask()
    assert fake_apify.stats()["runs_started"] == 0


def test_an_account_without_credit_has_its_own_error(fake_apify: RunningFakeApify) -> None:
    with pytest.raises(NoCreditError, match="credit"):
        client(fake_apify, NO_CREDIT_TOKEN).start_run(ACTOR, INPUT)


@pytest.mark.parametrize(
    ("fault", "error", "runs"),
    [
        ("http_429", SlowDownError, 0),
        ("no_credit", NoCreditError, 0),
        ("http_500", StartUnclearError, 0),
        ("drop_connection", StartUnclearError, 0),
        ("lost_answer", StartUnclearError, 1),
        ("garbage_json", StartUnclearError, 1),
    ],
)
def test_a_failed_start_states_whether_it_is_certain(
    apify: Apify, fake_apify: RunningFakeApify, fault: str, error: type[Exception], runs: int
) -> None:
    fake_apify.fail_next(fault, operation="start_run")
    with pytest.raises(error):
        apify.start_run(ACTOR, INPUT)
    stats = fake_apify.stats()
    assert (stats["runs_started"], stats["operations"]["start_run"]) == (runs, 1)


def test_a_start_is_never_repeated_even_by_a_patient_client(fake_apify: RunningFakeApify) -> None:
    fake_apify.fail_next("http_500", operation="start_run")
    with pytest.raises(StartUnclearError):
        client(fake_apify, retries=4).start_run(ACTOR, INPUT)
    assert fake_apify.stats()["operations"]["start_run"] == 1


def test_a_start_that_is_not_answered_in_time_is_unclear(fake_apify: RunningFakeApify) -> None:
    fake_apify.fail_next("slow", operation="start_run", seconds=3)
    with pytest.raises(StartUnclearError):
        client(fake_apify, timeout=timedelta(seconds=0.3)).start_run(ACTOR, INPUT)


def test_a_slow_answer_is_an_answer(apify: Apify, fake_apify: RunningFakeApify) -> None:
    fake_apify.fail_next("slow", operation="start_run", seconds=0.2)
    assert apify.start_run(ACTOR, INPUT).id


def test_a_machine_that_is_not_there_certainly_started_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    nowhere = Apify(ApifyAccess("token", f"http://127.0.0.1:{port}", retries=0))
    with pytest.raises(UnreachableError):
        nowhere.start_run(ACTOR, INPUT)


@pytest.mark.parametrize("operation", LOOKING)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("http_429", SlowDownError),
        ("no_credit", NoCreditError),
        ("http_500", UnreachableError),
        ("drop_connection", UnreachableError),
    ],
)
def test_a_failed_request_states_the_reason(
    apify: Apify, fake_apify: RunningFakeApify, operation: str, fault: str, error: type[Exception]
) -> None:
    fake_apify.fail_next(fault, operation=operation)
    with pytest.raises(error):
        LOOKING[operation](apify)


@pytest.mark.parametrize("operation", ["get_run", "list_runs", "list_items"])
def test_an_answer_that_is_no_json_is_unreadable(
    apify: Apify, fake_apify: RunningFakeApify, operation: str
) -> None:
    run = apify.start_run(ACTOR, INPUT)
    asking = LOOKING | {
        "get_run": lambda apify: apify.get_run(run.id),
        "list_items": lambda apify: apify.list_items(run.dataset_id, 0, 10),
    }
    fake_apify.fail_next("garbage_json", operation=operation)
    with pytest.raises(UnreadableError):
        asking[operation](apify)


def test_a_question_is_asked_again_by_a_patient_client(fake_apify: RunningFakeApify) -> None:
    fake_apify.fail_next("http_500", operation="get_user")
    assert client(fake_apify, retries=2).check_account()


def test_further_attempts_do_not_wait_longer_than_the_first(
    fake_apify: RunningFakeApify, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts: list[float] = []
    send = ImpitHttpClient.send_request

    def note_timeout(self: ImpitHttpClient, *, timeout: float, **given: Any) -> Any:
        timeouts.append(timeout)
        return send(self, timeout=timeout, **given)

    monkeypatch.setattr(ImpitHttpClient, "send_request", note_timeout)
    impatient = client(fake_apify, retries=2, read_timeout=timedelta(seconds=0.5))
    fake_apify.fail_next("slow", operation="list_items", seconds=600, times=3)
    with pytest.raises(UnreachableError):
        LOOKING["list_items"](impatient)
    assert timeouts == [0.5] * 3


def test_a_server_that_hangs_is_given_up_before_the_worker_seems_dead() -> None:
    access = ApifyAccess("token")
    assert access.read_timeout * (access.retries + 1) * 1.5 < WORKER_OFFLINE_AFTER


def test_a_data_set_that_is_gone_is_refused(apify: Apify) -> None:
    with pytest.raises(RefusedError):
        apify.list_items("gone", 0, 10)


@pytest.mark.parametrize("token", ["two\nlines", "naïve", "\u200b", " "])
def test_a_token_that_can_not_be_sent_is_a_token_error(
    fake_apify: RunningFakeApify, token: str
) -> None:
    with pytest.raises(TokenError):
        client(fake_apify, token).start_run(ACTOR, INPUT)
    assert fake_apify.stats()["runs_started"] == 0
