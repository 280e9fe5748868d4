"""Random numbers as a function of (key, stream, index). No state, no sequence.

Any hour of the market can be computed alone and in any order, always with the
same result.
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


def make_key(*parts: object) -> np.uint64:
    """Return a key made of the parts' texts, such as seed, marketplace and ASIN."""
    text = "\x1f".join(map(str, parts))
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big"))


def draw_uniform(key: np.uint64, stream: int, index: Hours) -> Values:
    """Return a number in [0, 1) for each index, by the splitmix64 generator."""
    start = key ^ np.uint64(stream * _STREAM % 2**64)
    # Products of arrays overflow silently, as the generator requires.
    mixed = start + (index.astype(np.uint64) + np.uint64(1)) * _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    mixed = mixed ^ (mixed >> np.uint64(31))
    share: Values = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return share


@lru_cache(maxsize=16_384)
def draw_trait(key: np.uint64, stream: int) -> float:
    """Return the first number in [0, 1) of a stream: a trait that never changes."""
    return float(draw_uniform(key, stream, np.zeros(1, dtype=np.int64))[0])


def draw_between(key: np.uint64, stream: int, low: float, high: float) -> float:
    """Return a trait in [low, high)."""
    return low + (high - low) * draw_trait(key, stream)


def draw_wave(key: np.uint64, stream: int, hours: Hours, every: int) -> Values:
    """Return smooth noise in [-1, 1] that changes direction about once in `every` hours."""
    index, within = np.divmod(hours, every)
    left = draw_uniform(key, stream, index) * 2 - 1
    right = draw_uniform(key, stream, index + 1) * 2 - 1
    share = within / every
    ease = share * share * (3 - 2 * share)
    return left + (right - left) * ease


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often an event happens to a product, and for how long, in hours.

    At most once in each stretch of `every` hours, with `chance`; not in the first `before`
    and the last `after` hours of its stretch, which leaves room for its effects.
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
    """The position of each hour relative to the event of its stretch."""

    active: Truths
    since: Values  # hours since it began, negative before; nan in a stretch without one
    past: Values  # hours since it ended, negative before; nan in a stretch without one
    number: Hours  # of the stretch


def find_spell(key: np.uint64, hours: Hours, rhythm: Rhythm) -> Spell:
    """Return the position of each hour in a product's rhythm."""
    phase = int(draw_trait(key, rhythm.stream) * rhythm.every)
    number, within = np.divmod(hours + phase, rhythm.every)
    happens = draw_uniform(key, rhythm.stream + 1, number) < rhythm.chance
    length = np.floor(
        rhythm.shortest
        + (rhythm.longest - rhythm.shortest) * draw_uniform(key, rhythm.stream + 2, number)
    )
    room = rhythm.every - rhythm.before - rhythm.after - length
    start = rhythm.before + np.floor(room * draw_uniform(key, rhythm.stream + 3, number))
    since = np.where(happens, within - start, np.nan)
    past = since - length
    return Spell((since >= 0) & (past < 0), since, past, number)
