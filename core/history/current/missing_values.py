"""Reasons for missing newest values, as text. Pure."""

from datetime import datetime
from typing import Literal

from core.history.labels import outcome_sentence
from core.history.observation import Outcome
from core.history.product_summary import FetchState, ProductSummary
from core.text.times import format_age

Group = Literal["price", "bsr", "rating", "availability"]


def observed_at(head: ProductSummary, group: Group) -> datetime | None:
    """Return when a group of values was last observed; None: never reported."""
    times = {
        "price": head.price_at,
        "bsr": head.bsr_at,
        "rating": head.rating_at,
        "availability": head.availability_at,
    }
    return times[group]


UNREADABLE = "unreadable"  # the page had a text that could not be parsed
_COLUMNS: dict[Group, tuple[str, ...]] = {
    "price": ("price",),
    "bsr": ("bsr",),
    "rating": ("rating", "ratings_count"),
    "availability": ("availability",),
}
_NAMES = {
    "price": "price",
    "list_price": "list price",
    "coupon": "coupon",
    "bsr": "Best Sellers Rank",
    "rating": "rating",
    "ratings_count": "number of ratings",
    "availability": "availability",
    "seller": "seller",
    "seller_id": "seller's id",
    "listing": "title",
}


def blank_reason(
    head: ProductSummary,
    group: Group,
    now: datetime,
    *,
    is_beside: bool = False,
    column: str | None = None,
) -> str:
    """Return why a value of a group is missing, short enough for a card.

    `is_beside`: see `blank_of_observed`; of ratings, either may be reported alone.
    `column`: which value of the group; None: its first.
    """
    if head.captured_at is None:
        return never_observed_text(head.fetching, now)
    if unreadable_text(head, group, column) is not None:
        return UNREADABLE
    return blank_of_observed(observed_at(head, group), is_beside=is_beside or group == "rating")


def unreadable_text(head: ProductSummary, group: Group, column: str | None = None) -> str | None:
    """Return the text of a value that could not be read; None: it was read, or absent."""
    names = _COLUMNS[group] if column is None else (column,)
    return next((head.unreadable[name] for name in names if name in head.unreadable), None)


def unreadable_sentences(head: ProductSummary) -> list[tuple[str, str]]:
    """Return a sentence and the original text for each field that could not be read last.

    The text is from outside: escape it where it is shown.
    """
    return [
        (f"The {_NAMES[name]} could not be read when it was last checked", text)
        for name, text in head.unreadable.items()
        if name in _NAMES
    ]


def blank_of_observed(reported_at: datetime | None, *, is_beside: bool = False) -> str:
    """Return why a value of an observed product is missing; `reported_at` None: never reported.

    `is_beside`: another value shares the time, and a source may report that value alone.
    """
    # Short: on a phone a card has room for twenty letters.
    if reported_at is None:
        return "not reported"
    return "none or not reported" if is_beside else "none on the page"


def never_observed_text(fetching: FetchState | None, now: datetime) -> str:
    """Return why a product has no values at all."""
    if fetching is None:
        return "never fetched: paused, or tracked by no one"
    if fetching.leased_until is not None and fetching.leased_until > now:
        return "never fetched: the first fetch is running"
    if fetching.last_outcome is not None and not fetching.last_outcome.is_about_product:
        return f"never read: the last fetch ended as {_ended(fetching.last_outcome)}"
    if fetching.due_at <= now:
        return "never fetched: due now"
    return f"never fetched: due {format_age(fetching.due_at, now)}"


def fetch_problem(fetching: FetchState | None, now: datetime) -> str | None:
    """Return how the last check failed, None if it did not."""
    if fetching is None or fetching.last_outcome is None or fetching.last_outcome.is_about_product:
        return None
    times = "time" if fetching.failures == 1 else "times in a row"
    read = f"; last read {format_age(fetching.observed_at, now)}" if fetching.observed_at else ""
    return (
        f"The last fetch failed ({fetching.failures} {times}{read}): "
        f"{outcome_sentence(fetching.last_outcome)}"
    )


def next_fetch_text(fetching: FetchState | None, now: datetime) -> str:
    """Return when the product is checked next."""
    if fetching is None:
        return "not on the schedule"
    if fetching.leased_until is not None and fetching.leased_until > now:
        return "being checked now"
    if fetching.requested_at is not None and _is_requested(fetching, now):
        return f"check queued {format_age(fetching.requested_at, now)}"
    if fetching.due_at <= now:
        return "next check due now"
    return f"next check {format_age(fetching.due_at, now)}"


def _is_requested(fetching: FetchState, now: datetime) -> bool:
    """Return whether a user's request is still pending."""
    requested, last_observed = fetching.requested_at, fetching.observed_at
    return (
        requested is not None
        and (last_observed is None or last_observed < requested)
        and fetching.due_at <= now
    )


def _ended(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")
