"""Tasks that wait for each other, drawn in layers from left to right.

Layers by longest path, and the order within a layer by the mean place of what a task waits for: Sugiyama,
Tagawa and Toda, "Methods for visual understanding of hierarchical system structures" (1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiergate_reports.charts.svg import chart, clip, element, text, tooltip

_BOX, _HIGH, _GAP, _ROW = 206.0, 44.0, 56.0, 60.0
_WORDS, _SIGNS = 24, 22
"""Characters of a title and of a label that fit into a box; labels are often capitals."""


@dataclass(frozen=True, slots=True)
class Node:
    """A task. `after` are the names of nodes that come before it."""

    name: str
    label: str
    title: str
    after: Sequence[str]
    critical: bool = False
    active: bool = False


def graph(nodes: Sequence[Node], title: str, description: str, uid: str) -> str:
    """The drawing of nodes of which none waits for itself, even by way of others."""
    layers = _layers(nodes)
    places = _places(nodes, layers)
    width = max(x for x, _ in places.values()) + _BOX + 2
    height = max(y for _, y in places.values()) + _HIGH + 2
    by_name = {node.name: node for node in nodes}
    edges = [
        _edge(places[before], places[node.name], critical=node.critical and by_name[before].critical)
        for node in nodes
        for before in node.after
        if before in places
    ]
    return chart(
        width,
        height,
        title,
        description,
        *edges,
        *(_box(node, *places[node.name]) for node in nodes),
        uid=uid,
        fits=False,
    )


def _end(label: str) -> str:
    """A label that fits; what tells tasks apart stands at its end."""
    return label if len(label) <= _SIGNS else f"…{label[1 - _SIGNS :]}"


def _layers(nodes: Sequence[Node]) -> dict[str, int]:
    by_name = {node.name: node for node in nodes}
    found: dict[str, int] = {}

    def layer(name: str) -> int:
        if name not in found:
            before = [one for one in by_name[name].after if one in by_name]
            found[name] = 0
            found[name] = 1 + max((layer(one) for one in before), default=-1)
        return found[name]

    for node in nodes:
        layer(node.name)
    return found


def _places(nodes: Sequence[Node], layers: dict[str, int]) -> dict[str, tuple[float, float]]:
    columns: dict[int, list[Node]] = {}
    for node in nodes:
        columns.setdefault(layers[node.name], []).append(node)
    rows: dict[str, float] = {}
    for number in sorted(columns):

        def mean(node: Node) -> float:
            before = [rows[one] for one in node.after if one in rows]
            return sum(before) / len(before) if before else float(len(rows))

        for row, node in enumerate(sorted(columns[number], key=mean)):
            rows[node.name] = row
    return {node.name: (layers[node.name] * (_BOX + _GAP) + 1, rows[node.name] * _ROW + 1) for node in nodes}


def _edge(start: tuple[float, float], end: tuple[float, float], *, critical: bool) -> str:
    x1, y1, x2, y2 = start[0] + _BOX, start[1] + _HIGH / 2, end[0], end[1] + _HIGH / 2
    bend = (x2 - x1) / 2
    path = f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    return element("path", d=path, class_="link critical" if critical else "link")


def _box(node: Node, x: float, y: float) -> str:
    css = " ".join(
        filter(None, ["node", "critical" if node.critical else "", "active" if node.active else ""])
    )
    return element(
        "g",
        tooltip(f"{node.label}: {node.title}"),
        element("rect", x=x, y=y, width=_BOX, height=_HIGH, rx=7.0, class_=css),
        text(_end(node.label), x + 10, y + 17, "tick"),
        text(clip(node.title, _WORDS), x + 10, y + 34, "lab"),
    )
