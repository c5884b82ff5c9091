"""A shop with a provider behind it, for the examples."""

from tests.payments.conftest import provider, shop

__all__ = ["provider", "shop"]
