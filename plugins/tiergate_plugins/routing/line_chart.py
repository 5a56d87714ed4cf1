"""Line charts as SVG files that stand alone: two panels beside each other, readable in light and in dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 380, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 34, 44
LEGEND = 28

STYLE = """
svg { font: 12px system-ui, sans-serif; background: #ffffff; }
text { fill: #24292f; } .title { font-weight: 600; } .axis { stroke: #57606a; } .grid { stroke: #d8dee4; }
.s0 { stroke: #57606a; } .s1 { stroke: #0a6cc4; } .s2 { stroke: #b4450b; } .s3 { stroke: #7a3fb0; }
.line { fill: none; stroke-width: 2; } .s1.line { stroke-dasharray: 7 3; } .s3.line { stroke-dasharray: 2 3; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; } text { fill: #e6edf3; } .axis { stroke: #8b949e; } .grid { stroke: #30363d; }
  .s0 { stroke: #a7b0b9; } .s1 { stroke: #63b3ff; } .s2 { stroke: #ff9a5c; } .s3 { stroke: #cfa3ff; }
}
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart; the vertical axis is logarithmic.

    Attributes:
        title: what is drawn upwards, with its unit.
        across: what is drawn across.
        places: where on it there is a value.
        lines: the values of each line by its name, all above 0.
        is_log_x: whether the places stand by their logarithm.
    """

    title: str
    across: str
    places: Sequence[float]
    lines: Mapping[str, Sequence[float]]
    is_log_x: bool = False

    def x(self, place: float) -> float:
        """Pixels from the left."""
        low, high = self.places[0], self.places[-1]
        share = log10(place / low) / log10(high / low) if self.is_log_x else (place - low) / (high - low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def decades(self) -> tuple[int, int]:
        """Powers of ten between which all values lie."""
        values = [value for line in self.lines.values() for value in line]
        low, high = floor(log10(min(values))), ceil(log10(max(values)))
        return low, max(high, low + 1)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        low, high = self.decades()
        return TOP + (high - log10(value)) / (high - low) * (HEIGHT - TOP - BOTTOM)


def drawing(title: str, panels: Sequence[Panel]) -> str:
    """A whole file; the panels have the same lines, named once below them."""
    names = list(panels[0].lines)
    width = WIDTH * len(panels)
    height = HEIGHT + LEGEND
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({number * WIDTH} 0)">{_panel(panel)}</g>')
    step = (width - LEFT) / len(names)
    for index, name in enumerate(names):
        x, y = LEFT + index * step, HEIGHT + LEGEND / 2
        parts.append(f'<path class="line s{index}" d="M{x:.0f} {y}h26"/>')
        parts.append(_text(name, x + 32, y + 4))
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel) -> str:
    low, high = panel.decades()
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [_text(panel.title, LEFT, 18, css="title")]
    for power in range(low, high + 1):
        y = panel.y(10.0**power)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
        parts.append(_text(f"{10.0**power:g}", LEFT - 6, y + 4, anchor="end"))
    parts += [_text(f"{place:g}", panel.x(place), bottom + 16, anchor="middle") for place in panel.places]
    parts.append(f'<path class="axis" d="M{LEFT} {bottom}H{right}"/>')
    parts.append(_text(panel.across, (LEFT + right) / 2, bottom + 34, anchor="middle"))
    for index, values in enumerate(panel.lines.values()):
        points = " ".join(
            f"{panel.x(place):.1f},{panel.y(value):.1f}"
            for place, value in zip(panel.places, values, strict=True)
        )
        parts.append(f'<polyline class="line s{index}" points="{points}"/>')
    return "\n".join(parts)


def _text(words: str, x: float, y: float, *, css: str = "tick", anchor: str = "start") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
