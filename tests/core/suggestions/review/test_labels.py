"""Figures, steps and answers as a person reads them."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from core.suggestions.advice_queue import labels as answer_labels
from core.suggestions.advice_queue.queries import AdvisorAnswer
from core.suggestions.changes.registry import get_spec
from core.suggestions.review import labels as suggestion_words
from core.suggestions.review.views import ActionView, Event
from core.suggestions.rules import ActionState, Advisor, Change, Evidence, Kind, SnapshotKey
from core.text import locale as formats
from core.text.numbers import THIN_SPACE
from core.tracking.price_caps.rules import PriceCaps

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (6899, "EUR minor", "68,99\xa0€"),
        (1204, "rank", "#1,204"),
        (46, "stars/10", "4.6 of 5"),
        (7.5, "%", "7.5\u202f%"),
        (133, "characters", "133"),
        ("<b>red</b>", "text", "<b>red</b>"),
    ],
)
def test_a_figure_is_written_with_its_unit(value, unit, words):
    assert (
        suggestion_words.format_evidence_value(Evidence("key", "Figure", value, unit), "DE")
        == words
    )


def test_the_age_of_a_figure_is_that_of_its_newest_observation():
    keys = tuple(SnapshotKey(1, NOW - timedelta(hours=hours), 1) for hours in (50, 2, 26))
    assert suggestion_words.observations_age_text(
        Evidence("k", "f", 1, "rank", None, keys), NOW
    ) == ("2 h ago · 3 observations")
    period = Evidence("k", "f", 1, "rank", "last 30 days", keys)
    assert suggestion_words.observations_age_text(period, NOW) == "2 days ago to 2 h ago"
    assert (
        suggestion_words.observations_age_text(Evidence("k", "f", 75, "characters"), NOW)
        == "rule or setting"
    )
    images = Evidence("k", "f", 2, "images", None, keys[:1])
    assert suggestion_words.observations_age_text(images, NOW).startswith("first seen ")


@pytest.mark.parametrize(
    ("caps", "words"),
    [
        (PriceCaps(), "no floor and no ceiling, at most 15\u202f% at once"),
        (PriceCaps(1000), "not below $10.00, at most 15\u202f% at once"),
        (PriceCaps(None, 2000, 5), "not above $20.00, at most 5\u202f% at once"),
        (PriceCaps(1000, 2000, 2.5), "between $10.00 and $20.00, at most 2.5\u202f% at once"),
    ],
)
def test_price_caps_are_a_sentence(caps, words):
    assert suggestion_words.price_caps_text(caps, "US") == words


def test_what_is_to_come_ends_where_it_came():
    def ahead(change, state):
        return suggestion_words.list_next_steps([action(change, state)])

    assert len(ahead(Change.UPDATE_TITLE, ActionState.PENDING)) == 3
    assert len(ahead(Change.SET_CADENCE, ActionState.PENDING)) == 2
    assert ahead(Change.UPDATE_PRICE, ActionState.APPLIED) == ["A check shows the new value"]
    assert ahead(Change.UPDATE_PRICE, ActionState.VERIFIED) == []
    assert ahead(Change.UPDATE_PRICE, ActionState.DECLINED) == []


def test_no_scrape_is_waited_for_where_no_page_shows_a_change():
    terms = action(Change.UPDATE_SEARCH_TERMS, ActionState.APPLIED)
    assert suggestion_words.list_next_steps([terms]) == []


def action(change, state):
    nothing = dict.fromkeys(field.name for field in fields(ActionView))
    return ActionView(**(nothing | {"change": change, "state": state}))


def test_figures_are_written_in_the_readers_way(as_read_in):
    as_read_in("de_DE")
    for value, unit, words in (
        (12345, "characters", "12.345"),
        (1234.5, "looks", "1.234,5"),
        (12.5, "%", f"12,5{THIN_SPACE}%"),
        (123456, "USD minor", "1.234,56\u00a0$"),
    ):
        assert (
            suggestion_words.format_evidence_value(Evidence("key", "Figure", value, unit), "US")
            == words
        )
    threshold = get_spec(Change.SET_PRICE_THRESHOLD).parts({"percent": "7.5"}, "US")
    assert threshold == [("Price threshold", f"7,5{THIN_SPACE}%")]
    assert suggestion_words.price_caps_text(PriceCaps(step_percent=2.5), "US").endswith(
        f"at most 2,5{THIN_SPACE}% at once"
    )
    answer = AdvisorAnswer(1, Advisor.RULES, None, NOW, "ok", (), 1200)
    assert answer_labels.answer_text(answer) == "Rules: 1.200 new suggestions"


@pytest.fixture
def as_read_in():
    yield lambda locale: formats.use_formats(formats.Formats(locale))
    formats.use_formats(formats.USUAL)


@pytest.mark.parametrize(
    ("state", "number", "words"),
    [
        ("ok", 2, "Rules: 2 new suggestions"),
        ("ok", 1, "Rules: 1 new suggestion"),
        ("ok", 0, "Rules: nothing new"),
        ("rejected", 0, "Rules answered, and every reply was rejected"),
    ],
)
def test_an_answer_has_its_result_as_text(state, number, words):
    answer = AdvisorAnswer(1, Advisor.RULES, None, NOW, state, (), number)
    assert answer_labels.answer_text(answer) == words


@pytest.mark.parametrize("state", list(ActionState))
def test_every_step_has_words(state, a_row):
    for change in Change:
        assert suggestion_words.action_state_label(change, state)
    event = Event(NOW, "Mia", "page", Change.UPDATE_TITLE, "approved", state.value, None)
    assert suggestion_words.event_text(event, a_row).startswith("Title ")


def test_an_applied_change_is_to_publish_and_one_of_tracking_is_done():
    applied = ActionState.APPLIED
    assert suggestion_words.action_state_label(Change.UPDATE_PRICE, applied) == "to publish"
    assert suggestion_words.action_state_label(Change.SET_CADENCE, applied) == "done"


def test_the_first_event_names_the_advisor(a_row):
    event = Event(NOW, None, "job", None, None, "pending", None)
    assert suggestion_words.event_text(event, a_row) == "Suggested by model · local"
    asked = replace(event, person="Sam")
    assert (
        suggestion_words.event_text(asked, a_row) == "Suggested by model · local, requested by Sam"
    )
    assert suggestion_words.state_change_text(event) is None


@pytest.mark.parametrize(
    ("step", "words", "change"),
    [
        (("Mia", "page", "pending", "approved", False), "approved by Mia on a page", "pending → "),
        (("Mia", "page", "pending", "approved", True), "edited and approved by Mia", "pending → "),
        (("Mia", "page", "failed", "approved", False), "tried again by Mia", "failed → approved"),
        (
            ("Mia", "job", "approved", "applied", False),
            "set to publish by the worker for Mia",
            " → to publish",
        ),
        ((None, "job", "applied", "unseen", False), "not confirmed", "to publish → not confirmed"),
        ((None, "job", "approved", "failed", False), "failed by the worker", "approved → failed"),
    ],
)
def test_an_event_names_the_user_the_way_and_both_states(step, words, change, a_row):
    person, means, before, after, is_edited = step
    event = Event(NOW, person, means, Change.UPDATE_TITLE, before, after, "Why.", is_edited)
    assert suggestion_words.event_text(event, a_row).startswith(f"Title {words}")
    assert change in suggestion_words.state_change_text(event)
    assert suggestion_words.event_reason(event) == "Why."


@pytest.fixture
def a_row():
    from core.suggestions.review.views import QueueRow
    from core.suggestions.rules import Direction, Metric, SuggestionState

    return QueueRow(
        id=1,
        product_id=1,
        marketplace="US",
        asin="B0TEST0001",
        product_title=None,
        kind=Kind.CONTENT,
        title="Shorten",
        priority=1,
        confidence=0.8,
        metric=Metric.BSR,
        direction=Direction.IMPROVES,
        window_days=28,
        state=SuggestionState.PENDING,
        advisor=Advisor.MODEL,
        model="local",
        made_at=NOW,
        expires_at=NOW + timedelta(days=7, hours=1),
        decided_at=None,
        actions=2,
        waiting=(),
    )


def test_a_partly_decided_suggestion_shows_how_many_are_decided(a_row):
    assert suggestion_words.state_label(a_row) == "Pending · 2 of 2 decided"
    assert suggestion_words.expiry_text(a_row, NOW) == "expires in 7 days"
    assert suggestion_words.expected_effect(a_row) == "Best Sellers Rank improves within 28 days"
    assert suggestion_words.short_expected_effect(a_row) == "rank improves, 28 d"


@pytest.mark.parametrize(
    ("by", "model", "asked_by", "label", "asked"),
    [
        (Advisor.RULES, None, None, "rules", "requested by the daily run"),
        (Advisor.MODEL, "local-8b", "Mia", "model · local-8b", "requested by Mia"),
        (Advisor.AGENT, "nightly script", "Mia", "agent of Mia · nightly script", None),
        (Advisor.AGENT, None, "Mia", "agent of Mia", None),
        (Advisor.AGENT, None, None, "agent of a former user", None),
        (Advisor.PERSON, None, "Mia", "Mia", None),
        (Advisor.PERSON, None, None, "a former user", None),
    ],
)
def test_who_proposes_is_named(a_row, by, model, asked_by, label, asked):
    row = replace(a_row, advisor=by, model=model, asked_by=asked_by)
    assert suggestion_words.advisor_label(row) == label
    assert suggestion_words.request_label(row) == (asked or f"by {label}")
