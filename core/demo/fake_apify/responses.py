"""The JSON bodies of Apify's API v2, with every field that its typed client requires."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from core.demo.fake_apify.run_store import FakeRun

USER_ID: Final = "standInUser000001"
USERNAME: Final = "amazcope-demo"
_BUILD_ID: Final = "standInBuild00001"
_BUILD_NUMBER: Final = "1.0.1"


def make_run_body(run: FakeRun, now: datetime) -> dict[str, Any]:
    """Return a run as `GET /v2/actor-runs/{id}` answers it."""
    status, finished_at = run.status_at(now), run.finished_at(now)
    return {
        **_run_in_short(run, now),
        "userId": USER_ID,
        "statusMessage": _status_message(run, status, now),
        "isStatusMessageTerminal": finished_at is not None,
        "stats": _run_stats(run, finished_at or now),
        "options": {
            "build": "latest",
            "timeoutSecs": 3600,
            "memoryMbytes": 1024,
            "diskMbytes": 2048,
        },
        "exitCode": _exit_code(status),
        "generalAccess": "FOLLOW_USER_SETTING",
        "platformUsageBillingModel": "DEVELOPER",
    }


def make_runs_body(
    runs: list[FakeRun], *, total: int, offset: int, limit: int, desc: bool, now: datetime
) -> dict[str, Any]:
    """Return a page of a list of runs."""
    return {
        "total": total,
        "count": len(runs),
        "offset": offset,
        "limit": limit,
        "desc": desc,
        "items": [_run_in_short(run, now) for run in runs],
    }


def make_dataset_body(run: FakeRun, now: datetime) -> dict[str, Any]:
    """Return a data set's description, without its items."""
    count = len(run.delivered_pages(now))
    return {
        "id": run.dataset_id,
        "name": None,
        "userId": USER_ID,
        "createdAt": format_time(run.started_at),
        "modifiedAt": format_time(run.finished_at(now) or now),
        "accessedAt": format_time(now),
        "itemCount": count,
        "cleanItemCount": count,
        "actId": run.actor,
        "actRunId": run.id,
        "fields": [],
        "consoleUrl": f"https://console.apify.com/storage/datasets/{run.dataset_id}",
        "stats": {"readCount": 0, "writeCount": count, "storageBytes": 0},
    }


def make_actor_body(actor: str, now: datetime) -> dict[str, Any]:
    """Return an actor's description. `actor` is `user~name`."""
    username, _, name = actor.partition("~")
    return {
        "id": actor,
        "userId": USER_ID,
        "name": name,
        "username": username,
        "description": "Answered from a simulated market.",
        "isPublic": True,
        "createdAt": format_time(now),
        "modifiedAt": format_time(now),
        "stats": {"totalRuns": 0},
        "versions": [],
        "defaultRunOptions": {"build": "latest", "timeoutSecs": 3600, "memoryMbytes": 1024},
        "title": name,
    }


def make_user_body() -> dict[str, Any]:
    """Return the account that a token belongs to."""
    return {"id": USER_ID, "username": USERNAME, "isPaying": False}


def make_limits_body(spent: Decimal, running: int, now: datetime) -> dict[str, Any]:
    """Return the account's limits and this month's usage."""
    return {
        "monthlyUsageCycle": _month_of(now),
        "limits": {
            "maxMonthlyUsageUsd": 5,
            "maxMonthlyActorComputeUnits": 625,
            "maxMonthlyExternalDataTransferGbytes": 20,
            "maxMonthlyProxySerps": 50,
            "maxMonthlyResidentialProxyGbytes": 0,
            "maxActorMemoryGbytes": 8,
            "maxActorCount": 100,
            "maxActorTaskCount": 100,
            "maxConcurrentActorJobs": 25,
            "maxTeamAccountSeatCount": 1,
            "dataRetentionDays": 7,
        },
        "current": {
            "monthlyUsageUsd": float(spent),  # Apify sends a number; nothing is computed with it
            "monthlyActorComputeUnits": 0,
            "monthlyExternalDataTransferGbytes": 0,
            "monthlyProxySerps": 0,
            "monthlyResidentialProxyGbytes": 0,
            "actorMemoryGbytes": running,
            "actorCount": 0,
            "actorTaskCount": 0,
            "activeActorJobCount": running,
            "teamAccountSeatCount": 1,
        },
    }


def make_error_body(kind: str, message: str) -> dict[str, Any]:
    """Return an error; `kind` is Apify's name of it, such as `record-not-found`."""
    return {"error": {"type": kind, "message": message}}


def format_time(at: datetime) -> str:
    """Return a time as Apify writes it, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _run_in_short(run: FakeRun, now: datetime) -> dict[str, Any]:
    finished_at = run.finished_at(now)
    return {
        "id": run.id,
        "actId": run.actor,
        "status": run.status_at(now),
        "startedAt": format_time(run.started_at),
        "finishedAt": format_time(finished_at) if finished_at else None,
        "buildId": _BUILD_ID,
        "buildNumber": _BUILD_NUMBER,
        "meta": {"origin": "API", "userAgent": run.user_agent},
        "usageTotalUsd": float(run.cost_at(now)),  # a JSON number, as Apify sends it
        "defaultKeyValueStoreId": run.store_id,
        "defaultDatasetId": run.dataset_id,
        "defaultRequestQueueId": run.queue_id,
    }


def _run_stats(run: FakeRun, until: datetime) -> dict[str, Any]:
    lasted = max(until - run.started_at, timedelta(0))
    return {
        "inputBodyLen": len(run.input_body),
        "migrationCount": 0,
        "restartCount": 0,
        "resurrectCount": 0,
        "durationMillis": lasted // timedelta(milliseconds=1),
        "runTimeSecs": lasted.total_seconds(),
        "computeUnits": 0,
    }


def _status_message(run: FakeRun, status: str, now: datetime) -> str | None:
    if status == "SUCCEEDED":
        crawled = len(set(run.delivered_pages(now)))
        return f"Crawled {crawled}/{len(run.pages)} pages."
    if status == "FAILED":
        return "The Actor process failed."
    return None


def _exit_code(status: str) -> int | None:
    return {"SUCCEEDED": 0, "FAILED": 91}.get(status)


def _month_of(now: datetime) -> dict[str, str]:
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1)
    return {
        "startAt": format_time(first),
        "endAt": format_time(following - timedelta(milliseconds=1)),
    }
