"""The agents' day in bursts: the same sessions and requests as `agents`, arriving in on/off bursts.

A tenth of the time is a burst with five times the mean rate, so that half of the requests come in one; a burst
and the pause after it hold a hundred requests on average. What differs from `agents` at the same seed is the
arrivals alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.arrivals import OnOff
from tiergate.hooks import WorkloadDeclaration, hookimpl
from tiergate_plugins.workloads.agents import requests, sessions

ARRIVALS = OnOff(on_share=0.1, on_ratio=5.0, cycle_requests=100.0)


@hookimpl
def tiergate_workloads() -> Iterator[WorkloadDeclaration]:
    """The workload of this module."""
    yield WorkloadDeclaration(
        name="bursts",
        summary="the requests of agents, arriving in on/off bursts of five times the mean rate",
        sessions=sessions,
        requests=requests,
        arrivals=ARRIVALS,
    )
