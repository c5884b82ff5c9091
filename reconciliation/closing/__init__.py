"""The close of a business day: its figures, what stands in its way, its signature and its report."""
