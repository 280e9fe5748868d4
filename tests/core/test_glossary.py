"""The glossary explains every word that answers use for a state."""

from core.glossary import GLOSSARY
from core.history.observation import Availability, Outcome
from core.suggestions.rules import ActionState, SuggestionState


def test_every_state_of_availability_and_outcome_of_a_fetch_is_explained() -> None:
    words = {term.word for subject in GLOSSARY for term in subject.terms}
    states = {state.name.lower() for state in Availability} | {each.value for each in Outcome}
    assert states - words == set()


def test_the_states_of_suggestions_and_actions_are_all_named() -> None:
    meanings = {term.word: term.meaning for subject in GLOSSARY for term in subject.terms}
    for word, states in (("suggestion", SuggestionState), ("action", ActionState)):
        assert [each for each in states if each.value not in meanings[word]] == []


def test_no_word_is_explained_twice() -> None:
    terms = [term.word for subject in GLOSSARY for term in subject.terms]
    assert len(terms) == len(set(terms))
