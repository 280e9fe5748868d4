"""The verdicts on imported rows: codes, labels, and which count as failed. Pure."""

from typing import Final

from core.history.observation import Outcome

STORED: Final = "stored"  # at least one observation of the row is new
KNOWN: Final = "already_there"
ADDED: Final = "added"
TRACKED: Final = "already_tracked"
PART_OF: Final = "part_of"
CONTRADICTS: Final = "contradicts"  # a different observation of that moment is stored and stays

GOOD: Final = frozenset({STORED, ADDED, PART_OF})
THERE: Final = frozenset({KNOWN, TRACKED})

_LABELS: Final = {
    STORED: "Stored",
    KNOWN: "Already there",
    ADDED: "Added",
    TRACKED: "Already tracked",
    PART_OF: "Read with another row",
    CONTRADICTS: "Contradicts what is stored",
    "needs_marketplace": "Needs a marketplace",
    "invalid": "Not usable",
    Outcome.NOT_FOUND.value: "Page not found",
    Outcome.REDIRECTED_ASIN.value: "Another product",
    Outcome.WRONG_LOCALE.value: "Other country's page",
    Outcome.NOT_A_PRODUCT_PAGE.value: "Not a product page",
    Outcome.BLOCKED.value: "Blocked by Amazon",
    Outcome.PARSE_ERROR.value: "Could not be read",
    Outcome.EMPTY_RUN.value: "Empty run",
    Outcome.RUN_FAILED.value: "Run failed",
    Outcome.TIMEOUT.value: "Took too long",
    Outcome.NO_CREDIT.value: "No credit",
    Outcome.BAD_INPUT.value: "Refused",
}


def outcome_label(verdict: str) -> str:
    """Return the label of a verdict."""
    return _LABELS.get(verdict) or verdict.replace("_", " ").capitalize()


def has_failed(verdict: str) -> bool:
    """Return whether a row with this verdict counts as failed."""
    return verdict not in GOOD and verdict not in THERE
