"""The panels of the latency section: percentile curves, and percentiles over the run's time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tiergate.record import ClassLatency, RunRecord, SeriesPoint, Variant
from tiergate_reports import figures
from tiergate_reports.charts import Curve, curves
from tiergate_reports.table import Figure

MOST_POINTS = 160

_SHARES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}
_GRID = (*range(0, 90, 5), 90, 92, 94, 95, 96, 97, 98, 98.5, 99, 99.3, 99.5, 99.7, 99.8, 99.9)
_TICKS = ((0.0, "0"), (50.0, "50"), (90.0, "90"), (99.0, "99"), (99.9, "99.9 %"))


def percentile_panel(run: RunRecord, name: str) -> str:
    """One class's percentile curves, all routers."""
    lines = [Curve(v.name, i, percentile_points(v, name)) for i, v in enumerate(run.variants)]
    return curves(
        f"{name} requests",
        lines,
        uid=f"percentiles-{name}",
        x_ticks=_TICKS,
        x_label="percentile",
        y_label="response (ms)",
        x_position=lambda share: -math.log10(1 - share / 100),
    )


def percentile_points(variant: Variant, name: str) -> list[tuple[float, float]]:
    """(percentile, milliseconds) of a class, from the histogram or else from the record's percentiles."""
    found = variant.by_class.get(name)
    if name == "all":
        found = ClassLatency(requests=variant.requests.completed, response_ms=variant.response_ms)
    if found is None or found.response_ms is None or found.requests == 0:
        return []
    known = 100 * (1 - 1 / found.requests)
    points = _decoded(variant.histogram.get(name, ""))
    points = points or [(share, getattr(found.response_ms, p)) for p, share in _SHARES.items()]
    return [point for point in points if point[0] <= known] or points[:1]


def series_figure(run: RunRecord) -> Figure | None:
    """Percentiles over the run's time, one panel for each variant; None where nothing was recorded."""
    shown = [(i, v, thinned(v.series)) for i, v in enumerate(run.variants) if v.series]
    if not shown:
        return None
    end = max(point.at_s for _, _, series in shown for point in series) or 1.0
    times = [time for _, _, series in shown for p in series for time in (p.p50_ms, p.p95_ms)]
    return Figure(
        caption=(
            "p95 (strong line) and p50 (faint line) of the requests that were to start in each second,"
            " all rounds"
            " together, all panels on one scale. A line that climbs to the right shows a queue that grows."
        ),
        charts=[
            curves(
                v.name,
                [
                    Curve("p95", i, [(p.at_s, p.p95_ms) for p in series]),
                    Curve("p50", i, [(p.at_s, p.p50_ms) for p in series], faint=True),
                ],
                uid=f"series-{i}",
                x_ticks=[(0.0, "0"), (end / 2, figures.number(end / 2, 2)), (end, figures.number(end, 2))],
                x_label="intended start (s)",
                y_label="response (ms)",
                y_range=times,
            )
            for i, v, series in shown
        ],
    )


def thinned(series: Sequence[SeriesPoint]) -> list[SeriesPoint]:
    """A long series made shorter: of neighbouring seconds the worst stays."""
    step = math.ceil(len(series) / MOST_POINTS) or 1
    groups = (series[start : start + step] for start in range(0, len(series), step))
    return [max(group, key=lambda point: point.p95_ms) for group in groups]


def _decoded(encoded: str) -> list[tuple[float, float]]:
    if not encoded:
        return []
    from hdrh.histogram import HdrHistogram

    try:
        histogram = HdrHistogram.decode(encoded.encode())
        found = histogram.get_percentile_to_value_dict(_GRID)
        return [(float(share), value / 1000) for share, value in found.items()]
    except Exception:  # a record from elsewhere may hold anything, and the percentiles stand in for it
        return []
