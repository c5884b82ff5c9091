"""Chance that is the same everywhere: a function of the seed and of what is drawn for, not of earlier draws.

A payment is drawn from its day and number alone. So it can be made again at any time, by whoever needs it (a
refund of another month, say), and nobody has to keep it. Small plans take a `random.Random` of their own, of
which only `random()` is used: Python promises that one for ever.
"""

from bisect import bisect_right
from hashlib import blake2b
from random import Random
from statistics import NormalDist
from struct import Struct

__all__ = ["Draws", "amounts", "distinct", "geometric", "zipf"]

_WORDS = Struct(">16I")
_NAME = Struct(">BIQ")
_TABLE = 2048
# 40 price points of shops, in hundredths; sorted, and common ones more than once.
_POINTS = (
    499, 650, 799, 990, 999, 1290, 1490, 1499, 1795, 1990, 1999, 2499, 2645, 2990, 3490, 3999, 4495, 4990,
    5499, 5990, 6900, 7999, 8900, 9980, 9990, 11900, 12900, 14900, 17900, 19900, 22900, 24999, 29900, 34900,
    39900, 44900, 54985, 59075, 79900, 104435,
)  # fmt: skip
_CUT = 500_000


class Draws:
    """All chance of one month."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._base = blake2b(key=str(seed).encode(), digest_size=64)

    def digest(self, stream: int, day: int, number: int) -> bytes:
        """Return the 64 bytes that belong to one thing."""
        found = self._base.copy()
        found.update(_NAME.pack(stream, day, number))
        return found.digest()

    def words(self, stream: int, day: int, number: int) -> tuple[int, ...]:
        """Return sixteen numbers of 32 bits that belong to one thing."""
        return _WORDS.unpack(self.digest(stream, day, number))

    def plan(self, *name: object) -> Random:
        """Return the source of chance of a small plan."""
        return Random("/".join(map(str, (self._seed, *name))))


def _log_normal() -> list[int]:
    """Return quantiles of a log-normal amount: median 60, sigma 1, in hundredths, cut at 5,000."""
    from decimal import Decimal

    normal = NormalDist()
    deviates = [round(normal.inv_cdf((i + 0.5) / _TABLE), 6) for i in range(_TABLE)]
    # Decimal's exponential is rounded correctly, so the same on every machine; that of C is not.
    found = [int(6000 * Decimal(str(deviate)).exp()) for deviate in deviates]
    return [min(each, _CUT) for each in found] + [_CUT]


_QUANTILES = _log_normal()


def amounts(mode: int, word: int) -> int:
    """Return an amount in hundredths from two words: 60 % price points, 40 % log-normal."""
    if mode < 2_576_980_378:  # 60 % of 2**32
        return _POINTS[(word * 40) >> 32]
    place, within = divmod(word, 2**32 // _TABLE)
    low = _QUANTILES[place]
    return max(50, low + (_QUANTILES[place + 1] - low) * within // (2**32 // _TABLE))


def zipf(count: int, exponent: float = 1.1) -> list[int]:
    """Return upper bounds, of 2**32, of the shares of sellers by rank; `bisect_right` of a word finds one."""
    weights = [1 / rank**exponent for rank in range(1, count + 1)]
    total, bounds, reached = sum(weights), [], 0.0
    for weight in weights:
        reached += weight
        bounds.append(int(reached / total * 2**32))
    bounds[-1] = 2**32
    return bounds


def _geometric_bounds(mean: int, longest: int) -> list[float]:
    left, bounds = 1.0, []
    for _ in range(longest):
        left *= 1 - 1 / (mean + 1)
        bounds.append(1 - left)
    return bounds


_LAGS = _geometric_bounds(9, 120)


def geometric(u: float) -> int:
    """Return a lag in days: geometric, of mean 9, at most 120."""
    return bisect_right(_LAGS, u)


def distinct(rng: Random, count: int, below: int, taken: set[int]) -> list[int]:
    """Return `count` numbers below a bound that are not taken yet, and take them."""
    found: list[int] = []
    count = min(count, below - len(taken))
    while len(found) < count:
        number = int(rng.random() * below)
        if number not in taken:
            taken.add(number)
            found.append(number)
    return sorted(found)
