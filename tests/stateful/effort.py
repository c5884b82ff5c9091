"""How much a test of this folder tries: little in `make test`, much in `make chaos`."""

from hypothesis import HealthCheck, Phase, settings

__all__ = ["IS_CHAOS", "examples", "rounds"]

# With options of its own the name of the profile grows: chaos-with-verbose-verbosity.
IS_CHAOS = settings.get_current_profile_name().startswith("chaos")


# To shorten a failing history takes minutes, and `make test` is not to wait for that.
_PHASES = [each for each in Phase if IS_CHAOS or each is not Phase.shrink]


def examples(*, few: int, many: int, steps: int = 50, is_fixed: bool = False) -> settings:
    """Hypothesis settings with `few` examples, `many` in chaos; a machine takes up to `steps` steps.

    With `is_fixed` the few are the same ones each time: what is new is looked for in chaos, and a change is
    judged by what it changed.
    """
    return settings(
        derandomize=is_fixed and not IS_CHAOS,
        max_examples=many if IS_CHAOS else few,
        stateful_step_count=steps,
        phases=_PHASES,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def rounds(*, few: int, many: int) -> int:
    """How often a race is run."""
    return many if IS_CHAOS else few
