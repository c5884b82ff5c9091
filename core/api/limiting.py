"""What an API call costs its caller: buckets by class of call, attempts to pay, a place in this process."""

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.caller import Caller
from core.api.errors import RateLimited
from core.idempotency import is_answered, read_key
from core.limits.attempts import attempt_buckets
from core.limits.buckets import Bucket, Taken
from core.limits.limiter import take, used_up
from core.limits.load import Slot, load
from core.limits.policy import caller_buckets, number_of

__all__ = ["LimitedView"]

_SECOND = 1_000_000
_ATTEMPTS = "Too many attempts to pay with this card or from this buyer's address. Wait and try again."


class LimitedView(APIView):
    """A view whose calls are limited before they do anything, and whose answers say how much is left.

    `calls` names the class of each method's calls: money, write, read or list. A method that is left out has
    its usual class, so that no view is without a limit.
    """

    calls: ClassVar[Mapping[str, str]] = {}
    _slot: Slot | None = None
    _taken: Taken | None = None

    @classmethod
    def class_of(cls, method: str) -> str:
        """Return the class of a method's calls."""
        name = "GET" if method == "HEAD" else method
        return cls.calls.get(name) or cls.usual_class(name)

    @classmethod
    def usual_class(cls, method: str) -> str:
        """Return the class of calls that nobody declared."""
        return "read" if method == "GET" else "write"

    def attempt_of(self, request: Request) -> Mapping[str, str]:
        """Return what an attempt to pay with a card is counted by; nobody has checked the body yet."""
        return {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Serve one request; its place in this process is free again whatever happens."""
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            if self._slot is not None:
                self._slot.leave()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Take a place before anything is asked of the database. Raises Overloaded."""
        self._slot = load().enter(self.class_of(str(request.method)))
        super().initial(request, *args, **kwargs)

    def check_permissions(self, request: Request) -> None:
        """Charge a call that is refused here, too: asking for what one may not have is no way out."""
        try:
            super().check_permissions(request)
        except Exception:
            if request.auth is not None:
                self._charge(request, self._buckets(request))
            raise

    def check_throttles(self, request: Request) -> None:
        """Charge the call with all it is counted by, in one go. Raises RateLimited, Overloaded.

        What is open to everybody costs nobody anything but a place in this process.
        """
        if request.auth is None:
            return
        buckets = self._buckets(request)
        if known := used_up(buckets):
            self._refuse(known)  # The body is not even read.
        try:
            # The body of nothing else is read: a list has none.
            subjects = self.attempt_of(request) if self.class_of(str(request.method)) == "money" else {}
        except Exception:
            self._charge(request, buckets)
            raise
        self._charge(request, buckets, subjects)
        self._hold(cast(Caller, request.auth))

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Say how the caller's limits stand, whatever the answer is."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if self._taken is not None:
            for name, value in _headers(self._taken).items():
                final[name] = value
        return final

    def _buckets(self, request: Request) -> list[Bucket]:
        caller, call_class = cast(Caller, request.auth), self.class_of(str(request.method))
        return list(caller_buckets(merchant_id=caller.merchant_id, key=caller.actor, call_class=call_class))

    def _charge(
        self, request: Request, buckets: list[Bucket], subjects: Mapping[str, str] | None = None
    ) -> None:
        caller = cast(Caller, request.auth)
        strict = list(
            attempt_buckets(merchant_id=caller.merchant_id, mode=caller.mode, subjects=subjects or {})
        )
        taken = take(buckets=buckets, strict=strict)
        if not taken.is_allowed and _only_of(taken, strict):
            # A refused attempt is a call all the same, and so is asking for an answer again.
            attempts, taken = taken, take(buckets=buckets)
            if taken.is_allowed and not _is_replay(request, caller):
                self._refuse(taken, _ATTEMPTS, retry_after=attempts.retry_after)
        if not taken.is_allowed:
            self._refuse(taken)
        self._taken = taken

    def _refuse(self, taken: Taken, message: str | None = None, *, retry_after: int = 0) -> NoReturn:
        self._taken = taken
        raise RateLimited(message, retry_after=retry_after or taken.retry_after)

    def _hold(self, caller: Caller) -> None:
        assert self._slot is not None, "initial took a place"
        merchant_id = caller.merchant_id
        self._slot.hold(
            merchant_id=merchant_id,
            merchant_most=number_of("merchant.in_flight", merchant_id=merchant_id),
            key=caller.actor,
            key_most=number_of("key.in_flight", merchant_id=merchant_id),
        )


def _only_of(taken: Taken, strict: list[Bucket]) -> bool:
    """Whether nothing but buckets of attempts is used up."""
    return all(each.bucket in strict for each in taken.standings if each.wait)


def _is_replay(request: Request, caller: Caller) -> bool:
    """Whether the request was answered before: to hear that answer again is no attempt to pay."""
    key = read_key(request.headers.get("Idempotency-Key"), is_required=False)
    return key is not None and is_answered(merchant_id=caller.merchant_id, key=key)


def _headers(taken: Taken) -> dict[str, str]:
    """The tightest limit of the key and its merchant; those of attempts are not told here."""
    known = [each for each in taken.standings if each.bucket.label in ("key", "merchant")]
    tightest = taken._replace(standings=tuple(known)).tightest
    if tightest is None:
        return {}
    policy = ", ".join(
        f'{each.bucket.limit.burst};w={-(-each.bucket.limit.window // _SECOND)};name="{each.bucket.label}"'
        for each in known
    )
    return {
        "RateLimit-Limit": str(tightest.bucket.limit.burst),
        "RateLimit-Remaining": str(tightest.remaining),
        "RateLimit-Reset": str(-(-tightest.ahead // _SECOND)),
        "RateLimit-Policy": policy,
    }
