"""An import from the confirmed file to its end, in a database that others see as well."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts.models import Person
from core.accounts.service import acting_owner, acting_person
from core.db import read_scope, write_scope
from core.importing import service, storing
from core.importing.models import ImportRun
from jobs import importing
from jobs.importing import run_import
from tests.factories import rows

HISTORY = """asin,marketplace,captured_at,price,bsr,status
B0TEST0001,US,2026-03-01T08:00:00Z,19.99,120,ok
B0TEST0001,US,2026-03-02T08:00:00Z,18.99,110,ok
B0TEST0002,DE,2026-03-01T08:00:00Z,24.50,77,ok
B0TEST0002,DE,2026-03-02T08:00:00Z,,,robot_check
"""


def offered(path: Path) -> int:
    examined = service.examine(path, path.name, 10)
    with write_scope() as session:
        return service.offer(session, acting_owner(session), examined).id


def confirmed(path: Path) -> int:
    run_id = offered(path)
    with write_scope() as session:
        acting = acting_owner(session)
        service.confirm(session, acting, run_id, service.Confirmation(), datetime.now(UTC))
    return run_id


def import_run(run_id: int) -> ImportRun:
    with read_scope() as session:
        return service.get_import(session, acting_owner(session), run_id)


def snapshots() -> int:
    with read_scope() as session:
        return int(rows(session, "SELECT count(*) AS n FROM snapshot")[0]["n"])


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
        assert rows(session, "SELECT 1 AS piece FROM import_piece") == []


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
        service.write_bytes(session, run_id, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == history.read_bytes()


def test_an_offered_file_is_not_imported(history: Path) -> None:
    run_id = offered(history)
    assert not run_import(run_id)
    assert not run_import(None)
    assert snapshots() == 0


def test_an_import_whose_worker_died_is_gone_on_with_behind_its_last_row(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.importing.storing.ROWS", 1)
    real, stored = importing._store, 0

    def die_at_the_third(*arguments: object) -> None:
        nonlocal stored
        stored += 1
        if stored == 3:
            raise KeyboardInterrupt
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(importing, "_store", die_at_the_third)
    run_id = confirmed(history)
    with pytest.raises(KeyboardInterrupt):
        run_import(run_id)
    with write_scope() as session:
        rows(session, "UPDATE import_run SET claimed_until = NULL RETURNING id")
    assert run_import(None)
    run = import_run(run_id)
    assert (run.state, run.rows_read, run.rows_stored) == ("done", 4, 3)
    assert snapshots() == 3


def seller(role: str = "seller") -> int:
    with write_scope() as session:
        team = acting_owner(session).team_id
        person = Person(team_id=team, name="Sam", role=role, mail="sam@team.example")
        session.add(person)
        session.flush()
        return person.id


def confirmed_by(person_id: int, path: Path) -> int:
    run_id = offered(path)
    with write_scope() as session:
        session.get_one(ImportRun, run_id).person_id = person_id
        session.flush()
        acting = acting_person(session, person_id)
        service.confirm(session, acting, run_id, service.Confirmation(), datetime.now(UTC))
    return run_id


def change(person_id: int, **values: str) -> None:
    with write_scope() as session:
        session.execute(update(Person).where(Person.id == person_id).values(**values))


def test_an_import_follows_products_for_who_confirmed_it(history: Path) -> None:
    sam = seller()
    run_import(confirmed_by(sam, history))
    with read_scope() as session:
        followers = rows(session, "SELECT DISTINCT person_id FROM tracking")
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
    assert "may not follow products any more" in run.error
    assert snapshots() == 0
    assert not run_import(None)


def test_a_long_import_stops_where_its_person_is_shut_out(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "ROWS", 1)
    sam = seller()
    run_id = confirmed_by(sam, history)
    renew = service.renew_claim

    def renew_once(session: Session, number: int, until: datetime) -> None:
        renew(session, number, until)
        session.execute(update(Person).where(Person.id == sam).values(state="disabled"))

    monkeypatch.setattr(service, "renew_claim", renew_once)
    run_import(run_id)
    run = import_run(run_id)
    assert (run.state, run.rows_read) == ("failed", 1)
    assert snapshots() == 1


def test_an_import_is_a_handful_of_events_however_many_rows_it_has(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "ROWS", 1)
    history.write_text("asin,marketplace\n" + "".join(f"B0TEST{n:04},US\n" for n in range(30)))
    run_id = confirmed(history)
    run_import(run_id)
    assert import_run(run_id).products_added == 30
    with read_scope() as session:
        events = rows(session, "SELECT verb, object FROM audit_event ORDER BY id")
    assert events == [
        {"verb": "offered import", "object": f"import:{run_id}"},
        {"verb": "confirmed import", "object": f"import:{run_id}"},
    ]
