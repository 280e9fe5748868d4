"""Queues products for advice and asks the rules about them. Never commits.

The queue is the table `advice_due`. A killed worker loses nothing, since its claim expires.
The unique key of `advice_call` keeps an advisor from being asked twice about the same facts.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import Team
from core.suggestions.advisors.rule_advisor import advise_by_rules
from core.suggestions.evidence.collect import gather_facts
from core.suggestions.fingerprints import facts_hash
from core.suggestions.models import AdviceCall, AdviceDue, SuggestionSettings
from core.suggestions.proposals.store import store_advice
from core.suggestions.rules import Advice, Advisor, Facts
from core.tracking.models import Tracking
from core.tracking.rules import Role

DAILY_AT = time(8)  # by the team's clock
LONGEST_WITHOUT_ADVICE = timedelta(days=7)
LEASE = timedelta(minutes=15)
RETRY_AFTER = timedelta(hours=1)  # for a product whose advice failed


@dataclass(frozen=True, slots=True)
class DueProduct:
    """A claimed product. `requested_by` None: the daily round."""

    team_id: int
    product_id: int
    requested_by: int | None
    due_at: datetime


@dataclass(frozen=True, slots=True)
class AdviceRequest:
    """A request for advice on the facts of one product. `requested_by` None: the daily round."""

    team_id: int
    requested_by: int | None
    facts: Facts


class AdviceSource(Protocol):
    """An advisor that proposes changes of a product.

    It keeps its own `advice_call` and stores what it proposes. It is called with no
    transaction open, in several threads at once, and may wait for an outside service.
    """

    def answer(self, request: AdviceRequest, now: datetime) -> int:
        """Return the number of new suggestions; 0 also for facts that were asked about before."""
        ...


# The queue


_DAILY = """
INSERT INTO advice_due (team_id, product_id, due_at)
SELECT DISTINCT t.team_id, t.product_id, CAST(:now AS timestamptz)
FROM tracking t JOIN product_latest l ON l.product_id = t.product_id
JOIN product_change c ON c.product_id = t.product_id
WHERE t.team_id = :team AND t.role = 'own' AND t.paused_at IS NULL AND l.captured_at IS NOT NULL
    AND (c.changed_on >= CAST(:changed_since AS date) OR NOT EXISTS (
        SELECT 1 FROM advice_call a WHERE a.team_id = t.team_id
        AND a.product_id = t.product_id AND a.at > :advised_since))
ON CONFLICT DO NOTHING
"""


def plan_daily(session: Session, now: datetime) -> int:
    """Queue the day's products of every team for which it is 08:00 or later; return how many.

    These are own products that have changes, and those that no advisor was asked about for a
    week. A team's day is planned once.
    """
    planned = 0
    for team_id, zone in session.execute(select(Team.id, Team.time_zone).order_by(Team.id)).all():
        local = now.astimezone(ZoneInfo(zone))
        if local.time() >= DAILY_AT and _begin_day(session, team_id, local):
            values = {
                "team": team_id,
                "now": now,
                # Changes found yesterday after the last planning count, too.
                "changed_since": local.date() - timedelta(days=1),
                "advised_since": now - LONGEST_WITHOUT_ADVICE,
            }
            planned += session.execute(text(_DAILY), values).rowcount  # type: ignore[attr-defined]
    return planned


def _begin_day(session: Session, team_id: int, local: datetime) -> bool:
    """Mark a team's day as planned; return whether this call did it."""
    new = postgresql.insert(SuggestionSettings).values(team_id=team_id, advised_on=local.date())
    noted = new.on_conflict_do_update(
        index_elements=["team_id"],
        set_={"advised_on": new.excluded.advised_on},
        where=func.coalesce(SuggestionSettings.advised_on, date.min) < new.excluded.advised_on,
    )
    return session.scalar(noted.returning(SuggestionSettings.team_id)) is not None


@requires(Permission.TRACK)
def request_advice(
    session: Session, principal: Principal, product_ids: Collection[int], now: datetime
) -> int:
    """Queue the team's own ones of these products for advice now; return how many they are."""
    own = session.scalars(
        select(Tracking.product_id)
        .where(
            Tracking.team_id == principal.team_id,
            Tracking.product_id.in_(product_ids),
            Tracking.role == Role.OWN.value,
        )
        .distinct()
        .order_by(Tracking.product_id)
    ).all()
    if own:
        new = postgresql.insert(AdviceDue).values(
            [
                {
                    "team_id": principal.team_id,
                    "product_id": product_id,
                    "due_at": now,
                    "asked_by": principal.person_id,
                }
                for product_id in own
            ]
        )
        again = {"due_at": new.excluded.due_at, "asked_by": new.excluded.asked_by}
        keys = ["team_id", "product_id"]
        session.execute(new.on_conflict_do_update(index_elements=keys, set_=again))
    return len(own)


_CLAIM = """
UPDATE advice_due AS d SET leased_until = :until
FROM (SELECT team_id, product_id FROM advice_due
      WHERE (leased_until IS NULL OR leased_until <= :now) AND due_at <= :now
      ORDER BY asked_by IS NULL, due_at, product_id LIMIT :limit FOR UPDATE SKIP LOCKED) AS c
WHERE d.team_id = c.team_id AND d.product_id = c.product_id
RETURNING d.team_id, d.product_id, d.asked_by, d.due_at
"""


def claim_due(session: Session, now: datetime, limit: int) -> list[DueProduct]:
    """Claim due products for `LEASE`, those that a user requested first."""
    values = {"now": now, "until": now + LEASE, "limit": limit}
    found = session.execute(text(_CLAIM), values)
    return sorted(
        (DueProduct(*row) for row in found), key=lambda due: (due.team_id, due.product_id)
    )


def finish_due(session: Session, done: Sequence[DueProduct]) -> None:
    """Remove products from the queue, except those requested again in the meantime."""
    for due in done:
        values = {"team": due.team_id, "product": due.product_id, "due_at": due.due_at}
        session.execute(text(_FINISH), values)
        session.execute(text(_REQUESTED_AGAIN), values)


_FINISH = """
DELETE FROM advice_due WHERE team_id = :team AND product_id = :product AND due_at = :due_at
"""
_REQUESTED_AGAIN = """
UPDATE advice_due SET leased_until = NULL
WHERE team_id = :team AND product_id = :product AND due_at > :due_at
"""


def postpone(session: Session, due: DueProduct, now: datetime) -> None:
    """Keep a product whose advice failed in the queue, to be claimed `RETRY_AFTER` later."""
    session.execute(
        text(
            "UPDATE advice_due SET leased_until = :until "
            "WHERE team_id = :team AND product_id = :product"
        ),
        {"until": now + RETRY_AFTER, "team": due.team_id, "product": due.product_id},
    )


# Asking


def make_requests(
    session: Session, due: Sequence[DueProduct], now: datetime
) -> list[AdviceRequest]:
    """Return the advice requests of claimed products that the team tracks, with their facts."""
    requested_by = {(each.team_id, each.product_id): each.requested_by for each in due}
    teams: dict[int, list[int]] = {}
    for each in due:
        teams.setdefault(each.team_id, []).append(each.product_id)
    return [
        AdviceRequest(team_id, requested_by[team_id, facts.product_id], facts)
        for team_id, product_ids in teams.items()
        for facts in gather_facts(session, team_id, product_ids, now)
    ]


def answer_by_rules(session: Session, request: AdviceRequest, now: datetime) -> int:
    """Store the rules' advice on a product; return the number of new suggestions.

    0 for facts that the rules were asked about before: the answer would be the same.
    """
    call_id = _begin_call(session, request, now)
    if call_id is None:
        return 0
    advice = advise_by_rules(request.facts)
    stored = sum(_store(session, request, each, now) for each in advice)
    call = session.get_one(AdviceCall, call_id)
    call.state, call.suggestions = ("ok" if advice else "nothing"), stored
    session.flush()
    return stored


def _begin_call(session: Session, request: AdviceRequest, now: datetime) -> int | None:
    """Record a call of the rules and return its id; None if they had the same facts before."""
    new = postgresql.insert(AdviceCall).values(
        team_id=request.team_id,
        product_id=request.facts.product_id,
        advisor=Advisor.RULES.value,
        facts_hash=facts_hash(request.facts),
        at=now,
        state="asking",
    )
    keys = ["team_id", "product_id", "advisor", "facts_hash"]
    noted = new.on_conflict_do_update(index_elements=keys, set_={"at": new.excluded.at})
    row = session.execute(noted.returning(AdviceCall.id, text("xmax = 0"))).one()
    return row[0] if row[1] else None


def _store(session: Session, request: AdviceRequest, advice: Advice, now: datetime) -> bool:
    product_id = request.facts.product_id
    by = Advisor.RULES
    known = store_advice(
        session, request.team_id, product_id, advice, by, None, request.requested_by, now
    )
    return known is not None
