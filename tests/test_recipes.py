"""What a step of CONTRIBUTING's recipes that was left out breaks: every member has its words."""

import pytest

from core.history import labels
from core.history.ingest import quality_gate
from core.history.observation import Flag, Source
from core.history.provenance.provenance import _ORIGINAL_FIELDS
from core.history.provenance.text import source_name
from core.history.timeline import series
from core.importing.values.rows import KIND_LABELS, FileKind
from core.scraping.parsers.registry import ACTORS

FLAGS = [flag for flag in Flag if flag]


@pytest.mark.parametrize("source", Source)
def test_every_source_has_a_name(source: Source) -> None:
    assert source_name(source)


def test_every_actors_source_says_where_its_values_stand_in_an_item() -> None:
    sources = {actor.source for actor in ACTORS.values() if actor.source is not None}
    assert sources <= set(_ORIGINAL_FIELDS)


@pytest.mark.parametrize("kind", FileKind)
def test_every_kind_of_file_has_a_name(kind: FileKind) -> None:
    assert KIND_LABELS[kind]


@pytest.mark.parametrize("flag", FLAGS)
def test_every_reason_of_the_gate_has_a_sentence_and_makes_something_doubtful(flag: Flag) -> None:
    assert flag in labels._FLAGS
    fields = (series.PRICE, series.LIST_PRICE, series.RANK, series.RATING, series.RATINGS_COUNT)
    is_of_value = any(flag & field.flags for field in fields)
    # Which amount of a row is wrong it does not say: without a past, the price is flagged too.
    assert is_of_value is (flag is not Flag.AMOUNTS_DISAGREE)


def test_days_and_lines_doubt_the_same_values() -> None:
    assert int(series.PRICE.flags) == quality_gate.PRICE_FLAGS
    assert int(series.RANK.flags) == quality_gate.RANK_FLAGS
    assert int(series.RATING.flags) == quality_gate.RATING_FLAGS
    assert int(series.RATINGS_COUNT.flags) == quality_gate.COUNT_FLAGS
