"""A listing: the text and images of a product's page. A value; no storage."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Listing:
    """The text and images of a product's page. Text from outside, never trusted."""

    title: str | None = None
    brand: str | None = None
    bullets: tuple[str, ...] = ()
    description: str | None = None
    category_path: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
