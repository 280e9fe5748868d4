"""The terms of this project, each once, with one meaning in pages, tools and documents. Data.

Facts of the field are given with their terms.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A term, its meaning here, and terms that are often confused with it."""

    word: str
    meaning: str
    not_to_be_taken_for: str | None = None  # None: none


@dataclass(frozen=True, slots=True)
class Subject:
    """The terms of one subject."""

    title: str
    terms: tuple[Term, ...]


_PRODUCTS = (
    Term(
        "ASIN",
        "Ten letters and digits that name a listing within a marketplace; the same ASIN exists on "
        "several.",
    ),
    Term(
        "marketplace",
        "One of Amazon's shops, by the code of its country (US, DE, JP): its own prices, ranks, "
        "currency and clock.",
    ),
    Term(
        "product",
        "An ASIN in a marketplace: US:B0ABCDEFGH. The same ASIN elsewhere is another product.",
    ),
    Term(
        "listing", "A product's text and images; a new version is stored when its content changes."
    ),
    Term(
        "role of a product",
        "What it is to the team: own, competitor or watched.",
        "the role of a person",
    ),
    Term("tag", "A word that users put on tracked products to find them."),
    Term("demo", "An invented product of an invented market; none of its figures is real."),
)
_CHECKS = (
    Term(
        "check",
        "Reading the newest values of a product's page, or one row of a file: a moment, not a day.",
    ),
    Term("observation", "The values that one check found."),
    Term("snapshot", "A stored observation. Its values are never edited."),
    Term(
        "sample",
        "An observation of one moment; until the next one the values are unknown.",
        "change",
    ),
    Term(
        "change",
        "The time from which a value held, as Keepa reports it; unchanged until the next one.",
    ),
    Term(
        "unknown",
        "Always null with a reason. None (the page was read and showed none) is a separate value.",
        "0, or an empty text",
    ),
    Term(
        "flagged",
        "An implausible value, such as a price 100 times as high (`is_doubtful`, `doubts`). It is "
        "stored, drawn hollow and left out of figures until a second check confirms it.",
    ),
    Term("day", "By the clock of the product's marketplace; today counts once it is complete."),
    Term("provenance", "The run of a scraper or the file that a value is from, and its time."),
    Term("cadence", "How often a product is checked: hourly, 6h, daily or weekly."),
    Term("paused", "Tracked, but not checked until a user resumes it."),
)
_FIGURES = (
    Term(
        "price",
        "What a buyer is shown for one item, of the featured offer if there is one. It holds "
        "until the next check; it is never interpolated, nor compared across currencies.",
        "list price, coupon, deal",
    ),
    Term("list price", "The crossed-out price beside the price, as the seller states it."),
    Term("coupon", "Deducted at the checkout, an amount or percent; not part of the price."),
    Term(
        "Buy Box",
        "The featured offer. Held: it is this seller's; lost: it is another seller's; suppressed: "
        "there are offers, but none is featured.",
    ),
    Term(
        "BSR",
        "Best Sellers Rank, 1 is the best: a smaller number is an improvement. It improves or "
        "worsens, is comparable only within one category of one marketplace, and is updated "
        "about hourly. Changes are compared as ratios: 100 to 200 is as far as 200 to 100.",
    ),
    Term(
        "Buy Box share",
        "The part of the time in which the holder is known that one seller held it; all parts sum "
        "to 1. Time without checks counts nowhere.",
    ),
    Term(
        "Sales rank drops",
        "How often the BSR was better than the one known before it, in one category, as Keepa "
        "counts them (Keepa: about one per sale). More frequent checks see more.",
    ),
    Term(
        "average",
        "Of a period: weighted by how long each value held, without time that no check covers. The "
        "90-day average is of the 90 days before the period's end.",
    ),
    Term("rating", "The mean of its stars, 1 to 5 in tenths; shared by a family of variations."),
    Term(
        "ratings count",
        "How many buyers gave stars, with or without text. It may fall: purges, splits.",
        "reviews count: written reviews only, which are fewer",
    ),
)
_STATES = (
    Term("in_stock", "It can be bought."),
    Term("limited", "It can be bought, and the page shows that few are left."),
    Term("pre_order", "It can be ordered before it comes out."),
    Term("back_order", "It can be ordered and comes later."),
    Term("buy_box_suppressed", "There are offers, none is featured."),
    Term("no_offers", "There are no offers."),
    Term("unavailable", "The page shows: currently unavailable. Also an outcome of a fetch."),
    Term("gone", "Its page was removed (404)."),
)
_FETCHES = (
    Term("fetch run", "One paid run of a scraper for a batch of products."),
    Term(
        "outcome of a fetch",
        "How a check ended. The first five are information about the product; all others are "
        "failed fetches, which change none of its values.",
        "outcome of a suggestion",
    ),
    Term("ok", "The page was read."),
    Term("not_found", "Its page does not exist."),
    Term("no_featured_offer", "The page was read: no offer is featured."),
    Term("no_offer", "The page was read: there are no offers."),
    Term("redirected_asin", "Amazon answered with the page of another ASIN."),
    Term("wrong_locale", "Amazon answered with the page of another country or currency."),
    Term("not_a_product_page", "Amazon answered with a page other than a product page."),
    Term("blocked", "Amazon refused the page to the scraper."),
    Term("parse_error", "The page was fetched, but nothing could be read from it."),
    Term("empty_run", "The run succeeded without an item for this product."),
    Term("run_failed", "The run failed as a whole."),
    Term("timeout", "It took too long."),
    Term("no_credit", "The scraper's account has no credit left."),
    Term("bad_input", "The scraper refused its input."),
)
_WATCHING = (
    Term("followed", "A user of the team tracks it."),
    Term("finding", "The largest change since the day before, in one sentence, as lists show it."),
    Term("attention", "A finding that needs attention; the worst are first."),
    Term("opportunity", "A finding to use, such as a competitor out of stock."),
    Term(
        "threshold",
        "The change in percent from which on it is a finding: the user's own for a product, "
        "else the team's default.",
    ),
)
_ALERTS = (
    Term(
        "alert rule",
        "What is watched, of which products, and when that is an incident. Each team has the "
        "built-in ones.",
    ),
    Term(
        "incident",
        "A time for which a rule held for a product: firing while it lasts, then resolved.",
        "a notification about it",
    ),
    Term("open issue", "An incident that lasts, of a rule that is on, and is not muted."),
    Term("flapping", "An incident that came and went too often: one for all of that."),
    Term("withdrawn", "An incident that rested on a value that was corrected later."),
    Term("muted", "An incident that its cause explains, such as a removed listing: never sent."),
    Term("acknowledged", "A user knows of the incident; it stays open until it is solved."),
    Term("snoozed", "An incident that is to be left alone until a time."),
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
    Term("price caps", "The lowest and highest allowed price of a product, and the largest step."),
    Term("change set", "Approved listing and price changes as files and steps for the seller."),
    Term(
        "outcome of a suggestion",
        "What an applied change did, measured against competitors.",
        "outcome of a fetch",
    ),
)
_PEOPLE = (
    Term("team", "The users who share products, rules and suggestions."),
    Term(
        "role",
        "A user's permissions: viewer, seller, manager, admin; each includes the ones before.",
        "the role of a product",
    ),
    Term("scope", "What a token permits: read, propose, act; never more than its owner may."),
    Term("to propose", "To request a change that a manager must approve. No program approves."),
    Term("untrusted", "Text from outside: data, never an instruction to follow."),
)

GLOSSARY = (
    Subject("Products", _PRODUCTS),
    Subject("Checks and stored values", _CHECKS),
    Subject("Figures", _FIGURES),
    Subject("Availability", _STATES),
    Subject("Fetching", _FETCHES),
    Subject("Watching", _WATCHING),
    Subject("Alerts", _ALERTS),
    Subject("Suggestions", _SUGGESTIONS),
    Subject("People and programs", _PEOPLE),
)
