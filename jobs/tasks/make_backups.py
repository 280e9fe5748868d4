"""Makes a backup every day, and deletes those that the rule does not keep. No rules of its own."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from huey import crontab

from core.backup.files import StoredBackup, delete_old_backups, list_backups
from core.backup.make_backup import make_backup
from core.backup.state import record_backup
from core.database.session import database_time, database_url, to_conninfo, write_scope
from core.settings.environment import Settings, get_settings
from core.settings.secret_key import get_secret_key
from core.text.numbers import format_file_size
from jobs.job import JobReport, periodic_job

# Found once an hour: after 23 hours and a half it is due, so that it stays at the same hour.
DUE_AFTER: Final = timedelta(hours=23, minutes=30)


@periodic_job("back up", crontab(minute="41"), expires=1800, lock="back up")
def back_up_daily(report: JobReport) -> None:
    """Make a backup if the newest one is a day old, where a folder for backups is set."""
    settings = get_settings()
    if settings.amazcope_backup_to is None:
        report.nothing_to_do("AMAZCOPE_BACKUP_TO is not set.")
        return
    folder = find_backup_folder(settings)
    now = database_time()
    # A clock that was ahead must not keep backups from being made until then.
    made = [each.manifest.made_at for each in list_backups(folder) if each.manifest.made_at <= now]
    if made and now - made[0] < DUE_AFTER:
        report.nothing_to_do("The newest backup is less than a day old.")
        return
    backup = make_and_record(folder)
    old = delete_old_backups(folder)
    report.summary = f"{format_file_size(backup.manifest.size)} backed up, {len(old)} old deleted."


def find_backup_folder(settings: Settings) -> Path:
    """Return the folder of backups: the one set, otherwise one in the data folder."""
    return settings.amazcope_backup_to or settings.amazcope_data_dir / "backups"


def make_and_record(folder: Path) -> StoredBackup:
    """Make a backup in a folder and record that, for Data health."""
    settings = get_settings()
    made = make_backup(
        to_conninfo(database_url()),
        folder,
        get_secret_key(settings),
        settings.amazcope_backup_recipient,
    )
    with write_scope() as session:
        record_backup(session, made.manifest)
    return made
