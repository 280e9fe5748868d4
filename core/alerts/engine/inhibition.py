"""What keeps incidents from being sent: an outage, a removed listing, an approved change.

A muted incident is stored like any other. Never commits.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.alerts.engine.incident_rows import FoundIncident
from core.alerts.engine.outages import read_open_outages
from core.alerts.rules.rule import (
    AMOUNTS,
    LISTING_PARTS,
    REMOVED,
    AlertRule,
    Subject,
)
from core.catalog.listing_versions import as_listing
from core.catalog.models import ListingVersion, ProductLatest
from core.database.session import driver_connection
from core.history.expected.queries import read_expected_values
from core.history.expected.rules import (
    ExpectedField,
    ExpectedValue,
    Explanation,
    explain_listing,
)
from core.scraping.runs.models import FetchRun

OUTAGE: Final = "outage"
LISTING_REMOVED: Final = "listing_removed"
APPROVED_CHANGE: Final = "approved_change"
# What follows from a removed listing.
_CONSEQUENCES: Final = AMOUNTS | {
    Subject.RANK,
    Subject.COUPON_PERCENT,
    Subject.STOCK_LEFT,
    Subject.OFFERS_NEW,
    Subject.OFFERS_USED,
    Subject.AVAILABILITY,
    Subject.PRICE_LIMITS,
}
_FIELDS: Final[Mapping[Subject, ExpectedField]] = {
    Subject.TITLE: ExpectedField.TITLE,
    Subject.BULLETS: ExpectedField.BULLETS,
    Subject.DESCRIPTION: ExpectedField.DESCRIPTION,
    Subject.IMAGES: ExpectedField.IMAGES,
    Subject.CATEGORY: ExpectedField.CATEGORY,
}


def is_consequence_of_removal(rule: AlertRule) -> bool:
    """Return whether a rule's incidents follow from a removed listing. Pure.

    A rule that asks for the removal, alone or among other states, is muted by nothing of it.
    """
    asks_for_it = any(
        each.subject is Subject.AVAILABILITY and each.states & REMOVED for each in rule.conditions
    )
    return not asks_for_it and all(each in _CONSEQUENCES for each in rule.subjects)


def find_mutes(session: Session, found: Sequence[FoundIncident]) -> list[str | None]:
    """Return for each new incident what keeps it from being sent; None: nothing."""
    if not found:
        return []
    blocked = _find_blocked_runs(session, found)
    removed = _find_removed(session, sorted({each.product_id for each in found}))
    approved = _Approvals(session, found)
    return [
        OUTAGE
        if each.fetch_run_id in blocked
        else LISTING_REMOVED
        if each.product_id in removed and is_consequence_of_removal(each.scoped.rule)
        else APPROVED_CHANGE
        if approved.explain(each)
        else None
        for each in found
    ]


def _find_blocked_runs(session: Session, found: Sequence[FoundIncident]) -> set[int | None]:
    """Return the runs of actors that are mostly blocked in their marketplaces."""
    outages = {(each.marketplace, each.actor) for each in read_open_outages(session)}
    runs = sorted({each.fetch_run_id for each in found if each.fetch_run_id is not None})
    if not outages or not runs:
        return set()
    rows = session.execute(
        select(FetchRun.id, FetchRun.marketplace, FetchRun.actor).where(FetchRun.id.in_(runs))
    )
    return {number for number, marketplace, actor in rows if (marketplace, actor) in outages}


def _find_removed(session: Session, product_ids: Sequence[int]) -> set[int]:
    """Return the products whose listing is removed."""
    return set(
        session.scalars(
            select(ProductLatest.product_id).where(
                ProductLatest.product_id.in_(product_ids), ProductLatest.availability.in_(REMOVED)
            )
        )
    )


class _Approvals:
    """What teams approved for the products of some incidents."""

    def __init__(self, session: Session, found: Sequence[FoundIncident]) -> None:
        self._session = session
        concerned = [each for each in found if _concerns_approvals(each.scoped.rule)]
        products: dict[int, set[int]] = {}
        for each in concerned:
            products.setdefault(each.scoped.stored.team_id, set()).add(each.product_id)
        self._expected = {
            team: read_expected_values(session, team, sorted(numbers))
            for team, numbers in products.items()
        }

    def explain(self, found: FoundIncident) -> bool:
        """Return whether all that an incident found was approved."""
        rule, incident = found.scoped.rule, found.incident
        if not _concerns_approvals(rule):
            return False
        expected = self._expected[found.scoped.stored.team_id].get(found.product_id, [])
        if not expected:
            return False
        explained: Mapping[ExpectedField, Explanation] | None = None
        for condition, finding in zip(rule.conditions, incident.findings, strict=True):
            if finding is None:
                continue
            if condition.subject in LISTING_PARTS:
                explained = explained or self._explain_listing(found, expected)
                if explained.get(_FIELDS[condition.subject]) is not Explanation.EXPLAINED:
                    return False
            elif not any(
                each.field is ExpectedField.PRICE
                and each.is_expected_at(finding.at)
                and each.is_shown_by(finding.value)
                for each in expected
            ):
                return False
        return True

    def _explain_listing(
        self, found: FoundIncident, expected: Sequence[ExpectedValue]
    ) -> Mapping[ExpectedField, Explanation]:
        """Return whether the parts of the version at an incident's opening were approved."""
        at = max(each.at for each in found.incident.findings if each is not None)
        newest = (
            select(ListingVersion)
            .where(
                ListingVersion.product_id == found.product_id, ListingVersion.first_seen_at <= at
            )
            .order_by(ListingVersion.first_seen_at.desc(), ListingVersion.id.desc())
            .limit(2)
        )
        versions = [as_listing(each) for each in self._session.scalars(newest)]
        if len(versions) < 2:
            return {}
        after, before = versions
        return explain_listing(expected, before, after, at)


def _concerns_approvals(rule: AlertRule) -> bool:
    return all(each is Subject.PRICE or each in LISTING_PARTS for each in rule.subjects)


_MUTE: Final = f"""
UPDATE incident AS i SET muted_by = '{LISTING_REMOVED}'
FROM unnest(%s::int8[], %s::int8[]) AS n (rule, product)
WHERE i.rule_id = n.rule AND i.product_id = n.product AND i.state IN ('firing', 'flapping')
    AND i.muted_by IS NULL
"""
_UNMUTE: Final = f"""
UPDATE incident
SET muted_by = NULL, planned_state = CASE WHEN planned_state = 'none' THEN 'none' END
WHERE product_id = ANY(%s) AND muted_by = '{LISTING_REMOVED}' AND state IN ('firing', 'flapping')
"""


def update_removal_mutes(
    session: Session, rules_of: Mapping[int, Sequence[tuple[int, AlertRule]]]
) -> None:
    """Mute what lasts of products whose listing is removed, and unmute what lasts of the others.

    `rules_of`: by product the ids of its rules with the rules.
    """
    if not rules_of:
        return
    removed = _find_removed(session, sorted(rules_of))
    pairs = [
        (rule_id, product_id)
        for product_id in sorted(removed)
        for rule_id, rule in rules_of[product_id]
        if is_consequence_of_removal(rule)
    ]
    connection = driver_connection(session)
    if pairs:
        rules, products = zip(*pairs, strict=True)
        connection.execute(_MUTE, [list(rules), list(products)])
    connection.execute(_UNMUTE, [sorted(rules_of.keys() - removed)])
