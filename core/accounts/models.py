"""Tables of teams, users, sign-ins, tokens and the audit."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class Team(Base):
    """A team: owner of tracked products, settings and budgets."""

    __tablename__ = "team"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text, server_default="UTC")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Person(Base):
    """A user. The first administrator is created by a migration and set up later.

    State: unclaimed → active → disabled and back → erased; invited → active; registered →
    active.
    """

    __tablename__ = "person"
    __table_args__ = (
        Index("uq_person_mail", "mail", unique=True, postgresql_where=text("mail IS NOT NULL")),
        Index(
            "uq_person_outside_identity",
            "outside_identity",
            unique=True,
            postgresql_where=text("outside_identity IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    mail: Mapped[str | None] = mapped_column(Text)  # as `normalize_email` writes it
    role: Mapped[str] = mapped_column(Text, server_default="viewer")
    state: Mapped[str] = mapped_column(Text, server_default="active")
    is_demo: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    password_hash: Mapped[str | None] = mapped_column(Text)  # None: signs in by single sign-on
    password_changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)  # each code is valid once
    outside_identity: Mapped[str | None] = mapped_column(Text)  # issuer and subject of sign-on
    time_zone: Mapped[str | None] = mapped_column(Text)  # None: the team's
    locale: Mapped[str] = mapped_column(Text, server_default="en_US")
    page_size: Mapped[int] = mapped_column(SmallInteger, server_default=text("50"))
    price_change_percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 2))
    rank_change_percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 2))
    preferences: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    last_signed_in_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class SignIn(Base):
    """A user's session. The cookie holds a token, the row its hash."""

    __tablename__ = "sign_in"
    __table_args__ = (
        Index("ix_sign_in_person", "person_id"),
        Index("ix_sign_in_device", "device_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    begun_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    address: Mapped[str | None] = mapped_column(Text)
    browser: Mapped[str | None] = mapped_column(Text)
    # When the user last confirmed their identity in this session; None: never.
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    device_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("known_device.id", ondelete="SET NULL")
    )


class KnownDevice(Base):
    """A browser that a user has signed in with. Its cookie holds a token, the row its hash."""

    __tablename__ = "known_device"
    __table_args__ = (Index("ix_known_device_person", "person_id", "seen_at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # its last sign-in


class OneTimeToken(Base):
    """A token that is used once: a ticket, a reset, an invitation, the set-up."""

    __tablename__ = "one_time_token"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="CASCADE"), index=True
    )
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SignInAttempt(Base):
    """An attempt at a public form, such as signing in. Stored as failed before it is checked."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        Index("ix_sign_in_attempt_who", "who", "at"),
        Index("ix_sign_in_attempt_address", "address", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(
        Text, server_default="sign_in"
    )  # of `throttling.ThrottledForm`
    # Hash of the given email address, or of the known device or session.
    who: Mapped[bytes] = mapped_column(LargeBinary)
    address: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    has_succeeded: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    # Set by a complete sign-in: earlier failures no longer count for the user.
    is_forgiven: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class RecoveryCode(Base):
    """A code that replaces the authenticator app once."""

    __tablename__ = "recovery_code"

    person_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    made_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True)
    )  # None: a short code of an earlier version


class RefusalCount(Base):
    """How often one subject was refused one thing on one day (UTC)."""

    __tablename__ = "refusal_count"

    subject: Mapped[str] = mapped_column(Text, primary_key=True)  # "person:3", "address:…"
    what: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    times: Mapped[int] = mapped_column(BigInteger)


class ApiToken(Base):
    """A token of a program that acts as its owner, within scopes. Only its hash is stored."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    hint: Mapped[str] = mapped_column(Text)  # its first characters, to recognise it by
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AuditEvent(Base):
    """An event of the audit. Append-only; a job seals the events into a chain of hashes."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_team", "team_id", text("id DESC")),
        Index("ix_audit_event_open", "id", postgresql_where=text("seal IS NULL")),
        Index(
            "uq_audit_event_place", "place", unique=True, postgresql_where=text("place IS NOT NULL")
        ),
        # The event of a frozen report is found by the file's hash.
        Index(
            "ix_audit_event_frozen",
            "object",
            postgresql_where=text("verb = 'made frozen report'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    team_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int | None] = mapped_column(BigInteger)  # None: not signed in, or a job
    means: Mapped[str] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    verb: Mapped[str] = mapped_column(Text)
    object: Mapped[str | None] = mapped_column(Text)  # "person:3", "product:17"
    old: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    new: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    place: Mapped[int | None] = mapped_column(BigInteger)  # in the chain, from 1; None: not sealed
    seal: Mapped[bytes | None] = mapped_column(
        LargeBinary
    )  # hash of this event and the previous seal


class Notice(Base):
    """A notice about a user's account."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_unread", "person_id", postgresql_where=text("read_at IS NULL")),
        Index("ix_notice_person", "person_id", text("id DESC")),
        Index(
            "ix_notice_security",
            "at",
            postgresql_where=text("security_mail IS NOT NULL AND mailed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    text: Mapped[str] = mapped_column(Text)
    page: Mapped[str | None] = mapped_column(Text)  # where to read more
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    mailed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Of a security notice, until it is emailed: to which address, and where it came from.
    security_mail: Mapped[str | None] = mapped_column(Text)
    origin: Mapped[str | None] = mapped_column(Text)


class TeamSetting(Base):
    """A setting that an admin changed for the team; a missing row means the default."""

    __tablename__ = "team_setting"

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
