"""Marketplaces are found by exact names, and not by similar ones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from core.catalog.marketplaces import (
    MARKETPLACES,
    find_by_domain,
    find_by_keepa_domain,
    find_by_name,
    get_marketplace,
)
from core.errors import NotFoundError


def test_all_23_marketplaces_are_distinguished():
    everyone = MARKETPLACES.values()
    assert len(MARKETPLACES) == 23
    assert len({each.domain for each in everyone}) == 23
    assert len({each.marketplace_id for each in everyone}) == 23


@pytest.mark.parametrize("code", MARKETPLACES)
def test_locale_and_time_zone_exist(code):
    marketplace = get_marketplace(code)
    assert Locale.parse(marketplace.locale)
    assert ZoneInfo(marketplace.time_zone)
    assert marketplace.code == code


def test_only_yen_have_no_minor_unit():
    assert [code for code, each in MARKETPLACES.items() if each.decimals != 2] == ["JP"]


def test_the_error_of_an_unknown_code_lists_the_known_ones():
    with pytest.raises(NotFoundError, match=r"'XX'.*US, CA"):
        get_marketplace("XX")


@pytest.mark.parametrize("prefix", ["", "www.", "m.", "smile."])
@pytest.mark.parametrize("code", MARKETPLACES)
def test_a_host_is_found_with_each_of_its_prefixes(code, prefix):
    found = find_by_domain(prefix + MARKETPLACES[code].domain.upper())
    assert found is MARKETPLACES[code]


@pytest.mark.parametrize(
    "host",
    [
        "amazon.com.evil.tld",
        "notamazon.de",
        "amazon.cn",
        "amazon",
        "www.www.amazon.de",
        "sellercentral.amazon.de",
        "amazon.de.",
        "",
        "аmazon.de",
    ],
)
def test_a_similar_host_is_no_marketplace(host):
    expected = "DE" if host == "amazon.de." else None
    found = find_by_domain(host)
    assert (found.code if found else None) == expected


def test_keepa_numbers_its_own_domains():
    numbers = {n: find_by_keepa_domain(n) for n in range(14)}
    assert {n: each.code for n, each in numbers.items() if each} == {
        1: "US", 2: "UK", 3: "DE", 4: "FR", 5: "JP", 6: "CA",
        8: "IT", 9: "ES", 10: "IN", 11: "MX", 12: "BR",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("us", "US"),
        (" GB ", "UK"),
        ("uk", "UK"),
        ("amazon.com", "US"),
        ("Amazon.de", "DE"),
        ("www.amazon.co.jp", "JP"),
        ("https://www.amazon.fr/", "FR"),
        ("com", "US"),
        ("co.uk", "UK"),
        ("com.be", "BE"),
        ("A1PA6795UKMFR9", "DE"),
        ("Germany", "DE"),
        ("", None),
        ("amazon", None),
        ("EU", None),
        ("https://amazon.com.evil.tld/", None),
    ],
)
def test_a_cell_names_a_marketplace_or_none(text, code):
    found = find_by_name(text)
    assert (found.code if found else None) == code


@pytest.mark.parametrize("month", [1, 7])
def test_less_than_a_day_lies_between_the_marketplaces_clocks(month: int) -> None:
    moment = datetime(2026, month, 15, tzinfo=UTC)
    offsets = {
        moment.astimezone(ZoneInfo(place.time_zone)).utcoffset() for place in MARKETPLACES.values()
    }
    known = [offset for offset in offsets if offset is not None]
    assert max(known) - min(known) < timedelta(days=1)
