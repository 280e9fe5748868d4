"""Counts the scopes of a module that are open, to see what runs with no transaction open."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy.orm import Session

Scope = Callable[[], AbstractContextManager[Session]]


def record_open_scopes(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, *functions: str
) -> list[tuple[str, int]]:
    """Return a list that each call of these functions of a module adds to: its name, and how
    many of the module's scopes were open then."""
    opened: list[Scope] = []
    calls: list[tuple[str, int]] = []

    @contextmanager
    def counted(scope: Scope) -> Iterator[Session]:
        with scope() as session:
            opened.append(scope)
            try:
                yield session
            finally:
                opened.remove(scope)

    def recorded(name: str, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        calls.append((name, len(opened)))
        return function(*args, **named)

    for name in ("read_scope", "write_scope"):
        monkeypatch.setattr(module, name, partial(counted, getattr(module, name)))
    for name in functions:
        monkeypatch.setattr(module, name, partial(recorded, name, getattr(module, name)))
    return calls
