"""Small files that were once read wrongly, kept outside of the project; tried where they are.

Each of their quirks has tests with inputs of its own elsewhere in this folder.
"""

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.importing import service
from core.importing.models import ImportRun
from core.importing.queries import count_row_results
from core.importing.service import Confirmation
from jobs.tasks.import_files import run_import

FOLDER = Path(
    os.environ.get("AMAZCOPE_FAULT_FILES")
    or Path(__file__).resolve().parents[4] / "shared" / "faults"
)
CAPTURED = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Imported:
    """A file that was imported: how it ended, and what its products show."""

    def __init__(self, session: Session, principal: Principal, name: str) -> None:
        path = FOLDER / name
        if not path.exists():
            pytest.skip(f"the file {name} is not here (set AMAZCOPE_FAULT_FILES)")
        self.session = session
        offered = service.offer_import(session, principal, service.examine_file(path, name, 200))
        self.problems = " ".join(offered.problems)
        self.suggested = (offered.marketplace, offered.captured_at)
        marketplace = offered.marketplace or ("JP" if "jp" in name else "US")
        confirmed = Confirmation(marketplace, offered.captured_at or CAPTURED)
        service.confirm_import(session, principal, offered.id, confirmed, datetime.now(UTC))
        session.commit()
        assert run_import(offered.id)
        session.expire_all()
        self.run: ImportRun = service.get_import(session, principal, offered.id)
        assert self.run.state == "done", self.run.error
        groups = count_row_results(session, principal, offered.id)
        self.verdicts = Counter({group.verdict: group.rows for group in groups})
        assert self.run.rows_read == sum(self.verdicts.values())

    def read_snapshots(self, columns: str) -> list[Any]:
        """Return these columns of its snapshots, by product and time."""
        rows = self.session.execute(
            text(
                f"SELECT {columns} FROM snapshot s JOIN product p ON p.id = s.product_id "
                "WHERE s.import_run_id = :run ORDER BY p.asin, p.marketplace, s.captured_at"
            ),
            {"run": self.run.id},
        )
        return [tuple(row) if len(row) > 1 else row[0] for row in rows]


@pytest.fixture
def imported(session: Session, principal: Principal) -> Any:
    return lambda name: Imported(session, principal, name)


def test_a_report_of_all_listings_is_read_by_the_column_that_holds_asins(imported: Any) -> None:
    report = imported("all_listings_US.txt")
    assert report.read_snapshots("asin, price") == [
        ("B0BUGTEST1", 1999),
        ("B0BUGTEST2", 749),
        ("B0BUGTEST3", 1200),
    ]
    assert "the listing's status" in report.problems


def test_quotation_marks_of_a_tab_file_are_letters(imported: Any) -> None:
    assert imported("fba_inventory_quotes.txt").read_snapshots("price") == [1999, 999, 2999, 899]


def test_stars_sellers_and_missing_values_of_helium_are_what_they_are(imported: Any) -> None:
    xray = imported("Helium_10_Xray_2026-11-20.csv")
    assert xray.read_snapshots("price, rating, ratings_count, bsr, buy_box_seller") == [
        (6795, 47, 308, 22416, "Acme Water Shop"),
        (124900, 40, 1284, 1104828, "Amazon"),
        (None, None, None, None, None),
    ]


def test_a_header_is_found_below_its_title_rows(imported: Any) -> None:
    report = imported("banner_rows.csv")
    assert report.suggested == ("US", CAPTURED)
    assert report.read_snapshots("price, bsr, rating") == [(1999, 1204, 45), (999, 33012, 41)]


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("history_de_dates.csv", ["2025-12-01", "2025-12-31"]),
        ("history_us_dates.csv", ["2025-12-01", "2025-12-31", "2026-01-15"]),
        ("history_excel_serial.csv", ["2025-12-01", "2025-12-02"]),
    ],
)
def test_dates_are_read_as_people_write_them(imported: Any, name: str, days: list[str]) -> None:
    assert (
        imported(name).read_snapshots("to_char(captured_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')")
        == days
    )


def test_a_keepa_export_in_japanese_is_read(imported: Any) -> None:
    (seen,) = imported("KeepaExport-2026-11-20-ProductViewer-jp.csv").read_snapshots(
        "buy_box_price, new_price, amazon_price, bsr, rating, ratings_count"
    )
    assert seen == (2980, 2700, 3100, 15, 44, 321)


def test_keepas_answer_on_an_invalid_asin_changes_nothing(imported: Any) -> None:
    good = imported("keepa_good_before.json")
    before = _listings(good)
    invalid = imported("keepa_invalid_asin.json")
    assert invalid.read_snapshots("price") == []
    assert _listings(invalid) == before
    assert invalid.run.rows_failed == 1


def _listings(imported: Imported) -> list[Any]:
    rows = imported.session.execute(
        text(
            "SELECT l.title, t.listing_changed_at FROM listing_version l "
            "JOIN product_latest t USING (product_id)"
        )
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("zone", "verdicts"),
    [("Europe/Berlin", {"stored": 6}), ("UTC", {"stored": 4, "bad_input": 2})],
)
def test_no_price_of_the_repeated_hour_of_autumn_is_lost_silently(
    session: Session, imported: Any, zone: str, verdicts: dict[str, int]
) -> None:
    session.execute(text("UPDATE person SET time_zone = :zone"), {"zone": zone})
    assert imported("dst_local.csv").verdicts == verdicts


def test_a_contradiction_is_a_verdict_of_its_own(imported: Any) -> None:
    pages = imported("dup_conflict.csv")
    assert pages.verdicts == {"stored": 1, "contradicts": 1, "already_there": 1}


def test_rows_go_to_the_marketplace_of_their_country_column(imported: Any) -> None:
    report = imported("restock_country_region.txt")
    assert report.read_snapshots("marketplace, price") == [("CA", 2699), ("US", 1999)]


def test_local_times_and_long_labels_make_a_history(imported: Any) -> None:
    assert imported("local_time_label.csv").read_snapshots("price, bsr") == [
        (2199, 1204),
        (2049, 1180),
    ]


def test_an_error_column_makes_a_failure(imported: Any) -> None:
    ranks = imported("tracker_error_column.csv")
    assert ranks.read_snapshots("bsr") == [5000]
    assert ranks.verdicts["blocked"] == 1


def test_the_pages_own_word_wins_over_a_missing_price(imported: Any) -> None:
    assert imported("price_missing_fr.csv").read_snapshots("outcome") == ["ok", "unavailable"]


def test_misspelt_currencies_are_the_ones_meant(imported: Any) -> None:
    assert imported("currency_name.csv").read_snapshots("price, currency, flags") == [
        (1000, "GBP", 0)
    ]


def test_the_number_of_ratings_and_the_rank_have_many_names(imported: Any) -> None:
    assert imported("num_ratings.json").read_snapshots("ratings_count, bsr, price") == [
        (250, 1200, 1250)
    ]


def test_counts_of_offers_are_no_prices(imported: Any) -> None:
    export = imported("keepa_offer_counts_as_prices.csv")
    assert "count offers" in export.problems
    assert 6 not in export.read_snapshots("price")


def test_links_of_every_form_name_their_products() -> None:
    path = FOLDER / "links.txt"
    if not path.exists():
        pytest.skip("the file links.txt is not here (set AMAZCOPE_FAULT_FILES)")
    found = service.examine_file(path, "pasted text", 1, is_pasted=True).found
    assert [(row["marketplace"], row["ASIN"]) for row in found.preview] == [
        ("UK", "B003E7UNE4"),
        ("US", "B0140RDK8W"),
        ("US", "B0140RDK8W"),
        ("DE", "B0DG9DD9VN"),
        ("CA", "B0CG19FGQ5"),
        ("", ""),
    ]
    assert found.product_estimate == 4
    assert found.problems == [
        "Line 6: A short link doesn't say which product it leads to. "
        "Open it in a browser and paste the address it ends at."
    ]
