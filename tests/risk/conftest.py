from tests.payments.conftest import counter, provider, shop

__all__ = ["counter", "provider", "shop"]
