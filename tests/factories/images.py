"""Stored thumbnails."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from core.catalog.images.models import ProductImage
from core.catalog.images.rules import ImageState, find_host, hash_url

URL = "https://m.media-amazon.com/images/I/71E4PWd+laL._AC_SL1500_.jpg"
# A WebP of 1 × 1 px.
PIXEL = bytes.fromhex("524946461a000000574542505650384c0d0000002f00000010071011118888fe0700")


def store_image(session: Session, url: str = URL, **values: Any) -> ProductImage:
    """Store an image with a thumbnail, or with other `values`."""
    usual: dict[str, Any] = {
        "host": find_host(url),
        "state": ImageState.STORED,
        "thumbnail": PIXEL,
        "size": len(PIXEL),
        "width": 1,
        "height": 1,
        "used_at": datetime.now(UTC),
    }
    image = ProductImage(url_hash=hash_url(url), url=url, **(usual | values))
    session.add(image)
    session.commit()
    return image
