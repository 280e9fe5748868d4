"""When a listing's text or images deserve a change. Pure.

A text is proposed only where a rule can write it safely from the listing's own words;
where it can't, these rules have no opinion and leave it to a person or a model.
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
    bullets_of_description,
    repaired_bullets,
    repaired_description,
    repaired_title,
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

LEAST_IMAGES = 4  # fewer than this is a gap whatever competitors show
GOOD_IMAGES = 6  # what Amazon recommends beside a video
IMAGE_GAP = 2  # images fewer than better-ranked competitors show
LEAST_RIVALS = 2  # better-ranked competitors: one alone may be an exception
MOST_BULLETS = 5
_WINDOW = 30  # days: a text works slowly


def find_broken_rules(known: EvidenceLookup) -> dict[ListingPart, list[PolicyFinding]]:
    """Return the rules that the listing breaks on the facts' day, by part."""
    found: dict[ListingPart, list[PolicyFinding]] = {}
    for each in lint_listing(known.facts.listing, known.facts.marketplace, day_of(known.facts)):
        found.setdefault(each.part, []).append(each)
    return found


def day_of(facts: Facts) -> date:
    """Return the day of the facts by the marketplace's clock."""
    return local_day(facts.as_of, facts.marketplace)


def local_day(at: datetime, marketplace: str) -> date:
    """Return the day of an aware time in a marketplace."""
    return at.astimezone(ZoneInfo(get_marketplace(marketplace).time_zone)).date()


def advise_title(known: EvidenceLookup, broken: Sequence[PolicyFinding]) -> Advice | None:
    """The title breaks a rule: the same title without what is not allowed."""
    facts = known.facts
    if not broken or facts.asin[:1].isdigit():  # an ISBN: a book's title is its own
        return None
    title = repaired_title(facts.listing, facts.marketplace, day_of(facts))
    if title is None or title == facts.listing.title:
        return None
    proposed = ProposedAction(
        Change.UPDATE_TITLE, {"title": facts.listing.title}, {"title": title}, _said(broken)
    )
    said = f"{_said(broken)} Amazon may rewrite such a title or leave the product out of search."
    cut = len(title) < len(facts.listing.title or "")
    verb = f"Shorten the title to {len(title)} characters" if cut else "Mend the title"
    return _text(known, verb, said, 1, 0.9, ("title_length",), broken, proposed)


def advise_bullets(known: EvidenceLookup, broken: Sequence[PolicyFinding]) -> Advice | None:
    """The bullets break a rule: the same sentences, split, joined or cut."""
    facts, now = known.facts, known.facts.listing.bullets
    if not broken or now is None:
        return None
    day = day_of(facts)
    bullets = repaired_bullets(facts.listing, facts.marketplace, day) if now else None
    bullets = bullets or bullets_of_description(facts.listing, facts.marketplace, day)
    if bullets is None or bullets == now:
        return None
    proposed = ProposedAction(
        Change.UPDATE_BULLETS, {"bullets": list(now)}, {"bullets": list(bullets)}, _said(broken)
    )
    title = f"Put the bullets into {len(bullets)} that keep the rules"
    said = f"{_said(broken)} The proposal uses the listing's own sentences only."
    keys = ("bullet_count", "bullets_length")
    return _text(known, title, said, 2, 0.8, keys, broken, proposed)


def advise_more_bullets(known: EvidenceLookup) -> Advice | None:
    """Better-ranked competitors say more: sentences of the description as further bullets."""
    facts, now = known.facts, known.facts.listing.bullets
    before = known.better_ranked()
    keys = [key for each in before if known.number(key := f"{each}_bullet_count") is not None]
    theirs = known.median_of(keys)
    if not now or theirs is None or len(keys) < LEAST_RIVALS or len(now) + 1 > theirs:
        return None
    more = bullets_of_description(facts.listing, facts.marketplace, day_of(facts)) or ()
    wanted = min(MOST_BULLETS, ceil(theirs))
    bullets = [*now, *(each for each in more if each not in now)][:wanted]
    if len(bullets) == len(now) or not _keeps_rules(facts, bullets):
        return None
    said = (
        f"{len(keys)} better-ranked competitors have {theirs:g} bullets in the middle, this "
        f"listing has {len(now)}. The description already says more."
    )
    proposed = ProposedAction(
        Change.UPDATE_BULLETS, {"bullets": list(now)}, {"bullets": bullets}, said
    )
    cited = ("bullet_count", *keys, "bsr_now", *(f"{each}_bsr" for each in before))
    return _text(known, f"Add {len(bullets) - len(now)} bullets", said, 3, 0.5, cited, (), proposed)


def _keeps_rules(facts: Facts, bullets: Sequence[str]) -> bool:
    proposed = {"bullets": list(bullets)}
    day = day_of(facts)
    return not lint_change(facts.listing, facts.marketplace, day, Change.UPDATE_BULLETS, proposed)


def advise_description(known: EvidenceLookup, broken: Sequence[PolicyFinding]) -> Advice | None:
    """The description promotes: the same text without the phrases."""
    facts, now = known.facts, known.facts.listing.description
    if not broken:
        return None
    text = repaired_description(facts.listing, facts.marketplace, day_of(facts))
    if text is None or text == now:
        return None
    said = _said(broken)
    proposed = ProposedAction(
        Change.UPDATE_DESCRIPTION, {"description": now}, {"description": text}, said
    )
    title = "Take promotional words out of the description"
    return _text(known, title, said, 3, 0.8, ("description_length",), broken, proposed)


def advise_images(known: EvidenceLookup) -> Advice | None:
    """There are few images, absolutely or beside better-ranked competitors."""
    count = known.facts.listing.image_count
    if count is None:
        return None
    before = known.better_ranked()
    keys = [key for each in before if known.number(key := f"{each}_image_count") is not None]
    theirs = known.median_of(keys) if len(keys) >= LEAST_RIVALS else None
    is_behind = theirs is not None and theirs - count >= IMAGE_GAP
    if count >= LEAST_IMAGES and not is_behind:
        return None
    wanted = max(ceil(theirs or 0), GOOD_IMAGES if count < LEAST_IMAGES else 0)
    said = (
        f"Better-ranked competitors show {theirs:g} images in the middle, this listing {count}."
        if is_behind
        else f"The listing shows {count} images; Amazon recommends {GOOD_IMAGES}."
    )
    proposed = ProposedAction(Change.ADD_IMAGES, {"count": count}, {"count": wanted}, said)
    cited = ("image_count", *keys, *((f"{each}_bsr" for each in before) if is_behind else ()))
    title = f"Add {wanted - count} images"
    return _text(known, title, said, 2 if count < LEAST_IMAGES else 3, 0.6, cited, (), proposed)


def _text(
    known: EvidenceLookup,
    title: str,
    reasoning: str,
    priority: int,
    confidence: float,
    keys: Sequence[str],
    broken: Sequence[PolicyFinding],
    proposed: ProposedAction,
) -> Advice:
    figures = known.cite(*keys)
    return Advice(
        title=title,
        reasoning=reasoning,
        priority=priority,
        confidence=confidence,
        metric=Metric.BSR,
        direction=Direction.IMPROVES,
        window_days=_WINDOW,
        evidence=(*figures, *_rules_as_evidence(known, broken)),
        actions=(proposed,),
    )


def _rules_as_evidence(
    known: EvidenceLookup, broken: Sequence[PolicyFinding]
) -> tuple[Evidence, ...]:
    """Return each broken rule with what was measured, by whose word and since when."""
    seen = known.cite("title_length", "bullet_count", "description_length")
    key = seen[0].snapshots if seen else ()
    unique = {each.policy.key: each for each in reversed(broken)}
    return tuple(_rule_as_evidence(each, key) for each in unique.values())


def _rule_as_evidence(finding: PolicyFinding, snapshots: tuple[SnapshotKey, ...]) -> Evidence:
    policy = finding.policy
    since = f"since {policy.since.isoformat()}" if policy.since else None
    unit = "text" if isinstance(finding.measured, str) else policy.unit
    return Evidence(policy.key, policy.says, finding.measured, unit, since, snapshots)


def _said(broken: Sequence[PolicyFinding]) -> str:
    """Return the findings as sentences, each rule once, with the day from which it holds."""
    unique = {each.policy.key: each for each in reversed(broken)}
    return " ".join(each.detail for each in reversed(unique.values()))
