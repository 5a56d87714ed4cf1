"""Trees of calls as flame graphs."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate_reports import figures
from tiergate_reports.charts.flame import Box, flame, shade
from tiergate_reports.plain import plain
from tiergate_reports.profile.tree import Call

COLOURS = 8


def palette(components: Sequence[str]) -> dict[str, str]:
    """A colour for each part of the system: the longest first, so that what matters can be told apart."""
    return {name: f"c{number % COLOURS}" for number, name in enumerate(components)}


def coloured(root: Call, colours: dict[str, str], title: str, uid: str) -> str | None:
    """A graph whose colours are those of the parts of the system; None where nothing was seen at work."""
    if not root.value:
        return None

    def box(call: Call) -> Box:
        component = call.component
        words = [
            f"{figures.seconds(call.value)}, {figures.percent(call.value / root.value)} of all work",
            f"for {component}" if component else "",
            call.place,
        ]
        return Box(
            name=plain(call.name),
            width=call.value / root.value,
            words=plain_lines(words),
            css=colours.get(component, "c0"),
            inner=lambda: [box(inner) for inner in _ordered(call)],
        )

    return flame(box(root), title, _DESCRIPTION, uid)


def compared(root: Call, title: str, uid: str) -> str | None:
    """A graph of a profile whose colours say what became slower or faster than in another one; None where
    nothing was seen at work."""
    if not root.value:
        return None

    def box(call: Call) -> Box:
        change = call.value - call.base
        sign = "+" if change > 0 else "−"
        words = [
            f"{figures.seconds(call.value)}, before {figures.seconds(call.base)}"
            f" ({sign}{figures.seconds(abs(change))})",
            call.place,
        ]
        return Box(
            name=plain(call.name),
            width=call.value / root.value,
            words=plain_lines(words),
            css=shade(change / root.base if root.base else 0.0),
            inner=lambda: [box(inner) for inner in _ordered(call)],
        )

    return flame(box(root), title, f"{_DESCRIPTION} {_SHADES}", uid)


_DESCRIPTION = (
    "Each box is a call, below the one that made it; its width is the time that it was on the stack. The"
    " table of functions has the same times."
)
_SHADES = "Warm colours took longer than before, cool ones less."


def plain_lines(words: Sequence[str]) -> str:
    """What a pointer shows, a line each."""
    return "\n".join(plain(line) for line in words if line)


def _ordered(call: Call) -> list[Call]:
    """By name, so that two graphs of the same code look alike; without what was only there before."""
    return sorted((one for one in call.calls.values() if one.value), key=lambda one: (one.name, one.place))
