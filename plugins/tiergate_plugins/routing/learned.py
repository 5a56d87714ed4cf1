"""The tier by a service time that is learned while the requests are served.

A line on logarithms, ``log seconds = level + slope * log(bytes read + 1 KiB)``, for every operation and
scope: costs spread over orders of magnitude, and their noise is a factor, not a number of seconds. Lines
of operations that were seen a few times only lean on a line that all operations of the scope share
(partial pooling: Gelman & Hill, Data Analysis Using Regression and Multilevel Models, 2007), and an
operation that was never seen is expected to be like the others, with an uncertainty that says how unlike
each other those are. From what is learned under load, what the load adds to every request is taken off again
(`under_load`), as the cut-offs are those of requests that ran alone.
The tier is the most probable one under the predictive distribution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from math import exp, isfinite, log, sqrt

from tiergate.hooks import RouterDeclaration, hookimpl
from tiergate.operation import Scope
from tiergate.routing import Observation, RequestFacts, RouterSetup
from tiergate_plugins.routing.expectation import SHORTEST_S, Estimator, Expectation
from tiergate_plugins.routing.regression import NOISE, Prediction, Regression
from tiergate_plugins.routing.tiered import TieredRouter
from tiergate_plugins.routing.under_load import AddedByLoad

FORGETTING = 0.998
"""Of an operation's line: it remembers about the last 500 requests."""

POOL_FORGETTING = 0.999
"""Of the line that the operations of a scope share."""

PRIOR_POINTS = 2.0
"""The most points that the shared line is worth to an operation's own. It is worth as many as the variance
of one operation's requests goes into that around the shared line: little where operations differ much."""

MAX_LINES = 1000
"""Pairs of operation and scope with a line of their own; others are expected to be like the rest."""

WORTH = 0.02
"""Share of a service time below which what load adds to it is left in it."""

OWN = "requests of this operation and scope"

SMALL_BYTES = 1024
"""Below about this, reading less does not cost less."""

LONGEST_S = 1e6

_LOWEST, _HIGHEST = log(SHORTEST_S), log(LONGEST_S)

_OF_SCOPE = {scope: f"other operations that read a {scope.value}" for scope in Scope}


class LearnedTimes(Estimator):
    """Expects service times by operation, scope and bytes read, and goes on learning."""

    def __init__(self, training: Sequence[Observation]) -> None:
        self._lines: dict[tuple[str, Scope], Regression] = {}
        self._shared: dict[Scope, Regression] = {scope: Regression(POOL_FORGETTING) for scope in Scope}
        self._all = Regression(POOL_FORGETTING)
        for seen in training:
            self._learn_shared(seen.facts, seen.service_s)
        for seen in training:
            self._learn_own(seen.facts, seen.service_s)
        self._alone = {key: copy(line) for key, line in self._lines.items()}
        self._load = AddedByLoad()

    def expect(self, facts: RequestFacts) -> Expectation:
        """The predictive distribution of the most specific line there is."""
        x = log(facts.read_bytes + SMALL_BYTES)
        key = facts.operation, facts.scope
        line = self._lines.get(key)
        if line is not None and (found := line.at(x)) is not None:
            expected = _expectation(found, OWN)
            added = self._load.beside(key)
            # Of what takes far longer it is not worth a subtraction.
            return self._unloaded(expected, key, x, added) if added > WORTH * expected.seconds else expected
        if (found := self._shared[facts.scope].at(x)) is not None:
            return _expectation(found, _OF_SCOPE[facts.scope])
        if (found := self._all.at(x)) is not None:
            return _expectation(found, "requests of every kind")
        return Expectation(0.0, basis="nothing: no request was seen")

    def learn(self, facts: RequestFacts, service_s: float) -> None:
        """One more point; a time that cannot be one is passed over."""
        if isfinite(service_s) and service_s >= 0:
            self._learn_shared(facts, service_s)
            self._learn_own(facts, service_s)
            self._compare(facts)

    def _unloaded(
        self, expected: Expectation, key: tuple[str, Scope], x: float, added_s: float
    ) -> Expectation:
        """Without what load adds, but no shorter than the request was alone."""
        alone = self._alone.get(key)
        if alone is None:
            return expected
        alone_s = exp(min(max(alone.centre(x), _LOWEST), _HIGHEST))
        if alone_s >= expected.seconds:
            return expected
        return Expectation(max(alone_s, expected.seconds - added_s), expected.spread, expected.freedom, OWN)

    def _compare(self, facts: RequestFacts) -> None:
        """Find out how much longer requests of this kind take than they did alone."""
        key = facts.operation, facts.scope
        x = log(facts.read_bytes + SMALL_BYTES)
        alone, line = self._alone.get(key), self._lines.get(key)
        if alone is not None and line is not None:
            then, now = alone.at(x), line.at(x)
            if then is not None and now is not None:
                self._load.saw(key, _at_most(now, then))

    def _learn_shared(self, facts: RequestFacts, service_s: float) -> None:
        x, y = _point(facts, service_s)
        self._shared[facts.scope].add(x, y)
        self._all.add(x, y)

    def _learn_own(self, facts: RequestFacts, service_s: float) -> None:
        key = facts.operation, facts.scope
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= MAX_LINES:
                return
            line = self._lines[key] = self._begun(facts)
        line.add(*_point(facts, service_s))

    def _begun(self, facts: RequestFacts) -> Regression:
        """A line that knows what the other operations of its scope have in common."""
        shared = self._shared[facts.scope]
        found = shared.at(log(facts.read_bytes + SMALL_BYTES))
        points = min(PRIOR_POINTS, NOISE**2 / found.scale**2) if found else 0.0
        return shared.worth(points, FORGETTING)


def _at_most(now: Prediction, then: Prediction) -> float:
    """The most seconds by which it may have become longer: two standard errors. So a long operation, whose
    mean is not known to a tenth of a millisecond, does not say that nothing was added."""
    error = 2 * sqrt(now.scale**2 / now.freedom + then.scale**2 / then.freedom)
    seconds = _expectation(then, "").seconds
    return seconds * (exp(min(_HIGHEST, now.centre - then.centre + error)) - 1)


def _point(facts: RequestFacts, service_s: float) -> tuple[float, float]:
    return log(facts.read_bytes + SMALL_BYTES), log(min(max(service_s, SHORTEST_S), LONGEST_S))


def _expectation(found: Prediction, basis: str) -> Expectation:
    seconds = exp(min(max(found.centre, _LOWEST), _HIGHEST))
    return Expectation(seconds, found.scale, found.freedom, basis)


class Learned(TieredRouter):
    """Learns what requests take, and sends each to its most probable tier."""

    def __init__(self, setup: RouterSetup) -> None:
        super().__init__(setup, LearnedTimes(setup.training))


@hookimpl
def tiergate_routers() -> Iterator[RouterDeclaration]:
    """The router of this module."""
    yield RouterDeclaration(
        name="learned",
        summary="the most probable tier by a service time learned online from operation and bytes read",
        build=Learned,
    )
