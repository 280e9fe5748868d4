"""Evaluates products' past again: of a new product, of a rule that begins, after a correction.

A replay begins 30 days before the first value that changed, so that the fold knows what was usual
and pending then. Incidents of that time that no longer follow are withdrawn. Never commits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from core.alerts.engine.cursors import (
    Cursor,
    StoredMemory,
    read_memories,
)
from core.alerts.engine.fold_changes import FoldChanges, list_found, make_plan
from core.alerts.engine.incident_rows import (
    KnownIncident,
    read_incidents,
    resolve_incidents,
    withdraw_incidents,
)
from core.alerts.engine.scopes import ScopedRule
from core.alerts.evaluation.fold import (
    Evaluation,
    IncidentState,
    Measured,
    Memory,
    evaluate,
    make_memory,
)
from core.alerts.evaluation.memory_json import load_memory
from core.alerts.evaluation.readings import (
    Known,
    ProductReadings,
    find_newest,
    list_readings,
    load_known,
    read_products_anew,
)
from core.alerts.evaluation.snapshot_values import Span, floor_second

WARM_UP: Final = timedelta(days=30)
LONGEST: Final = timedelta(days=400)  # what was corrected longer ago changes nothing here


@dataclass(slots=True)
class ReplayCount:
    """How many incidents a replay opened and withdrew."""

    opened: int = 0
    withdrawn: int = 0


@dataclass(frozen=True, slots=True)
class _Replay:
    """A product's past to evaluate again, from `start` on."""

    cursor: Cursor
    start: datetime
    since: datetime  # nothing before it changed
    until: datetime


def replay_products(
    session: Session,
    cursors: Sequence[tuple[Cursor, datetime | None]],
    scoped: Mapping[int, Sequence[ScopedRule]],
    now: datetime,
) -> ReplayCount:
    """Evaluate all rules of products again, and write their cursors.

    Beside each cursor, since when values changed; None: the product was never evaluated.
    """
    replays = []
    for cursor, since in cursors:
        newest = min(now, cursor.captured_at)
        begins = newest - WARM_UP if since is None else max(since, newest - LONGEST)
        # An incident opens in the whole second of what it rests on.
        begins = floor_second(begins)
        start = begins if since is None else begins - WARM_UP
        # Price limits may have changed after the newest observation.
        until = max(cursor.captured_at, cursor.observed_until, begins)
        replays.append(_Replay(cursor, start, begins, until))
    plan = make_plan(scoped)
    changes = FoldChanges()
    count, readings = _replay(session, replays, scoped, changes, now)
    for each in replays:
        product_id = each.cursor.product_id
        known = find_newest(readings[product_id], plan.keys)
        before = each.cursor.load_known()
        each.cursor.observed_until = each.until
        changes.note_values(each.cursor, scoped.get(product_id, ()), before, known)
    count.opened = changes.write(session, now)
    return count


def replay_rule(
    session: Session,
    cursors: Sequence[Cursor],
    scoped: Mapping[int, Sequence[ScopedRule]],
    now: datetime,
) -> int:
    """Evaluate a rule for the last 30 days of products, up to where the others are.

    `scoped`: the one rule, by product. Returns how many incidents opened.
    """
    replays = [
        _Replay(each, start, start, each.observed_until)
        for each in cursors
        for start in [floor_second(min(now, each.captured_at) - WARM_UP)]
    ]
    changes = FoldChanges()
    _, readings = _replay(session, replays, scoped, changes, now)
    plan = make_plan(scoped)
    for each in replays:
        cursor = each.cursor
        newest = find_newest(readings[cursor.product_id], plan.keys)
        cursor.data_version, cursor.captured_at = cursor.evaluated_version, cursor.observed_until
        before = cursor.load_known()
        rules = scoped.get(cursor.product_id, ())
        changes.note_values(cursor, rules, before, {**before, **newest})
    return changes.write(session, now)


def _replay(
    session: Session,
    replays: Sequence[_Replay],
    scoped: Mapping[int, Sequence[ScopedRule]],
    changes: FoldChanges,
    now: datetime,
) -> tuple[ReplayCount, Mapping[int, ProductReadings]]:
    """Fold the rules over products' past and note what that changes; end what no longer follows."""
    count = ReplayCount()
    if not replays:
        return count, {}
    spans = [Span(each.cursor.product_id, each.start, each.until) for each in replays]
    readings = read_products_anew(session, spans, make_plan(scoped))
    horizon = [(each.product_id, each.since - WARM_UP) for each in spans]
    incidents = read_incidents(session, horizon)
    memories = read_memories(session, [each.product_id for each in spans])
    outdated, withdrawn = list[int](), list[int]()
    for each in replays:
        product_id = each.cursor.product_id
        of_product = readings[product_id]
        for one in scoped.get(product_id, ()):
            key = one.stored.rule_id, product_id
            known = incidents.get(key, [])
            memory = _make_memory(one, each.start, of_product.known, known, memories.get(key))
            series = one.series
            found = evaluate(one.rule, list_readings(of_product.observed, series), memory)
            stored = {incident.opened_at for incident in known}
            changes.incidents += list_found(each.cursor, one, found, of_product.observed, stored)
            changes.note_memory(one, product_id, found.memory, memories.get(key))
            first = of_product.observed[0].at if of_product.observed else None
            for unfounded in _list_unfounded(each, known, found, one.stored.version, first):
                if unfounded.rule_version == one.stored.version:
                    withdrawn.append(unfounded.incident_id)
                elif unfounded.state.is_open:
                    outdated.append(unfounded.incident_id)
    withdraw_incidents(session, withdrawn, now)
    resolve_incidents(session, outdated, now)
    count.withdrawn = len(withdrawn)
    return count, readings


def _make_memory(
    scoped: ScopedRule,
    start: datetime,
    known: Known,
    incidents: Sequence[KnownIncident],
    stored: tuple[int, StoredMemory] | None,
) -> Memory:
    """Return the memory at a replay's start, from the values and the incidents before it."""
    rule = scoped.rule
    memory = make_memory(rule, load_known(known, scoped.series))
    before = [
        each
        for each in incidents
        if each.opened_at < start
        and each.state is not IncidentState.WITHDRAWN
        and each.rule_version == scoped.stored.version
    ]
    memory.openings = tuple(each.opened_at for each in before)[-rule.timing.flap_openings :]
    _restore_notified(memory, scoped, start, before, stored)
    lasting = [each for each in before if each.ended_at is None or each.ended_at >= start]
    if lasting:
        incident = lasting[-1].incident
        is_flapping = incident.state is IncidentState.FLAPPING or not rule.lasts
        memory.open = type(incident)(
            incident.opened_at,
            incident.findings,
            IncidentState.FLAPPING if is_flapping else IncidentState.FIRING,
        )
        memory.held = [each is not None for each in incident.findings]
        memory.holds, memory.toggled_at = True, incident.opened_at
    return memory


def _restore_notified(
    memory: Memory,
    scoped: ScopedRule,
    start: datetime,
    before: Sequence[KnownIncident],
    stored: tuple[int, StoredMemory] | None,
) -> None:
    """Set what the newest incident before the start was about, where that is known."""
    if before:
        for place, finding in enumerate(before[-1].incident.findings):
            last = memory.last[place]
            if finding is not None:
                scope = None if last is None else last.scope
                memory.notified[place] = Measured(finding.value, finding.at, scope)
    elif stored is not None and stored[0] == scoped.stored.version:
        kept = load_memory(scoped.rule, stored[1], memory.last).notified
        for place, measured in enumerate(kept):
            if measured is not None and measured.at < start:
                memory.notified[place] = measured


def _list_unfounded(
    replay: _Replay,
    known: Sequence[KnownIncident],
    found: Evaluation,
    version: int,
    first: datetime | None,
) -> list[KnownIncident]:
    """Return the stored incidents of the time that the fold no longer gives.

    `version`: of the rule. `first`: the first observation of the time that is still stored; None:
    none is. What opened before it rests on snapshots that retention deleted, and stays.
    """
    still_open = found.memory.open
    return [
        each
        for each in known
        if each.state is not IncidentState.WITHDRAWN
        and each.opened_at not in found.incidents
        and (each.state.is_open or each.opened_at >= replay.since)
        and each.opened_at <= replay.until
        and (each.rule_version != version or (first is not None and each.opened_at >= first))
        and not (still_open is not None and still_open.opened_at == each.opened_at)
    ]
