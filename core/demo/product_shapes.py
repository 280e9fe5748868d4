"""Simple drawings of the demo's products, one shape per category. Loads Pillow when it draws.

Coordinates are those of a picture of 96 × 96; it is drawn four times as large and made smaller,
which smooths its edges.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING, Final

from core.catalog.images.image_decoder import MadeThumbnail, encode_thumbnail

if TYPE_CHECKING:
    from PIL.Image import Image

Point = tuple[float, float]
SIDE: Final = 96
_SCALE: Final = 4


@dataclass(frozen=True, slots=True)
class Colors:
    """The colours of one product: its body, shade, light and accent."""

    body: str
    shade: str
    light: str
    accent: str


# By the place of a product in its category.
PALETTES: Final = (
    Colors("#2f8f86", "#1c625c", "#a5d8d2", "#e2a13c"),
    Colors("#37474f", "#1f2a30", "#9fb0b8", "#d9643a"),
    Colors("#b5493f", "#7d2d26", "#eab6b0", "#3d4b57"),
    Colors("#4a6fb0", "#2d4a80", "#b8c9ea", "#e0b24a"),
    Colors("#8a6a4b", "#5d452f", "#dcc7ae", "#4d8a5f"),
)
GROUNDS: Final = ("#e6f0ef", "#f6ece3", "#e9ecf6", "#eef3e4", "#f6e8ea", "#f4f1e0")


class Canvas:
    """A picture that is drawn in coordinates of 96 × 96."""

    def __init__(self, ground: str) -> None:
        from PIL import Image, ImageDraw

        self._image = Image.new("RGB", (SIDE * _SCALE, SIDE * _SCALE), ground)
        self._draw = ImageDraw.Draw(self._image)

    def fill(self, points: Sequence[Point], color: str) -> None:
        """Fill a polygon."""
        self._draw.polygon([(x * _SCALE, y * _SCALE) for x, y in points], fill=color)

    def box(
        self, left: float, top: float, right: float, bottom: float, color: str, radius: float = 0
    ) -> None:
        """Fill a rectangle with round corners."""
        edges = tuple(value * _SCALE for value in (left, top, right, bottom))
        self._draw.rounded_rectangle(edges, radius * _SCALE, fill=color)

    def oval(self, x: float, y: float, width: float, height: float, color: str) -> None:
        """Fill an ellipse around a point."""
        edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        self._draw.ellipse(tuple(value * _SCALE for value in edges), fill=color)

    def line(self, points: Sequence[Point], color: str, width: float) -> None:
        """Draw a line with round ends and corners."""
        scaled = [(x * _SCALE, y * _SCALE) for x, y in points]
        self._draw.line(scaled, fill=color, width=round(width * _SCALE), joint="curve")
        for x, y in points:
            self.oval(x, y, width, width, color)

    def curve(
        self, x: float, y: float, radius: float, start: int, end: int, color: str, width: float
    ) -> None:
        """Draw a part of a circle; degrees clockwise from the right."""
        steps = [radians(start + (end - start) * step / 24) for step in range(25)]
        points = [(x + radius * cos(angle), y + radius * sin(angle)) for angle in steps]
        self.line(points, color, width)

    def finish(self) -> "Image":
        """Return the picture, four times as large."""
        return self._image


def _draw_earbuds(canvas: Canvas, colors: Colors) -> None:
    canvas.box(22, 50, 74, 80, colors.body, 13)
    canvas.box(22, 50, 74, 60, colors.shade, 5)
    canvas.oval(48, 68, 5, 5, colors.light)
    for x, side in ((34, -1), (62, 1)):
        canvas.oval(x, 28, 17, 17, colors.shade)
        canvas.oval(x + side * 5, 27, 9, 11, colors.light)
        canvas.box(x - 3.5, 28, x + 3.5, 47, colors.shade, 3.5)


def _draw_mat(canvas: Canvas, colors: Colors) -> None:
    canvas.fill([(20, 74), (66, 74), (84, 62), (40, 62)], colors.light)
    canvas.box(14, 42, 78, 72, colors.body, 15)
    canvas.oval(70, 57, 26, 30, colors.shade)
    for size in (18, 11, 4):
        canvas.oval(70, 57, size + 4, size + 6, colors.light if size != 11 else colors.shade)
    for x in (28, 46):
        canvas.box(x, 41, x + 5, 73, colors.accent, 1)
    canvas.curve(38, 42, 11, 180, 360, colors.accent, 3)


def _draw_bottle(canvas: Canvas, colors: Colors) -> None:
    canvas.box(32, 30, 64, 84, colors.body, 8)
    canvas.fill([(32, 38), (64, 38), (57, 24), (39, 24)], colors.body)
    canvas.box(39, 13, 57, 25, colors.shade, 4)
    canvas.curve(48, 13, 6, 180, 360, colors.shade, 3)
    canvas.box(37, 36, 42, 78, colors.light, 2.5)
    canvas.box(32, 56, 64, 62, colors.accent)


def _draw_grinder(canvas: Canvas, colors: Colors) -> None:
    canvas.line([(46, 20), (76, 16)], colors.shade, 4)
    canvas.oval(78, 17, 11, 13, colors.accent)
    canvas.box(43, 16, 51, 30, colors.shade, 3)
    canvas.fill([(30, 40), (64, 40), (58, 27), (36, 27)], colors.light)
    canvas.box(30, 38, 64, 62, colors.body, 4)
    canvas.box(26, 60, 68, 84, colors.shade, 5)
    canvas.box(33, 66, 61, 79, colors.accent, 2)
    canvas.oval(47, 72, 5, 5, colors.light)


def _draw_light(canvas: Canvas, colors: Colors) -> None:
    canvas.fill([(66, 30), (92, 14), (92, 74), (66, 58)], "#fbe6a2")
    canvas.box(22, 28, 62, 60, colors.body, 9)
    canvas.box(58, 24, 70, 64, colors.shade, 5)
    canvas.oval(66, 44, 7, 30, "#fff6d8")
    canvas.box(30, 35, 46, 40, colors.light, 2)
    canvas.box(34, 60, 50, 70, colors.shade, 2)
    canvas.curve(42, 77, 8, 0, 360, colors.shade, 4)


def _draw_lamp(canvas: Canvas, colors: Colors) -> None:
    canvas.fill([(30, 44), (62, 40), (78, 78), (16, 78)], "#fbeec2")
    canvas.box(52, 78, 86, 85, colors.shade, 3.5)
    canvas.line([(70, 79), (76, 50), (52, 22)], colors.body, 4)
    canvas.oval(76, 50, 8, 8, colors.accent)
    canvas.fill([(44, 16), (60, 26), (62, 40), (30, 44)], colors.shade)
    canvas.oval(46, 42, 32, 8, "#fff6d8")


def _draw_teapot(canvas: Canvas, colors: Colors) -> None:
    canvas.line([(66, 58), (78, 52), (84, 40)], colors.body, 8)
    canvas.curve(22, 56, 13, 70, 290, colors.shade, 5)
    canvas.oval(46, 60, 52, 44, colors.body)
    canvas.oval(46, 66, 40, 26, colors.accent)
    canvas.oval(34, 52, 8, 14, colors.light)
    canvas.oval(46, 40, 32, 9, colors.shade)
    canvas.oval(46, 33, 8, 8, colors.shade)


def _draw_pen(canvas: Canvas, colors: Colors) -> None:
    canvas.line([(70, 22), (42, 52)], colors.body, 13)
    canvas.line([(76, 16), (72, 20)], colors.shade, 13)
    canvas.line([(64, 36), (78, 22)], colors.accent, 2.5)
    canvas.line([(46, 48), (42, 52)], colors.accent, 13)
    canvas.fill([(35, 50), (44, 59), (22, 74)], "#d8b45a")
    canvas.line([(31, 65), (37, 58)], colors.shade, 1.5)
    canvas.line([(20, 78), (34, 82), (48, 77), (64, 82), (76, 78)], colors.shade, 2)


def _draw_humidifier(canvas: Canvas, colors: Colors) -> None:
    for x, y, size in ((46, 22, 13), (56, 14, 10), (38, 12, 8)):
        canvas.oval(x, y, size * 1.6, size, "#ffffff")
    canvas.box(28, 34, 68, 84, colors.body, 17)
    canvas.box(28, 62, 68, 84, colors.shade, 9)
    canvas.oval(48, 37, 22, 7, colors.light)
    canvas.oval(48, 72, 8, 8, colors.accent)
    canvas.box(34, 44, 39, 58, colors.light, 2.5)


def _draw_knife(canvas: Canvas, colors: Colors) -> None:
    canvas.fill([(34, 56), (80, 10), (86, 18), (74, 40), (44, 66)], "#c3ccd1")
    canvas.fill([(39, 61), (86, 18), (74, 40), (44, 66)], "#e9eef0")
    canvas.line([(36, 60), (16, 80)], colors.shade, 12)
    canvas.line([(42, 54), (37, 59)], colors.accent, 12)
    for x, y in ((31, 65), (24, 72), (17, 79)):
        canvas.oval(x, y, 3, 3, colors.light)


def _draw_can(canvas: Canvas, colors: Colors) -> None:
    canvas.line([(54, 66), (80, 34)], colors.body, 6)
    canvas.fill([(74, 26), (88, 36), (80, 42), (70, 34)], colors.shade)
    canvas.curve(22, 56, 12, 80, 280, colors.shade, 4.5)
    canvas.fill([(22, 42), (58, 42), (62, 80), (18, 80)], colors.body)
    canvas.oval(40, 42, 36, 9, colors.shade)
    canvas.curve(40, 40, 14, 190, 350, colors.shade, 4)
    canvas.box(26, 50, 31, 74, colors.light, 2.5)


def _draw_backpack(canvas: Canvas, colors: Colors) -> None:
    canvas.curve(48, 20, 8, 180, 360, colors.shade, 4)
    canvas.box(24, 18, 72, 84, colors.body, 16)
    canvas.box(18, 46, 26, 76, colors.shade, 4)
    canvas.box(70, 46, 78, 76, colors.shade, 4)
    canvas.line([(32, 34), (64, 34)], colors.light, 2)
    canvas.box(31, 50, 65, 78, colors.shade, 7)
    canvas.line([(37, 58), (59, 58)], colors.light, 2)
    canvas.box(45, 58, 51, 66, colors.accent, 2)


SHAPES: Final[tuple[Callable[[Canvas, Colors], None], ...]] = (  # of the categories, in order
    _draw_earbuds,
    _draw_mat,
    _draw_bottle,
    _draw_grinder,
    _draw_light,
    _draw_lamp,
    _draw_teapot,
    _draw_pen,
    _draw_humidifier,
    _draw_knife,
    _draw_can,
    _draw_backpack,
)

# As core/demo/market/ names images: by ASIN (category and place) and number.
_ADDRESS: Final = re.compile(r".*/demo-B0DEMO(\d\d)(\d\d)-(\d+)[^/]*?(?:-more-(\d+))?\.jpg")


def draw_pictures(urls: Sequence[str]) -> list[tuple[str, MadeThumbnail]]:
    """Return the pictures of the demo's image addresses; others are left out."""
    found = [(url, _ADDRESS.fullmatch(url)) for url in urls]
    return [(url, encode_thumbnail(_draw_picture(address))) for url, address in found if address]


def _draw_picture(address: re.Match[str]) -> "Image":
    from PIL import Image

    category, place = int(address[1]) - 1, int(address[2]) - 1
    number = int(address[4] or address[3]) - 1
    ground = category + number + number // len(_VIEWS)  # a view that comes again has another
    canvas = Canvas(GROUNDS[ground % len(GROUNDS)])
    SHAPES[category % len(SHAPES)](canvas, PALETTES[(place + category) % len(PALETTES)])
    view = _VIEWS[number % len(_VIEWS)](canvas.finish())
    return view.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _show_whole(picture: "Image") -> "Image":
    return picture


def _show_mirrored(picture: "Image") -> "Image":
    from PIL import ImageOps

    return ImageOps.mirror(picture)


def _show_top(picture: "Image") -> "Image":
    return picture.crop((picture.width // 5, 0, picture.width * 4 // 5, picture.height * 3 // 5))


def _show_tilted(picture: "Image") -> "Image":
    from PIL import Image

    corner = picture.getpixel((0, 0))
    return picture.rotate(16, Image.Resampling.BICUBIC, fillcolor=corner)


def _show_bottom(picture: "Image") -> "Image":
    return picture.crop(
        (picture.width // 4, picture.height // 3, picture.width * 11 // 12, picture.height)
    )


def _show_pair(picture: "Image") -> "Image":
    from PIL import Image

    half = picture.resize((picture.width // 2, picture.height // 2))
    both = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
    both.paste(half, (0, picture.height // 4))
    both.paste(_show_mirrored(half), (picture.width // 2, picture.height // 4))
    return both


_VIEWS: Final[tuple[Callable[["Image"], "Image"], ...]] = (  # of a product's images, in order
    _show_whole,
    _show_mirrored,
    _show_top,
    _show_pair,
    _show_tilted,
    _show_bottom,
)
