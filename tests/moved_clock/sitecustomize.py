"""Loaded by every Python process of `make test-dates`.

`time.sleep` asks for an absolute monotonic time, which libfaketime moves although the
monotonic clock is not moved; waiting on nothing for as long does not.
"""

import select
import time


def _sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


time.sleep = _sleep
