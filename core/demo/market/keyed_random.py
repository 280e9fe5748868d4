"""Random numbers that are a function of where they are asked for. No state, no sequence.

Every number follows from (key, stream, index), so any hour of the market can be
computed alone, in any order, and always comes out the same.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Hours = NDArray[np.int64]  # whole hours since the market's origin, UTC
Values = NDArray[np.float64]
Truths = NDArray[np.bool_]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_STREAM: Final = 0xD1B54A32D192ED03
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)


def key_of(*parts: object) -> np.uint64:
    """Return a key from anything that can be written, such as seed, marketplace and ASIN."""
    text = "\x1f".join(map(str, parts))
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big"))


def uniform(key: np.uint64, stream: int, index: Hours) -> Values:
    """Return a number in [0, 1) for each index: the splitmix64 generator, asked at a place."""
    start = key ^ np.uint64(stream * _STREAM % 2**64)
    # Products of arrays wrap without a word, as the generator wants it.
    mixed = start + (index.astype(np.uint64) + np.uint64(1)) * _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    mixed = mixed ^ (mixed >> np.uint64(31))
    share: Values = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return share


@lru_cache(maxsize=16_384)
def one(key: np.uint64, stream: int) -> float:
    """Return the one number in [0, 1) of a stream: a trait that never changes."""
    return float(uniform(key, stream, np.zeros(1, dtype=np.int64))[0])


def between(key: np.uint64, stream: int, low: float, high: float) -> float:
    """Return a trait between two bounds."""
    return low + (high - low) * one(key, stream)


def wave(key: np.uint64, stream: int, hours: Hours, every: int) -> Values:
    """Return smooth noise in [-1, 1] that turns about once in `every` hours."""
    index, within = np.divmod(hours, every)
    left = uniform(key, stream, index) * 2 - 1
    right = uniform(key, stream, index + 1) * 2 - 1
    share = within / every
    ease = share * share * (3 - 2 * share)
    return left + (right - left) * ease


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often something happens to a product, and for how long. Hours throughout.

    At most once in each stretch of `every` hours, with `chance`; it leaves `before`
    and `after` hours of its stretch alone, so that what surrounds it has room.
    """

    stream: int
    every: int
    chance: float
    shortest: int
    longest: int
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class Spell:
    """Where each hour stands towards the event of its stretch."""

    active: Truths
    since: Values  # hours since it began, negative before; nan in a stretch without one
    past: Values  # hours since it ended, negative before; nan in a stretch without one
    number: Hours  # which stretch


def spell(key: np.uint64, hours: Hours, rhythm: Rhythm) -> Spell:
    """Return where each hour stands in a product's rhythm."""
    phase = int(one(key, rhythm.stream) * rhythm.every)
    number, within = np.divmod(hours + phase, rhythm.every)
    happens = uniform(key, rhythm.stream + 1, number) < rhythm.chance
    length = np.floor(
        rhythm.shortest
        + (rhythm.longest - rhythm.shortest) * uniform(key, rhythm.stream + 2, number)
    )
    room = rhythm.every - rhythm.before - rhythm.after - length
    start = rhythm.before + np.floor(room * uniform(key, rhythm.stream + 3, number))
    since = np.where(happens, within - start, np.nan)
    past = since - length
    return Spell((since >= 0) & (past < 0), since, past, number)
