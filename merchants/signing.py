"""What a signature covers, which public keys are good enough, and whether a signature is genuine."""

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from merchants.errors import InvalidKeyRequest

__all__ = ["RSA_SHA256", "check_public_key", "is_genuine", "signed_text"]

# RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017). The record of a key names it; there is no other.
RSA_SHA256 = "RSA-SHA256"
_BITS = range(2048, 8193)
_SMALLEST_EXPONENT = 65537
_LONGEST_PEM = 4000


def signed_text(*, method: str, target: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """Return the bytes that a request's signature is over.

    `target` is the path with its query, exactly as sent; `timestamp` exactly the header's text.
    """
    digest = hashlib.sha256(body).hexdigest()
    # WSGI passes the bytes of a request line as Latin-1.
    return f"{method}\n{target}\n{timestamp}\n{nonce}\n{digest}\n".encode("latin-1")


def is_genuine(*, algorithm: str, public_key: str, signature: bytes, text: bytes) -> bool:
    """Say whether this key made this signature over this text."""
    if algorithm != RSA_SHA256:
        return False
    try:
        _load(public_key).verify(signature, text, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def check_public_key(pem: str) -> None:
    """Raise InvalidKeyRequest unless this is an RSA public key in PEM that is strong enough."""
    if "PRIVATE KEY" in pem:
        raise InvalidKeyRequest("This is a private key. Keep it, make a new pair, and send the public key.")
    if len(pem) > _LONGEST_PEM:
        raise InvalidKeyRequest("The public key is too long.")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidKeyRequest("The public key is not PEM.") from None
    if not isinstance(key, RSAPublicKey) or key.key_size not in _BITS:
        raise InvalidKeyRequest(f"The public key must be RSA with {_BITS[0]} to {_BITS[-1]} bits.")
    if key.public_numbers().e < _SMALLEST_EXPONENT:
        raise InvalidKeyRequest(f"The public exponent must be {_SMALLEST_EXPONENT} or larger.")


@lru_cache(maxsize=1024)
def _load(pem: str) -> RSAPublicKey:
    """Reading a key costs more than checking a signature with it. What may use it is asked elsewhere."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise TypeError("a signing key that is not RSA was stored")
    return key
