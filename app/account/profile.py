"""Profile's first part: name, preferences, email address."""

import streamlit as st

from app.account import people_text
from app.commands import account
from app.components.thresholds import ThresholdInputs
from app.data import products as lists
from core.accounts.email_address import MAX_EMAIL_LENGTH
from core.accounts.password_rules import MAX_PASSWORD_INPUT
from core.accounts.people.profile import (
    CURRENCY_DISPLAYS,
    LOCALES,
    PAGE_SIZES,
    THEMES,
    Profile,
    ProfileUpdate,
)
from core.accounts.profile_fields import MAX_NAME_LENGTH, list_time_zones
from core.errors import AmazcopeError
from core.text.escaping import escape_markdown

WIDTH = 760  # px: longer lines of inputs are hard to follow
PART = "part"
PARTS = ("General", "Security", "API tokens")
_CURRENCIES = {"symbol": "Symbol ($1,234.50)", "code": "Code (USD 1,234.50)"}
_THEMES = {"system": "System", "light": "Light", "dark": "Dark"}


def choose_part() -> str:
    """Show the parts of the profile; return the chosen one, kept in the URL."""
    chosen = st.segmented_control(
        "Part",
        PARTS,
        default=PARTS[0],
        required=True,
        key=PART,
        label_visibility="collapsed",
        bind="query-params",
    )
    return chosen or PARTS[0]


def show_preferences(own: Profile) -> None:
    """Show the forms for name, preferences and email address."""
    with st.form("profile"):
        form = _PreferencesForm(own)
        sent = st.form_submit_button("Save", type="primary", icon=":material/check:")
        if sent:
            _save_profile(form)
    _show_email_form(own)


def _save_profile(form: "_PreferencesForm") -> None:
    try:
        wanted = form.wanted()
    except AmazcopeError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    account.run_from_form(account.change_profile, wanted)


class _PreferencesForm:
    """The inputs of the preferences form, and what was typed."""

    def __init__(self, own: Profile) -> None:
        st.header("Preferences", anchor=False)
        left, right = st.columns(2)
        self.name = left.text_input(
            "Name", own.name, max_chars=MAX_NAME_LENGTH, autocomplete="name"
        )
        zones = [None, *list_time_zones()]
        self.zone = right.selectbox(
            "Time zone",
            zones,
            index=zones.index(own.time_zone) if own.time_zone in zones else 0,
            format_func=lambda zone: zone or "The team's",
        )
        locales = list(dict.fromkeys([*LOCALES, own.locale]))
        self.locale = left.selectbox(
            "Number and date format",
            locales,
            index=locales.index(own.locale),
            format_func=people_text.language_label,
            help="For numbers, dates and amounts; text stays English. With English (United "
            "States), amounts have the format of their marketplace.",
        )
        self.currency = right.selectbox(
            "Currency",
            CURRENCY_DISPLAYS,
            index=CURRENCY_DISPLAYS.index(own.currency_display),
            format_func=_CURRENCIES.__getitem__,
        )
        self.theme = left.selectbox(
            "Theme",
            THEMES,
            index=THEMES.index(own.theme),
            format_func=_THEMES.__getitem__,
            help="A browser applies it when it next opens a page.",
        )
        self.page_size = right.selectbox(
            "Products on a page", PAGE_SIZES, index=PAGE_SIZES.index(own.page_size)
        )
        self.thresholds = ThresholdInputs(
            own.price_change_percent,
            own.rank_change_percent,
            lists.read_team_thresholds(),
            "For products tracked from now on.",
        )
        self.mails = st.toggle(
            "Email account notices",
            own.mails,
            help="Emails about the security of your account are always sent.",
        )

    def wanted(self) -> ProfileUpdate:
        """Return what was typed. Raises InvalidInputError for an invalid percentage."""
        return ProfileUpdate(
            name=self.name,
            time_zone=self.zone,
            locale=self.locale,
            page_size=self.page_size,
            currency_display=self.currency,
            theme=self.theme,
            price_change_percent=self.thresholds.price(),
            rank_change_percent=self.thresholds.rank(),
            mails=self.mails,
        )


def _show_email_form(own: Profile) -> None:
    """Show the form that changes the email address."""
    with st.form("email"):
        st.header("Email", anchor=False)
        st.caption(f"You sign in as {escape_markdown(own.mail or 'a user without email address')}.")
        if own.is_demo or not own.has_password:
            st.caption(
                "Demo users can't change their email address."
                if own.is_demo
                else "You sign in by single sign-on; your provider has your email address."
            )
            st.form_submit_button("Change", disabled=True)
            return
        left, right = st.columns(2)
        email = left.text_input("New address", max_chars=MAX_EMAIL_LENGTH, autocomplete="email")
        password = right.text_input(
            "Current password",
            type="password",
            max_chars=MAX_PASSWORD_INPUT,
            autocomplete="current-password",
            key="password_for_email",
        )
        if st.form_submit_button("Change"):
            account.run_from_form(account.change_email, own, email, password)
