"""The only module that uses a mail server. Takes addresses and texts, no users."""

import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

from core.errors import ConfigurationError, InvalidInputError, OutsideServiceError
from core.runtime.outbound import reject_unsafe_host

TIMEOUT = 20  # s
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


def send_email(server: SmtpServer, sender: str, to: str, subject: str, text: str) -> None:
    """Send one email. Raises OutsideServiceError if the server does not accept it.

    Raises InvalidInputError for an address with line breaks or other control characters. A
    password is sent over an encrypted connection only, except to this machine.
    """
    if not to.isprintable():
        raise InvalidInputError("This is not an email address.")
    message = _build_message(sender, to, subject, text)
    try:
        with _connect(server) as connection:
            if server.user:
                connection.login(server.user, server.password or "")
            connection.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise OutsideServiceError(
            f"The mail server {server.host} did not accept the message: {type(error).__name__}."
        ) from error


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
    except TimeoutError as error:
        raise OutsideServiceError("The mail server did not answer in time.") from error
    except ssl.SSLError as error:
        reason = (error.reason or type(error).__name__).replace("_", " ").lower()
        raise OutsideServiceError(f"No encrypted connection is possible: {reason}.") from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise OutsideServiceError(_describe_failure(error)) from error
    encryption = "encrypted" if is_encrypted else "not encrypted"
    return f"Connected, {encryption}{', signed in' if server.user else ', without sign-in'}."


def _describe_failure(error: Exception) -> str:
    """Return why a mail server can't be used."""
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


def _build_message(sender: str, to: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = sender, to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = formatdate()
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    message.set_content(text)
    return message


def _connect(server: SmtpServer) -> smtplib.SMTP:
    reject_unsafe_host(server.host, server.port)
    context = ssl.create_default_context()
    if server.is_tls:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    try:
        connection.ehlo()
        if connection.has_extn("starttls"):
            connection.starttls(context=context)
            connection.ehlo()
        elif server.user and server.host not in ("127.0.0.1", "::1", "localhost"):
            raise OSError("no encryption is offered")
    except (smtplib.SMTPException, OSError):
        connection.close()
        raise
    return connection
