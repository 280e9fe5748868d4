"""The fake Apify server, used by the real Apify client over a real connection."""

import gzip
import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError

import pytest
from apify_client import ApifyClient
from apify_client.errors import ApifyApiError, NotFoundError, UnauthorizedError

from core.catalog.asin import product_url
from core.demo.fake_apify.run_store import RunStore
from core.demo.fake_apify.server import NO_CREDIT_TOKEN
from core.demo.market.market import Market
from core.history.observation import Observation
from core.scraping.parsers import axesso
from core.scraping.parsers.identity import RequestedProduct
from tests.factories.market import observe
from tests.fake_apify import RunningFakeApify, running_fake_apify

AXESSO = "axesso_data/amazon-product-details-scraper"
JUNGLEE = "junglee/Amazon-crawler"
MARKET = Market(seed=1)
URLS = [
    product_url(product.marketplace, product.asin)
    for product in MARKET.products
    if product.asin[-2:] in ("01", "02", "03")
]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningFakeApify]:
    with running_fake_apify(MARKET, run_seconds=0.05) as running:
        yield running


@pytest.fixture
def fake_apify(server: RunningFakeApify) -> RunningFakeApify:
    server.reset()
    return server


@pytest.fixture
def client(fake_apify: RunningFakeApify) -> ApifyClient:
    return client_of(fake_apify)


def client_of(fake_apify: RunningFakeApify, token: str | None = None) -> ApifyClient:
    return ApifyClient(token or fake_apify.token, api_url=fake_apify.url, max_retries=0)


def finished_run(client: ApifyClient, urls: list[str] = URLS, actor: str = AXESSO) -> Any:
    run_input: dict[str, Any] = {"urls": urls}
    if actor == JUNGLEE:
        run_input = {"categoryOrProductUrls": [{"url": url} for url in urls]}
    started = client.actor(actor).start(run_input=run_input)
    return client.run(started.id).wait_for_finish(wait_duration=timedelta(seconds=10))


def items_of(client: ApifyClient, run: Any) -> list[dict[str, Any]]:
    return client.dataset(run.default_dataset_id).list_items().items


def test_a_run_is_started_waited_for_and_read_page_by_page(client: ApifyClient) -> None:
    started = client.actor(AXESSO).start(run_input={"urls": URLS})
    assert started.status == "READY"
    assert started.finished_at is None
    run = client.run(started.id).wait_for_finish(wait_duration=timedelta(seconds=10))
    assert run is not None
    assert run.status == "SUCCEEDED"
    assert run.finished_at is not None
    assert run.usage_total_usd == pytest.approx(0.004 * len(URLS))
    pages = [
        client.dataset(run.default_dataset_id).list_items(offset=offset, limit=10)
        for offset in range(0, len(URLS), 10)
    ]
    assert {page.total for page in pages} == {len(URLS)}
    assert [item["url"] for page in pages for item in page.items] == URLS
    everything = client.dataset(run.default_dataset_id).iterate_items(chunk_size=7)
    assert [item["url"] for item in everything] == URLS


def test_items_show_the_market_when_the_run_finished(client: ApifyClient) -> None:
    run = finished_run(client)
    product = MARKET.products[0]
    item = items_of(client, run)[0]
    seen = axesso.parse_item(
        item, RequestedProduct(product.marketplace, product.asin), run.finished_at
    )
    assert seen == observe(MARKET, product, run.finished_at)


def test_the_input_of_a_run_can_be_read_again(client: ApifyClient) -> None:
    run = finished_run(client)
    record = client.key_value_store(run.default_key_value_store_id).get_record("INPUT")
    assert record is not None
    assert record["value"] == {"urls": URLS}
    assert client.key_value_store(run.default_key_value_store_id).get_record("OUTPUT") is None


def test_runs_are_listed_newest_first_of_their_own_actor(client: ApifyClient) -> None:
    ids = [client.actor(AXESSO).start(run_input={"urls": [url]}).id for url in URLS[:3]]
    client.actor(JUNGLEE).start(run_input={"categoryOrProductUrls": []})
    listed = client.actor(AXESSO).runs().list(desc=True, limit=2)
    assert listed.total == 3
    assert [run.id for run in listed.items] == [ids[2], ids[1]]
    further = client.actor(AXESSO).runs().list(desc=True, offset=2)
    assert [run.id for run in further.items] == [ids[0]]
    assert client.runs().list().total == 4


def test_ids_are_never_given_twice_even_after_a_restart() -> None:
    books = [RunStore(lambda: datetime.now(UTC), run_seconds=1) for _ in range(2)]
    ids = [book.start_run("a~b", b"{}", "application/json", "", []).id for book in books * 2]
    assert len(set(ids)) == 4
    assert {len(run_id) for run_id in ids} == {17}


def test_a_run_that_goes_on_can_be_aborted(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    fake_apify.fail_next("never_finishes")
    run = client.actor(AXESSO).start(run_input={"urls": URLS})
    assert client.run(run.id).abort().status == "ABORTED"
    assert items_of(client, run) == []


def test_time_is_the_given_clocks() -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    with running_fake_apify(MARKET, run_seconds=60, clock=lambda: now[0]) as fake_apify:
        client = client_of(fake_apify)
        run = client.actor(AXESSO).start(run_input={"urls": URLS})
        states = []
        for seconds in (5, 30, 61):
            now[0] = run.started_at + timedelta(seconds=seconds)
            states.append(client.run(run.id).get())
    assert [state.status for state in states if state] == ["READY", "RUNNING", "SUCCEEDED"]
    assert states[2] is not None
    assert states[2].finished_at == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)


def test_junglee_is_asked_and_answers_in_its_own_way(client: ApifyClient) -> None:
    missing = "https://www.amazon.de/dp/B0NOTHERE1"
    run = finished_run(client, [*URLS[:1], missing], JUNGLEE)
    found, lost = items_of(client, run)
    assert found["price"]["currency"] == "$"
    assert lost == {"error": "page_not_found", "url": missing}


def test_unknown_and_foreign_pages_are_items_of_status_404(client: ApifyClient) -> None:
    urls = ["https://www.amazon.de/dp/B0NOTHERE1", "https://www.amazon.com.evil.tld/dp/B0DEMO0101"]
    items = items_of(client, finished_run(client, urls))
    assert [item["statusCode"] for item in items] == [404, 404]
    assert [item["url"] for item in items] == urls


def test_any_set_of_products_can_be_served() -> None:
    class OneShelf:
        def make_item(self, marketplace: str, asin: str, at: datetime) -> dict[str, Any]:
            return {"statusCode": 200, "asin": asin, "title": f"{marketplace} {at:%Y}"}

        make_junglee_item = make_item

    with running_fake_apify(OneShelf(), run_seconds=0) as fake_apify:
        client = client_of(fake_apify)
        run = finished_run(client, ["https://www.amazon.se/dp/B0TEST0001"])
        assert items_of(client, run)[0]["title"].startswith("SE ")


def test_the_account_is_known_by_its_token(
    fake_apify: RunningFakeApify, client: ApifyClient
) -> None:
    assert client.user().get() is not None
    finished_run(client)
    assert client.user().limits().current.monthly_usage_usd > 0
    with pytest.raises(UnauthorizedError):
        client_of(fake_apify, "another-token").user().get()
    with pytest.raises(ApifyApiError) as refused:
        client_of(fake_apify, NO_CREDIT_TOKEN).actor(AXESSO).start(run_input={})
    assert refused.value.status_code == 402


def test_an_actor_and_a_data_set_describe_themselves(client: ApifyClient) -> None:
    actor = client.actor(AXESSO).get()
    assert actor is not None
    assert (actor.username, actor.name) == tuple(AXESSO.split("/"))
    dataset = client.dataset(finished_run(client).default_dataset_id).get()
    assert dataset is not None
    assert dataset.item_count == len(URLS)


def test_what_does_not_exist_is_not_found(client: ApifyClient) -> None:
    assert client.run("run00000000000001").get() is None
    with pytest.raises(NotFoundError):
        client.dataset("set00000000000001").list_items()


def test_runs_are_counted_by_their_input(fake_apify: RunningFakeApify, client: ApifyClient) -> None:
    for urls in (URLS, URLS, URLS[:1]):
        client.actor(AXESSO).start(run_input={"urls": urls})
    stats = fake_apify.stats()
    assert sorted(stats["runs_by_input"].values()) == [1, 2]
    assert stats["runs_started"] == 3
    assert stats["operations"]["start_run"] == 3
    fake_apify.reset()
    assert fake_apify.stats()["runs_started"] == 0


def post_run(fake_apify: RunningFakeApify, body: bytes, **headers: str) -> int:
    request = urllib.request.Request(
        f"{fake_apify.url}/v2/actors/a~b/runs",
        data=body,
        headers={"authorization": f"Bearer {fake_apify.token}", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return int(response.status)
    except HTTPError as refused:
        explained = json.load(refused)["error"]
        return refused.code if explained.keys() == {"type", "message"} else 0


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b'{"urls": []}', "identity", 201),
        (gzip.compress(b'{"urls": ["https://["]}'), "gzip", 201),
        (b'{"urls": {"a": 1}}', "identity", 201),
        (b"[]", "identity", 400),
        (b"{", "identity", 400),
        (b"\xff\xfe", "identity", 400),
        (b"[" * 100_000, "identity", 400),
        (b"no gzip", "gzip", 400),
        (gzip.compress(b" " * 11_000_000), "gzip", 413),
        (b"{}", "br", 415),
    ],
)
def test_a_hostile_input_gets_an_error_body(
    fake_apify: RunningFakeApify, body: bytes, encoding: str, status: int
) -> None:
    assert post_run(fake_apify, body, **{"content-encoding": encoding}) == status


@pytest.mark.parametrize("query", ["limit=-1", "offset=x", "limit=9999999999999", "format=xml"])
def test_a_hostile_query_gets_an_error_body(
    fake_apify: RunningFakeApify, client: ApifyClient, query: str
) -> None:
    run = finished_run(client, URLS[:1])
    request = urllib.request.Request(
        f"{fake_apify.url}/v2/datasets/{run.default_dataset_id}/items?{query}",
        headers={"authorization": f"Bearer {fake_apify.token}"},
    )
    with pytest.raises(HTTPError, match="400"):
        urllib.request.urlopen(request, timeout=120)


def test_every_read_item_of_the_market_is_an_observation(client: ApifyClient) -> None:
    run = finished_run(client)
    for page, item in zip(URLS, items_of(client, run), strict=True):
        if item["statusCode"] == 200:
            assert isinstance(axesso.parse_item(item, None, run.finished_at), Observation), page


# Web pages


@pytest.mark.parametrize("path", ["/control/stats", "/v2/users/me", "/no-such-page"])
def test_a_page_whose_name_was_pointed_here_is_refused(
    fake_apify: RunningFakeApify, path: str
) -> None:
    request = urllib.request.Request(fake_apify.url + path, headers={"Host": "evil.example"})
    with pytest.raises(HTTPError, match="421"):
        urllib.request.urlopen(request, timeout=120)


def test_another_page_of_this_machine_scripts_no_faults(fake_apify: RunningFakeApify) -> None:
    request = urllib.request.Request(
        fake_apify.url + "/control/faults",
        data=b'{"kind": "http_500"}',
        headers={"Origin": "http://127.0.0.1:3000", "Content-Type": "text/plain"},
    )
    with pytest.raises(HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=120)
