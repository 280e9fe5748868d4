"""The only module that calls Apify. Returns plain values; uses no tables.

Starting a run is never retried here: a request whose answer got lost may have started
one, and every run is paid for. `StartUnclearError` reports this, and the caller
searches for the run by its input.

The client is imported at its first use: it takes a quarter of a second and 30 MB, and the
web process, which imports this module through the tasks, never uses it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import OutsideServiceError
from core.runtime import gc_pause

if TYPE_CHECKING:
    from apify_client import ApifyClient

_PAYMENT_REQUIRED = 402
_TEMPORARY = frozenset({408, 425})  # the request was too slow or too early
_RUNS_TO_SEARCH = 200
_LONGEST_MESSAGE = 300  # characters; a proxy's error page may be any length
# What the client raises for unexpected answers: not an object, missing fields or headers,
# invalid numbers. It doesn't turn them into its own errors.
_SENSELESS = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)


class TokenError(OutsideServiceError):
    """Apify does not accept the token."""


class NoCreditError(OutsideServiceError):
    """The Apify account has no credit left."""


class SlowDownError(OutsideServiceError):
    """Apify asks for fewer requests."""


class RefusedError(OutsideServiceError):
    """Apify refuses this request and would refuse it again."""


class UnreachableError(OutsideServiceError):
    """Apify did not answer or reported an error of its own; trying later may work."""


class UnreadableError(OutsideServiceError):
    """Apify's answer can't be read."""


class StartUnclearError(OutsideServiceError):
    """The request to start a run got no readable answer, so the run may have started.

    `was_answered`: the request has ended. Otherwise it may still reach Apify.
    """

    def __init__(self, message: str, *, was_answered: bool) -> None:
        super().__init__(message)
        self.was_answered = was_answered


@dataclass(frozen=True, slots=True)
class OutsideRun:
    """A run as reported by Apify. Times are UTC; the cost is None until Apify knows it."""

    id: str
    status: str  # READY, RUNNING, SUCCEEDED, FAILED, TIMING-OUT, TIMED-OUT, ABORTING, ABORTED
    dataset_id: str
    store_id: str
    started_at: datetime
    finished_at: datetime | None
    cost_usd: Decimal | None
    message: str | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in {"SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED"}


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a data set. `next_offset` is None at its end."""

    items: list[Any]
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class ApifyAccess:
    """How to reach Apify."""

    token: str = field(repr=False)
    api_url: str | None = None
    timeout: timedelta = timedelta(seconds=60)  # of the request that starts a run
    # Of requests that only read. All attempts together are shorter than the three minutes
    # after which a worker counts as silent; the next round asks again anyway.
    read_timeout: timedelta = timedelta(seconds=30)
    retries: int = 2


class Apify:
    """The calls that Amazcope needs of the Apify client, with this module's errors."""

    def __init__(self, access: ApifyAccess) -> None:
        self._access = access
        self._reading = self._client(access.retries, access.read_timeout)
        self._starting = self._client(0, access.timeout)

    def start_run(self, actor: str, run_input: Mapping[str, Any]) -> OutsideRun:
        """Start a run, without retries.

        Raises StartUnclearError if it may have started; TokenError, NoCreditError,
        SlowDownError, RefusedError or UnreachableError if it certainly has not.
        """
        try:
            with _translate_errors():
                return _make_run(self._starting.actor(actor).start(run_input=dict(run_input)))
        except (UnreachableError, UnreadableError) as error:
            if _has_not_started(error.__cause__):
                raise
            raise StartUnclearError(
                f"It is unclear whether a run was started. {error}",
                was_answered=isinstance(error, UnreadableError) or _find_status(error) is not None,
            ) from error

    def get_run(self, run_id: str) -> OutsideRun | None:
        """Return a run, None if Apify no longer has it."""
        with _translate_errors():
            run = self._reading.run(run_id).get()
            return None if run is None else _make_run(run)

    def abort_run(self, run_id: str) -> None:
        """Stop a run, so that it causes no further costs."""
        with _translate_errors():
            self._reading.run(run_id).abort()

    def list_runs_since(self, actor: str, since: datetime) -> Iterator[OutsideRun]:
        """Yield the actor's runs that began at `since` or later, newest first."""
        offset = 0
        while True:
            with _translate_errors():
                page = (
                    self._reading.actor(actor)
                    .runs()
                    .list(desc=True, limit=_RUNS_TO_SEARCH, offset=offset)
                )
                runs = [_make_run(run) for run in page.items]
            for run in runs:
                if run.started_at < since:
                    return
                yield run
            offset += len(runs)
            if len(runs) < _RUNS_TO_SEARCH:
                return

    def get_input(self, run: OutsideRun) -> Any:
        """Return the input a run was started with, None if it was deleted."""
        with _translate_errors():
            record = self._reading.key_value_store(run.store_id).get_record("INPUT")
            return None if record is None else record["value"]

    def list_items(self, dataset_id: str, offset: int, limit: int) -> Page:
        """Return a page of a data set."""
        with _translate_errors(), gc_pause.paused_gc():
            page = self._reading.dataset(dataset_id).list_items(offset=offset, limit=limit)
            if not isinstance(page.items, list):
                raise TypeError("The items are not a list.")
        following = offset + len(page.items)
        is_end = not page.items or following >= page.total
        return Page(page.items, None if is_end else following)

    def check_account(self) -> str:
        """Return the account's name, "unknown" without one. Raises TokenError for a bad token."""
        with _translate_errors():
            user = self._reading.user("me").get()
        return str(getattr(user, "username", None) or "unknown")

    def _client(self, retries: int, wait: timedelta) -> "ApifyClient":
        from apify_client import ApifyClient  # late: see above

        given: dict[str, Any] = {}
        if self._access.api_url:
            given = {"api_url": self._access.api_url, "api_public_url": self._access.api_url}
        return ApifyClient(
            self._access.token,
            max_retries=retries,
            timeout_short=wait,
            timeout_medium=wait,
            timeout_long=wait,
            timeout_max=wait,  # otherwise each retry waits twice as long as the one before
            **given,
        )


def load_client() -> None:
    """Import the client now, so that child processes share its memory."""
    import apify_client  # noqa: F401


def _has_not_started(cause: BaseException | None) -> bool:
    """Return whether certainly no run was started: the request was not sent or was refused."""
    import impit  # late: see above

    status = getattr(cause, "status_code", None)
    is_refused = status is not None and _is_refusal(status)
    return is_refused or isinstance(cause, impit.ConnectError | impit.ConnectTimeout)


def _is_refusal(status: int) -> bool:
    """Return whether a status means that the server did not carry out the request."""
    return 400 <= status < 500


def _find_status(error: BaseException) -> int | None:
    """Return the HTTP status behind an error, None if there was no answer."""
    return getattr(error.__cause__, "status_code", None)


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Turn the client's errors into this module's, with a sentence on what to do."""
    import impit  # late: see above
    from apify_client import errors

    try:
        yield
    except errors.UnauthorizedError as error:
        raise TokenError(
            "Apify does not accept the token. Enter a valid one at Connections, or set APIFY_TOKEN."
        ) from error
    except errors.ForbiddenError as error:
        raise TokenError(f"The Apify token may not do this: {error.message}") from error
    except errors.RateLimitError as error:
        raise SlowDownError("Apify asks for fewer requests; the next round tries again.") from error
    except errors.ApifyApiError as error:
        raise _make_status_error(error.status_code, error.message or "no message") from error
    except impit.LocalProtocolError as error:  # never sent, such as for a line break in a header
        raise TokenError(
            "The Apify token contains invalid characters. Enter a valid one at Connections, or set "
            "APIFY_TOKEN."
        ) from error
    except impit.HTTPError as error:
        raise UnreachableError(f"Apify did not answer ({type(error).__name__}).") from error
    except (errors.ApifyClientError, *_SENSELESS) as error:
        raise UnreadableError(
            f"Apify's answer could not be read ({type(error).__name__})."
        ) from error


def _make_status_error(status: int, message: str) -> OutsideServiceError:
    """Return the error that a status means, with the server's message, shortened."""
    shortened = " ".join(message.split())[:_LONGEST_MESSAGE]
    if status == _PAYMENT_REQUIRED:
        return NoCreditError("The Apify account has no credit left: add credit to continue.")
    if _is_refusal(status) and status not in _TEMPORARY:
        return RefusedError(f"Apify refused the request ({status}): {shortened}")
    return UnreachableError(f"Apify answered {status}: {shortened}")


def _make_run(run: Any) -> OutsideRun:
    cost = getattr(run, "usage_total_usd", None)
    return OutsideRun(
        id=run.id,
        status=str(getattr(run.status, "value", run.status)),
        dataset_id=run.default_dataset_id,
        store_id=run.default_key_value_store_id,
        started_at=run.started_at,
        finished_at=run.finished_at,
        cost_usd=None if cost is None else Decimal(str(cost)),
        message=getattr(run, "status_message", None),
    )
