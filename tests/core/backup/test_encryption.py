"""A full disk is reported in a sentence; /dev/full is one."""

from pathlib import Path

import pyrage
import pytest

from core.backup.encryption import decrypt_file, encrypt_file
from core.errors import ConfigurationError

FULL = Path("/dev/full")


def test_a_full_disk_is_reported_in_a_sentence(tmp_path: Path) -> None:
    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(str(key))
    dump = tmp_path / "dump"
    dump.write_bytes(b"a row of the database\n" * 100_000)
    full = tmp_path / "dump.age"
    full.symlink_to(FULL)
    with pytest.raises(ConfigurationError, match="can't be encrypted: No space left"):
        encrypt_file(dump, str(key.to_public()))
    full.unlink()
    with pytest.raises(ConfigurationError, match="can't be decrypted: No space left"):
        decrypt_file(encrypt_file(dump, str(key.to_public())), FULL, tmp_path / "key")
