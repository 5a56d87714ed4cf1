"""Drawings that stand alone: well-formed, in bounds, readable in light and in dark."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tiergate_plugins.routing import plots
from tiergate_plugins.routing.line_chart import HEIGHT, WIDTH, Panel, drawing

SVG = "{http://www.w3.org/2000/svg}"


def make_panel(*, is_log_x: bool = False) -> Panel:
    return Panel("p95 in ms", "load", (1.0, 2.0, 4.0), {"a<b": [1.0, 50.0, 900.0], "c": [3, 3, 3]}, is_log_x)


@pytest.mark.parametrize("is_log_x", [False, True])
def test_lines_stay_inside_and_are_named(is_log_x: bool) -> None:
    root = ElementTree.fromstring(drawing("Times & loads", [make_panel(is_log_x=is_log_x)] * 2))
    lines = root.findall(f".//{SVG}polyline")
    assert len(lines) == 4
    for line in lines:
        points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
        assert len(points) == 3
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert words.count("a<b") == 1
    assert root.findtext(f"{SVG}title") == "Times & loads"


def test_larger_is_higher_and_logarithms_are_even() -> None:
    panel = make_panel(is_log_x=True)
    assert panel.y(1.0) > panel.y(10.0) > panel.y(900.0)
    assert panel.x(2.0) - panel.x(1.0) == pytest.approx(panel.x(4.0) - panel.x(2.0))


def test_it_follows_dark_colours() -> None:
    assert "prefers-color-scheme: dark" in drawing("t", [make_panel()])


def test_each_plot_of_the_page_is_one_that_is_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(plots, "over_load", lambda: [make_panel()])
    monkeypatch.setattr(plots, "over_variability", lambda: [make_panel()])
    assert plots.main(str(tmp_path)) == 0
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "tiers.md").read_text(encoding="utf-8")
    for drawn in tmp_path.iterdir():
        assert f"../images/{drawn.name}" in page
        assert (Path(__file__).parents[2] / "docs" / "images" / drawn.name).is_file()


def test_the_simulation_gives_each_line_a_value_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "REQUESTS", 400)
    for panel in (*plots.over_load(), *plots.over_variability()):
        assert all(len(values) == len(panel.places) for values in panel.lines.values())
        assert all(value > 0 for values in panel.lines.values() for value in values)
