"""Reference of fields: of a product in tool results, and of a stored snapshot. Data.

Tests compare the names with the real ones, so that no field is missing here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldMeaning:
    """A field: its unit, its meaning, and what null means."""

    name: str
    unit: str | None  # None: it has none
    meaning: str
    when_null: str | None  # None: it is never null


_REASON = "unknown: `why_unknown` beside it gives the reason"
_UNSEEN = (
    "not reported by this source, none on the page (its bit in `seen` is set), "
    "or unreadable (its text is in `unreadable`)"
)
_MINOR = "minor units of `currency`"

PRODUCT = (
    FieldMeaning("product", None, "Its name in tools: marketplace, colon, ASIN.", None),
    FieldMeaning("marketplace", None, "Code of the marketplace, such as US.", None),
    FieldMeaning("asin", None, "Ten letters and digits.", None),
    FieldMeaning("title", None, "Of its listing; text from outside.", "not yet read"),
    FieldMeaning("brand", None, "Of its listing; text from outside.", "not yet read, or none"),
    FieldMeaning("url", None, "Its page on Amazon.", None),
    FieldMeaning("price", "currency of the marketplace", "The price a buyer is shown.", _REASON),
    FieldMeaning("list_price", "currency of the marketplace", "The crossed-out price.", _REASON),
    FieldMeaning("coupon", "% or currency, as `unit` says", "Taken off at the checkout.", _REASON),
    FieldMeaning("rank", "place, 1 is the best", "Best Sellers Rank in `rank_category`.", _REASON),
    FieldMeaning("rank_category", None, "Category of `rank`; text from outside.", "no rank known"),
    FieldMeaning("rating", "stars, 1 to 5", "Mean of the ratings.", _REASON),
    FieldMeaning("ratings_count", "ratings", "With or without text; it may fall.", _REASON),
    FieldMeaning("availability", "state", "Whether it can be bought; see the glossary.", _REASON),
    FieldMeaning("stock_left", "items", "If the page shows it.", _REASON),
    FieldMeaning(
        "buy_box_seller", None, "Seller in the Buy Box; text from outside.", "unknown or none"
    ),
    FieldMeaning("buy_box_seller_id", None, "Amazon's id of that seller.", "unknown or none"),
    FieldMeaning(
        "is_own_seller",
        None,
        "That seller is one of the team's own.",
        "unknown, or the team has set none for the marketplace",
    ),
    FieldMeaning("is_doubtful", None, "The newest check has a flagged value.", None),
    FieldMeaning("doubts", None, "Why values are flagged, in sentences; empty: none is.", None),
    FieldMeaning(
        "unreadable",
        None,
        "By field the newest text that could not be read; text from outside.",
        None,
    ),
    FieldMeaning("followed", None, "How the team tracks it.", "no one in the team does"),
    FieldMeaning("next_fetch", None, "When it is checked next, in words.", None),
    FieldMeaning("trouble", None, "What prevents newer values.", "nothing does"),
    FieldMeaning("is_demo", None, "It is an invented product.", None),
)

SNAPSHOT = (
    FieldMeaning("captured_at", "UTC", "When the page was checked.", None),
    FieldMeaning("source", "number", "The scraper or kind of file it is from.", None),
    FieldMeaning("kind", "number", "0: a sample, unknown until the next. 1: a change.", None),
    FieldMeaning(
        "seen", "bits", "Which fields the source reports, so that null has a meaning.", None
    ),
    FieldMeaning(
        "unreadable",
        None,
        "Fields whose text could not be read, each with it; text from outside.",
        "every field was read",
    ),
    FieldMeaning("flags", "bits", "Why values are flagged; 0: none is.", None),
    FieldMeaning("outcome", "word", "How the check ended; see the glossary.", None),
    FieldMeaning("currency", "ISO 4217", "As observed; comparable when the marketplace's.", None),
    FieldMeaning("price", _MINOR, "The price a buyer is shown.", _UNSEEN),
    FieldMeaning(
        "price_basis",
        "number",
        "Which price: 1 featured offer, 2 lowest new, 3 Amazon's, 4 as listed.",
        "there is no price",
    ),
    FieldMeaning("list_price", _MINOR, "The crossed-out price.", _UNSEEN),
    FieldMeaning("buy_box_price", _MINOR, "Of the featured offer.", _UNSEEN),
    FieldMeaning("buy_box_shipping", _MINOR, "Shipping of the featured offer.", _UNSEEN),
    FieldMeaning("buy_box_seller", None, "Seller in the Buy Box; text from outside.", _UNSEEN),
    FieldMeaning("buy_box_seller_id", None, "Amazon's id of that seller.", _UNSEEN),
    FieldMeaning("amazon_price", _MINOR, "Of Amazon's own offer.", _UNSEEN),
    FieldMeaning("new_price", _MINOR, "Of the lowest new offer.", _UNSEEN),
    FieldMeaning("new_fba_price", _MINOR, "Of the lowest new offer shipped by Amazon.", _UNSEEN),
    FieldMeaning("used_price", _MINOR, "Of the lowest used offer.", _UNSEEN),
    FieldMeaning("deal_price", _MINOR, "Of a current deal.", _UNSEEN),
    FieldMeaning("coupon_amount", _MINOR, "Coupon, as an amount.", _UNSEEN),
    FieldMeaning("coupon_percent", "%", "Coupon, in percent.", _UNSEEN),
    FieldMeaning("fulfilment", "number", "Who ships: 1 Amazon, 2 FBA, 3 the merchant.", _UNSEEN),
    FieldMeaning("bsr", "place, 1 is the best", "Best Sellers Rank, main category.", _UNSEEN),
    FieldMeaning("bsr_category_id", "id", "Its category.", "no rank"),
    FieldMeaning("sub_rank", "place, 1 is the best", "Rank in the first sub-category.", _UNSEEN),
    FieldMeaning("sub_category_id", "id", "Its category.", "no such rank"),
    FieldMeaning("rating", "tenths of a star", "Mean of the ratings; 46 is 4.6.", _UNSEEN),
    FieldMeaning("ratings_count", "ratings", "With or without text.", _UNSEEN),
    FieldMeaning("reviews_count", "written reviews", "Fewer than the ratings.", _UNSEEN),
    FieldMeaning("availability", "number", "Whether it can be bought; see the glossary.", _UNSEEN),
    FieldMeaning("stock_left", "items", "If the page shows it.", _UNSEEN),
    FieldMeaning("offers_new", "offers", "Number of new offers.", _UNSEEN),
    FieldMeaning("offers_used", "offers", "Number of used offers.", _UNSEEN),
    FieldMeaning("fetch_run_id", "id", "The run it is from.", "it is from a file"),
    FieldMeaning("import_run_id", "id", "The import it is from.", "it was fetched"),
)
