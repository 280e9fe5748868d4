"""Rules that propose changes of a listing's text or images. Pure.

A rule proposes a text only if it can write it safely from the listing's own words.
Otherwise it proposes nothing and leaves the text to a user or a model.
"""

from collections.abc import Sequence
from datetime import date, datetime
from math import ceil
from zoneinfo import ZoneInfo

from core.catalog.marketplaces import get_marketplace
from core.suggestions.advisors.listing_policies import (
    PolicyFinding,
    lint_change,
    lint_listing,
)
from core.suggestions.advisors.listing_rewriter import (
    make_bullets_from_description,
    repair_bullets,
    repair_description,
    repair_title,
)
from core.suggestions.evidence.lookup import EvidenceLookup
from core.suggestions.rules import (
    Advice,
    Change,
    Direction,
    Evidence,
    Facts,
    ListingPart,
    Metric,
    ProposedAction,
    SnapshotKey,
)

LEAST_IMAGES = 4  # fewer are too few, whatever competitors have
GOOD_IMAGES = 6  # Amazon's recommendation, besides a video
IMAGE_GAP = 2  # how many images fewer than better-ranked competitors are too few
LEAST_COMPETITORS = 2  # better-ranked competitors: one alone may be an exception
MOST_BULLETS = 5
_WINDOW = 30  # days: a change of text takes effect slowly


def find_broken_rules(lookup: EvidenceLookup) -> dict[ListingPart, list[PolicyFinding]]:
    """Return the policy findings of the listing on the facts' day, by part of the listing."""
    found: dict[ListingPart, list[PolicyFinding]] = {}
    for each in lint_listing(
        lookup.facts.listing, lookup.facts.marketplace, get_facts_day(lookup.facts)
    ):
        found.setdefault(each.part, []).append(each)
    return found


def get_facts_day(facts: Facts) -> date:
    """Return the date of the facts in the marketplace's time zone."""
    return get_local_day(facts.as_of, facts.marketplace)


def get_local_day(at: datetime, marketplace: str) -> date:
    """Return the date of an aware time in the marketplace's time zone."""
    return at.astimezone(ZoneInfo(get_marketplace(marketplace).time_zone)).date()


def advise_title(lookup: EvidenceLookup, broken: Sequence[PolicyFinding]) -> Advice | None:
    """Propose the title without what breaks a policy. None for books, whose titles are fixed."""
    facts = lookup.facts
    if not broken or facts.asin[:1].isdigit():  # an ISBN: the publisher sets a book's title
        return None
    title = repair_title(facts.listing, facts.marketplace, get_facts_day(facts))
    if title is None or title == facts.listing.title:
        return None
    proposed = ProposedAction(
        Change.UPDATE_TITLE,
        {"title": facts.listing.title},
        {"title": title},
        _describe_findings(broken),
    )
    reasoning = (
        f"{_describe_findings(broken)} Amazon may rewrite such a title or leave the product out "
        "of search."
    )
    cut = len(title) < len(facts.listing.title or "")
    verb = f"Shorten the title to {len(title)} characters" if cut else "Fix the title"
    return _make_content_advice(
        lookup, verb, reasoning, 1, 0.9, ("title_length",), broken, proposed
    )


def advise_bullets(lookup: EvidenceLookup, broken: Sequence[PolicyFinding]) -> Advice | None:
    """Propose the bullets' own sentences split, joined or cut so that they keep the policies."""
    facts, now = lookup.facts, lookup.facts.listing.bullets
    if not broken or now is None:
        return None
    day = get_facts_day(facts)
    bullets = repair_bullets(facts.listing, facts.marketplace, day) if now else None
    bullets = bullets or make_bullets_from_description(facts.listing, facts.marketplace, day)
    if bullets is None or bullets == now:
        return None
    proposed = ProposedAction(
        Change.UPDATE_BULLETS,
        {"bullets": list(now)},
        {"bullets": list(bullets)},
        _describe_findings(broken),
    )
    title = f"Rewrite the bullets as {len(bullets)} that meet the guidelines"
    reasoning = f"{_describe_findings(broken)} The proposal uses only sentences of the listing."
    keys = ("bullet_count", "bullets_length")
    return _make_content_advice(lookup, title, reasoning, 2, 0.8, keys, broken, proposed)


def advise_more_bullets(lookup: EvidenceLookup) -> Advice | None:
    """Propose sentences of the description as bullets if better-ranked competitors have more."""
    facts, now = lookup.facts, lookup.facts.listing.bullets
    before = lookup.list_better_ranked()
    keys = [key for each in before if lookup.find_number(key := f"{each}_bullet_count") is not None]
    theirs = lookup.find_median(keys)
    if not now or theirs is None or len(keys) < LEAST_COMPETITORS or len(now) + 1 > theirs:
        return None
    more = (
        make_bullets_from_description(facts.listing, facts.marketplace, get_facts_day(facts)) or ()
    )
    target = min(MOST_BULLETS, ceil(theirs))
    bullets = [*now, *(each for each in more if each not in now)][:target]
    if len(bullets) == len(now) or not _keeps_rules(facts, bullets):
        return None
    reasoning = (
        f"{len(keys)} better-ranked competitors have a median of {theirs:g} bullets, this "
        f"listing has {len(now)}. The description has sentences for more."
    )
    proposed = ProposedAction(
        Change.UPDATE_BULLETS, {"bullets": list(now)}, {"bullets": bullets}, reasoning
    )
    cited = ("bullet_count", *keys, "bsr_now", *(f"{each}_bsr" for each in before))
    return _make_content_advice(
        lookup, f"Add {len(bullets) - len(now)} bullets", reasoning, 3, 0.5, cited, (), proposed
    )


def _keeps_rules(facts: Facts, bullets: Sequence[str]) -> bool:
    proposed = {"bullets": list(bullets)}
    day = get_facts_day(facts)
    return not lint_change(facts.listing, facts.marketplace, day, Change.UPDATE_BULLETS, proposed)


def advise_description(lookup: EvidenceLookup, broken: Sequence[PolicyFinding]) -> Advice | None:
    """Propose the description without promotional phrases."""
    facts, now = lookup.facts, lookup.facts.listing.description
    if not broken:
        return None
    text = repair_description(facts.listing, facts.marketplace, get_facts_day(facts))
    if text is None or text == now:
        return None
    reasoning = _describe_findings(broken)
    proposed = ProposedAction(
        Change.UPDATE_DESCRIPTION, {"description": now}, {"description": text}, reasoning
    )
    title = "Remove promotional phrases from the description"
    return _make_content_advice(
        lookup, title, reasoning, 3, 0.8, ("description_length",), broken, proposed
    )


def advise_images(lookup: EvidenceLookup) -> Advice | None:
    """Propose more images if there are few, or fewer than better-ranked competitors have."""
    count = lookup.facts.listing.image_count
    if count is None:
        return None
    before = lookup.list_better_ranked()
    keys = [key for each in before if lookup.find_number(key := f"{each}_image_count") is not None]
    theirs = lookup.find_median(keys) if len(keys) >= LEAST_COMPETITORS else None
    is_behind = theirs is not None and theirs - count >= IMAGE_GAP
    if count >= LEAST_IMAGES and not is_behind:
        return None
    target = max(ceil(theirs or 0), GOOD_IMAGES if count < LEAST_IMAGES else 0)
    reasoning = (
        f"Better-ranked competitors have a median of {theirs:g} images, this listing has {count}."
        if is_behind
        else f"The listing has {count} images; Amazon recommends {GOOD_IMAGES}."
    )
    proposed = ProposedAction(Change.ADD_IMAGES, {"count": count}, {"count": target}, reasoning)
    cited = ("image_count", *keys, *((f"{each}_bsr" for each in before) if is_behind else ()))
    title = f"Add {target - count} images"
    return _make_content_advice(
        lookup, title, reasoning, 2 if count < LEAST_IMAGES else 3, 0.6, cited, (), proposed
    )


def _make_content_advice(
    lookup: EvidenceLookup,
    title: str,
    reasoning: str,
    priority: int,
    confidence: float,
    keys: Sequence[str],
    broken: Sequence[PolicyFinding],
    proposed: ProposedAction,
) -> Advice:
    figures = lookup.cite(*keys)
    return Advice(
        title=title,
        reasoning=reasoning,
        priority=priority,
        confidence=confidence,
        metric=Metric.BSR,
        direction=Direction.IMPROVES,
        window_days=_WINDOW,
        evidence=(*figures, *_rules_as_evidence(lookup, broken)),
        actions=(proposed,),
    )


def _rules_as_evidence(
    lookup: EvidenceLookup, broken: Sequence[PolicyFinding]
) -> tuple[Evidence, ...]:
    """Return each broken policy once, with the measured value and since when it holds."""
    seen = lookup.cite("title_length", "bullet_count", "description_length")
    key = seen[0].snapshots if seen else ()
    unique = {each.policy.key: each for each in reversed(broken)}
    return tuple(_rule_as_evidence(each, key) for each in unique.values())


def _rule_as_evidence(finding: PolicyFinding, snapshots: tuple[SnapshotKey, ...]) -> Evidence:
    policy = finding.policy
    since = f"since {policy.since.isoformat()}" if policy.since else None
    unit = "text" if isinstance(finding.measured, str) else policy.unit
    return Evidence(policy.key, policy.text, finding.measured, unit, since, snapshots)


def _describe_findings(broken: Sequence[PolicyFinding]) -> str:
    """Return the findings as sentences, one for each policy."""
    unique = {each.policy.key: each for each in reversed(broken)}
    return " ".join(each.detail for each in reversed(unique.values()))
