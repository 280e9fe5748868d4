"""Turn rows of Apify's CSV export into items: `price/value` and `features/0` become nested.

Values stay text: the parsers read "29" and "true". No files; one row at a time.
"""

from collections.abc import Mapping
from typing import Any, Final

DEEPEST: Final = 8  # Apify's items are four deep; a deeper name is an ordinary name
_LONGEST_INDEX: Final = 5  # digits

_Tree = dict[str, Any]


def unflatten_keys(row: Mapping[str, str]) -> dict[str, Any]:
    """Return the item of a slash-flattened row.

    An empty cell is None: CSV can't distinguish null, "" and an empty list.
    Indexes keep their order; empty entries of a list are left out.
    """
    tree: _Tree = {}
    for name, cell in row.items():
        # csv.DictReader puts surplus cells under None, as a list.
        if isinstance(name, str) and (isinstance(cell, str) or cell is None):
            _insert_cell(tree, name, cell or None)
    return {name: _build_lists(branch) for name, branch in tree.items()}


def _insert_cell(tree: _Tree, name: str, cell: str | None) -> None:
    """Insert a cell at its path. A value's parts win over the whole value."""
    if "/" not in name or name.count("/") > DEEPEST:
        if cell is not None or name not in tree:
            tree.setdefault(name, cell)
        return
    *path, leaf = name.split("/")
    for step in path:
        branch = tree.get(step)
        if not isinstance(branch, dict):
            if cell is None:
                tree.setdefault(step, None)
                return
            branch = tree[step] = {}
        tree = branch
    if cell is not None:
        tree[leaf] = cell


def _build_lists(branch: Any) -> Any:
    """Turn branches whose names are all numbers into lists."""
    if not isinstance(branch, dict):
        return branch
    grown = {name: _build_lists(value) for name, value in branch.items()}
    if grown and all(_is_index(name) for name in grown):
        return [grown[name] for name in sorted(grown, key=int) if grown[name] is not None]
    return grown


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= _LONGEST_INDEX
