"""Alert rules: new observations of many products evaluated, and previews on history."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import text

from benchmarks.figures import Figure, milliseconds, seconds_of
from benchmarks.lease import list_size
from benchmarks.rows import build_history, build_list, vacuum
from benchmarks.servers import Server
from core.accounts.people.membership import get_owner_principal
from core.alerts.evaluation.preview import preview_rule
from core.alerts.evaluation.readings import read_rule_readings
from core.alerts.rules.builtin import make_threshold_rule
from core.alerts.rules.rule import (
    NOT_FOR_SALE,
    AlertRule,
    Comparison,
    Condition,
    RuleScope,
    ScopeKind,
    Subject,
)
from core.alerts.rules.rule_json import dump_rule
from core.database.session import read_scope, write_scope
from core.history.ingest.store import ensure_partitions

TARGET_SECONDS = 10.0
TARGET_MB = 300.0
TARGET_PREVIEW_MS = 100.0
TARGET_MANY_SECONDS = 2.0
PREVIEWED = 1000  # products of one preview
_PRICE = make_threshold_rule("price_change", 10)
_RULES = (
    _PRICE,
    make_threshold_rule("rank_change", 30),
    AlertRule(
        (Condition(Subject.AVAILABILITY, Comparison.IS, states=NOT_FOR_SALE),),
        scope=RuleScope(ScopeKind.TRACKED),
    ),
)


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the seconds and memory of an evaluation, then the times of previews."""
    products = list_size(quick)
    with server.database("alerts", lambda: _build(products)):
        answer = json.loads(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.alerts"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
    name = f"Alerts: new observations of {products:,} products, three rules each"
    notes = {"opened": answer["opened"]}
    yield Figure(name, answer["seconds"], "s", target=TARGET_SECONDS, notes=notes)
    yield Figure("… the worker's own processor time", answer["processor"], "s")
    yield Figure("… memory at most", answer["megabytes"], "MB", target=TARGET_MB)
    with server.shared("preview", lambda: _build_previews(quick)):
        yield from _preview_year(20 if quick else 60)
        yield _preview_many()


def _build(products: int) -> None:
    """Fill a list whose products have one observation that was not evaluated."""
    build_list(products)
    now = datetime.now(UTC)
    with write_scope() as session:
        ensure_partitions(session, [now - timedelta(days=2), now])
        session.execute(text("UPDATE alert_rule SET is_on = false"))
        team = get_owner_principal(session).team_id
        for rule in _RULES:
            session.execute(
                text(
                    "INSERT INTO alert_rule (team_id, definition, active_from, started_at) "
                    "VALUES (:team, CAST(:rule AS jsonb), :at, :at)"
                ),
                {"team": team, "rule": json.dumps(dump_rule(rule)), "at": now - timedelta(days=9)},
            )
        for statement in (_OBSERVED, _EVALUATED, _NEWEST):
            session.execute(text(statement), {"now": now})
    vacuum("snapshot, product_latest, alert_cursor, tracking")


# A price in ten changes, and one in twenty by more than the rule's threshold; every rank moves.
_OBSERVED = """
INSERT INTO snapshot (product_id, captured_at, source, kind, seen, flags, outcome, currency,
    price, price_basis, bsr, bsr_category_id, rating, ratings_count, availability, buy_box_seller)
SELECT product_id, CAST(:now AS timestamptz) - interval '1 hour', 1, 0, 59911, 0, 'ok', 'USD',
    CASE WHEN product_id % 20 = 1 THEN price * 8 / 10 WHEN product_id % 20 = 2 THEN price + 10
        ELSE price END, 1, bsr * (80 + product_id % 40) / 100 + 1, bsr_category_id, rating,
    ratings_count, CASE WHEN product_id % 100 = 3 THEN 7 ELSE availability END, 'Bench Trading'
FROM product_latest
"""
_EVALUATED = """
INSERT INTO alert_cursor (product_id, data_version, observed_until, known)
SELECT product_id, data_version, CAST(:now AS timestamptz) - interval '1 day', jsonb_strip_nulls(
    jsonb_build_object(
        'price', CASE WHEN price IS NOT NULL THEN jsonb_build_array(price, at, NULL) END,
        'rank', CASE WHEN bsr IS NOT NULL THEN jsonb_build_array(bsr, at, bsr_category_id) END,
        'availability', jsonb_build_array(availability, at, NULL)))
FROM product_latest CROSS JOIN LATERAL (SELECT (extract(epoch FROM
    CAST(:now AS timestamptz) - interval '1 day') * 1000000)::bigint AS at) AS times
"""
_NEWEST = """
UPDATE product_latest SET data_version = data_version + 1,
    captured_at = CAST(:now AS timestamptz) - interval '1 hour'
"""


def evaluate() -> None:
    """Evaluate all that is new, and print how long that took and the memory at most."""
    from jobs.tasks.evaluate_alerts import evaluate_all

    began, busy = time.perf_counter(), time.process_time()
    count = evaluate_all()
    answer = {
        "seconds": time.perf_counter() - began,
        "processor": time.process_time() - busy,
        "megabytes": _find_most_memory(),
        "opened": count.opened,
    }
    print(json.dumps(answer))


def _find_most_memory() -> float:
    """Return the most memory that this process held, in megabytes.

    `getrusage` counts what its parent held before the process began.
    """
    status = Path("/proc/self/status").read_text()
    [line] = [each for each in status.splitlines() if each.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


# Previews


def _build_previews(quick: bool) -> None:
    """Fill a year of hours of a few products; of these and others, the last is of 90 days."""
    build_history(20 if quick else 100)
    with write_scope() as session:
        session.execute(text(_FURTHER), {"count": PREVIEWED})
        session.execute(text(_DAILY))
    vacuum("snapshot, product")


_FURTHER = """
INSERT INTO product (marketplace, asin)
SELECT 'US', 'B0PV' || lpad(n::text, 6, '0') FROM generate_series(1, CAST(:count AS int)) AS n
"""
_DAILY = """
INSERT INTO snapshot (product_id, captured_at, source, kind, seen, flags, outcome, currency,
    price, price_basis, bsr, bsr_category_id, availability)
SELECT p.id, at, 1, 0, 59911, 0, 'ok', 'USD', 1500 + p.id * 37 % 3000 + 300 * (p.id * d / 7 % 4),
    1, 1000 + (d * 131 + p.id) % 900, 1, 1
FROM product AS p CROSS JOIN generate_series(0, 89) AS d
CROSS JOIN LATERAL (SELECT date_trunc('hour', now()) - d * interval '1 day' AS at) AS times
WHERE p.asin LIKE 'B0PV%'
"""


def _preview_year(products: int) -> Iterator[Figure]:
    now = datetime.now(UTC)
    with read_scope() as session:
        ids = list(
            session.scalars(
                text("SELECT id FROM product WHERE asin LIKE 'B0HI%' ORDER BY id LIMIT :count"),
                {"count": products},
            )
        )
    for rule, what in zip(_RULES[:2], ("price", "rank"), strict=True):
        seconds = [seconds_of(partial(_preview, rule, [each], now, 365)) for each in ids]
        value, best = milliseconds(seconds)
        yield Figure(
            f"Preview of one rule on the {what}: a product-year of hours",
            value,
            "ms",
            best=best,
            target=TARGET_PREVIEW_MS,
        )


def _preview_many() -> Figure:
    now = datetime.now(UTC)
    with read_scope() as session:
        ids = list(session.scalars(text("SELECT id FROM product WHERE asin LIKE 'B0PV%'")))
    found = [seconds_of(lambda: _preview(_PRICE, ids, now, 90)) for _ in range(5)]
    return Figure(
        f"Preview of one rule: {PREVIEWED:,} products × 90 days",
        sorted(found)[2],
        "s",
        best=min(found),
        target=TARGET_MANY_SECONDS,
    )


def _preview(rule: AlertRule, product_ids: list[int], now: datetime, days: int) -> int:
    since = now - timedelta(days=days)
    with read_scope() as session:
        readings = read_rule_readings(session, rule, 1, product_ids, since, now)
    return sum(len(preview_rule(rule, each, since, now).incidents) for each in readings.values())


if __name__ == "__main__":
    evaluate()
