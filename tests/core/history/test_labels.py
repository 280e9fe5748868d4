"""Outcomes, availability, price bases and flags have words."""

import pytest

from core.history.labels import (
    availability_label,
    flag_names,
    flag_reasons,
    outcome_sentence,
    price_basis_label,
)
from core.history.observation import Availability, Flag, Outcome, PriceBasis


@pytest.mark.parametrize("ended", Outcome)
def test_every_outcome_is_a_sentence(ended):
    assert outcome_sentence(ended).endswith(".")


@pytest.mark.parametrize("state", Availability)
def test_every_availability_has_its_own_words(state):
    words = [availability_label(each) for each in Availability]
    assert words.count(availability_label(state)) == 1


@pytest.mark.parametrize("basis", PriceBasis)
def test_every_price_names_its_basis(basis):
    assert price_basis_label(basis)


def test_every_flag_has_its_reason():
    every = Flag(sum(Flag))
    assert len(flag_reasons(every)) == len(Flag)
    assert flag_reasons(Flag.NONE) == []
    assert len(flag_names(every).split(", ")) == len(Flag)
    assert flag_names(Flag.PRICE_JUMP) == "price far off"
    assert len(flag_reasons(Flag.PRICE_JUMP | Flag.STALE_VALUE)) == 2


def test_what_has_no_value_at_all_is_unknown():
    assert availability_label(None) == "unknown"
    assert price_basis_label(None) == "unknown"
