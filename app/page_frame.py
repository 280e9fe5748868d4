"""What surrounds every page: the browser tab's title, the width of the content, the logo.

Streamlit has no option for the side padding of a wide page, so one rule of CSS gives the content
the room; a second one keeps labels on the accent colour readable in dark mode.
"""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

NAME = "Amazcope"
SIDEBAR_WIDTH = 200  # px: the least that Streamlit draws; the tables need the rest
BODY, ACTIONS = (
    "page_body",
    "page_actions",
)  # keys: content, bar at the bottom

PRODUCT_IDENTITY = "product_identity"  # key: picture and title of the page Product

# As data URLs: for a Material icon the browser would ask a server on the internet, and a font
# of the page doesn't reach into a picture. So the letters are drawn as lines.
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E"
    "%3Crect width='24' height='24' rx='5' fill='%230b6a62'/%3E"
    "%3Cpath d='M4 16h5V9h5v4h6' fill='none' stroke='white' stroke-width='2.5'/%3E%3C/svg%3E"
)
_LOGO = """
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 132 28" width="132" height="28">
<rect x="1" y="2" width="24" height="24" rx="6" fill="#128a80"/>
<path d="M5 18h5v-7h5v4h6" fill="none" stroke="#fff" stroke-width="2.4"/>
<g fill="none" stroke="#128a80" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round">
<path d="M33 21 39 7l6 14M35.4 16h7.2"/>
<path d="M48 21v-9M48 14.4q1-2.6 3.2-2.6t2.8 2.6V21M54 14.6q1-2.8 3.2-2.8t2.8 2.6V21"/>
<path d="M70.5 12v9M70.5 16.5a3.8 4.6 0 1 1-7.6 0 3.8 4.6 0 1 1 7.6 0"/>
<path d="M74 12h6.6L74 21h6.8"/>
<path d="M90.4 13.4a3.9 4.6 0 1 0 0 6.2"/>
<path d="M101.6 16.5a4 4.6 0 1 1-8 0 4 4.6 0 1 1 8 0"/>
<path d="M105.4 12v13.4M105.4 16.5a3.9 4.6 0 1 1 7.8 0 3.9 4.6 0 1 1-7.8 0"/>
<path d="M116.6 16.4h7.6a3.8 4.5 0 1 0-1.2 3.4"/>
</g></svg>
"""
# 864 px: where Streamlit turns columns into rows. Its wide pages have 5 rem of padding there.
# It cuts a link's label, and has no option to wrap it.
STYLE = f"""<style>
@media (min-width: 864px) {{
  .st-key-{BODY}, .st-key-{ACTIONS} {{
    margin-inline: -2.5rem; width: calc(100% + 5rem) !important; max-width: none;
  }}
}}
[data-testid="stBaseButton-primary"], [data-testid="stBaseButton-primaryFormSubmit"] {{
  color: light-dark(#fff, #04211e);
}}
[data-testid="stLayoutWrapper"]:has(> .st-key-{PRODUCT_IDENTITY}) {{
  min-width: min(20rem, 100%);  /* buttons that would leave the title less go below it */
}}
[data-testid^="stBaseButton"] kbd {{ opacity: 1; }}
[data-testid="stPageLink"] * {{ white-space: normal; }}
[data-testid="stPageLink"] a:focus-visible {{ outline: 2px solid currentColor; }}
[data-testid="stHeading"] h1, [data-testid="stPageLink"] p, [data-testid="stMarkdown"] p {{
  unicode-bidi: plaintext;
}}
</style>"""


def set_page_title(title: str) -> None:
    """Name the browser's tab after what the page shows, such as "Talvora Chef 20 · FR"."""
    st.set_page_config(page_title=f"{title} — {NAME}")


def show_logo() -> None:
    """Show the logo above the sidebar."""
    picture = b64encode(_LOGO.strip().encode()).decode()
    st.logo(f"data:image/svg+xml;base64,{picture}", size="medium")


@contextmanager
def page_body() -> Iterator[None]:
    """Draw a page's content as wide as the window allows."""
    st.html(STYLE)
    with st.container(key=BODY):
        yield
