"""Labels of availabilities, kinds of price, outcomes and quality flags. Pure."""

from core.history.observation import Availability, Flag, Outcome, PriceBasis
from core.text.numbers import UNKNOWN

_AVAILABILITIES = {
    Availability.IN_STOCK: "in stock",
    Availability.LIMITED: "only a few left",
    Availability.PRE_ORDER: "pre-order",
    Availability.BACK_ORDER: "back-order",
    Availability.BUY_BOX_SUPPRESSED: "Buy Box suppressed",
    Availability.NO_OFFERS: "no offers",
    Availability.UNAVAILABLE: "currently unavailable",
    Availability.GONE: "page gone",
}

_SHORT_AVAILABILITIES = {
    Availability.LIMITED: "few left",
    Availability.BUY_BOX_SUPPRESSED: "suppressed",
    Availability.UNAVAILABLE: "unavailable",
}

_PRICE_BASES = {
    PriceBasis.BUY_BOX: "Buy Box price",
    PriceBasis.LOWEST_NEW: "lowest new offer; no offer is featured",
    PriceBasis.AMAZON: "Amazon's own price",
    PriceBasis.AS_LISTED: "price as listed; the source names no seller",
}

_TRIED_AGAIN = "It will be tried again."
_OUTCOMES = {
    Outcome.OK: "The product was read.",
    Outcome.NOT_FOUND: "Amazon has no page for this product. It will be checked again.",
    Outcome.UNAVAILABLE: "The product is currently unavailable. It stays on the schedule.",
    Outcome.NO_FEATURED_OFFER: (
        "There are offers, but none is featured: the Buy Box is suppressed. "
        "The product stays on the schedule."
    ),
    Outcome.NO_OFFER: "There are no offers for the product now. It stays on the schedule.",
    Outcome.REDIRECTED_ASIN: (
        "Amazon answered with another product. Nothing was stored; "
        "check whether the ASIN was replaced or merged."
    ),
    Outcome.WRONG_LOCALE: (
        f"The page was shown for another country. Nothing was stored. {_TRIED_AGAIN}"
    ),
    Outcome.NOT_A_PRODUCT_PAGE: (
        "The page is not a product's page. Nothing was stored; check the address."
    ),
    Outcome.BLOCKED: f"Amazon blocked the request; the product is not affected. {_TRIED_AGAIN}",
    Outcome.PARSE_ERROR: (
        "The answer could not be read; the original item is kept. It will be tried again."
    ),
    Outcome.EMPTY_RUN: f"The run ended without an item for this product. {_TRIED_AGAIN}",
    Outcome.RUN_FAILED: f"The run failed at Apify; the product is not affected. {_TRIED_AGAIN}",
    Outcome.TIMEOUT: f"The run took too long and was ended. {_TRIED_AGAIN}",
    Outcome.NO_CREDIT: (
        "The Apify account has no credit left. Top it up; fetching goes on by itself after that."
    ),
    Outcome.BAD_INPUT: "The request or the answer can't be used. The detail has the reason.",
}

_FLAGS = {
    Flag.PRICE_JUMP: ("The price is far off its own history, as by a slipped decimal mark."),
    Flag.PRICE_ZERO: "The price was given as 0, which means that none was read.",
    Flag.CURRENCY_MISMATCH: "The price is in another currency than the marketplace's.",
    Flag.RATING_OUT_OF_RANGE: "The rating is outside 0 to 5 stars.",
    Flag.RATINGS_COLLAPSED: "The number of ratings fell sharply at once.",
    Flag.STALE_VALUE: "The source repeats an old value.",
    Flag.RANK_INVALID: "The rank is not a possible one.",
    Flag.LIST_PRICE_INVALID: "The list price can't be right beside the price.",
    Flag.RATINGS_JUMPED: "The number of ratings rose sharply at once.",
    Flag.RANK_SPIKE: "The rank is far off the one before it.",
    Flag.PRICE_IMPLAUSIBLE: (
        "No earlier price confirms this one, which is too low or far off the row's others."
    ),
    Flag.AMOUNTS_DISAGREE: "The prices of this row can't all belong to one product.",
}

_SHORT_FLAGS = {
    Flag.PRICE_JUMP: "price far off",
    Flag.PRICE_ZERO: "price 0",
    Flag.CURRENCY_MISMATCH: "other currency",
    Flag.RATING_OUT_OF_RANGE: "rating",
    Flag.RATINGS_COLLAPSED: "ratings fell",
    Flag.STALE_VALUE: "old value",
    Flag.RANK_INVALID: "rank",
    Flag.LIST_PRICE_INVALID: "list price",
    Flag.RATINGS_JUMPED: "ratings rose",
    Flag.RANK_SPIKE: "rank far off",
    Flag.PRICE_IMPLAUSIBLE: "price unconfirmed",
    Flag.AMOUNTS_DISAGREE: "prices disagree",
}


def availability_label(state: Availability | None) -> str:
    """Return the label of an availability: "in stock"."""
    return UNKNOWN if state is None else _AVAILABILITIES[state]


def short_availability_label(state: Availability) -> str:
    """Return a label of at most twelve letters, to fit a card on a phone."""
    return _SHORT_AVAILABILITIES.get(state) or _AVAILABILITIES[state]


def price_basis_label(basis: PriceBasis | None) -> str:
    """Return which of the prices is shown."""
    return UNKNOWN if basis is None else _PRICE_BASES[basis]


def outcome_sentence(ended: Outcome) -> str:
    """Return how a check ended, and what happens next, in a sentence."""
    return _OUTCOMES[ended]


def flag_reasons(flags: Flag) -> list[str]:
    """Return a sentence for each reason why a value is flagged."""
    return [sentence for flag, sentence in _FLAGS.items() if flag in flags]


def flag_names(flags: Flag) -> str:
    """Return what is flagged, short enough for a table's cell: "price far off, rank"."""
    return ", ".join(name for flag, name in _SHORT_FLAGS.items() if flag in flags)
