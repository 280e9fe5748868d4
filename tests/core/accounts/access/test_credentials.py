"""Hashes of passwords, random tokens, what is encrypted."""

from collections.abc import Iterator
from typing import Literal

import argon2
import pytest
from argon2 import PasswordHasher, Type
from hypothesis import given, settings
from hypothesis import strategies as st

from core.accounts.access import credentials
from core.accounts.access.credentials import (
    decrypt,
    derive_key,
    encrypt,
    generate_token,
    hash_password,
    hash_token,
    needs_rehash,
    verify_password,
)
from core.accounts.password_rules import find_password_problem
from core.errors import ConfigurationError
from tests.hypothesis_runs import examples

REAL_HASHER = credentials._HASHER
GOOD = "a kettle beside seven lamps"
SECRET = "a secret of at least thirty-two signs"


@pytest.fixture(autouse=True)
def _real_costs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(credentials, "_HASHER", REAL_HASHER)
    credentials._dummy_hash.cache_clear()
    yield
    credentials._dummy_hash.cache_clear()


def test_a_password_is_kept_as_argon2id_with_a_salt_of_its_own() -> None:
    first, second = hash_password(GOOD), hash_password(GOOD)
    costs = argon2.extract_parameters(first)
    assert (costs.type, costs.memory_cost, costs.time_cost) == (Type.ID, 19_456, 2)
    assert first != second
    assert verify_password(first, GOOD)
    assert verify_password(second, GOOD)
    assert not verify_password(first, GOOD + "!")


def test_a_password_is_the_same_however_the_keyboard_composes_it() -> None:
    composed, decomposed = "caf\u00e9 beside the lamps", "cafe\u0301 beside the lamps"
    assert verify_password(hash_password(composed), decomposed)


def test_half_a_sign_in_a_password_is_no_fault() -> None:
    strange = "\ud800" * 12
    assert verify_password(hash_password(strange), strange)
    assert not verify_password(None, strange)


def test_an_unknown_user_has_no_password_but_takes_a_whole_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: list[tuple[argon2.Parameters, bytes]] = []

    class NotingHasher(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            hashed.append((argon2.extract_parameters(str(hash)), bytes(password)))
            return super().verify(hash, password)

    kept, other = hash_password(GOOD), "another password of some length"
    monkeypatch.setattr(
        credentials,
        "_HASHER",
        NotingHasher(time_cost=2, memory_cost=19_456, parallelism=1),
    )
    assert not verify_password(kept, other)
    assert not verify_password(None, other)
    known, unknown = hashed
    assert known == unknown


def test_the_hash_of_an_unknown_user_has_the_costs_of_today() -> None:
    made_up = credentials._dummy_hash()
    assert not needs_rehash(made_up)
    assert argon2.extract_parameters(made_up) == argon2.extract_parameters(hash_password(GOOD))


def test_a_hash_of_other_costs_is_to_be_renewed() -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(GOOD)
    assert verify_password(cheap, GOOD)
    assert needs_rehash(cheap)
    assert not needs_rehash(hash_password(GOOD))


def test_a_spoilt_hash_lets_no_user_in() -> None:
    assert not verify_password("no hash at all", GOOD)


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "qwertyuiop1234",
        "aaaaaaaaaaaaaaaa",
        "123456789012",
        "abcabcabcabcabc",
        "Amelia.Lovelace1990",
        "lovelace@shop.example",
        "short",
    ],
)
def test_what_is_easily_guessed_is_refused(password: str) -> None:
    assert find_password_problem(password, "Amelia Lovelace", "amelia.lovelace@shop.example")


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "зелёный чайник у окна",
        "七つのランプのとなりの薬缶です",
        "çaydanlık pencerede duruyor",
    ],
)
def test_a_few_words_of_ones_own_are_good_in_any_language(password: str) -> None:
    assert find_password_problem(password, "Amelia Lovelace") is None


def test_ones_own_name_does_not_become_good_by_repeating_it() -> None:
    assert find_password_problem("Brzęczyszczykiewicz", "Grzegorz Brzęczyszczykiewicz")


@settings(max_examples=examples(15))
@given(st.text(max_size=140), st.text(max_size=40))
def test_any_text_gets_an_answer_as_a_password(password: str, name: str) -> None:
    problem = find_password_problem(password, name)
    assert problem is None or problem.endswith(".")


# Tokens and what is encrypted


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {generate_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43
    assert generate_token("amz_").startswith("amz_")


@given(st.text(st.characters(), max_size=50))
def test_every_text_given_as_a_token_is_searched_for(token: str) -> None:
    assert len(hash_token(token)) == 32


def test_what_is_encrypted_is_read_with_its_secret_only() -> None:
    body = encrypt("JBSWY3DPEHPK3PXP", SECRET)
    assert b"JBSWY3DPEHPK3PXP" not in body
    assert decrypt(body, SECRET) == "JBSWY3DPEHPK3PXP"
    with pytest.raises(ConfigurationError, match="AMAZCOPE_SECRET_KEY"):
        decrypt(body, SECRET + "!")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 32"):
        derive_key("short", "a purpose")


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert derive_key(SECRET, "one") != derive_key(SECRET, "another")
