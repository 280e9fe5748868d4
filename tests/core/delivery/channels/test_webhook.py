"""A receiver can check who signed a message, and recognises it when it comes again."""

import base64
import hashlib
import hmac

from core.delivery.channels.registry import ChannelKind, parse_address, send_message
from core.delivery.channels.send_context import SendContext
from core.delivery.channels.webhook import WebhookAddress, sign
from core.delivery.message import Message
from core.delivery.outcome import Outcome
from tests.receiver import Request, running_receiver

HOSTS = frozenset({"127.0.0.1"})
CONTEXT = SendContext(private_hosts=HOSTS)


def is_signed(request: Request, secret: str) -> bool:
    """Check a request as the specification of Standard Webhooks describes it."""
    headers = request.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{expected}"


def test_each_attempt_is_signed_and_has_the_same_id_and_body() -> None:
    message = Message("incident:7:3", "Größe <b>", "1 alert\r\nX: y", data={"price": "24.90"})
    with running_receiver() as receiver:
        address = parse_address(ChannelKind.WEBHOOK, {"url": f"{receiver.url}/h"}, HOSTS)
        assert isinstance(address, WebhookAddress)
        for _ in range(2):
            assert send_message(address, message, CONTEXT).outcome is Outcome.SENT
        one, other = receiver.requests
    assert is_signed(one, address.secret)
    assert is_signed(other, address.secret)
    assert not is_signed(one, "whsec_" + base64.b64encode(b"x" * 32).decode())
    assert (one.headers["webhook-id"], one.body) == ("incident:7:3", other.body)
    assert (one.content["subject"], one.content["data"]) == ("Größe <b>", {"price": "24.90"})


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of its authors' libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_key_that_could_forge_headers_or_signatures_is_replaced() -> None:
    secret = "whsec_" + base64.b64encode(b"x" * 32).decode()
    for key in ("a.b", "a\r\nX-Admin: 1", "ü", "", "x" * 300):
        assert len(sign(secret, key, 1, b"{}")["Webhook-Id"]) == 64


def test_two_channels_have_different_secrets() -> None:
    typed = {"url": "https://example.com/hook"}
    one, other = (parse_address(ChannelKind.WEBHOOK, typed) for _ in range(2))
    assert one != other
