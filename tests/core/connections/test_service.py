"""Connections as administrators store them, and which one counts."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.permissions import Principal
from core.connections import resolve, service
from core.connections.resolve import Origin
from core.connections.service import ConnectionTest, ListedConnection
from core.connections.values import ApifyToken, ConnectionName, Values
from core.errors import ConfigurationError, InvalidInputError
from core.settings.environment import Settings
from tests.core.connections.test_values import MAIL, MODEL

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEY = "k" * 40
TOKEN = ApifyToken("apify_api_secret_98765")
Make = Callable[..., Settings]


@pytest.fixture
def settings(tmp_path: Path) -> Make:
    def make(key: str = KEY, **given: Any) -> Settings:
        return Settings(
            _env_file=None, amazcope_data_dir=tmp_path, amazcope_secret_key=key, **given
        )  # type: ignore[call-arg]

    return make


@pytest.fixture
def save(session: Session, principal: Principal, settings: Make) -> Iterator[Any]:
    def saved(*found: Values) -> None:
        for values in found:
            service.save_connection(session, principal, values, settings(), NOW)
        session.commit()
        resolve.clear_cache()

    return saved  # type: ignore[return-value]


def listed(
    session: Session, principal: Principal, settings: Settings
) -> dict[ConnectionName, ListedConnection]:
    return {each.name: each for each in service.list_connections(session, principal, settings)}


def test_the_environment_counts_before_what_is_stored_and_nothing_is_mixed(
    save: Any, settings: Make
) -> None:
    assert resolve.resolve_apify(settings()).origin is Origin.NONE
    save(TOKEN, MODEL, MAIL)
    assert resolve.resolve_apify(settings()).values == TOKEN
    assert resolve.resolve_model(settings()).values == MODEL
    assert resolve.resolve_mail(settings()).values == MAIL
    given = settings(apify_token="other", amazcope_smtp_url="smtps://other.example")
    assert resolve.resolve_apify(given).values == ApifyToken("other")
    found = resolve.resolve_mail(given).values
    assert found is not None
    assert (found.host, found.port, found.is_tls, found.password) == (
        "other.example", 465, True, None,
    )  # fmt: skip
    in_part = settings(openai_api_key="of the environment")
    assert resolve.resolve_model(in_part).values == MODEL, "no key goes to another server"


def test_what_is_missing_is_a_sentence_that_names_what_to_do(save: Any, settings: Make) -> None:
    nothing = resolve.resolve_model(settings()).missing or ""
    assert "OPENAI_BASE_URL, OPENAI_API_KEY and AMAZCOPE_MODEL" in nothing
    assert "Connections" in nothing
    part = resolve.resolve_model(settings(openai_api_key="x", amazcope_model="m")).missing
    assert part == "No model is connected. OPENAI_BASE_URL is not set in the environment."


def test_a_change_is_read_without_a_restart(
    save: Any, settings: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(TOKEN)
    assert resolve.resolve_apify(settings()).values == TOKEN
    session.execute(text("DELETE FROM connection"))
    session.commit()
    assert resolve.resolve_apify(settings()).values == TOKEN, "kept for seconds"
    monkeypatch.setattr(resolve, "KEPT_SECONDS", -1.0)
    assert resolve.resolve_apify(settings()).values is None


def test_a_lost_key_is_a_state_and_no_error(
    save: Any, settings: Make, session: Session, principal: Principal
) -> None:
    save(TOKEN, MODEL)
    other = settings("o" * 40)
    found = resolve.resolve_apify(other)
    assert (found.origin, found.values) == (Origin.UNREADABLE, None)
    assert "AMAZCOPE_SECRET_KEY" in (found.missing or "")
    shown = listed(session, principal, other)[ConnectionName.APIFY]
    assert (shown.origin, shown.hint, shown.is_stored) == (Origin.UNREADABLE, "", True)
    with pytest.raises(InvalidInputError, match="Enter the secret"):
        service.keep_secret(session, principal, replace(MODEL, key=""), other)
    with pytest.raises(ConfigurationError):
        service.save_connection(session, principal, TOKEN, settings("short"), NOW)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE connection SET sealed = (SELECT sealed FROM connection WHERE name = 'model') "
        "WHERE name = 'apify'",
        "UPDATE connection SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1)",
        "UPDATE connection SET sealed = ''",
    ],
)
def test_values_of_another_name_and_changed_ones_are_refused(
    save: Any, settings: Make, session: Session, change: str
) -> None:
    save(TOKEN, MODEL)
    session.execute(text(change))
    session.commit()
    assert resolve.resolve_apify(settings()).origin is Origin.UNREADABLE


def test_no_secret_is_stored_in_the_clear_listed_or_in_the_audit(
    save: Any, settings: Make, session: Session, principal: Principal
) -> None:
    save(TOKEN, MODEL, MAIL)
    result = ConnectionTest(NOW, True, "Connected.\x00\n as " + "x" * 900)
    service.store_test(session, principal, MODEL, settings(), result)
    service.remove_connection(session, principal, ConnectionName.MAIL, NOW)
    kept = session.execute(
        text(
            "SELECT string_agg(convert_from(sealed, 'UTF8') || coalesce(answer, ''), '') "
            "FROM connection"
        )
    ).scalar_one()
    rows = session.execute(text("SELECT string_agg(e::text, '') FROM audit_event e")).scalar_one()
    shown = repr(service.list_connections(session, principal, settings()))
    for secret in (TOKEN.secret, MODEL.secret, MAIL.secret, "ada"):
        assert secret not in kept + rows, secret
    for secret in (TOKEN.secret, MODEL.secret, MAIL.secret):
        assert secret not in shown
    verbs = [each.verb for each in audit.list_events(session, principal)]
    assert verbs.count("changed connection") == 3
    assert verbs.count("removed connection") == 1
    assert not service.remove_connection(session, principal, ConnectionName.MAIL, NOW)


def test_a_test_is_of_the_values_that_were_tested(
    save: Any, settings: Make, session: Session, principal: Principal
) -> None:
    save(TOKEN)
    working = ConnectionTest(NOW, True, "Connected as ada.")
    service.store_test(session, principal, TOKEN, settings(), working)
    shown = listed(session, principal, settings())[ConnectionName.APIFY]
    assert (shown.test, shown.hint, shown.changed_by) == (working, "8765", principal.name)
    given = settings(apify_token="another token")
    assert listed(session, principal, given)[ConnectionName.APIFY].test is None
    save(ApifyToken("apify_api_replaced_111"))
    assert listed(session, principal, settings())[ConnectionName.APIFY].test is None


def test_an_empty_secret_keeps_the_stored_one_for_the_same_server_only(
    save: Any, settings: Make, session: Session, principal: Principal
) -> None:
    save(MODEL, MAIL)
    kept = service.keep_secret(session, principal, replace(MODEL, model="m", key=""), settings())
    assert kept == replace(MODEL, model="m")
    elsewhere = replace(MODEL, base_url="https://evil.example/v1", key="")
    with pytest.raises(InvalidInputError, match="another one"):
        service.keep_secret(session, principal, elsewhere, settings())
    with pytest.raises(InvalidInputError, match="another one"):
        service.keep_secret(session, principal, replace(MAIL, host="evil.example"), settings())


def test_a_setting_that_can_not_be_read_is_a_state(
    settings: Make, session: Session, principal: Principal
) -> None:
    wrong = settings(amazcope_smtp_url="http://mail.example")
    shown = listed(session, principal, wrong)[ConnectionName.MAIL]
    assert (shown.origin, shown.values) == (Origin.ENVIRONMENT, None)
    assert "AMAZCOPE_SMTP_URL" in (shown.problem or "")
