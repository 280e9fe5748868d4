"""Which users a single sign-on admits, by the team's setting."""

from dataclasses import replace
from typing import Any

import pytest
import streamlit as st
from sqlalchemy.orm import Session

from app.auth import session as signed
from app.auth import sso
from core.accounts.access.confirmation import mark_confirmed
from core.accounts.access.permissions import Principal
from core.accounts.access.team_settings import get_team_settings, update_team_settings
from core.database.session import shared_time
from core.errors import NotAllowedError
from core.settings.environment import Settings

ISSUER = "https://id.example.com"


class Provider:
    """Stands for what Streamlit knows of a user who came back from the provider."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def to_dict(self) -> dict[str, Any]:
        return self.given


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    known = Provider()
    monkeypatch.setattr(st, "user", known)
    monkeypatch.setattr(signed, "client_address", lambda: "10.0.0.9")
    return known


def store(session: Session, principal: Principal, registration: str) -> None:
    mark_confirmed(session, principal, shared_time())
    now = get_team_settings(session, principal, "")
    wanted = replace(now, registration=registration)
    update_team_settings(session, principal, wanted, "", shared_time())
    session.commit()


def come(provider: Provider, registration: str, subject: str) -> str:
    """Come back from the provider as a user without an invitation."""
    provider.given = {
        "iss": ISSUER,
        "sub": subject,
        "email": f"{subject}@team.example",
        "email_verified": True,
        "iat": shared_time().timestamp(),
        "nonce": subject,
    }
    return sso._complete(Settings(amazcope_oidc_issuer=ISSUER, amazcope_registration=registration))


def test_the_administrations_setting_on_joining_counts_for_single_sign_on(
    session: Session, principal: Principal, provider: Provider
) -> None:
    assert come(provider, "open", "anna")
    with pytest.raises(NotAllowedError):
        come(provider, "invitation", "ben")
    store(session, principal, "invitation")
    with pytest.raises(NotAllowedError):
        come(provider, "open", "cleo")
    store(session, principal, "open")
    assert come(provider, "invitation", "dora")
