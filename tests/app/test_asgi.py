"""The addresses beside the pages, and the settings of the web process."""

import tomllib

import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app import __main__ as command
from app import asgi, boundary, keys
from core.config import ROOT, Settings
from core.errors import ConfigurationError


def client_with(check) -> TestClient:
    return TestClient(
        Starlette(routes=asgi.routes(check), middleware=[Middleware(asgi.CarefulHeaders)])
    )


def test_a_database_that_answers_is_healthy():
    answer = client_with(lambda: None).get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT 1", {}, Exception("password of db.internal")),
        ConfigurationError("The database is not running."),
        ConnectionRefusedError("db.internal"),
    ],
)
def test_a_database_that_is_away_is_not_healthy_and_tells_no_details(error):
    def check() -> None:
        raise error

    answer = client_with(check).get("/healthz")
    assert answer.status_code == 503
    assert "db.internal" not in answer.text


def test_metrics_are_in_the_text_format_of_prometheus():
    answer = client_with(lambda: None).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "python_info" in answer.text


def test_every_answer_carries_the_careful_headers():
    headers = client_with(lambda: None).get("/healthz").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_streamlit_is_told_the_settings():
    told = command.options(Settings(amazcope_port=9000, amazcope_upload_mb=50))
    assert told["STREAMLIT_SERVER_PORT"] == "9000"
    assert told["STREAMLIT_SERVER_MAX_UPLOAD_SIZE"] == "50"


def test_the_configuration_keeps_details_and_agents_out():
    configuration = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert configuration["client"]["showErrorDetails"] == "none"
    assert configuration["server"]["enableAgentApi"] is False
    assert configuration["browser"]["gatherUsageStats"] is False
    assert configuration["runner"]["postScriptGC"] is False


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_and_lines_can_be_told_from_the_ground(mode):
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"][mode]
    for ground in (theme["backgroundColor"], theme["secondaryBackgroundColor"]):
        assert contrast(theme["textColor"], ground) >= 7
        assert contrast(theme["linkColor"], ground) >= 4.5
        for color in theme["chartCategoricalColors"]:
            assert contrast(color, ground) >= 3
    assert (
        contrast(theme["dataframeHeaderTextColor"], theme["dataframeHeaderBackgroundColor"]) >= 4.5
    )
    assert len(set(theme["chartCategoricalColors"])) == 10
    assert contrast("#ffffff", theme["primaryColor"]) >= 4.5  # the words on a button
    assert contrast(theme["primaryColor"], theme["backgroundColor"]) >= 3


def test_an_unforeseen_error_shows_a_number_and_logs_the_trace(caplog, monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(boundary.st, "error", lambda text, **_: shown.append(text))
    assert boundary.tell(RuntimeError("secret detail"))
    assert "secret detail" not in shown[0]
    assert "secret detail" in caplog.text
    assert caplog.records[0].getMessage().split()[-1] in shown[0]


def test_an_error_raised_on_purpose_is_shown_in_its_own_words(monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(boundary.st, "error", lambda text, **_: shown.append(text))
    monkeypatch.setattr(boundary.st, "caption", lambda text: None)
    boundary.tell(ConfigurationError("Start the database."))
    assert shown == ["Start the database."]


def test_every_page_of_the_navigation_has_its_file():
    for name in (keys.OVERVIEW, keys.PRODUCTS, keys.PRODUCT, keys.ADD, keys.HEALTH):
        assert (ROOT / "pages" / f"{name}.py").is_file()
