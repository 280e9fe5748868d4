"""Security headers: what may run on the pages, load in them and frame them. No requests.

Streamlit sets few headers of its own. What its pages need was found by opening all of
them in a browser and reading its console.
"""

import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import streamlit as st

from app.web.base_url import SCRIPT
from core.settings.environment import Settings

_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_YEAR = 31_536_000  # s


def build_asset_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of Streamlit's scripts and styles: few, since there are many files."""
    headers = {"X-Content-Type-Options": "nosniff"}
    if settings.is_https:
        below = "; includeSubDomains" if settings.amazcope_hsts_subdomains else ""
        headers["Strict-Transport-Security"] = f"max-age={_YEAR}{below}"
    return headers


def build_page_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of every other response."""
    return build_asset_headers(settings) | {
        "Content-Security-Policy": build_content_policy(),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": (
            "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), "
            "geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), "
            "payment=(), usb=()"
        ),
        # A link has its token in the URL: no other server may read it from the Referer.
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "SAMEORIGIN",
    }


@lru_cache(maxsize=1)
def build_content_policy() -> str:
    """Return the Content-Security-Policy: everything is loaded from this server."""
    scripts = " ".join(f"'sha256-{_fingerprint(text)}'" for text in _inline_scripts())
    parts = {
        "default-src": "'self'",
        # blob: Streamlit loads a component's script so, such as that of
        # app/auth/session_cookie.py. A page that can make a blob runs scripts already.
        "script-src": f"'self' blob: {scripts}",
        "style-src": "'self' 'unsafe-inline'",  # Streamlit and Plotly style in place
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' blob:",
        "worker-src": "'self' blob:",
        "connect-src": "'self'",
        "frame-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",  # no page has a <base>, and an injected one moves every address
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }
    return "; ".join(f"{name} {value.strip()}" for name, value in parts.items())


def _inline_scripts() -> list[str]:
    shell = Path(st.__file__).parent / "static" / "index.html"
    return [*_INLINE_SCRIPT.findall(shell.read_text(encoding="utf-8")), SCRIPT]


def _fingerprint(script: str) -> str:
    return b64encode(sha256(script.encode()).digest()).decode()
