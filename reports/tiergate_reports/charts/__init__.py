"""Charts as plain functions from values to SVG text. Colours and type come from the page's style."""

from __future__ import annotations

from tiergate_reports.charts.curves import Curve, curves
from tiergate_reports.charts.forest import Ratio, forest
from tiergate_reports.charts.scatter import Point, Target, scatter
from tiergate_reports.charts.svg import SERIES, swatch

__all__ = ["SERIES", "Curve", "Point", "Ratio", "Target", "curves", "forest", "scatter", "swatch"]
