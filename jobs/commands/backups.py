"""The work of the commands `backup`, `restore` and `resume`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.accounts.people.membership import get_owner_principal
from core.backup.files import StoredBackup
from core.backup.labels import describe_pause, describe_paused_work, describe_token
from core.backup.pause import begin_pause, confirm_restore, read_pause, read_paused_work
from core.backup.restore import Restored, restore_backup
from core.database.embedded.server import EmbeddedPostgres
from core.database.session import (
    close_engines,
    database_time,
    database_url,
    read_scope,
    write_scope,
)
from core.scraping.runs.providers import list_prices
from core.settings.environment import Settings, get_settings
from core.settings.secret_key import get_secret_key
from core.text.numbers import format_count, format_file_size
from jobs.launcher.up import lock_data_folder
from jobs.queue import empty_queue
from jobs.tasks.make_backups import find_backup_folder, make_and_record

Reporter = Callable[[str], None]


def back_up(folder: Path | None, report: Reporter) -> StoredBackup:
    """Make a backup in a folder, by default the one of the settings, and return it.

    Starts the embedded database for it if that is not running.
    """
    settings = get_settings()
    with _running_database(settings, report):
        made = make_and_record(folder or find_backup_folder(settings))
    rows = sum(made.manifest.counts.values())
    report(f"{made.dump}: {format_file_size(made.manifest.size)}, {format_count(rows)} rows.")
    if made.manifest.is_encrypted:
        report("It is encrypted: keep the private key apart from it.")
    report("The secret key is not in it. Keep a copy of AMAZCOPE_SECRET_KEY, or secrets/key, too.")
    return made


def restore(path: Path, identity: Path | None, report: Reporter) -> None:
    """Restore a backup into the empty database of the settings, and pause everything outward.

    Raises ConfigurationError while Amazcope runs on the data folder.
    """
    settings = get_settings()
    with lock_data_folder(settings.amazcope_data_dir), _running_database(settings, report) as url:
        secret, scratch = get_secret_key(settings), settings.amazcope_data_dir
        restored = restore_backup(url, path, secret, scratch, identity, report)
        close_engines()
        with write_scope() as session:
            owner = get_owner_principal(session)
            begin_pause(session, owner, restored.backup.manifest.made_at, database_time())
        empty_queue()  # what Redis keeps is of another time
        _describe(restored, settings, report)
        close_engines()


def _describe(restored: Restored, settings: Settings, report: Reporter) -> None:
    report(
        f"Restored {format_count(restored.rows)} rows; "
        f"{format_count(restored.chain.sealed)} events of the audit verified."
    )
    if not restored.is_same_key:
        report(
            "The secret key differs from the one of the backup: connections, channels and "
            "two-factor authentication can't be decrypted. Set AMAZCOPE_SECRET_KEY to that one, or "
            "put it into secrets/key, before users sign in."
        )
    with read_scope() as session:
        owner = get_owner_principal(session)
        work = read_paused_work(session, owner, list_prices(settings), database_time())
        pause = read_pause(session)
    if work.tokens:
        report("These API tokens act again, also those revoked since the backup:")
        for token in work.tokens:
            report(f"  {describe_token(token)}")
    if pause is not None:
        report(describe_pause(pause, owner.time_zone))
    for sentence in describe_paused_work(work):
        report(f"  {sentence}")
    report("Start Amazcope, then continue at Data health, or by: python -m jobs resume")


def resume(confirm: Callable[[str], bool], report: Reporter) -> bool:
    """End the pause after a restore if `confirm` says so; return whether nothing is paused now."""
    settings = get_settings()
    with _running_database(settings, report):
        with read_scope() as session:
            owner = get_owner_principal(session)
            pause = read_pause(session)
            work = read_paused_work(session, owner, list_prices(settings), database_time())
        if pause is None:
            report("Nothing is paused.")
            return True
        report(describe_pause(pause, owner.time_zone))
        for sentence in describe_paused_work(work):
            report(f"  {sentence}")
        if not confirm("Continue?"):
            return False
        with write_scope() as session:
            confirm_restore(session, owner, database_time())
    report("Everything goes on within a minute of the worker's start.")
    return True


@contextmanager
def _running_database(settings: Settings, report: Reporter) -> Iterator[str]:
    """Start the embedded database unless it runs, and stop it again; yield its URL."""
    server = EmbeddedPostgres(settings.amazcope_data_dir, settings.secrets_dir, report)
    if not settings.is_embedded or server.is_running():
        yield database_url()
        return
    with server:
        yield database_url()
        close_engines()
