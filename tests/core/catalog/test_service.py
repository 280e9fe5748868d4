"""Products and categories are inserted once, however often they are asked for."""

import threading

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from core.catalog.service import ensure_categories, ensure_products, find_products
from core.database.session import write_scope
from tests.factories.products import KETTLE, LAMP
from tests.factories.tables import fetch_latest, fetch_row


def test_a_product_is_made_once(session: Session) -> None:
    first, new = ensure_products(session, [("US", LAMP), ("US", LAMP)])
    again, none_new = ensure_products(session, [("US", LAMP)])
    assert first == again
    assert (new, none_new) == ({("US", LAMP)}, set())
    assert fetch_latest(session, first["US", LAMP])["data_version"] == 0


def test_the_same_asin_in_two_marketplaces_is_two_products(session: Session) -> None:
    found, _ = ensure_products(session, [("US", LAMP), ("DE", LAMP)])
    assert len(set(found.values())) == 2


def test_no_names_insert_nothing(session: Session) -> None:
    assert ensure_products(session, []) == ({}, set())
    assert ensure_categories(session, []) == {}


def test_only_known_products_are_found(session: Session) -> None:
    known, _ = ensure_products(session, [("US", LAMP)])
    assert find_products(session, [("US", LAMP), ("US", KETTLE)]) == known


def test_a_known_product_keeps_its_id(session: Session) -> None:
    ensure_products(session, [("US", LAMP)], is_demo=True)
    ensure_products(session, [("US", LAMP)])
    assert fetch_row(session, "SELECT is_demo FROM product")["is_demo"] is True


def test_a_category_has_one_id_for_its_name_in_its_marketplace(session: Session) -> None:
    found = ensure_categories(session, [("US", "Lamps"), ("DE", "Lamps"), ("US", "'; --")])
    assert len(set(found.values())) == 3
    assert ensure_categories(session, [("US", "Lamps")]) == {("US", "Lamps"): found["US", "Lamps"]}


def test_many_at_once_making_the_same_products_make_each_once(committed_database: str) -> None:
    keys = [("US", f"B0TEST{n:04d}") for n in range(50)]
    answers: list[dict[tuple[str, str], int]] = []

    def make(order: int) -> None:
        with write_scope() as session:
            answers.append(ensure_products(session, keys[::order])[0])

    threads = [threading.Thread(target=make, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert all(answer == answers[0] for answer in answers)
    engine = create_engine(committed_database)
    with engine.connect() as connection:
        counted = connection.execute(text("SELECT count(*) FROM product_latest")).scalar()
    engine.dispose()
    assert counted == 50
