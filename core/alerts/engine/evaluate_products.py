"""Evaluates the rules of products whose data changed. Never commits.

One transaction does all for some products: it reads what is new, folds it, and writes incidents,
memories and cursors. Killed before its commit it has done nothing; the cursors say what is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.alerts.engine.cursors import (
    NEVER,
    Cursor,
    MemoryKey,
    StoredMemory,
    lock_cursors,
    read_memories,
    take_corrections,
)
from core.alerts.engine.fold_changes import FoldChanges, list_found, make_plan
from core.alerts.engine.replays import replay_products
from core.alerts.engine.rule_starts import read_started
from core.alerts.engine.scopes import ScopedRule, find_scoped_rules
from core.alerts.evaluation.fold import evaluate, is_met
from core.alerts.evaluation.memory_json import load_memory
from core.alerts.evaluation.readings import (
    ProductReadings,
    find_newest,
    list_readings,
    load_known,
    read_products,
)
from core.alerts.evaluation.snapshot_values import Span, after
from core.alerts.rules.queries import read_active_rules
from core.alerts.rules.rule import Reference
from core.runtime import gc_pause


@dataclass(slots=True)
class EvaluationCount:
    """What an evaluation did."""

    products: int = 0
    opened: int = 0
    withdrawn: int = 0

    def add(self, other: "EvaluationCount") -> None:
        """Add another evaluation's counts."""
        self.products += other.products
        self.opened += other.opened
        self.withdrawn += other.withdrawn


def evaluate_products(
    session: Session, product_ids: Sequence[int], now: datetime
) -> EvaluationCount:
    """Evaluate what is new of these products, once; those another worker has are left to it."""
    with gc_pause.paused_gc():
        return _evaluate_products(session, product_ids, now)


def _evaluate_products(
    session: Session, product_ids: Sequence[int], now: datetime
) -> EvaluationCount:
    cursors = lock_cursors(session, product_ids)
    corrected = take_corrections(session, [each.product_id for each in cursors])
    rules = read_active_rules(session)
    scoped = find_scoped_rules(session, rules, [each.product_id for each in cursors])
    anew = {
        each.product_id: corrected.get(each.product_id)
        for each in cursors
        if each.evaluated_version == NEVER or each.product_id in corrected
    }
    count = EvaluationCount(len(cursors))
    replayed = replay_products(
        session, [(each, anew[each.product_id]) for each in cursors if each.product_id in anew],
        scoped, now,
    )  # fmt: skip
    count.opened, count.withdrawn = replayed.opened, replayed.withdrawn
    live = [each for each in cursors if each.product_id not in anew]
    started = read_started(session, rules)
    count.opened += _evaluate_new(session, live, started.select(rules, scoped), now)
    return count


def _evaluate_new(
    session: Session,
    cursors: Sequence[Cursor],
    scoped: Mapping[int, Sequence[ScopedRule]],
    now: datetime,
) -> int:
    """Fold what was observed since the products' cursors; return how many incidents opened."""
    if not cursors:
        return 0
    plan = make_plan(scoped)
    spans = [
        Span(each.product_id, after(each.observed_until), each.captured_at) for each in cursors
    ]
    known = {each.product_id: each.load_known() for each in cursors}
    readings = read_products(session, spans, plan, known)
    memories = read_memories(session, known)
    changes = FoldChanges()
    for cursor in cursors:
        of_product = readings[cursor.product_id]
        for one in scoped.get(cursor.product_id, ()):
            _fold_rule(changes, cursor, one, of_product, memories)
        newest = find_newest(of_product, plan.keys)
        rules = scoped.get(cursor.product_id, ())
        changes.note_values(cursor, rules, of_product.known, newest)
    return changes.write(session, now)


def _fold_rule(
    changes: FoldChanges,
    cursor: Cursor,
    scoped: ScopedRule,
    readings: ProductReadings,
    memories: Mapping[MemoryKey, tuple[int, StoredMemory]],
) -> None:
    """Fold one rule over one product's new readings, and note what that changes."""
    before = memories.get((scoped.stored.rule_id, cursor.product_id))
    stored = None if before is None or before[0] != scoped.stored.version else before[1]
    if before is None and _stays_quiet(scoped, readings):
        return
    memory = load_memory(scoped.rule, stored, load_known(readings.known, scoped.series))
    found = evaluate(scoped.rule, list_readings(readings.observed, scoped.series), memory)
    changes.incidents += list_found(cursor, scoped, found, readings.observed)
    changes.note_memory(scoped, cursor.product_id, found.memory, before)


def _stays_quiet(scoped: ScopedRule, readings: ProductReadings) -> bool:
    """Return whether a rule of which nothing is kept certainly begins nothing.

    That is so of most products, and costs a tenth of the fold.
    """
    if len(scoped.series) > 1:
        return False
    [series], [condition] = scoped.series, scoped.rule.conditions
    if series.days or condition.reference is not Reference.PREVIOUS:
        return False
    last = readings.known.get(series.key)
    for each in readings.observed:
        measured = each.values.get(series.key)
        if measured is None:
            continue
        if last is None or last[2] != measured.scope or is_met(condition, last[0], measured):
            return False
        last = (measured.value, None, measured.scope)
    return True
