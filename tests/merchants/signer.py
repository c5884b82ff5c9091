"""A store that signs its requests, with the standard library and `cryptography` alone."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from merchants.services import create_api_key
from tests.store import Store

__all__ = ["Request", "Signer", "new_signer", "pem", "private_key"]


@cache
def private_key(name: str = "first") -> rsa.RSAPrivateKey:
    """A pair for this name; making one takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any) -> str:
    """The public half, as a store sends it to us."""
    text: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


@dataclass
class Request:
    """What is signed, and sent."""

    method: str = "GET"
    target: str = "/v1/sellers?limit=2"
    body: bytes = b""
    timestamp: str = field(default_factory=lambda: str(int(time.time())))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def text(self) -> bytes:
        """Written out here once more, so that the product is not compared with itself."""
        digest = hashlib.sha256(self.body).hexdigest()
        lines = [self.method, self.target, self.timestamp, self.nonce, digest]
        return "".join(line + "\n" for line in lines).encode()


@dataclass
class Signer:
    """A key that signs, of one merchant."""

    merchant_id: UUID
    key_id: UUID
    secret: str
    serial: str
    key: rsa.RSAPrivateKey

    def headers(self, request: Request, *, signed: Request | None = None) -> dict[str, str]:
        """The headers of a request whose signature is over `signed` (itself, if not given)."""
        raw = self.key.sign((signed or request).text(), padding.PKCS1v15(), SHA256())
        return {
            "Authorization": f"Bearer {self.secret}",
            "Signature-Serial": self.serial,
            "Signature-Timestamp": request.timestamp,
            "Signature-Nonce": request.nonce,
            "Signature": base64.b64encode(raw).decode(),
        }

    def send(self, request: Request, headers: dict[str, str] | None = None) -> HttpResponse:
        """Send it as gunicorn would hand it over: with the target as it came."""
        path, _, query = request.target.partition("?")
        environ = {"RAW_URI": request.target, "QUERY_STRING": query}
        sent = self.headers(request) if headers is None else headers
        return Client().generic(
            request.method, path, request.body, "application/json", headers=sent, **environ
        )


def new_signer(store: Store, *, must_sign: bool = True) -> Signer:
    """Issue a key that signs to the store's merchant."""
    key = private_key()
    with transaction.atomic():
        issued = create_api_key(
            merchant_id=store.merchant_id, name="signing", public_key=pem(key), must_sign=must_sign
        )
    return Signer(store.merchant_id, issued.id, issued.secret, issued.serials[0], key)
