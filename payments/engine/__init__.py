"""Pay-in step by step: accept, execute in three phases, apply what the provider says."""
