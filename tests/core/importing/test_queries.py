"""What screens read about imports and the verdicts of their rows."""

import csv
from io import StringIO

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.importing import queries
from core.importing.row_outcomes import has_failed, outcome_label
from core.importing.service import Confirmation
from tests.core.importing.conftest import WriteFile
from tests.core.importing.test_service import HISTORY, NOW, WITHOUT_TIME, import_all, offer
from tests.factories.people import add_stranger


def test_an_import_shows_its_counts(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = import_all(session, principal, write_file(HISTORY, "prices.csv"))
    view = queries.find_import(session, principal, run.id)
    assert view is not None
    assert (view.name, view.state, view.rows_stored, view.rows_failed) == (
        "prices.csv",
        "done",
        3,
        2,
    )
    assert not view.is_open


def test_an_import_of_another_team_is_not_found(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = import_all(session, principal, write_file(HISTORY))
    other = add_stranger(session)
    assert queries.find_import(session, other, run.id) is None
    assert queries.count_row_results(session, other, run.id) == []
    assert len("".join(queries.export_row_results(session, other, run.id)).splitlines()) == 1


def test_an_offer_of_a_known_file_is_marked_as_known(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    path = write_file(WITHOUT_TIME)
    first = offer(session, principal, path)
    view = queries.find_import(session, principal, first.id)
    assert view is not None
    assert not view.is_confirmed_before
    import_all(session, principal, path, Confirmation(captured_at=NOW))
    view = queries.find_import(session, principal, offer(session, principal, path).id)
    assert view is not None
    assert view.is_confirmed_before
    assert view.captured_at == NOW


def test_only_confirmed_imports_are_listed_newest_first(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    assert queries.list_imports(session, principal) == []
    offer(session, principal, write_file(WITHOUT_TIME))
    run = import_all(session, principal, write_file(HISTORY))
    assert [view.id for view in queries.list_imports(session, principal)] == [run.id]


def test_verdicts_are_grouped_with_an_example_the_most_frequent_first(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = import_all(session, principal, write_file(HISTORY))
    groups = queries.count_row_results(session, principal, run.id)
    assert [(group.verdict, group.rows) for group in groups] == [
        ("stored", 3),
        ("bad_input", 1),
        ("invalid", 1),
    ]
    assert groups[0].asked == "B0TEST0001"
    assert [has_failed(group.verdict) for group in groups] == [False, True, True]
    (row,) = queries.list_row_results(session, principal, run.id, "invalid")
    assert (row.number, row.asin) == (5, None)


def test_the_download_has_every_row_and_no_formula(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    rows = "".join(f"=B0TEST{number:04d}\n" for number in range(1, 2100))
    hostile = 'asin,marketplace\n"=HYPERLINK(""http://x"")",DE\n' + rows.replace("=", "").replace(
        "\n", ",DE\n"
    )
    run = import_all(session, principal, write_file(hostile))
    pieces = list(queries.export_row_results(session, principal, run.id))
    lines = list(csv.reader(StringIO("".join(pieces))))
    assert len(pieces) == 3, "it is written piece by piece"
    assert len(lines) == 1 + 2100
    assert lines[1][1].startswith("'=")
    assert lines[2] == ["2", "B0TEST0001", "Added", "", "DE", "B0TEST0001"]


def test_an_import_about_one_product_leads_to_it(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    one = import_all(session, principal, write_file("https://www.amazon.de/dp/B0TEST0001"))
    many = import_all(session, principal, write_file(HISTORY))
    assert queries.find_only_product(session, principal, one.id) == ("DE", "B0TEST0001")
    assert queries.find_only_product(session, principal, many.id) is None


def test_an_unknown_verdict_is_still_readable() -> None:
    assert outcome_label("already_there") == "Already there"
    assert outcome_label("made_up_later") == "Made up later"
