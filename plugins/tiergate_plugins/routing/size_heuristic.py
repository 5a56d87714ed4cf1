"""The tier by estimated service time: size interval task assignment.

SITA of Harchol-Balter, Crovella & Murta (1999), with sizes that are estimated from the bytes that a
request will read instead of known.
"""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.hooks import RouterDeclaration, hookimpl
from tiergate.routing import RouterSetup
from tiergate_plugins.routing.estimate import ServiceTimeEstimate
from tiergate_plugins.routing.tiered import TieredRouter


class SizeHeuristic(TieredRouter):
    """Estimates the service time from operation and bytes read, and compares it with the cut-offs."""

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup, ServiceTimeEstimate(setup.training))


@hookimpl
def tiergate_routers() -> Iterator[RouterDeclaration]:
    """The router of this module."""
    yield RouterDeclaration(
        name="size-heuristic",
        summary="the tier by service time, estimated from operation and bytes read",
        build=SizeHeuristic,
    )
