"""Faults that tests script, and the requests they affect. Pure: carries out none of them."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from core.errors import InvalidInputError


class FaultKind(StrEnum):
    """What goes wrong: up to `GARBAGE_JSON` with an answer, after that with a run."""

    HTTP_429 = "http_429"  # `retry_after` seconds in its header
    HTTP_500 = "http_500"
    NO_CREDIT = "no_credit"  # HTTP 402
    SLOW = "slow"  # answers `seconds` later
    DROP_CONNECTION = "drop_connection"  # hangs up; nothing was done
    LOST_ANSWER = "lost_answer"  # done, then hangs up
    GARBAGE_JSON = "garbage_json"  # done, answered with text that isn't JSON

    RUN_FAILED = "run_failed"
    RUN_TIMED_OUT = "run_timed_out"
    NEVER_FINISHES = "never_finishes"
    EMPTY_DATASET = "empty_dataset"
    PARTIAL_DATASET = "partial_dataset"  # only the first `share` of the items
    DUPLICATE_ITEMS = "duplicate_items"  # every item twice
    NOT_FOUND_ITEMS = "not_found_items"
    BLOCKED_ITEMS = "blocked_items"  # a robot check instead of the page
    REDIRECTED_ITEMS = "redirected_items"  # the item has another ASIN
    PRICE_ZERO = "price_zero"
    PRICE_TIMES_100 = "price_times_100"
    WRONG_CURRENCY = "wrong_currency"  # junglee names another; axesso shows another amount
    ASIN_EMPTY = "asin_empty"
    NULL_PRODUCT_DETAILS = "null_product_details"
    LISTED_RANKS = "listed_ranks"  # axesso's newer items: ranks as a list, not among the details
    ONLY_USED = "only_used"  # axesso: a used offer, and no price
    NOT_A_PRODUCT = "not_a_product"  # axesso: status 200, and neither ASIN nor title
    OVERVIEW = "overview"  # junglee's view of ten fields


ABOUT_THE_ANSWER: Final = frozenset(
    {
        FaultKind.HTTP_429,
        FaultKind.HTTP_500,
        FaultKind.NO_CREDIT,
        FaultKind.SLOW,
        FaultKind.DROP_CONNECTION,
        FaultKind.LOST_ANSWER,
        FaultKind.GARBAGE_JSON,
    }
)
OPERATIONS: Final = frozenset(
    {
        "start_run",
        "get_run",
        "list_runs",
        "abort_run",
        "get_dataset",
        "list_items",
        "get_record",
        "get_user",
        "get_limits",
        "get_actor",
    }
)
_NUMBERS: Final = frozenset(
    {"times", "skip", "probability", "seed", "retry_after", "seconds", "share"}
)


@dataclass(slots=True)
class Fault:
    """A fault and the requests it affects."""

    kind: FaultKind
    operation: str | None = None  # None: any; a fault of a run always affects start_run
    times: int | None = 1  # how many more requests it affects; None: all
    skip: int = 0  # how many matching requests it lets pass first
    probability: float = 1.0
    seed: int = 0
    retry_after: int = 1  # seconds, for http_429
    seconds: float = 1.0  # for slow
    share: float = 0.5  # for partial_dataset
    asins: frozenset[str] = frozenset()  # items it affects; empty: all
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        if self.kind not in ABOUT_THE_ANSWER:
            self.operation = "start_run"

    def take_request(self, operation: str) -> bool:
        """Return whether the fault affects this request, and count it."""
        if self.operation not in (None, operation) or self.times == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self._dice.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def affects_item(self, asin: str | None) -> bool:
        return not self.asins or asin in self.asins


class FaultScript:
    """The pending faults, in the order they were scripted."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add_fault(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear_faults(self) -> None:
        self._waiting.clear()

    def take_faults(self, operation: str) -> list[Fault]:
        """Return the faults that affect this request, and count it in each."""
        hit = [fault for fault in self._waiting if fault.take_request(operation)]
        self._waiting = [fault for fault in self._waiting if fault.times != 0]
        return hit


def _check_numbers(body: Mapping[str, Any]) -> None:
    for name in _NUMBERS & body.keys():
        is_endless = name == "times" and body[name] is None
        if not is_endless and (isinstance(body[name], bool) or body[name] != abs(body[name])):
            raise ValueError(f"{name} must be a number, 0 or more")


def read_fault(body: object) -> Fault:
    """Read a scripted fault, such as `{"kind": "http_429", "times": 2}`.

    Raises InvalidInputError for an unknown kind, operation or value.
    """
    if not isinstance(body, Mapping):
        raise InvalidInputError('A fault is an object, such as {"kind": "http_429"}.')
    try:
        _check_numbers(body)
        asins = frozenset(body.get("asins", ()))
        fault = Fault(**{**body, "kind": FaultKind(body["kind"]), "asins": asins})
    except (KeyError, TypeError, ValueError) as error:
        kinds = ", ".join(FaultKind)
        raise InvalidInputError(f"No such fault ({error}). Kinds: {kinds}.") from error
    if fault.operation not in OPERATIONS | {None}:
        raise InvalidInputError(f"No such operation. Operations: {', '.join(sorted(OPERATIONS))}.")
    return fault
