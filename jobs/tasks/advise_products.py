"""When advice is asked for, approved changes are applied, and pages are found to show them.

No rules of its own. Huey's crontab is UTC: a team's 08:00 is looked for every five minutes.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

from huey import crontab

from core.database.session import database_time, read_scope, write_scope
from core.errors import ConfigurationError, NotFoundError, OutsideServiceError
from core.settings.environment import get_settings
from core.suggestions import lifecycle
from core.suggestions.advice_queue import service
from core.suggestions.advice_queue.service import Adviser, Asked, Due
from core.suggestions.execution import apply, verify
from core.suggestions.execution.connectors import OFF, find_applier
from core.suggestions.execution.export import order_of
from core.suggestions.llm.advisor import find_model_adviser, longest_question
from core.suggestions.llm.call_log import put_back_lost
from core.suggestions.rules import ActionState
from jobs.claims import alone
from jobs.job import job
from jobs.queue import huey

log = logging.getLogger(__name__)

Found = TypeVar("Found")

BATCH = 40  # products claimed at a time: a second of rules, or five rounds of eight questions


@huey.periodic_task(crontab(minute="*/5"), expires=300)
def plan_advice() -> None:
    """Let the day's products wait for advice, where it is 08:00."""
    alone("plan advice", plan_round)


@huey.periodic_task(crontab(minute="*"), expires=60)
def advise_waiting() -> None:
    """Ask about all products that wait."""
    advise_round()


@huey.task(expires=300)
def advise_now() -> None:
    """The doorbell of a request: ask without waiting for the minute."""
    advise_round()


@huey.periodic_task(crontab(minute="*"), expires=60)
def apply_approved() -> None:
    """Apply what was approved."""
    apply_round()


@huey.task(expires=300)
def apply_now() -> None:
    """The doorbell of an approval: apply without waiting for the minute."""
    apply_round()


@huey.periodic_task(crontab(minute="*"), expires=60)
def verify_applied() -> None:
    """Look whether pages show what was applied."""
    alone("verify", verify_round)


@huey.periodic_task(crontab(minute="*/10"), expires=600)
def expire_waiting() -> None:
    """End suggestions whose time is over."""
    alone("expire", expire_round)


def _now() -> datetime:
    return database_time()


def plan_round() -> None:
    """Plan the day of every team whose morning it is, as a job."""
    with job("plan advice") as notes:
        lost_after = longest_question(get_settings().amazcope_model_timeout)
        with write_scope() as session:
            planned = service.plan_daily(session, _now())
            # Asked by a worker that died: the product waits again, the answer was lost.
            planned += put_back_lost(session, _now(), lost_after)
        notes.say(f"{planned} products.") if planned else notes.idle("Nothing to plan.")


def advise_round(adviser: Adviser | None = None) -> None:
    """Ask about every product that waits, as a job.

    `adviser` None: the model of the settings, where there is one. The rules always answer.
    """
    adviser = adviser or find_model_adviser(get_settings())
    with job("advise") as notes:
        products, suggestions = 0, 0
        failed: list[Exception] = []
        while claimed := _claim():
            products += len(claimed)
            suggestions += _advise_batch(claimed, adviser, failed)
        if failed:
            raise ExceptionGroup("Some products could not be advised on.", failed)
        if products:
            notes.say(f"{suggestions} suggestions for {products} products.")
        else:
            notes.idle("No product waits.")


def _claim() -> list[Due]:
    with write_scope() as session:
        return service.claim_due(session, _now(), BATCH)


def _advise_batch(claimed: Sequence[Due], adviser: Adviser | None, failed: list[Exception]) -> int:
    """Advise on claimed products together; where that fails, on each by itself."""
    try:
        return _advise(claimed, adviser)
    except Exception as error:  # one product must not hold up the others
        if len(claimed) > 1:
            return sum(_advise_batch([due], adviser, failed) for due in claimed)
        log.exception("Product %s could not be advised on", claimed[0].product_id)
        failed.append(error)
        with write_scope() as session:
            service.put_off(session, claimed[0], _now())
        return 0


def _advise(claimed: Sequence[Due], adviser: Adviser | None) -> int:
    """Read, ask with no transaction open, store."""
    now = _now()
    with read_scope() as session:
        asked = service.questions(session, claimed, now)
    stored = 0 if adviser is None else _ask_in_parallel(adviser, asked, now)
    with write_scope() as session:
        stored += sum(service.answer_by_rules(session, each, now) for each in asked)
        service.finish_due(session, claimed)
    return stored


def _ask_in_parallel(adviser: Adviser, asked: Sequence[Asked], now: datetime) -> int:
    with ThreadPoolExecutor(get_settings().amazcope_model_parallel_calls) as pool:
        return sum(pool.map(lambda each: adviser.answer(each, now), asked))


def apply_round() -> None:
    """Apply every approved action, as a job."""
    with job("apply") as notes:
        with read_scope() as session:
            waiting = apply.waiting_to_apply(session)
        states = _each(_apply, waiting)
        if not states:
            notes.idle("Nothing is approved.")
            return
        done = sum(state in (ActionState.APPLIED, ActionState.VERIFIED) for state in states)
        notes.say(f"{done} of {len(states)} approved actions applied.")


def _each(step: Callable[[int], Found], action_ids: Sequence[int]) -> list[Found]:
    """Take a step for each action, and only then raise what went wrong with any."""
    results: list[Found] = []
    failed: list[Exception] = []
    for action_id in action_ids:
        try:
            results.append(step(action_id))
        except NotFoundError as error:
            log.info("Action %s: %s", action_id, error)
        except Exception as error:  # one action must not hold up the others
            error.add_note(f"Action {action_id}")
            failed.append(error)
    if failed:
        raise ExceptionGroup("Some actions could not be taken further.", failed)
    return results


def _apply(action_id: int) -> ActionState:
    try:
        pushed = _push(action_id, get_settings().amazcope_applier)
    except (OutsideServiceError, ConfigurationError) as error:  # of this one alone
        with write_scope() as session:
            return apply.fail(session, action_id, _now(), str(error))
    with write_scope() as session:
        return apply.apply(session, action_id, _now(), pushed)


def _push(action_id: int, applier: str) -> str | None:
    """Hand an action to an applier, with no transaction open; None where it is not for one."""
    if applier == OFF:
        return None
    with read_scope() as session:
        order = order_of(session, action_id)
    found = None if order is None else find_applier(applier)
    return None if order is None or found is None else found.push(order).told


def verify_round() -> None:
    """Look for applied changes on their pages, as a job."""
    with job("verify") as notes:
        with read_scope() as session:
            waiting = verify.waiting_to_be_seen(session, _now())
        found = Counter(_each(_verify, waiting))
        verified, unseen = found[ActionState.VERIFIED], found[ActionState.UNSEEN]
        if verified or unseen:
            notes.say(f"{verified} verified, {unseen} not seen in time.")
        else:
            notes.idle("Nothing new was seen.")


def _verify(action_id: int) -> ActionState | None:
    with write_scope() as session:
        return verify.verify_one(session, action_id, _now())


def expire_round() -> None:
    """End suggestions whose time is over, as a job."""
    with job("expire suggestions") as notes:
        with write_scope() as session:
            ended = lifecycle.expire(session, _now())
        notes.say(f"{ended} actions expired.") if ended else notes.idle("None is over.")
