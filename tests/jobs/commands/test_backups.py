"""A backup is made, restored into an empty database, verified, and paused until confirmed."""

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pyrage
import pytest
from sqlalchemy import text

from core.accounts.access import audit
from core.accounts.people.membership import get_owner_principal
from core.backup.files import list_backups
from core.backup.make_backup import count_rows, make_backup
from core.backup.pause import PAUSED, confirm_restore, read_pause
from core.database import session as db
from core.database.session import read_scope, write_scope
from core.delivery.message import Message
from core.delivery.outbox import Purpose, add_message
from core.errors import ConfigurationError, InvalidInputError
from core.settings.environment import get_settings
from jobs.commands import backups, by_hand
from jobs.job import is_paused
from jobs.launcher.up import migrate_database
from jobs.tasks import advise_products, dispatch_runs, make_reports, send_notifications
from tests.databases import drop_database, own_database, run_statement, with_name
from tests.factories.alerts import add_incident
from tests.factories.notifications import add_channel
from tests.factories.observations import days_ago, store_observation
from tests.factories.products import LAMP, track_products

SECRET = "a secret key of a test, long enough for it"
_ROWS = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE 'huey%' ORDER BY 1
"""


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAZCOPE_SECRET_KEY", SECRET)


@pytest.fixture
def filled(cloned_for_processes: str) -> str:
    """The address of a database with a product, an open incident, a session and tokens."""
    with write_scope() as session:
        owner = get_owner_principal(session)
        session.execute(
            text("UPDATE person SET state = 'active', mail = 'owner@team.example' WHERE id = :id"),
            {"id": owner.person_id},
        )
        [product] = track_products(session, owner, [LAMP])
        store_observation(session, days_ago(2))
        add_incident(session, owner, product, days_ago(1))
        channel = add_channel(session, owner)
        add_message(
            session,
            Message("key-1", "Price fell", "Text"),
            owner.person_id,
            channel,
            Purpose.ALERTS,
            datetime.now(UTC),
            datetime.now(UTC) + timedelta(days=1),
        )
        session.execute(
            text(
                "INSERT INTO sign_in (person_id, token_hash, begun_at, seen_at, expires_at) "
                "VALUES (:id, 'x', now(), now(), now() + interval '1 day')"
            ),
            {"id": owner.person_id},
        )
        session.execute(
            text(
                "INSERT INTO api_token (person_id, name, token_hash, hint, scopes, made_at) "
                "VALUES (:id, 'Pricing agent', 'y', 'amz_abc', '{read}', now())"
            ),
            {"id": owner.person_id},
        )
        audit.record(session, owner, "changed team settings", new={"zone": "Europe/Berlin"})
    with write_scope() as session:
        audit.seal_events(session)
    return cloned_for_processes


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    """The address of an empty database."""
    name = f"amazcope_{uuid4().hex[:12]}"
    run_statement(server_url, f'CREATE DATABASE "{name}"')
    yield with_name(server_url, name)
    drop_database(server_url, name)


def read_rows(url: str) -> dict[str, str]:
    """Return a hash over all rows of each table."""
    with psycopg.connect(db.to_conninfo(url)) as connection:
        return {
            name: connection.execute(
                f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t"
            ).fetchone()[0]
            for (name,) in connection.execute(_ROWS).fetchall()
        }


def is_marked(url: str) -> bool:
    with psycopg.connect(db.to_conninfo(url)) as connection:
        return connection.execute("SELECT to_regclass('unfinished_restore')").fetchone()[0]


@contextmanager
def elsewhere(url: str, folder: Path) -> Iterator[None]:
    """Make another database this process's own, as on a new machine."""
    with pytest.MonkeyPatch.context() as patch, own_database(url, folder / "new", patch):
        yield


def make(url: str, folder: Path, recipient: str | None = None) -> Path:
    return make_backup(db.to_conninfo(url), folder, SECRET, recipient).dump


# Making


def test_a_backup_is_two_closed_files_that_state_what_they_hold(
    filled: str, tmp_path: Path
) -> None:
    reported: list[str] = []
    made = backups.back_up(tmp_path / "backups", reported.append)
    files = {path.name: path.stat() for path in (tmp_path / "backups").iterdir()}
    assert files.keys() == {made.manifest.name, made.manifest.dump_name}
    assert {stat.S_IMODE(each.st_mode) for each in files.values()} == {0o600}
    assert stat.S_IMODE((tmp_path / "backups").stat().st_mode) == 0o700
    counts = made.manifest.counts
    assert (counts["product"], counts["snapshot"], counts["api_token"]) == (1, 1, 1)
    assert (made.manifest.audit_place, len(made.manifest.audit_head)) == (2, 64)
    assert "The secret key is not in it." in " ".join(reported)
    assert SECRET not in made.manifest_file.read_text()
    assert list_backups(tmp_path / "backups") == [made]


def test_only_one_backup_is_made_at_a_time(filled: str, tmp_path: Path) -> None:
    with psycopg.connect(db.to_conninfo(filled)) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [0x6261636B7570])
        with pytest.raises(ConfigurationError, match="Another backup"):
            make(filled, tmp_path / "backups")


def test_a_backup_that_fails_leaves_nothing_and_hides_the_password(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = psycopg.conninfo.conninfo_to_dict(db.to_conninfo(filled)).get("password", "none")
    monkeypatch.setattr("core.backup.make_backup._LOCK_WAIT", "100ms")
    with psycopg.connect(db.to_conninfo(filled)) as other:
        other.execute("LOCK TABLE product IN ACCESS EXCLUSIVE MODE")
        monkeypatch.setattr("core.backup.make_backup.count_rows", lambda _connection: {})
        with pytest.raises(ConfigurationError, match="pg_dump failed") as caught:
            make(filled, tmp_path / "backups")
    assert str(password) not in str(caught.value)
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_timeout_of_the_role_does_not_end_the_counting(filled: str) -> None:
    address = psycopg.conninfo.make_conninfo(
        db.to_conninfo(filled), options="-c statement_timeout=200"
    )
    with psycopg.connect(address) as connection:
        assert count_rows(connection)["product"] == 1
        connection.execute("SELECT pg_sleep(0.3)")  # in the same transaction


def test_what_a_killed_process_left_is_deleted(filled: str, tmp_path: Path) -> None:
    left = tmp_path / "backups" / ".unfinished-1"
    left.mkdir(parents=True)
    (left / "dump").write_bytes(b"half")
    made = make(filled, tmp_path / "backups")
    assert {path.name for path in made.parent.iterdir()} == {
        made.name,
        made.name.replace(".dump", ".json"),
    }


def test_an_empty_database_is_not_backed_up(empty: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing to back up"):
        make(empty, tmp_path)


# Restoring


def test_every_row_comes_back(filled: str, empty: str, tmp_path: Path) -> None:
    dump = make(filled, tmp_path / "backups")
    before = read_rows(filled)
    with elsewhere(empty, tmp_path), pytest.MonkeyPatch.context() as patch:
        patch.setattr(backups, "begin_pause", lambda *_arguments: None)
        backups.restore(dump, None, lambda _sentence: None)
        assert read_rows(empty) == before | {"unfinished_restore": None}
        with read_scope() as session:
            assert audit.verify_chain(session).is_intact


def test_after_a_restore_everything_outward_waits(
    filled: str, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = make(filled, tmp_path / "backups")
    reported: list[str] = []
    with elsewhere(empty, tmp_path):
        backups.restore(dump, None, reported.append)
        with read_scope() as session:
            pause = read_pause(session)
            count = {
                name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
                for name in ("sign_in", "one_time_token", "api_token")
            }
            message = session.execute(text("SELECT state, answer FROM outbox_message")).one()
            planned = session.execute(text("SELECT planned_state FROM incident")).scalar_one()
        assert pause is not None
        assert count == {"sign_in": 0, "one_time_token": 0, "api_token": 1}
        assert tuple(message) == (
            "cancelled",
            "Not sent: a backup of an earlier time was restored.",
        )
        assert planned == "none"
        dispatch_runs.dispatch_due()
        send_notifications.send_notifications()
        make_reports.make_reports()  # also sends emails, and may ask the model
        monkeypatch.setattr(advise_products, "advise_products", pytest.fail)
        advise_products.advise_waiting.call_local()
        advise_products.advise_now.call_local()  # takes all that is pending, not the request alone
        with read_scope() as session:
            notes = set(session.execute(text("SELECT note FROM job_run")).scalars())
        assert notes == {PAUSED}
        with pytest.raises(InvalidInputError, match="Paused"):
            by_hand.fetch_products([], reported.append)
        assert any("Pricing agent (amz_abc…)" in each for each in reported)
        assert any("1 product due" in each for each in reported)

        assert not backups.resume(lambda _question: False, reported.append)
        assert backups.resume(lambda _question: True, reported.append)
        with read_scope() as session:
            assert read_pause(session) is None
            verbs = list(session.execute(text("SELECT verb FROM audit_event ORDER BY id DESC")))
        assert [each[0] for each in verbs[:2]] == ["continued after restore", "restored backup"]
        with write_scope() as session, pytest.raises(InvalidInputError):
            confirm_restore(session, get_owner_principal(session), datetime.now(UTC))


def test_nothing_starts_on_a_restore_that_was_killed(
    filled: str, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = make(filled, tmp_path / "backups")

    def be_killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with elsewhere(empty, tmp_path):
        with monkeypatch.context() as patch:
            patch.setattr("core.backup.restore.run_program", be_killed)
            with pytest.raises(KeyboardInterrupt):
                backups.restore(dump, None, lambda _sentence: None)
        with pytest.raises(ConfigurationError, match="did not finish"):
            migrate_database()  # a start, which would fill the database
        for step in ("core.backup.restore.upgrade", "jobs.commands.backups.begin_pause"):
            with monkeypatch.context() as patch:
                patch.setattr(step, be_killed)
                with pytest.raises(KeyboardInterrupt):
                    backups.restore(dump, None, lambda _sentence: None)
            for attempt in (
                migrate_database,
                lambda: backups.restore(dump, None, lambda _sentence: None),
                lambda: make(empty, tmp_path / "others"),
            ):
                with pytest.raises(ConfigurationError, match="did not finish"):
                    attempt()
            assert is_paused()  # for a worker that something else started
            db.close_engines()
            with psycopg.connect(db.to_conninfo(empty)) as connection:
                connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        backups.restore(dump, None, lambda _sentence: None)
        migrate_database()
        assert is_paused()
        assert backups.resume(lambda _question: True, lambda _sentence: None)
        assert not is_paused()


def test_an_encrypted_backup_needs_its_key(filled: str, empty: str, tmp_path: Path) -> None:
    right, wrong = (pyrage.x25519.Identity.generate() for _ in range(2))
    keys = {"right": right, "wrong": wrong, "none": "# no key"}
    for name, key in keys.items():
        (tmp_path / name).write_text(f"# created: today\n{key}\n")
    dump = make(filled, tmp_path / "backups", str(right.to_public()))
    assert dump.name.endswith(".dump.age")
    assert dump.read_bytes().startswith(b"age-encryption.org/v1")
    with elsewhere(empty, tmp_path):
        for given, words in ((None, "--key"), ("wrong", "another key"), ("none", "private key")):
            identity = None if given is None else tmp_path / given
            with pytest.raises(InvalidInputError, match=words):
                backups.restore(dump, identity, lambda _sentence: None)
        assert not is_marked(empty)  # nothing was written
        backups.restore(dump, tmp_path / "right", lambda _sentence: None)
        assert not list(get_settings().amazcope_data_dir.glob(".unfinished*"))
        with read_scope() as session:
            assert read_pause(session) is not None


def test_a_database_that_is_not_empty_is_left_alone(filled: str, tmp_path: Path) -> None:
    dump = make(filled, tmp_path / "backups")
    before = read_rows(filled)
    with elsewhere(filled, tmp_path), pytest.raises(ConfigurationError, match="not empty"):
        backups.restore(dump, None, lambda _sentence: None)
    assert read_rows(filled) == before


def test_damaged_linked_and_foreign_files_are_refused(
    filled: str, empty: str, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    dump = make(filled, folder)
    manifest = dump.with_suffix(".json")

    def refuse(path: Path, words: str) -> None:
        with elsewhere(empty, tmp_path), pytest.raises(InvalidInputError, match=words):
            backups.restore(path, None, lambda _sentence: None)

    refuse(folder / "nothing.dump", "no file")
    (tmp_path / "linked").mkdir()
    for path in (dump, manifest):
        (tmp_path / "linked" / path.name).symlink_to(path)
    refuse(tmp_path / "linked" / dump.name, "is a link")
    (tmp_path / "linked" / manifest.name).unlink()
    (tmp_path / "linked" / manifest.name).write_bytes(manifest.read_bytes())
    refuse(tmp_path / "linked" / dump.name, "is a link")

    whole, values = dump.read_bytes(), json.loads(manifest.read_text())
    dump.write_bytes(whole[:-100] + b"x" * 100)
    refuse(dump, "damaged")
    dump.write_bytes(whole)
    manifest.write_text(json.dumps(values | {"revision": "9999"}))
    refuse(dump, "another Amazcope")
    manifest.write_text(json.dumps(values | {"server": 99}))
    refuse(dump, "PostgreSQL 99")
    manifest.write_text("{")
    refuse(dump, "can't be read")
    dump.unlink()
    manifest.write_text(json.dumps(values))
    refuse(manifest, "missing")


def test_what_differs_from_the_manifest_is_reported(
    filled: str, empty: str, tmp_path: Path
) -> None:
    dump = make(filled, tmp_path / "backups")
    manifest = dump.with_suffix(".json")
    values = json.loads(manifest.read_text())
    values["counts"]["product"] += 1
    manifest.write_text(json.dumps(values))
    with elsewhere(empty, tmp_path), pytest.raises(ConfigurationError, match="product: 1 of 2"):
        backups.restore(dump, None, lambda _sentence: None)


def test_another_secret_key_is_reported(
    filled: str, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = make(filled, tmp_path / "backups")
    monkeypatch.setenv("AMAZCOPE_SECRET_KEY", SECRET[::-1])
    reported: list[str] = []
    with elsewhere(empty, tmp_path):
        backups.restore(dump, None, reported.append)
    assert any("The secret key differs" in each for each in reported)
