"""Handing mail in, to servers that take it, refuse it, don't answer, or are gone."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.delivery import smtp
from core.delivery.outcome import Attempt, Outcome
from core.errors import ConfigurationError, InvalidInputError, OutsideServiceError
from tests.mailbox import Mailbox, running_mailbox

FROM = "Amazcope <amazcope@team.example>"
PASSWORD = "open sesame / 7@x"


def send(box: Mailbox, **given: str) -> None:
    server = smtp.parse_smtp_url(box.url.replace("//", given.pop("login", "//")))
    values = {"to": "anna@team.example", "subject": "A link", "text": "Über\n"} | given
    smtp.send_email(server, FROM, values["to"], values["subject"], values["text"])


# Taken


def test_a_letter_arrives_as_it_was_written(mailbox: Mailbox) -> None:
    send(mailbox, text="Größe: 3 €\n.\nhttps://watch.example.com/?reset=abc\n")
    (letter,) = mailbox.letters
    assert (letter["From"], letter["To"], letter["Subject"]) == (
        FROM,
        "anna@team.example",
        "A link",
    )
    assert (
        letter.get_content().replace("\r\n", "\n")
        == "Größe: 3 €\n.\nhttps://watch.example.com/?reset=abc\n"
    )
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@team.example>")


def test_a_subject_of_two_lines_adds_no_header(mailbox: Mailbox) -> None:
    send(mailbox, subject="Hello\r\nBcc: somebody@else.example")
    assert mailbox.letters[0]["Bcc"] is None
    assert mailbox.recipients == ["anna@team.example"]


# Not taken


@pytest.mark.parametrize("answer", ["550 no such mailbox", "451 try later", "552 too much mail"])
def test_a_refusal_is_an_error_without_the_servers_words(mailbox: Mailbox, answer: str) -> None:
    mailbox.answer = answer
    with pytest.raises(OutsideServiceError, match=r"127\.0\.0\.1 did not accept") as caught:
        send(mailbox)
    assert answer not in str(caught.value)


def test_a_server_that_is_gone_is_an_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(OutsideServiceError, match="ConnectionRefusedError"):
            send(Mailbox(unused.getsockname()[1]))


def test_waiting_for_a_silent_server_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(OutsideServiceError):
        send(Mailbox(silent.getsockname()[1]))


@pytest.mark.parametrize(
    "to", ["anna@team.example\r\nRCPT TO:<b@team.example>", "\udcff@a.example"]
)
def test_an_address_that_breaks_the_protocol_goes_nowhere(mailbox: Mailbox, to: str) -> None:
    with pytest.raises(InvalidInputError):
        send(mailbox, to=to)
    assert mailbox.recipients == []


# How an attempt ends


def submit(box: Mailbox, to: str = "anna@team.example") -> Attempt:
    email = smtp.OutgoingEmail(to, "A link", "Text\n.\n..\nend\n", key="k:1")
    return smtp.submit_email(smtp.parse_smtp_url(box.url), FROM, email)


def test_an_accepted_email_is_sent_as_it_was_written(mailbox: Mailbox) -> None:
    attempt = submit(mailbox)
    [letter] = mailbox.letters
    assert (attempt.outcome, attempt.provider_id) == (Outcome.SENT, letter["Message-ID"])
    assert letter.get_content().replace("\r\n", "\n") == "Text\n.\n..\nend\n"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("550 no such mailbox", Outcome.REFUSED), ("451 try later", Outcome.LATER)],
)
def test_the_code_of_a_refusal_decides_whether_to_try_again(
    mailbox: Mailbox, answer: str, outcome: Outcome
) -> None:
    mailbox.answer = answer
    assert submit(mailbox) == Attempt(outcome, answer)


def test_an_address_that_breaks_the_protocol_is_refused(mailbox: Mailbox) -> None:
    assert submit(mailbox, "a@b.example\r\nRCPT TO:<b@c.example>").outcome is Outcome.REFUSED
    assert mailbox.recipients == []


def test_a_server_that_is_down_gets_it_later() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert submit(Mailbox(unused.getsockname()[1])).outcome is Outcome.LATER


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([b"220 x", b"250 x", b""], Outcome.LATER),
        ([b"220 x", b"250 x", b"250 x", b"250 x", b"354 x", b""], Outcome.UNKNOWN),
        ([b"220 x", b"250 x", b"250 x", b"250 x", b"354 x", b"250 x", b""], Outcome.SENT),
        (
            [b"220 x", b"250 x", b"250 x", b"250 x", b"354 x", b"250 x", b"500 x"],
            Outcome.SENT,
        ),
        ([b"220 x", b"250 x", b"250 x", b"550 x", b"250 x"], Outcome.REFUSED),
        ([b"220 x", b"250 x", b"250 x", b"450 x", b"250 x"], Outcome.LATER),
        ([b"hello"], Outcome.LATER),
    ],
)
def test_only_a_connection_that_breaks_in_the_message_leaves_it_unknown(
    answers: list[bytes], outcome: Outcome
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=converse, args=(listener, answers), daemon=True)
        thread.start()
        assert submit(Mailbox(listener.getsockname()[1])).outcome is outcome
        thread.join(120)


EHLO, MAIL, RCPT = (b"250 x\r\n",) * 3
MORE = b"250-more\r\n"  # an answer that goes on
HANDSHAKE = b"\x16\x03\x03\x40\x00"  # the start of a record that is never whole


@pytest.mark.parametrize(
    ("answers", "endless", "scheme"),
    [
        ([], MORE, "smtp"),
        ([b"220 x\r\n"], MORE, "smtp"),
        ([b"220 x\r\n", EHLO, MAIL, RCPT], MORE, "smtp"),
        ([], HANDSHAKE, "smtps"),
        ([b"220 x\r\n", b"250-x\r\n250 starttls\r\n", b"220 x\r\n"], HANDSHAKE, "smtp"),
    ],
)
def test_a_server_that_never_ends_an_answer_is_left_in_time(
    answers: list[bytes], endless: bytes, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "SECONDS", 0.3)
    attempt = submit_to_endless(answers, endless, threading.Event(), scheme)
    assert attempt == Attempt(Outcome.LATER, "The mail server did not answer in time.")


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([b"354 x\r\n"], Outcome.UNKNOWN),
        ([b"354 x\r\n", b"250 x\r\n"], Outcome.SENT),
        ([b"550 x\r\n"], Outcome.REFUSED),
    ],
)
def test_where_the_time_ends_decides_whether_an_email_may_be_sent_again(
    answers: list[bytes], outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_endless = threading.Event()

    @contextmanager
    def cut_in_the_endless_answer(_until: float, cut: Callable[[], None]) -> Iterator[None]:
        waiting = threading.Thread(target=lambda: is_endless.wait(120) and cut(), daemon=True)
        waiting.start()
        yield
        waiting.join(120)

    monkeypatch.setattr(smtp, "call_at", cut_in_the_endless_answer)
    monkeypatch.setattr(smtp, "SECONDS", 120.0)
    whole = [b"220 x\r\n", EHLO, MAIL, RCPT, *answers]
    assert submit_to_endless(whole, MORE, is_endless).outcome is outcome


def submit_to_endless(
    answers: list[bytes], endless: bytes, is_endless: threading.Event, scheme: str = "smtp"
) -> Attempt:
    """Submit an email to a server whose last answer never ends; it sees that it is left."""
    is_left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        given = (listener, answers, endless, is_endless, is_left)
        thread = threading.Thread(target=answer_endlessly, args=given, daemon=True)
        thread.start()
        server = smtp.parse_smtp_url(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")
        email = smtp.OutgoingEmail("anna@team.example", "A link", "Text\n", key="k:1")
        attempt = smtp.submit_email(server, FROM, email)
        assert is_left.wait(120)
    return attempt


def answer_endlessly(
    listener: socket.socket,
    answers: list[bytes],
    endless: bytes,
    is_endless: threading.Event,
    is_left: threading.Event,
) -> None:
    """Give these answers, then begin one that gets longer until the connection is ended."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as lines:
        try:
            for number, answer in enumerate(answers):
                if number:
                    read_command(lines, is_text=answers[number - 1].startswith(b"354"))
                connection.sendall(answer)
            read_command(lines, is_text=answers[-1:] == [b"354 x\r\n"]) if answers else None
            while True:
                connection.sendall(endless)
                is_endless.set()
                time.sleep(0.02)
        except OSError:
            is_left.set()


def read_command(lines: BufferedReader, *, is_text: bool) -> None:
    line = lines.readline()
    while is_text and line not in (b".\r\n", b""):
        line = lines.readline()


def converse(listener: socket.socket, answers: list[bytes]) -> None:
    """Answer line by line; b"" ends the connection."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as lines, suppress(OSError):
        for number, answer in enumerate(answers):
            line = lines.readline() if number else b""
            while answers[number - 1 : number] == [b"354 x"] and line not in (b".\r\n", b""):
                line = lines.readline()
            if not answer:
                return
            connection.sendall(answer + b"\r\n")


# Passwords and encryption


@pytest.fixture
def certified(tmp_path: Path) -> ssl.SSLContext:
    """What a server shows for 127.0.0.1 and 127.0.0.2, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail server of a test")])
    now = datetime.now(UTC)
    addresses = [x509.IPAddress(ip_address(f"127.0.0.{last}")) for last in (1, 2)]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.fixture
def trusted(certified: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this machine trust what that server shows."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))


Seen = list[tuple[str, bool]]


class Authenticator:
    """Lets one user in, and notes what was shown and whether it was encrypted."""

    def __init__(self) -> None:
        self.seen: Seen = []

    def __call__(self, _server, session, _envelope, _mechanism, shown) -> AuthResult:  # type: ignore[no-untyped-def]
        assert isinstance(shown, LoginPassword)
        self.seen.append((shown.password.decode(), session.ssl is not None))
        is_right = (shown.login, shown.password) == (b"amaz@cope", PASSWORD.encode())
        return AuthResult(success=is_right, handled=False)


LOGIN = "//amaz%40cope:open%20sesame%20%2F%207%40x@"


@pytest.fixture
def asked() -> Authenticator:
    return Authenticator()


@pytest.mark.usefixtures("trusted")
def test_a_password_goes_over_starttls(certified: ssl.SSLContext, asked: Authenticator) -> None:
    with running_mailbox(certified, authenticator=asked, auth_required=True) as box:
        send(box, login=LOGIN)
        assert len(box.letters) == 1
    assert asked.seen == [(PASSWORD, True)]


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_is_an_error_that_does_not_name_it(
    certified: ssl.SSLContext, asked: Authenticator
) -> None:
    with running_mailbox(certified, authenticator=asked, auth_required=True) as box:
        with pytest.raises(OutsideServiceError) as caught:
            send(box, login="//amaz%40cope:wrong%20one@")
        assert box.letters == []
    assert "wrong one" not in str(caught.value)


def test_a_server_with_an_untrusted_certificate_gets_no_password(
    certified: ssl.SSLContext, asked: Authenticator
) -> None:
    with (
        running_mailbox(certified, authenticator=asked) as box,
        pytest.raises(OutsideServiceError, match="SSLCertVerificationError"),
    ):
        send(box, login=LOGIN)
    assert asked.seen == []


@pytest.fixture
def elsewhere(asked: Authenticator) -> Iterator[Mailbox]:
    """A server that is not this machine's and offers no encryption, but asks for a password."""
    with running_mailbox(host="127.0.0.2", authenticator=asked, auth_require_tls=False) as box:
        yield box


def test_a_password_is_not_sent_in_the_clear(elsewhere: Mailbox, asked: Authenticator) -> None:
    with pytest.raises(OutsideServiceError):
        send(elsewhere, login=LOGIN)
    assert (asked.seen, elsewhere.letters) == ([], [])


def test_without_a_password_encryption_is_not_insisted_on(elsewhere: Mailbox) -> None:
    send(elsewhere)
    assert len(elsewhere.letters) == 1


# How a server is written


@pytest.mark.parametrize(
    "address",
    [
        "",
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://host:port",
        "smtp://h:99999",
    ],
)
def test_the_error_of_an_address_without_a_mail_server_shows_how_to_write_one(address: str) -> None:
    with pytest.raises(ConfigurationError, match="AMAZCOPE_SMTP_URL"):
        smtp.parse_smtp_url(address)


def test_ports_and_encryption_follow_from_the_address() -> None:
    plain, whole = (
        smtp.parse_smtp_url("smtp://mail.example"),
        smtp.parse_smtp_url("smtps://mail.example"),
    )
    assert (plain.port, plain.is_tls) == (587, False)
    assert (whole.port, whole.is_tls) == (465, True)
