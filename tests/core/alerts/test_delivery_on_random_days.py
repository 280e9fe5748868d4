"""Random days of a team: what is sent is sent once, to users who may get it, and never at night."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.alerts.delivery import send_messages
from core.alerts.notifications.make_messages import make_message, sort_due
from core.alerts.notifications.models import StoredDeliverySettings
from core.alerts.notifications.plan_notifications import plan_notifications, plan_reminders
from core.alerts.notifications.policy import find_quiet_end
from core.alerts.notifications.recipients import IS_RECIPIENT, make_settings
from core.delivery import outbox
from core.delivery.message import Urgency
from core.delivery.outbox import MessageState
from core.delivery.outcome import Attempt, Outcome
from tests.core.alerts.delivery.test_send_messages import SETTINGS, add_webhook
from tests.factories.alerts import add_incident, add_rule
from tests.factories.notifications import set_delivery
from tests.factories.observations import NOON
from tests.factories.people import add_colleague
from tests.factories.products import KETTLE, LAMP, track_products

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OUTCOMES = (Outcome.SENT, Outcome.SENT, Outcome.LATER, Outcome.LATER, Outcome.UNKNOWN)
ZONES = ("Europe/Berlin", "Asia/Kathmandu", "America/Los_Angeles", "Pacific/Apia", "UTC")


class Team:
    """A team of an administrator and a seller, and what came of its alerts."""

    def __init__(self, session: Session, owner: Principal, seed: int) -> None:
        self.session, self.owner, self.chance = session, owner, random.Random(seed)
        self.now = NOON
        self.seller = add_colleague(session, owner, role=Role.SELLER)
        self.products = track_products(session, owner, [LAMP, KETTLE])
        track_products(session, self.seller, [LAMP])
        self.channels = [
            add_webhook(session, who, kind)
            for who in (owner, self.seller)
            for kind in ("webhook", "ntfy")
        ]
        self.came: dict[tuple[int, int, str], set[str]] = {}  # by incident, channel and kind: keys
        self.reinstated: Counter[int] = Counter()
        self.opened = 0
        self.outcome = Outcome.SENT

    # What happens

    def act(self) -> None:
        """Let up to three things happen, then do a round of the worker."""
        acts: list[Callable[[], None]] = [
            self.open, self.open, self.open, self.change_incident, self.change_incident,
            self.change_user, self.change_channel, self.choose, self.silence, self.wait,
            self.wait, self.delete_rule, self.track,
        ]  # fmt: skip
        for _ in range(self.chance.randint(1, 3)):
            self.chance.choice(acts)()
        self.now += MINUTE
        if self.chance.random() < 0.3:  # else the receivers are as they were
            self.outcome = self.chance.choice(OUTCOMES)
        self.do_round(self.outcome, is_killed=self.chance.random() < 0.1)

    def open(self) -> None:
        self.opened += 1
        codes = ("out_of_stock", "price_change", "rank_below_usual", None)
        severity = self.chance.choice(("critical", "warning", "info"))
        at = self.now + self.opened * timedelta(milliseconds=1)
        code, product = self.chance.choice(codes), self.chance.choice(self.products)
        rule_id = None if code else add_rule(self.session, self.owner)
        add_incident(
            self.session, self.owner, product, at, code=code, rule_id=rule_id, severity=severity
        )

    def change_incident(self) -> None:
        """Change one incident as evaluation or a user does."""
        row = self.find(
            "SELECT id, state, muted_by FROM incident ORDER BY (id * :prime) % 101, id LIMIT 1",
            prime=self.chance.randrange(1, 101),
        )
        if row is None:
            return
        changes = {
            "resolve": "state = 'resolved', ended_at = :now",
            "withdraw": "state = 'withdrawn', withdrawn_at = :now",
            "mute": "muted_by = 'outage'",
            "unmute": "muted_by = NULL, planned_state = NULL",
            "acknowledge": "acknowledged_at = :now, acknowledged_by = 1",
            "snooze": "snoozed_until = :now + interval '3 hours'",
            "mark": "resolved_at = :now, resolved_by = 1",
        }
        name = self.chance.choice(sorted(changes))
        if name == "unmute" and row["muted_by"] is None:
            return
        if row["state"] == "withdrawn":
            self.reinstated[row["id"]] += 1
            name, changes = "reinstate", {"reinstate": "state = 'firing', withdrawn_at = NULL"}
        elif row["state"] == "resolved" and name in ("resolve", "mute"):
            return
        self.run(f"UPDATE incident SET {changes[name]} WHERE id = :id", id=row["id"])

    def change_user(self) -> None:
        state = self.chance.choice(("active", "active", "disabled"))
        role = self.chance.choice(("seller", "viewer", "manager"))
        zone = self.chance.choice(ZONES)
        self.run(
            "UPDATE person SET state = :state, role = :role, time_zone = :zone WHERE id = :id",
            state=state, role=role, zone=zone, id=self.seller.person_id,
        )  # fmt: skip

    def change_channel(self) -> None:
        channel = self.chance.choice(self.channels)
        if self.chance.random() < 0.4:
            send_messages.pause_channel(self.session, channel, "owner", self.now)
        else:
            self.run(
                "UPDATE delivery_channel SET state = 'active', failures = 0 WHERE id = :id",
                id=channel,
            )

    def choose(self) -> None:
        """Let a user choose other settings, and when a channel gets a kind."""
        quiet = self.chance.choice(((None, None), (time(22), time(7)), (time(9), time(17))))
        set_delivery(
            self.session, self.chance.choice((self.owner, self.seller)),
            quiet_from=quiet[0], quiet_until=quiet[1], digest_hour=self.chance.randrange(24),
            critical_passes_quiet=self.chance.random() < 0.5,
            most_per_hour=self.chance.choice((1, 2, 10)),
            reminder_hours=self.chance.choice((None, 1, 4)),
            sends_resolved=self.chance.random() < 0.5,
            lowest_severity=self.chance.choice(("info", "warning", "critical")),
        )  # fmt: skip
        self.run(
            "INSERT INTO alert_preference (channel_id, kind, mode) VALUES (:channel, :kind, :mode) "
            "ON CONFLICT (channel_id, kind, rule_id) DO UPDATE SET mode = excluded.mode",
            channel=self.chance.choice(self.channels), kind="out_of_stock",
            mode=self.chance.choice(("off", "at_once", "hourly", "daily")),
        )  # fmt: skip

    def silence(self) -> None:
        if self.chance.random() < 0.5:
            self.run("UPDATE alert_silence SET ended_at = :now WHERE ended_at IS NULL")
            return
        self.run(
            "INSERT INTO alert_silence (team_id, product_id, reason, begins_at, ends_at, "
            "created_by) VALUES (1, :product, 'why', :now, :now + interval '5 hours', 1)",
            product=self.chance.choice(self.products),
        )

    def wait(self) -> None:
        self.now += self.chance.choice((10 * MINUTE, HOUR, 5 * HOUR))

    def delete_rule(self) -> None:
        if self.chance.random() < 0.5:
            self.run(
                "DELETE FROM alert_rule WHERE id = (SELECT id FROM alert_rule WHERE code IS NULL "
                "ORDER BY id DESC LIMIT 1)"
            )

    def track(self) -> None:
        self.run(
            "UPDATE tracking SET paused_at = CASE WHEN paused_at IS NULL THEN :now END "
            "WHERE person_id = :id",
            id=self.seller.person_id,
        )

    # The worker

    def do_round(self, outcome: Outcome, *, is_killed: bool = False) -> None:
        """Plan, make messages, and send what is due with one outcome, or be killed before that."""
        plan_notifications(self.session, self.now)
        plan_reminders(self.session, self.now)
        send_messages.expire_old(self.session, self.now)
        for channel in sort_due(self.session, self.now):
            make_message(self.session, channel, self.now, "https://amazcope.example", None)
        claimed = 1
        while claimed:
            ready, claimed = send_messages.claim_ready(self.session, self.now, SETTINGS)
            for each in ready:
                self.check(each)
            if is_killed:
                continue
            for each in ready:
                self.send(each, outcome)
        self.session.expire_all()

    def check(self, ready: send_messages.ReadyMessage) -> None:
        """Assert that a message may be sent now."""
        claimed = ready.claimed
        person = self.find("SELECT * FROM person WHERE id = :id", id=claimed.person_id)
        channel = self.find("SELECT * FROM delivery_channel WHERE id = :id", id=claimed.channel_id)
        assert (person["state"], channel["state"]) == ("active", "active")
        stored = self.session.get(StoredDeliverySettings, claimed.person_id, populate_existing=True)
        settings, zone = make_settings(stored), ZoneInfo(person["time_zone"] or "UTC")
        if not (claimed.message.urgency is Urgency.CRITICAL and settings.critical_passes_quiet):
            assert find_quiet_end(self.now, settings, zone) is None
        for each in claimed.message.data["alerts"]:
            incident = self.find(
                f"SELECT i.state, i.muted_by, {IS_RECIPIENT} AS is_recipient FROM incident i "
                "JOIN person p ON p.id = :person "
                "LEFT JOIN delivery_settings s ON s.person_id = p.id WHERE i.id = :id",
                id=each["incident_id"], person=claimed.person_id,
            )  # fmt: skip
            assert incident is not None, "it was deleted"
            assert incident["is_recipient"]
            assert (incident["state"] == "withdrawn") == (each["notification"] == "withdrawn")
            assert incident["muted_by"] is None or each["notification"] == "withdrawn"

    def send(self, ready: send_messages.ReadyMessage, outcome: Outcome) -> None:
        state = send_messages.record_sending(
            self.session, ready, Attempt(outcome, "an answer"), self.now
        )
        assert state is not None
        if state is MessageState.SENT:
            assert ready.claimed.channel_id is not None
            for each in ready.claimed.message.data["alerts"]:
                key = (each["incident_id"], ready.claimed.channel_id, each["notification"])
                self.came.setdefault(key, set()).add(ready.claimed.message.key)

    # The end

    def calm_down(self) -> None:
        """End all that holds messages, and send what is left."""
        self.run("UPDATE alert_silence SET ended_at = :now WHERE ended_at IS NULL")
        self.run("UPDATE incident SET snoozed_until = NULL")
        self.run("UPDATE delivery_settings SET reminder_hours = NULL, most_per_hour = 60")
        for _ in range(40):
            self.now += HOUR
            self.do_round(Outcome.SENT)

    def find(self, statement: str, **values: Any) -> Any:
        return self.session.execute(text(statement), values).mappings().first()

    def run(self, statement: str, **values: Any) -> None:
        self.session.execute(text(statement), {"now": self.now} | values)


@pytest.mark.parametrize("seed", range(3))
def test_random_days_send_each_alert_once_to_those_who_may_get_it(
    session: Session, principal: Principal, seed: int
) -> None:
    team = Team(session, principal, seed)
    for _ in range(60):
        team.act()
    team.calm_down()
    for (incident, _, kind), keys in team.came.items():
        if kind != "reminder":
            assert len(keys) <= 1 + team.reinstated[incident], (incident, kind, keys)
    left = team.find("SELECT * FROM notification WHERE state IN ('queued', 'held') LIMIT 1")
    assert left is None
    assert outbox.count_due(session, team.now + 10 * HOUR) == 0
    assert team.came
