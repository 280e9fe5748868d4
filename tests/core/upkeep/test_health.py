"""What the health screen calls healthy, and the figures it shows."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import orjson
import pytest
import zstandard
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.models import SourceOutage
from core.history.observation import Observation, Outcome, Seen, Source
from core.scraping.runs.budget import Limits
from core.scraping.runs.lifecycle import set_provider_state
from core.scraping.runs.models import FetchItem, FetchRun
from core.tracking.service import NewTracking, track
from core.upkeep import health_queries
from core.upkeep.check_counts import count_by_hour, list_failure_reasons, sum_checks
from core.upkeep.health import (
    Action,
    BlockedSource,
    CheckCounts,
    Health,
    Imports,
    Jobs,
    Problem,
    Provider,
    Schedule,
    Severity,
    Storage,
    find_problems,
    is_worker_alive,
)
from core.upkeep.heartbeat import (
    WorkerRestarts,
    count_restarts,
    find_last_heartbeat,
    find_last_worker_activity,
    record_heartbeat,
    record_restart,
)
from core.upkeep.job_runs import begin_job, end_job
from core.upkeep.unreadable import UnreadableField, list_unreadable_fields
from tests.factories.observations import make_price_observation, store_observations

NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
APIFY = Provider(
    name="apify",
    state="ok",
    detail=None,
    checked_at=NOW,
    retry_at=None,
    schedule=Schedule(100, 3, 10, 0, NOW),
    dollars_today=Decimal("1.20"),
    dollars_this_month=Decimal("20"),
    dollars_per_day=Decimal(5),
    dollars_per_product=Decimal("0.005"),
)
FINE = Health(
    as_of=NOW,
    worker_seen_at=NOW - timedelta(seconds=40),
    providers=[APIFY],
    checks=CheckCounts(200, 4),
    jobs=Jobs(30, 0, None),
    imports=Imports(0, 0, None),
    storage=Storage(
        10_000, date(NOW.year + 1, 6, 1), 6, None, backed_up_at=NOW, is_backed_up_daily=True
    ),
)
LIMITS = Limits(100, 2, Decimal(5), Decimal("0.005"))


def with_provider(**values: object) -> Health:
    return replace(FINE, providers=[replace(APIFY, **values)])  # type: ignore[arg-type]


def with_storage(**values: object) -> Health:
    usual = {"backed_up_at": None, "is_backed_up_daily": False}
    return replace(FINE, storage=replace(FINE.storage, **(usual | values)))  # type: ignore[arg-type]


# Rules


def test_an_answer_that_is_awaited_for_a_moment_is_no_silence() -> None:
    soon = NOW - timedelta(seconds=10)
    assert find_problems(with_provider(schedule=Schedule(9, 9, 0, 0, NOW, soon, 1))) == []
    assert find_problems(replace(FINE, jobs=Jobs(5, 0, None, NOW - timedelta(minutes=2)))) == []


def test_a_silent_worker_is_reported_once_whatever_else_fails() -> None:
    long_ago = NOW - timedelta(minutes=9)
    plan = Schedule(9, 9, 0, 0, NOW, long_ago)
    known = with_provider(state="unreachable", schedule=plan)
    assert [each.sentence for each in find_problems(known)] == [
        "Apify can't be reached. It is tried again by itself."
    ]
    assert len(find_problems(replace(with_provider(schedule=plan), worker_seen_at=None))) == 1


def test_products_that_wait_for_a_confirmed_restore_are_not_blamed_on_limits() -> None:
    late = with_provider(schedule=Schedule(9, 9, 0, 9, NOW))
    assert "more checks are due" in find_problems(late)[0].sentence
    paused = find_problems(replace(late, restored_from=NOW))
    assert ["paused" in each.sentence for each in paused] == [True]


def test_nothing_is_wrong_when_all_is_well() -> None:
    assert find_problems(FINE) == []


@pytest.mark.parametrize(
    ("health", "severity", "words"),
    [
        (replace(FINE, worker_seen_at=None), Severity.ALARM, "not started"),
        (replace(FINE, worker_seen_at=NOW - timedelta(minutes=4)), Severity.ALARM, "offline"),
        (replace(FINE, restored_from=NOW - timedelta(days=2)), Severity.ALARM, "made 2 days ago"),
        (with_storage(is_backed_up_daily=True), Severity.WARNING, "No backup was made yet"),
        (
            with_storage(is_backed_up_daily=True, backed_up_at=NOW - timedelta(days=3)),
            Severity.WARNING,
            "made 3 days ago",
        ),
        (
            replace(FINE, restarts=WorkerRestarts(3, NOW, "worker was ended by SIGKILL")),
            Severity.WARNING,
            "restarted 3 times in 24 hours: last just now, worker was ended by SIGKILL",
        ),
        (
            with_provider(state="no_token"),
            Severity.ALARM,
            "Apify isn't connected: 100 products are not checked.",
        ),
        (
            replace(FINE, storage=replace(FINE.storage, free_bytes=900_000_000)),
            Severity.WARNING,
            "almost full: 900.0 MB are free",
        ),
        (with_provider(state="no_token"), Severity.ALARM, "APIFY_TOKEN"),
        (with_provider(state="bad_token"), Severity.ALARM, "refuses the token"),
        (with_provider(state="no_credit"), Severity.ALARM, "Top it up"),
        (with_provider(state="unreachable"), Severity.WARNING, "Apify can't be reached"),
        (with_provider(state="refused"), Severity.ALARM, "Apify refused to start a run"),
        (with_provider(dollars_today=Decimal("4.999")), Severity.WARNING, "budget"),
        (
            with_provider(schedule=Schedule(9, 9, 0, 2, NOW)),
            Severity.WARNING,
            "for more than an hour",
        ),
        (
            with_provider(schedule=Schedule(9, 9, 0, 9, NOW, NOW - timedelta(seconds=45), 1)),
            Severity.WARNING,
            "1 run has had no answer of Apify for 45 s",
        ),
        (
            replace(FINE, jobs=Jobs(5, 0, None, NOW - timedelta(minutes=3))),
            Severity.WARNING,
            "answers slowly or not at all",
        ),
        (
            replace(FINE, checks=CheckCounts(100, 11)),
            Severity.WARNING,
            "11 of 100 checks in 24 hours failed",
        ),
        (
            replace(
                FINE,
                blocked=[BlockedSource("Germany", "user/actor", NOW - timedelta(hours=2), 14, 20)],
            ),
            Severity.WARNING,
            "Amazon blocks user/actor in Germany, noticed 2 h ago: 14 of 20 checks in one hour",
        ),
        (replace(FINE, jobs=Jobs(5, 1, "collect")), Severity.WARNING, "“collect”"),
        (
            replace(FINE, imports=Imports(1, 0, NOW - timedelta(minutes=3))),
            Severity.WARNING,
            "import is queued",
        ),
        (
            replace(FINE, storage=replace(FINE.storage, partitions_until=NOW.date())),
            Severity.ALARM,
            "makes room",
        ),
    ],
)
def test_problems_are_reported_with_what_to_do(
    health: Health, severity: Severity, words: str
) -> None:
    (concern,) = find_problems(health)
    assert concern.severity is severity
    assert words in concern.sentence


def test_a_missing_token_is_no_alarm_where_nothing_needs_it() -> None:
    demo_only = with_provider(state="no_token", schedule=Schedule(0, 0, 0, 0, None))
    assert [concern.severity for concern in find_problems(demo_only)] == [Severity.NOTE]


def test_a_few_failures_are_the_weather() -> None:
    assert find_problems(replace(FINE, checks=CheckCounts(9, 9))) == []
    assert find_problems(replace(FINE, checks=CheckCounts(100, 10))) == []


def test_the_worst_comes_first() -> None:
    both = replace(FINE, checks=CheckCounts(100, 90), worker_seen_at=None)
    assert [concern.severity for concern in find_problems(both)] == [
        Severity.ALARM,
        Severity.WARNING,
    ]


def test_what_a_silent_worker_leaves_waiting_is_not_blamed_on_the_limits() -> None:
    late = with_provider(schedule=Schedule(9, 9, 0, 9, NOW))
    (concern,) = find_problems(replace(late, worker_seen_at=None))
    assert "not started" in concern.sentence


def test_a_provider_that_costs_nothing_has_no_budget_to_use_up() -> None:
    free = replace(APIFY, dollars_per_product=Decimal(0), dollars_per_day=Decimal(0))
    assert not free.is_spent


# The worker's signs


def test_a_worker_that_never_ran_gives_no_sign(session: Session) -> None:
    assert find_last_worker_activity(session) is None
    assert not is_worker_alive(None, NOW)


def test_a_beat_is_a_sign_and_so_is_a_job(session: Session) -> None:
    record_heartbeat(session, NOW)
    assert find_last_heartbeat(session) == NOW
    assert find_last_worker_activity(session) == NOW
    run_id = begin_job(session, "import")
    later = NOW + timedelta(days=2)
    end_job(session, run_id, later, None, None)
    assert find_last_worker_activity(session) == later


def test_restarts_of_a_day_are_counted_with_the_last_reason(session: Session) -> None:
    assert count_restarts(session, NOW) == WorkerRestarts()
    for hours in (30, 5, 1):
        record_restart(session, NOW - timedelta(hours=hours), f"worker ended, {hours}")
    last = NOW - timedelta(hours=1)
    assert count_restarts(session, NOW) == WorkerRestarts(2, last, "worker ended, 1")
    for _ in range(150):
        record_restart(session, NOW, "again and again")
    assert count_restarts(session, NOW).count == 100, "the newest are kept"


def test_a_problem_has_a_title_and_a_detail() -> None:
    (problem,) = find_problems(with_provider(state="no_token"))
    assert problem.title == "Apify isn't connected"
    assert problem.detail.startswith("100 products are not checked. An administrator")
    assert problem.action is Action.CONNECT
    short = Problem(Severity.WARNING, "Something is wrong.")
    assert (short.title, short.detail) == ("Something is wrong", "")


# Figures


def make_run(session: Session, outcomes: dict[int, str | None], **values: object) -> FetchRun:
    usual = {
        "provider": "apify",
        "actor": "axesso",
        "marketplace": "DE",
        "input": {},
        "input_hash": b"",
        "state": "collected",
        "batch_size": len(outcomes),
        "intended_at": NOW - timedelta(hours=2),
        "cost_usd": Decimal("0.25"),
    }
    counts = count_outcomes(outcomes) if None not in outcomes.values() else {}
    run = FetchRun(**(usual | counts | values))
    session.add(run)
    session.flush()
    session.add_all(
        FetchItem(fetch_run_id=run.id, product_id=product, outcome=outcome, detail="why")
        for product, outcome in outcomes.items()
    )
    session.flush()
    return run


def count_outcomes(outcomes: dict[int, str | None]) -> dict[str, int]:
    """Return what a run counts when it ends."""
    ended = [Outcome(each or "") for each in outcomes.values()]
    answered, blocked = sum(each.is_about_product for each in ended), ended.count(Outcome.BLOCKED)
    return {
        "answered": answered,
        "blocked": blocked,
        "failed": len(ended) - answered - blocked,
    }


def follow_two(session: Session, principal: Principal) -> list[int]:
    wishes = [NewTracking("DE", "B0TEST0001"), NewTracking("DE", "B0TEST0002")]
    return [answer.product_id for answer in track(session, principal, wishes)]


def test_due_leased_and_overdue_products_are_counted_apart(
    session: Session, principal: Principal
) -> None:
    first, _ = follow_two(session, principal)
    session.execute(
        text("UPDATE fetch_schedule SET due_at = :at"), {"at": NOW - timedelta(hours=3)}
    )
    run = make_run(session, {first: None}, state="running")
    session.execute(
        text(
            "UPDATE fetch_schedule SET leased_until = :at, fetch_run_id = :run "
            "WHERE product_id = :id"
        ),
        {"at": NOW, "run": run.id, "id": first},
    )
    found = health_queries.read_schedule(session, "apify", NOW)
    assert (found.scheduled, found.due, found.leased, found.overdue) == (2, 1, 1, 1)
    assert found.next_due_at == NOW - timedelta(hours=3)
    assert health_queries.read_schedule(session, "demo", NOW) == Schedule(0, 0, 0, 0, None)


def test_a_start_that_is_not_confirmed_and_a_round_that_lasts_are_seen(
    session: Session, principal: Principal
) -> None:
    first, second = follow_two(session, principal)
    asked, now = NOW - timedelta(minutes=7), datetime.now(UTC)
    make_run(session, {first: None}, state="intended", intended_at=asked)
    make_run(session, {second: None}, state="running", intended_at=asked - timedelta(hours=1))
    assert health_queries.read_schedule(session, "apify", NOW).unanswered_since == asked
    assert health_queries.read_schedule(session, "demo", NOW).unanswered_since is None
    begin_job(session, "collect runs")
    assert health_queries.count_jobs(session, now).collecting_since is None, (
        "no worker collects a run"
    )
    session.execute(text("UPDATE fetch_run SET claimed_until = :at"), {"at": now + timedelta(1)})
    assert health_queries.count_jobs(session, now).collecting_since is not None


def test_cost_is_of_the_day_and_the_month_with_what_is_expected(
    session: Session, principal: Principal
) -> None:
    first, second = follow_two(session, principal)
    make_run(session, {first: "ok"}, intended_at=NOW)
    make_run(session, {second: None}, cost_usd=None, state="running", intended_at=NOW)
    found = health_queries.read_provider(session, "apify", LIMITS, None, NOW)
    assert found.dollars_today == Decimal("0.255")
    assert found.dollars_this_month == Decimal("0.255")
    make_run(session, {first: "ok"}, intended_at=NOW - timedelta(days=40))
    again = health_queries.read_provider(session, "apify", LIMITS, None, NOW)
    assert again.dollars_this_month == Decimal("0.255")


def test_a_cost_that_apify_has_not_reported_counts_alike_today_and_this_month(
    session: Session, principal: Principal
) -> None:
    first, second = follow_two(session, principal)
    make_run(session, {first: "ok", second: "ok"}, cost_usd=Decimal(0), intended_at=NOW)
    found = health_queries.read_provider(session, "apify", LIMITS, None, NOW)
    assert found.dollars_today == found.dollars_this_month == Decimal("0.010")


def test_a_provider_without_a_token_explains_how_to_set_one(session: Session) -> None:
    set_provider_state(session, "apify", "ok", None, NOW, None)
    found = health_queries.read_provider(session, "apify", LIMITS, "Set APIFY_TOKEN.", NOW)
    assert (found.state, found.detail) == ("no_token", "Set APIFY_TOKEN.")


def test_runs_show_what_was_stored_and_what_failed(session: Session, principal: Principal) -> None:
    first, second = follow_two(session, principal)
    run = make_run(session, {first: "unavailable", second: "blocked"})
    make_run(session, {first: "ok"}, intended_at=NOW - timedelta(days=2))
    (row,) = health_queries.list_fetch_runs(session, NOW)
    assert (row.id, row.products, row.stored, row.failed) == (run.id, 2, 1, 1)
    assert row.cost_usd == Decimal("0.25")


def test_failures_are_counted_by_outcome_and_lead_to_the_original_item(
    session: Session, principal: Principal
) -> None:
    first, second = follow_two(session, principal)
    run = make_run(session, {first: "blocked", second: "ok"}, intended_at=datetime.now(UTC))
    item = {"title": "<script>", "price": 0}
    session.execute(
        text("INSERT INTO raw_item VALUES (:run, :product, :at, 1, :body)"),
        {
            "run": run.id,
            "product": first,
            "at": datetime.now(UTC),
            "body": zstandard.compress(orjson.dumps(item)),
        },
    )
    now = datetime.now(UTC)
    assert sum_checks(count_by_hour(session, now)) == (2, 1)
    (reason,) = list_failure_reasons(session, now)
    assert (reason.outcome, reason.marketplace, reason.checks) == ("blocked", "DE", 1)
    (check,) = health_queries.list_failed_checks(session, "blocked", "DE", now)
    assert health_queries.list_failed_checks(session, "blocked", "US", now) == []
    assert (check.asin, check.detail, check.has_original) == ("B0TEST0001", "why", True)
    assert health_queries.find_raw_item(session, run.id, first) == item
    assert health_queries.find_raw_item(session, run.id, second) is None


def test_jobs_that_failed_come_first(session: Session) -> None:
    now = datetime.now(UTC)
    end_job(session, begin_job(session, "collect"), now, None, "OSError: gone")
    end_job(session, begin_job(session, "retention"), now, "0 days.", None)
    found = health_queries.list_job_runs(session, now)
    assert [row.state for row in found] == ["failed", "done"]
    assert health_queries.count_jobs(session, now) == Jobs(2, 1, "collect")


def test_there_is_room_ahead_after_upkeep(session: Session) -> None:
    now = datetime.now(UTC)
    found = health_queries.read_storage(session, now, None)
    assert found.partitions_until is not None
    assert found.partitions_until - now.date() > timedelta(days=60)
    assert found.raw_days_ahead >= 5  # midnight may have passed since they were made
    assert found.database_bytes > 0


# Unreadable fields


def unread(asin: str, at: datetime, text: str = "Pozycja ??") -> Observation:
    return make_price_observation(asin, at, ranks=(), unreadable={Seen.BSR: text})


def test_fields_that_could_not_be_read_are_counted_by_source_of_a_day_and_a_week(
    session: Session,
) -> None:
    store_observations(
        session,
        unread("B0TEST0001", NOW - timedelta(hours=2), "newest"),
        unread("B0TEST0002", NOW - timedelta(hours=3)),
        unread("B0TEST0001", NOW - timedelta(days=3)),
        unread("B0TEST0001", NOW - timedelta(days=9)),
        make_price_observation("B0TEST0001", NOW - timedelta(hours=1)),
        now=NOW,
    )
    (found,) = list_unreadable_fields(session, NOW)
    assert (found.source, found.field) == (Source.AXESSO, "bsr")
    assert (found.last_day, found.last_week, found.newest_text) == (2, 3, "newest")


def test_a_parser_that_often_does_not_understand_a_page_is_a_concern() -> None:
    field = UnreadableField(Source.AXESSO, "ratings_count", 10, 12, NOW, "PL", "1,2 tys.")
    (concern,) = find_problems(replace(FINE, unreadable=[field]))
    assert (concern.severity, "ratings count" in concern.sentence) == (Severity.WARNING, True)
    assert find_problems(replace(FINE, unreadable=[replace(field, last_day=9)])) == []


def test_what_amazon_blocks_is_known_until_it_ends(session: Session) -> None:
    began = {"actor": "user/actor", "blocked": 14, "checked": 20}
    session.add(SourceOutage(marketplace="DE", began_at=NOW, **began))
    session.add(SourceOutage(marketplace="US", began_at=NOW, ended_at=NOW, **began))
    session.flush()
    [blocked] = health_queries.list_blocked_sources(session)
    assert blocked == BlockedSource("Germany", "user/actor", NOW, 14, 20)
