"""The review queue: 500 suggestions that wait, beside ten times as many decided ones."""

from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median

from sqlalchemy import text

from benchmarks.figures import Figure, seconds_of
from benchmarks.load import open_each
from benchmarks.rows import build_list, vacuum
from benchmarks.servers import Server, using
from benchmarks.web import running_web
from core.accounts.people.membership import get_owner_principal
from core.database.session import read_scope, write_scope
from core.suggestions.queue_filter import QueueFilter
from core.suggestions.review.queries import read_queue

WAITING, DECIDED = 500, 5000
PRODUCTS = 1000
PAGE_SIZE = 50
TARGET_MS = 120.0
# None is asked twice, so that none is answered from memory.
_QUESTIONS = (
    "",
    "kind=Pricing",
    "kind=Content",
    "kind=Tracking",
    "priority=High",
    "advisor=Rules",
    "about=lamp",
    "about=B00000",
    "status=All",
    "status=Declined",
    "queue_page=2",
    "queue_page=10",
)


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the queue's query alone, and its page as a browser asks for it."""
    with server.shared("review", build_queue) as url, using(url):
        asking = [seconds_of(_ask) for _ in range(5 if quick else 25)]
        with running_web() as web:
            open_each(web.pages, "suggestions", [""] * 3)  # the first runs load modules
            load = open_each(web.pages, "suggestions", list(_QUESTIONS))
            load.raise_errors()
            pages = [run.seconds for run in load.runs]
    yield Figure(
        f"Review queue with {WAITING} waiting: a page",
        median(pages) * 1000,
        "ms",
        best=min(pages) * 1000,
        floor=median(asking) * 1000,
        floor_name="its query",
        target=TARGET_MS,
    )


def _ask() -> None:
    with read_scope() as session:
        read_queue(
            session, get_owner_principal(session), QueueFilter(), 1, PAGE_SIZE, datetime.now(UTC)
        )


def build_queue() -> None:
    """Fill the database with products, and suggestions about them."""
    build_list(PRODUCTS)
    with write_scope() as session:
        team = get_owner_principal(session).team_id
        for state, number in (("pending", WAITING), ("declined", DECIDED)):
            session.execute(text(_SUGGESTIONS), {"team": team, "state": state, "number": number})
        session.execute(text(_ACTIONS))
    vacuum("suggestion, suggestion_action")


_SUGGESTIONS = """
INSERT INTO suggestion (team_id, product_id, kind, title, reasoning, priority, confidence, worth,
    metric, direction, window_days, state, advisor, evidence, change_hash, evidence_hash,
    made_at, expires_at, decided_at)
SELECT :team, p.id, (ARRAY['pricing', 'content', 'tracking'])[1 + n % 3],
    'Do something better, by way of number ' || n, 'Others do it, too.', 1 + n % 3, 0.5,
    n % 97, 'bsr', 'improves', 28, :state, (ARRAY['rules', 'model'])[1 + n % 2], '[]',
    decode(md5(CAST(n AS text)), 'hex'), decode('00', 'hex'), now(), now() + interval '9 days',
    CASE WHEN :state <> 'pending' THEN now() END
FROM generate_series(1, CAST(:number AS int)) AS n
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM product) AS p
    ON p.place = 1 + n % 1000
"""
_ACTIONS = """
INSERT INTO suggestion_action (suggestion_id, place, change, current, proposed, reason, state)
SELECT s.id, place, CASE s.kind WHEN 'pricing' THEN 'update_price' WHEN 'content'
    THEN 'update_title' ELSE 'set_cadence' END, '{}', '{}', 'It sells.', s.state
FROM suggestion s, generate_series(0, 1) AS place
"""
