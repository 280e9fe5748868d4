"""What tests of several subjects share."""

from collections.abc import Iterator

import pytest

from tests.model_stand_in import ModelStandIn, running_model


@pytest.fixture(scope="session")
def running_stand_in() -> Iterator[ModelStandIn]:
    """The model stand-in of this process."""
    with running_model() as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(running_stand_in: ModelStandIn) -> ModelStandIn:
    """The model stand-in, which was asked nothing and gives its usual answers."""
    running_stand_in.asked.clear()
    running_stand_in.next.clear()
    return running_stand_in
