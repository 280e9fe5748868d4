"""What a step of CONTRIBUTING's recipes that was left out breaks: every member has its words."""

import pytest

from core.alerts.notifications.labels import CHANNELS
from core.delivery.channels.registry import ChannelKind
from core.history import labels
from core.history.ingest import quality_gate
from core.history.observation import Flag, Source
from core.history.provenance.provenance import _ORIGINAL_FIELDS
from core.history.provenance.text import source_name
from core.history.timeline import series
from core.importing.values.rows import KIND_LABELS, FileKind
from core.reports import report_text
from core.reports.content import FigureKind
from core.reports.day_comparison import compute_figures
from core.scraping.parsers.registry import ACTORS
from core.suggestions.advisors import listing_policies
from core.suggestions.advisors.listing_policies import Policy

FLAGS = [flag for flag in Flag if flag]


@pytest.mark.parametrize("source", Source)
def test_every_source_has_a_name(source: Source) -> None:
    assert source_name(source)


def test_every_actors_source_locates_its_values_in_an_item() -> None:
    sources = {actor.source for actor in ACTORS.values() if actor.source is not None}
    assert sources <= set(_ORIGINAL_FIELDS)


@pytest.mark.parametrize("kind", FileKind)
def test_every_kind_of_file_has_a_name(kind: FileKind) -> None:
    assert KIND_LABELS[kind]


@pytest.mark.parametrize("kind", ChannelKind)
def test_every_kind_of_channel_has_a_name(kind: ChannelKind) -> None:
    assert CHANNELS[kind]


@pytest.mark.parametrize("flag", FLAGS)
def test_every_reason_of_the_gate_has_a_sentence_and_flags_a_value(flag: Flag) -> None:
    assert flag in labels._FLAGS
    fields = (series.PRICE, series.LIST_PRICE, series.RANK, series.RATING, series.RATINGS_COUNT)
    is_of_value = any(flag & field.flags for field in fields)
    # It doesn't name the wrong amount of a row: without a past, the price is flagged too.
    assert is_of_value is (flag is not Flag.AMOUNTS_DISAGREE)


def test_days_and_lines_doubt_the_same_values() -> None:
    assert int(series.PRICE.flags) == quality_gate.PRICE_FLAGS
    assert int(series.RANK.flags) == quality_gate.RANK_FLAGS
    assert int(series.RATING.flags) == quality_gate.RATING_FLAGS
    assert int(series.RATINGS_COUNT.flags) == quality_gate.COUNT_FLAGS


def test_every_listing_rule_has_a_check() -> None:
    rules = {each.key for each in vars(listing_policies).values() if isinstance(each, Policy)}
    checked = {rule.key for rule, _ in listing_policies._CHECKS}
    # That rule depends on what the checks of the title found, and comes after them.
    assert rules - checked == {listing_policies.HIGHLIGHTS_TITLE.key}


def test_every_figure_of_a_report_is_computed_and_has_a_label() -> None:
    figures = compute_figures((), {})
    assert [each.kind for each in figures] == list(FigureKind)
    assert all(each.value is None and each.reason for each in figures)
    assert list(report_text._FIGURE_LABELS) == list(FigureKind)
