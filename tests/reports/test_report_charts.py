"""Charts: coordinates, and what has no place."""

from __future__ import annotations

import math
from itertools import combinations
from xml.etree import ElementTree

import pytest

from tiergate_reports.charts import Curve, Point, Ratio, Target, curves, forest, scatter, swatch
from tiergate_reports.charts.placing import beside, place, width_of
from tiergate_reports.charts.scale import Scale, log_scale, tick_label
from tiergate_reports.charts.svg import SERIES, marker

TICKS = ((0.0, "0"), (10.0, "10"))


def drawn(svg: str) -> ElementTree.Element:
    """The drawing, which must be well-formed, named, described and without inline styles."""
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    for purpose, tag in (("aria-labelledby", "title"), ("aria-describedby", "desc")):
        named = [child for child in root if child.get("id") == root.get(purpose)]
        assert [child.tag for child in named] == [tag]
        assert named[0].text
    assert not [element for element in root.iter() if "style" in element.attrib]
    assert "nan" not in svg.split("</desc>")[1]
    return root


def of_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if name in (element.get("class") or "").split()]


def words(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter("text")]


def test_a_linear_scale_maps_its_ends_and_its_middle() -> None:
    scale = Scale(0, 10, 100, 0)
    assert [scale(value) for value in (0, 5, 10, -3, 99)] == [100, 50, 0, 100, 0]
    assert scale.ticks(5) == [0, 2, 4, 6, 8, 10]


def test_a_logarithmic_scale_is_even_in_ratios_and_puts_zero_at_its_low_end() -> None:
    scale = Scale(1, 100, 0, 200, log=True)
    assert scale(10) == pytest.approx(100)
    assert scale(0) == 0
    assert scale(-5) == 0
    assert scale.ticks(6) == [1, 3, 10, 30, 100]


def test_a_logarithmic_scale_leaves_room_and_ignores_what_it_cannot_hold() -> None:
    scale = log_scale([0, -1, math.nan, math.inf, 10, 40], 0, 1)
    assert scale.low < 10
    assert scale.high > 40
    assert scale.high < 100


def test_equal_values_do_not_look_far_apart() -> None:
    scale = log_scale([50, 51], 0, 100)
    assert scale.high / scale.low == pytest.approx(4)
    assert abs(scale(50) - scale(51)) < 2


@pytest.mark.parametrize("ends", [(1e-3, 1e6), (0.9, 1.1), (99, 1010), (4.9, 5.1)])
def test_ticks_are_on_the_scale_and_not_too_many(ends: tuple[float, float]) -> None:
    ticks = Scale(*ends, 0, 1, log=True).ticks(5)
    assert len(ticks) <= 5
    assert all(ends[0] <= tick <= ends[1] for tick in ticks)


def test_tick_labels_say_no_more_than_they_must() -> None:
    assert [tick_label(value) for value in (0.5, 1.0, 20.0, 2000.0, 0.0)] == ["0.5", "1", "20", "2,000", "0"]


def test_a_better_router_is_further_up_and_further_left() -> None:
    root = drawn(scatter([Point("a", 0, 10, 0.9), Point("b", 0, 100, 0.5)], Target(), uid="x"))
    (ax, ay), (bx, by) = [(float(m.get("cx", "")), float(m.get("cy", ""))) for m in of_class(root, "mark")]
    assert ax < bx
    assert ay < by


def test_intervals_are_bars_around_their_point() -> None:
    point = Point("a", 0, 20, 0.8, x_interval=(10, 40), y_interval=(0.7, 0.9))
    root = drawn(scatter([point], Target(), uid="x"))
    mark = of_class(root, "mark")[0]
    across, upright = of_class(root, "bar")
    middle = (float(across.get("x1", "")) + float(across.get("x2", ""))) / 2
    assert middle == pytest.approx(float(mark.get("cx", "")), abs=0.11)
    assert upright.get("x1") == upright.get("x2") == mark.get("cx")
    assert float(upright.get("y2", "")) < float(mark.get("cy", "")) < float(upright.get("y1", ""))


def test_a_router_that_chooses_no_tier_stands_in_a_strip_of_its_own() -> None:
    root = drawn(scatter([Point("shared", 0, 50, None), Point("sized", 0, 20, 0.0)], Target(), uid="x"))
    assert "chooses no tier" in words(root)
    ys = {
        g[0].text.split(":")[0]: float(of_class(g, "mark")[0].get("cy", ""))
        for g in root.iter("g")
        if g[0].text
    }
    assert ys["shared"] > ys["sized"]
    assert not of_class(drawn(scatter([Point("sized", 0, 20, 0.5)], Target(), uid="x")), "lane")


def test_the_oracle_is_drawn_hollow_and_named_a_bound() -> None:
    root = drawn(scatter([Point("oracle", 3, 10, 1.0, bound=True)], Target(), uid="x"))
    assert len(of_class(root, "bound")) == 1
    assert "oracle (bound)" in words(root)
    assert "a bound, not a contestant" in (root[1].text or "")


def test_budgets_shade_the_corner_that_meets_both() -> None:
    root = drawn(scatter([Point("a", 0, 10, 0.95)], Target(x=100, y=0.9, no_skill=0.4), uid="x"))
    corner = of_class(root, "target")[0]
    mark = of_class(root, "mark")[0]
    assert float(mark.get("cx", "")) < float(corner.get("x", "")) + float(corner.get("width", ""))
    assert (
        float(corner.get("y", ""))
        < float(mark.get("cy", ""))
        < float(corner.get("y", "")) + float(corner.get("height", ""))
    )
    assert len(of_class(root, "limit")) == 2
    assert len(of_class(root, "control")) == 1


def test_a_name_is_not_struck_through_by_the_bar_of_another_point() -> None:
    points = [
        Point("size-heuristic", 0, 7.1, 0.948, (2.71, 18.2), (0.81, 0.983)),
        Point("oracle", 1, 10.1, 1.0, (2.6, 29.0), (0.883, 1.0), bound=True),
    ]
    root = drawn(scatter(points, Target(x=100, y=0.9), uid="x"))
    flat = [
        (*sorted((float(bar.get("x1", 0)), float(bar.get("x2", 0)))), float(bar.get("y1", 0)))
        for bar in of_class(root, "bar")
        if bar.get("y1") == bar.get("y2")
    ]
    assert len(flat) == 2
    for name in of_class(root, "lab"):
        x, base, wide = float(name.get("x", 0)), float(name.get("y", 0)), width_of(name.text or "")
        left = x - wide if name.get("text-anchor") == "end" else x
        for low, high, y in flat:
            assert not (left < high and low < left + wide and base - 11 < y < base + 3)


def test_a_scatter_without_points_says_so() -> None:
    for points in ([], [Point("a", 0, math.nan, 0.5)], [Point("a", 0, 5, math.nan)]):
        assert "no router was measured" in words(drawn(scatter(points, Target(), uid="x")))


def test_a_response_of_zero_is_drawn_at_the_left_edge() -> None:
    root = drawn(scatter([Point("a", 0, 0, 0.5), Point("b", 0, 10, 0.5)], Target(), uid="x"))
    zero, ten = [float(mark.get("cx", "")) for mark in of_class(root, "mark")]
    assert zero == 44
    assert zero < ten


def test_names_cover_neither_names_nor_points() -> None:
    points = [(100.0, 100.0), (104.0, 103.0), (108.0, 99.0), (300.0, 100.0)]
    labels = ["one", "two", "three", "four"]
    boxes = []
    for (x, y, side), label in zip(place(points, labels, (0, 0, 400, 300)), labels, strict=True):
        left = x - width_of(label) if side == "end" else x
        boxes.append((left, y - 11, left + width_of(label), y + 3))
    assert not [
        1 for a, b in combinations(boxes, 2) if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
    assert not [1 for b in boxes for x, y in points if b[0] < x < b[2] and b[1] < y < b[3]]


def test_a_name_at_the_right_edge_goes_to_the_left() -> None:
    assert place([(395.0, 100.0)], ["a long name"], (0, 0, 400, 300))[0][2] == "end"


def plot(*lines: Curve) -> ElementTree.Element:
    return drawn(curves("panel", lines, uid="c", x_ticks=TICKS, x_label="x", y_label="ms"))


def test_a_curve_rises_with_its_values() -> None:
    path = of_class(plot(Curve("a", 1, [(0, 1), (5, 10), (10, 100)])), "curve")[0].get("d", "")
    spots = [tuple(map(float, part[1:].split())) for part in path.replace(" L", "|L").split("|")]
    xs, ys = zip(*spots, strict=True)
    assert xs == (46.0, 187.0, 328.0)
    assert ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.11)
    assert ys[0] > ys[1] > ys[2]


def test_a_curve_of_one_point_is_a_mark() -> None:
    root = plot(Curve("a", 0, [(5, 10)]))
    assert not of_class(root, "curve")
    assert len(of_class(root, "mark")) == 1


def test_a_zero_on_a_logarithmic_height_is_at_the_bottom() -> None:
    path = of_class(plot(Curve("a", 0, [(0, 0), (10, 10)])), "curve")[0].get("d", "")
    assert path.startswith("M46.0 190.0")


@pytest.mark.parametrize("lines", [(), (Curve("a", 0, []),), (Curve("a", 0, [(1, math.nan)]),)])
def test_curves_without_points_say_so(lines: tuple[Curve, ...]) -> None:
    root = plot(*lines)
    assert "nothing was measured" in words(root)
    assert root[1].text == "Nothing was measured."


def test_a_shared_range_gives_neighbours_the_same_heights() -> None:
    paths = [
        of_class(
            drawn(
                curves(
                    "p",
                    [Curve("a", 0, [(0, 5), (10, 5)]), *more],
                    uid="c",
                    x_ticks=TICKS,
                    x_label="",
                    y_label="",
                    y_range=(1, 500),
                )
            ),
            "s0",
        )[0].get("d")
        for more in ([], [Curve("b", 1, [(0, 300), (10, 20)])])
    ]
    assert paths[0] == paths[1]


def test_a_ratio_below_one_is_left_of_the_line() -> None:
    root = drawn(forest("p95", [Ratio("a", 0, 0.5, (0.4, 0.6)), Ratio("b", 0, 2, (1.5, 2.5))], uid="f"))
    one = float(of_class(root, "one")[0].get("x1", ""))
    less, more = [float(mark.get("cx", "")) for mark in of_class(root, "mark")]
    assert less < one < more
    assert one - less == pytest.approx(more - one, abs=0.11)


def test_a_forest_always_has_its_line_at_one() -> None:
    empty = drawn(forest("p95", [], uid="f"))
    assert "nothing was compared" in words(empty)
    assert len(of_class(empty, "one")) == 1
    far = drawn(forest("p95", [Ratio("a", 0, 9, (8, 10))], uid="f"))
    assert 8 < float(of_class(far, "one")[0].get("x1", "")) < 100


def test_a_ratio_of_zero_or_nothing_does_not_break_the_plot() -> None:
    root = drawn(forest("p95", [Ratio("a", 0, 0, (0, 2)), Ratio("b", 0, math.nan, (0, 1))], uid="f"))
    assert [float(mark.get("cx", "")) for mark in of_class(root, "mark")] == [8]


def test_names_from_outside_are_escaped_and_clipped() -> None:
    hostile = '</text><script>alert("x")</script>' * 9
    for svg in (
        scatter([Point(hostile, 0, 5, 0.5), Point(hostile, 0, 5, None)], Target(), uid="x"),
        curves(
            hostile, [Curve(hostile, 0, [(0, 1), (1, 2)])], uid="c", x_ticks=TICKS, x_label="", y_label=""
        ),
        forest(hostile, [Ratio(hostile, 0, 1, (1, 1))], uid="f"),
    ):
        assert "<script" not in svg
        assert max(map(len, words(drawn(svg)))) < 80


def test_every_series_has_a_shape_of_its_own() -> None:
    shapes = {marker(index, 0, 0).split(" class=")[0] for index in range(SERIES)}
    assert len(shapes) == SERIES
    assert marker(SERIES, 0, 0) == marker(0, 0, 0)
    assert "bound" in swatch(0, bound=True)


def test_a_very_wide_interval_runs_off_the_edge_instead_of_squeezing_the_points() -> None:
    points = [Point("a", 0, 10, 0.9, x_interval=(0.001, 1e6)), Point("b", 1, 40, 0.5)]
    root = drawn(scatter(points, Target(), uid="x"))
    bar = of_class(root, "bar")[0]
    assert (bar.get("x1"), bar.get("x2")) == ("44", "706")
    xs = {mark.get("class", ""): mark for mark in of_class(root, "mark")}
    assert float(xs["mark s0"].get("cx", "")) + 150 < float(xs["mark s1"].get("points", "").split(",")[0])


def test_a_name_stays_within_its_strip() -> None:
    room = (44.0, 706.0)
    for bar in ((50.0, 500.0, 700.0), (50.0, 60.0, 700.0), (600.0, 650.0, 700.0), (50.0, 60.0, 70.0)):
        x, _, side = beside(bar, 0, "least-work-left", room)
        left = x - width_of("least-work-left") if side == "end" else x
        assert room[0] <= left
        assert left + width_of("least-work-left") <= room[1]
