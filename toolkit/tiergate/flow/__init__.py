"""Momentum, flow state, auto-balance, plans and predictions: pure functions from values to values.

Nothing here reads a clock or a store. Times are seconds since 1970 (UTC) inside, RFC 3339 text in tasks
and results; `now` is always an argument.
"""

from tiergate.flow.momentum import DEFAULT_HALF_LIFE_S
from tiergate.flow.values import (
    Balance,
    Chosen,
    Flow,
    FlowState,
    Moving,
    Plan,
    Prediction,
    ScoreParts,
    Share,
    SoonReady,
    SteppedBack,
)

__all__ = [
    "DEFAULT_HALF_LIFE_S",
    "Balance",
    "Chosen",
    "Flow",
    "FlowState",
    "Moving",
    "Plan",
    "Prediction",
    "ScoreParts",
    "Share",
    "SoonReady",
    "SteppedBack",
]
