"""Password rules: length and strength. Hashing is in `credentials`. No database."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 12, 128
MAX_PASSWORD_INPUT = 4 * MAX_PASSWORD_LENGTH  # one character may be composed of several
_MIN_GUESSES_LOG10 = 10.0  # log10 of the guesses that an acceptable password needs
_MIN_NAME_LENGTH = 3  # shorter ones are part of many words
_NAME_GUESSES_LOG10 = 2.0  # log10 of the guesses that the owner's names are worth, together
_MAX_ESTIMATED_LENGTH = 72  # characters that zxcvbn examines


def exceeds_password_input(password: str) -> bool:
    """Return whether a text is too long to be considered as a password."""
    return len(password) > MAX_PASSWORD_INPUT


def normalize_password(password: str) -> str:
    """Return a password as it is hashed: Unicode-normalized, without surrounding spaces.

    Keyboards compose characters differently, and the sign-in form strips spaces.
    """
    return unicodedata.normalize("NFKC", password).strip()


def find_length_problem(password: str) -> str | None:
    """Return what is wrong with a password's length, None when it is right."""
    if exceeds_password_input(password):
        return f"A password has at most {MAX_PASSWORD_LENGTH} characters."
    hashed = normalize_password(password)
    # One character may expand to a phrase under NFKC, but is a single keystroke to guess.
    if min(len(hashed), len(unicodedata.normalize("NFC", password).strip())) < MIN_PASSWORD_LENGTH:
        return f"A password has at least {MIN_PASSWORD_LENGTH} characters."
    if len(hashed) > MAX_PASSWORD_LENGTH:
        return f"A password has at most {MAX_PASSWORD_LENGTH} characters."
    return None


def find_password_problem(password: str, *names: str) -> str | None:
    """Return why a password is too weak for a user with these names, None if it is strong.

    Checks the length and, with zxcvbn, how easily it is guessed: common passwords and words,
    keyboard patterns, repetitions, dates and the user's own names.
    """
    problem = find_length_problem(password)
    if problem:
        return problem
    own = [part for name in map(normalize_password, names) for part in _split_name(name)]
    judged = _estimate_strength(normalize_password(password), own)
    if float(judged["guesses_log10"]) < _MIN_GUESSES_LOG10:
        warning = judged["feedback"]["warning"] or "It is too close to common words or your name."
        return f"This password is easy to guess. {warning.rstrip('.')}."
    return _find_name_problem(password, own)


def _find_name_problem(password: str, own: list[str]) -> str | None:
    """Return what is wrong with a password that is little more than its owner's names.

    zxcvbn overrates passwords made of the owner's names and a year. Remove those parts and
    require the rest to be strong.
    """
    folded = normalize_password(password).casefold()
    rest = folded
    for part in sorted(own, key=len, reverse=True):
        if len(part) >= _MIN_NAME_LENGTH:
            rest = rest.replace(part.casefold(), "")
    if rest == folded:
        return None
    if (
        rest
        and float(_estimate_strength(rest)["guesses_log10"])
        >= _MIN_GUESSES_LOG10 - _NAME_GUESSES_LOG10
    ):
        return None
    return "This password is easy to guess. It is little more than your own name or address."


def _estimate_strength(password: str, names: Sequence[str] = ()) -> Mapping[str, Any]:
    """Return zxcvbn's estimate of how easily a password is guessed."""
    # Its word lists take 12 MB: the worker and the MCP server never need them.
    from zxcvbn import zxcvbn

    judged: Mapping[str, Any] = zxcvbn(password[:_MAX_ESTIMATED_LENGTH], user_inputs=list(names))
    return judged


def _split_name(name: str) -> list[str]:
    """Return a name or an address and its parts."""
    return [part for part in (name, *re.split(r"[\W_]+", name)) if part]
