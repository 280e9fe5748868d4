"""What a backup states about itself, and whether it can be restored here. Pure.

A backup is two files of one name: the dump, and its manifest as JSON, which is written last. A
dump without a manifest is incomplete.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Self

from core.errors import InvalidInputError

FORMAT: Final = 1
LARGEST_MANIFEST: Final = 1_000_000  # bytes; a manifest has some ten kilobytes
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_PREFIX: Final = "amazcope-"
DUMP: Final = ".dump"
ENCRYPTED: Final = ".dump.age"
MANIFEST: Final = ".json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts of a backup, all read in the transaction that was dumped."""

    made_at: datetime  # UTC, of the database's clock
    revision: str  # of the schema
    server: int  # major version of PostgreSQL
    counts: Mapping[str, int]  # rows by table
    audit_place: int  # of the newest sealed event; 0: none
    audit_head: str  # its seal, hexadecimal
    key: str  # fingerprint of the secret key, without which addresses can't be decrypted
    is_encrypted: bool
    size: int  # bytes of the dump's file, as it is stored
    sha256: str  # of that file
    format: int = FORMAT

    @property
    def dump_name(self) -> str:
        """Return the name of the dump's file."""
        return name_dump(self.made_at, is_encrypted=self.is_encrypted)

    @property
    def name(self) -> str:
        """Return the name of the manifest's file."""
        return f"{_PREFIX}{self.made_at:{_STAMP}}{MANIFEST}"

    def to_json(self) -> bytes:
        """Return the manifest's file."""
        values = asdict(self) | {"made_at": self.made_at.isoformat()}
        return json.dumps(values, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Return a manifest from its file. Raises InvalidInputError if it can't be read."""
        try:
            values: dict[str, Any] = json.loads(content)
            if values["format"] != FORMAT:
                raise InvalidInputError(
                    f"The backup has the format {values['format']}, this Amazcope reads {FORMAT}."
                )
            made = datetime.fromisoformat(values["made_at"])
            if made.utcoffset() is None:
                raise ValueError("no time zone")
            counts = {str(name): int(count) for name, count in dict(values["counts"]).items()}
            return cls(
                made_at=made,
                revision=str(values["revision"]),
                server=int(values["server"]),
                counts=counts,
                audit_place=int(values["audit_place"]),
                audit_head=str(values["audit_head"]),
                key=str(values["key"]),
                is_encrypted=values["is_encrypted"] is True,
                size=int(values["size"]),
                sha256=str(values["sha256"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise InvalidInputError(
                "The manifest of the backup can't be read: it is damaged, or no manifest."
            ) from error


def name_dump(made_at: datetime, *, is_encrypted: bool) -> str:
    """Return the name of a dump's file."""
    return f"{_PREFIX}{made_at:{_STAMP}}{ENCRYPTED if is_encrypted else DUMP}"


def find_obstacle(manifest: Manifest, known_revisions: Collection[str], server: int) -> str | None:
    """Return why a backup can't be restored here, None if it can.

    `known_revisions`: of this code's migrations. `server`: PostgreSQL's major version here.
    """
    if manifest.revision not in known_revisions:
        return (
            f"The backup has the schema {manifest.revision} of another Amazcope, which this one "
            "does not know. Restore it with the version that made it, or a newer one."
        )
    if server < manifest.server:
        return (
            f"The backup was made by PostgreSQL {manifest.server}, this is {server}. Restore it "
            f"into PostgreSQL {manifest.server} or newer."
        )
    return None


def find_differences(expected: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """Return the tables whose number of rows differs, each in a few words."""
    return [
        f"{name}: {found.get(name, 0)} of {expected.get(name, 0)} rows"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name, 0) != found.get(name, 0)
    ]
