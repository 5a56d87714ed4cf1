"""Bayesian linear regression of one variable on another, updated by every point, forgetting old ones.

The conjugate analysis of the linear model with unknown variance (Gelman et al., Bayesian Data Analysis,
3rd ed., chapter 14): flat in the level, normal in the slope, inverse gamma in the variance; the next value
then follows Student's t. The weight of a point decays exponentially with the points that come after it, as
in recursive least squares with a forgetting factor (Haykin, Adaptive Filter Theory, chapter 10).
Sums are kept around the running means, so that nothing cancels.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import NamedTuple

SLOPE = 0.5
"""Slope that is expected beforehand: on logarithms between a constant cost (0) and a proportional one (1)."""

SLOPE_WEIGHT = 1.0
"""How firmly: as much as points with this sum of squares around their mean."""

STEEPEST_BEYOND = 1.0
"""Slope at most beyond the largest point that was seen: on logarithms, in proportion. Where a few points near
each other differ for other reasons, the slope between them says nothing of a thousand times as much."""

NOISE = 0.3
"""Standard deviation that is expected beforehand."""

NOISE_WEIGHT = 2.0
"""How firmly: as much as so many points."""

OUTLIER = 4.0
"""A point farther than so many predicted standard deviations from what was expected counts as one that far
(winsorised), so that a pause of the machine does not turn the line."""


class Prediction(NamedTuple):
    """The next value at some point: centre and scale of Student's t with so many degrees of freedom."""

    centre: float
    scale: float
    freedom: float


class Regression:
    """A line and its uncertainty.

    Args:
        forgetting: factor on the weight of all points so far when one comes in; 1 never forgets.
    """

    __slots__ = (
        *("_forgetting", "_mean_x", "_mean_y", "_sum_xx", "_sum_xy", "_sum_yy", "weight"),
        *("_slope", "_freedom", "_variance", "_largest_x"),
    )

    def __init__(self, forgetting: float) -> None:
        self._forgetting = forgetting
        self.weight = 0.0
        self._mean_x = self._mean_y = 0.0
        self._sum_xx = self._sum_xy = self._sum_yy = 0.0
        self._largest_x = -inf
        self._draw()

    def worth(self, points: float, forgetting: float) -> Regression:
        """A line that begins with what this one knows, as if it were `points` points at most.

        That is a power prior (Ibrahim & Chen, Power prior distributions for regression models, 2000).
        """
        made = Regression(forgetting)
        share = min(1.0, points / self.weight) if self.weight else 0.0
        made.weight = self.weight * share
        made._mean_x, made._mean_y, made._largest_x = self._mean_x, self._mean_y, self._largest_x
        made._sum_xx, made._sum_xy, made._sum_yy = (
            share * total for total in (self._sum_xx, self._sum_xy, self._sum_yy)
        )
        made._draw()
        return made

    def add(self, x: float, y: float) -> None:
        """Learn one point."""
        expected = self.at(x)
        if expected is not None and self.weight >= NOISE_WEIGHT:
            reach = OUTLIER * expected.scale
            y = min(max(y, expected.centre - reach), expected.centre + reach)
        keep = self._forgetting
        self._largest_x = max(self._largest_x, x)
        self.weight = keep * self.weight + 1.0
        from_x, from_y = x - self._mean_x, y - self._mean_y
        self._mean_x += from_x / self.weight
        self._mean_y += from_y / self.weight
        self._sum_xx = keep * self._sum_xx + from_x * (x - self._mean_x)
        self._sum_xy = keep * self._sum_xy + from_x * (y - self._mean_y)
        self._sum_yy = keep * self._sum_yy + from_y * (y - self._mean_y)
        self._draw()

    def at(self, x: float) -> Prediction | None:
        """What to expect at `x`; None before the first point. The line never falls."""
        if not self.weight:
            return None
        away = x - self._mean_x
        widening = 1 + 1 / self.weight + away * away / (self._sum_xx + SLOPE_WEIGHT)
        return Prediction(self.centre(x), sqrt(self._variance * widening), self._freedom)

    def centre(self, x: float) -> float:
        """The line at `x`, of one that has a point."""
        centre = self._mean_y + self._slope * (x - self._mean_x)
        if x > self._largest_x and self._slope > STEEPEST_BEYOND:
            centre -= (self._slope - STEEPEST_BEYOND) * (x - self._largest_x)
        return centre

    def _draw(self) -> None:
        """Draw the line anew: it is asked for more often than it changes."""
        self._slope = max(0.0, (self._sum_xy + SLOPE_WEIGHT * SLOPE) / (self._sum_xx + SLOPE_WEIGHT))
        slope = self._slope
        # The residual sum of squares around the line of that slope, and the prior's own.
        rest = self._sum_yy - 2 * slope * self._sum_xy + slope * slope * self._sum_xx
        rest += SLOPE_WEIGHT * (slope - SLOPE) ** 2 + NOISE_WEIGHT * NOISE**2
        self._freedom = NOISE_WEIGHT + max(0.0, self.weight - 1.0)
        self._variance = max(rest / self._freedom, 1e-12)
