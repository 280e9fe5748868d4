"""The secret that second factors are encrypted with: given, or made once and kept. No database."""

import os
import secrets
from pathlib import Path

from core.private_files import make_folder, opener
from core.settings.environment import Settings

_FILE = "key"


def get_secret_key(settings: Settings) -> str:
    """Return the secret of the settings, else the one in the folder of secrets, made if missing.

    Several processes may ask at the same moment: the first one's secret is everybody's.
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
        os.link(made, path)  # whole or not at all, and never over another's
    except FileExistsError:
        pass
    finally:
        made.unlink()
