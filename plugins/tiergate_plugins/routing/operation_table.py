"""The tier by what the operation typically takes, whatever it reads: one row for each operation.

This is what a table in a configuration file can do. It is right as long as the requests of an operation are
alike, and shows what a look at sizes is worth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median

from tiergate.hooks import RouterDeclaration, hookimpl
from tiergate.routing import Observation, RequestFacts, RouterSetup
from tiergate_plugins.routing.expectation import Estimator, Expectation
from tiergate_plugins.routing.tiered import TieredRouter


class TypicalTimes(Estimator):
    """The median service time of each operation in the training trace."""

    def __init__(self, training: Sequence[Observation]) -> None:
        times: dict[str, list[float]] = defaultdict(list)
        for seen in training:
            times[seen.facts.operation].append(seen.service_s)
        self._typical = {operation: median(found) for operation, found in times.items()}
        self._fallback = median(seen.service_s for seen in training) if training else 0.0

    def expect(self, facts: RequestFacts) -> Expectation:
        """The operation's median; that of all requests for an operation never seen."""
        typical = self._typical.get(facts.operation)
        if typical is None:
            return Expectation(self._fallback, basis="the median request, as this operation was never seen")
        return Expectation(typical, basis="the median of this operation")


class OperationTable(TieredRouter):
    """Looks up the operation, and compares its typical time with the cut-offs."""

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup, TypicalTimes(setup.training))


@hookimpl
def tiergate_routers() -> Iterator[RouterDeclaration]:
    """The router of this module."""
    yield RouterDeclaration(
        name="operation-table",
        summary="the tier by the typical service time of the operation alone",
        build=OperationTable,
    )
