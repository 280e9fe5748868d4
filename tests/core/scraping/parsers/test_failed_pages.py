"""Items that report that the check failed, or was made for another place."""

from typing import Any

import pytest

from core.history.observation import Availability, Failure, Observation, Outcome, Seen
from core.scraping.parsers import axesso, junglee
from core.scraping.parsers.identity import RequestedProduct
from core.scraping.parsers.localized_text import is_not_sent_here, parse_availability
from tests.core.scraping.parsers.saved_items import CAPTURED_AT

ASKED = RequestedProduct("FR", "B0DEMO0001")


def of_axesso(**values: Any) -> Observation | Failure:
    item = {
        "statusCode": 200,
        "url": "https://www.amazon.fr/dp/B0DEMO0001",
        "asin": "B0DEMO0001",
        "title": "Bouilloire",
        "price": 0,
    }
    return axesso.parse_item(item | values, ASKED, CAPTURED_AT)


def of_junglee(**values: Any) -> Observation | Failure:
    item = {
        "url": "https://www.amazon.fr/dp/B0DEMO0001",
        "asin": "B0DEMO0001",
        "title": "Bouilloire",
    }
    return junglee.parse_item(item | values, ASKED, CAPTURED_AT)


@pytest.mark.parametrize("read", [of_axesso, of_junglee])
@pytest.mark.parametrize(
    ("sign", "outcome"),
    [
        ({"error": "Captcha found"}, Outcome.BLOCKED),
        ({"errorMessage": "Navigation timed out"}, Outcome.TIMEOUT),
        ({"#error": True}, Outcome.RUN_FAILED),
        ({"errors": [{"message": "403 Forbidden"}]}, Outcome.BLOCKED),
        ({"status": "blocked by a robot check"}, Outcome.BLOCKED),
        ({"status": "failed"}, Outcome.RUN_FAILED),
        ({"isBlocked": "true"}, Outcome.BLOCKED),
    ],
)
def test_an_item_that_reports_failure_is_no_check_without_values(
    read: Any, sign: dict[str, Any], outcome: Outcome
) -> None:
    failure = read(**sign)
    assert isinstance(failure, Failure)
    assert failure.outcome is outcome


@pytest.mark.parametrize("read", [of_axesso, of_junglee])
@pytest.mark.parametrize(
    "sign",
    [{"error": None}, {"#error": False}, {"errors": []}, {"error": "none"}, {"status": "FOUND"},
     {"isBlocked": False}],
)  # fmt: skip
def test_an_item_that_names_no_error_is_read(read: Any, sign: dict[str, Any]) -> None:
    assert isinstance(read(**sign), Observation)


@pytest.mark.parametrize(
    "sentence",
    [
        "This item cannot be shipped to your selected delivery location.",
        "Doesn't ship to Canada",
        "Dieser Artikel kann nicht an den ausgewählten Ort geliefert werden.",
        "Cet article ne peut pas être expédié à l'adresse sélectionnée.",
        "Questo articolo non può essere spedito all'indirizzo selezionato.",
        "Este producto no se puede enviar a la ubicación de entrega seleccionada.",
        "Este item não pode ser enviado para o local selecionado.",
        "Dit item kan niet naar de geselecteerde locatie worden verzonden.",
        "Den här artikeln kan inte levereras till vald plats.",
        "Tego produktu nie można wysłać do wybranej lokalizacji.",
        "Bu ürün seçilen konuma gönderilemiyor.",
        "この商品は選択した住所にお届けできません。",
        "此商品無法運送至您所選擇的地點。",
        "لا يمكن شحن هذا المنتج إلى موقعك",
    ],
)
def test_a_page_for_a_place_that_is_not_delivered_to_is_the_wrong_location(sentence: str) -> None:
    for failure in (of_axesso(warehouseAvailability=sentence), of_junglee(inStockText=sentence)):
        assert isinstance(failure, Failure)
        assert failure.outcome is Outcome.WRONG_LOCALE


@pytest.mark.parametrize(
    "sentence",
    ["In stock", "Ships to Germany", "Usually ships within 2 days", "Auf Lager", "En stock"],
)
def test_a_page_that_delivers_is_not_the_wrong_location(sentence: str) -> None:
    assert not is_not_sent_here(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Currently unavailable.", "Derzeit nicht verfügbar.", "Actuellement indisponible.",
        "Attualmente non disponibile.", "No disponible por el momento.",
        "Momenteel niet verkrijgbaar.", "Atualmente indisponível.", "För närvarande ej tillgänglig",
        "Obecnie niedostępny.", "Şu anda mevcut değil.", "現在在庫切れです。", "目前無法供應",
        "目前无货", "غير متوفر حاليًا.",
    ],
)  # fmt: skip
def test_the_pages_stock_sentence_wins_over_a_missing_price(sentence: str) -> None:
    assert parse_availability(sentence)[0] is Availability.UNAVAILABLE
    for item in (
        of_axesso(warehouseAvailability=sentence, error="price missing"),
        of_junglee(inStockText=sentence, inStock=False, price=None, error="price missing"),
    ):
        assert isinstance(item, Observation)
        assert item.outcome is Outcome.UNAVAILABLE


def test_words_about_stock_that_are_not_known_are_unreadable() -> None:
    for item in (
        of_axesso(warehouseAvailability="Na dopyt u dodávateľa"),
        of_junglee(inStockText="Na dopyt u dodávateľa", inStock=False),
    ):
        assert isinstance(item, Observation)
        assert item.unreadable == {Seen.AVAILABILITY: "Na dopyt u dodávateľa"}
        assert item.availability is None


def test_a_count_that_is_rounded_is_unreadable() -> None:
    seen = of_axesso(countReview="1.2K", price="about 12", productRating="keine")
    assert isinstance(seen, Observation)
    assert {bit: seen.unreadable[bit] for bit in (Seen.RATINGS_COUNT, Seen.PRICE, Seen.RATING)} == {
        Seen.RATINGS_COUNT: "1.2K",
        Seen.PRICE: "about 12",
        Seen.RATING: "keine",
    }
