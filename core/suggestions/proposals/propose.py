"""Stores the proposals of users and agents as suggestions. Never commits.

A proposal is pending until a manager decides it, like any other suggestion. A dry run does
the same but the storing. A change that another user or agent proposed is not proposed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Via
from core.catalog.models import Product
from core.catalog.service import find_products
from core.errors import InvalidInputError, NotFoundError
from core.suggestions.changes.current_values import ChangeTarget
from core.suggestions.changes.registry import get_spec
from core.suggestions.evidence.collect import gather_facts
from core.suggestions.lifecycle import expire_suggestions
from core.suggestions.models import Suggestion
from core.suggestions.proposals import draft as drafts
from core.suggestions.proposals import duplicates, store
from core.suggestions.proposals.draft import Draft, DraftAction
from core.suggestions.proposals.validation import Proposal, validate_proposal
from core.suggestions.rules import (
    Advice,
    Advisor,
    Facts,
    Kind,
    ProposedAction,
    SuggestionState,
)
from core.tracking import product_reference
from core.tracking.models import Tracking
from core.tracking.rules import Role

NOT_TRACKED = "Your team does not track this product. Track it first."
MOST_PENDING = 200  # suggestions of one user: managers read them one by one
WRITTEN = frozenset({Advisor.PERSON.value, Advisor.AGENT.value})  # stored here


@dataclass(frozen=True, slots=True)
class ProposalResult:
    """The suggestion that a proposal led to, or would lead to in a dry run."""

    suggestion_id: int | None  # None: a dry run of something new
    is_new: bool  # False: proposed before, and unchanged
    is_dry: bool
    state: SuggestionState
    product_id: int
    marketplace: str
    asin: str
    advice: Advice  # with current values and evidence frozen
    expires_at: datetime
    why: str | None = None  # why it is not new


@requires(Permission.READ)
def get_citable_facts(session: Session, principal: Principal, name: str, now: datetime) -> Facts:
    """Return the facts of a tracked product; proposals may cite their evidence.

    `name`: as `resolve_product` reads it. Raises NotFoundError for a product that the team
    does not track.
    """
    return get_facts(session, principal.team_id, _id_of(session, principal, name), now)


@requires(Permission.PROPOSE)
def propose_by_name(
    session: Session,
    principal: Principal,
    name: str,
    draft: Draft,
    now: datetime,
    *,
    dry_run: bool = False,
) -> ProposalResult:
    """Propose changes of the product with this name; see `propose`."""
    product_id = _id_of(session, principal, name)
    return propose(session, principal, product_id, draft, now, dry_run=dry_run)


def _id_of(session: Session, principal: Principal, name: str) -> int:
    key = product_reference.resolve_product(session, principal, name)
    product_id = find_products(session, [key]).get(key)
    if product_id is None:
        raise NotFoundError(NOT_TRACKED)
    return product_id


def get_facts(session: Session, team_id: int, product_id: int, now: datetime) -> Facts:
    """Return what `get_citable_facts` does; a token that may propose needn't be able to read."""
    found = gather_facts(session, team_id, [product_id], now)
    if not found:
        raise NotFoundError(NOT_TRACKED)
    return found[0]


@requires(Permission.PROPOSE)
def propose(
    session: Session,
    principal: Principal,
    product_id: int,
    draft: Draft,
    now: datetime,
    *,
    dry_run: bool = False,
) -> ProposalResult:
    """Propose changes of one product that the team tracks, for a manager to decide.

    If a suggestion proposes the same already, return that one. Raises InvalidInputError with
    every reason against the proposal, NotFoundError for a product that the team doesn't track.
    """
    facts = get_facts(session, principal.team_id, product_id, now)
    if not dry_run:
        # An expired suggestion must not count as the same one.
        expire_suggestions(session, now, product_id=product_id)
        lock_product(session, product_id)
    require_own(session, principal.team_id, facts, draft.actions)
    advice = make_advice(session, principal.team_id, drafts.read_draft(draft, facts), facts)
    made = _result(facts, advice, now, dry_run=dry_run)
    if known := duplicates.find_same_proposal(session, principal.team_id, product_id, advice, now):
        return _as_known(made, known)
    duplicates.require_new(session, principal.team_id, facts, advice, now)
    _require_room(session, principal, now)
    return made if dry_run else _store(session, principal, made, now)


def _result(facts: Facts, advice: Advice, now: datetime, *, dry_run: bool) -> ProposalResult:
    return ProposalResult(
        suggestion_id=None,
        is_new=True,
        is_dry=dry_run,
        state=SuggestionState.PENDING,
        product_id=facts.product_id,
        marketplace=facts.marketplace,
        asin=facts.asin,
        advice=advice,
        expires_at=now + store.LASTS[advice.kind],
    )


def _as_known(made: ProposalResult, known: duplicates.EarlierChanges) -> ProposalResult:
    why = f"Suggestion {known.suggestion_id} proposes this already."
    return replace(
        made,
        suggestion_id=known.suggestion_id,
        is_new=False,
        state=known.state,
        expires_at=known.expires_at,
        why=why,
    )


def lock_product(session: Session, product_id: int) -> None:
    """Keep other proposals for this product waiting until the transaction ends.

    Callers that lock suggestions too lock those first, as approving does: no deadlock.
    """
    product = select(Product.id).where(Product.id == product_id)
    session.execute(product.with_for_update(key_share=True))  # observations can still be stored


def require_own(
    session: Session, team_id: int, facts: Facts, actions: Sequence[DraftAction]
) -> None:
    """Raise InvalidInputError for a change of price or listing of a product that isn't own."""
    if all(each.change.kind is Kind.TRACKING for each in actions):
        return
    own = select(Tracking.id).where(
        Tracking.team_id == team_id,
        Tracking.product_id == facts.product_id,
        Tracking.role == Role.OWN.value,
    )
    if session.scalar(own.limit(1)) is None:
        raise InvalidInputError(
            f"{facts.marketplace}:{facts.asin} is not your team's own product, so you can't "
            "change its price or listing. Propose changes of tracking, or set its role to own."
        )


def _require_room(session: Session, principal: Principal, now: datetime) -> None:
    pending = select(func.count()).where(
        Suggestion.team_id == principal.team_id,
        Suggestion.state == SuggestionState.PENDING.value,
        Suggestion.expires_at > now,
        Suggestion.asked_by == principal.person_id,
        Suggestion.advisor.in_(WRITTEN),
    )
    if (session.scalar(pending) or 0) >= MOST_PENDING:
        raise InvalidInputError(
            f"{MOST_PENDING} of your suggestions are pending. Propose more when a manager has "
            "decided some."
        )


# Validation


def make_advice(session: Session, team_id: int, proposal: Proposal, facts: Facts) -> Advice:
    """Return a valid proposal as advice with current values frozen. Raises InvalidInputError.

    `duplicates` checks what was declined: it knows the reason.
    """
    advice, reasons = validate_proposal(proposal, replace(facts, declined=frozenset()))
    if advice is None:
        raise InvalidInputError(_refusal(reasons, facts))
    actions = tuple(_frozen(session, team_id, each, facts) for each in advice.actions)
    return replace(advice, actions=actions)


def _refusal(reasons: Sequence[str], facts: Facts) -> str:
    text = " ".join(dict.fromkeys(reasons))
    is_about_figures = any("evidence" in reason for reason in reasons)
    return f"{text} {drafts.format_citable_figures(facts)}" if is_about_figures else text


def _frozen(session: Session, team_id: int, action: ProposedAction, facts: Facts) -> ProposedAction:
    """Return an action with the current value; approval compares it with the value then."""
    spec = get_spec(action.change)
    proposed = spec.validate(action.proposed)
    current = spec.read_current(session, ChangeTarget(team_id, facts.product_id, proposed))
    if spec.is_current(current, proposed):
        raise InvalidInputError(f"{action.change.value}: It proposes the current value.")
    spec.require_proposable(session, team_id, facts, proposed)
    return replace(action, current=current, proposed=proposed)


# Storing


def _store(
    session: Session, principal: Principal, made: ProposalResult, now: datetime
) -> ProposalResult:
    number = store.store_advice(
        session,
        principal.team_id,
        made.product_id,
        made.advice,
        _advisor(principal),
        principal.token_name,
        principal.person_id,
        now,
        means=principal.via,
    )
    if number is None:  # `require_new` gives the reasons; this is a race
        raise InvalidInputError("This was proposed or decided just now. Read the suggestions.")
    new = {
        "product": made.product_id,
        "kind": made.advice.kind.value,
        "changes": [each.change.value for each in made.advice.actions],
    }
    audit.record(session, principal, "proposed suggestion", f"suggestion:{number}", new=new)
    return replace(made, suggestion_id=number)


def _advisor(principal: Principal) -> Advisor:
    is_program = principal.via is not Via.PAGE or principal.scopes is not None
    return Advisor.AGENT if is_program else Advisor.PERSON
