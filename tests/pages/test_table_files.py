"""The files that the tables of pages offer."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.components import downloads
from core.accounts.access.permissions import Principal
from core.errors import NotFoundError
from tests.pages.conftest import SignIn

LONG = "Kettle of steel " * 12 + "end"


def file_of(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[Principal], bytes]
) -> Callable[[], bytes]:
    """Return what is called when the button is pressed, after the page has run."""
    given: list[Any] = []
    monkeypatch.setattr(
        downloads.st, "download_button", lambda _label, *rest, **_: given.append(rest)
    )
    downloads.show_download_button("CSV", "a.csv", downloads.CSV, make)
    made: Callable[[], bytes] = given[0][0]
    return made


def test_a_file_is_noted_as_made_for_who_asked(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[tuple[Any, ...]] = []
    monkeypatch.setattr(downloads.file_owners, "record_owner", lambda *given: noted.append(given))
    assert file_of(monkeypatch, lambda who: who.name.encode())() == b"Owner"
    assert noted == [(b"Owner", downloads.CSV, "a.csv", principal.person_id)]


def test_who_signed_out_gets_no_file(
    session: Session, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = file_of(monkeypatch, lambda _who: b"x")
    session.execute(text("UPDATE sign_in SET ended_at = now()"))
    session.commit()
    with pytest.raises(downloads.FileNotMadeError, match="signed out"):
        made()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotFoundError("It is no longer kept."), "It is no longer kept."),
        (OperationalError("SELECT secret", {}, psycopg.OperationalError("gone")), "database"),
        (ValueError("secret detail"), "This could not be created"),
    ],
)
def test_a_file_that_can_not_be_made_has_a_reason_without_details(
    session: Session, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(_who: Principal) -> bytes:
        raise error

    with pytest.raises(downloads.FileNotMadeError, match=words) as raised:
        file_of(monkeypatch, fail)()
    assert "secret" not in str(raised.value)
