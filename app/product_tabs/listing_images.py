"""The changed images of a listing, side by side: before and after, with what became of each."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import streamlit as st

from app.components.thumbnail import format_thumbnail
from app.data import images as data
from core.catalog.images.image_changes import ImageChanges, ImageMark, MarkedImage
from core.history.product_summary import ProductSummary

VERSIONS: Final = 50  # as many as the tab shows
_WIDTH: Final = 64  # px of a picture
_ROW: Final = "display:flex;flex-wrap:wrap;gap:10px;margin:4px 0 0"
_FIGURE: Final = f"margin:0;width:{_WIDTH}px;font-size:.75rem;line-height:1.25"
_FADED: Final = "opacity:.55"  # of what is the same in both


def list_changes(head: ProductSummary) -> Mapping[datetime, ImageChanges]:
    """Return the changes of the images by when each version was first seen."""
    return data.list_image_changes(head.product_id, head.data_version, VERSIONS)


def show_changes(changes: ImageChanges) -> None:
    """Show how many images changed, and those of both versions side by side."""
    urls = [image.url for image in (*changes.before, *changes.after)]
    addresses = data.find_image_thumbnails(urls)
    st.markdown(f":gray[Images:] {_format_counts(changes)}")
    before, after = st.columns(2)
    before.html(_format_side("Before", changes.before, addresses, "moved to"))
    after.html(_format_side("After", changes.after, addresses, "moved from"))


def _format_counts(changes: ImageChanges) -> str:
    counts = ((mark, changes.count(mark)) for mark in ImageMark if mark is not ImageMark.SAME)
    return ", ".join(f"{count} {mark.value}" for mark, count in counts if count)


def _format_side(
    title: str, images: Iterable[MarkedImage], addresses: Mapping[str, str], moved: str
) -> str:
    """Return the HTML of one version's images; `moved` stands before the other side's place."""
    figures = "".join(_format_figure(image, addresses.get(image.url), moved) for image in images)
    shown = figures or "<span>no images</span>"
    return f'<div style="font-size:.8rem">{title}</div><div style="{_ROW}">{shown}</div>'


def _format_figure(image: MarkedImage, address: str | None, moved: str) -> str:
    picture = format_thumbnail(address, f"Image {image.place}", _WIDTH)
    if image.mark is ImageMark.SAME:
        picture = f'<div style="{_FADED}">{picture}</div>'
    return (
        f'<figure style="{_FIGURE}">{picture}'
        f"<figcaption>{_format_caption(image, moved)}</figcaption></figure>"
    )


def _format_caption(image: MarkedImage, moved: str) -> str:
    if image.mark is ImageMark.SAME:
        return f"{image.place}"
    if image.mark is ImageMark.MOVED:
        return f"{image.place} · {moved} {image.other_place}"
    return f"{image.place} · {image.mark.value}"
