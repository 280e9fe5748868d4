"""Asking the model about a product: claimed, asked with no transaction open, then stored.

What it says is checked; a reply that can't be used is asked for once more with the reasons.
What it proposes is stored in the transaction that closes the question, so that a process
that is killed at any moment leaves either both or an open question behind. An open question
is asked again, but only after the longest time that its first asker may have taken.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from core.database.session import database_time, write_scope
from core.errors import InvalidInputError, OutsideServiceError
from core.settings.environment import Settings
from core.suggestions.advice_queue.service import AdviceRequest
from core.suggestions.fingerprints import facts_hash
from core.suggestions.llm import call_log, prompt, reply_parser
from core.suggestions.llm.call_log import CallState, Claim, Outcome, Question
from core.suggestions.llm.client import (
    Model,
    ModelAccess,
    NoAnswerError,
    Reply,
    UnusableAnswerError,
    Usage,
)
from core.suggestions.llm.config import ModelSetup, get_setup
from core.suggestions.llm.costs import TIMES_ASKED, most_cost
from core.suggestions.proposals.store import store_advice
from core.suggestions.rules import Advice, Advisor, Facts

_SPARE = timedelta(seconds=60)  # for what a process does around its questions
_LONGEST_KEPT = 4_000  # characters of a rejected reply


@dataclass(frozen=True, slots=True)
class ModelQuestion:
    """What became of asking about one product. `model` None: none spoke."""

    product_id: int
    state: CallState
    model: str | None = None
    advice: tuple[Advice, ...] = ()
    suggestions: tuple[int, ...] = ()  # ids of what was stored
    reasons: tuple[str, ...] = ()


def find_model_advisor(settings: Settings) -> "ModelAdvisor | None":
    """Return the model as an advisor; None where none is set up (`get_setup` says why)."""
    setup = get_setup(settings)
    return None if setup.access is None else ModelAdvisor(setup, setup.access)


class ModelAdvisor:
    """The model as an advisor. One serves many threads and has so many ask at a time."""

    def __init__(
        self,
        setup: ModelSetup,
        access: ModelAccess,
        clock: Callable[[], datetime] = database_time,
    ) -> None:
        self._setup, self._model, self._clock = setup, Model(access), clock
        self._turns = threading.BoundedSemaphore(setup.parallel_calls)

    def answer(self, asked: AdviceRequest, now: datetime) -> int:  # noqa: ARG002 - see `ask`
        """Return how many suggestions came of it; 0 also for facts that were asked before."""
        return len(self.ask(asked).suggestions)

    def ask(self, asked: AdviceRequest) -> ModelQuestion:
        """Ask about one product, unless these facts were asked about already.

        No transaction may be open. Whatever goes wrong outside ends in a state and a reason:
        the rules answer alone then. The time of a question is when its turn comes, not when
        its round began: from then on it is this process's own.
        """
        with self._turns:
            talk = _Talk(asked.facts, self._model)
            claim = self._claim(asked, talk)
            if isinstance(claim, Claim):
                talk.hold()
                return self._keep(asked, claim, talk)
        if claim is None:
            return ModelQuestion(asked.facts.product_id, CallState.KNOWN)
        return ModelQuestion(asked.facts.product_id, CallState.NOT_ASKED, reasons=(claim,))

    def _claim(self, asked: AdviceRequest, talk: "_Talk") -> Claim | str | None:
        access = self._model.access
        question = Question(
            team_id=asked.team_id,
            product_id=asked.facts.product_id,
            model=access.model,
            facts_hash=facts_hash(asked.facts),
            at=self._clock(),
            most=most_cost(talk.messages, self._setup.price, access.reply_tokens),
        )
        with write_scope() as session:
            return call_log.claim(
                session,
                question,
                lost_after=longest_question(access.timeout),
                dollars_per_day=self._setup.dollars_per_day,
            )

    def _keep(self, asked: AdviceRequest, claim: Claim, talk: "_Talk") -> ModelQuestion:
        """Close the question and store what it brought, together."""
        try:
            return self._close(asked, claim, talk)
        except InvalidInputError as error:  # what no suggestion can be made of
            talk.refuse(error)
            return self._close(asked, claim, talk)

    def _close(self, asked: AdviceRequest, claim: Claim, talk: "_Talk") -> ModelQuestion:
        product_id, model = asked.facts.product_id, talk.model_name
        with write_scope() as session:
            if not call_log.close(session, claim, self._outcome(claim, talk)):
                return ModelQuestion(product_id, CallState.LOST, reasons=tuple(talk.reasons))
            ids = self._stored(session, asked, talk)
            call_log.count_suggestions(session, claim, len(ids))
        spoke = model if talk.spoken else None
        return ModelQuestion(product_id, talk.state, spoke, talk.advice, ids, tuple(talk.reasons))

    def _stored(self, session: Session, asked: AdviceRequest, talk: "_Talk") -> tuple[int, ...]:
        """Store every advice; return the ids of those that are new."""
        product_id, by, now = asked.facts.product_id, asked.asked_by, self._clock()
        who, model = Advisor.MODEL, talk.model_name
        found = [
            store_advice(session, asked.team_id, product_id, each, who, model, by, now)
            for each in talk.advice
        ]
        return tuple(each for each in found if each is not None)

    def _outcome(self, claim: Claim, talk: "_Talk") -> Outcome:
        usage = talk.usage
        return Outcome(
            state=talk.state,
            model=talk.model_name,
            cost=_cost(talk, claim, self._setup),
            reasons=talk.reasons,
            replies=talk.rejected,
            prompt_tokens=usage.prompt_tokens,
            reply_tokens=usage.reply_tokens,
        )


def longest_question(timeout: float) -> timedelta:
    """Return how long a question of so many seconds a reply can be open, at most."""
    return timedelta(seconds=TIMES_ASKED * timeout) + _SPARE


class _Talk:
    """A question and what was said: at most two replies."""

    def __init__(self, facts: Facts, model: Model) -> None:
        self.facts, self.model = facts, model
        self.messages = prompt.first_messages(facts)
        self.advice: tuple[Advice, ...] = ()
        self.reasons: list[str] = []
        self.rejected: list[str] = []
        self.spoken: list[Reply] = []
        self.failure: OutsideServiceError | None = None
        self.is_accepted = False

    def hold(self) -> None:
        """Ask until a reply can be used, twice at most."""
        for number in range(1, TIMES_ASKED + 1):
            try:
                reply = self.model.ask(self.messages, reply_parser.reply_schema())
            except OutsideServiceError as error:
                self._fail(number, error)
                return
            self.spoken.append(reply)
            checked = self._check(reply)
            if not checked.reasons:
                self.is_accepted, self.advice = True, checked.advice
                return
            self._reject(number, reply, checked.reasons)

    def _fail(self, number: int, error: OutsideServiceError) -> None:
        self.failure = error
        self.reasons.append(f"Question {number}: {reply_parser.clean_reply(str(error), 400)}")
        if isinstance(error, UnusableAnswerError):
            self.rejected.append(reply_parser.clean_reply(error.said, _LONGEST_KEPT))

    def _check(self, reply: Reply) -> reply_parser.CheckedReply:
        if reply.trouble is not None:
            return reply_parser.CheckedReply(
                reasons=(reply_parser.clean_reply(reply.trouble, 400),)
            )
        return reply_parser.check_reply(reply.text, self.facts)

    def _reject(self, number: int, reply: Reply, reasons: tuple[str, ...]) -> None:
        said = reply_parser.clean_reply(reply.text, _LONGEST_KEPT)
        self.rejected.append(said)
        self.reasons += [f"Reply {number}: {reason}" for reason in reasons]
        self.messages = prompt.second_messages(self.messages, said, reasons)

    def refuse(self, error: InvalidInputError) -> None:
        """Reject the reply that was accepted: nothing can be stored of it."""
        self.is_accepted, self.advice = False, ()
        self.rejected.append(reply_parser.clean_reply(self.spoken[-1].text, _LONGEST_KEPT))
        self.reasons.append(f"Reply {len(self.spoken)}: {error}")

    @property
    def state(self) -> CallState:
        if self.is_accepted:
            return CallState.OK if self.advice else CallState.NOTHING
        if self.failure is None or isinstance(self.failure, UnusableAnswerError):
            return CallState.REJECTED  # paid for: the same facts would be answered the same
        return CallState.FAILED

    @property
    def model_name(self) -> str:
        return self.spoken[-1].model if self.spoken else self.model.access.model

    @property
    def usage(self) -> Usage:
        """Return the tokens of all replies together; None where one does not tell."""
        told = [reply.usage for reply in self.spoken]
        prompts, answers = [u.prompt_tokens for u in told], [u.reply_tokens for u in told]
        return Usage(_sum(prompts), _sum(answers))


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None


def _cost(talk: _Talk, claim: Claim, setup: ModelSetup) -> Decimal:
    """Return what the replies cost; the most they can have, where that is not told."""
    usage = talk.usage
    if isinstance(talk.failure, NoAnswerError):
        return claim.most
    if not talk.spoken:
        return Decimal(0)
    if usage.prompt_tokens is None or usage.reply_tokens is None:
        return claim.most
    return setup.price.of(usage.prompt_tokens, usage.reply_tokens)
