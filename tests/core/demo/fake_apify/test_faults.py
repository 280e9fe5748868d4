"""Each fault as the real client meets it, and how faults wait for their request."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.error import HTTPError

import impit
import pytest
from apify_client import ApifyClient
from apify_client.errors import ApifyApiError, RateLimitError, ServerError

from core.demo.fake_apify.faults import Fault, FaultKind, FaultScript, read_fault
from core.errors import InvalidInputError
from core.history.observation import Failure, Outcome, Seen
from core.scraping.parsers import axesso, junglee
from core.scraping.parsers.identity import RequestedProduct
from tests import loops
from tests.core.demo.fake_apify.test_server import (
    AXESSO,
    JUNGLEE,
    MARKET,
    URLS,
    client_of,
    finished_run,
    items_of,
)
from tests.fake_apify import RunningFakeApify, running_fake_apify

# In stock at any time would be luck: faults of values are tried on what has a price.
PRICED = [url for url in URLS if "/B0DEMO01" in url or "/B0DEMO04" in url]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningFakeApify]:
    with running_fake_apify(MARKET, run_seconds=0.02) as running:
        yield running


@pytest.fixture
def fake_apify(server: RunningFakeApify) -> RunningFakeApify:
    server.reset()
    return server


@pytest.fixture
def client(fake_apify: RunningFakeApify) -> ApifyClient:
    return client_of(fake_apify)


def start(client: ApifyClient) -> Any:
    return client.actor(AXESSO).start(run_input={"urls": URLS})


def test_slow_down_is_answered_with_the_time_to_wait(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    fake_apify.fail_next("http_429", retry_after=7)
    request = urllib.request.Request(
        fake_apify.url + "/v2/users/me", headers={"authorization": f"Bearer {fake_apify.token}"}
    )
    with pytest.raises(HTTPError, match="429") as refused:
        urllib.request.urlopen(request, timeout=120)
    assert refused.value.headers["retry-after"] == "7"
    fake_apify.fail_next("http_429")
    with pytest.raises(RateLimitError):
        start(client)
    assert fake_apify.stats()["runs_started"] == 0


def test_the_client_tries_again_after_a_slow_down(fake_apify: RunningFakeApify) -> None:
    fake_apify.fail_next("http_429", operation="start_run", retry_after=0)
    patient = ApifyClient(fake_apify.token, api_url=fake_apify.url, max_retries=2)
    assert start(patient).status == "READY"
    assert fake_apify.stats()["operations"]["start_run"] == 2


def test_a_broken_server_starts_nothing(fake_apify: RunningFakeApify, client: ApifyClient) -> None:
    fake_apify.fail_next("http_500")
    with pytest.raises(ServerError):
        start(client)
    assert fake_apify.stats()["runs_started"] == 0


def test_no_credit_is_status_402(fake_apify: RunningFakeApify, client: ApifyClient) -> None:
    fake_apify.fail_next("no_credit", operation="start_run")
    with pytest.raises(ApifyApiError) as refused:
        start(client)
    assert refused.value.status_code == 402


def test_a_dropped_connection_starts_nothing(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    fake_apify.fail_next("drop_connection")
    with pytest.raises(impit.HTTPError):
        start(client)
    assert fake_apify.stats()["runs_started"] == 0
    assert start(client).status == "READY"


def test_a_lost_answer_leaves_a_run_that_can_be_found_by_its_input(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    fake_apify.fail_next("lost_answer", operation="start_run")
    with pytest.raises(impit.HTTPError):
        start(client)
    assert fake_apify.stats()["runs_started"] == 1
    lost = client.actor(AXESSO).runs().list(desc=True).items[0]
    record = client.key_value_store(lost.default_key_value_store_id).get_record("INPUT")
    assert record is not None
    assert record["value"] == {"urls": URLS}


def test_a_slow_answer_outlasts_a_short_patience(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    fake_apify.fail_next("slow", seconds=30)
    with pytest.raises(impit.TimeoutException):
        client.user().get(timeout=timedelta(seconds=0.2))


def test_garbage_is_no_json(fake_apify: RunningFakeApify, client: ApifyClient) -> None:
    run = finished_run(client)
    fake_apify.fail_next("garbage_json", operation="list_items")
    with pytest.raises(ValueError, match="could not be parsed"):
        items_of(client, run)
    assert len(items_of(client, run)) == len(URLS)


@pytest.mark.parametrize(
    ("kind", "status", "count"),
    [
        ("run_failed", "FAILED", 0),
        ("run_timed_out", "TIMED-OUT", len(URLS) // 2),
        ("empty_dataset", "SUCCEEDED", 0),
        ("partial_dataset", "SUCCEEDED", len(URLS) // 4),
        ("duplicate_items", "SUCCEEDED", 2 * len(URLS)),
    ],
)
def test_a_faulty_run_reports_it_and_delivers_too_few_or_too_many_items(
    fake_apify: RunningFakeApify, client: ApifyClient, kind: str, status: str, count: int
) -> None:
    fake_apify.fail_next(kind, share=0.25)
    run = finished_run(client)
    assert run.status == status
    assert len(items_of(client, run)) == count
    assert finished_run(client).status == "SUCCEEDED"


def test_a_partial_data_set_is_reported_in_the_runs_message(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    fake_apify.fail_next("partial_dataset", share=0.25)
    assert finished_run(client).status_message == f"Crawled 9/{len(URLS)} pages."


def test_a_run_that_never_finishes_stays_running(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    fake_apify.fail_next("never_finishes")
    run = client.run(start(client).id).wait_for_finish(wait_duration=timedelta(seconds=1))
    assert run is not None
    assert run.status == "RUNNING"


def read(item: dict[str, Any], url: str, actor: str, at: Any) -> Any:
    parse = junglee.parse_item if actor == JUNGLEE else axesso.parse_item
    marketplace = "US" if "amazon.com" in url else "DE"
    return parse(item, RequestedProduct(marketplace, url[-10:]), at)


@pytest.mark.parametrize("actor", [AXESSO, JUNGLEE])
@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("blocked_items", Outcome.BLOCKED), ("redirected_items", Outcome.REDIRECTED_ASIN)],
)
def test_pages_without_values_are_read_as_failures(
    fake_apify: RunningFakeApify, client: ApifyClient, actor: str, kind: str, outcome: Outcome
) -> None:
    fake_apify.fail_next(kind)
    run = finished_run(client, PRICED, actor)
    for item, url in zip(items_of(client, run), PRICED, strict=True):
        failure = read(item, url, actor, run.finished_at)
        assert isinstance(failure, Failure)
        assert failure.outcome is outcome


@pytest.mark.parametrize("actor", [AXESSO, JUNGLEE])
def test_pages_that_are_gone_are_read_as_not_found(
    fake_apify: RunningFakeApify, client: ApifyClient, actor: str
) -> None:
    fake_apify.fail_next("not_found_items", asins=["B0DEMO0101"])
    run = finished_run(client, PRICED, actor)
    observations = [
        read(item, url, actor, run.finished_at)
        for item, url in zip(items_of(client, run), PRICED, strict=True)
    ]
    gone = [
        observation.asin for observation in observations if observation.outcome is Outcome.NOT_FOUND
    ]
    assert gone == ["B0DEMO0101"]


def test_an_empty_asin_is_no_observation(fake_apify: RunningFakeApify, client: ApifyClient) -> None:
    fake_apify.fail_next("asin_empty")
    run = finished_run(client, PRICED)
    for item, url in zip(items_of(client, run), PRICED, strict=True):
        assert item["asin"] == ""
        assert isinstance(read(item, url, AXESSO, run.finished_at), Failure)


def test_null_details_leave_the_rank_unknown(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    fake_apify.fail_next("null_product_details")
    item = items_of(client, finished_run(client, PRICED))[0]
    assert item["productDetails"] is None


def observations_with(
    fake_apify: RunningFakeApify, client: ApifyClient, kind: str, actor: str = AXESSO
) -> list[Any]:
    """Return the parsed item of every page when an actor has this fault."""
    fake_apify.fail_next(kind)
    run = finished_run(client, PRICED, actor)
    pages = zip(items_of(client, run), PRICED, strict=True)
    return [read(item, url, actor, run.finished_at) for item, url in pages]


def test_ranks_as_a_list_are_those_of_the_text(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    run = finished_run(client, PRICED)
    items = items_of(client, run)
    expected = [
        [(rank.category, rank.rank > 0) for rank in read(item, url, AXESSO, run.finished_at).ranks]
        for item, url in zip(items, PRICED, strict=True)
    ]
    listed = observations_with(fake_apify, client, "listed_ranks")
    assert [
        [(rank.category, rank.rank > 0) for rank in observation.ranks] for observation in listed
    ] == expected
    assert any(expected)


def test_a_used_offer_is_no_price(fake_apify: RunningFakeApify, client: ApifyClient) -> None:
    for observation in observations_with(fake_apify, client, "only_used"):
        assert observation.price is None
        assert observation.used_price is not None
        assert observation.outcome in (Outcome.NO_FEATURED_OFFER, Outcome.UNAVAILABLE)


def test_an_answer_without_asin_and_title_is_no_product_page(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    outcomes = {
        observation.outcome
        for observation in observations_with(fake_apify, client, "not_a_product")
    }
    assert outcomes == {Outcome.NOT_A_PRODUCT_PAGE}


def test_an_overview_has_neither_stock_nor_rank(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    for observation in observations_with(fake_apify, client, "overview", JUNGLEE):
        assert observation.availability is None
        assert not observation.seen & (Seen.BSR | Seen.AVAILABILITY | Seen.SELLER)
        assert observation.ratings_count is not None


@pytest.mark.parametrize("kind", ["price_zero", "price_times_100", "wrong_currency"])
@pytest.mark.parametrize("actor", [AXESSO, JUNGLEE])
def test_prices_slip(
    fake_apify: RunningFakeApify, client: ApifyClient, actor: str, kind: str
) -> None:
    true = items_of(client, finished_run(client, PRICED, actor))
    fake_apify.fail_next(kind)
    slipped = items_of(client, finished_run(client, PRICED, actor))
    prices = [(a["price"], b["price"]) for a, b in zip(true, slipped, strict=True) if a["price"]]
    assert prices
    for before, after in prices:
        if kind == "wrong_currency" and actor == JUNGLEE:
            assert after == {**before, "currency": "C$"}
            continue
        if actor == JUNGLEE:
            before, after = before["value"], after["value"]
        factor = {"price_zero": 0, "price_times_100": 100, "wrong_currency": 7}[kind]
        assert after == pytest.approx(before * factor)


def test_a_fault_waits_for_its_operation_skips_and_counts() -> None:
    fault = Fault(FaultKind.HTTP_500, operation="get_run", times=2, skip=1)
    asked = ["list_items", "get_run", "get_run", "start_run", "get_run", "get_run"]
    assert [fault.take_request(operation) for operation in asked] == [
        False, False, True, False, True, False,
    ]  # fmt: skip


def test_a_probable_fault_falls_alike_with_the_same_seed() -> None:
    def falls(seed: int) -> list[bool]:
        fault = Fault(FaultKind.HTTP_429, times=None, probability=0.3, seed=seed)
        return [fault.take_request("get_run") for _ in range(200)]

    assert falls(1) == falls(1)
    assert falls(1) != falls(2)
    assert 30 < sum(falls(1)) < 90


def test_faults_of_a_run_always_wait_for_its_start() -> None:
    assert Fault(FaultKind.RUN_FAILED, operation="get_run").operation == "start_run"


def test_used_up_faults_are_forgotten() -> None:
    script = FaultScript()
    script.add_fault(Fault(FaultKind.HTTP_500))
    script.add_fault(Fault(FaultKind.SLOW))
    assert len(script.take_faults("get_run")) == 2
    assert script.take_faults("get_run") == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "no such kind"},
        {"kind": "http_500", "unknown": 1},
        {"kind": "http_500", "operation": "no_such"},
        {"kind": "http_500", "asins": 3},
        {"kind": "http_500", "times": "twice"},
        {"kind": "http_500", "probability": None},
        {"kind": "http_500", "seconds": -1},
        {"kind": "http_500", "skip": True},
        {"kind": "http_500", "_dice": 1},
        {"kind": []},
    ],
)
def test_a_fault_that_is_none_is_refused_with_the_kinds_there_are(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="No such"):
        read_fault(body)


@pytest.mark.parametrize("body", ["[1]", "{", '{"kind": "x"}', '"text"', "null"])
def test_the_url_for_faults_refuses_nonsense(fake_apify: RunningFakeApify, body: str) -> None:
    request = urllib.request.Request(fake_apify.url + "/control/faults", data=body.encode())
    with pytest.raises(HTTPError, match="400") as refused:
        urllib.request.urlopen(request, timeout=120)
    assert json.load(refused.value)["error"]["type"] == "invalid-input"


def test_faults_are_scripted_only_from_the_same_machine(fake_apify: RunningFakeApify) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"kind": "http_500"}'}

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/control/faults",
        "headers": [],
        "query_string": b"",
        "client": ("192.0.2.7", 50_000),
    }
    loops.run(lambda: fake_apify.app(scope, receive, send))
    assert sent[0]["status"] == 403
    assert fake_apify.app.script.take_faults("get_run") == []
