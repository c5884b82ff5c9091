"""Bearer authentication with an API key, and the signature of the request where there is one."""

from collections.abc import Mapping
from typing import ClassVar

import structlog
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from core.api.errors import AuthenticationFailed, RateLimited
from core.api.schemas import Schema, text
from core.client_address import client_address
from core.errors import DomainError
from core.limits.failures import count_failed_key
from merchants.api.signatures import HEADERS, read_signature
from merchants.errors import NonceReplayed, SignatureExpired, SignatureInvalid, SignatureRequired, UnknownKey
from merchants.keys import read_key_text
from merchants.services import authenticate
from merchants.types import KeyIdentity

__all__ = ["ApiKeyAuthentication"]

log = structlog.get_logger("security")


class ApiKeyAuthentication(BaseAuthentication):
    """Read `Authorization: Bearer sk_…`; every failure of the key looks the same from outside.

    What is wrong with a signature is told, because only who holds the key comes that far. Failures of keys
    are limited by where they come from. A valid key always passes: its secret cannot be guessed, and one
    forgotten job with an old key must not stop the payments of a store behind the same address.
    """

    refusals: ClassVar[tuple[type[DomainError], ...]] = (
        AuthenticationFailed,
        SignatureRequired,
        SignatureInvalid,
        SignatureExpired,
        NonceReplayed,
        UnknownKey,
    )
    headers: ClassVar[Mapping[str, Schema]] = {
        name: text(about, pattern=f"^{shape.pattern}$") for name, (shape, about) in HEADERS.items()
    }

    def authenticate(self, request: Request) -> tuple[KeyIdentity, KeyIdentity]:
        """Return the key's identity, as user and as auth.

        Raises AuthenticationFailed, RateLimited; for a proved key MalformedRequest and what `authenticate`
        raises.
        """
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        secret = secret if scheme.lower() == "bearer" else ""
        try:
            identity = authenticate(secret=secret, read_signature=lambda: read_signature(request._request))
        except DomainError as error:
            _tell(request, secret, error)
            raise
        if identity is None:
            wait = count_failed_key(source=client_address(request._request))
            if wait is not None:
                # Without a line in the log, which a flood would fill; the alert tells of it.
                raise RateLimited("Too many requests without a valid API key.", retry_after=wait)
            _tell(request, secret, AuthenticationFailed())
            raise AuthenticationFailed()
        return identity, identity

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that failures are 401."""
        return "Bearer"


def _tell(request: Request, secret: str, error: DomainError) -> None:
    """Leave the one line about a refusal. The prefix names a key and proves nothing, as in every log."""
    key = read_key_text(secret)
    log.warning(
        "authentication refused",
        code=error.code,
        key=key.prefix if key else "",
        method=request.method,
        source=client_address(request._request),
    )
