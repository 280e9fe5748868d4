"""ASINs are found in whatever is pasted, and nothing else is taken for one."""

import csv
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.asin import MentionVerdict, clean_asin, find_asin, product_url, read_mentions
from core.catalog.marketplaces import MARKETPLACES, find_by_domain
from core.errors import NotFoundError
from tests.real_data import real_data_path

ONE, TWO = "B0DEMO0001", "B0DEMO0002"
asins = st.from_regex(r"B0[A-Z0-9]{8}", fullmatch=True)


def found(text, default=None):
    """Return (verdict, marketplace, asin) of each mention."""
    return [(m.verdict.value, m.marketplace, m.asin) for m in read_mentions(text, default)]


@pytest.mark.parametrize(
    ("cell", "asin"),
    [
        (ONE, ONE),
        (" b0demo0001\u00a0", ONE),
        ("\u200eB0DEMO\u200b0001\ufeff", ONE),
        ("059035342X", "059035342X"),
        ("059035342x", "059035342X"),
        ("59035342X", "059035342X"),
        ("59035342", None),
        ("0590353420", None),
        ("123456788", None),
        ("0000000000", None),
        ("B0DEMO001", None),
        ("B0DEMO00011", None),
        ("strawberry", None),
        ("BLACKBERRY", None),
        ("PRODUCT001", None),
        ("B0DEMO0001 B0DEMO0002", None),
        ("B0DEMÖ0001", None),
        ("\u0660590353429", None),
        ("", None),
        pytest.param("B" * 10**6, None, id="a megabyte"),
    ],
)
def test_a_cell_holds_an_asin_or_none(cell, asin):
    assert find_asin(cell) == asin


def test_hidden_characters_are_removed_and_hard_spaces_become_plain():
    assert clean_asin("\u200eA\u00a0B\u202fC\u2060 ") == "A B C"


PATHS = [
    "/dp/{}",
    "/Strawberry/dp/{}/ref=sr_1_1?th=1&psc=1",
    "/gp/product/{}",
    "/gp/aw/d/{}",
    "/dp/product/{}",
    "/product/{}",
    "/gp/offer-listing/{}",
    "/product-reviews/{}",
    "/gp/x?a=1&asin={}",
    "/-/en/dp/{}",
    "/-/zh_TW/dp/{}?language=x",
    "/exec/obidos/ASIN/{}",
    "/o/ASIN/{}/",
    "/sspa/click?ie=UTF8&url=%2FSlug%2Fdp%2F{}%2Fref%3Dx",
    "/Schraube-1,5mm/dp/{}",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("start", ["https://www.", "http://m.", "https://smile.", "www.", ""])
def test_every_form_of_address_is_read(path, start):
    url = f"{start}amazon.co.uk{path.format(ONE)}"
    assert found(url) == [("found", "UK", ONE)]
    assert found(url.replace(ONE, "059035342X")) == [("found", "UK", "059035342X")]


@given(asin=asins, code=st.sampled_from(list(MARKETPLACES)))
def test_the_address_of_a_product_leads_back_to_it(asin, code):
    assert found(product_url(code, asin)) == [("found", code, asin)]


def test_an_address_needs_a_known_marketplace():
    assert product_url("JP", ONE) == f"https://www.amazon.co.jp/dp/{ONE}"
    with pytest.raises(NotFoundError):
        product_url("XX", ONE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"amazon.com.evil.tld/dp/{ONE}", ("unknown_host", None, None)),
        (f"https://notamazon.de/dp/{ONE}", ("unknown_host", None, None)),
        (f"https://www.amazon.de@evil.tld/dp/{ONE}", ("unknown_host", None, None)),
        (f"https://evil.tld/www.amazon.de/dp/{ONE}", ("unknown_host", None, None)),
        (f"https://www.amazon.de:443@evil.tld/dp/{ONE}", ("unknown_host", None, None)),
        (f"https://evil.tld\\@www.amazon.de/dp/{ONE}", ("unknown_host", None, None)),
        (f"http://amazon.cn/dp/{ONE}", ("unknown_host", None, None)),
        ("https://a.co/d/0AbCdEf", ("short_link", None, None)),
        ("amzn.to/3AbCdEf", ("short_link", None, None)),
        ("https://amzn.eu/d/0AbCdEf", ("short_link", None, None)),
        ("https://amzn.asia/d/0AbCdEf", ("short_link", None, None)),
        (f"https://amzn.com/dp/{ONE}", ("found", "US", ONE)),
        (f"amzn.com/{ONE}", ("found", "US", ONE)),
        ("https://www.amazon.de/gp/bestsellers/ce/123", ("bestseller_list", "DE", None)),
        ("https://www.amazon.com/Best-Sellers-X/zgbs/ce/1", ("bestseller_list", "US", None)),
        ("https://www.amazon.de/dp/B0DEMO", ("invalid_asin", "DE", None)),
        ("https://www.amazon.de/dp/B0DEMO00011", ("invalid_asin", "DE", None)),
        ("https://www.amazon.com/dp/0590353420", ("invalid_asin", "US", None)),
        ("https://www.amazon.com/s?k=strawberry", ("no_asin", "US", None)),
        ("https://www.amazon.com/product/strawberry", ("no_asin", "US", None)),
        (f"https://www.amazon.de:443/dp/{ONE}", ("found", "DE", ONE)),
        (f"HTTPS://WWW.AMAZON.DE/DP/{ONE.lower()}", ("found", "DE", ONE)),
        (f"//www.amazon.de/dp/{ONE}", ("found", "DE", ONE)),
        (f"Url=www.amazon.de/dp/{ONE}", ("found", "DE", ONE)),
        (f"/dp/{ONE}", ("needs_marketplace", None, ONE)),
        (ONE, ("needs_marketplace", None, ONE)),
        ("B0DEMO001", ("invalid_asin", None, None)),
        ("0590353420", ("invalid_asin", None, None)),
        ("strawberry", ("no_asin", None, None)),
        ("orders@amazon.de", ("no_asin", None, None)),
        (f"slug-{ONE}-more", ("no_asin", None, None)),
        (f"{ONE}.jpg", ("no_asin", None, None)),
    ],
)
def test_each_mention_gets_its_verdict(text, expected):
    assert found(text) == [expected]


def test_a_slug_with_ten_letters_is_not_an_asin():
    assert found("https://www.amazon.de/B0STRAWB01/s?k=1") == [("no_asin", "DE", None)]


OTHER_PATHS = [
    "/d/Garden-Hoses/Long-Hose/{}",
    "/gp/product/images/{}",
    "/Long-Hose/ASIN/{}",
    "/gp/video/detail/{}/ref=atv_dp",
    "/hz/reviews-render/{}",
    "/review/create-review/{}/",
    "/forum/-/{},ref=x",
]
HOSTS = [
    prefix + each.domain
    for each in MARKETPLACES.values()
    for prefix in ("", "www.", "m.", "smile.")
]


@given(
    host=st.sampled_from(HOSTS),
    scheme=st.sampled_from(["https://", "http://", ""]),
    language=st.sampled_from(["", "/-/en", "/-/zh_TW", "/-/pt"]),
    path=st.sampled_from(PATHS[:13] + OTHER_PATHS),
    tail=st.sampled_from(
        ["", "?th=1&psc=1", "?ref=sr_1_1&qid=1234567890", "#customerReviews", "/"]
    ),
    name=asins | st.sampled_from(["059035342X", "0306406152"]),
)
def test_every_host_path_language_and_tail_gives_its_product(
    host, scheme, language, path, tail, name
):
    if "?" in path and tail != "#customerReviews":
        tail = tail.replace("?", "&").rstrip("/")
    url = f"{scheme}{host}{language}{path.format(name)}{tail}"
    assert found(url) == [("found", find_by_domain(host).code, name)]


@pytest.mark.parametrize("page", ["images", "glance", "handle", "product", "ref", "x"])
def test_a_word_is_never_called_a_wrong_asin(page):
    assert found(f"https://www.amazon.de/gp/product/{page}/") == [("no_asin", "DE", None)]


@pytest.mark.parametrize(
    "path",
    [
        "/Bluetooth5/",
        "/s/B0DEMO0001",
        "/b/0306406152",
        "/stores/page/B0DEMO0001",
        "/gp/bestsellers/books/0306406152",
        f"/{ONE}/{TWO}",
        f"/slug-{ONE}",
        f"/{ONE}.jpg",
    ],
)
def test_text_in_the_form_of_an_asin_is_not_guessed(path):
    assert [each[2] for each in found(f"https://www.amazon.com{path}")] == [None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"https://keepa.com/#!product/3-{ONE}", ("found", "DE", ONE)),
        (f"keepa.com/#!product/1-{ONE.lower()}?x=1", ("found", "US", ONE)),
        (f"https://www.keepa.com/#%21product/12-{ONE}", ("found", "BR", ONE)),
        (f"https://keepa.com/#!product/7-{ONE}", ("unknown_host", None, None)),
        (f"https://keepa.com.evil.tld/#!product/3-{ONE}", ("unknown_host", None, None)),
        ("https://keepa.com/#!deals", ("unknown_host", None, None)),
        (f"https://camelcamelcamel.com/product/{ONE}", ("found", "US", ONE)),
        (f"https://ca.camelcamelcamel.com/product/{ONE}?context=x", ("found", "CA", ONE)),
        (f"uk.camelcamelcamel.com/Long-Hose/product/{ONE}", ("found", "UK", ONE)),
        (f"https://xx.camelcamelcamel.com/product/{ONE}", ("unknown_host", None, None)),
        (f"https://notcamelcamelcamel.com/product/{ONE}", ("unknown_host", None, None)),
    ],
)
def test_links_of_price_trackers_name_marketplace_and_asin(text, expected):
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        f"https://www.google.com/url?q=https%3A%2F%2Fwww.amazon.fr%2Fdp%2F{ONE}&x=1",
        f"https://www.google.com/url?q=https%253A%252F%252Fwww.amazon.fr%252Fdp%252F{ONE}",
        f"https:\\/\\/www.amazon.fr\\/dp\\/{ONE}",
        f'<a href="https://www.amazon.fr/dp/{ONE}?x=1&amp;y=2">',
        f"看https://www.amazon.fr/dp/{ONE}です",
        f"(https://www.amazon.fr/dp/{ONE}).",
        f"https://www.amazon.fr/dp/{ONE}?u=https://www.amazon.de/dp/{TWO}",
        f"{ONE}\tA title of several words\tFR",
        f"FR,{ONE}",
        f"{ONE} FR",
        f"amazon.fr {ONE}",
    ],
)
def test_wrapped_products_are_unwrapped(text):
    assert found(text) == [("found", "FR", ONE)]


def test_a_mail_is_read_in_order_and_repeats_are_kept():
    mail = (
        "Hello,\n"
        f"please watch https://www.amazon.de/Slug/dp/{ONE}/ref=x, and {TWO}.\n"
        "\n"
        f"It is the same as ASIN: {ONE}; see a.co/d/x\n"
    )
    mentions = read_mentions(mail, "US")
    assert [(m.verdict.value, m.marketplace, m.asin) for m in mentions] == [
        ("found", "DE", ONE),
        ("found", "US", TWO),
        ("found", "US", ONE),
        ("short_link", None, None),
    ]


@pytest.mark.parametrize("glue", [",", ";", "|", " ", "\t", ", ", "\n"])
def test_several_in_a_row_are_separated(glue):
    urls = [f"https://www.amazon.de/dp/{each}" for each in (ONE, TWO)]
    assert [each[2] for each in found(glue.join(urls))] == [ONE, TWO]
    assert [each[2] for each in found(glue.join((ONE, TWO)))] == [ONE, TWO]


def test_addresses_without_spaces_between_are_separated():
    text = f"https://www.amazon.de/dp/{ONE}https://www.amazon.fr/dp/{TWO}"
    assert found(text) == [("found", "DE", ONE), ("found", "FR", TWO)]


def test_small_words_name_no_marketplace():
    assert found(f"is it {ONE}") == [("needs_marketplace", None, ONE)]


def test_a_number_in_prose_is_no_book():
    assert found("call us at 0306406152 before noon please")[0][0] == "no_asin"
    assert found("the book has ISBN 0306406152 on its back", "UK") == [
        ("found", "UK", "0306406152")
    ]


def test_every_verdict_has_advice():
    text = (
        f"{ONE}\nhttps://www.amazon.de/dp/{ONE}\na.co/d/x\nhttps://x.tld/\n"
        "amazon.de/gp/bestsellers\namazon.de/x\namazon.de/dp/B0X"
    )
    mentions = read_mentions(text)
    assert {m.verdict for m in mentions} == set(MentionVerdict)
    assert all(m.detail.endswith(".") for m in mentions)


def test_an_empty_text_mentions_nothing():
    assert read_mentions(" \n\u200b\n") == []


def test_an_unknown_default_is_refused():
    with pytest.raises(NotFoundError):
        read_mentions(ONE, "XX")


@given(text=st.text(max_size=200), asin=asins)
def test_any_text_is_read_and_an_asin_on_its_own_line_is_always_found(text, asin):
    mentions = read_mentions(f"{text}\n{asin}", "DE")
    assert mentions[-1].asin == asin
    assert all((m.asin is not None) == (m.verdict is MentionVerdict.FOUND) for m in mentions)


HOSTILE = [
    "a", "/dp/", "a.", "https://", ",", "%25", "B0", "amazon.", "=https://amazon.de/dp/B0",
    "?asin=", "(", "@", "a@", "\t", "amazon.de/", "\\/", "0", "-", "www.", "//",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_is_read(piece):
    """A quadratic step would not end within the suite's time."""
    text = "https://www.amazon.de/x" + piece * (300_000 // len(piece))
    assert len(read_mentions(text + "\n" + text)) <= 4


def test_a_long_list_is_read_completely():
    assert len(read_mentions(f"{ONE}\n" * 20_000, "US")) == 20_000


@pytest.mark.parametrize(
    "name",
    [
        "apify_products/axesso_details_amazon-us_2025-09-11_25.json",
        "catalog/amazon_us_gummies_search_coupons_2026-04.csv",
        "seller_exports/seller_asin_list_FR.csv",
    ],
)
def test_recorded_addresses_all_hold_their_asin(name):
    text = real_data_path(name).read_text("utf-8", errors="replace")
    urls = re.findall(r"https?://www\.amazon\.[a-z.]+/[^\s\"\\<>,]*/?dp/[A-Z0-9]{10}", text)
    for url in urls:
        assert [each[2] for each in found(url)] == [url[-10:]]


def test_every_cell_of_a_recorded_asin_column_is_an_asin():
    path = real_data_path("keepa/keepa_export_productfinder_amazon-de_2026-01-20_5000.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [row["ASIN"] for row in csv.DictReader(file)]
    assert len(cells) == 5000
    assert all(find_asin(cell) == cell for cell in cells)


def test_a_line_of_many_words_costs_no_more_than_its_length():
    """Reading the whole line for each of its words would take minutes."""
    assert len(read_mentions(f"{ONE} " * 60_000, "US")) == 60_000
