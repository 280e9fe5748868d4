"""The recorded real files: as many verdicts as rows, and some of their values."""

import csv
import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from core.history.observation import Failure, Flag, Observation, Outcome
from core.importing.detect import detect_file
from core.importing.read_rows import read_rows
from core.importing.values.rows import FileKind, ProductHistory, ReadContext, RowPart, TrackRequest
from tests.real_data import real_data_path

NOON = datetime(2026, 1, 20, 12, tzinfo=UTC)

DATASET, KEEPA, EXPORT = FileKind.APIFY_DATASET, FileKind.KEEPA_API, FileKind.KEEPA_EXPORT
HISTORY, LIST = FileKind.HISTORY_FILE, FileKind.ASIN_LIST

# File, kind, rows, rows that can't be used.
FILES = [
    ("apify_products/axesso_details_amazon-us_2025-09-11_25.json", DATASET, 25, 0),
    ("apify_products/junglee_free_full_amazon-us_2023-08-06_50.csv", DATASET, 50, 0),
    ("apify_products/junglee_free_full_amazon-us_2023-08-06_50.json", DATASET, 50, 0),
    ("apify_products/junglee_overview_amazon-ca_2025-04-16_1591.json", DATASET, 1591, 0),
    ("apify_products/junglee_overview_amazon-us_pants_2025-11-26_50.json", DATASET, 50, 0),
    ("apify_bestsellers/junglee_bestsellers_amazon-us_2023-12.csv", DATASET, 100, 0),
    ("apify_reviews/axesso_reviews_amazon-us_2025-09-11_20.json", DATASET, 20, 20),
    ("apify_reviews/junglee_reviews_amazon-us_2024-03-16_13-32_264.json", DATASET, 264, 264),
    ("keepa/keepa_api_product_0316769487_partial_raw.json", KEEPA, 1, 1),
    ("keepa/keepa_api_product_B08HR6ZBYJ_raw.json", KEEPA, 1, 0),
    ("keepa/keepa_api_product_B0D8W1YVBX_raw.json", KEEPA, 1, 0),
    ("keepa/keepa_export_amazon-de_external-storage_2026-03-11.csv", EXPORT, 2610, 0),
    ("keepa/keepa_export_amazon-de_processors_2026-03-11.csv", EXPORT, 627, 0),
    ("keepa/keepa_export_amazon-us_fashion_mixed_money_2024-04.csv", EXPORT, 1500, 0),
    ("keepa/keepa_export_amazon-us_fashion_usd_sign_2024-04.csv", EXPORT, 3000, 0),
    ("keepa/keepa_export_productfinder_amazon-de_2026-01-20_5000.csv", EXPORT, 5000, 0),
    ("keepa/keepa_export_productfinder_amazon-us_2026-01-20_5000.csv", EXPORT, 5001, 1),
    ("keepa/keepa_export_productfinder_amazon-us_2026-01-20_tail.csv", EXPORT, 1199, 0),
    ("price_history/amazon_fr_daily_dev_2026-06-12_2026-08-08.csv", HISTORY, 18699, 85),
    ("price_history/amazon_fr_daily_products.csv", LIST, 353, 0),
    ("price_history/competitor_seed_2026-06.csv", HISTORY, 689, 626),
    ("price_history/kdp_books_bsr_2026-04-29_2026-05-04.csv", HISTORY, 3466, 0),
    ("price_history/keepa_0316769487_events.csv", HISTORY, 182, 0),
    ("price_history/keepa_B08HR6ZBYJ_daily.csv", HISTORY, 1680, 0),
    ("price_history/keepa_B0D8W1YVBX_events.csv", HISTORY, 5738, 0),
    ("price_history/raw_snapshots_fr/2026-06-12T1107Z_83b2448.json", HISTORY, 15, 12),
    ("price_history/raw_snapshots_fr/2026-08-06T1003Z_0363d61.json", HISTORY, 339, 0),
    ("price_history/us_batteries_price_log_2026-03.csv", HISTORY, 121, 0),
    ("price_history/us_list_daily_2026-08.csv", HISTORY, 66, 0),
    ("catalog/unified_products.csv", HISTORY, 13719, 0),
    ("catalog/amazon_us_gummies_search_coupons_2026-04.csv", HISTORY, 852, 0),
    ("catalog/brightdata_amazon_global_dataset_by_keyword_2024-10_367.json", HISTORY, 367, 0),
    ("catalog/junglee_derived_gaming_mice_us_2026-03_mojibake.csv", HISTORY, 70, 0),
    ("seller_exports/seller_asin_list_FR.csv", LIST, 332, 0),
    ("nasty/raw_browser_scrape_eu_multimarket_dirty_b.csv", HISTORY, 9, 1),
]


@pytest.mark.parametrize(("name", "kind", "rows", "unusable"), FILES)
def test_every_row_of_a_recorded_file_has_its_verdict(name, kind, rows, unusable):
    path = real_data_path(name)
    found = detect_file(path, path.name)
    assert found.kind is kind
    context = ReadContext(NOON, found.suggested_marketplace or "US")
    usable = numbers = 0
    for row in read_rows(path, kind, context):
        numbers += 1
        assert row.number == numbers
        usable += isinstance(row.result, Observation | ProductHistory | TrackRequest | RowPart)
    assert (numbers, numbers - usable) == (rows, unusable)


@pytest.mark.parametrize(
    "name",
    [
        "catalog/promptcloud_toys_amazon-uk_noheader.csv",
        "price_history/gpu_amazon_buybox_history.csv",
        "nasty/real_money_rank_strings.csv",
        "nasty/real_strings_by_class.jsonl",
        "nasty/error_and_dead_items.json",
        "apify_reviews/brightdata_reviews_amazon-us_2024-10-20_8.json",
    ],
)
def test_recorded_files_without_products_are_not_taken(name):
    path = real_data_path(name)
    assert detect_file(path, path.name).kind is FileKind.UNKNOWN


def test_dead_items_have_verdicts(write_file):
    recorded = json.loads(real_data_path("nasty/error_and_dead_items.json").read_text())
    items = [each["item"] for each in recorded]
    path = write_file(json.dumps(items))
    results = [
        row.result for row in read_rows(path, FileKind.APIFY_DATASET, ReadContext(NOON, "US"))
    ]
    assert len(results) == len(items)
    assert all(isinstance(each, Observation | Failure) for each in results)


def test_the_french_series_keeps_its_statuses():
    path = real_data_path("price_history/amazon_fr_daily_dev_2026-06-12_2026-08-08.csv")
    results = [row.result for row in read_rows(path, FileKind.HISTORY_FILE, ReadContext())]
    outcomes = Counter(result.outcome for result in results)
    assert outcomes[Outcome.NOT_FOUND] == 558
    assert outcomes[Outcome.BLOCKED] == 1
    assert outcomes[Outcome.PARSE_ERROR] == 27
    assert outcomes[Outcome.WRONG_LOCALE] == 46
    assert outcomes[Outcome.EMPTY_RUN] == 11
    stale = sum(
        isinstance(each, Observation) and bool(each.flags & Flag.STALE_VALUE) for each in results
    )
    assert stale == 311
    prices = [each.price for each in results if isinstance(each, Observation)]
    with path.open(newline="", encoding="utf-8") as stream:
        written = [row["price"] for row in csv.DictReader(stream) if row["price"]]
    assert sum(price for price in prices if price) == round(
        sum(float(each) for each in written) * 100
    )


@pytest.mark.parametrize("asin", ["B08HR6ZBYJ", "B0D8W1YVBX"])
def test_keepas_history_agrees_with_the_decoded_events(asin):
    path = real_data_path(f"keepa/keepa_api_product_{asin}_raw.json")
    (row,) = read_rows(path, FileKind.KEEPA_API, ReadContext())
    by_time = {each.captured_at: each for each in row.result.observations}
    events = real_data_path(f"price_history/keepa_{asin}_events.csv")
    compared = 0
    with events.open(newline="", encoding="utf-8") as stream:
        for event in csv.DictReader(stream):
            ours = by_time.get(datetime.fromisoformat(event["captured_at"]))
            if ours is None:
                continue  # Keepa repeated a value: nothing changed
            compared += 1
            featured = (ours.buy_box_price or 0) + (ours.buy_box_shipping or 0)
            for name, value in (
                ("new_price", ours.new_price),
                ("used_price", ours.used_price),
                ("list_price", ours.list_price),
                ("buy_box_price", featured or None),
            ):
                assert value == (round(float(event[name]) * 100) if event[name] else None)
            assert (ours.ranks[0].rank if ours.ranks else None) == (
                int(event["bsr"]) if event["bsr"] else None
            )
    assert compared > 5_600
