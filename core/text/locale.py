"""The formats of numbers, dates and amounts, which each user chooses.

The words stay English. `use_formats` sets a user's formats for a thread; other threads use
the default ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale


@dataclass(frozen=True, slots=True)
class Formats:
    """A user's formats of numbers, dates and amounts."""

    locale: str = "en_US"  # the default: amounts in the format of their marketplace
    has_currency_code: bool = False  # "EUR 29.90" instead of "€29.90"

    @property
    def is_usual_locale(self) -> bool:
        return self.locale == "en_US"

    def locale_of_money(self, of_marketplace: str) -> str:
        """Return the locale in which amounts of a marketplace are written."""
        return of_marketplace if self.is_usual_locale else self.locale


USUAL = Formats()
# One format for every marketplace, with currency codes: "EUR 1,234.50". Beside "#1,302" a
# model would read "1.234,50 €" as little more than one euro.
FOR_PROGRAMS = Formats("en_GB", has_currency_code=True)
_CURRENT: ContextVar[Formats] = ContextVar("formats", default=USUAL)


def get_formats() -> Formats:
    """Return the formats of the user this thread works for."""
    return _CURRENT.get()


def use_formats(formats: Formats) -> None:
    """Use these formats from now on in this thread."""
    _CURRENT.set(formats)


@contextmanager
def apply_formats(formats: Formats) -> Iterator[None]:
    """Use these formats inside, and afterwards those from before."""
    before = _CURRENT.set(formats)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def localize_digits(text: str) -> str:
    """Return a number in English format with the user's decimal and thousands marks."""
    chosen = _CURRENT.get()
    return text if chosen.is_usual_locale else text.translate(_marks(chosen.locale))


@lru_cache(maxsize=64)
def _marks(locale: str) -> dict[int, str]:
    systems = Locale.parse(locale).number_symbols
    symbols = systems.get("latn") or next(iter(systems.values()))
    return {ord(","): str(symbols["group"]), ord("."): str(symbols["decimal"])}
