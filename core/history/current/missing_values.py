"""Why a current figure is blank, in words. Pure: the head of a product in, sentences out."""

from datetime import datetime
from typing import Literal

from core.history.labels import outcome_sentence
from core.history.observation import Outcome
from core.history.product_summary import FetchState, ProductSummary
from core.text.times import format_age

Group = Literal["price", "bsr", "rating", "availability"]


def observed_at(head: ProductSummary, group: Group) -> datetime | None:
    """Return when a group of values was last looked at; None: never reported."""
    times = {
        "price": head.price_at,
        "bsr": head.bsr_at,
        "rating": head.rating_at,
        "availability": head.availability_at,
    }
    return times[group]


UNREADABLE = "unreadable"  # something stood there, and it could not be understood
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
    """Return why a value of a group is not there, for a card that shows none.

    `is_beside`: see `blank_of_seen`; of ratings either may come without the other.
    `column`: which value of the group; None: its first.
    """
    if head.captured_at is None:
        return never_observed_text(head.fetching, now)
    if unreadable_text(head, group, column) is not None:
        return UNREADABLE
    return blank_of_seen(observed_at(head, group), is_beside=is_beside or group == "rating")


def unreadable_text(head: ProductSummary, group: Group, column: str | None = None) -> str | None:
    """Return what stands where a value could not be read; None: it was read, or absent."""
    names = _COLUMNS[group] if column is None else (column,)
    return next((head.unreadable[name] for name in names if name in head.unreadable), None)


def unreadable_sentences(head: ProductSummary) -> list[tuple[str, str]]:
    """Return of each field that could not be read last a sentence, and the text that stood there.

    The text is from outside: escape it where it is shown.
    """
    return [
        (f"The {_NAMES[name]} could not be read when it was last checked", text)
        for name, text in head.unreadable.items()
        if name in _NAMES
    ]


def blank_of_seen(reported_at: datetime | None, *, is_beside: bool = False) -> str:
    """Return why a value of a product that was seen is not there; `reported_at` None: never.

    `is_beside`: the time is another value's too, and a source may report that one alone.
    """
    # Short: on a phone a card has room for twenty letters.
    if reported_at is None:
        return "not reported"
    return "none or not reported" if is_beside else "none on the page"


def never_observed_text(fetching: FetchState | None, now: datetime) -> str:
    """Return why nothing is known of a product at all."""
    if fetching is None:
        return "never fetched: paused, or tracked by no one"
    if fetching.leased_until is not None and fetching.leased_until > now:
        return "never fetched: the first fetch is running"
    if fetching.last_outcome is not None and not fetching.last_outcome.says_something:
        return f"never read: the last fetch ended as {_ended(fetching.last_outcome)}"
    if fetching.due_at <= now:
        return "never fetched: due now"
    return f"never fetched: due {format_age(fetching.due_at, now)}"


def fetch_problem(fetching: FetchState | None, now: datetime) -> str | None:
    """Return what stands in the way of newer values, None when nothing does."""
    if fetching is None or fetching.last_outcome is None or fetching.last_outcome.says_something:
        return None
    times = "time" if fetching.failures == 1 else "times in a row"
    read = f"; last read {format_age(fetching.looked_at, now)}" if fetching.looked_at else ""
    return (
        f"The last fetch failed ({fetching.failures} {times}{read}): "
        f"{outcome_sentence(fetching.last_outcome)}"
    )


def next_fetch_text(fetching: FetchState | None, now: datetime) -> str:
    """Return when the product is looked at next."""
    if fetching is None:
        return "not on the schedule"
    if fetching.leased_until is not None and fetching.leased_until > now:
        return "being fetched now"
    if fetching.requested_at is not None and _is_waiting(fetching, now):
        return f"asked for {format_age(fetching.requested_at, now)}, next in line"
    if fetching.due_at <= now:
        return "next fetch due now"
    return f"next fetch {format_age(fetching.due_at, now)}"


def _is_waiting(fetching: FetchState, now: datetime) -> bool:
    """True while nothing has come of a person's request."""
    asked, looked = fetching.requested_at, fetching.looked_at
    return asked is not None and (looked is None or looked < asked) and fetching.due_at <= now


def _ended(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")
