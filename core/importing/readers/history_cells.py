"""The cells of a history table's row by our field names, and reading them. Pure."""

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
    """A row is in a currency other than its marketplace's."""


class HistoryCells:
    """A record's cells by our field names, with a record of what was seen and unreadable.

    An unreadable cell loses its value, not its row.
    """

    def __init__(
        self, cells: Mapping[str, str], columns: HistoryColumns, marketplace: Marketplace
    ) -> None:
        self._columns = columns
        self._cells = {  # by field
            field: cells.get(column, "").strip() for field, column in columns.by_field.items()
        }
        self.marketplace = marketplace
        self.seen = Seen.NONE
        self.unreadable: dict[str, str] = {}  # cell texts by column
        self._unreadable: dict[Seen, str] = {}

    def has_field(self, name: str) -> bool:
        return name in self._cells

    def name_column(self, name: str) -> str:
        return self._columns.by_field.get(name, "")

    def get_cell(self, name: str) -> str:
        return self._cells.get(name, "")

    def clean_name(self, cell: str) -> str | None:
        return value_parsers.clean_text(cell, value_parsers.LONGEST_NAME)

    def read_row_currency(self) -> str | None:
        """Return the row's currency; the marketplace's if the row names none.

        None: the cell isn't a currency, so the row's amounts can't be read. Raises
        OtherMarketplaceError for a currency other than the marketplace's.
        """
        written = self.get_cell("currency")
        if not written or is_absent(written):
            return self.marketplace.currency
        try:
            currency = read_currency(written, self.marketplace)
        except UnreadableValueError:
            self.unreadable[self.name_column("currency")] = written
            return None
        self._check_currency(currency)
        return currency

    def _check_currency(self, currency: str) -> None:
        if currency != self.marketplace.currency:
            raise OtherMarketplaceError(
                f"The row is in {currency}, but {self.marketplace.domain} sells in "
                f"{self.marketplace.currency}: correct its marketplace, or name it in a column."
            )

    def read_amount(self, name: str, bit: Seen, currency: str | None) -> int | None:
        """Return an amount in minor units; a blank cell means that there was none."""
        cell = self._cells.get(name)
        if cell is None or currency is None:
            return None
        if is_absent(cell) or name in self._columns.unused_fields:
            return None
        if not cell.isascii() or not cell.replace(".", "").isdigit():
            self._check_currency(find_currency(cell, self.marketplace) or currency)
        return self._parsed(
            name,
            bit,
            lambda cell: value_parsers.parse_amount_text(cell, self.marketplace, currency),
        )

    def read_value(self, name: str, bit: Seen, parse: Callable[[str], T | None]) -> T | None:
        """Return a value; None for a blank cell, which means unknown."""
        cell = self._cells.get(name)
        if not cell or is_absent(cell):
            return None
        return self._parsed(name, bit, parse)

    def _parsed(self, name: str, bit: Seen, parse: Callable[[str], T | None]) -> T | None:
        try:
            value = parse(self.get_cell(name))
        except UnreadableValueError:
            self.unreadable[self.name_column(name)] = self.get_cell(name)
            self._unreadable[bit] = value_parsers.make_excerpt(self.get_cell(name))
            return None
        self.seen |= bit
        return value

    def unreadable_fields(self) -> dict[Seen, str]:
        """Return the cell texts of unreadable fields that no other cell provides."""
        return {bit: cell for bit, cell in self._unreadable.items() if not bit & self.seen}
