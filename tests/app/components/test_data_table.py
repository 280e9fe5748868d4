"""Tables of pages, and the files that they offer."""

from typing import Any

import pandas as pd
import pytest
import streamlit as st

from app.components import data_table


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the table offered as a file, by its name."""
    made: dict[str, Any] = {}

    def button(_label: str, name: str, _mime: str, make: Any, **_options: Any) -> None:
        made[name] = make

    monkeypatch.setattr(data_table.downloads, "show_download_button", button)
    return made


def test_a_table_offers_what_it_shows_under_its_labels(offered: dict[str, Any]) -> None:
    frame = pd.DataFrame(
        {"id": [7], "title": ["=HYPERLINK(1)"], "sold": [3], "line": [[1.0, 2.0]], "why": ["a;=1"]}
    )
    columns = {"title": st.column_config.TextColumn("Title"), "sold": None}
    data_table.show_table(
        frame,
        "products",
        column_config=columns,
        column_order=["title", "sold", "line", "why"],
    )
    text = offered["amazcope-products.csv"](None).decode("utf-8-sig")
    assert text == "Title,why\r\n'=HYPERLINK(1),a;'=1\r\n"
