"""The specification of a kind of change: what each kind states, and what all share.

A kind is a class with one instance, `SPEC`, in the module of its name. Values are mappings with the
keys that `core.suggestions.rules.Change` lists, money in minor units. Only the methods that
take a session read or write the database; none commits.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import zip_longest
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from core.errors import InvalidInputError
from core.suggestions.changes import values as shared
from core.suggestions.changes.current_values import ChangeTarget
from core.suggestions.changes.values import Values
from core.suggestions.rules import Change, Facts
from core.tracking.price_caps.rules import PriceCaps


@dataclass(frozen=True, slots=True)
class GivenValue:
    """The value of a proposed change as a tool or a model gives it: at most one field is set."""

    amount: int | None = None  # minor units: a price, or what a coupon takes off
    percent: float | None = None  # off by a coupon, or a threshold
    text: str | None = None  # a title …; a cadence; a competitor's ASIN or address
    texts: Sequence[str] | None = None  # bullets, or levels of a category
    count: int | None = None  # images there should be


class Editor(Enum):
    """The kind of field in which a manager edits a value."""

    NONE = auto()
    SHORT = auto()  # a number, a threshold, an ASIN
    AMOUNT = auto()  # in the marketplace's currency
    CADENCE = auto()
    TEXT = auto()  # of one line
    LONG_TEXT = auto()
    LINES = auto()  # one text a line


class ChangeSpec(ABC):
    """One kind of change."""

    change: ClassVar[Change]
    label: ClassVar[str]  # on screen and in the results of tools
    takes: ClassVar[tuple[str, ...]]  # fields of GivenValue, of which one must be set
    editor: ClassVar[Editor] = Editor.SHORT
    usual_evidence: ClassVar[tuple[str, ...]] = ()  # keys of figures that belong to it
    competitor_figure: ClassVar[str | None] = None  # the competitors' figure that belongs to it
    model_may_propose: ClassVar[bool] = True
    no_value: ClassVar[str] = "no source has reported it"  # the reason for an unknown current value
    value_suffix: ClassVar[str] = ""  # after a number's unit in the results of tools
    size_unit: ClassVar[str | None] = None  # of the text before and after; None: no size is shown

    # Proposing

    @abstractmethod
    def validate(self, values: Values) -> dict[str, Any]:
        """Return the values in their stored form. Raises InvalidInputError."""

    @abstractmethod
    def read_given(self, given: GivenValue, facts: Facts) -> dict[str, Any] | None:
        """Return the values of a proposal; None: the needed one is missing.

        Raises InvalidInputError for a competitor that can't be read.
        """

    def takes_text(self) -> str:
        """Return a sentence with the field that a proposal must set."""
        if not self.takes:
            return "This takes no value."
        unit = " (in the marketplace's currency)" if self.takes == ("amount",) else ""
        return f"This takes {self.takes[0]}{unit}, and nothing else."

    @abstractmethod
    def current_in(self, facts: Facts) -> dict[str, Any]:
        """Return the current values in an advisor's facts; None inside: unknown."""

    def find_problems(self, proposed: Values, facts: Facts) -> Iterator[str]:
        """Yield every reason against the proposed values, except those of texts in general."""
        if proposed == self.current_in(facts):
            yield "It proposes the current value."

    def require_proposable(
        self, session: Session, team_id: int, facts: Facts, proposed: Values
    ) -> None:
        """Raise InvalidInputError for problems that only the database shows."""
        return  # most kinds have none

    # The current value

    @abstractmethod
    def read_current(self, session: Session, target: ChangeTarget) -> dict[str, Any]:
        """Return the current values; None inside: unknown or none."""

    def is_current(self, current: Values, proposed: Values) -> bool:
        """Return whether the proposed values are the current ones."""
        return shared.are_equal(current, proposed)

    def find_cap_problem(
        self, caps: PriceCaps, reviewed: Values, price_now: int | None, new_values: Values
    ) -> str | None:
        """Return which price cap the new values break; None: none, or no price is set.

        `reviewed`: the current values that the manager saw; `price_now`: the newest price.
        """
        return None

    # Showing

    @abstractmethod
    def format(self, values: Values, marketplace: str) -> str:
        """Return values as text for a reader, not escaped; "": there are none."""

    def format_stored(self, values: Values, marketplace: str) -> str:
        """Return values as text for a stored sentence, the same in every locale, not escaped."""
        return shared.format_stored(values, marketplace)

    def parts(self, values: Values, marketplace: str) -> list[tuple[str, str]]:
        """Return name and text of each part of the values: one part, or one per bullet."""
        return [(self.label, self.format(values, marketplace))]

    def changed_parts(
        self, current: Values, new_values: Values, marketplace: str
    ) -> list[tuple[str, str, str]]:
        """Return name, text before and text after of each part; "": no text."""
        old, new = self.parts(current, marketplace), self.parts(new_values, marketplace)
        names = [name for name, _ in max(old, new, key=len)]
        texts = zip_longest((text for _, text in old), (text for _, text in new), fillvalue="")
        return [(name, before, after) for name, (before, after) in zip(names, texts, strict=True)]

    def size_of(self, text: str) -> int:
        """Return the size of a text in `size_unit`."""
        return len(text)

    # Editing

    @abstractmethod
    def format_for_edit(self, values: Values, marketplace: str) -> str:
        """Return values as text for a manager to edit."""

    def parse_edit(self, text: str, marketplace: str) -> dict[str, Any]:
        """Return the values of a typed text.

        Raises InvalidInputError, which names what can be typed.
        """
        text = text.replace("\x00", "").strip()
        if self.editor is Editor.NONE:
            raise InvalidInputError("There is nothing to edit here. Approve or decline it.")
        if not text:
            raise InvalidInputError("This is empty. Decline it instead, or type a value.")
        if len(text) > shared.LONGEST_TEXT:
            raise InvalidInputError(f"This is longer than {shared.LONGEST_TEXT:,} characters.")
        return self._parse_typed(text, marketplace)

    @abstractmethod
    def _parse_typed(self, text: str, marketplace: str) -> dict[str, Any]:
        """Return the values of a text that is neither empty nor too long."""
