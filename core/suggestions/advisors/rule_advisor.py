"""The rules advisor: advice on one product from its facts. Pure; needs no key, no network.

The same facts give the same advice. It is a handful at most: a rule has an opinion only if
the product's history is long enough, and does not repeat what was declined for the same
reasons.
"""

from collections.abc import Iterator

from core.suggestions.advisors import content_rules as content
from core.suggestions.advisors import tracking_rules as tracking
from core.suggestions.advisors.pricing_rules import advise_price
from core.suggestions.evidence.lookup import EvidenceLookup
from core.suggestions.fingerprints import is_repeat
from core.suggestions.rules import Advice, Facts, ListingPart


def advise_by_rules(facts: Facts) -> tuple[Advice, ...]:
    """Return what the rules propose for a product, most urgent first; () for nothing."""
    lookup = EvidenceLookup(facts)
    found = [each for each in _run_rules(lookup) if each is not None and not is_repeat(each, facts)]
    return tuple(sorted(found, key=lambda each: (each.priority, -each.confidence)))


def _run_rules(lookup: EvidenceLookup) -> Iterator[Advice | None]:
    paused = tracking.advise_pause(lookup)
    if paused is not None:  # the page is gone: no other advice applies
        yield paused
        return
    broken = content.find_broken_rules(lookup)
    yield content.advise_title(lookup, broken.get(ListingPart.TITLE, ()))
    yield content.advise_bullets(lookup, broken.get(ListingPart.BULLETS, ()))
    if ListingPart.BULLETS not in broken:
        yield content.advise_more_bullets(lookup)
    yield content.advise_description(lookup, broken.get(ListingPart.DESCRIPTION, ()))
    yield content.advise_images(lookup)
    yield advise_price(lookup)
    yield tracking.advise_price_threshold(lookup)
    yield tracking.advise_rank_threshold(lookup)
    yield tracking.advise_cadence(lookup)
    yield tracking.advise_competitors(lookup)
