"""What the fold of some products changes: incidents, memories, cursors. Never commits."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from core.alerts.engine.cursors import (
    Cursor,
    MemoryKey,
    StoredMemory,
    write_cursors,
    write_memories,
)
from core.alerts.engine.incident_groups import group_incidents
from core.alerts.engine.incident_rows import FoundIncident, insert_incidents, update_stored
from core.alerts.engine.inhibition import find_mutes, update_removal_mutes
from core.alerts.engine.scopes import ScopedRule
from core.alerts.evaluation.fold import Evaluation, Memory
from core.alerts.evaluation.memory_json import dump_memory, is_quiet
from core.alerts.evaluation.readings import Known
from core.alerts.evaluation.series import ReadingPlan
from core.alerts.evaluation.snapshot_values import Observed
from core.alerts.rules.rule import REMOVED, AlertRule, Subject

_AVAILABILITY: Final = Subject.AVAILABILITY.value


@dataclass(slots=True)
class FoldChanges:
    """What the fold of some products changed."""

    incidents: list[FoundIncident] = field(default_factory=list)
    memories: dict[MemoryKey, tuple[int, StoredMemory] | None] = field(default_factory=dict)
    cursors: list[tuple[Cursor, Known]] = field(default_factory=list)
    # By product whose listing is or was removed: its rules.
    removals: dict[int, list[tuple[int, AlertRule]]] = field(default_factory=dict)

    def note_values(
        self, cursor: Cursor, scoped: Sequence[ScopedRule], before: Known, newest: Known
    ) -> None:
        """Note a product's newest values, and whether its listing was removed or restored."""
        self.cursors.append((cursor, newest))
        states = [each[0] for known in (before, newest) if (each := known.get(_AVAILABILITY))]
        if any(each in REMOVED for each in states):
            self.removals[cursor.product_id] = [(one.stored.rule_id, one.rule) for one in scoped]

    def note_memory(
        self,
        scoped: ScopedRule,
        product_id: int,
        memory: Memory,
        before: tuple[int, StoredMemory] | None,
    ) -> None:
        """Note what to store of a memory, if that is not what is stored."""
        kept = None
        if not is_quiet(scoped.rule, memory):
            kept = scoped.stored.version, dump_memory(memory)
        if kept != before:
            self.memories[scoped.stored.rule_id, product_id] = kept

    def write(self, session: Session, now: datetime) -> int:
        """Write the changes; return how many incidents are new."""
        new = update_stored(session, self.incidents, now)
        if new:
            mutes = find_mutes(session, new)
            insert_incidents(session, new, group_incidents(session, new), mutes, now)
        update_removal_mutes(session, self.removals)
        write_memories(session, self.memories)
        write_cursors(session, self.cursors)
        return len(new)


def make_plan(scoped: Mapping[int, Sequence[ScopedRule]]) -> ReadingPlan:
    """Return what to read for the rules of some products."""
    alike = {id(rules): rules for rules in scoped.values()}
    every = [one for rules in alike.values() for one in rules]
    edits_since: dict[int, datetime] = {}
    for one in every:
        if Subject.LISTING_EDIT in one.rule.subjects:
            known = edits_since.get(one.stored.team_id, one.stored.active_from)
            edits_since[one.stored.team_id] = min(known, one.stored.active_from)
    return ReadingPlan((each for one in every for each in one.series), edits_since)


def list_found(
    cursor: Cursor,
    scoped: ScopedRule,
    found: Evaluation,
    observed: Sequence[Observed],
    stored: Container[datetime] | None = None,
) -> list[FoundIncident]:
    """Return a product's incidents that the fold changed, with where they come from.

    `stored`: the openings of the stored ones; None: those until the cursor.
    """
    if not found.incidents:
        return []
    origins = {each.at: each for each in observed}
    made = []
    for incident in found.incidents.values():
        origin = origins.get(incident.opened_at)
        made.append(
            FoundIncident(
                scoped,
                cursor.product_id,
                cursor.marketplace,
                incident,
                cursor.data_version,
                None if origin is None else origin.fetch_run_id,
                origin is not None and origin.is_imported,
                incident.opened_at <= cursor.observed_until
                if stored is None
                else incident.opened_at in stored,
            )
        )
    return made
