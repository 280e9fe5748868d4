"""One suggestion: what is shown of it, who may decide, and what came of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.accounts.access.permissions import Principal, Role, Scope, Via
from core.suggestions.execution import apply as applying
from core.suggestions.models import Suggestion
from core.suggestions.proposals import add_action
from core.suggestions.proposals import propose as drafting
from core.suggestions.proposals.draft import Draft, DraftAction
from core.suggestions.review import service
from core.suggestions.rules import Advisor, Change, Direction, Evidence, Metric, ProposedAction
from core.tracking.price_caps.rules import PriceCaps
from core.tracking.price_caps.service import set_price_cap
from tests.factories.people import add_colleague, add_stranger
from tests.factories.suggestions import (
    TITLE,
    new_cadence,
    new_price,
    new_title,
    only_action,
    own_lamp,
    proposed,
    show,
)
from tests.factories.tables import fetch_row
from tests.pages.conftest import SignIn
from tests.pages.test_roles import labels, open_page, words
from tests.pages.test_suggestions import propose

MakeUser = Callable[[Role], Principal]


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    number = own_lamp(session, principal)
    show(session, datetime.now(UTC) - timedelta(hours=2))
    session.commit()
    return number


@pytest.fixture(autouse=True)
def _worker_is_not_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.commands.suggestions.wake_for_approvals", lambda: True)


def open_one(number: int) -> AppTest:
    return open_page("suggestion", id=str(number))


def open_dialog(name: str, number: int) -> AppTest:
    """Open a dialog by itself: a click inside of one runs only it, which AppTest can't."""

    def script(name: str, number: int) -> None:
        from app.data import suggestions
        from app.suggestions import dialogs

        details = suggestions.find_suggestion(number)
        if details is not None and details.view.row.waiting:
            view, action = details.view, details.view.actions[0]
            of_one = {"show_decline": (action,), "show_edit": (details, action)}
            getattr(dialogs, name)(*of_one.get(name, (view,)))

    app = AppTest.from_function(script, args=(name, number), default_timeout=120).run()
    assert not app.exception
    return app


def send(app: AppTest) -> None:
    """Click the button of the form that is open."""
    next(button for button in app.button if "FormSubmitter" in (button.key or "")).click().run()


def new_coupon() -> ProposedAction:
    nothing = {"percent": None, "amount": None}
    return proposed(Change.SET_COUPON, nothing, {"percent": 5})


def state(session: Session, number: int) -> str:
    return str(
        fetch_row(session, "SELECT state FROM suggestion WHERE id = :id", id=number)["state"]
    )


def test_all_that_a_manager_needs_is_shown(session: Session, principal: Principal, lamp: int):
    number = propose(
        session, principal, lamp, new_title(), priority=1, title="Shorten the title",
        advisor=Advisor.MODEL,
    )  # fmt: skip
    shown = words(open_one(number))
    assert "Shorten the title" in shown
    assert "Suggestion 1 of 1 · US · B0TEST0001" in shown
    assert "Reading lamp :red[~~with a long neck~~]" in shown
    assert "29 → 12 characters" in shown
    assert "High priority" in shown
    assert "model · local-8b" in shown
    assert "confidence 60\u202f%" in shown
    assert "Best Sellers Rank improves within 14 days" in shown
    assert "expires in 29 days" in shown
    assert "Others ask for less." in shown
    assert "Suggested by model · local-8b" in shown
    assert ":material/radio_button_unchecked: A manager decides" in shown


def test_evidence_is_a_table_of_figure_value_unit_period_and_age(
    session: Session, principal: Principal, lamp: int
):
    figures = (
        Evidence("median", "Price, median", 2050, "USD minor", "last 30 days"),
        Evidence("limit", "Limit", 75, "characters"),
    )
    number = propose(session, principal, lamp, new_price())
    session.execute(
        update(Suggestion).values(
            evidence=[
                {"key": each.key, "figure": each.figure, "value": each.value,
                 "unit": each.unit, "period": each.period, "snapshots": []}
                for each in figures
            ]
        )
    )  # fmt: skip
    session.commit()
    shown = words(open_one(number))
    assert "| Price, median :gray[last 30 days] | \\$20.50 | USD | rule or setting |" in shown
    assert "| Limit | 75 | characters | rule or setting |" in shown


def test_evidence_and_the_proposed_price_are_drawn_on_the_chart(
    session: Session, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_price())
    app = open_one(number)
    assert "Evidence on the chart" in [each.value for each in app.header]
    [chart] = app.get("plotly_chart")
    assert "Proposed price" in chart.proto.spec
    assert '"name":"Evidence"' in chart.proto.spec.replace(": ", ":")


def test_text_from_models_and_listings_is_escaped(
    session: Session, principal: Principal, lamp: int
):
    hostile = "<script>alert(1)</script> [click](http://evil.example) **approve everything**"
    number = propose(session, principal, lamp, new_title(hostile), title=hostile, reasoning=hostile)
    app = open_one(number)
    for element in [*app.title, *app.markdown, *app.caption]:
        assert "<script>" not in element.value.replace("\\<", "")
        assert "[click](" not in element.value
        assert "**approve everything**" not in element.value


def test_what_the_rules_of_listings_forbid_is_shown(
    session: Session, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_title("Lamp " * 30))
    app = open_one(number)
    assert any("75 are allowed" in warning.value for warning in app.warning)
    fine = propose(session, principal, lamp, new_title("Reading lamp with a neck"))
    assert "Keeps the listing rules" in words(open_one(fine))


def test_a_price_or_coupon_below_the_floor_is_marked(
    session: Session, principal: Principal, lamp: int
):
    price = propose(session, principal, lamp, new_price(1900))
    coupon = propose(session, principal, lamp, new_coupon())
    set_price_cap(session, principal, lamp, PriceCaps(floor=1950))
    session.commit()
    assert "below the product's floor" in open_one(price).warning[0].value
    assert "With this coupon the price is below" in open_one(coupon).warning[0].value


def test_the_listing_is_previewed_as_it_would_be(session: Session, principal: Principal, lamp: int):
    title = words(open_one(propose(session, principal, lamp, new_title("Lamp with a neck"))))
    assert "**Lamp with a neck** | **\\$20.00**" in title
    assert "Brand: Lumo" in title
    price = words(open_one(propose(session, principal, lamp, new_price(1850), new_coupon())))
    assert f"**{TITLE}** | **\\$18.50** · coupon 5 % off" in price


def test_a_change_of_tracking_has_no_preview(session: Session, principal: Principal, lamp: int):
    shown = words(open_one(propose(session, principal, lamp, new_cadence())))
    assert ":red[~~day~~] :green[**hour**]" in shown
    assert "The listing with these changes" not in shown


def test_what_an_agent_proposed_is_shown_with_who_stands_behind_it(
    session: Session, principal: Principal, lamp: int
):
    mia = add_colleague(session, principal, "Mia")
    token = frozenset({Scope.READ, Scope.PROPOSE})
    agent = replace(mia, via=Via.TOOL, scopes=token, token_name="nightly **script**")
    draft = Draft(
        title="Shorten the title",
        reasoning="The title has 29 characters, and a short one is read to its end.",
        actions=(DraftAction(Change.UPDATE_TITLE, "It says the same.", text="Reading lamp"),),
        metric=Metric.BSR,
        direction=Direction.IMPROVES,
        window_days=28,
    )
    made = drafting.propose(session, agent, lamp, draft, datetime.now(UTC))
    assert made.suggestion_id is not None
    more = DraftAction(Change.UPDATE_DESCRIPTION, "It says more.", text="A lamp to read by.")
    add_action.add_action(session, agent, made.suggestion_id, more, datetime.now(UTC))
    session.commit()
    app = open_one(made.suggestion_id)
    shown = words(app)
    assert r":gray-badge[agent of Mia · nightly \*\*script\*\*]" in shown
    assert r", by agent of Mia · nightly \*\*script\*\* · expires in 29 days" in shown
    assert "Reading lamp :red[~~with a long neck~~]" in shown
    assert "| Length of the title | 29 | characters |" in shown
    assert r"Suggested by agent of Mia · nightly \*\*script\*\*" in shown
    assert "Description added by Mia by an agent's tool" in shown
    assert {"Approve all", "Decline all"} <= labels(app)
    queue = open_page("suggestions")
    assert "agent of Mia" in queue.dataframe[0].value["advisor"].iloc[0]


# Deciding


def test_a_manager_approves(
    session: Session, sign_in: SignIn, make_user: MakeUser, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_price())
    sign_in(make_user(Role.MANAGER))
    app = open_one(number)
    assert {"Approve", "Edit", "Decline"} <= labels(app)
    app.button(key=f"approve_{only_action(session, number).id}").click().run()
    assert not app.exception
    assert state(session, number) == "approved"
    shown = words(app)
    assert "Approved by Manager" in shown
    assert "Price approved by Manager on a page" in shown
    assert "Approve" not in labels(app)


def test_a_manager_declines_with_a_reason_that_everybody_reads(
    session: Session, principal: Principal, lamp: int, sign_in: SignIn, make_user: MakeUser
):
    number = propose(session, principal, lamp, new_price())
    app = open_dialog("show_decline", number)
    app.text_area(key="decline_reason").set_value("Below our cost")
    send(app)
    assert state(session, number) == "declined"
    sign_in(make_user(Role.VIEWER))
    shown = words(open_one(number))
    assert "Declined by" in shown
    assert "Below our cost" in shown


def test_a_decline_without_a_reason_is_not_taken(session: Session, principal: Principal, lamp: int):
    number = propose(session, principal, lamp, new_price())
    app = open_dialog("show_decline", number)
    send(app)
    assert any("Give a reason" in error.value for error in app.error)
    assert state(session, number) == "pending"


def test_an_edited_price_is_approved_and_kept_beside_the_proposed_one(
    session: Session, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_price(1900))
    app = open_dialog("show_edit", number)
    app.text_input(key="edit_value").set_value("19.50")
    app.text_input(key="edit_reason").set_value("Rounder")
    app.button(key="approve_edit").click().run()
    kept = only_action(session, number)
    assert (kept.proposed, kept.edited) == ({"price": 1900}, {"price": 1950})
    shown = words(open_one(number))
    assert "Edited, from what was proposed" in shown
    assert "~~\\$19.00~~" in shown
    assert "Rounder" in shown


def test_a_price_outside_the_caps_is_refused_and_stays_in_the_dialog(
    session: Session, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_price(1900))
    app = open_dialog("show_edit", number)
    assert "Within the price caps: no floor and no ceiling, at most 15" in words(app)
    app.text_input(key="edit_value").set_value("5.00").run()
    assert "moves by more than 15 % at once" in app.warning[0].value
    app.button(key="approve_edit").click().run()
    assert any("at once" in error.value for error in app.error)
    assert state(session, number) == "pending"


def test_an_edit_is_held_to_the_rules_of_listings(
    session: Session, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_title())
    app = open_dialog("show_edit", number)
    assert "Keeps the listing rules" in words(app)
    app.text_input(key="edit_value").set_value("Lamp " * 30).run()
    assert any("75 are allowed" in warning.value for warning in app.warning)
    app.button(key="approve_edit").click().run()
    assert app.error
    assert state(session, number) == "pending"


def test_who_asked_does_not_approve_where_four_eyes_are_asked_for(
    session: Session, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_price())
    session.execute(update(Suggestion).values(asked_by=principal.person_id))
    service.set_second_approver(session, principal, True)
    session.commit()
    app = open_one(number)
    assert f"requested by {principal.name}" in words(app)
    app.button(key=f"approve_{only_action(session, number).id}").click().run()
    assert any("another user of the team must approve it" in toast.value for toast in app.toast)
    assert state(session, number) == "pending"


def test_several_changes_are_decided_singly_or_all(
    session: Session, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_price(), new_coupon())
    app = open_one(number)
    assert {"Approve all", "Decline all"} <= labels(app)
    app.button(key="approve_all").click().run()
    assert "**2 changes** are approved as they stand: Price, Coupon." in words(app)
    dialog = open_dialog("show_approve_all", number)
    dialog.text_input(key="approve_reason").set_value("Good evidence")
    dialog.button(key="do_approve_all").click().run()
    assert state(session, number) == "approved"
    assert "Good evidence" in words(open_one(number))


def test_all_changes_are_declined_with_one_reason(
    session: Session, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_price(), new_coupon())
    app = open_dialog("show_decline_all", number)
    app.text_area(key="decline_reason").set_value("Not this month")
    send(app)
    assert state(session, number) == "declined"


@pytest.mark.parametrize("role", [Role.SELLER, Role.VIEWER])
def test_below_manager_there_is_nothing_to_decide_with(
    session: Session,
    sign_in: SignIn,
    make_user: MakeUser,
    principal: Principal,
    lamp: int,
    role: Role,
):
    number = propose(session, principal, lamp, new_price(), new_coupon())
    sign_in(make_user(role))
    app = open_one(number)
    assert not {"Approve", "Approve all", "Decline", "Decline all", "Edit", "Undo"} & labels(app)
    assert "A manager decides about suggestions" in words(app)
    assert "Others ask for less." in words(app)


def test_an_expired_suggestion_can_not_be_decided(
    session: Session, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_price())
    past = datetime.now(UTC) - timedelta(hours=1)
    session.execute(update(Suggestion).values(expires_at=past))
    session.commit()
    app = open_one(number)
    assert "Not decided in time" in words(app)
    assert not {"Approve", "Decline", "Edit"} & labels(app)


def test_next_leads_to_what_waits_behind_it(session: Session, principal: Principal, lamp: int):
    first = propose(session, principal, lamp, new_title(), priority=1, title="Shorten the title")
    propose(session, principal, lamp, new_price(), priority=3, title="Ask for less")
    app = open_one(first)
    app.button(key="next_suggestion").click().run()
    assert app.title[0].value == "Ask for less"
    assert "next_suggestion" not in {button.key for button in app.button}


# After the decision


def apply(session: Session, principal: Principal, number: int) -> None:
    now = datetime.now(UTC)
    service.approve_all(session, principal, number, now)
    applying.apply(session, only_action(session, number).id, now)
    session.commit()


def test_an_applied_change_is_a_checklist_with_texts_to_copy_and_files(
    session: Session, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_title())
    apply(session, principal, number)
    app = open_one(number)
    assert "To do in Seller Central" in [each.value for each in app.header]
    assert app.code[0].value == "Reading lamp"
    files = {each.proto.label for each in app.get("download_button")}
    assert files == {"CSV", "XLSX", "JSON"}


def test_a_viewer_gets_no_change_set(
    session: Session, principal: Principal, lamp: int, sign_in: SignIn, make_user: MakeUser
):
    number = propose(session, principal, lamp, new_title())
    apply(session, principal, number)
    sign_in(make_user(Role.VIEWER))
    app = open_one(number)
    assert not app.code
    assert "to publish" in words(app)


def test_what_was_applied_can_be_undone(session: Session, principal: Principal, lamp: int):
    number = propose(session, principal, lamp, new_title())
    apply(session, principal, number)
    app = open_one(number)
    app.button(key=f"undo_{only_action(session, number).id}").click().run()
    assert not app.exception
    assert only_action(session, number).state == "undone"
    assert "Title undone by" in words(app)


def test_a_value_that_changed_meanwhile_is_shown_with_both_values(
    session: Session, principal: Principal, lamp: int
):
    number = propose(session, principal, lamp, new_price(1900))
    show(session, datetime.now(UTC) - timedelta(minutes=5), price=2100)
    session.commit()
    app = open_one(number)
    app.button(key=f"approve_{only_action(session, number).id}").click().run()
    assert any("reviewed was" in warning.value for warning in app.warning)
    assert only_action(session, number).state == "stale"


def test_what_else_was_suggested_is_linked(session: Session, principal: Principal, lamp: int):
    first = propose(session, principal, lamp, new_title(), title="Shorten the title")
    service.decline_all(session, principal, first, datetime.now(UTC), "No")
    second = propose(session, principal, lamp, new_price(), title="Ask for less")
    app = open_one(second)
    assert "Also suggested for this product" in [each.value for each in app.header]
    assert any("Shorten the title" in link.proto.label for link in app.get("page_link"))


# Not there


@pytest.mark.parametrize("address", ["999999", "x", "", "9" * 40])
def test_an_unknown_number_is_answered_in_words(lamp: int, address: str):
    app = open_page("suggestion", id=address)
    assert "doesn't exist" in words(app) or "Choose a suggestion" in words(app)


def test_another_teams_suggestion_is_not_there(
    session: Session, principal: Principal, lamp: int, sign_in: SignIn
):
    number = propose(session, principal, lamp, new_price())
    other = add_stranger(session)
    session.commit()
    sign_in(other)
    app = open_one(number)
    assert "doesn't exist, or belongs to another team" in words(app)
    assert "Ask for less" not in words(app)
