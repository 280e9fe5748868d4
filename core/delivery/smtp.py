"""The only module that uses a mail server. Takes addresses and texts, no users."""

import hashlib
import os
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from core.delivery.outcome import Attempt, Outcome
from core.errors import ConfigurationError, InvalidInputError, OutsideServiceError
from core.runtime.deadlines import call_at, call_in_time
from core.runtime.outbound import reject_unsafe_host

SECONDS = 30.0  # for all of a call, from resolving the host's name to the server's goodbye
_IS_ADDRESS = re.compile(r"https?://[!-;=?-~]{1,900}", re.ASCII)  # without < and >
# The longest lines that SMTP allows: folded earlier, a long address in a header is encoded, and no
# mail program recognises it.
_POLICY = SMTP.clone(max_line_length=998)
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The mail server that takes emails. Without a user there is no sign-in."""

    host: str
    port: int
    is_tls: bool  # from the first byte; otherwise STARTTLS if the server offers it
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_smtp_url(address: str) -> SmtpServer:
    """Read smtp://user:password@host:587 or smtps://…. Raises ConfigurationError."""
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError as error:
        raise ConfigurationError("The port in AMAZCOPE_SMTP_URL isn't a number.") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigurationError("Write AMAZCOPE_SMTP_URL as smtp://user:password@host:587.")
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return SmtpServer(
        parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "smtps", user, password
    )


@dataclass(frozen=True, slots=True)
class OutgoingEmail:
    """One email. `key`: the same for each attempt; None: of its own each time.

    `unsubscribe`: the address that ends such emails by one click (RFC 8058). `pictures`: the id
    by which the HTML names each, and a PNG.
    """

    to: str
    subject: str
    text: str
    html: str | None = None
    key: str | None = None
    unsubscribe: str | None = None
    pictures: tuple[tuple[str, bytes], ...] = ()


def send_email(server: SmtpServer, sender: str, to: str, subject: str, text: str) -> None:
    """Send one email. Raises OutsideServiceError if the server does not accept it.

    Raises InvalidInputError for an address with line breaks or other control characters. A
    password is sent over an encrypted connection only, except to this machine.
    """
    message = _build_message(sender, OutgoingEmail(to, subject, text))
    try:
        with _connect(server) as connection:
            if server.user:
                connection.login(server.user, server.password or "")
            connection.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise OutsideServiceError(
            f"The mail server {server.host} did not accept the message: {type(error).__name__}."
        ) from error


def submit_email(server: SmtpServer, sender: str, email: OutgoingEmail) -> Attempt:
    """Send one email and return how it ended. Raises nothing for what the server does.

    Unknown only if the connection broke, or was ended for its time, after the message's first byte.
    """
    connection: _Smtp | None = None
    try:
        message = _build_message(sender, email)
        accepted = Attempt(
            Outcome.SENT, "The mail server accepted it.", None, message["Message-ID"]
        )
        with _connect(server) as connection:
            if server.user:
                connection.login(server.user, server.password or "")
            connection.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        return _judge_refusal(code, words)
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        return _judge_refusal(error.smtp_code, error.smtp_error)
    except InvalidInputError as error:
        return Attempt(Outcome.REFUSED, str(error))
    except ValueError:  # of a header
        return Attempt(Outcome.REFUSED, "The sender or the address can't be used in an email.")
    except (smtplib.SMTPException, OSError) as error:
        if connection is not None and connection.is_accepted:
            return accepted
        if connection is not None and connection.is_begun:
            return Attempt(Outcome.UNKNOWN, "The connection broke while the email was sent.")
        return Attempt(Outcome.LATER, _describe_failure(error)[:500])
    return accepted


def _judge_refusal(code: int, words: bytes | str) -> Attempt:
    """Return the attempt of a refusing answer: 4xx may be tried again, 5xx is final."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    line = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    outcome = Outcome.LATER if 400 <= code < 500 else Outcome.REFUSED
    return Attempt(outcome, f"{code} {line}"[:500])


def check_server(server: SmtpServer) -> str:
    """Connect and sign in without sending anything; return what the server answered.

    Raises OutsideServiceError with what to correct.
    """
    try:
        with _connect(server) as connection:
            if server.user:
                connection.login(server.user, server.password or "")
            connection.noop()
            is_encrypted = isinstance(connection.sock, ssl.SSLSocket)
    except smtplib.SMTPAuthenticationError as error:
        raise OutsideServiceError(
            f"The mail server refused user and password ({error.smtp_code})."
        ) from error
    except ssl.SSLError as error:
        reason = (error.reason or type(error).__name__).replace("_", " ").lower()
        raise OutsideServiceError(f"No encrypted connection is possible: {reason}.") from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise OutsideServiceError(_describe_failure(error)) from error
    encryption = "encrypted" if is_encrypted else "not encrypted"
    return f"Connected, {encryption}{', signed in' if server.user else ', without sign-in'}."


def _describe_failure(error: Exception) -> str:
    """Return why a mail server can't be used."""
    if isinstance(error, TimeoutError):
        return "The mail server did not answer in time."
    if isinstance(error, ConnectionRefusedError):
        return "No mail server answers at this host and port."
    if isinstance(error, socket.gaierror):
        return "The mail server's host name is not known."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"The mail server refused the connection ({error.smtp_code})."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "The mail server offers no sign-in over this connection."
    if type(error) is OSError:  # of `_connect`
        return f"The mail server can't be used: {error}."
    return f"The server does not answer as a mail server does ({type(error).__name__})."


def _build_message(sender: str, email: OutgoingEmail) -> EmailMessage:
    if not email.to.isprintable():
        raise InvalidInputError("This is not an email address.")
    message = EmailMessage(policy=_POLICY)
    message["From"], message["To"] = sender, email.to
    message["Subject"] = " ".join(email.subject.split())
    message["Date"] = formatdate()
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = _make_id(email.key, domain)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    if email.unsubscribe and _IS_ADDRESS.fullmatch(email.unsubscribe):
        message["List-Unsubscribe"] = f"<{email.unsubscribe}>"
        if email.unsubscribe.startswith("https://"):
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(email.text)
    if email.html is not None:
        message.add_alternative(email.html, subtype="html")
        *_, page = message.iter_parts()
        for name, png in email.pictures:
            page.add_related(png, "image", "png", cid=f"<{name}>", disposition="inline")
    return message


def _make_id(key: str | None, domain: str) -> str:
    """Return a Message-ID: the same for each email of one key."""
    if key is None:
        return make_msgid(domain=domain)
    return f"<amazcope.{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:40]}@{domain}>"


class _Smtp(smtplib.SMTP):
    """A connection that knows whether a message's text was begun, and whether it was accepted.

    It ends at a deadline, however slowly the server answers. Making it resolves names: the
    server's, and this machine's own.
    """

    is_begun = False
    is_accepted = False
    is_cut = False
    _raw: socket.socket | None = None  # below TLS, while there is no `sock`

    def __init__(self, server: SmtpServer, until: float) -> None:
        self._server, self._until = server, until
        reject_unsafe_host(server.host, server.port)
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        self._addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        super().__init__(timeout=self._left())
        self._host = server.host  # whose certificate is checked

    def _left(self) -> float:
        return max(self._until - time.monotonic(), 0.001)

    def open(self) -> None:
        """Connect, and encrypt the connection if the server offers it."""
        code, words = self.connect(self._server.host, self._server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        if self._server.is_tls:
            return
        self.ehlo()
        if self.has_extn("starttls"):
            self._settle()
            self.starttls(context=_get_context())
            self._settle()
            self.ehlo()
        elif self._server.user and self._server.host not in ("127.0.0.1", "::1", "localhost"):
            raise OSError("no encryption is offered")

    def _get_socket(self, _host: str, port: int, _timeout: float) -> socket.socket:
        """Return a connection to the first address that answers; called by `connect`."""
        failed: OSError = OSError("no address")
        for number, address in enumerate(self._addresses):
            share = self._left() / (len(self._addresses) - number)
            try:
                self._raw = socket.create_connection((address, port), share)
                break
            except OSError as error:
                failed = error
        else:
            raise failed
        # A handshake ends in this time, however slowly its bytes come; it can't be cut.
        self._raw.settimeout(self._left())
        if self._server.is_tls:
            self._raw = _get_context().wrap_socket(self._raw, server_hostname=self._host)
        if self.is_cut:
            raise TimeoutError("it took too long")
        return self._raw

    def _settle(self) -> None:
        """Limit the next handshake, or end what was to be cut during the last one."""
        if self.is_cut:
            raise TimeoutError("it took too long")
        if self.sock is not None:
            self.sock.settimeout(self._left())

    def cut(self) -> None:
        """End all reading and writing at once."""
        self.is_cut = True
        connected = self.sock or self._raw
        if connected is not None:
            with suppress(OSError):  # it is closed already
                # Of the socket below TLS: nothing is exchanged any more.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send the text of a message, as bytes."""
        code, words = self.docmd("DATA")
        if code != 354:
            raise smtplib.SMTPDataError(code, words)
        self.is_begun = True
        self.send(re.sub(rb"(?m)^\.", b"..", msg).removesuffix(b"\r\n") + b"\r\n.\r\n")
        code, words = self.getreply()
        self.is_accepted = code == 250
        return code, words


def _get_context() -> ssl.SSLContext:
    return _load_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=2)
def _load_context(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Return the context of these certificate authorities, which takes a while to read."""
    return ssl.create_default_context()  # reads the two variables by itself


@contextmanager
def _connect(server: SmtpServer) -> Iterator[_Smtp]:
    """Connect to a mail server for at most `SECONDS`; the end of the block says goodbye.

    Raises TimeoutError where the connection had to be cut.
    """
    until = time.monotonic() + SECONDS
    connection = call_in_time(lambda: _Smtp(server, until), until)
    with call_at(until, connection.cut):
        try:
            connection.open()
            with connection:
                yield connection
        except OSError as error:
            is_answer = isinstance(
                error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused
            )
            if connection.is_cut and not is_answer:
                raise TimeoutError("it took too long") from error
            raise
        finally:
            connection.close()
