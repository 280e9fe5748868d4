"""The addresses beside the pages, and the settings of the web process."""

import os
import subprocess
import sys
import tomllib
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app import __main__ as command
from app import asgi, keys
from app.web import error_boundary, security_headers
from core.accounts.people import account_notices
from core.database.availability import DatabaseCheck
from core.errors import ConfigurationError
from core.settings.environment import ROOT, Settings, get_settings, reject_public_demo
from jobs.tasks.wake import wake_for_security_emails
from tests.loops import run


def client_with(check) -> TestClient:
    return TestClient(
        Starlette(
            routes=asgi.build_routes(DatabaseCheck(check)),
            middleware=[Middleware(asgi.SecurityHeadersMiddleware)],
        )
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
def test_an_unreachable_database_is_not_healthy_and_details_stay_hidden(error):
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
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert "camera=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers


def test_nothing_is_loaded_from_elsewhere_or_framed_by_others():
    policy = client_with(lambda: None).get("/healthz").headers["content-security-policy"]
    parts = dict(part.split(" ", 1) for part in policy.split("; "))
    assert parts["default-src"] == "'self'"
    assert parts["object-src"] == "'none'"
    assert parts["base-uri"] == "'none'"
    for name in ("frame-ancestors", "form-action", "connect-src"):
        assert parts[name] == "'self'"
    assert "unsafe" not in parts["script-src"]
    named = {word for value in parts.values() for word in value.split() if word[0] != "'"}
    assert named == {"data:", "blob:"}


def test_scripts_within_the_shell_are_named_by_their_content():
    shell = (Path(streamlit.__file__).parent / "static" / "index.html").read_text()
    inline = [part.split("</script>")[0] for part in shell.split("<script>")[1:]]
    assert inline
    for script in inline:
        mark = b64encode(sha256(script.encode()).digest()).decode()
        assert f"'sha256-{mark}'" in security_headers.build_content_policy()


@pytest.fixture
def over_https(monkeypatch):
    monkeypatch.setenv("AMAZCOPE_URL", "https://watch.example.com/")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def cookie_route(_request):
    answer = PlainTextResponse("hello")
    answer.headers.append("set-cookie", "one=1; HttpOnly")
    answer.headers.append("set-cookie", "two=2; Secure")
    return answer


def cookies_set() -> list[str]:
    app = Starlette(
        routes=[Route("/", cookie_route)], middleware=[Middleware(asgi.SecurityHeadersMiddleware)]
    )
    return TestClient(app).get("/").headers.get_list("set-cookie")


@pytest.mark.usefixtures("over_https")
def test_over_https_browsers_are_kept_there_and_so_are_cookies():
    headers = client_with(lambda: None).get("/healthz").headers
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert cookies_set() == ["one=1; HttpOnly; Secure", "two=2; Secure"]


@pytest.mark.usefixtures("over_https")
def test_hosts_below_are_spoken_for_only_where_that_is_set(monkeypatch):
    monkeypatch.setenv("AMAZCOPE_HSTS_SUBDOMAINS", "true")
    get_settings.cache_clear()
    header = client_with(lambda: None).get("/healthz").headers["strict-transport-security"]
    assert header == "max-age=31536000; includeSubDomains"


def test_over_http_no_header_names_https(monkeypatch):
    monkeypatch.setenv("AMAZCOPE_HSTS_SUBDOMAINS", "true")
    get_settings.cache_clear()
    headers = client_with(lambda: None).get("/healthz").headers
    get_settings.cache_clear()
    assert "strict-transport-security" not in headers


def test_over_http_cookies_are_as_they_were():
    assert cookies_set() == ["one=1; HttpOnly", "two=2; Secure"]


def test_web_processes_of_one_secret_agree_on_their_cookies(tmp_path):
    def key(secret: str | None) -> str:
        given = {"amazcope_secret_key": secret, "amazcope_data_dir": tmp_path}
        return command.cookie_secret(Settings(_env_file=None, **given))

    assert key("a" * 32) == key("a" * 32) != key("b" * 32)
    assert key(None) == key(None)
    assert "a" * 32 not in key("a" * 32)
    with pytest.raises(ConfigurationError, match="32 characters"):
        key("short")


def test_streamlit_gets_the_settings():
    options = command.streamlit_options(Settings(amazcope_port=9000, amazcope_upload_mb=50))
    assert options["STREAMLIT_SERVER_PORT"] == "9000"
    assert options["STREAMLIT_SERVER_MAX_UPLOAD_SIZE"] == "50"


def test_the_configuration_keeps_details_and_agents_out():
    configuration = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert configuration["client"]["showErrorDetails"] == "none"
    assert configuration["server"]["enableAgentApi"] is False
    assert configuration["browser"]["gatherUsageStats"] is False
    assert configuration["runner"]["postScriptGC"] is False


def test_an_unforeseen_error_shows_a_number_and_logs_the_trace(caplog, monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(error_boundary.st, "error", lambda text, **_: shown.append(text))
    assert error_boundary.show_error(RuntimeError("secret detail"))
    assert "secret detail" not in shown[0]
    assert "secret detail" in caplog.text
    assert caplog.records[0].getMessage().split()[-1] in shown[0]


def test_an_error_raised_on_purpose_is_shown_in_its_own_words(monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(error_boundary.st, "error", lambda text, **_: shown.append(text))
    monkeypatch.setattr(error_boundary.st, "caption", lambda text: None)
    error_boundary.show_error(ConfigurationError("Start the database."))
    assert shown == ["Start the database."]


def test_every_page_of_the_navigation_has_its_file():
    for name in (keys.OVERVIEW, keys.PRODUCTS, keys.PRODUCT, keys.ADD, keys.HEALTH):
        assert (ROOT / "pages" / f"{name}.py").is_file()


# What is refused at the start


@pytest.mark.parametrize(
    "given",
    [
        {"amazcope_host": "0.0.0.0"},
        {"amazcope_host": "::"},
        {"amazcope_host": "10.0.0.9"},
        {"amazcope_host": ""},
        {"amazcope_host": "box.lan"},
        {"amazcope_url": "https://watch.example.com"},
    ],
)
def test_the_demo_is_for_this_machine_alone(given):
    with pytest.raises(ConfigurationError, match="AMAZCOPE_DEMO=false"):
        reject_public_demo(Settings(_env_file=None, **given))
    reject_public_demo(Settings(_env_file=None, amazcope_demo=False, **given))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"amazcope_host": "localhost"},
        {"amazcope_host": "::1"},
        {"amazcope_host": "127.0.0.5", "amazcope_url": "http://127.0.0.5:8501"},
    ],
)
def test_on_this_machine_the_demo_runs(given):
    reject_public_demo(Settings(_env_file=None, **given))


OPEN = {"AMAZCOPE_HOST": "0.0.0.0", "AMAZCOPE_DEMO": "true"}


@pytest.mark.parametrize(
    ("process", "settings", "words"),
    [
        (["app"], OPEN, "AMAZCOPE_DEMO=false"),
        (["jobs", "up"], OPEN, "AMAZCOPE_DEMO=false"),
        (["app"], {"AMAZCOPE_SECRET_KEY": "short"}, "AMAZCOPE_SECRET_KEY"),
        (["app"], {"AMAZCOPE_OIDC_ISSUER": "https://id.example.com"}, "AMAZCOPE_OIDC_CLIENT_ID"),
    ],
)
def test_a_start_that_would_be_unsafe_is_refused_in_one_sentence(
    tmp_path, process, settings, words
):
    done = subprocess.run(
        [sys.executable, "-m", *process],
        cwd=ROOT,
        env={**os.environ, "AMAZCOPE_DATA_DIR": str(tmp_path), "AMAZCOPE_PORT": "1", **settings},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "postgres").exists()


def test_the_pages_wake_the_worker_for_security_emails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_notices, "_wakers", [])
    monkeypatch.setattr(asgi.session, "set_connection_share", lambda _share: None)
    monkeypatch.setattr(asgi, "gc", SimpleNamespace(collect=int, freeze=int, set_threshold=max))

    async def start() -> None:
        async with asgi.lifespan(asgi.app):
            pass

    run(start)
    assert account_notices._wakers == [wake_for_security_emails]
