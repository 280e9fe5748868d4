"""Thumbnails from images of outside: runs in a process with limits, and loads Pillow there only."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

from core.catalog.images.rules import LARGEST_THUMBNAIL, SIDE

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS: Final = 20_000_000
PRELOADED: Final = (  # modules of the process, so that its limits count only the decoding
    "PIL.Image", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "PIL.WebPImagePlugin",
)  # fmt: skip
_KINDS: Final = ("JPEG", "PNG", "WEBP")
_SIGNS: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
_QUALITIES: Final = (82, 70, 55, 40, 25, 10)  # the first that is small enough is taken
_WHITE: Final = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class MadeThumbnail:
    """A WebP of at most 96 × 96 px and 6,000 bytes."""

    body: bytes
    width: int
    height: int


def is_image(body: bytes) -> bool:
    """Return whether bytes begin as JPEG, PNG or WebP do."""
    return body.startswith(_SIGNS) and (body[:4] != b"RIFF" or body[8:12] == b"WEBP")


def make_thumbnail(body: bytes) -> MadeThumbnail | str:
    """Return the thumbnail of an image's first frame, or the reason why there is none."""
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # checked here, before anything is decoded
    try:
        with Image.open(BytesIO(body), formats=_KINDS) as image:
            if image.width * image.height > MOST_PIXELS:
                return f"The image has {image.width} × {image.height} pixels."
            image.draft("RGB", (4 * SIDE, 4 * SIDE))  # a JPEG is decoded at a fraction of its size
            return encode_thumbnail(_flatten(image))
    except UnidentifiedImageError:
        return "The image is no JPEG, PNG or WebP."
    except (OSError, SyntaxError, ValueError, EOFError, OverflowError) as error:
        return f"The image can't be decoded: {error}"[:200]


def _flatten(image: "Image") -> "Image":
    """Return an image of at most 96 × 96 px in RGB, on white where it is transparent."""
    from PIL import Image

    is_opaque = image.mode in ("L", "RGB", "CMYK", "YCbCr") and "transparency" not in image.info
    small = image.convert("RGB" if is_opaque else "RGBA")
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    if small.mode == "RGB":
        return small
    ground = Image.new("RGB", small.size, _WHITE)
    ground.paste(small, mask=small.getchannel("A"))
    return ground


def encode_thumbnail(picture: "Image") -> MadeThumbnail:
    """Return a picture as a thumbnail, at the best quality that is small enough."""
    body = b""
    for quality in _QUALITIES:
        written = BytesIO()
        picture.save(written, "WEBP", quality=quality)
        body = written.getvalue()
        if len(body) <= LARGEST_THUMBNAIL:
            break
    return MadeThumbnail(body, picture.width, picture.height)
