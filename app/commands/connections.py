"""Commands of administrators for connections: save, test, remove.

A test calls the service with no transaction open, and is stored with what it answered. Clients
are imported at the first test: the pages use them for nothing else.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import timedelta

from app.data import get_principal
from core.accounts.access.permissions import Permission, require_permission
from core.connections import resolve, service
from core.connections.service import ConnectionTest
from core.connections.values import ApifyToken, ConnectionName, MailServer, ModelServer, Values
from core.database.session import shared_time, write_scope
from core.delivery import smtp
from core.errors import AmazcopeError, InvalidInputError
from core.scraping.runs import lifecycle
from core.scraping.runs.apify import Apify, ApifyAccess
from core.scraping.runs.providers import APIFY
from core.settings.environment import get_settings
from core.suggestions.model_server.client import Model, ModelAccess
from core.text.numbers import format_counted
from jobs.tasks.wake import wake_for_fetches

TEST_SECONDS = 15.0  # longest test; a server may answer a byte at a time
_CALL_SECONDS = 10.0


def save_connection(values: Values, *, keeps_secret: bool = False) -> str:
    """Store a connection, then test it. `keeps_secret`: the form's secret was left empty."""
    settings = get_settings()
    with write_scope() as session:
        who = get_principal()
        if keeps_secret:
            values = service.keep_secret(session, who, values, settings)
        service.save_connection(session, who, values, settings, shared_time())
    resolve.clear_cache()
    return f"Saved. {_test(values).answer}"


def test_connection(name: ConnectionName) -> str:
    """Test the connection that counts."""
    require_permission(get_principal(), Permission.ADMIN)  # before anything is called
    values = resolve.resolve(name, get_settings()).values
    if values is None:
        raise InvalidInputError("There is nothing to test yet. Enter the connection first.")
    return _test(values).answer


def remove_connection(name: ConnectionName) -> str:
    """Delete what is stored of a connection."""
    with write_scope() as session:
        removed = service.remove_connection(session, get_principal(), name, shared_time())
    resolve.clear_cache()
    return "Removed." if removed else "Nothing is stored."


def _test(values: Values) -> ConnectionTest:
    """Call the service, store the answer, and have Apify's products checked if it works."""
    is_working, answer = _call_in_time(values)
    result = ConnectionTest(shared_time(), is_working, answer)
    is_apify = isinstance(values, ApifyToken)
    with write_scope() as session:
        service.store_test(session, get_principal(), values, get_settings(), result)
        if is_working and is_apify:
            lifecycle.forget_provider_state(session, APIFY)
    if is_working and is_apify:
        wake_for_fetches()
    return result


def _call_in_time(values: Values) -> tuple[bool, str]:
    """Return whether the service works and what it answered, within `TEST_SECONDS`."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(_call, values).result(TEST_SECONDS)
    except FutureTimeoutError:
        return False, f"No complete answer within {TEST_SECONDS:.0f} seconds."
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _call(values: Values) -> tuple[bool, str]:
    calls: dict[type, Callable[..., tuple[bool, str]]] = {
        ApifyToken: _call_apify,
        ModelServer: _call_model,
        MailServer: _call_mail,
    }
    try:
        return calls[type(values)](values)
    except AmazcopeError as error:
        return False, str(error)


def _call_apify(values: ApifyToken) -> tuple[bool, str]:
    wait = timedelta(seconds=_CALL_SECONDS)
    access = ApifyAccess(values.token, get_settings().apify_api_url, wait, wait, retries=0)
    return True, f"Connected as {Apify(access).check_account()}."


def _call_model(values: ModelServer) -> tuple[bool, str]:
    access = ModelAccess(values.key, values.base_url, values.model, timeout=_CALL_SECONDS)
    models = Model(access).list_models()
    counted = format_counted(len(models), "model")
    if any(each == values.model or each.endswith(f"/{values.model}") for each in models):
        return True, f"Connected. {counted}, with {values.model}."
    return False, f"The server answers with {counted}, without {values.model}."


def _call_mail(values: MailServer) -> tuple[bool, str]:
    return True, smtp.check_server(values.server)
