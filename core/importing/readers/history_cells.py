"""The cells of a history table's row by our names, and what can be read in them. Pure."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from core.catalog.marketplaces import Marketplace
from core.catalog.money import find_currency
from core.errors import AmazcopeError
from core.history.observation import Seen
from core.importing.readers.columns import is_absent
from core.importing.readers.history_columns import HistoryColumns
from core.importing.values.currencies import read_currency
from core.scraping.parsers import value_parsers
from core.scraping.parsers.value_parsers import UnreadableValueError

T = TypeVar("T")


class OtherMarketplaceError(AmazcopeError):
    """A row is in a currency in which its marketplace doesn't sell."""


class HistoryCells:
    """A record's cells by our names, noting which of them say something, and which can't be read.

    A cell that can't be read costs its value, not its row.
    """

    def __init__(
        self, cells: Mapping[str, str], columns: HistoryColumns, marketplace: Marketplace
    ) -> None:
        self._columns = columns
        self._cells = {  # by our names
            field: cells.get(column, "").strip() for field, column in columns.by_field.items()
        }
        self.marketplace = marketplace
        self.seen = Seen.NONE
        self.unreadable: dict[str, str] = {}  # by column: what stands there
        self._unreadable: dict[Seen, str] = {}

    def has(self, name: str) -> bool:
        return name in self._cells

    def column(self, name: str) -> str:
        return self._columns.by_field.get(name, "")

    def cell(self, name: str) -> str:
        return self._cells.get(name, "")

    def name(self, cell: str) -> str | None:
        return value_parsers.clean_text(cell, value_parsers.LONGEST_NAME)

    def currency(self) -> str | None:
        """Return the currency the row names; the marketplace's when it names none.

        None: what it names is no currency, so no amount of it can be read. Raises
        OtherMarketplaceError for one in which the marketplace doesn't sell.
        """
        written = self.cell("currency")
        if not written or is_absent(written):
            return self.marketplace.currency
        try:
            currency = read_currency(written, self.marketplace)
        except UnreadableValueError:
            self.unreadable[self.column("currency")] = written
            return None
        self._check_currency(currency)
        return currency

    def _check_currency(self, currency: str) -> None:
        if currency != self.marketplace.currency:
            raise OtherMarketplaceError(
                f"The row is in {currency}, and {self.marketplace.domain} sells in "
                f"{self.marketplace.currency}: correct its marketplace, or name it in a column."
            )

    def amount(self, name: str, bit: Seen, currency: str | None) -> int | None:
        """Return an amount; a blank cell says that there was none."""
        cell = self._cells.get(name)
        if cell is None or currency is None:
            return None
        if is_absent(cell) or name in self._columns.doubtful:
            return None
        if not cell.isascii() or not cell.replace(".", "").isdigit():
            self._check_currency(find_currency(cell, self.marketplace) or currency)
        return self._parsed(
            name,
            bit,
            lambda cell: value_parsers.parse_amount_text(cell, self.marketplace, currency),
        )

    def read(self, name: str, bit: Seen, parse: Callable[[str], T | None]) -> T | None:
        """Return a value; a blank cell says nothing."""
        cell = self._cells.get(name)
        if not cell or is_absent(cell):
            return None
        return self._parsed(name, bit, parse)

    def _parsed(self, name: str, bit: Seen, parse: Callable[[str], T | None]) -> T | None:
        try:
            value = parse(self.cell(name))
        except UnreadableValueError:
            self.unreadable[self.column(name)] = self.cell(name)
            self._unreadable[bit] = value_parsers.make_excerpt(self.cell(name))
            return None
        self.seen |= bit
        return value

    def unreadable_fields(self) -> dict[Seen, str]:
        """Return what stands where a field can't be read, and nothing else said it."""
        return {bit: cell for bit, cell in self._unreadable.items() if not bit & self.seen}
