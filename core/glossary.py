"""The words of this project, each once: pages, tools and documents mean the same by them. Data.

Facts of the field stand beside the words that they belong to.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word, what it means here, and the words that it must not be taken for."""

    word: str
    meaning: str
    not_to_be_taken_for: str | None = None  # None: nothing is close to it


@dataclass(frozen=True, slots=True)
class Subject:
    """Words about one subject."""

    title: str
    terms: tuple[Term, ...]


_PRODUCTS = (
    Term("ASIN", "Ten letters and digits by which Amazon names a listing; alone it names none."),
    Term(
        "marketplace",
        "One of Amazon's shops, by the code of its country (US, DE, JP): its own prices, ranks, "
        "currency and clock.",
    ),
    Term("product", "An ASIN in a marketplace: US:B0ABCDEFGH. The same ASIN elsewhere is another."),
    Term("listing", "A product's text and images; a new version is kept when its content changes."),
    Term(
        "role of a product",
        "What it is to the team: own, competitor or watched.",
        "the role of a person",
    ),
    Term("tag", "A word that a user put on a tracked product, to find it by."),
    Term("demo", "An invented product of an invented market; no figure of it is real."),
)
_LOOKS = (
    Term("look", "One visit of a product's page, or one row of a file: a moment, not a day."),
    Term("observation", "What one look said."),
    Term("snapshot", "A stored observation. Its values are never edited."),
    Term(
        "sample",
        "A look that says what it saw at that moment; silence after it is a hole.",
        "change",
    ),
    Term("change", "A time from which a value held, as Keepa says it; silence means unchanged."),
    Term(
        "unknown",
        "Nobody could tell: always null with a reason. Looked and there was none is a value of "
        "its own and says so.",
        "0, or an empty text",
    ),
    Term(
        "doubtful",
        "A value the quality gate does not believe yet, such as a price 100 times as high. It is "
        "kept, drawn hollow and left out of figures until a second look agrees.",
    ),
    Term("day", "By the clock of the product's marketplace; the incomplete today is no day yet."),
    Term("provenance", "Which run of which scraper, or which file, said a value, and when."),
    Term("cadence", "How often a product is checked: hourly, 6h, daily or weekly."),
    Term("paused", "Tracked, but not checked until a user resumes it."),
)
_FIGURES = (
    Term(
        "price",
        "What a buyer is shown for one item, of the featured offer where there is one. It holds "
        "until the next look; it is never interpolated, nor compared across currencies.",
        "list price, coupon, deal",
    ),
    Term("list price", "The crossed-out price beside the price, as the seller states it."),
    Term("coupon", "Taken off at the checkout, an amount or percent; not part of the price."),
    Term(
        "Buy Box",
        "The featured offer. Held: by this seller; lost: by another one; suppressed: there are "
        "offers, and none is featured.",
    ),
    Term(
        "BSR",
        "Best Sellers Rank, 1 is the best: a smaller number is an improvement. It improves or "
        "worsens, is comparable only within one category of one marketplace, and is written "
        "about hourly. Changes are compared as ratios: 100 to 200 is as far as 200 to 100.",
    ),
    Term("rating", "The mean of its stars, 1 to 5 in tenths; shared by a family of variations."),
    Term(
        "ratings count",
        "How many people gave stars, with or without text. It may fall: purges, splits.",
        "reviews count: written reviews only, which are fewer",
    ),
)
_STATES = (
    Term("in_stock", "It can be bought."),
    Term("limited", "It can be bought, and the page says that few are left."),
    Term("pre_order", "It can be ordered before it comes out."),
    Term("back_order", "It can be ordered and comes later."),
    Term("buy_box_suppressed", "There are offers, none is featured."),
    Term("no_offers", "Nobody offers it."),
    Term("unavailable", "The page says: currently unavailable. A fetch may end so, too."),
    Term("gone", "Its page is not there any more (404)."),
)
_FETCHES = (
    Term("fetch run", "One paid run of a scraper for a batch of products."),
    Term(
        "outcome of a fetch",
        "How a look ended. The first five say something of the product; all others are a fetch "
        "that failed, and change nothing that is known of it.",
        "outcome of a suggestion",
    ),
    Term("ok", "The page was read."),
    Term("not_found", "Its page is not there."),
    Term("no_featured_offer", "The page was read: no offer is featured."),
    Term("no_offer", "The page was read: nobody offers it."),
    Term("redirected_asin", "The page of another ASIN came back."),
    Term("wrong_locale", "The page of another country or currency came back."),
    Term("not_a_product_page", "Something else than a product came back."),
    Term("blocked", "Amazon would not show the page to the scraper."),
    Term("parse_error", "The page came, and nothing could be read from it."),
    Term("empty_run", "The run ended well and brought nothing for this product."),
    Term("run_failed", "The run failed as a whole."),
    Term("timeout", "It took too long."),
    Term("no_credit", "The account of the scraper is empty."),
    Term("bad_input", "The scraper refused what it was asked for."),
)
_WATCHING = (
    Term("followed", "A user of the team tracks it."),
    Term("finding", "What changed most since the day before, in one sentence: what lists show."),
    Term("attention", "A finding that asks for a look: worse first."),
    Term("opportunity", "A finding that may be used, such as a competitor out of stock."),
    Term("threshold", "From which change in percent on a move is a finding; a person's own wins."),
)
_SUGGESTIONS = (
    Term(
        "suggestion",
        "A proposed improvement with its evidence, made of actions. pending, then approved, "
        "partly_approved, declined or expired.",
    ),
    Term(
        "action",
        "One change of a suggestion. pending, approved, applied (shown as to publish, of tracking "
        "as done), then verified once a check shows it, or unseen (shown as not confirmed) when "
        "none did within its days; or declined, stale (the value is no longer the one that was "
        "reviewed), failed, undone, expired.",
    ),
    Term("evidence", "The figures that a suggestion rests on, frozen with their snapshots."),
    Term("price caps", "Between which prices a product may be moved, and how far at once."),
    Term("change set", "Approved listing and price changes as files and steps for the seller."),
    Term(
        "outcome of a suggestion",
        "What an applied change did, measured against competitors.",
        "outcome of a fetch",
    ),
)
_PEOPLE = (
    Term("team", "Who shares products, rules and suggestions."),
    Term(
        "role",
        "What a person may do: viewer, seller, manager, admin; each all that the ones before may.",
        "the role of a product",
    ),
    Term("scope", "What a token is good for: read, propose, act; never more than its owner."),
    Term("to propose", "To ask for a change that waits for a manager. No program approves."),
    Term("untrusted", "Text from outside: data to look at, never an instruction to follow."),
)

GLOSSARY = (
    Subject("Products", _PRODUCTS),
    Subject("Looks and what is kept", _LOOKS),
    Subject("Figures", _FIGURES),
    Subject("Availability", _STATES),
    Subject("Fetching", _FETCHES),
    Subject("Watching", _WATCHING),
    Subject("Suggestions", _SUGGESTIONS),
    Subject("People and programs", _PEOPLE),
)


def words() -> frozenset[str]:
    """Return every word that is explained."""
    return frozenset(term.word for subject in GLOSSARY for term in subject.terms)
