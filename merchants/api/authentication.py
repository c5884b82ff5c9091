"""Bearer authentication with an API key."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from merchants.services import authenticate
from merchants.types import KeyIdentity

__all__ = ["ApiKeyAuthentication"]


class ApiKeyAuthentication(BaseAuthentication):
    """Read `Authorization: Bearer sk_…`; every failure looks the same from outside."""

    def authenticate(self, request: Request) -> tuple[KeyIdentity, KeyIdentity]:
        """Return the key's identity, as user and as auth. Raises AuthenticationFailed."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        identity = authenticate(secret=secret) if scheme.lower() == "bearer" else None
        if identity is None:
            raise AuthenticationFailed()
        return identity, identity

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that failures are 401."""
        return "Bearer"
