"""Labels of audit events, and of the ways by which users act. Pure.

Stored verbs never change, since they are sealed: new words are set here.
"""

from typing import Final, NamedTuple

EVENT_LABELS: Final = {
    # Signing in
    "signed in": "Signed in",
    "signed out": "Signed out",
    "signed out elsewhere": "Ended another session",
    "signed out everywhere else": "Ended all other sessions",
    "locked out": "Locked after failed sign-ins",
    "refused": "Request refused",
    "confirmed identity": "Confirmed identity",
    "set up second factor": "Set up two-factor authentication",
    "removed second factor": "Removed two-factor authentication",
    "made recovery codes": "Created recovery codes",
    "joined by sign-on": "Joined by single sign-on",
    "linked sign-on": "Linked single sign-on",
    # Users
    "registered": "Registered",
    "invited": "Invited user",
    "withdrew invitation": "Withdrew invitation",
    "accepted invitation": "Accepted invitation",
    "made set-up link": "Created set-up link",
    "accepted setup": "Set up administrator by link",
    "set up": "Set up administrator by settings",
    "asked for a new password": "Requested password reset",
    "made reset link": "Created password reset link",
    "set a new password": "Reset password",
    "changed password": "Changed password",
    "changed mail address": "Changed email address",
    "changed profile": "Changed profile",
    "changed role": "Changed role",
    "disabled": "Disabled user",
    "enabled": "Enabled user",
    "erased": "Erased user",
    "made token": "Created API token",
    "revoked token": "Revoked API token",
    "changed team settings": "Changed team settings",
    "added own seller": "Added own seller",
    "changed own seller": "Changed own seller",
    "removed own seller": "Removed own seller",
    "changed connection": "Changed connection",
    "removed connection": "Removed connection",
    # Tracking
    "followed": "Started tracking",
    "unfollowed": "Stopped tracking",
    "paused": "Paused tracking",
    "resumed": "Resumed tracking",
    "tagged": "Changed tags",
    "changed settings": "Changed tracking settings",
    "asked for a fetch": "Requested check",
    "added note": "Added note",
    "changed note": "Changed note",
    "deleted note": "Deleted note",
    "added competitor": "Added competitor",
    "removed competitor": "Removed competitor",
    "set price caps": "Changed price caps",
    # Alert rules
    "created alert rule": "Created alert rule",
    "drafted alert rule": "Drafted alert rule, off",
    "changed alert rule": "Changed alert rule",
    "renamed alert rule": "Renamed alert rule",
    "reset alert rule": "Reset alert rule",
    "switched on alert rule": "Switched on alert rule",
    "switched off alert rule": "Switched off alert rule",
    "deleted alert rule": "Deleted alert rule",
    # Alerts
    "acknowledged alert": "Acknowledged alert",
    "unacknowledged alert": "Took back acknowledgement of alert",
    "snoozed alert": "Snoozed alert",
    "ended snooze of alert": "Ended snooze of alert",
    "added channel": "Added channel",
    "changed channel": "Changed channel",
    "paused channel": "Paused channel",
    "resumed channel": "Resumed channel",
    "removed channel": "Removed channel",
    "changed notifications": "Changed notifications",
    "unsubscribed": "Unsubscribed by a link",
    "assigned alert": "Assigned alert",
    "commented alert": "Commented on alert",
    "resolved alert": "Marked alert as resolved",
    "reopened alert": "Reopened alert",
    "silenced alerts": "Silenced alerts",
    "ended silence of alerts": "Ended silence of alerts",
    "acknowledged blocked source": "Acknowledged blocked source",
    # Saved views
    "saved view": "Saved view",
    "changed view": "Changed view",
    "deleted view": "Deleted view",
    # Reports
    "made frozen report": "Made frozen report",
    "subscribed to report": "Subscribed to report",
    "ended report subscription": "Ended report subscription",
    "unsubscribed from reports": "Ended emails of reports by their link",
    "made feed token": "Created feed token",
    "revoked feed token": "Revoked feed token",
    # Imports
    "offered import": "Uploaded import",
    "confirmed import": "Confirmed import",
    "discarded import": "Discarded import",
    "loaded demo": "Loaded demo data",
    "removed demo": "Removed demo data",
    # The installation
    "restored backup": "Restored backup",
    "continued after restore": "Continued after restore",
    # Suggestions
    "proposed suggestion": "Proposed suggestion",
    "added to suggestion": "Added change to suggestion",
    "approved suggestion": "Approved change",
    "declined suggestion": "Declined change",
    "applied suggestion": "Applied approved change",
    "undid suggestion": "Undid change",
    "suggestion verified": "Change verified",
    "suggestion unseen": "Change not confirmed",
    "suggestion stale": "Change out of date",
    "suggestion failed": "Change failed",
    "suggestion expired": "Change expired",
    "set four eyes": "Changed second-approver rule",
}


class ViaLabel(NamedTuple):
    """The label of a way to act, and the same as a phrase: "by Anna on a page"."""

    noun: str
    phrase: str


VIA_LABELS: Final = {
    "page": ViaLabel("page", "on a page"),
    "tool": ViaLabel("MCP", "by an agent's tool"),
    "job": ViaLabel("job", "by the worker"),
    "command": ViaLabel("command", "by a command"),
}


def event_label(verb: str) -> str:
    """Return the label of a stored verb; an unknown verb as it is stored."""
    return EVENT_LABELS.get(verb, verb)


def via_label(code: str) -> str:
    """Return the label of a stored way to act; an unknown one as it is stored."""
    return VIA_LABELS[code].noun if code in VIA_LABELS else code


def via_phrase(code: str) -> str:
    """Return a stored way to act as a phrase: "on a page"; an unknown one as it is stored."""
    return VIA_LABELS[code].phrase if code in VIA_LABELS else code
