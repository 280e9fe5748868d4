"""A listing: what a product's page says. A value; no storage."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Listing:
    """What the page says: text and images. Text from outside, never trusted."""

    title: str | None = None
    brand: str | None = None
    bullets: tuple[str, ...] = ()
    description: str | None = None
    category_path: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
