"""Which products wait for advice, and asking the advisors about them. Never commits.

What waits is a row of `advice_due`: a killed worker loses nothing, since its claim ends
by itself. The same facts are not asked twice, by the unique key of `advice_call`.
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
LOOKED_AT_FOR = timedelta(days=7)
LEASE = timedelta(minutes=15)
PUT_OFF = timedelta(hours=1)  # a product whose advice failed


@dataclass(frozen=True, slots=True)
class DueProduct:
    """A claimed product. `asked_by` None: the daily round."""

    team_id: int
    product_id: int
    asked_by: int | None
    due_at: datetime


@dataclass(frozen=True, slots=True)
class AdviceRequest:
    """What an advisor is asked: the facts of one product, and for whom."""

    team_id: int
    asked_by: int | None
    facts: Facts


class AdviceSource(Protocol):
    """Whoever says what could be done about a product.

    It keeps its own `advice_call` and stores what it proposes. It is called with no
    transaction open, in several threads at once, and may wait for the outside world.
    """

    def answer(self, asked: AdviceRequest, now: datetime) -> int:
        """Return how many suggestions came of it; 0 also for facts that were asked before."""
        ...


# What waits


_DAILY = """
INSERT INTO advice_due (team_id, product_id, due_at)
SELECT DISTINCT t.team_id, t.product_id, CAST(:now AS timestamptz)
FROM tracking t JOIN product_latest l ON l.product_id = t.product_id
WHERE t.team_id = :team AND t.role = 'own' AND t.paused_at IS NULL AND l.captured_at IS NOT NULL
    AND (l.attention > 0 OR NOT EXISTS (
        SELECT 1 FROM advice_call c WHERE c.team_id = t.team_id
        AND c.product_id = t.product_id AND c.at > :looked_at))
ON CONFLICT DO NOTHING
"""


def plan_daily(session: Session, now: datetime) -> int:
    """Let the day's products of every team wait whose clock shows 08:00 or later.

    Those are its own products that moved, or were not looked at for a week. Returns how
    many; a team's day is planned once.
    """
    planned = 0
    for team_id, zone in session.execute(select(Team.id, Team.time_zone).order_by(Team.id)).all():
        local = now.astimezone(ZoneInfo(zone))
        if local.time() >= DAILY_AT and _begin_day(session, team_id, local):
            values = {"team": team_id, "now": now, "looked_at": now - LOOKED_AT_FOR}
            planned += session.execute(text(_DAILY), values).rowcount  # type: ignore[attr-defined]
    return planned


def _begin_day(session: Session, team_id: int, local: datetime) -> bool:
    """Note a team's day as planned; return whether this call did it."""
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
    """Ask about own products of the team now; return how many of them wait then."""
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
    """Claim products that wait, those that a person asked for first, for `LEASE`."""
    values = {"now": now, "until": now + LEASE, "limit": limit}
    found = session.execute(text(_CLAIM), values)
    return sorted(
        (DueProduct(*row) for row in found), key=lambda due: (due.team_id, due.product_id)
    )


def finish_due(session: Session, done: Sequence[DueProduct]) -> None:
    """Let products wait no longer, apart from those that were asked for again meanwhile."""
    for due in done:
        values = {"team": due.team_id, "product": due.product_id, "due_at": due.due_at}
        session.execute(text(_FINISH), values)
        session.execute(text(_ASKED_AGAIN), values)


_FINISH = """
DELETE FROM advice_due WHERE team_id = :team AND product_id = :product AND due_at = :due_at
"""
_ASKED_AGAIN = """
UPDATE advice_due SET leased_until = NULL
WHERE team_id = :team AND product_id = :product AND due_at > :due_at
"""


def postpone(session: Session, due: DueProduct, now: datetime) -> None:
    """Let a product whose advice failed wait for an hour."""
    session.execute(
        text(
            "UPDATE advice_due SET leased_until = :until "
            "WHERE team_id = :team AND product_id = :product"
        ),
        {"until": now + PUT_OFF, "team": due.team_id, "product": due.product_id},
    )


# Asking


def make_requests(
    session: Session, due: Sequence[DueProduct], now: datetime
) -> list[AdviceRequest]:
    """Return what to ask about claimed products; one without a look has no facts yet."""
    asked_by = {(each.team_id, each.product_id): each.asked_by for each in due}
    teams: dict[int, list[int]] = {}
    for each in due:
        teams.setdefault(each.team_id, []).append(each.product_id)
    return [
        AdviceRequest(team_id, asked_by[team_id, facts.product_id], facts)
        for team_id, product_ids in teams.items()
        for facts in gather_facts(session, team_id, product_ids, now)
    ]


def answer_by_rules(session: Session, asked: AdviceRequest, now: datetime) -> int:
    """Store what the rules say of a product; return how many suggestions are new.

    Facts that they were told before lead to nothing: the answer would be the same.
    """
    call_id = _begin_call(session, asked, now)
    if call_id is None:
        return 0
    advice = advise_by_rules(asked.facts)
    stored = sum(_store(session, asked, each, now) for each in advice)
    call = session.get_one(AdviceCall, call_id)
    call.state, call.suggestions = ("ok" if advice else "nothing"), stored
    session.flush()
    return stored


def _begin_call(session: Session, asked: AdviceRequest, now: datetime) -> int | None:
    """Note that the rules look at a product; None where they have seen the same facts."""
    new = postgresql.insert(AdviceCall).values(
        team_id=asked.team_id,
        product_id=asked.facts.product_id,
        advisor=Advisor.RULES.value,
        facts_hash=facts_hash(asked.facts),
        at=now,
        state="asking",
    )
    keys = ["team_id", "product_id", "advisor", "facts_hash"]
    noted = new.on_conflict_do_update(index_elements=keys, set_={"at": new.excluded.at})
    row = session.execute(noted.returning(AdviceCall.id, text("xmax = 0"))).one()
    return row[0] if row[1] else None


def _store(session: Session, asked: AdviceRequest, advice: Advice, now: datetime) -> bool:
    product_id = asked.facts.product_id
    by = Advisor.RULES
    known = store_advice(session, asked.team_id, product_id, advice, by, None, asked.asked_by, now)
    return known is not None
