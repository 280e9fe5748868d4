"""The key that encrypts two-factor secrets: set, or generated once and stored. No database."""

import os
import secrets
from pathlib import Path

from core.private_files import make_folder, opener
from core.settings.environment import Settings

_FILE = "key"


def get_secret_key(settings: Settings) -> str:
    """Return the key of the settings, otherwise the one in the secrets folder, made if missing.

    If several processes ask at the same moment, all get the first one's key.
    """
    if settings.amazcope_secret_key is not None:
        return settings.amazcope_secret_key.get_secret_value()
    path = settings.secrets_dir / _FILE
    if not path.exists():
        _create_key(path)
    return path.read_text().strip()


def _create_key(path: Path) -> None:
    make_folder(path.parent)
    made = path.with_name(f".{_FILE}-{secrets.token_hex(8)}")
    with open(made, "x", opener=opener) as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(made, path)  # atomic, and never replaces another process's key
    except FileExistsError:
        pass
    finally:
        made.unlink()
