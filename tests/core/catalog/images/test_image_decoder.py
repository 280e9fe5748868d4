"""Images become small pictures; what is made to do harm becomes a reason."""

import io
import random
import struct
import zlib

import pytest
from PIL import Image

from core.catalog.images.image_decoder import MadeThumbnail, is_image, make_thumbnail
from core.catalog.images.rules import LARGEST_THUMBNAIL, SIDE
from core.importing.files.isolation import call_isolated
from jobs.tasks.fetch_images import DECODING
from tests.image_server import draw_image


def opened(made: MadeThumbnail | str) -> Image.Image:
    assert isinstance(made, MadeThumbnail), made
    image = Image.open(io.BytesIO(made.body))
    assert (image.format, image.size) == ("WEBP", (made.width, made.height))
    assert len(made.body) <= LARGEST_THUMBNAIL
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "expected"),
    [((1500, 1500), (96, 96)), ((900, 300), (96, 32)), ((30, 20), (30, 20)), ((9000, 2), (96, 1))],
)
def test_a_thumbnail_keeps_the_shape_within_96_px(
    kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert opened(make_thumbnail(draw_image(kind, size))).size == expected


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_every_mode_of_colour_becomes_a_picture(mode: str) -> None:
    kind = {"RGBA": "PNG", "P": "PNG"}.get(mode, "JPEG")
    image = opened(make_thumbnail(draw_image(kind, (200, 200), mode)))
    left, right = image.getpixel((5, 50)), image.getpixel((90, 50))
    assert left != right


def test_what_is_transparent_is_white() -> None:
    body = io.BytesIO()
    Image.new("RGBA", (100, 100), (200, 0, 0, 0)).save(body, "PNG")
    pixel = opened(make_thumbnail(body.getvalue())).convert("RGB").getpixel((50, 50))
    assert pixel == (255, 255, 255)


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (100, 100), colour) for colour in ("red", "blue", "green")]
    body = io.BytesIO()
    frames[0].save(body, kind, save_all=True, append_images=frames[1:], duration=50)
    red, _, blue = opened(make_thumbnail(body.getvalue())).convert("RGB").getpixel((50, 50))  # type: ignore[misc]
    assert red > 200 > 60 > blue


def test_a_picture_of_noise_is_small_enough_all_the_same() -> None:
    noise = random.Random(7).randbytes(SIDE * SIDE * 3)
    body = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), noise).save(body, "PNG")
    assert opened(make_thumbnail(body.getvalue())).size == (SIDE, SIDE)


def png_of(width: int, height: int, content: int = 10_000) -> bytes:
    """Return a transparent PNG that claims a size and has so many bytes of zeros."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    rows = zlib.compress(bytes(content), 1)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


HARMFUL = [
    (png_of(60_000, 60_000), "60000 × 60000 pixels"),
    (png_of(4_500, 4_500), "4500 × 4500 pixels"),
    (png_of(100, 100)[:60], "can't be decoded"),
    (draw_image("JPEG", (600, 600))[:900], "can't be decoded"),
    (draw_image("WEBP", (600, 600))[:100], ""),
    (b"\xff\xd8\xff" + bytes(500), ""),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no JPEG, PNG or WebP"),
    (draw_image("GIF"), "no JPEG, PNG or WebP"),
    (b"", "no JPEG, PNG or WebP"),
]


@pytest.mark.parametrize(("body", "words"), HARMFUL)
def test_what_is_no_picture_is_a_reason(body: bytes, words: str) -> None:
    made = make_thumbnail(body)
    assert isinstance(made, str)
    assert words in made


@pytest.mark.usefixtures("real_readers")
def test_the_largest_image_fits_the_limits_of_the_process() -> None:
    body = png_of(4472, 4472, 4472 * (4 * 4472 + 1))
    assert opened(call_isolated(make_thumbnail, body, limits=DECODING)).size[0] == SIDE


def test_images_are_known_by_their_first_bytes() -> None:
    assert all(is_image(draw_image(kind)) for kind in ("JPEG", "PNG", "WEBP"))
    assert not any(map(is_image, (b"", b"RIFF", b"GIF89a", b"<svg/>", draw_image("TIFF"))))
