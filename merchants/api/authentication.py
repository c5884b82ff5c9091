"""Bearer authentication with an API key."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core.api.errors import RateLimited
from core.client_address import client_address
from core.limits.failures import count_failed_key
from merchants.services import authenticate
from merchants.types import KeyIdentity

__all__ = ["ApiKeyAuthentication"]


class ApiKeyAuthentication(BaseAuthentication):
    """Read `Authorization: Bearer sk_…`; every failure looks the same from outside.

    Failures are limited by where they come from. A valid key always passes: its secret cannot be guessed, and
    one forgotten job with an old key must not stop the payments of a store behind the same address.
    """

    def authenticate(self, request: Request) -> tuple[KeyIdentity, KeyIdentity]:
        """Return the key's identity, as user and as auth. Raises AuthenticationFailed, RateLimited."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        identity = authenticate(secret=secret) if scheme.lower() == "bearer" else None
        if identity is None:
            wait = count_failed_key(source=client_address(request._request))
            if wait is not None:
                raise RateLimited("Too many requests without a valid API key.", retry_after=wait)
            raise AuthenticationFailed()
        return identity, identity

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that failures are 401."""
        return "Bearer"
