"""Which lists are read again after an action."""

import pytest

from app.data import products
from core.accounts.access.permissions import Principal, Role


def test_an_action_renews_the_lists_of_its_user_in_every_session_and_of_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def token_of(user: int) -> str:
        monkeypatch.setattr(
            products, "get_principal", lambda: Principal(user, 1, "A user", "UTC", Role.SELLER)
        )
        return products.get_cache_token()

    others, before = token_of(2001), token_of(2000)
    products.clear_lists()
    assert products.get_cache_token() not in (before, others)
    assert token_of(2001) == others
