"""The provider: Stripe's API, as far as the product uses it, with its refusals and its idempotency."""
