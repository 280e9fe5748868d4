"""No sequence of calls by any caller reaches `applied` without a manager's approval.

Hypothesis calls the operations and rounds in any order, on a real database with committed
transactions.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role, Scope, Via
from core.accounts.people.membership import get_owner_principal, get_principal
from core.database.session import read_scope, write_scope
from core.errors import AmazcopeError
from core.suggestions import lifecycle as steps
from core.suggestions.execution import apply as applying
from core.suggestions.models import SuggestionAction
from core.suggestions.proposals import store
from core.suggestions.proposals.add_action import add_action
from core.suggestions.proposals.draft import Draft, DraftAction
from core.suggestions.proposals.propose import propose
from core.suggestions.review import service
from core.suggestions.rules import (
    TRANSITIONS,
    ActionState,
    Advisor,
    Change,
    Direction,
    Metric,
)
from core.tracking.price_caps.rules import PriceCaps
from core.tracking.price_caps.service import set_price_cap
from tests.factories.observations import NOON
from tests.factories.people import add_member, add_stranger
from tests.factories.products import make_listing
from tests.factories.suggestions import (
    advice,
    new_cadence,
    new_price,
    new_title,
    own_lamp,
    show,
    verify_waiting,
)
from tests.factories.tables import fetch_rows
from tests.hypothesis_runs import examples

REVIEWERS = (Role.MANAGER, Role.ADMIN)
PAST_APPROVAL = ("approved", "applied", "verified", "unseen", "undone", "failed")
DRAFTS = {
    "price": DraftAction(Change.UPDATE_PRICE, "It sells better.", amount=Decimal("19.00")),
    "title": DraftAction(Change.UPDATE_TITLE, "It is read to its end.", text="Reading lamp"),
    "cadence": DraftAction(Change.SET_CADENCE, "It moves within the day.", text="hourly"),
    "coupon": DraftAction(Change.SET_COUPON, "Buyers like it.", percent=5),
}
CHANGES = {"price": new_price, "title": new_title, "cadence": new_cadence}
EDITS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"price": 1950},
    {"price": 1},
    {"title": "Desk lamp"},
    {"cadence": "6h"},
    {},
)
PROGRAMS: tuple[dict[str, Any], ...] = (
    {"via": Via.TOOL},
    {"via": Via.JOB},
    {"via": Via.COMMAND},
    {"scopes": frozenset(Scope)},
)


TOKENS: tuple[dict[str, Any], ...] = tuple(
    {"via": Via.TOOL, "scopes": frozenset(some)}
    for size in range(4)
    for some in combinations(Scope, size)
)


class RandomCalls(RuleBasedStateMachine):
    """Random calls by each role of a team, by a stranger, and by their programs."""

    reached: ClassVar[set[str]] = set()

    @initialize()
    def begin(self) -> None:
        with write_scope() as session:
            for table in ("suggestion", "tracking", "suggestion_settings", "snapshot", "product"):
                session.execute(text(f"DELETE FROM {table}"))
            owner = get_principal(session, get_owner_principal(session).person_id, Via.PAGE)
            self.people = [owner, *(add_member(session, owner, role) for role in Role)]
            self.people.append(add_stranger(session))
            self.owner, self.now = owner, NOON + timedelta(minutes=1)
            self.lamp = own_lamp(session, owner)
            self.approvals: set[int] = set()

    @contextmanager
    def calling(self) -> Iterator[Session]:
        """Open a scope that accepts a refusal, a minute later than the last one."""
        self.now += timedelta(minutes=1)
        try:
            with write_scope() as session:
                yield session
        except AmazcopeError:
            return

    def actions(self) -> list[int]:
        with read_scope() as session:
            found = fetch_rows(session, "SELECT id FROM suggestion_action ORDER BY id")
            return [row["id"] for row in found]

    def has_actions(self) -> bool:
        return bool(self.actions())

    @rule(change=st.sampled_from(sorted(CHANGES)), who=st.integers(0, 5), both=st.booleans())
    def propose(self, change: str, who: int, both: bool) -> None:
        made = CHANGES[change]()
        made_advice = advice(*([made, made] if both else [made]))
        with self.calling() as session:
            store.store_advice(
                session,
                self.owner.team_id,
                self.lamp,
                made_advice,
                Advisor.AGENT,
                None,
                self.people[who].person_id,
                self.now,
            )

    @rule(data=st.data(), change=st.sampled_from(sorted(DRAFTS)), dry_run=st.booleans())
    def propose_as_draw_caller(self, data: st.DataObject, change: str, dry_run: bool) -> None:
        self.put_forward(self.proposer(data), change, dry_run)

    @precondition(has_actions)
    @rule(data=st.data(), change=st.sampled_from(sorted(DRAFTS)), dry_run=st.booleans())
    def add_as_draw_caller(self, data: st.DataObject, change: str, dry_run: bool) -> None:
        self.add_to(self.some_action(data), self.proposer(data), change, dry_run)

    @rule(data=st.data(), dry_run=st.booleans())
    def propose_and_add_as_the_same(self, data: st.DataObject, dry_run: bool) -> None:
        principal = self.proposer(data)
        self.put_forward(principal, "price", dry_run)
        if self.has_actions():
            self.add_to(self.actions()[-1], principal, "coupon", dry_run)

    def put_forward(self, principal: Principal, change: str, dry_run: bool) -> None:
        """Propose as any role, user or program, with any scopes."""
        draft = Draft(
            title="Try something new",
            reasoning="It might help to say or ask for something else than now.",
            actions=(DRAFTS[change],),
            metric=Metric.PRICE,
            direction=Direction.FALLS,
            window_days=14,
        )
        with self.proposing(principal, "proposed", dry_run) as session:
            propose(session, principal, self.lamp, draft, self.now, dry_run=dry_run)

    def add_to(self, action_id: int, principal: Principal, change: str, dry_run: bool) -> None:
        with self.proposing(principal, "added", dry_run) as session:
            number = session.get_one(SuggestionAction, action_id).suggestion_id
            add_action(session, principal, number, DRAFTS[change], self.now, dry_run=dry_run)

    @contextmanager
    def proposing(self, principal: Principal, what: str, dry_run: bool) -> Iterator[Session]:
        """Assert that only callers with permission get through and a dry run stores nothing."""
        before = len(self.actions())
        with self.calling() as session:
            yield session
            assert principal.role is not Role.VIEWER
            assert principal.team_id == self.owner.team_id
            assert principal.scopes is None or Scope.PROPOSE in principal.scopes
            self.reached.add(what)
        assert not dry_run or len(self.actions()) == before

    def proposer(self, data: st.DataObject) -> Principal:
        principal = data.draw(st.sampled_from(self.people))
        program = data.draw(st.sampled_from([*PROGRAMS, *TOKENS]))
        return replace(principal, **program)

    @precondition(has_actions)
    @rule(data=st.data(), edited=st.sampled_from(EDITS))
    def approve(self, data: st.DataObject, edited: dict[str, Any] | None) -> None:
        principal, action_id = self.draw_caller(data), self.some_action(data)
        with self.calling() as session:
            done = service.approve(session, principal, action_id, self.now, edited=edited)
            if done.did:
                self.note_approval(principal, action_id)

    @precondition(has_actions)
    @rule(data=st.data(), many=st.booleans())
    def approve_together(self, data: st.DataObject, many: bool) -> None:
        principal, action_id = self.draw_caller(data), self.some_action(data)
        with self.calling() as session:
            number = session.get_one(SuggestionAction, action_id).suggestion_id
            decided = (
                service.approve_many(session, principal, [number], self.now)
                if many
                else service.approve_all(session, principal, number, self.now)
            )
            for each in decided:
                if each.did:
                    self.note_approval(principal, each.action_id)

    @precondition(has_actions)
    @rule(data=st.data(), verb=st.sampled_from(["decline", "fail", "decline_all"]))
    def do_something_else(self, data: st.DataObject, verb: str) -> None:
        principal, action_id = self.draw_caller(data), self.some_action(data)
        with self.calling() as session:
            number = session.get_one(SuggestionAction, action_id).suggestion_id
            calls: dict[str, Callable[[], Any]] = {
                "decline": lambda: service.decline(session, principal, action_id, self.now, "No."),
                "fail": lambda: applying.mark_failed(session, action_id, self.now, "Not pushed."),
                "decline_all": lambda: service.decline_all(
                    session, principal, number, self.now, "No."
                ),
            }
            calls[verb]()

    @precondition(has_actions)
    @rule(data=st.data(), again=st.booleans())
    def undo(self, data: st.DataObject, again: bool) -> None:
        principal, action_id = self.draw_caller(data), self.some_action(data)
        for _ in range(1 + again):
            with self.calling() as session:
                applying.undo(session, principal, action_id, self.now)

    @precondition(has_actions)
    @rule(data=st.data())
    def apply(self, data: st.DataObject) -> None:
        with self.calling() as session:
            applying.apply(session, self.some_action(data), self.now)

    @precondition(has_actions)
    @rule(data=st.data(), ending=st.sampled_from(["seen", "undone", "declined"]))
    def the_owner_sees_it_through(self, data: st.DataObject, ending: str) -> None:
        """Do what random calls seldom do in a row: decide, run a round, confirm or undo."""
        action_id = self.some_action(data)
        if ending == "declined":
            with self.calling() as session:
                service.decline(session, self.owner, action_id, self.now, "No.")
            return
        with self.calling() as session:
            if service.approve(session, self.owner, action_id, self.now).did:
                self.note_approval(self.owner, action_id)
        self.a_round()
        if ending == "seen":
            self.a_check(1900, "Reading lamp")
            self.a_round()
            return
        with self.calling() as session:
            applying.undo(session, self.owner, action_id, self.now)

    @rule()
    def a_round(self) -> None:
        with self.calling() as session:  # each of its jobs is a transaction of its own
            steps.expire_suggestions(session, self.now)
        with self.calling() as session:
            for action_id in applying.list_approved_actions(session):
                applying.apply(session, action_id, self.now)
        with self.calling() as session:
            verify_waiting(session, self.now)

    @rule(price=st.sampled_from([1900, 1950, 2000]), title=st.sampled_from(["Reading lamp", "X"]))
    def a_check(self, price: int, title: str) -> None:
        with self.calling() as session:
            show(session, self.now, price=price, listing=make_listing(title))

    @rule(days=st.integers(1, 9))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(data=st.data(), is_on=st.booleans())
    def change_the_rules(self, data: st.DataObject, is_on: bool) -> None:
        principal = self.draw_caller(data)
        with self.calling() as session:
            service.set_second_approver(session, principal, is_on)
        with self.calling() as session:
            set_price_cap(session, principal, self.lamp, PriceCaps(floor=1000))

    def draw_caller(self, data: st.DataObject) -> Principal:
        # The owner acts more often, so that states behind an approval are reached.
        principal = data.draw(st.sampled_from([self.owner, self.owner, self.owner, *self.people]))
        program = data.draw(st.sampled_from([{}] * 8 + [*PROGRAMS]))
        return replace(principal, **program)

    def some_action(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(self.actions()))

    def note_approval(self, principal: Principal, action_id: int) -> None:
        assert principal.role in REVIEWERS
        assert principal.team_id == self.owner.team_id
        assert principal.via is Via.PAGE
        assert principal.scopes is None
        self.approvals.add(action_id)

    @invariant()
    def nothing_is_past_an_approval_that_there_was_not(self) -> None:
        if not hasattr(self, "approvals"):
            return
        with read_scope() as session:
            past = fetch_rows(
                session,
                "SELECT a.id, p.role, a.decided_by FROM suggestion_action a "
                "LEFT JOIN person p ON p.id = a.decided_by WHERE a.state = ANY(:states)",
                states=list(PAST_APPROVAL),
            )
            for each in past:
                assert each["id"] in self.approvals
                assert each["role"] in REVIEWERS

    @invariant()
    def every_step_is_one_that_there_is(self) -> None:
        with read_scope() as session:
            steps = fetch_rows(
                session,
                "SELECT e.action_id, e.before, e.after FROM suggestion_event e "
                "WHERE e.action_id IS NOT NULL ORDER BY e.action_id, e.id",
            )
        stands: dict[int, str] = {}
        for step in steps:
            if step["after"] == "added":
                stands[step["action_id"]] = "pending"
                continue
            assert step["before"] == stands.get(step["action_id"], "pending")
            assert ActionState(step["after"]) in TRANSITIONS[ActionState(step["before"])]
            stands[step["action_id"]] = step["after"]
            self.reached.add(step["after"])


@pytest.mark.usefixtures("committed_database")
def test_nothing_is_applied_without_an_approval() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        RandomCalls,
        settings=settings(max_examples=examples(12), stateful_step_count=40, derandomize=True),
    )
    # A state that is never reached is not tested. Each run makes the same calls; where an edit
    # makes them miss a state, add a rule that leads there.
    reached = {"applied", "verified", "undone", "stale", "declined", "proposed", "added"}
    assert RandomCalls.reached >= reached
