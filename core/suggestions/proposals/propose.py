"""The verb by which a person or an agent proposes. It never commits.

What is proposed waits for a manager like any other suggestion: nothing here decides. A dry
run goes the same way up to storing. The same change is proposed once, whoever says it.
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

NOT_FOLLOWED = "Your team does not follow this product. Follow it first."
MOST_WAITING = 200  # suggestions of one person that wait: managers read them one by one
WRITTEN = frozenset({Advisor.PERSON.value, Advisor.AGENT.value})  # by them, in this way


@dataclass(frozen=True, slots=True)
class ProposalResult:
    """What came of proposing, or would come of it."""

    suggestion_id: int | None  # None: a dry run of something new
    is_new: bool  # False: it was proposed already, and stands as it is
    is_dry: bool
    state: SuggestionState
    product_id: int
    marketplace: str
    asin: str
    advice: Advice  # as it would wait: current values and evidence frozen
    expires_at: datetime
    why: str | None = None  # why it is not new


@requires(Permission.READ)
def citable(session: Session, principal: Principal, name: str, now: datetime) -> Facts:
    """Return what is known of a product the team follows: its evidence is what may be cited.

    `name`: as `naming` reads it. Raises NotFoundError for one that the team does not follow.
    """
    return facts_of(session, principal.team_id, _id_of(session, principal, name), now)


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
    """Propose changes of the product that a name means; see `propose`."""
    product_id = _id_of(session, principal, name)
    return propose(session, principal, product_id, draft, now, dry_run=dry_run)


def _id_of(session: Session, principal: Principal, name: str) -> int:
    key = product_reference.resolve_product(session, principal, name)
    product_id = find_products(session, [key]).get(key)
    if product_id is None:
        raise NotFoundError(NOT_FOLLOWED)
    return product_id


def facts_of(session: Session, team_id: int, product_id: int, now: datetime) -> Facts:
    """Return the same to who proposes: a token may propose and not read."""
    found = gather_facts(session, team_id, [product_id], now)
    if not found:
        raise NotFoundError(NOT_FOLLOWED)
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
    """Propose changes of one product that the team follows; a manager decides about them.

    Proposed already, by anybody: returns what there is. Raises InvalidInputError with every
    reason against it, NotFoundError for a product that the team does not follow.
    """
    facts = facts_of(session, principal.team_id, product_id, now)
    if not dry_run:
        expire_suggestions(
            session, now, product_id=product_id
        )  # what is over makes room for the same
        one_at_a_time(session, product_id)
    require_own(session, principal.team_id, facts, draft.actions)
    advice = judged(session, principal.team_id, drafts.read_draft(draft, facts), facts)
    made = _proposal(facts, advice, now, dry_run=dry_run)
    if known := duplicates.find_whole(session, principal.team_id, product_id, advice, now):
        return _as_known(made, known)
    duplicates.require_new(session, principal.team_id, facts, advice, now)
    _require_room(session, principal, now)
    return made if dry_run else _store(session, principal, made, now)


def _proposal(facts: Facts, advice: Advice, now: datetime, *, dry_run: bool) -> ProposalResult:
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
    why = f"This is proposed already, as suggestion {known.suggestion_id}."
    return replace(
        made,
        suggestion_id=known.suggestion_id,
        is_new=False,
        state=known.state,
        expires_at=known.expires_at,
        why=why,
    )


def one_at_a_time(session: Session, product_id: int) -> None:
    """Let nobody else propose for this product until the transaction ends.

    Whoever locks suggestions as well locks those first, as approving does.
    """
    product = select(Product.id).where(Product.id == product_id)
    session.execute(product.with_for_update(key_share=True))  # looks are stored meanwhile


def require_own(
    session: Session, team_id: int, facts: Facts, actions: Sequence[DraftAction]
) -> None:
    """Raise InvalidInputError for a price or text of a product that is another's."""
    if all(each.change.kind is Kind.TRACKING for each in actions):
        return
    own = select(Tracking.id).where(
        Tracking.team_id == team_id,
        Tracking.product_id == facts.product_id,
        Tracking.role == Role.OWN.value,
    )
    if session.scalar(own.limit(1)) is None:
        raise InvalidInputError(
            f"{facts.marketplace}:{facts.asin} is not your team's own product, so its price and "
            "listing are not yours to change. Propose changes of tracking, or set its role to own."
        )


def _require_room(session: Session, principal: Principal, now: datetime) -> None:
    waiting = select(func.count()).where(
        Suggestion.team_id == principal.team_id,
        Suggestion.state == SuggestionState.PENDING.value,
        Suggestion.expires_at > now,
        Suggestion.asked_by == principal.person_id,
        Suggestion.advisor.in_(WRITTEN),
    )
    if (session.scalar(waiting) or 0) >= MOST_WAITING:
        raise InvalidInputError(
            f"{MOST_WAITING} suggestions of yours wait already. Propose more when a manager has "
            "decided about some."
        )


# Judging


def judged(session: Session, team_id: int, said: Proposal, facts: Facts) -> Advice:
    """Return a saying as advice with present values frozen. Raises InvalidInputError.

    What was declined is asked in `repeating`, which knows the reason.
    """
    advice, reasons = validate_proposal(said, replace(facts, declined=frozenset()))
    if advice is None:
        raise InvalidInputError(_refusal(reasons, facts))
    actions = tuple(_frozen(session, team_id, each, facts) for each in advice.actions)
    return replace(advice, actions=actions)


def _refusal(reasons: Sequence[str], facts: Facts) -> str:
    told = " ".join(dict.fromkeys(reasons))
    is_about_figures = any("evidence" in reason for reason in reasons)
    return f"{told} {drafts.what_there_is(facts)}" if is_about_figures else told


def _frozen(session: Session, team_id: int, action: ProposedAction, facts: Facts) -> ProposedAction:
    """Return an action with the present value that approving it will compare."""
    spec = get_spec(action.change)
    proposed = spec.validate(action.proposed)
    current = spec.read_current(session, ChangeTarget(team_id, facts.product_id, proposed))
    if spec.is_current(current, proposed):
        raise InvalidInputError(f"{action.change.value}: It proposes what stands already.")
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
    if number is None:  # of all that hold for every proposal, `require_new` says which
        raise InvalidInputError("This was proposed or decided just now. Look at the suggestions.")
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
