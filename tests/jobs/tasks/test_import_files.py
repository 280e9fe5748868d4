"""An import from the confirmed file to its end, in a database that others see as well."""

from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from core.accounts.models import Person
from core.accounts.people.membership import get_owner_principal, get_principal
from core.database.session import read_scope, write_scope
from core.errors import InvalidInputError
from core.importing import service, store_rows
from core.importing.files.isolation import ReadingInterruptedError
from core.importing.models import ImportRun
from jobs.commands import by_hand
from jobs.commands.cli import commands
from jobs.tasks import import_files
from jobs.tasks.import_files import run_import
from tests.core.importing import bad_readers
from tests.factories.tables import fetch_rows

HISTORY = """asin,marketplace,captured_at,price,bsr,status
B0TEST0001,US,2026-03-01T08:00:00Z,19.99,120,ok
B0TEST0001,US,2026-03-02T08:00:00Z,18.99,110,ok
B0TEST0002,DE,2026-03-01T08:00:00Z,24.50,77,ok
B0TEST0002,DE,2026-03-02T08:00:00Z,,,robot_check
"""


def offered(path: Path) -> int:
    examined = service.examine_file(path, path.name, 10)
    with write_scope() as session:
        return service.offer_import(session, get_owner_principal(session), examined).id


def confirmed(path: Path) -> int:
    run_id = offered(path)
    with write_scope() as session:
        principal = get_owner_principal(session)
        service.confirm_import(
            session, principal, run_id, service.Confirmation(), datetime.now(UTC)
        )
    return run_id


def import_run(run_id: int) -> ImportRun:
    with read_scope() as session:
        return service.get_import(session, get_owner_principal(session), run_id)


def snapshots() -> int:
    with read_scope() as session:
        return int(fetch_rows(session, "SELECT count(*) AS n FROM snapshot")[0]["n"])


@pytest.fixture
def history(tmp_path: Path, committed_database: str) -> Path:
    path = tmp_path / "history.csv"
    path.write_text(HISTORY)
    return path


def test_a_confirmed_file_is_stored_and_its_bytes_are_let_go(history: Path) -> None:
    run_id = confirmed(history)
    assert run_import(run_id)
    run = import_run(run_id)
    assert (run.state, run.rows_stored, run.rows_failed) == ("done", 3, 1)
    assert snapshots() == 3
    with read_scope() as session:
        assert fetch_rows(session, "SELECT 1 AS piece FROM import_piece") == []


def test_importing_the_same_file_twice_changes_nothing(history: Path) -> None:
    run_import(confirmed(history))
    second = confirmed(history)
    run_import(second)
    assert (import_run(second).rows_stored, import_run(second).rows_known) == (0, 3)
    assert snapshots() == 3


def test_a_file_of_many_pieces_is_put_together_again(
    history: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(service, "PIECE", 7)
    run_id = offered(history)
    with read_scope() as session:
        service.write_import_file(session, run_id, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == history.read_bytes()


@pytest.mark.usefixtures("real_readers")
def test_a_file_that_brings_its_reader_down_ends_its_import_and_nothing_else(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_files, "read_batches", bad_readers.read_one_row_and_crash)
    run_id = confirmed(history)
    assert run_import(run_id)
    run = import_run(run_id)
    assert (run.state, run.rows_stored) == ("failed", 1)
    assert "crashed its reader" in (run.error or "")


@pytest.mark.usefixtures("real_readers")
def test_an_import_whose_reader_was_ended_from_outside_is_tried_again(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = confirmed(history)
    with monkeypatch.context() as patch:
        patch.setattr(import_files, "read_batches", bad_readers.be_ended)
        with pytest.raises(ReadingInterruptedError):
            run_import(run_id)
    with write_scope() as session:
        fetch_rows(session, "UPDATE import_run SET claimed_until = NULL RETURNING id")
    assert run_import(run_id)
    assert (import_run(run_id).state, import_run(run_id).rows_stored) == ("done", 3)


def test_an_offered_file_is_not_imported(history: Path) -> None:
    run_id = offered(history)
    assert not run_import(run_id)
    assert not run_import(None)
    assert snapshots() == 0


def test_an_import_whose_worker_died_is_gone_on_with_behind_its_last_row(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.importing.store_rows.CHUNK_ROWS", 1)
    real, stored = import_files._store, 0

    def die_at_the_third(*arguments: object) -> None:
        nonlocal stored
        stored += 1
        if stored == 3:
            raise KeyboardInterrupt
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(import_files, "_store", die_at_the_third)
    run_id = confirmed(history)
    with pytest.raises(KeyboardInterrupt):
        run_import(run_id)
    with write_scope() as session:
        fetch_rows(session, "UPDATE import_run SET claimed_until = NULL RETURNING id")
    assert run_import(None)
    run = import_run(run_id)
    assert (run.state, run.rows_read, run.rows_stored) == ("done", 4, 3)
    assert snapshots() == 3


def test_a_worker_that_was_held_up_leaves_the_import_to_the_one_that_went_on(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.importing.store_rows.CHUNK_ROWS", 1)
    run_id = confirmed(history)
    real, calls = import_files._store, 0

    def be_held_up_at_the_second(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            with write_scope() as session:
                fetch_rows(session, "UPDATE import_run SET claimed_until = NULL RETURNING id")
            assert run_import(None)
        real(*arguments)

    monkeypatch.setattr(import_files, "_store", be_held_up_at_the_second)
    assert run_import(run_id)
    run = import_run(run_id)
    assert (run.state, run.error) == ("done", None)
    assert (run.rows_read, run.rows_stored, run.rows_failed) == (4, 3, 1)
    assert snapshots() == 3


def test_a_fault_of_a_worker_that_was_held_up_does_not_trouble_the_other_one(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = confirmed(history)
    real = import_files._store

    def be_held_up_and_fail(*_: Any) -> None:
        monkeypatch.setattr(import_files, "_store", real)
        with write_scope() as session:
            fetch_rows(session, "UPDATE import_run SET claimed_until = NULL RETURNING id")
        assert run_import(None)
        raise RuntimeError("no space left")

    monkeypatch.setattr(import_files, "_store", be_held_up_and_fail)
    with pytest.raises(RuntimeError):
        run_import(run_id)
    run = import_run(run_id)
    assert (run.state, run.error, run.rows_read) == ("done", None, 4)


def test_a_second_confirmation_at_the_same_moment_starts_nothing_anew(history: Path) -> None:
    run_id = offered(history)
    with write_scope() as late:
        principal = get_owner_principal(late)
        seen = service.get_import(late, principal, run_id)
        assert seen.state == "offered"
        with write_scope() as session:
            service.confirm_import(
                session, principal, run_id, service.Confirmation(), datetime.now(UTC)
            )
        assert run_import(run_id)
        again = service.Confirmation(tags=("late",))
        assert not service.confirm_import(late, principal, run_id, again, datetime.now(UTC))
        assert seen.state == "done"
    assert (import_run(run_id).state, import_run(run_id).tags) == ("done", [])


def test_the_same_file_confirmed_twice_at_the_same_moment_carries_one_time(
    history: Path, tmp_path: Path
) -> None:
    path = tmp_path / "untimed.csv"
    path.write_text("asin,marketplace,price\nB0TEST0001,DE,5\n")
    first, second = offered(path), offered(path)

    def confirm(run_id: int, day: int) -> None:
        at = datetime(2026, 3, day, tzinfo=UTC)
        with write_scope() as session:
            given = service.Confirmation(captured_at=at)
            service.confirm_import(
                session, get_owner_principal(session), run_id, given, datetime.now(UTC)
            )
            session.flush()
            if run_id == first:
                other.start()
                other.join(0.5)  # it waits for this one's end

    other = Thread(target=confirm, args=(second, 2))
    confirm(first, 1)
    other.join()
    assert import_run(first).captured_at == import_run(second).captured_at


def test_on_the_command_line_a_file_is_imported_and_counted(history: Path) -> None:
    result = CliRunner().invoke(commands, ["import", str(history), "--yes"])
    assert result.exit_code == 0
    assert "A time without a zone is read as UTC" in result.output
    assert "4 rows: 3 stored, 0 already stored, 1 failed." in result.output


def test_on_the_command_line_one_waits_for_a_worker_that_was_faster(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def find_it_claimed(run_id: int) -> bool:
        nonlocal calls
        calls += 1
        if calls == 2:
            run_import(run_id)  # the worker's
        return False

    monkeypatch.setattr(by_hand, "run_import", find_it_claimed)
    monkeypatch.setattr("jobs.commands.by_hand.time.sleep", lambda _: None)
    messages: list[str] = []
    assert by_hand.import_offered(offered(history), service.Confirmation(), messages.append)
    assert messages[0].startswith("4 rows: 3 stored")


def test_on_the_command_line_a_missing_marketplace_is_asked_for_and_nothing_stays_behind(
    history: Path, tmp_path: Path
) -> None:
    path = tmp_path / "export_amazon-de.csv"
    path.write_text("asin,captured_at,price\nB0TEST0001,2026-03-01,5\n")
    result = CliRunner().invoke(commands, ["import", str(path), "--yes"])
    assert "add --marketplace; perhaps DE" in result.output
    assert isinstance(result.exception, InvalidInputError)
    with read_scope() as session:
        assert fetch_rows(session, "SELECT 1 AS piece FROM import_piece") == []
    given = CliRunner().invoke(commands, ["import", str(path), "--yes", "--marketplace", "de"])
    assert given.exit_code == 0


def test_the_command_line_asks_for_the_order_of_dates(
    tmp_path: Path, committed_database: str
) -> None:
    path = tmp_path / "dates.csv"
    path.write_text("asin,marketplace,date,price\nB0TEST0001,DE,03/04/2026,5\n")
    result = CliRunner().invoke(commands, ["import", str(path), "--yes"])
    assert "add --dates day_first or month_first" in result.output
    assert isinstance(result.exception, InvalidInputError)
    given = CliRunner().invoke(commands, ["import", str(path), "-y", "--dates", "month_first"])
    assert given.exit_code == 0
    with read_scope() as session:
        [kept] = fetch_rows(session, "SELECT captured_at FROM snapshot")
    assert f"{kept['captured_at']:%Y-%m-%d}" == "2026-03-04"


def seller(role: str = "seller") -> int:
    with write_scope() as session:
        team = get_owner_principal(session).team_id
        person = Person(team_id=team, name="Sam", role=role, mail="sam@team.example")
        session.add(person)
        session.flush()
        return person.id


def confirmed_by(person_id: int, path: Path) -> int:
    run_id = offered(path)
    with write_scope() as session:
        session.get_one(ImportRun, run_id).person_id = person_id
        session.flush()
        principal = get_principal(session, person_id)
        service.confirm_import(
            session, principal, run_id, service.Confirmation(), datetime.now(UTC)
        )
    return run_id


def change(person_id: int, **values: str) -> None:
    with write_scope() as session:
        session.execute(update(Person).where(Person.id == person_id).values(**values))


def test_an_import_follows_products_for_who_confirmed_it(history: Path) -> None:
    sam = seller()
    run_import(confirmed_by(sam, history))
    with read_scope() as session:
        followers = fetch_rows(session, "SELECT DISTINCT person_id FROM tracking")
    assert followers == [{"person_id": sam}]


@pytest.mark.parametrize("lost", [{"state": "disabled"}, {"role": "viewer"}], ids=str)
def test_an_import_of_who_may_no_longer_act_ends_with_a_sentence(
    history: Path, lost: dict[str, str]
) -> None:
    sam = seller()
    run_id = confirmed_by(sam, history)
    change(sam, **lost)
    assert run_import(run_id)
    run = import_run(run_id)
    assert run.state == "failed"
    assert run.error is not None
    assert "may no longer track products" in run.error
    assert snapshots() == 0
    assert not run_import(None)


def test_a_long_import_stops_where_its_person_is_shut_out(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_rows, "CHUNK_ROWS", 1)
    sam = seller()
    run_id = confirmed_by(sam, history)
    forget = service.clear_failures

    def forget_once(session: Session, number: int) -> None:
        forget(session, number)
        session.execute(update(Person).where(Person.id == sam).values(state="disabled"))

    monkeypatch.setattr(service, "clear_failures", forget_once)
    run_import(run_id)
    run = import_run(run_id)
    assert (run.state, run.rows_read) == ("failed", 1)
    assert snapshots() == 1


def test_an_import_is_a_handful_of_events_however_many_rows_it_has(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_rows, "CHUNK_ROWS", 1)
    history.write_text("asin,marketplace\n" + "".join(f"B0TEST{n:04},US\n" for n in range(30)))
    run_id = confirmed(history)
    run_import(run_id)
    assert import_run(run_id).products_added == 30
    with read_scope() as session:
        events = fetch_rows(session, "SELECT verb, object FROM audit_event ORDER BY id")
    assert events == [
        {"verb": "offered import", "object": f"import:{run_id}"},
        {"verb": "confirmed import", "object": f"import:{run_id}"},
    ]
