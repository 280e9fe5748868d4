"""The clock that the tests run by: one for Python and the database, on every date."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session


@pytest.mark.dates
def test_the_database_server_has_the_clock_of_the_tests(session: Session) -> None:
    database_time = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert abs(database_time - datetime.now(UTC)) < timedelta(minutes=1)
    if expected := os.environ.get("FAKETIME_EXPECTED"):
        assert abs(database_time - datetime.fromisoformat(expected)) < timedelta(hours=3)
