"""A mover's line as a picture for emails, which show no SVG; drawn by Pillow from own values."""

from base64 import b64encode
from io import BytesIO
from typing import Final

from core.history.periods.queries import MovedValue
from core.reports.content import ReportMover
from core.reports.report_text import find_mover_sentiment
from core.small_lines import GREEN, RED, VIOLET
from core.tracking.change_sentiment import Sentiment

WIDTH, HEIGHT = 168, 48  # px, shown at half the size
_MARGIN: Final = 6
_COLORS: Final = {Sentiment.BETTER: GREEN, Sentiment.WORSE: RED, Sentiment.NEUTRAL: VIOLET}


def draw_line_png(mover: ReportMover) -> str | None:
    """Return a mover's steps as a PNG in base64; a better rank stands higher.

    None: fewer than two values are known.
    """
    # Here: only the worker that writes an email needs it.
    from PIL import Image, ImageDraw

    known = [(place, each) for place, each in enumerate(mover.line) if each is not None]
    if len(known) < 2:
        return None
    low, high = min(value for _, value in known), max(value for _, value in known)
    across = (WIDTH - 2 * _MARGIN) / max(len(mover.line) - 1, 1)
    dots: list[tuple[float, float]] = []
    for place, value in known:
        share = (value - low) / (high - low) if high > low else 0.5
        share = 1 - share if mover.value is MovedValue.RANK else share
        x = _MARGIN + place * across
        y = HEIGHT - _MARGIN - share * (HEIGHT - 2 * _MARGIN)
        if dots:
            dots.append((x, dots[-1][1]))
        dots.append((x, y))
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    drawing = ImageDraw.Draw(picture)
    color = _COLORS[find_mover_sentiment(mover)]
    drawing.line(dots, fill=color, width=3)
    x, y = dots[-1]
    drawing.ellipse((x - 5, y - 5, x + 5, y + 5), fill=color)
    body = BytesIO()
    picture.quantize(16).save(body, "PNG", optimize=True)
    return b64encode(body.getvalue()).decode()
