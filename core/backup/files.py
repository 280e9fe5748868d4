"""The files of backups in a folder: listed, opened without following links, made with 0600."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from core.backup.manifest import LARGEST_MANIFEST, MANIFEST, Manifest
from core.backup.retention import choose_kept
from core.errors import ConfigurationError, InvalidInputError
from core.private_files import make_folder, opener

_UNFINISHED: Final = ".unfinished-"
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredBackup:
    """A complete backup in a folder."""

    folder: Path
    manifest: Manifest

    @property
    def dump(self) -> Path:
        return self.folder / self.manifest.dump_name

    @property
    def manifest_file(self) -> Path:
        return self.folder / self.manifest.name


def list_backups(folder: Path) -> list[StoredBackup]:
    """Return the complete backups of a folder, the newest first; none of a missing folder.

    Files that are no manifest of a backup are left out.
    """
    found = []
    for path in folder.glob(f"*{MANIFEST}"):
        with suppress(InvalidInputError, OSError):
            found.append(read_backup(path))
    return sorted(found, key=lambda each: each.manifest.made_at, reverse=True)


def read_backup(path: Path) -> StoredBackup:
    """Return the backup of a dump or a manifest. Raises InvalidInputError with what is wrong."""
    if path.name.endswith(MANIFEST):
        manifest_file = path
    else:
        manifest_file = path.with_name(path.name.partition(".")[0] + MANIFEST)
    with open_plain(manifest_file) as file:
        manifest = Manifest.from_json(file.read(LARGEST_MANIFEST))
    found = StoredBackup(manifest_file.parent, manifest)
    if manifest_file != found.manifest_file:
        raise InvalidInputError(f"{manifest_file.name} is not named as its backup: {manifest.name}")
    if not found.dump.is_file():
        raise InvalidInputError(f"The dump {found.dump} of the backup is missing.")
    return found


@contextmanager
def open_plain(path: Path) -> Iterator[BinaryIO]:
    """Open a plain file for reading. Raises InvalidInputError for links and all else."""
    try:
        if path.is_symlink():
            raise InvalidInputError(f"{path} is a link. Name the file itself.")
        if not path.is_file():
            raise InvalidInputError(f"There is no file {path}.")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise InvalidInputError(f"{path} can't be read ({error.strerror}).") from error
    with open(descriptor, "rb") as file:
        yield file


def verify_dump(backup: StoredBackup) -> None:
    """Raise InvalidInputError if the dump's file is not the one that its manifest describes."""
    with open_plain(backup.dump) as file:
        size = os.fstat(file.fileno()).st_size
        if size != backup.manifest.size or hash_file(file) != backup.manifest.sha256:
            raise InvalidInputError(
                f"{backup.dump} is damaged: its size or SHA-256 is not that of the manifest."
            )


def hash_file(file: BinaryIO) -> str:
    """Return the SHA-256 of a file from its place on, hexadecimal."""
    found = sha256()
    while block := file.read(_BLOCK):
        found.update(block)
    return found.hexdigest()


@contextmanager
def make_scratch(folder: Path) -> Iterator[Path]:
    """Return an own folder for unfinished files, which is deleted at the end.

    Those that a killed process left are deleted first: only one backup is made at a time.
    """
    make_folder(folder)
    for older in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(older, ignore_errors=True)
    scratch = folder / f"{_UNFINISHED}{os.getpid()}"
    make_folder(scratch)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def store_backup(dump: Path, manifest: Manifest, folder: Path) -> StoredBackup:
    """Move a finished dump to its place and write its manifest, which makes it complete.

    Both are on the disk then, also after a power failure. Raises ConfigurationError if there is
    a backup of the same second.
    """
    stored = StoredBackup(folder, manifest)
    if stored.manifest_file.exists():
        raise ConfigurationError(f"There is a backup {stored.manifest_file} already. Try again.")
    content = dump.with_name("manifest")
    with open(content, "xb", opener=opener) as file:
        file.write(manifest.to_json())
        file.flush()
        os.fsync(file.fileno())
    with open_plain(dump) as file:
        os.fsync(file.fileno())
    dump.rename(stored.dump)
    content.rename(stored.manifest_file)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return stored


def delete_old_backups(folder: Path) -> list[datetime]:
    """Delete the backups that the rule does not keep; return when they were made."""
    found = list_backups(folder)
    kept = choose_kept(each.manifest.made_at for each in found)
    old = [each for each in found if each.manifest.made_at not in kept]
    for each in old:
        each.dump.unlink(missing_ok=True)  # first: a manifest that is left is small
        each.manifest_file.unlink(missing_ok=True)
    return [each.manifest.made_at for each in old]
