"""Colours, money and the shared layout of every chart. No data, no figures.

A figure is made on the server, which does not know whether its reader uses light or
dark mode. So figures have Streamlit's placeholder colours, which the browser replaces
by the theme's: #000001 to #000010 by `chartCategoricalColors` of `.streamlit/config.toml`, in
the same order as here, #000011 to #000020 by `chartSequentialColors`, #000021 to #000030 by
`chartDivergingColors`.
"""

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, Final

from babel.numbers import format_currency, get_currency_precision

# One colour, one meaning, on every screen.
PRICE: Final = "#000001"  # teal: the price a buyer is shown
RANK: Final = "#000002"  # violet: Best Sellers Rank
RATING: Final = "#000003"  # amber: rating and number of ratings
COMPETITORS: Final = ("#000004", "#000005", "#000007", "#000008", "#000009", "#000010")
LIST_PRICE: Final = "#000006"  # grey: only for comparison

NEUTRAL: Final = "#000006"  # event marks
TEXT: Final = "#000006"  # Streamlit's own secondary text is too pale at this size
WORSE: Final = "#000021"  # the ends of chartDivergingColors: nothing else is red or green
BETTER: Final = "#000030"
AMOUNTS: Final = tuple(f"#0000{place}" for place in range(11, 21))  # from none to many
GRID: Final = "#000039"  # hairlines
GROUND: Final = "#000038"  # the page's background: the inside of hollow markers


TEXT_SIZE: Final = 12  # px
FONT: Final[dict[str, Any]] = {"size": TEXT_SIZE, "color": TEXT}


def fade_color(color: str) -> str:
    """Return a placeholder colour at one seventh of its strength, for areas."""
    return f"{color}24"


def escape_for_plotly(text: str) -> str:
    """Return text from outside so that plotly shows it literally: no tag, no template field."""
    return escape(text, quote=False).replace("%{", "%\u2060{")


PLOTLY_CONFIG: Final[dict[str, Any]] = {
    "displayModeBar": False,
    "responsive": True,
    "scrollZoom": False,
    "doubleClick": "reset",
    "showTips": False,
}
"""The value of `config` in every `st.plotly_chart`."""


@dataclass(frozen=True, slots=True)
class MoneyStyle:
    """How amounts of one marketplace are written on an axis and in a hover."""

    prefix: str
    suffix: str
    separators: str  # the decimal mark, then the thousands mark, as plotly takes them
    decimals: int

    @property
    def divisor(self) -> int:
        """Return the minor units in one major unit."""
        return int(10**self.decimals)

    @property
    def hover(self) -> str:
        """Return the plotly template of an exact amount."""
        return f"{self.prefix}%{{y:,.{self.decimals}f}}{self.suffix}"

    @property
    def axis(self) -> dict[str, Any]:
        """Return the plotly options of an axis of amounts, with cents only where needed."""
        return {"tickprefix": self.prefix, "ticksuffix": self.suffix, "tickformat": ",~f"}

    def ticks(self, low: float, high: float) -> dict[str, Any]:
        """Return the options of an axis of amounts from `low` to `high`, without repeated ticks.

        All decimals are shown if amounts differ little: "51,60 €", not "51,6 €".
        """
        if high - low >= 5:
            return {}
        finest = {"dtick": 1 / self.divisor} if (high - low) * self.divisor < 6 else {}
        return {"tickformat": f",.{self.decimals}f"} | finest


@lru_cache(maxsize=64)
def money_style(currency: str, locale: str, as_code: bool = False) -> MoneyStyle:
    """Return how a locale ("de_DE") writes a currency ("EUR"), by its sign or its ISO code.

    Raises babel's UnknownLocaleError for a locale that does not exist.
    """
    sample = format_currency(1234.5, currency, locale=locale)
    digits = [place for place, sign in enumerate(sample) if sign.isdigit()]
    first, last = digits[0], digits[-1]
    decimals = get_currency_precision(currency)
    marks = [sign for sign in sample[first:last] if not sign.isdigit()]
    thousands = marks[0] if len(marks) > (1 if decimals else 0) else ""
    decimal = marks[-1] if decimals and marks else "."
    prefix, suffix = sample[:first], sample[last + 1 :]
    if as_code:
        prefix = f"{currency}\u00a0" if prefix.strip() else ""
        suffix = f"\u00a0{currency}" if suffix.strip() else ""
    return MoneyStyle(prefix, suffix, decimal + thousands, decimals)


# Two lines, the second only when it changes: short enough for a phone.
SHORT_DATES: Final[list[dict[str, Any]]] = [
    {"dtickrange": [None, 86_399_999], "value": "%H:%M\n%-d %b"},
    {"dtickrange": [86_400_000, "M1"], "value": "%-d %b\n%Y"},
    {"dtickrange": ["M1", "M11"], "value": "%b\n%Y"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]


def base_layout(height: int, separators: str = ".,") -> dict[str, Any]:
    """Return the layout that all charts share."""
    return {
        # An empty template: plotly's default one adds 7 kB to each figure.
        "template": {"layout": {}},
        "font": FONT,
        "hoverlabel": {
            "font": FONT,
            "bgcolor": GROUND,
            "bordercolor": TEXT,
        },
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 28, "b": 8, "autoexpand": True},
        "separators": separators,
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.01,
            "yanchor": "bottom",
            "traceorder": "normal",
            "itemclick": "toggle",
            "itemdoubleclick": False,
        },
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverdistance": 60,
        "dragmode": "zoom",
        "uirevision": "kept",
    }


def time_axis(anchor: str) -> dict[str, Any]:
    """Return the options of the time axis under the panel `anchor` ("y2")."""
    return {
        "type": "date",
        "anchor": anchor,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "nticks": 8,
        "tickangle": 0,
        "tickformatstops": SHORT_DATES,
        "automargin": True,
        "tickfont": FONT,
        "hoverformat": "%a %-d %b %Y, %H:%M",
        "fixedrange": False,
    }


def plain_axis(**options: Any) -> dict[str, Any]:
    """Return the options of an axis that can't be zoomed."""
    usual: dict[str, Any] = {
        "gridcolor": GRID,
        "zeroline": False,
        "automargin": True,
        "tickfont": FONT,
        "fixedrange": True,
        "ticks": "",
    }
    return usual | options


def value_axis(domain: tuple[float, float], **options: Any) -> dict[str, Any]:
    """Return the options of a panel's value axis; zooming changes time only."""
    return plain_axis(domain=list(domain)) | options


def plain_layout(height: int, *, top: int = 24, **options: Any) -> dict[str, Any]:
    """Return the layout of a small chart without legend and zoom; `top`: px above it."""
    margin = {"l": 6, "r": 6, "t": top, "b": 6, "autoexpand": True}
    usual = {"margin": margin, "showlegend": False, "dragmode": False}
    return base_layout(height) | usual | options
