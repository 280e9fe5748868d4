"""Asks the model about a product: claims the question, calls the server, stores the answer.

No transaction is open during the call. The reply is checked; after a rejected reply the
model is asked once more, with the reasons. Its proposals are stored in the transaction that
closes the question, so a process killed at any moment leaves either both or an open
question. An open question is asked again only after the longest time that the first process
can have needed.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.database.session import database_time, write_scope
from core.errors import InvalidInputError
from core.settings.environment import Settings
from core.suggestions.advice_queue.service import AdviceRequest
from core.suggestions.fingerprints import facts_hash
from core.suggestions.llm import call_log, prompt, reply_parser
from core.suggestions.llm.call_log import CallState, Claim, Outcome, Question
from core.suggestions.llm.config import ModelSetup, get_setup
from core.suggestions.llm.conversation import LONGEST_KEPT, Conversation
from core.suggestions.llm.costs import MOST_REPLIES, estimate_largest_cost
from core.suggestions.model_server.client import Model, ModelAccess
from core.suggestions.proposals.store import store_advice
from core.suggestions.rules import Advice, Advisor, Facts

_SPARE = timedelta(seconds=60)  # for the work before and after the calls


@dataclass(frozen=True, slots=True)
class ModelResult:
    """The result of asking the model about one product. `model` None: it gave no reply."""

    product_id: int
    state: CallState
    model: str | None = None
    advice: tuple[Advice, ...] = ()
    suggestions: tuple[int, ...] = ()  # ids of those stored
    reasons: tuple[str, ...] = ()


def find_model_advisor(settings: Settings) -> "ModelAdvisor | None":
    """Return the model as an advisor; None if none is set up (`ModelSetup.missing`: why)."""
    setup = get_setup(settings)
    return None if setup.access is None else ModelAdvisor(setup, setup.access)


class ModelAdvisor:
    """The model as an advisor. Serves many threads; `parallel_calls` of them ask at a time."""

    def __init__(
        self,
        setup: ModelSetup,
        access: ModelAccess,
        clock: Callable[[], datetime] = database_time,
    ) -> None:
        self._setup, self._model, self._clock = setup, Model(access), clock
        self._turns = threading.BoundedSemaphore(setup.parallel_calls)

    def answer(self, request: AdviceRequest, now: datetime) -> int:  # noqa: ARG002 - see `ask`
        """Ask, and return the number of new suggestions; 0 also for facts asked about before."""
        return len(self.ask(request).suggestions)

    def ask(self, request: AdviceRequest) -> ModelResult:
        """Ask about one product, unless these facts were asked about before.

        No transaction may be open. A failure of the server ends in a state and a reason; then
        only the rules answer. A question's time is the moment of its claim, not the start of
        the run.
        """
        with self._turns:
            conversation = _Conversation(request.facts, self._model)
            claim = self._claim(request, conversation)
            if isinstance(claim, Claim):
                conversation.run()
                return self._keep(request, claim, conversation)
        if claim is None:
            return ModelResult(request.facts.product_id, CallState.KNOWN)
        return ModelResult(request.facts.product_id, CallState.NOT_ASKED, reasons=(claim,))

    def _claim(self, request: AdviceRequest, conversation: "_Conversation") -> Claim | str | None:
        access = self._model.access
        question = Question(
            team_id=request.team_id,
            product_id=request.facts.product_id,
            model=access.model,
            facts_hash=facts_hash(request.facts),
            at=self._clock(),
            largest_cost=estimate_largest_cost(
                conversation.messages, self._setup.price, access.reply_tokens
            ),
        )
        with write_scope() as session:
            return call_log.claim_question(
                session,
                question,
                lost_after=get_longest_duration(access.timeout),
                dollars_per_day=self._setup.dollars_per_day,
            )

    def _keep(
        self, request: AdviceRequest, claim: Claim, conversation: "_Conversation"
    ) -> ModelResult:
        """Close the question and store its advice in one transaction."""
        try:
            return self._close(request, claim, conversation)
        except InvalidInputError as error:  # the advice can't be stored as a suggestion
            conversation.refuse(error)
            return self._close(request, claim, conversation)

    def _close(
        self, request: AdviceRequest, claim: Claim, conversation: "_Conversation"
    ) -> ModelResult:
        product_id, model = request.facts.product_id, conversation.model_name
        with write_scope() as session:
            if not call_log.close_question(session, claim, self._outcome(claim, conversation)):
                return ModelResult(product_id, CallState.LOST, reasons=tuple(conversation.reasons))
            ids = self._stored(session, request, conversation)
            call_log.count_suggestions(session, claim, len(ids))
        replied = model if conversation.received else None
        return ModelResult(
            product_id,
            conversation.state,
            replied,
            conversation.advice,
            ids,
            tuple(conversation.reasons),
        )

    def _stored(
        self, session: Session, request: AdviceRequest, conversation: "_Conversation"
    ) -> tuple[int, ...]:
        """Store all advice; return the ids of the new suggestions."""
        product_id, by, now = request.facts.product_id, request.requested_by, self._clock()
        who, model = Advisor.MODEL, conversation.model_name
        found = [
            store_advice(session, request.team_id, product_id, each, who, model, by, now)
            for each in conversation.advice
        ]
        return tuple(each for each in found if each is not None)

    def _outcome(self, claim: Claim, conversation: "_Conversation") -> Outcome:
        usage = conversation.usage
        return Outcome(
            state=conversation.state,
            model=conversation.model_name,
            cost=conversation.calculate_cost(self._setup.price, claim.largest_cost),
            reasons=conversation.reasons,
            replies=conversation.rejected,
            prompt_tokens=usage.prompt_tokens,
            reply_tokens=usage.reply_tokens,
        )


def get_longest_duration(timeout: float) -> timedelta:
    """Return how long a question can be open at most, for a timeout in seconds per reply."""
    return timedelta(seconds=MOST_REPLIES * timeout) + _SPARE


class _Conversation(Conversation[tuple[Advice, ...]]):
    """A question about a product."""

    def __init__(self, facts: Facts, model: Model) -> None:
        def check(text: str) -> tuple[tuple[Advice, ...] | None, tuple[str, ...]]:
            checked = reply_parser.check_reply(text, facts)
            return (None if checked.reasons else checked.advice), checked.reasons

        messages, schema = prompt.build_first_messages(facts), reply_parser.get_reply_schema()
        super().__init__(model, messages, schema, check)

    @property
    def advice(self) -> tuple[Advice, ...]:
        return self.content or ()

    @property
    def state(self) -> CallState:
        """Return how the question ended, also that the model proposes nothing."""
        return CallState.NOTHING if self.content == () else super().state

    def refuse(self, error: InvalidInputError) -> None:
        """Reject the accepted reply, since its advice can't be stored."""
        self.content = None
        self.rejected.append(reply_parser.clean_reply(self.received[-1].text, LONGEST_KEPT))
        self.reasons.append(f"Reply {len(self.received)}: {error}")
