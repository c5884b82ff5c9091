"""Pay-out."""
