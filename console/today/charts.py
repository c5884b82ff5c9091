"""Charts as plain SVG: where bars and lines stand, what each says, and the same as a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Chart", "Series", "bar_chart", "line_chart"]

WIDTH, HEIGHT = 420, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 12, 26
_LABELS = 7
_TICKS = 4


@dataclass(frozen=True)
class Series:
    """Values with the words for each; None where nothing is known. `look` names the colour in the styles."""

    name: str
    look: str
    values: Sequence[int | None]
    words: Sequence[str]
    urls: Sequence[str] = ()


@dataclass(frozen=True)
class Bar:
    """One bar; places in units of the drawing."""

    x: str
    y: str
    width: str
    height: str
    look: str
    title: str
    url: str


@dataclass(frozen=True)
class Dot:
    """One value on a line."""

    x: str
    y: str
    look: str
    title: str


@dataclass(frozen=True)
class Label:
    """A word at an axis."""

    at: str
    text: str


@dataclass(frozen=True)
class Chart:
    """A drawing and its table: a header for each column and a row for each place of the axis."""

    name: str
    title: str
    says: str
    bars: Sequence[Bar]
    lines: Sequence[tuple[str, str]]
    dots: Sequence[Dot]
    along: Sequence[Label]
    up: Sequence[Label]
    legend: Sequence[tuple[str, str]]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_empty: bool
    has_links: bool
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    foot: int = HEIGHT - _BOTTOM


def bar_chart(
    *,
    name: str,
    title: str,
    says: str,
    axis: str,
    labels: Sequence[str],
    bars: Sequence[Series],
    lines: Sequence[Series] = (),
    shown: Callable[[int], str] = lambda value: f"{value:,}",
) -> Chart:
    """Return a chart of bars from zero, beside each other, with lines over them.

    `shown` puts a value of the axis into words, where plain numbers would not do.
    """
    top = max((value or 0 for each in (*bars, *lines) for value in each.values), default=0)
    ceiling = _ceiling(top)
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(labels))
    wide = step * 0.8 / max(1, len(bars))
    found = []
    for place, each in enumerate(bars):
        for number, value in enumerate(each.values):
            if not value:
                continue
            high = _height(value, 0, ceiling)
            found.append(
                Bar(
                    _unit(_LEFT + number * step + step * 0.1 + place * wide),
                    _unit(HEIGHT - _BOTTOM - high),
                    _unit(wide),
                    _unit(high),
                    each.look,
                    f"{labels[number]} · {each.name}: {each.words[number]}",
                    each.urls[number] if each.urls else "",
                )
            )
    up = [shown(ceiling * number // _TICKS) for number in range(_TICKS + 1)]
    return _chart(name, title, says, axis, labels, bars, lines, found, (0, ceiling), up)


def line_chart(
    *,
    name: str,
    title: str,
    says: str,
    axis: str,
    labels: Sequence[str],
    lines: Sequence[Series],
    bounds: tuple[int, int],
    up: Sequence[str],
) -> Chart:
    """Return a chart of lines between two bounds; a value that is not known interrupts its line."""
    return _chart(name, title, says, axis, labels, (), lines, [], bounds, up)


def _chart(
    name: str,
    title: str,
    says: str,
    axis: str,
    labels: Sequence[str],
    bars: Sequence[Series],
    lines: Sequence[Series],
    drawn: Sequence[Bar],
    bounds: tuple[int, int],
    up: Sequence[str],
) -> Chart:
    low, high = bounds
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(labels))
    places = [_LEFT + (number + 0.5) * step for number in range(len(labels))]
    paths, dots = [], []
    for each in lines:
        steps, is_drawing = [], False
        for number, value in enumerate(each.values):
            if value is None:
                is_drawing = False
                continue
            x, y = _unit(places[number]), _unit(HEIGHT - _BOTTOM - _height(value, low, high))
            steps.append(f"{'L' if is_drawing else 'M'}{x} {y}")
            is_drawing = True
            dots.append(Dot(x, y, each.look, f"{labels[number]} · {each.name}: {each.words[number]}"))
        paths.append(("".join(steps), each.look))
    every = max(1, -(-len(labels) // _LABELS))
    values = [*bars, *lines]
    return Chart(
        name=name,
        title=title,
        says=says,
        bars=drawn,
        lines=[(path, look) for path, look in paths if path],
        dots=dots,
        along=[Label(_unit(places[n]), labels[n]) for n in range(0, len(labels), every)],
        up=[
            Label(_unit(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * n / max(1, len(up) - 1)), text)
            for n, text in enumerate(up)
        ],
        legend=[(each.look, each.name) for each in values] if len(values) > 1 else [],
        columns=[axis, *(each.name for each in values)],
        rows=[[label, *(each.words[n] for each in values)] for n, label in enumerate(labels)],
        is_empty=not any(value for each in values for value in each.values),
        has_links=any(bar.url for bar in drawn),
    )


def _height(value: int, low: int, high: int) -> float:
    inside = min(max(value, low), high) - low
    return (HEIGHT - _TOP - _BOTTOM) * inside / max(1, high - low)


def _ceiling(top: int) -> int:
    """Return the next round number that four ticks divide."""
    size = 1
    while True:
        for step in (1, 2, 3, 5):
            if step * size * _TICKS >= top:
                return step * size * _TICKS
        size *= 10


def _unit(value: float) -> str:
    return f"{value:.1f}"
