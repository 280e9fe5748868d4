"""The files of a change set: what a seller uploads, and safe to open."""

import csv
import io
import json
from typing import Any

import pytest
from openpyxl import load_workbook

from core.errors import ConfigurationError
from core.suggestions.execution.change_set import COLUMNS, Line, make_change_set
from core.suggestions.execution.connectors import DryRun, PushRequest, find_connector
from core.suggestions.rules import Change


def line(change: Change, before: dict[str, Any], after: dict[str, Any], **values: Any) -> Line:
    usual = {"action_id": 1, "marketplace": "US", "asin": "B0TEST0001", "reason": "It sells."}
    return Line(change=change, before=before, after=after, **(usual | values))


PRICE = line(Change.UPDATE_PRICE, {"price": 1999}, {"price": 1850})
BULLETS = line(Change.UPDATE_BULLETS, {"bullets": ["Bends"]}, {"bullets": ["Bends well", "Shines"]})


def table(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def sheet(raw: bytes) -> list[list[Any]]:
    found = load_workbook(io.BytesIO(raw)).worksheets[0]
    return [["" if value is None else value for value in row] for row in found.values]


def test_a_row_shows_the_old_and_the_new_value_in_the_currencys_unit() -> None:
    made = make_change_set([PRICE])
    wanted = ["US", "B0TEST0001", "price", "19.99", "18.50", "USD", "It sells."]
    assert table(made.csv) == [list(COLUMNS), wanted]
    assert sheet(made.xlsx) == [list(COLUMNS), wanted]


def test_yen_have_no_cents() -> None:
    made = make_change_set(
        [line(Change.UPDATE_PRICE, {"price": 2980}, {"price": 2480}, marketplace="JP")]
    )
    assert table(made.csv)[1][3:6] == ["2980", "2480", "JPY"]
    [patch] = json.loads(made.json)["listings"][0]["patches"]
    assert patch["value"][0]["our_price"][0]["schedule"][0]["value_with_tax"] == 2480


def test_every_bullet_has_a_field_of_its_own() -> None:
    rows = table(make_change_set([BULLETS]).csv)[1:]
    assert [row[2:5] for row in rows] == [
        ["bullet_1", "Bends", "Bends well"],
        ["bullet_2", "", "Shines"],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_becomes_a_formula(start: str) -> None:
    evil = f'{start}HYPERLINK("https://evil.example")'
    made = make_change_set(
        [line(Change.UPDATE_TITLE, {"title": evil}, {"title": evil}, reason=evil)]
    )
    for value in table(made.csv)[1][3:5] + table(made.csv)[1][6:]:
        assert value == "'" + evil
    book = load_workbook(io.BytesIO(made.xlsx))
    for cells in book.worksheets[0].iter_rows(min_row=2):
        assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
        assert not any(str(cell.value).startswith("=") for cell in cells)


def test_text_that_a_workbook_cant_hold_is_left_out_of_it() -> None:
    made = make_change_set([line(Change.UPDATE_TITLE, {}, {"title": "A\x07 lamp"})])
    assert sheet(made.xlsx)[1][4] == "A lamp"


def test_the_patch_names_attributes_marketplace_and_language() -> None:
    title = line(Change.UPDATE_TITLE, {"title": "Lamp"}, {"title": "Lampe"}, marketplace="DE")
    german, american = json.loads(make_change_set([title, PRICE, BULLETS]).json)["listings"]
    assert german["marketplaceIds"] == ["A1PA6795UKMFR9"]
    assert german["patches"][0]["path"] == "/attributes/item_name"
    assert german["patches"][0]["value"] == [
        {"value": "Lampe", "language_tag": "de_DE", "marketplace_id": "A1PA6795UKMFR9"}
    ]
    assert [patch["path"] for patch in american["patches"]] == [
        "/attributes/purchasable_offer",
        "/attributes/bullet_point",
    ]


def test_the_checklist_gives_what_is_to_be_copied() -> None:
    images = line(Change.ADD_IMAGES, {"count": 2}, {"count": 5})
    coupon = line(Change.SET_COUPON, {}, {"percent": 5})
    steps = make_change_set([PRICE, BULLETS, images, coupon]).checklist
    assert [step.to_copy for step in steps] == ["18.50", "Bends well\nShines", "5", "5 %"]
    assert steps[0].instruction == "Set the price: B0TEST0001 (US)"
    assert steps[0].url == "https://www.amazon.com/dp/B0TEST0001"


def test_a_value_that_there_was_not_is_taken_back_to_nothing() -> None:
    taken_back = line(Change.SET_COUPON, {"percent": 5}, {"percent": None})
    [row] = table(make_change_set([taken_back]).csv)[1:]
    assert row[2:5] == ["percent", "5", ""]
    price = line(Change.UPDATE_PRICE, {"price": 1900}, {"price": None})
    made = make_change_set([taken_back, price])
    assert [step.to_copy for step in made.checklist] == ["none", "none"]


def test_the_same_changes_make_the_same_bytes() -> None:
    assert make_change_set([PRICE, BULLETS]) == make_change_set([PRICE, BULLETS])


def test_no_changes_make_empty_files() -> None:
    made = make_change_set([])
    assert (table(made.csv), json.loads(made.json), made.checklist) == (
        [list(COLUMNS)],
        {"listings": []},
        (),
    )


# Pushing directly


def push_request() -> PushRequest:
    [patch] = json.loads(make_change_set([PRICE]).json)["listings"]
    return PushRequest(
        "1", "US", "B0TEST0001", Change.UPDATE_PRICE, PRICE.before, PRICE.after, patch
    )


def test_nothing_is_pushed_by_default() -> None:
    assert find_connector("off") is None


def test_a_dry_run_reports_what_it_would_push_and_pushes_nothing() -> None:
    connector = find_connector("dry-run")
    assert isinstance(connector, DryRun)
    receipt = connector.push(push_request())
    assert receipt.detail.endswith("Nothing was pushed.")
    assert "purchasable_offer of B0TEST0001 in US" in receipt.detail
    assert receipt == connector.push(push_request())


def test_an_unknown_connector_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ConfigurationError, match="dry-run"):
        find_connector("spapi")
