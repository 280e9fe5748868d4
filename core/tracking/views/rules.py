"""What a saved view holds, and how it is stored. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from core.tracking.list_filter import CHANGE_DAYS, ListFilter, ListScope, Sort, SortBy, State
from core.tracking.rules import Role

LONGEST_NAME: Final = 40  # characters
MOST_VIEWS: Final = 30  # of one user
COLUMNS: Final = "product_columns"  # among a user's preferences
MOST_COLUMNS: Final = 40


@dataclass(frozen=True, slots=True)
class ViewDefinition:
    """A filter, an order and the columns of the list. Without columns: the user's own."""

    list_filter: ListFilter
    sort: Sort
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view as the list offers it."""

    id: int
    name: str
    is_own: bool  # False: a teammate's, who shares it
    is_shared: bool
    definition: ViewDefinition


@dataclass(frozen=True, slots=True)
class TeamView:
    """A view that a rule of the team may name."""

    id: int
    name: str
    person_id: int  # who saved it
    is_shared: bool
    definition: ViewDefinition

    @property
    def follows_values(self) -> bool:
        """Return whether a check of a product can move it into the view or out of it."""
        chosen = self.definition.list_filter
        return bool(chosen.states) or chosen.rank_worse_days is not None


def clean_view_name(name: str) -> str | None:
    """Return a name in one line, None for one that is empty, too long or unprintable."""
    plain = " ".join(name.split())
    return plain if 0 < len(plain) <= LONGEST_NAME and plain.isprintable() else None


def write_definition(definition: ViewDefinition) -> dict[str, Any]:
    """Return a definition as it is stored."""
    return asdict(definition)


def read_definition(stored: Mapping[str, Any]) -> ViewDefinition:
    """Return a stored definition; values that a newer or older version knows are left out."""
    given, order = stored.get("list_filter", {}), stored.get("sort", {})
    worse, import_id = given.get("rank_worse_days"), given.get("import_id")
    return ViewDefinition(
        ListFilter(
            search=str(given.get("search", "")),
            marketplaces=tuple(map(str, given.get("marketplaces", ()))),
            roles=tuple(Role(each) for each in given.get("roles", ()) if each in set(Role)),
            states=tuple(State(each) for each in given.get("states", ()) if each in set(State)),
            tags=tuple(map(str, given.get("tags", ()))),
            scope=ListScope(given.get("scope", ListScope.MINE)),
            is_paused=given.get("is_paused"),
            rank_worse_days=worse if worse in CHANGE_DAYS else None,
            import_id=import_id if isinstance(import_id, int) else None,
        ),
        _read_sort(order),
        tuple(map(str, stored.get("columns", ()))),
    )


def _read_sort(stored: Mapping[str, Any]) -> Sort:
    by, days = stored.get("by"), stored.get("days")
    if by not in set(SortBy):
        return Sort()
    is_descending = bool(stored.get("descending"))
    return Sort(SortBy(by), is_descending, days if days in CHANGE_DAYS else 1)
