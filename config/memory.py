"""The garbage collector, told what a long-lived process is: much that stays, little that goes in circles."""

import gc

__all__ = ["settle"]

# Django and DRF make a few thousand short-lived containers for each request; Python's default of 700 runs the
# collector several times in each, and every full run walks all the modules again.
_YOUNG = 20_000


def settle() -> None:
    """Leave alone what was loaded at the start, and look for garbage less often. Once per process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
