"""Alert rules: the list, the editor, and the trial on past data, as each role finds them."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.accounts.access.permissions import Principal
from core.accounts.access.permissions import Role as PersonRole
from core.alerts.rules import service
from core.alerts.rules.queries import get_rule, list_rules
from core.alerts.rules.rule import Combination, Comparison, ScopeKind, Subject
from core.text.numbers import THIN_SPACE
from core.tracking.list_filter import ListFilter, Sort
from core.tracking.views.queries import list_views
from core.tracking.views.rules import ViewDefinition
from core.tracking.views.service import delete_view, save_view
from tests.factories.notifications import add_channel
from tests.factories.observations import days_ago, store_observation
from tests.factories.products import LAMP
from tests.pages.conftest import SignIn
from tests.pages.screen import open_page, plain, toasts
from tests.pages.seeding import seed_sold_out_lamp, seed_two_alerts


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return seed_sold_out_lamp(session, principal)


@pytest.fixture
def two(session: Session, principal: Principal, lamp: int) -> list[int]:
    return seed_two_alerts(session, principal, lamp)


def rules_of(app: AppTest) -> str:
    return plain(app).replace(THIN_SPACE, " ")


@pytest.mark.usefixtures("two")
def test_each_rule_is_a_sentence_with_what_it_did() -> None:
    app = open_page("alert_rules")
    shown = rules_of(app)
    assert "10 rules · 10 on" in shown
    assert "**Out of stock**" in shown
    assert "The product is out of stock. Applies to your own products." in shown
    assert "1 alert in 30 days · last 2 days ago · 1 open" in shown
    assert "0 alerts in 30 days" in shown
    assert "**Kettles that get cheaper** Price changes by 10 % or more, up or down" in shown
    assert len(app.toggle) == 10


def rule_id(session: Session, principal: Principal, code: str | None) -> int:
    [found] = [each for each in list_rules(session, principal) if each.code == code]
    return found.rule_id


@pytest.mark.usefixtures("two")
def test_a_rule_is_switched_off_and_on(session: Session, principal: Principal) -> None:
    number = rule_id(session, principal, "out_of_stock")
    app = open_page("alert_rules")
    app.toggle(key=f"switch_rule_{number}_1").set_value(False).run()
    assert "The rule is off." in toasts(app)
    assert "10 rules · 9 on" in rules_of(app)
    assert not get_rule(session, principal, number).is_on
    app.toggle(key=f"switch_rule_{number}_2").set_value(True).run()
    assert get_rule(session, principal, number).is_on


@pytest.mark.usefixtures("two")
def test_sellers_read_the_rules_and_managers_change_them(
    make_user: Callable[[PersonRole], Principal], sign_in: SignIn
) -> None:
    sign_in(make_user(PersonRole.SELLER))
    app = open_page("alert_rules")
    assert not app.toggle
    assert not [each for each in app.button if each.label in ("Edit", "Delete", "New rule")]
    sign_in(make_user(PersonRole.MANAGER))
    assert len(open_page("alert_rules").toggle) == 10


# The editor


def edit(rule: int | str) -> AppTest:
    return open_page("alert_rules", rule=str(rule))


@pytest.mark.usefixtures("two")
def test_a_threshold_is_tried_on_past_data_and_saved(
    session: Session, principal: Principal
) -> None:
    for day, price in ((9, 2000), (8, 1800), (7, 1200), (6, 1190)):
        store_observation(session, days_ago(day), price=price)
    session.commit()
    number = rule_id(session, principal, "price_change")
    app = edit(number)
    typed = f"rule_{number}_1_0_price_changed_percent"
    assert app.text_input(key=typed).value == "10"
    app.session_state["trial_days"] = 30
    app.run()
    assert "2 alerts in 30 days on 1 of 2 products" in rules_of(app)
    assert "They would come in the app only: none of your channels is active." in rules_of(app)
    add_channel(session, principal, "Email", "email")
    session.commit()
    app.run()
    assert "2 alerts would come in 2 messages by Email." in rules_of(app)
    charts = {each.proto.id.rsplit("-", 1)[-1] for each in app.get("plotly_chart")}
    assert charts == {"rule_weeks", "rule_trial_chart"}
    app.text_input(key=typed).set_value("30").run()
    assert "1 alert in 30 days on 1 of 2 products" in rules_of(app)
    assert "Price changes by 30 % or more, up or down" in rules_of(app)
    app.button(key="save_rule").click().run()
    assert not app.exception
    assert "Rule changed, from now on. It is for 2 products." in toasts(app)
    assert get_rule(session, principal, number).rule.conditions[0].percent == 30
    app = edit(number)
    app.button(key="reset_rule").click().run()
    assert get_rule(session, principal, number).rule.conditions[0].percent == 10


@pytest.mark.usefixtures("two")
def test_a_rate_sets_the_threshold(session: Session, principal: Principal) -> None:
    prices = (2000, 1800, 1600, 1440, 1290, 1160, 1040, 900)
    for day, price in zip(range(12, 0, -1), prices, strict=False):
        store_observation(session, days_ago(day), price=price)
    session.commit()
    number = rule_id(session, principal, "price_change")
    app = edit(number)
    app.session_state["trial_days"] = 30
    app.session_state["trial_rate"] = 1
    app.run()
    assert "7 alerts in 30 days" in rules_of(app)
    assert "At most 1 a week: " in rules_of(app)
    app.button(key="use_threshold").click().run()
    used = float(app.text_input(key=f"rule_{number}_1_0_price_changed_percent").value)
    assert used > 10
    assert "7 alerts in 30 days" not in rules_of(app)


@pytest.mark.usefixtures("two")
def test_what_is_no_threshold_is_refused_in_words(session: Session, principal: Principal) -> None:
    number = rule_id(session, principal, "price_change")
    app = edit(number)
    for typed in ("ten", "0", "-5", ""):
        app.text_input(key=f"rule_{number}_1_0_price_changed_percent").set_value(typed).run()
        assert app.error
        assert not [each for each in app.button if each.key == "save_rule"]


@pytest.mark.usefixtures("two")
def test_of_a_built_in_rule_only_its_numbers_can_be_changed(
    session: Session, principal: Principal
) -> None:
    app = edit(rule_id(session, principal, "rank_below_usual"))
    labels = {each.label for each in app.selectbox}
    assert not labels & {"Watch", "When it", "Products", "Against"}
    assert not [each for each in app.text_input if each.label == "Name (optional)"]
    shown = {each.label.replace(THIN_SPACE, " ") for each in app.text_input}
    assert {"BSR change from, in %", "Ends below (%)"} <= shown


@pytest.mark.usefixtures("two")
def test_a_rule_is_created_from_a_template(session: Session, principal: Principal) -> None:
    app = edit("new")
    app.selectbox(key="template").select("price_below_target").run()
    key = "new_price_below_target"
    app.text_input(key=f"{key}_0_price_below_target").set_value("15.50").run()
    app.text_input(key=f"{key}_name").set_value("Cheap lamp").run()
    assert "Price is below $15.50. Applies to your own products." in rules_of(app)
    assert "For 1 product now." in rules_of(app)
    app.button(key="save_rule").click().run()
    assert not app.exception
    [rule] = [each for each in list_rules(session, principal) if each.name == "Cheap lamp"]
    assert rule.rule.conditions[0].target == 1550
    assert "by Owner" in rules_of(app)


@pytest.mark.usefixtures("two")
def test_conditions_are_added_combined_and_removed(session: Session, principal: Principal) -> None:
    app = edit("new")
    key = "new_price_drop"
    app.button(key=f"{key}_add").click().run()
    app.selectbox(key=f"{key}_1_subject").select(Subject.RATING).run()
    app.selectbox(key=f"{key}_1_rating_comparison").select(Comparison.BELOW).run()
    app.text_input(key=f"{key}_1_rating_below_target").set_value("4.2").run()
    app.session_state[f"{key}_combination"] = Combination.ANY
    app.selectbox(key=f"{key}_scope").select(ScopeKind.COMPETITORS).run()
    assert "or rating is below 4.2 stars" in rules_of(app)
    assert "Applies to competitors' products." in rules_of(app)
    app.button(key="save_rule").click().run()
    assert not app.exception
    [rule] = [each.rule for each in list_rules(session, principal) if each.code is None][1:]
    assert (rule.combination, rule.subjects) == (Combination.ANY, (Subject.PRICE, Subject.RATING))
    assert rule.conditions[1].target == 42
    app = edit("new")
    app.button(key=f"{key}_add").click().run()
    app.button(key=f"{key}_remove_0").click().run()
    assert not [each for each in app.button if each.label == "Remove"]


@pytest.mark.usefixtures("two")
def test_a_rank_in_a_category_needs_the_categorys_name() -> None:
    app = edit("new")
    app.selectbox(key="template").select("category_rank").run()
    assert "Name the category" in app.info[0].value
    assert not [each for each in app.button if each.key == "save_rule"]
    app.text_input(key="new_category_rank_0_category").set_value("Desk Lamps").run()
    assert "BSR in “Desk Lamps” worsens by 50 %" in rules_of(app)
    assert app.button(key="save_rule")


@pytest.mark.usefixtures("two")
def test_a_rule_that_makes_no_sense_is_refused_with_the_reason() -> None:
    app = edit("new")
    key = "new_price_drop"
    app.text_input(key=f"{key}_0_price_changed_percent").set_value("100").run()
    assert "can't fall by 100 percent or more" in app.error[0].value
    assert not [each for each in app.button if each.key == "save_rule"]


@pytest.mark.usefixtures("two")
def test_a_rule_for_very_many_products_asks_first(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LARGE_REACH", 1)
    app = edit("new")
    app.selectbox(key="template").select("title_changed").run()
    before = len(list_rules(session, principal))
    app.selectbox(key="new_title_changed_scope").select(ScopeKind.TRACKED).run()
    assert "This rule is for 2 products, more than 1." in plain(app)
    app.button(key="save_rule").click().run()
    assert "Confirm that it is meant for all of them" in app.error[0].value
    app.checkbox(key="new_title_changed_confirm_many").check().run()
    app.button(key="save_rule").click().run()
    assert len(list_rules(session, principal)) == before + 1


@pytest.mark.usefixtures("two")
def test_a_rule_is_made_for_a_shared_view_and_shows_when_that_is_deleted(
    session: Session, principal: Principal
) -> None:
    definition = ViewDefinition(ListFilter(search=LAMP), Sort())
    save_view(session, principal, "Lamps", definition, is_shared=True)
    [view] = list_views(session, principal)
    app = edit("new")
    app.selectbox(key="template").select("title_changed").run()
    app.selectbox(key="new_title_changed_scope").select(ScopeKind.VIEW).run()
    assert app.selectbox(key="new_title_changed_view").options == ["Lamps"]
    assert "Applies to the products in the saved view “Lamps”." in rules_of(app)
    app.button(key="save_rule").click().run()
    assert not app.exception
    made = list_rules(session, principal)[-1]
    assert made.rule.scope.view_id == view.id
    delete_view(session, principal, view.id)
    assert "no product, because its saved view was deleted" in rules_of(edit(made.rule_id))


@pytest.mark.usefixtures("two")
def test_a_rule_of_the_team_is_renamed(session: Session, principal: Principal) -> None:
    number = rule_id(session, principal, None)
    app = edit(number)
    app.text_input(key=f"rule_{number}_1_name").set_value("Much cheaper").run()
    app.button(key="save_rule").click().run()
    assert toasts(app) == "Rule saved."
    found = get_rule(session, principal, number)
    assert (found.name, found.version) == ("Much cheaper", 1)


@pytest.mark.usefixtures("two")
def test_sellers_try_a_rule_and_do_not_save_it(
    make_user: Callable[[PersonRole], Principal],
    sign_in: SignIn,
    session: Session,
    principal: Principal,
) -> None:
    sign_in(make_user(PersonRole.SELLER))
    app = edit(rule_id(session, principal, "price_change"))
    assert "Managers save rules." in plain(app)
    assert not [each for each in app.button if each.key in ("save_rule", "reset_rule")]
    assert " in 90 days on 2 products" in plain(app)


@pytest.mark.usefixtures("two")
def test_a_rule_of_the_team_is_deleted_once_confirmed(
    session: Session, principal: Principal
) -> None:
    def show() -> None:
        from app.alert_rules import deletion
        from app.data import alerts

        for row in alerts.list_rules():
            if row.stored.code is None:
                deletion.show_deletion(row)

    app = AppTest.from_function(show, default_timeout=120).run()
    app.button(key="confirm_delete_rule").click().run()
    assert not app.exception
    assert [each for each in list_rules(session, principal) if each.code is None] == []
