"""One step for each of many actions; a failing action holds up no other."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from core.errors import NotFoundError

log = logging.getLogger(__name__)

T = TypeVar("T")


def map_actions(step: Callable[[int], T], action_ids: Sequence[int]) -> list[T]:
    """Return the results of a step for each action that still exists.

    Raises ExceptionGroup at the end, with every other error of any action.
    """
    results: list[T] = []
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
        raise ExceptionGroup("Some actions could not be processed.", failed)
    return results
