"""Which addresses may be fetched, in which size, and when again."""

from datetime import timedelta

import pytest

from core.catalog.images import rules

REAL = "https://m.media-amazon.com/images/I/71E4PWd+laL._AC_SL1500_.jpg"


@pytest.mark.parametrize(
    "url",
    [
        REAL,
        "https://m.media-amazon.com/images/I/41wltQLA7aL._SS64_.jpg",
        "https://m.media-amazon.com/images/I/81Rq9mJZ3WL.__AC_SY445_SX342_QL70_ML2_.jpg",
        "https://m.media-amazon.com/images/I/719dpwH-LcL._AC_SR38,50_.jpg",
        "https://m.media-amazon.com/images/W/WEBP_402378-T1/images/I/71abcDEFghL.jpg",
        "https://images-na.ssl-images-amazon.com/images/I/51kkc%2BjHrGL.jpg",
        "https://M.MEDIA-AMAZON.COM:443/images/I/71E4PWd+laL.jpg",
    ],
)
def test_a_product_image_on_amazons_hosts_is_fetched(url: str) -> None:
    assert rules.find_refusal(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no address",
        "http://m.media-amazon.com/images/I/71E4PWd+laL.jpg",
        "ftp://m.media-amazon.com/images/I/71E4PWd+laL.jpg",
        "https://m.media-amazon.com:8443/images/I/71E4PWd+laL.jpg",
        "https://m.media-amazon.com:99999/images/I/71E4PWd+laL.jpg",
        "https://m.media-amazon.com.evil.example/images/I/71E4PWd+laL.jpg",
        "https://evil.m.media-amazon.com/images/I/71E4PWd+laL.jpg",
        "https://m.media-amazon.com./images/I/71E4PWd+laL.jpg",
        "https://me:secret@m.media-amazon.com/images/I/71E4PWd+laL.jpg",
        "https://m.media-amazon.com@evil.example/images/I/71E4PWd+laL.jpg",
        "https://evil.example#m.media-amazon.com/images/I/71E4PWd+laL.jpg",
        "https://m.media-amazon.com\\@evil.example/images/I/71E4PWd+laL.jpg",
        "https://169.254.169.254/images/I/71E4PWd+laL.jpg",
        "https://[::1]/images/I/71E4PWd+laL.jpg",
        "https://[m.media-amazon.com/images/I/71E4PWd+laL.jpg",
        "https://m.media-amazon.com/gp/logout",
        "https://m.media-amazon.com/images/../gp/logout",
        "https://m.media-amazon.com/images/I/71E4PWd+laL.jpg?to=https://evil.example",
        "https://m.media-amazon.com/images/I/a b.jpg",
        "https://m.media-amazon.com/images/I/a\r\nHost: evil.example.jpg",
        "https://m.media-amazon.com/images/I/" + "a" * 500 + ".jpg",
        "https://m.media-ämazon.com/images/I/71E4PWd+laL.jpg",
        "data:image/png;base64,AAAA",
    ],
)
def test_any_other_address_is_refused_with_a_reason(url: str) -> None:
    assert rules.find_refusal(url)


@pytest.mark.parametrize(
    ("url", "small"),
    [
        (REAL, "https://m.media-amazon.com/images/I/71E4PWd+laL._SL160_.jpg"),
        (
            "https://m.media-amazon.com/images/I/71E4PWd+laL.jpg",
            "https://m.media-amazon.com/images/I/71E4PWd+laL._SL160_.jpg",
        ),
        (
            "https://m.media-amazon.com/images/I/81Rq9mJZ3WL.__AC_SY445_SX342_QL70_FMwebp_.jpg",
            "https://m.media-amazon.com/images/I/81Rq9mJZ3WL._SL160_.jpg",
        ),
        (
            "https://m.media-amazon.com/images/W/MEDIAX_792452-T1/images/I/71gY9E+cTaS._AC_SL9_.jpg",
            "https://m.media-amazon.com/images/W/MEDIAX_792452-T1/images/I/71gY9E+cTaS._SL160_.jpg",
        ),
        (
            "https://images-na.ssl-images-amazon.com/images/I/51kkc%2BjHrGL._SX9_.png",
            "https://images-na.ssl-images-amazon.com/images/I/51kkc%2BjHrGL._SL160_.png",
        ),
    ],
)
def test_the_small_size_of_an_image_is_asked_for(url: str, small: str) -> None:
    assert rules.find_small_url(url) == small
    assert rules.find_refusal(small) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://m.media-amazon.com/images/S/aplus-media/15055036-31e8.__CR0,0,970,600_PT0_.jpg",
        "https://m.media-amazon.com/images/I/71abcDEFghL.gif",
        "https://m.media-amazon.com/images/I/71abcDEFghL",
    ],
)
def test_an_address_of_another_form_is_asked_for_as_it_is(url: str) -> None:
    assert rules.find_small_url(url) == url


def test_a_failed_image_is_tried_ever_later_and_then_no_more() -> None:
    delays = [rules.find_retry_delay(attempts) for attempts in range(1, 6)]
    hour, day = timedelta(hours=1), timedelta(days=1)
    assert delays == [hour, day, 7 * day, 30 * day, None]
