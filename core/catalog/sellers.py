"""Amazon's ids of sellers, and how names of sellers are compared. Pure."""

import re
import unicodedata

# Ids that were seen have 10 to 14 characters.
_SELLER_ID = re.compile(r"A[0-9A-Z]{7,19}")


def find_seller_id(text: str) -> str | None:
    """Return the seller's id that a text is; None if it is none."""
    bare = text.strip().upper()
    return bare if _SELLER_ID.fullmatch(bare) else None


def comparable_name(name: str) -> str:
    """Return a seller's name for comparison: without case, odd forms and surrounding spaces."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
