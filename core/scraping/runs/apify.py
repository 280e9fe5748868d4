"""The one place that talks to Apify. Returns plain values; knows no tables.

Starting a run is never retried here: an answer that got lost may have started
one already, and every run is paid for. `StartUnclearError` says so, and the
caller looks for the run by its input.

The client is brought in by its first use: it takes a quarter of a second and 30 MB, and
the pages, which know this module by their tasks, never use it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import OutsideServiceError
from core.runtime import gc_pause

if TYPE_CHECKING:
    from apify_client import ApifyClient

_PAYMENT_REQUIRED = 402
_PASSING = frozenset({408, 425})  # the request came too slowly, or too early
_RUNS_TO_SEARCH = 200
_LONGEST_MESSAGE = 300  # characters; a proxy's error page may be any length
# What the client raises for answers of another shape than it expects: no object, fields or
# headers missing, a number that is none. The client says nothing of it in its own errors.
_SENSELESS = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)


class TokenError(OutsideServiceError):
    """Apify does not accept the token."""


class NoCreditError(OutsideServiceError):
    """The Apify account has no credit left."""


class SlowDownError(OutsideServiceError):
    """Apify asks for fewer requests."""


class RefusedError(OutsideServiceError):
    """Apify refuses this request, and would refuse it again."""


class UnreachableError(OutsideServiceError):
    """Apify did not answer, or told of an error of its own; later may be better."""


class UnreadableError(OutsideServiceError):
    """Apify answered a request, and the answer makes no sense."""


class StartUnclearError(OutsideServiceError):
    """The request to start a run was sent, and its answer lost or senseless: it may be running.

    `was_answered`: the request is over. Otherwise it may still be on its way.
    """

    def __init__(self, message: str, *, was_answered: bool) -> None:
        super().__init__(message)
        self.was_answered = was_answered


@dataclass(frozen=True, slots=True)
class OutsideRun:
    """A run as Apify tells it. Times are UTC; cost is None until Apify knows it."""

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

    token: str
    api_url: str | None = None
    timeout: timedelta = timedelta(seconds=60)  # of the request that starts a run
    # Of requests that only look. Together shorter than the three minutes after which a
    # worker counts as silent: the next round asks again anyway.
    looking_timeout: timedelta = timedelta(seconds=30)
    retries: int = 2


class Apify:
    """A thin face of the real client: what Amazcope needs of it, with its own errors."""

    def __init__(self, access: ApifyAccess) -> None:
        self._access = access
        self._looking = self._client(access.retries, access.looking_timeout)
        self._starting = self._client(0, access.timeout)

    def start(self, actor: str, run_input: Mapping[str, Any]) -> OutsideRun:
        """Start a run, once.

        Raises StartUnclearError when it may or may not have started; TokenError,
        NoCreditError, SlowDownError, RefusedError or UnreachableError when it
        certainly has not.
        """
        try:
            with _plain_errors():
                return _run(self._starting.actor(actor).start(run_input=dict(run_input)))
        except (UnreachableError, UnreadableError) as error:
            if _has_not_started(error.__cause__):
                raise
            raise StartUnclearError(
                f"Whether a run was started is not clear. {error}",
                was_answered=isinstance(error, UnreadableError) or _status(error) is not None,
            ) from error

    def get_run(self, run_id: str) -> OutsideRun | None:
        """Return a run, or None when Apify does not know it any more."""
        with _plain_errors():
            run = self._looking.run(run_id).get()
            return None if run is None else _run(run)

    def abort(self, run_id: str) -> None:
        """Stop a run, so that it costs no more."""
        with _plain_errors():
            self._looking.run(run_id).abort()

    def runs_since(self, actor: str, since: datetime) -> Iterator[OutsideRun]:
        """Yield the actor's runs that began at `since` or later, newest first."""
        offset = 0
        while True:
            with _plain_errors():
                page = (
                    self._looking.actor(actor)
                    .runs()
                    .list(desc=True, limit=_RUNS_TO_SEARCH, offset=offset)
                )
                runs = [_run(run) for run in page.items]
            for run in runs:
                if run.started_at < since:
                    return
                yield run
            offset += len(runs)
            if len(runs) < _RUNS_TO_SEARCH:
                return

    def input_of(self, run: OutsideRun) -> Any:
        """Return the input a run was started with, or None when it is gone."""
        with _plain_errors():
            record = self._looking.key_value_store(run.store_id).get_record("INPUT")
            return None if record is None else record["value"]

    def items(self, dataset_id: str, offset: int, limit: int) -> Page:
        """Return a page of a data set."""
        with _plain_errors(), gc_pause.paused_gc():
            page = self._looking.dataset(dataset_id).list_items(offset=offset, limit=limit)
            if not isinstance(page.items, list):
                raise TypeError("The items are no list.")
        following = offset + len(page.items)
        is_end = not page.items or following >= page.total
        return Page(page.items, None if is_end else following)

    def check(self) -> str:
        """Return the account's name, proving that the token works."""
        with _plain_errors():
            user = self._looking.user("me").get()
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
            timeout_max=wait,  # else each further attempt waits twice as long as the one before
            **given,
        )


def load_client() -> None:
    """Bring the client in now, for a process whose children shall share its memory."""
    import apify_client  # noqa: F401


def _has_not_started(cause: BaseException | None) -> bool:
    """True when it is certain that no run was started: nothing was sent, or it was refused."""
    import impit  # late: see above

    status = getattr(cause, "status_code", None)
    is_refused = status is not None and _is_refusal(status)
    return is_refused or isinstance(cause, impit.ConnectError | impit.ConnectTimeout)


def _is_refusal(status: int) -> bool:
    """True for a status by which a server says that it did not do what was asked."""
    return 400 <= status < 500


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that an error rests on, None where nothing was answered."""
    return getattr(error.__cause__, "status_code", None)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn the client's errors into this module's, with a sentence that says what to do."""
    import impit  # late: see above
    from apify_client import errors

    try:
        yield
    except errors.UnauthorizedError as error:
        raise TokenError(
            "Apify does not accept the token. Set APIFY_TOKEN to a valid one."
        ) from error
    except errors.ForbiddenError as error:
        raise TokenError(f"The Apify token may not do this: {error.message}") from error
    except errors.RateLimitError as error:
        raise SlowDownError("Apify asks for fewer requests; the next round tries again.") from error
    except errors.ApifyApiError as error:
        raise _of_status(error.status_code, error.message or "it says no more") from error
    except impit.LocalProtocolError as error:  # never sent: a line break or the like in a header
        raise TokenError(
            "The Apify token holds characters that no token has. Set APIFY_TOKEN to a valid one."
        ) from error
    except impit.HTTPError as error:
        raise UnreachableError(f"Apify did not answer ({type(error).__name__}).") from error
    except (errors.ApifyClientError, *_SENSELESS) as error:
        raise UnreadableError(
            f"Apify's answer could not be read ({type(error).__name__})."
        ) from error


def _of_status(status: int, message: str) -> OutsideServiceError:
    """Return the error that a status means, with what the server says of it, shortened."""
    said = " ".join(message.split())[:_LONGEST_MESSAGE]
    if status == _PAYMENT_REQUIRED:
        return NoCreditError("The Apify account has no credit left. Add some and go on.")
    if _is_refusal(status) and status not in _PASSING:
        return RefusedError(f"Apify refused the request ({status}): {said}")
    return UnreachableError(f"Apify answered {status}: {said}")


def _run(run: Any) -> OutsideRun:
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
