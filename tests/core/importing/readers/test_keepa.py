"""Products of Keepa's API: every change is an observation with the full state of its minute."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.marketplaces import get_marketplace
from core.history.observation import Availability, Failure, Kind, Outcome, PriceBasis, Seen
from core.importing.readers.keepa import parse_product
from core.importing.readers.keepa_series import minute_time, time_minute
from core.importing.values.rows import ProductHistory, Refusal
from tests.real_data import real_data_path

MINUTE = 7_000_000


def product(series=None, **fields):
    """Return an invented product of amazon.com; `series` by index."""
    csv = [None] * 34
    for index, flat in (series or {}).items():
        csv[index] = flat
    return {"asin": "B0DEMO0001", "domainId": 1, "csv": csv, "lastUpdate": MINUTE + 100, **fields}


def observations(item, answered_at=None):
    result = parse_product(item, None, answered_at)
    assert isinstance(result, ProductHistory)
    return list(result.observations)


def test_a_minute_counts_from_2011():
    assert minute_time(0) == datetime(2011, 1, 1, tzinfo=UTC)
    assert time_minute(1_293_840_000_000 + 60_000) == 1


def test_each_minute_with_a_change_carries_the_state_of_all_series():
    first, second, last = observations(
        product({1: [MINUTE, 1999], 3: [MINUTE + 5, 321], 16: [MINUTE + 5, 46]})
    )
    assert (first.price, first.ranks, first.rating) == (1999, (), None)
    assert (second.price, second.ranks[0].rank, second.rating) == (1999, 321, 46)
    assert second.captured_at == minute_time(MINUTE + 5)
    assert last.captured_at == minute_time(MINUTE + 100)
    # the last one is Keepa's last check: after it silence no longer means unchanged
    assert (first.kind, last.new_price, last.kind) == (Kind.CHANGE, 1999, Kind.SAMPLE)


def test_a_series_that_was_not_reported_yet_is_not_noted_as_seen():
    first, second, _ = observations(product({1: [MINUTE, 1999], 3: [MINUTE + 5, -1]}))
    assert not first.seen & Seen.BSR
    assert second.seen & Seen.BSR
    assert second.ranks == ()


def test_no_offer_is_seen_and_unknown_is_not():
    _, none, unknown, _ = observations(product({2: [MINUTE, 900, MINUTE + 1, -1, MINUTE + 2, -2]}))
    assert (none.used_price, bool(none.seen & Seen.USED_PRICE)) == (None, True)
    assert (unknown.used_price, bool(unknown.seen & Seen.USED_PRICE)) == (None, False)


def test_the_price_is_the_buy_box_without_shipping_else_new_else_amazons():
    item = product(
        {0: [MINUTE, 2500], 1: [MINUTE + 1, 2100], 18: [MINUTE + 2, 1900, 399, MINUTE + 3, -1, -1]}
    )
    amazon, new, featured, lost, _ = observations(item)
    assert (amazon.price, amazon.price_basis) == (2500, PriceBasis.AMAZON)
    assert (new.price, new.price_basis) == (2100, PriceBasis.LOWEST_NEW)
    assert (featured.price, featured.price_basis) == (1900, PriceBasis.BUY_BOX)
    assert (featured.buy_box_price, featured.buy_box_shipping) == (1900, 399)
    assert (lost.price, lost.buy_box_price, lost.buy_box_shipping) == (2100, None, None)
    assert lost.availability is Availability.BUY_BOX_SUPPRESSED
    assert lost.outcome is Outcome.NO_FEATURED_OFFER


def test_who_holds_the_buy_box_is_known_by_id():
    ids = [MINUTE + 1, "A1DEMOSELLER", MINUTE + 2, "-1", MINUTE + 3, "A2DEMOSELLER"]
    history = [str(each) for each in [*ids, MINUTE + 4, "-2"]]
    item = product({18: [MINUTE, 1900, 0]}, buyBoxSellerIdHistory=history)
    unreported, first, none, second, unknown, _ = observations(item)
    assert not unreported.seen & Seen.SELLER_ID
    assert [each.buy_box_seller_id for each in (first, none, second, unknown)] == [
        "A1DEMOSELLER",
        None,
        "A2DEMOSELLER",
        None,
    ]
    assert none.seen & Seen.SELLER_ID
    assert not unknown.seen & Seen.SELLER_ID
    assert not first.seen & Seen.SELLER
    assert first.price == 1900


@pytest.mark.parametrize("odd", [None, "x", [MINUTE], [1, 2, 3], ["x", "A1DEMOSELLER"], [[], {}]])
def test_an_odd_history_of_sellers_is_left_out(odd):
    (last, *more) = observations(product({1: [MINUTE, 1999]}, buyBoxSellerIdHistory=odd))
    assert (last.price, last.buy_box_seller_id, len(more)) == (1999, None, 1)


def test_a_lightning_deal_and_the_offer_counts_keep_their_own_fields():
    *_, last = observations(
        product({8: [MINUTE, 1500], 11: [MINUTE, 0], 12: [MINUTE, 3], 17: [MINUTE, 88]})
    )
    assert (last.deal_price, last.offers_new, last.offers_used) == (1500, 0, 3)
    assert (last.ratings_count, last.reviews_count) == (88, None)


def test_further_ranks_stand_behind_the_main_one_by_their_names():
    item = product(
        {3: [MINUTE, 900]},
        salesRankReference=10,
        categoryTree=[{"catId": 10, "name": "Tools"}, {"catId": 20, "name": "Drills"}],
        salesRanks={"10": [MINUTE, 900], "20": [MINUTE, 12], "30": [MINUTE + 1, 4]},
    )
    *_, last = observations(item)
    assert [(rank.category, rank.rank) for rank in last.ranks] == [
        ("Tools", 900),
        ("Category 30", 4),
        ("Drills", 12),
    ]


def test_the_last_observation_carries_the_listing():
    item = product(
        {1: [MINUTE, 5]},
        title="Invented lamp",
        brand="Lampworks",
        features=["bright", ""],
        imagesCSV="a.jpg,b.jpg",
        color="red",
        packageQuantity=2,
        eanList=["0123"],
    )
    first, last = observations(item)
    assert first.listing is None
    assert (last.listing.title, last.listing.bullets) == ("Invented lamp", ("bright",))
    assert last.listing.images[0].endswith("/images/I/a.jpg")
    assert last.listing.attributes == {"color": "red", "packageQuantity": "2", "eanList": "0123"}


def test_nothing_lies_behind_the_time_of_keepas_answer():
    answered = (MINUTE + 50 + 21_564_000) * 60_000
    history = observations(product({1: [MINUTE, 5, MINUTE + 900, 6]}), answered)
    assert history[-1].captured_at == minute_time(MINUTE + 50)
    assert history[-1].price == 5


@pytest.mark.parametrize(
    "series",
    [
        [MINUTE, 5, MINUTE + 1],
        [MINUTE, 5, -7, 6, 0, 7, 10**15, 8],
        [MINUTE, 5, "x", 6, None, 7, True, 8],
        [MINUTE, 4, MINUTE, 5],
    ],
)
def test_odd_arrays_keep_their_good_pairs(series):
    *_, last = observations(product({1: series}))
    assert last.new_price == 5


def test_minutes_out_of_order_are_sorted():
    history = observations(product({1: [MINUTE + 9, 9, MINUTE, 5]}))
    assert [each.price for each in history] == [5, 9, 9]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"csv": []}, "has no ASIN"),
        (product(domainId=99), "domain 99"),
        ({"asin": "B0DEMO0001", "domainId": 1, "csv": None}, "no values"),
        ([1, 2], "isn't a product of"),
    ],
)
def test_a_product_that_can_not_be_used_has_the_reason(item, words):
    result = parse_product(item, None, None)
    assert isinstance(result, Failure)
    assert words in result.detail


def test_a_product_without_domain_takes_the_default():
    item = product({1: [MINUTE, 5]})
    del item["domainId"]
    assert isinstance(parse_product(item, None, None), Refusal)
    result = parse_product(item, get_marketplace("JP"), None)
    assert isinstance(result, ProductHistory)
    assert result.observations[0].currency == "JPY"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    csv=anything,
    ranks=anything,
    fields=st.dictionaries(
        st.sampled_from(["lastUpdate", "categoryTree", "images", "imagesCSV", "features", "title"]),
        anything,
    ),
)
def test_no_answer_of_keepa_breaks_the_reader(csv, ranks, fields):
    parse_product(
        {"asin": "B0DEMO0001", "domainId": 1, "csv": csv, "salesRanks": ranks, **fields}, None, None
    )


@given(st.lists(st.integers(-3, 40) | st.integers(), max_size=40))
def test_the_history_is_always_in_time_order(numbers):
    result = parse_product(product({1: numbers, 18: numbers}, title="Invented"), None, None)
    assert isinstance(result, ProductHistory)
    times = [each.captured_at for each in result.observations]
    assert times == sorted(set(times))


@pytest.mark.parametrize("asin", ["B08HR6ZBYJ", "B0D8W1YVBX"])
def test_the_last_values_equal_keepas_own_statistics(asin):
    answer = json.loads(real_data_path(f"keepa/keepa_api_product_{asin}_raw.json").read_text())
    current = answer["products"][0]["stats"]["current"]
    *_, last = observations(answer["products"][0], answer["timestamp"])
    stated = {index: value for index, value in enumerate(current) if value >= 0}
    ours = {
        0: last.amazon_price,
        1: last.new_price,
        2: last.used_price,
        3: last.ranks[0].rank if last.ranks else None,
        4: last.list_price,
        8: last.deal_price,
        10: last.new_fba_price,
        11: last.offers_new,
        12: last.offers_used,
        16: last.rating,
        17: last.ratings_count,
        18: (last.buy_box_price or 0) + (last.buy_box_shipping or 0),
    }
    assert ours == {index: stated.get(index) for index in ours}


@pytest.mark.parametrize(
    ("product_type", "word"), [(3, "inaccessible"), (4, "invalid"), (5, "parent")]
)
def test_an_answer_without_a_check_is_no_observation(product_type, word):
    empty = product(productType=product_type, title=None, csv=None, features=None)
    failure = parse_product(empty, None, None)
    assert isinstance(failure, Failure)
    assert word in failure.detail


def test_the_past_of_a_product_that_became_invalid_is_kept_without_current_values():
    series = {1: [MINUTE, 1999, MINUTE + 7, 1899]}
    past = observations(product(series, productType=4, title=None))
    assert [each.price for each in past] == [1999, 1899]
    assert all(each.listing is None and each.kind is Kind.CHANGE for each in past)
    assert past[-1].captured_at == minute_time(MINUTE + 7)


def test_what_keepa_can_not_check_for_an_ebook_is_unknown_and_not_none():
    series = {0: [MINUTE, -1], 1: [MINUTE, -1], 3: [MINUTE, -1], 16: [MINUTE, 45]}
    usual = observations(product(series))[0]
    book = observations(product(series, productType=2))[0]
    assert usual.seen & (Seen.NEW_PRICE | Seen.BSR | Seen.PRICE)
    assert book.seen == Seen.RATING
    assert book.availability is None
    assert usual.availability is Availability.NO_OFFERS


def test_an_answer_without_a_title_overwrites_no_listing():
    last = observations(product({1: [MINUTE, 1999]}, title=None, features=None))[-1]
    assert last.listing is None
    assert not last.seen & Seen.LISTING


def test_an_answer_in_which_nothing_was_seen_is_not_stored():
    assert isinstance(parse_product(product(csv=None, title=None), None, None), Failure)
