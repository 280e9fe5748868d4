"""How many examples Hypothesis tries: few in `make test`, many in `make test-long`. No tests."""

from hypothesis import HealthCheck, settings

LONG = "long"
USUAL = 20  # examples in `make test`, where a test names no other number
MANY = 500  # and in `make test-long`
TIMES_MORE = 10


def register_profiles() -> None:
    """Register and load what all tests share; `--hypothesis-profile=long` loads the other.

    A machine under load is no fault of the code: no example fails for the time it takes. A
    fixture is shared by all examples of a test, which each test allows for.
    """
    health_checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    usual = settings(deadline=None, suppress_health_check=health_checks, max_examples=USUAL)
    settings.register_profile("amazcope", usual)
    settings.register_profile(LONG, usual, max_examples=MANY)
    settings.load_profile("amazcope")


def examples(usual: int) -> int:
    """Return how many examples a test tries, which tries `usual` in `make test`."""
    is_long = settings.get_current_profile_name() == LONG
    return examples_in_long_runs(usual) if is_long else usual


def examples_in_long_runs(usual: int) -> int:
    """Return how many examples it tries in `make test-long`."""
    return TIMES_MORE * usual
