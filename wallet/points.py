"""What points are worth: whole points against whole minor units, so that nothing is lost or made."""

__all__ = ["points_for", "worth_of"]


def points_for(
    *, amount_minor: int, value_minor: int, used_minor: int, used_value_minor: int, need_minor: int
) -> tuple[int, int]:
    """Return the fewest points of a grant that pay the most of `need_minor` they can, and what they pay.

    Of a grant of `amount_minor` points worth `value_minor`, `used_minor` were used for `used_value_minor`.
    The points used so far are always worth round(value x used / amount), so that no sequence of uses gains
    or loses a unit and the last point closes the grant. (0, 0) where nothing can be paid.
    """
    most = min(value_minor - used_value_minor, need_minor)
    if most <= 0 or used_minor >= amount_minor:
        return 0, 0
    if most == value_minor - used_value_minor:
        return amount_minor - used_minor, most
    # The most points whose cumulative worth is within what is needed: half up, in whole numbers.
    within = (amount_minor * (2 * (used_value_minor + most) + 1) - 1) // (2 * value_minor)
    due = _half_up(value_minor * min(within, amount_minor), amount_minor)
    value = min(due - used_value_minor, most)
    if value <= 0:
        return 0, 0
    fewest = -(-amount_minor * (2 * (used_value_minor + value) - 1) // (2 * value_minor))
    units = max(fewest - used_minor, 1)
    # The last point takes the whole rest with it, which is more than is needed here.
    return (units, value) if used_minor + units < amount_minor else (0, 0)


def worth_of(*, points: int, per_hundred_minor: int) -> int:
    """Return what new points are worth at a rate in minor units for a hundred of them.

    A fraction of a minor unit is the marketplace's loss: it is never taken from the buyer.
    """
    return -(-points * per_hundred_minor // 100)


def _half_up(dividend: int, divisor: int) -> int:
    return (2 * dividend + divisor) // (2 * divisor)
