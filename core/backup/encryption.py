"""Encryption of dumps by age (age-encryption.org/v1), for the owner of a private key."""

from pathlib import Path

import pyrage

from core.errors import ConfigurationError, InvalidInputError


def check_recipient(recipient: str) -> None:
    """Raise ConfigurationError if this is no public key of age."""
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise ConfigurationError(
            "AMAZCOPE_BACKUP_RECIPIENT is a public key of age, which begins with age1."
        ) from error


def encrypt_file(path: Path, recipient: str) -> Path:
    """Replace a file by its encrypted form, and return that one's path."""
    check_recipient(recipient)
    made = path.with_name(f"{path.name}.age")
    try:
        pyrage.encrypt_file(str(path), str(made), [pyrage.x25519.Recipient.from_str(recipient)])
    except pyrage.EncryptError as error:  # also of a full disk
        raise ConfigurationError(f"The backup can't be encrypted: {error}") from error
    path.unlink()
    return made


def decrypt_file(path: Path, made: Path, identity_file: Path) -> None:
    """Write the decrypted form of a file to `made`.

    `identity_file`: the private key, as age-keygen writes it. Raises InvalidInputError if it is
    not the one that the file was encrypted for, ConfigurationError if `made` can't be written.
    """
    try:
        pyrage.decrypt_file(str(path), str(made), _read_identities(identity_file))
    except pyrage.DecryptError as error:
        raise InvalidInputError(
            f"{path.name} can't be decrypted with {identity_file}: it is for another key, or "
            "damaged."
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path.name} can't be decrypted: {error}") from error


def _read_identities(path: Path) -> list[pyrage.x25519.Identity]:
    try:
        lines = path.read_text().splitlines()
        found = [
            pyrage.x25519.Identity.from_str(line.strip())
            for line in lines
            if line.strip() and not line.startswith("#")
        ]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise InvalidInputError(f"{path} has no private key of age.") from error
    if not found:
        raise InvalidInputError(f"{path} has no private key of age.")
    return found
