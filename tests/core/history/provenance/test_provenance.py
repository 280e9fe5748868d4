"""Where values come from."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.errors import InvalidInputError
from core.history.observation import Flag, Outcome, Seen, Source
from core.history.provenance.provenance import (
    Provenance,
    find_latest_provenance,
    find_provenance,
    find_value_provenance,
    read_raw_item,
)
from core.history.provenance.text import provenance_lines
from core.scraping.runs.store_items import ensure_raw_partition
from tests.core.history.observations import (
    SEEN,
    make_fetch_run,
    make_sourced,
    store,
    this_hour,
    track_product,
)

HOUR = timedelta(hours=1)


def test_a_fetched_figure_names_its_run_and_field(session: Session, principal: Principal):
    product, now, run = track_product(session, principal), this_hour(), make_fetch_run(session)
    store(session, [make_sourced(product, now - HOUR, fetch_run_id=run)])
    origin = find_latest_provenance(session, product, "rating")
    assert origin is not None
    assert (origin.value, origin.source, origin.outcome) == (43, Source.AXESSO, Outcome.OK)
    assert origin.captured_at == now - HOUR
    assert origin.original_field == "productRating"
    assert origin.fetch is not None
    assert (origin.fetch.actor, origin.fetch.outside_run_id) == ("maker/details", "RUN1")
    assert not origin.fetch.is_original_kept
    words = dict(provenance_lines(origin, "US", "UTC", 30))
    assert words["Value"] == "4.3"
    assert words["Source"] == "maker/details"
    assert words["Original item"] == "deleted: originals are kept 30 days"


def test_an_original_that_is_kept_names_its_parser_and_can_be_had(
    session: Session, principal: Principal
):
    product, now, run = track_product(session, principal), this_hour(), make_fetch_run(session)
    store(session, [make_sourced(product, now - HOUR, fetch_run_id=run)])
    ensure_raw_partition(session, now)
    session.execute(
        text("INSERT INTO raw_item VALUES (:run, :product, :now, 7, '\\x0102')"),
        {"run": run, "product": product, "now": now},
    )
    session.execute(
        text(
            "INSERT INTO fetch_item (fetch_run_id, product_id, outcome, parser_version) "
            "VALUES (:run, :product, 'ok', 7)"
        ),
        {"run": run, "product": product},
    )
    origin = find_latest_provenance(session, product, "price")
    assert origin is not None
    assert origin.fetch is not None
    assert (origin.fetch.parser_version, origin.stored_at) == (7, now)
    assert read_raw_item(session, product, run, now - HOUR) == b"\x01\x02"


def test_an_imported_figure_names_its_file_and_person(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    imported = session.execute(
        text(
            "INSERT INTO import_run (team_id, person_id, name, kind, state, file_hash, "
            "file_bytes) VALUES (:team, :person, 'prices.csv', 'history', 'done', '\\xabcd', 9) "
            "RETURNING id"
        ),
        {"team": principal.team_id, "person": principal.person_id},
    ).scalar_one()
    store(session, [make_sourced(product, now - HOUR, import_run_id=imported)])
    origin = find_latest_provenance(session, product, "price")
    assert origin is not None
    assert origin.imported is not None
    words = dict(provenance_lines(origin, "US", "UTC", 30))
    assert words["File"] == "prices.csv (history)"
    assert words["SHA-256 of the file"] == "abcd"
    assert words["Imported by"] == principal.name


def test_a_flagged_price_of_a_snapshot_has_its_flags(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(
        session,
        [make_sourced(product, now - 2 * HOUR), make_sourced(product, now - HOUR, price=199900)],
    )
    origin = find_provenance(session, product, "price", now - HOUR, int(Source.AXESSO))
    assert origin is not None
    assert origin.flags == Flag.PRICE_JUMP
    assert "far off" in dict(provenance_lines(origin, "US", "UTC", 30))["Quality flags"]


def test_the_latest_price_comes_from_the_snapshot_that_was_accepted(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    store(
        session,
        [make_sourced(product, now - 2 * HOUR), make_sourced(product, now - HOUR, price=199900)],
    )
    origin = find_latest_provenance(session, product, "price")
    assert origin is not None
    assert (origin.value, origin.captured_at) == (1999, now - 2 * HOUR)


def test_none_and_not_reported_are_different(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR, price=None, seen=SEEN & ~Seen.BSR, ranks=())])
    at = (now - HOUR, int(Source.AXESSO))
    words = [
        dict(provenance_lines(origin, "US", "UTC", 30))["Value"]
        for column in ("price", "bsr")
        if (origin := find_provenance(session, product, column, *at))
    ]
    assert words == ["none", "not reported by this source"]


def test_what_was_never_seen_has_no_origin(session: Session, principal: Principal):
    assert find_latest_provenance(session, track_product(session, principal), "bsr") is None


def test_a_column_without_provenance_is_refused(session: Session, principal: Principal):
    with pytest.raises(InvalidInputError, match="'shoe' has no provenance"):
        find_latest_provenance(session, 1, "shoe")


def test_a_value_is_traced_into_the_period_and_only_else_to_before_it(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    prices = {50: 1500, 40: 1500, 11: 1999, 2: 1999}  # hours ago
    store(
        session, [make_sourced(product, now - h * HOUR, price=price) for h, price in prices.items()]
    )
    period, oldest = (now - 10 * HOUR, now), now - 50 * HOUR

    def traced(value: int) -> Provenance | None:
        return find_value_provenance(session, product, "price", value, period, oldest)

    before, inside = traced(1500), traced(1999)
    assert before is not None
    assert inside is not None
    assert (before.captured_at, inside.captured_at) == (now - 40 * HOUR, now - 2 * HOUR)
    assert traced(1) is None


def test_the_current_value_comes_from_the_last_observation_with_it(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    prices = {9: 1999, 5: 1500, 2: 1999, 1: 1999}  # hours ago
    store(
        session, [make_sourced(product, now - h * HOUR, price=price) for h, price in prices.items()]
    )
    period = (now - 10 * HOUR, now)
    found = find_value_provenance(
        session, product, "price", 1999, period, now - 50 * HOUR, last=True
    )
    assert found is not None
    assert found.captured_at == now - HOUR


def test_a_flagged_value_is_not_the_provenance_of_a_figure(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(
        session,
        [make_sourced(product, now - 3 * HOUR), make_sourced(product, now - HOUR, price=199900)],
    )
    period = (now - 10 * HOUR, now)
    assert find_value_provenance(session, product, "price", 199900, period, period[0]) is None


def test_a_rank_is_traced_within_its_category(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR)])
    kitchen = session.execute(text("SELECT id FROM category WHERE name = 'Kitchen'")).scalar_one()
    period = (now - 10 * HOUR, now)
    found = find_value_provenance(session, product, "bsr", 1200, period, period[0], kitchen)
    assert found is not None
    other = find_value_provenance(session, product, "bsr", 1200, period, period[0], kitchen + 1)
    assert other is None


def test_an_unknown_time_of_storing_has_a_reason(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR)])
    origin = find_latest_provenance(session, product, "price")
    assert origin is not None
    assert dict(provenance_lines(origin, "US", "UTC", 30))["Stored"].startswith(
        "unknown: its run or file"
    )
