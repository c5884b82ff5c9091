"""Attempts to pay with a card: counted by what they have in common, so that cards cannot be tried out."""

from collections.abc import Iterator, Mapping
from functools import partial
from uuid import UUID

from django.utils.crypto import salted_hmac

from core.limits.buckets import Bucket
from core.limits.policy import bucket_of

__all__ = ["attempt_buckets"]

_SALT = "core.limits.attempts"
_DIGITS = 32


def attempt_buckets(*, merchant_id: UUID, mode: str, subjects: Mapping[str, str]) -> Iterator[Bucket]:
    """Yield the bucket of each subject that has a limit in the mode, by kind.

    `card` is a token or a saved method, `card_fingerprint` what the provider knows its card by, `buyer_ip` an
    address.
    What is counted is put into names of keys as a keyed digest only, which is worthless without our secret.
    """
    for kind, value in subjects.items():
        digest = partial(_digest, merchant_id, kind, value)
        bucket = bucket_of(setting=f"{kind}.{mode}", subject=digest, merchant_id=merchant_id)
        if bucket is not None:
            yield bucket


def _digest(merchant_id: UUID, kind: str, value: str) -> str:
    text = f"{merchant_id}\0{kind}\0{value}"
    return salted_hmac(_SALT, text.encode(errors="replace"), algorithm="sha256").hexdigest()[:_DIGITS]
