"""Keepa's table exports: headers with emoji, money in several styles, one moment for all."""

from datetime import UTC, datetime

import pytest

from core.catalog.marketplaces import get_marketplace
from core.history.observation import Kind, PriceBasis, Seen, Source
from core.importing.read_rows import read_rows
from core.importing.readers.keepa_export import export_amount, split_seller
from core.importing.readers.keepa_headers import is_export, plain_header
from core.importing.values.rows import FileKind, ReadContext, RefusalReason

NOON = datetime(2026, 1, 20, 12, tzinfo=UTC)
EXPORT = (
    '\ufeff"Image","Title","Sales Rank: Current","Reviews: Rating","Reviews: Rating Count",'
    '"Buy Box 🚚: Current","New: Current","List Price: Current","Categories: Tree","ASIN",'
    '"Product Codes: EAN","Brand",""\r\n'
    '"https://img.example/a.jpg;https://img.example/b.jpg","Invented kettle, 1,7 l","1,234","4.6",'
    '"88","1,113.38 -409","","124.95 -409","Home › Kitchen › Kettles","B0DEMO0001",'
    '"0123, 0456","Kettlers",""\r\n'
    '"","Invented cup","","","","","12.50 -409","","","B0DEMO0002","","",""\r\n'
)


def results(path, marketplace="US", captured_at=NOON):
    context = ReadContext(captured_at=captured_at, default_marketplace=marketplace)
    return [row.result for row in read_rows(path, FileKind.KEEPA_EXPORT, context)]


def test_a_row_is_a_sample_at_the_confirmed_time(write_file):
    kettle, cup = results(write_file(EXPORT))
    assert (kettle.source, kettle.kind, kettle.captured_at) == (
        Source.KEEPA_EXPORT,
        Kind.SAMPLE,
        NOON,
    )
    assert (kettle.price, kettle.price_basis, kettle.list_price) == (
        111338,
        PriceBasis.BUY_BOX,
        12495,
    )
    assert (kettle.rating, kettle.ratings_count) == (46, 88)
    assert [(rank.category, rank.rank) for rank in kettle.ranks] == [("Home", 1234)]
    assert kettle.listing.category_path == ("Home", "Kitchen", "Kettles")
    assert len(kettle.listing.images) == 2
    assert kettle.listing.attributes == {"ean": "0123, 0456"}
    assert (cup.price, cup.price_basis) == (1250, PriceBasis.LOWEST_NEW)
    assert (cup.buy_box_price, bool(cup.seen & Seen.BUY_BOX)) == (None, True)
    assert not cup.seen & Seen.AMAZON_PRICE


def test_an_export_without_marketplace_or_time_is_not_guessed(write_file):
    path = write_file(EXPORT)
    assert results(path, marketplace=None)[0].why is RefusalReason.NEEDS_MARKETPLACE
    assert "time" in results(path, captured_at=None)[0].detail


@pytest.mark.parametrize(
    ("written", "code", "minor"),
    [
        ("113.38 -409", "US", 11338),
        ("1,087.72 -409", "US", 108772),
        ("1,087.72 -409", "DE", 108772),
        ("$17.00 ", "US", 1700),
        ("145", "US", 14500),
        ("106.82", "DE", 10682),
        ("€ 12.50", "DE", 1250),
        ("1.249,99 €", "DE", 124999),
        ("1,234", "JP", 1234),
        ("", "US", None),
        ("0", "US", None),
    ],
)
def test_money_of_every_style_is_read(written, code, minor):
    assert export_amount(written, get_marketplace(code)) == minor


def test_an_export_is_recognised_by_its_columns():
    assert plain_header("Buy Box 🚚: Current") == "buy box: current"
    assert is_export(["ASIN", "Buy Box 🚚: Current", "New: Current"])
    assert not is_export(["asin", "price", "captured_at"])


@pytest.mark.parametrize(
    ("cell", "name", "seller_id"),
    [
        ("Bright Shop / A1DEMOSELLER", "Bright Shop", "A1DEMOSELLER"),
        ("Bright Shop (A1DEMOSELLER)", "Bright Shop", "A1DEMOSELLER"),
        ("Bright Shop (98%)", "Bright Shop (98%)", None),
        ("A1DEMOSELLER", None, "A1DEMOSELLER"),
        ("AQUASTORE", "AQUASTORE", None),
        ("Amazon", "Amazon", None),
        ("", None, None),
    ],
)
def test_a_seller_is_written_as_a_name_an_id_or_both(cell, name, seller_id):
    assert split_seller(cell) == (name, seller_id)


def test_a_row_names_the_buy_boxs_holder(write_file):
    header = '"ASIN","Sales Rank: Current","Buy Box: Current","Buy Box: Buy Box Seller"\r\n'
    rows = '"B0DEMO0001","1","5","Lumo / A1DEMOSELLER"\r\n"B0DEMO0002","2","5","Lumo"\r\n'
    both, named, none = results(write_file(header + rows + '"B0DEMO0003","3","",""\r\n'))
    assert (both.buy_box_seller, both.buy_box_seller_id) == ("Lumo", "A1DEMOSELLER")
    assert (named.buy_box_seller, named.buy_box_seller_id) == ("Lumo", None)
    assert not named.seen & Seen.SELLER_ID
    assert none.seen & Seen.SELLER_ID
