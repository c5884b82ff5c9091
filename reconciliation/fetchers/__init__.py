"""The ways that files come by themselves: one module a way, all on `contract`."""
