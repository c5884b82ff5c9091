"""Django's PostgreSQL backend with a cheaper look at connections that come from the pool."""
