"""The limits as they are in force: settings with a common value and a merchant's own, read now and then."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from core.ids import public_id
from core.limits.buckets import Bucket, Limit
from core.settings_store import Declared, declared, get_settings_by_scope

__all__ = ["CLASSES", "SETTINGS", "bucket_of", "caller_buckets", "forget", "number_of"]

# From the call that is kept to the last to the one that is let go first.
CLASSES = ("money", "write", "read", "list")
# As long as this a process goes by what it saw, and one query in this time serves all its requests.
_SECONDS = 10.0
_PREFIX = "limits."
_PARTS = ("calls", "seconds", "burst")
_LARGEST = 1_000_000
_LONGEST = 86_400


def _check(value: Mapping[str, Any]) -> None:
    if not value:
        return
    if sorted(value) != sorted(_PARTS):
        raise ValueError('send {"calls": …, "seconds": …, "burst": …}, or {} for no limit')
    for name, largest in (("calls", _LARGEST), ("seconds", _LONGEST), ("burst", _LARGEST)):
        if type(value[name]) is not int or not 1 <= value[name] <= largest:
            raise ValueError(f"{name} is a whole number from 1 to {largest}")


def _check_in_flight(value: int) -> None:
    if not 1 <= value <= _LARGEST:
        raise ValueError(f"between 1 and {_LARGEST}")


def _limit(name: str, says: str, *default: int) -> Declared:
    return Declared(_PREFIX + name, says, dict, dict(zip(_PARTS, default, strict=False)), _check)


def _in_flight(name: str, says: str, default: int) -> Declared:
    return Declared(_PREFIX + name, says, int, default, _check_in_flight)


SETTINGS = (
    _limit("key.money", "Calls that move money, with one API key.", 500, 1, 2000),
    _limit("key.write", "Other calls that change something, with one API key.", 200, 1, 800),
    _limit("key.read", "Calls that read one object, with one API key.", 200, 1, 1000),
    _limit("key.list", "Calls that read lists, with one API key.", 50, 1, 200),
    _limit("merchant.money", "Calls that move money, with all keys of a merchant.", 1000, 1, 4000),
    _limit("merchant.write", "Other calls that change something, with all keys.", 400, 1, 1600),
    _limit("merchant.read", "Calls that read one object, with all keys.", 400, 1, 2000),
    _limit("merchant.list", "Calls that read lists, with all keys.", 100, 1, 400),
    _limit("card.live", "Payment attempts with one saved method or one token.", 20, 3600, 10),
    _limit("card_fingerprint.live", "Payment attempts with one card, whatever its tokens.", 20, 3600, 10),
    _limit("buyer_ip.live", "Payment attempts with cards from one buyer's address.", 100, 3600, 30),
    # The tokens of a provider's test mode are the same for everybody, so that a limit would hit them all.
    _limit("card.test", "The same for test merchants; none unless it is set."),
    _limit("card_fingerprint.test", "The same for test merchants; none unless it is set."),
    _limit("buyer_ip.test", "The same for test merchants; none unless it is set."),
    _limit("failed_keys", "Requests without a valid API key, from one address.", 60, 60, 60),
    _limit("bad_webhooks", "Webhooks that fail verification, from one address to one channel.", 60, 60, 60),
    _in_flight("key.in_flight", "Requests of one API key at once, in one web process.", 32),
    _in_flight("merchant.in_flight", "Requests of a merchant at once, in one web process.", 64),
)


class _Seen:
    """What was read at one moment, and the limits that were made of it since."""

    def __init__(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        self._values = values
        self._defaults = {each.name: each.default for each in declared() if each.name.startswith(_PREFIX)}
        self._limits: dict[tuple[str, str], Limit | None] = {}
        self._scopes: dict[UUID, str] = {}

    def scope(self, merchant_id: UUID) -> str:
        """Return the scope of a merchant's settings."""
        known = self._scopes.get(merchant_id)
        if known is None:
            known = self._scopes[merchant_id] = public_id("mer", merchant_id)
        return known

    def value(self, name: str, scope: str) -> Any:
        """Return the scope's own value, else the common one, else the default."""
        full = _PREFIX + name
        for known in (self._values.get(scope), self._values.get("")):
            if known is not None and full in known:
                return known[full]
        return self._defaults[full]

    def limit(self, name: str, scope: str) -> Limit | None:
        """Return a limit, None where there is none."""
        place = (name, scope)
        if place not in self._limits:
            value = self.value(name, scope)
            self._limits[place] = Limit(**value) if value else None
        return self._limits[place]


_lock = threading.Lock()
_seen: _Seen | None = None
_good_until = 0.0


def caller_buckets(*, merchant_id: UUID, key: str, call_class: str) -> Iterator[Bucket]:
    """Yield the buckets of a call: of the key and of its merchant, for this class of call.

    `key` is the name of an API key in histories. All buckets of a merchant lie in one slot of a cluster.
    """
    seen = _current()
    scope = seen.scope(merchant_id)
    for owner, name in (("key", key), ("merchant", "all")):
        limit = seen.limit(f"{owner}.{call_class}", scope)
        if limit is not None:
            yield Bucket(f"limit:{{{scope}}}:{name}:{call_class}", limit, owner)


def bucket_of(
    *, setting: str, subject: str | Callable[[], str], merchant_id: UUID | None = None
) -> Bucket | None:
    """Return the bucket in which one subject is counted; None where there is no limit.

    `subject` is put into the name of a key: send a digest of what must not be read there, or what makes it
    where that is dear.
    """
    seen = _current()
    scope = "" if merchant_id is None else seen.scope(merchant_id)
    limit = seen.limit(setting, scope)
    if limit is None:
        return None
    text = subject if isinstance(subject, str) else subject()
    return Bucket(f"limit:{{{scope or text}}}:{setting}:{text}", limit, setting)


def number_of(setting: str, *, merchant_id: UUID) -> int:
    """Return the value of a limit that is a plain number."""
    seen = _current()
    return int(seen.value(setting, seen.scope(merchant_id)))


def forget() -> None:
    """Read the settings again when they are next asked for."""
    global _good_until
    with _lock:
        _good_until = 0.0


def _current() -> _Seen:
    global _seen, _good_until
    seen = _seen
    if seen is not None and time.monotonic() < _good_until:
        return seen
    with _lock:
        if _seen is not None and time.monotonic() < _good_until:
            return _seen
        # Before the query: should it fail, what is known holds on, and not every request asks again.
        _good_until = time.monotonic() + _SECONDS
        _seen = _Seen(get_settings_by_scope(prefix=_PREFIX))
        return _seen
