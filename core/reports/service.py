"""Keeps reports, and who wants them when. Never commits."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import Person, Team
from core.alerts.notifications.policy import find_zone
from core.errors import InvalidInputError, NotFoundError
from core.reports.content import Report
from core.reports.content_json import dump_report, load_report
from core.reports.models import FeedToken, KeptReport, ReportSubscription
from core.reports.rules import (
    KEPT,
    MOST_ON_REQUEST,
    DueReport,
    ReportKind,
    Subscription,
    check_subscription,
    find_due,
    find_next,
)
from core.suggestions.llm.text_calls import delete_old_texts
from core.suggestions.models import ModelTextCall
from core.tracking.list_filter import ListScope

# Subscriptions


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """A subscription of a user, and when its next report is due."""

    wish: Subscription
    next_at: datetime


@requires(Permission.SELF)
def list_subscriptions(
    session: Session, principal: Principal, now: datetime
) -> list[ListedSubscription]:
    """Return the user's subscriptions."""
    rows = session.scalars(
        select(ReportSubscription)
        .where(ReportSubscription.person_id == principal.person_id)
        .order_by(ReportSubscription.kind)
    )
    zone = ZoneInfo(principal.time_zone)
    return [
        ListedSubscription(wish, find_next(wish, zone, row.last_day, now))
        for row in rows
        for wish in (_to_wish(row),)
    ]


def _to_wish(row: ReportSubscription) -> Subscription:
    kind, scope = ReportKind(row.kind), ListScope(row.scope)
    return Subscription(kind, scope, row.hour, row.weekday, row.by_email, row.has_paragraph)


@requires(Permission.SELF)
def subscribe(session: Session, principal: Principal, wish: Subscription, now: datetime) -> None:
    """Set the user's subscription of a kind; the first report is due after now.

    Raises InvalidInputError for an hour or a weekday that doesn't exist.
    """
    check_subscription(wish)
    chosen = {
        "scope": wish.scope.value,
        "hour": wish.hour,
        "weekday": wish.weekday,
        "by_email": wish.by_email,
        "has_paragraph": wish.has_paragraph,
    }
    key = {"person_id": principal.person_id, "kind": wish.kind.value}
    session.execute(
        insert(ReportSubscription)
        .values(**key, **chosen, since=now)
        .on_conflict_do_update(index_elements=list(key), set_={**chosen, "since": now})
    )
    target, new = f"person:{principal.person_id}", {"kind": wish.kind.value, **chosen}
    audit.record(session, principal, "subscribed to report", target, new=new)


@requires(Permission.SELF)
def unsubscribe(session: Session, principal: Principal, kind: ReportKind) -> bool:
    """End the user's subscription of a kind; return whether there was one."""
    ended = session.execute(
        delete(ReportSubscription)
        .where(
            ReportSubscription.person_id == principal.person_id,
            ReportSubscription.kind == kind.value,
        )
        .returning(ReportSubscription.kind)
    ).first()
    if ended is None:
        return False
    target, old = f"person:{principal.person_id}", {"kind": kind.value}
    audit.record(session, principal, "ended report subscription", target, old)
    return True


@dataclass(frozen=True, slots=True)
class DueSubscription:
    """A report that a user wants and that is not made yet."""

    person_id: int
    wish: Subscription
    due: DueReport


def list_due(session: Session, now: datetime) -> list[DueSubscription]:
    """Return the reports of active users that are due, the longest due first."""
    rows = session.execute(
        select(ReportSubscription, Person.time_zone, Team.time_zone)
        .join(Person, Person.id == ReportSubscription.person_id)
        .join(Team, Team.id == Person.team_id)
        .where(Person.state == "active")
    )
    found = []
    for row, *zones in rows:
        wish = _to_wish(row)
        due = find_due(wish, find_zone(zones), row.since, row.last_day, now)
        if due is not None:
            found.append(DueSubscription(row.person_id, wish, due))
    # Those that wait for a model come after all others.
    return sorted(
        found,
        key=lambda each: (each.wish.has_paragraph, each.due.at, each.person_id, each.wish.kind),
    )


# Kept reports


@dataclass(frozen=True, slots=True)
class ListedReport:
    """A kept report in a list."""

    id: int
    kind: ReportKind
    scope: ListScope
    day: date
    made_at: datetime
    is_subscribed: bool
    is_emailed: bool  # an email of it was put into the outbox


@requires(Permission.READ)
def list_reports(session: Session, principal: Principal, size: int) -> list[ListedReport]:
    """Return at most `size` of the user's reports, the newest first."""
    rows = session.execute(
        select(
            KeptReport.id,
            KeptReport.kind,
            KeptReport.scope,
            KeptReport.day,
            KeptReport.made_at,
            KeptReport.is_subscribed,
            KeptReport.sent == "email",
        )
        .where(KeptReport.person_id == principal.person_id)
        .order_by(KeptReport.made_at.desc(), KeptReport.id.desc())
        .limit(size)
    )
    return [ListedReport(row[0], ReportKind(row[1]), ListScope(row[2]), *row[3:]) for row in rows]


@requires(Permission.READ)
def open_report(session: Session, principal: Principal, report_id: int) -> Report:
    """Return one of the user's reports. Raises NotFoundError for another user's."""
    found = session.scalar(
        select(KeptReport.content).where(
            KeptReport.id == report_id, KeptReport.person_id == principal.person_id
        )
    )
    if found is None:
        raise NotFoundError("You have no such report.")
    return load_report(found)


@requires(Permission.READ)
def keep_report(
    session: Session, principal: Principal, kind: ReportKind, report: Report, day: date
) -> int:
    """Keep a report that the user made on request; return its id.

    Raises InvalidInputError after too many in a day.
    """
    recent = session.scalar(
        select(func.count()).where(
            KeptReport.person_id == principal.person_id,
            ~KeptReport.is_subscribed,
            KeptReport.made_at > report.made_at - timedelta(days=1),
        )
    )
    if (recent or 0) >= MOST_ON_REQUEST:
        raise InvalidInputError(
            f"You made {MOST_ON_REQUEST} reports within a day. Open one of them, or try tomorrow."
        )
    return session.execute(
        insert(KeptReport)
        .values(**_make_row(principal, kind, report, day), is_subscribed=False)
        .returning(KeptReport.id)
    ).scalar_one()


@dataclass(frozen=True, slots=True)
class KeptDueReport:
    """A subscribed report that was just kept. `is_emailed`: its user still wants an email."""

    id: int
    is_emailed: bool


@requires(Permission.READ)
def keep_due_report(
    session: Session, principal: Principal, due: DueSubscription, report: Report
) -> KeptDueReport | None:
    """Keep a subscribed report that was made before; return it, None if it isn't kept.

    It isn't where its subscription ended meanwhile or wants other products, or where another
    worker made it. Another hour or day changes nothing; without emails by now, it has none.
    """
    wish = _lock_wish(session, due)
    if wish is None or wish.scope is not due.wish.scope:
        return None
    number = _keep_once(session, principal, due, report)
    return None if number is None else KeptDueReport(number, wish.by_email and due.wish.by_email)


def _lock_wish(session: Session, due: DueSubscription) -> Subscription | None:
    """Return a due report's subscription as it is now; it stays so to the end."""
    row = session.scalar(
        select(ReportSubscription)
        .where(
            ReportSubscription.person_id == due.person_id,
            ReportSubscription.kind == due.wish.kind.value,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return None if row is None else _to_wish(row)


def _keep_once(
    session: Session, principal: Principal, due: DueSubscription, report: Report
) -> int | None:
    kind, day = due.wish.kind, due.due.day
    number = session.execute(
        insert(KeptReport)
        .values(**_make_row(principal, kind, report, day), is_subscribed=True)
        .on_conflict_do_nothing(
            index_elements=["person_id", "kind", "day"], index_where=text("is_subscribed")
        )
        .returning(KeptReport.id)
    ).scalar()
    session.execute(
        update(ReportSubscription)
        .where(
            ReportSubscription.person_id == principal.person_id,
            ReportSubscription.kind == kind.value,
            func.coalesce(ReportSubscription.last_day, date.min) < day,
        )
        .values(last_day=day)
    )
    return number


def mark_sent(session: Session, report_id: int) -> None:
    """Record that an email of a kept report is in the outbox, which has what became of it."""
    session.execute(update(KeptReport).where(KeptReport.id == report_id).values(sent="email"))


def _make_row(
    principal: Principal, kind: ReportKind, report: Report, day: date
) -> dict[str, object]:
    return {
        "team_id": principal.team_id,
        "person_id": principal.person_id,
        "kind": kind.value,
        "scope": report.scope.value,
        "day": day,
        "made_at": report.made_at,
        "content": dump_report(report),
    }


def delete_old_reports(session: Session, now: datetime) -> int:
    """Delete reports that are too old, and all of erased users; return how many."""
    erased = select(Person.id).where(Person.state == "erased")
    delete_old_texts(session, now, KEPT)
    session.execute(
        update(ModelTextCall)
        .where(ModelTextCall.person_id.in_(erased))
        .values(answer=None, replies=[])
    )
    for table in (ReportSubscription, FeedToken):
        session.execute(delete(table).where(table.person_id.in_(erased)))
    deleted = session.execute(
        delete(KeptReport)
        .where(or_(KeptReport.made_at < now - KEPT, KeptReport.person_id.in_(erased)))
        .returning(KeptReport.id)
    )
    return len(deleted.all())
