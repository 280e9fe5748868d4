"""What may be entered for a connection."""

from dataclasses import replace

import pytest

from core.connections.values import (
    ApifyToken,
    MailServer,
    ModelServer,
    clean_apify_token,
    clean_mail_server,
    clean_model_server,
    from_json,
    get_name,
    hint_secret,
    is_same_place,
    to_json,
)
from core.errors import InvalidInputError

MODEL = ModelServer("https://models.example/v1", "gpt-x", "sk-secret-key-1234", "0.15", "0.6")
MAIL = MailServer("mail.example", 587, "Amazcope <a@team.example>", False, "ada", "hunter2!")


def test_typed_values_are_trimmed() -> None:
    assert clean_apify_token("  apify_api_12345678 ") == ApifyToken("apify_api_12345678")
    typed = clean_model_server(" http://127.0.0.1:1/v1/ ", " gpt-x", " key ", "0.150", "")
    assert typed == ModelServer("http://127.0.0.1:1/v1", "gpt-x", "key", "0.15", "0")
    typed_mail = clean_mail_server("127.0.0.1", 25, "a@team.example", "", "ignored", is_tls=True)
    assert typed_mail == MailServer("127.0.0.1", 25, "a@team.example", True)


@pytest.mark.parametrize(
    "address",
    [
        "", "models.example/v1", "ftp://models.example", "file:///etc/passwd", "http://",
        "http://user:secret@127.0.0.1/v1", "http://127.0.0.1/v1?key=1", "http://127.0.0.1/#a",
        "http://127.0.0.1:99999/", "http://127.0.0.1:0/", "http://[::1", "http://169.254.169.254/",
        "http://2852039166/latest", "http://[::ffff:a9fe:a9fe]/v1", "http://a\nb/", "x" * 600,
    ],
)  # fmt: skip
def test_a_base_url_that_is_none_or_leads_to_the_metadata_service_is_refused(address: str) -> None:
    with pytest.raises(InvalidInputError):
        clean_model_server(address, "gpt-x", "key", "0", "0")


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity", "1e9", "cheap", "1,5"])
def test_a_price_is_a_number_of_dollars(price: str) -> None:
    with pytest.raises(InvalidInputError, match="dollars per million"):
        clean_model_server("http://127.0.0.1/v1", "gpt-x", "key", price, "0")


@pytest.mark.parametrize("secret", ["", "   ", "two words", "line\nbreak", "käse", "x" * 501])
def test_a_token_is_one_word(secret: str) -> None:
    with pytest.raises(InvalidInputError):
        clean_apify_token(secret)


@pytest.mark.parametrize(
    ("host", "sender"),
    [
        ("", "a@team.example"), ("smtp://mail.example", "a@team.example"),
        ("ada@mail.example", "a@team.example"), ("169.254.169.254", "a@team.example"),
        ("127.0.0.1", "nobody"), ("127.0.0.1", "A <a@x.example>\r\nBcc: <b@x.example>"),
    ],
)  # fmt: skip
def test_a_mail_server_is_a_host_and_its_sender_an_address(host: str, sender: str) -> None:
    with pytest.raises(InvalidInputError):
        clean_mail_server(host, 25, sender, "", "", is_tls=False)


def test_values_survive_storage_and_never_show_their_secret() -> None:
    for values in (ApifyToken("apify_api_12345678"), MODEL, MAIL):
        assert from_json(get_name(values), to_json(values)) == values
        assert values.secret not in repr(values)
        assert values.secret not in str(values.facts)


def test_the_last_four_characters_are_shown_of_long_secrets_only() -> None:
    assert hint_secret(MODEL.secret) == "1234"
    assert hint_secret(MAIL.secret) == ""


def test_a_secret_is_kept_for_the_same_server_and_user_only() -> None:
    assert is_same_place(MODEL, replace(MODEL, model="other", key=""))
    assert not is_same_place(MODEL, replace(MODEL, base_url="https://evil.example/v1"))
    assert not is_same_place(MODEL, replace(MODEL, base_url="http://models.example/v1"))
    assert is_same_place(MAIL, replace(MAIL, sender="b@team.example"))
    for other in ({"host": "evil.example"}, {"port": 25}, {"user": "eve"}, {"is_tls": True}):
        assert not is_same_place(MAIL, replace(MAIL, **other))  # type: ignore[arg-type]
    assert not is_same_place(MODEL, MAIL)
