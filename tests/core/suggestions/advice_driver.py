"""Runs a round of advice with a model in a process that may be killed. No tests here."""

import sys
from datetime import timedelta

from core.settings.environment import get_settings
from core.suggestions.advice_queue import service
from core.suggestions.llm.advisor import find_model_advisor
from jobs.tasks.advise_products import advise_products

if __name__ == "__main__":
    service.LEASE = timedelta(seconds=float(sys.argv[1]))
    advisor = find_model_advisor(get_settings())
    assert advisor is not None
    advise_products(advisor)
