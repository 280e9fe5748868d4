"""Operations on stored images. Never commits."""

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from core.catalog.images.models import ProductImage


def record_use(session: Session, image_id: int) -> None:
    """Record that a thumbnail was shown: those unused for longest make room first."""
    session.execute(
        update(ProductImage).where(ProductImage.id == image_id).values(used_at=func.now())
    )
