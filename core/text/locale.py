"""In which language's way numbers, dates and amounts are written: a choice per person.

The words stay English. Who runs a page for a person says so with `use`; a thread
that nobody told writes the usual way.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale


@dataclass(frozen=True, slots=True)
class Formats:
    """How somebody wants numbers, dates and amounts to be written."""

    locale: str = "en_US"  # the usual: amounts are written as their marketplace does
    has_currency_code: bool = False  # "EUR 29.90" instead of "€29.90"

    @property
    def is_usual_locale(self) -> bool:
        return self.locale == "en_US"

    def locale_of_money(self, of_marketplace: str) -> str:
        """Return in whose way amounts of a marketplace are written."""
        return of_marketplace if self.is_usual_locale else self.locale


USUAL = Formats()
# One way for every marketplace, with codes of currencies: "EUR 1,234.50". Who reads many at
# once would take "1.234,50 €" beside "#1,302" for a euro and a bit.
FOR_PROGRAMS = Formats("en_GB", has_currency_code=True)
_CURRENT: ContextVar[Formats] = ContextVar("formats", default=USUAL)


def current() -> Formats:
    """Return the formats of whoever this thread works for."""
    return _CURRENT.get()


def use(formats: Formats) -> None:
    """Write in somebody's formats from now on, in this thread."""
    _CURRENT.set(formats)


def digits(text: str) -> str:
    """Return a number that was written the English way with the marks of the person's."""
    chosen = _CURRENT.get()
    return text if chosen.is_usual_locale else text.translate(_marks(chosen.locale))


@lru_cache(maxsize=64)
def _marks(locale: str) -> dict[int, str]:
    systems = Locale.parse(locale).number_symbols
    symbols = systems.get("latn") or next(iter(systems.values()))
    return {ord(","): str(symbols["group"]), ord("."): str(symbols["decimal"])}
