"""Runs a round of advice with a model in a process that may be killed. No tests here."""

import os
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from sqlalchemy.orm import configure_mappers

from core.settings.environment import get_settings
from core.suggestions.advice_queue import service
from core.suggestions.llm.advisor import find_model_advisor
from jobs.tasks.advise_products import advise_products

configure_mappers()  # once, before the processes are forked


def start_round(lease: float) -> BaseProcess:
    """Start a round that holds its products for so many seconds, on this process's database.

    It is forked from a process that has imported this module, which takes most of a start.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=run_round, args=(lease, dict(os.environ)))
    process.start()
    return process


def run_round(lease: float, environment: dict[str, str]) -> None:
    """Do a round in the environment of the process that started it."""
    os.environ.update(environment)
    get_settings.cache_clear()
    service.LEASE = timedelta(seconds=lease)
    advisor = find_model_advisor(get_settings())
    assert advisor is not None
    advise_products(advisor)
