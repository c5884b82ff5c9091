"""The files that providers and banks write: one module a format, all on `contract`."""
