"""How many pages a list has."""

from app.components.pagination import count_pages


def test_the_last_page_may_be_short_and_an_empty_list_has_one() -> None:
    assert [count_pages(total, 50) for total in (0, 50, 51)] == [1, 1, 2]
