"""The rules advisor: what the facts of one product call for. Pure, no key, no network.

The same facts give the same advice. A handful at most: each rule has an opinion only
where its own history is long enough, and what was declined for the same reasons is not
said again.
"""

from collections.abc import Iterator

from core.suggestions.advisors import content_rules as content
from core.suggestions.advisors import tracking_rules as tracking
from core.suggestions.advisors.pricing_rules import advise_price
from core.suggestions.evidence.lookup import EvidenceLookup
from core.suggestions.fingerprints import is_repeat
from core.suggestions.rules import Advice, Facts, ListingPart


def advise_by_rules(facts: Facts) -> tuple[Advice, ...]:
    """Return what the rules propose for a product, the most urgent first; () for nothing."""
    known = EvidenceLookup(facts)
    found = [each for each in _opinions(known) if each is not None and not is_repeat(each, facts)]
    return tuple(sorted(found, key=lambda each: (each.priority, -each.confidence)))


def _opinions(known: EvidenceLookup) -> Iterator[Advice | None]:
    paused = tracking.advise_pause(known)
    if paused is not None:  # nothing else matters of a page that is gone
        yield paused
        return
    broken = content.find_broken_rules(known)
    yield content.advise_title(known, broken.get(ListingPart.TITLE, ()))
    yield content.advise_bullets(known, broken.get(ListingPart.BULLETS, ()))
    if ListingPart.BULLETS not in broken:
        yield content.advise_more_bullets(known)
    yield content.advise_description(known, broken.get(ListingPart.DESCRIPTION, ()))
    yield content.advise_images(known)
    yield advise_price(known)
    yield tracking.advise_price_threshold(known)
    yield tracking.advise_rank_threshold(known)
    yield tracking.advise_cadence(known)
    yield tracking.advise_competitors(known)
