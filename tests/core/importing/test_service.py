"""The life of an import: offered, confirmed, stored in chunks, gone on with, repeated."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.database.leases import LeaseLostError
from core.errors import InvalidInputError, NotFoundError
from core.importing import service, store_rows
from core.importing.files.source_file import UnreadableFileError
from core.importing.models import ImportPiece, ImportRow, ImportRun
from core.importing.service import Confirmation
from core.tracking.rules import Role
from jobs.tasks.import_files import run_import
from tests.core.importing.conftest import WriteFile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

HISTORY = """asin,marketplace,captured_at,price,bsr,rating,review_count
B0TEST0001,DE,2026-02-01T10:00:00Z,"19,90",1200,4.5,310
B0TEST0001,DE,2026-02-02T10:00:00Z,"21,90",1100,4.5,312
B0TEST0002,JP,2026-02-02T10:00:00Z,2480,88,4.1,95
B0TEST0002,JP,someday,2480,88,4.1,95
not-an-asin,DE,2026-02-02T10:00:00Z,"5,00",1,4,1
"""
WITHOUT_TIME = 'asin,marketplace,price,bsr\nB0TEST0003,DE,"12,50",42\n'


def offer(
    session: Session, principal: Principal, path: Path, name: str | None = None, limit_mb: int = 200
) -> ImportRun:
    return service.offer_import(
        session, principal, service.examine_file(path, name or path.name, limit_mb)
    )


def import_all(
    session: Session,
    principal: Principal,
    path: Path,
    confirmed: Confirmation = Confirmation(),  # noqa: B008
) -> ImportRun:
    """Offer, confirm and run a file; return the import as it ended."""
    run_id = offer(session, principal, path).id
    service.confirm_import(session, principal, run_id, confirmed, datetime.now(UTC))
    session.commit()
    assert run_import(run_id)
    return read_again(session, principal, run_id)


def read_again(session: Session, principal: Principal, run_id: int) -> ImportRun:
    session.expire_all()
    return service.get_import(session, principal, run_id)


def count(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def counts(run: ImportRun) -> tuple[int, int, int, int]:
    return run.rows_read, run.rows_stored, run.rows_known, run.rows_failed


def latest(session: Session, asin: str, column: str) -> object:
    return session.execute(
        text(
            f"SELECT l.{column} FROM product_latest l JOIN product p ON p.id = l.product_id "
            "WHERE p.asin = :asin"
        ),
        {"asin": asin},
    ).scalar_one()


# Offered


def test_an_offered_file_is_recognised_and_nothing_of_it_is_stored_yet(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = offer(session, principal, write_file(HISTORY, "prices.csv"))
    assert (run.kind, run.state, run.rows_estimated) == ("history_file", "offered", 5)
    assert run.preview[0]["asin"] == "B0TEST0001"
    assert [count(session, table) for table in ("product", "snapshot", "tracking")] == [0, 0, 0]


def test_the_bytes_of_an_offer_are_kept_whole(
    session: Session, principal: Principal, write_file: WriteFile, tmp_path: Path
) -> None:
    content = HISTORY.encode() + b"B0TEST0001,DE,2026-02-03T10:00:00Z,1,1,1,1\n" * 60_000
    path = write_file(content, "large.csv")
    run_id = offer(session, principal, path).id
    service.write_import_file(session, run_id, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
    assert session.query(ImportPiece).filter_by(import_run_id=run_id).count() > 1


def test_a_file_over_the_limit_is_refused_and_nothing_of_it_is_kept(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    with pytest.raises(InvalidInputError, match="larger than 0 MB"):
        offer(session, principal, write_file(HISTORY), limit_mb=0)
    assert count(session, "import_run") == 0


@pytest.mark.parametrize(
    "make_content",
    [
        lambda: b"",
        lambda: b"\x89PNG\r\n\x1a\n" + bytes(500),
        lambda: gzip.compress(bytes(300_000_000), 9),  # a second's work
        lambda: b"\x1f\x8b\x08bad",
    ],
    ids=["empty", "picture", "gzip bomb", "broken gzip"],
)
def test_what_is_no_list_is_refused_in_a_sentence(
    session: Session,
    principal: Principal,
    write_file: WriteFile,
    make_content: Callable[[], bytes],
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        offer(session, principal, write_file(make_content(), "upload.csv"))
    assert str(refused.value).strip().endswith((".", ")"))
    assert count(session, "import_run") == 0


def test_an_import_of_another_team_does_not_exist(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run_id = offer(session, principal, write_file(HISTORY)).id
    stranger = replace(principal, team_id=principal.team_id + 1)
    with pytest.raises(NotFoundError):
        service.get_import(session, stranger, run_id)


def test_a_discarded_offer_leaves_no_bytes(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run_id = offer(session, principal, write_file(HISTORY)).id
    service.discard_import(session, principal, run_id)
    assert count(session, "import_piece") == 0
    assert not service.confirm_import(session, principal, run_id, Confirmation(), NOW)


def test_an_unconfirmed_offer_is_dropped_after_a_day(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    offer(session, principal, write_file(HISTORY))
    now = datetime.now(UTC)
    assert service.delete_stale_offers(session, now + timedelta(hours=23)) == 0
    assert service.delete_stale_offers(session, now + timedelta(hours=25)) == 1
    assert count(session, "import_piece") == 0


# Confirmed


def test_a_file_without_times_is_not_taken_without_one(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = offer(session, principal, write_file(WITHOUT_TIME))
    assert run.needs_time
    with pytest.raises(InvalidInputError, match="captured"):
        service.confirm_import(session, principal, run.id, Confirmation(), NOW)


def test_a_file_is_never_captured_in_the_future(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = offer(session, principal, write_file(WITHOUT_TIME))
    tomorrow = Confirmation(captured_at=NOW + timedelta(days=1))
    with pytest.raises(InvalidInputError, match="future"):
        service.confirm_import(session, principal, run.id, tomorrow, NOW)


def test_a_bare_asin_is_not_taken_without_a_marketplace(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = offer(session, principal, write_file("B0TEST0001\nB0TEST0002\n"))
    assert run.needs_marketplace
    with pytest.raises(InvalidInputError, match="marketplace"):
        service.confirm_import(session, principal, run.id, Confirmation(), NOW)


def test_a_marketplace_that_amazon_does_not_have_is_not_taken(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = offer(session, principal, write_file("B0TEST0001\n"))
    with pytest.raises(InvalidInputError, match=r"'XX' is not one of Amazon's marketplaces.* US, "):
        service.confirm_import(session, principal, run.id, Confirmation("XX"), NOW)
    assert run.state == "offered"


def test_only_the_first_confirmation_counts(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = offer(session, principal, write_file(HISTORY))
    assert service.confirm_import(session, principal, run.id, Confirmation(tags=("Spring ",)), NOW)
    assert not service.confirm_import(session, principal, run.id, Confirmation(tags=("late",)), NOW)
    session.flush()
    assert read_again(session, principal, run.id).tags == ["Spring"]


# Stored


def test_every_row_is_stored_known_or_failed(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = import_all(session, principal, write_file(HISTORY))
    assert (run.state, run.error) == ("done", None)
    assert counts(run) == (5, 3, 0, 2)
    assert (run.snapshots_stored, run.products_added) == (3, 2)
    verdicts = session.query(ImportRow).order_by(ImportRow.number).all()
    assert [row.verdict for row in verdicts] == ["stored"] * 3 + ["bad_input", "invalid"]
    assert all(row.detail for row in verdicts[3:])


def test_the_newest_row_of_a_file_becomes_the_latest_value(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    import_all(session, principal, write_file(HISTORY))
    assert latest(session, "B0TEST0001", "price") == 2190
    assert latest(session, "B0TEST0001", "bsr") == 1100
    assert latest(session, "B0TEST0002", "price") == 2480


def test_a_history_that_is_not_fetched_costs_nothing(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    import_all(session, principal, write_file(HISTORY))
    assert count(session, "fetch_schedule") == 0
    paused = session.execute(text("SELECT bool_and(paused_at IS NOT NULL) FROM tracking"))
    assert paused.scalar_one()


def test_a_list_that_is_fetched_is_due_at_once_with_what_was_confirmed(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    confirmed = Confirmation("DE", role=Role.OWN, tags=("spring",), is_fetched=True)
    run = import_all(session, principal, write_file("B0TEST0001\nB0TEST0002\n"), confirmed)
    assert counts(run) == (2, 2, 0, 0)
    followed = session.execute(text("SELECT role, tags, paused_at FROM tracking")).all()
    assert followed == [("own", ["spring"], None)] * 2
    assert count(session, "fetch_schedule WHERE due_at <= now()") == 2


def test_short_links_and_strange_shops_get_their_sentence(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    pasted = (
        "See https://www.amazon.de/dp/B0TEST0001 and https://amzn.eu/d/abc1234\n"
        "or https://www.amazon.com.evil.example/dp/B0TEST0002\n"
    )
    run = import_all(session, principal, write_file(pasted, "pasted text"))
    assert counts(run) == (3, 1, 0, 2)
    refused = session.query(ImportRow).filter(ImportRow.verdict == "invalid").all()
    assert len(refused) == 2
    assert all(row.detail and row.product_id is None for row in refused)


def test_a_file_that_can_not_be_read_after_all_fails_with_its_reason(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = offer(session, principal, write_file(HISTORY))
    service.confirm_import(session, principal, run.id, Confirmation(), datetime.now(UTC))
    session.execute(text("UPDATE import_piece SET body = decode('1f8b08ff', 'hex')"))
    session.commit()
    run_import(run.id)
    ended = read_again(session, principal, run.id)
    assert (ended.state, ended.rows_read) == ("failed", 0)
    assert ended.error
    assert ended.error.endswith(".")


# Again


def test_importing_the_same_file_twice_changes_nothing(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    path = write_file(HISTORY)
    import_all(session, principal, path)
    tables = ("product", "tracking", "snapshot", "product_daily", "listing_version")
    before = [count(session, table) for table in tables]
    again = import_all(session, principal, path)
    assert counts(again) == (5, 0, 3, 2)
    assert (again.snapshots_stored, again.products_added) == (0, 0)
    assert [count(session, table) for table in tables] == before


def test_the_time_of_a_file_is_kept_with_its_hash(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    path = write_file(WITHOUT_TIME)
    import_all(session, principal, path, Confirmation(captured_at=NOW))
    again = import_all(session, principal, path, Confirmation(captured_at=NOW + timedelta(days=1)))
    assert again.captured_at == NOW
    assert counts(again) == (1, 0, 1, 0)
    assert count(session, "snapshot") == 1


@pytest.mark.parametrize("state", ["queued", "running", "failed"])
def test_the_time_of_a_file_is_kept_when_its_first_import_has_not_ended_well(
    session: Session, principal: Principal, write_file: WriteFile, state: str
) -> None:
    path = write_file(WITHOUT_TIME)
    first = offer(session, principal, path)
    service.confirm_import(session, principal, first.id, Confirmation(captured_at=NOW), NOW)
    first.state = state
    session.flush()
    second = offer(session, principal, path)
    assert second.captured_at == NOW
    later = Confirmation(captured_at=NOW - timedelta(days=1))
    service.confirm_import(session, principal, second.id, later, NOW)
    assert second.captured_at == NOW


def test_the_time_of_a_discarded_offer_has_no_effect(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    path = write_file(WITHOUT_TIME)
    first = offer(session, principal, path)
    first.captured_at = NOW
    service.discard_import(session, principal, first.id)
    assert offer(session, principal, path).captured_at is None


def test_a_second_row_of_the_same_moment_is_already_there(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    twice = HISTORY.splitlines()[0] + "\n" + f"{HISTORY.splitlines()[1]}\n" * 2
    run = import_all(session, principal, write_file(twice))
    assert counts(run) == (2, 1, 1, 0)


# Cut short


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_rows, "CHUNK_ROWS", 2)


def test_rows_come_in_chunks_and_none_is_left_out(small_chunks: None) -> None:
    from core.importing.values.rows import Row, bad_row

    rows = [Row(number, "", bad_row("?")) for number in range(1, 6)]
    assert [[row.number for row in chunk] for chunk in store_rows.split_into_chunks(rows)] == [
        [1, 2],
        [3, 4],
        [5],
    ]


def test_rows_before_the_place_where_a_reader_ends_are_kept(small_chunks: None) -> None:
    from core.importing.values.rows import Row, bad_row

    def ending() -> Iterator[Row]:
        yield from (Row(number, "", bad_row("?")) for number in range(1, 4))
        raise UnreadableFileError("The file crashed its reader.")

    found = store_rows.split_into_chunks(ending())
    assert [len(next(found)), len(next(found))] == [2, 1]
    with pytest.raises(UnreadableFileError):
        next(found)


@pytest.mark.usefixtures("small_chunks")
def test_an_import_that_was_cut_short_goes_on_behind_its_last_chunk(
    session: Session, principal: Principal, write_file: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.tasks import import_files

    run_id = offer(session, principal, write_file(HISTORY)).id
    service.confirm_import(session, principal, run_id, Confirmation(), datetime.now(UTC))
    session.commit()
    store, stored = import_files.store_chunk, []

    def store_one(*given: object) -> object:
        if stored:
            raise KeyboardInterrupt
        stored.append(1)
        return store(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(import_files, "store_chunk", store_one)
    with pytest.raises(KeyboardInterrupt):
        run_import(run_id)
    assert counts(read_again(session, principal, run_id)) == (2, 2, 0, 0)

    monkeypatch.setattr(import_files, "store_chunk", store)
    assert not run_import(run_id), "another worker may still run it"
    session.execute(text("UPDATE import_run SET claimed_until = now() - interval '1 minute'"))
    session.commit()
    assert run_import(None)
    ended = read_again(session, principal, run_id)
    assert ended.state == "done"
    assert counts(ended) == (5, 3, 0, 2)
    assert count(session, "snapshot") == 3
    assert count(session, "import_piece") == 0


def test_a_fault_is_tried_once_more_and_then_reported(
    session: Session, principal: Principal, write_file: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.tasks import import_files

    def break_down(*given: object) -> object:
        raise RuntimeError("no space left")

    run_id = offer(session, principal, write_file(HISTORY)).id
    service.confirm_import(session, principal, run_id, Confirmation(), datetime.now(UTC))
    session.commit()
    monkeypatch.setattr(import_files, "store_chunk", break_down)
    for state, words in [("running", "once more"), ("failed", "twice")]:
        with pytest.raises(RuntimeError):
            run_import(run_id)
        run = read_again(session, principal, run_id)
        assert run.state == state
        assert words in (run.error or "")
        session.execute(text("UPDATE import_run SET claimed_until = NULL"))
        session.commit()
    assert not run_import(run_id)


def test_a_role_that_was_chosen_before_outlives_an_import_that_names_none(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    own = Confirmation("DE", role=Role.OWN)
    import_all(session, principal, write_file("B0TEST0001\n", "mine.txt"), own)
    import_all(session, principal, write_file(HISTORY))
    roles = session.execute(text("SELECT role FROM tracking ORDER BY product_id")).scalars().all()
    assert roles == ["own", "watched"]


def test_a_pasted_line_may_name_several_products(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    path = write_file("amazon.de/dp/B0TEST0001 and https://amzn.eu/d/abc1234")
    examined = service.examine_file(path, "pasted text", 1, is_pasted=True)
    assert service.offer_import(session, principal, examined).kind == "pasted_text"


def test_an_import_is_claimed_by_one_worker_only(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = offer(session, principal, write_file(HISTORY))
    service.confirm_import(session, principal, run.id, Confirmation(), NOW)
    anna, ben, term = uuid4(), uuid4(), timedelta(minutes=5)
    assert service.claim_import(session, anna, term) is not None
    assert service.claim_import(session, ben, term) is None
    assert service.renew_import_claim(session, run.id, anna, term)
    for until in ("now() - interval '1 second'", "now() + interval '1 day'"):  # a wrong clock
        session.execute(text(f"UPDATE import_run SET claimed_until = {until}"))
        assert service.claim_import(session, ben, term) is not None
    assert not service.renew_import_claim(session, run.id, anna, term)
    with pytest.raises(LeaseLostError):
        service.lock_claimed_import(session, run.id, anna, 0)


def test_a_row_that_asks_too_much_is_refused_alone(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    listed = f"asin,marketplace,tags\nB0TEST0001,DE,{'x' * 45}\nB0TEST0002,DE,{'y' * 40}\n"
    run = import_all(session, principal, write_file(listed), Confirmation())
    assert (run.state, *counts(run)) == ("done", 2, 1, 0, 1)


RANKS = """timestamp,asin,marketplace,bsr,category,category_rank
2026-02-01T10:00:00Z,B0TEST0001,US,1200,Books,4
2026-02-01T10:00:00Z,B0TEST0001,US,1200,Novels,9
2026-02-01T10:00:00Z,B0TEST0001,US,1200,Poems,2
2026-02-02T10:00:00Z,B0TEST0001,US,1100,Books,5
"""


@pytest.mark.parametrize("size", [1, 500])
def test_a_row_that_another_one_carries_is_there_when_that_one_is(
    session: Session,
    principal: Principal,
    write_file: WriteFile,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    monkeypatch.setattr(store_rows, "CHUNK_ROWS", size)
    path = write_file(RANKS)
    assert counts(import_all(session, principal, path)) == (4, 4, 0, 0)
    again = import_all(session, principal, path)
    assert counts(again) == (4, 0, 4, 0)
    second = session.get_one(ImportRow, (again.id, 2))
    assert (second.verdict, second.detail) == ("already_there", "Read together with row 1.")


def test_a_history_that_is_stored_in_part_has_the_reason_for_the_rest(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    minutes = [8_000_000, 1999, 39_000_000, 2099]  # the second lies in 2085
    product = {"asin": "B0TEST0001", "domainId": 1, "csv": [minutes]}
    run = import_all(session, principal, write_file(json.dumps({"products": [product]})))
    (verdict,) = session.query(ImportRow).filter_by(import_run_id=run.id)
    assert verdict.verdict == "stored"
    assert "1 of 2 observations are new." in (verdict.detail or "")
    assert "future" in (verdict.detail or "")


def test_a_product_that_stays_paused_is_reported_as_paused(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    import_all(session, principal, write_file(HISTORY))
    listed = write_file("B0TEST0001 DE\nB0TEST0009 DE\n", "list.txt")
    run = import_all(session, principal, listed, Confirmation(is_fetched=True))
    first, second = session.query(ImportRow).filter_by(import_run_id=run.id).order_by("number")
    assert (first.verdict, second.verdict) == ("already_tracked", "added")
    assert "paused" in (first.detail or "")
    assert second.detail is None


def test_a_cadence_of_a_list_that_is_not_fetched_counts_for_what_is_running(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    listed = "asin,marketplace,cadence\nB0TEST0001,DE,{}\n"
    running = Confirmation(is_fetched=True)
    import_all(session, principal, write_file(listed.format("daily")), running)
    import_all(session, principal, write_file(listed.format("hourly")))
    minutes = session.execute(text("SELECT cadence_minutes FROM fetch_schedule")).scalars().all()
    assert minutes == [60]


# Contradictions


TWICE = "asin,marketplace,captured_at,price,bsr\n"
MOMENT = "B0TEST0007,US,2026-02-01T10:00:00Z"


def verdicts_of(session: Session, run: ImportRun) -> list[tuple[str, str | None]]:
    rows = session.execute(
        select(ImportRow.verdict, ImportRow.detail)
        .where(ImportRow.import_run_id == run.id)
        .order_by(ImportRow.number)
    )
    return [(row[0], row[1]) for row in rows]


def test_another_value_of_the_same_moment_is_reported_within_a_file_and_against_what_is_stored(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    first = write_file(f"{TWICE}{MOMENT},39.99,450\n{MOMENT},34.99,450\n{MOMENT},39.99,450\n")
    run = import_all(session, principal, first)
    assert [verdict for verdict, _ in verdicts_of(session, run)] == [
        "stored",
        "contradicts",
        "already_there",
    ]
    assert counts(run) == (3, 1, 1, 1)
    assert run.rows_read == run.rows_stored + run.rows_known + run.rows_failed
    later = import_all(session, principal, write_file(f"{TWICE}{MOMENT},39.99,460\n", "later.csv"))
    ((verdict, detail),) = verdicts_of(session, later)
    assert verdict == "contradicts"
    assert detail is not None
    assert "rank" in detail
    assert "price" not in detail
    assert latest(session, "B0TEST0007", "price") == 3999


def test_what_a_second_file_adds_to_a_moment_is_not_lost_silently(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    day = "B0TEST0007,US,2026-02-01"
    import_all(session, principal, write_file(f"asin,marketplace,date,price\n{day},5\n", "a.csv"))
    ranks = write_file(f"asin,marketplace,date,bsr\n{day},88\n", "b.csv")
    ((verdict, _),) = verdicts_of(session, import_all(session, principal, ranks))
    assert verdict == "contradicts"


def test_a_cell_that_can_not_be_read_is_named_by_the_verdict_of_its_stored_row(
    session: Session, principal: Principal, write_file: WriteFile
) -> None:
    run = import_all(session, principal, write_file(f"{TWICE}{MOMENT},cheap,450\n"))
    assert verdicts_of(session, run) == [("stored", "Can't be read: “cheap” in “price”.")]
