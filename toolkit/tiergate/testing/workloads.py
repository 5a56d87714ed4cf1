"""The contract suite for workloads."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

import msgspec
import pytest

from tiergate.arrivals import poisson
from tiergate.hooks import OperationDeclaration, WorkloadDeclaration
from tiergate.model import canonical
from tiergate.plugins import PluginHost

TASKS, REQUESTS = 400, 300


class WorkloadContract:
    """Every promise of a `WorkloadDeclaration`, tested against one workload. Override `declaration`."""

    @pytest.fixture
    def declaration(self) -> WorkloadDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the WorkloadDeclaration to test")

    def test_sessions_have_about_as_many_tasks_as_are_asked_for(
        self, declaration: WorkloadDeclaration
    ) -> None:
        sessions = declaration.sessions(1, TASKS)
        found = sum(len(session.tasks) for session in sessions)
        assert TASKS / 2 <= found <= TASKS * 2, "WorkloadDeclaration.sessions: about that many tasks in all"
        names = [session.id for session in sessions]
        assert len(set(names)) == len(names), "WorkloadDeclaration.sessions: ids are unique"

    def test_the_same_arguments_give_the_same_values(self, declaration: WorkloadDeclaration) -> None:
        made, again = declaration.sessions(1, TASKS), declaration.sessions(1, TASKS)
        assert list(map(canonical, made)) == list(map(canonical, again)), (
            "WorkloadDeclaration: the same arguments always give the same values"
        )
        before = list(map(canonical, made))
        asked = declaration.requests(1, made, REQUESTS)
        assert asked == declaration.requests(1, again, REQUESTS), (
            "WorkloadDeclaration: the same arguments always give the same values"
        )
        assert list(map(canonical, made)) == before, "WorkloadDeclaration.requests: sessions stay as they are"

    def test_another_seed_gives_other_requests(self, declaration: WorkloadDeclaration) -> None:
        sessions = declaration.sessions(1, TASKS)
        assert declaration.requests(1, sessions, REQUESTS) != declaration.requests(2, sessions, REQUESTS), (
            "WorkloadDeclaration.requests: drawn from the seed"
        )

    def test_requests_are_numbered_and_can_be_served(self, declaration: WorkloadDeclaration) -> None:
        sessions = declaration.sessions(1, TASKS)
        asked = declaration.requests(1, sessions, REQUESTS)
        assert [request.id for request in asked] == list(range(REQUESTS)), (
            "WorkloadDeclaration.requests: `count` requests, with ids from 0 on"
        )
        operations = {one.name: one for one in PluginHost().all(OperationDeclaration)}
        for request in asked:
            operation = operations.get(request.operation)
            assert operation is not None, (
                f"WorkloadDeclaration.requests: nobody declares {request.operation!r}"
            )
            msgspec.convert(request.arguments, operation.arguments)
            assert request.session is not None or not operation.needs_session, (
                f"WorkloadDeclaration.requests: {request.operation} needs a session"
            )

    def test_arrivals_ascend(self, declaration: WorkloadDeclaration) -> None:
        arrivals = declaration.arrivals or poisson
        starts = list(arrivals(1, REQUESTS))
        assert len(starts) == REQUESTS, "WorkloadDeclaration.arrivals: the start times of `count` requests"
        assert all(map(isfinite, starts)), "WorkloadDeclaration.arrivals: in seconds"
        assert all(later >= earlier for earlier, later in pairwise([0.0, *starts])), (
            "WorkloadDeclaration.arrivals: ascending"
        )
        assert starts == list(arrivals(1, REQUESTS)), (
            "WorkloadDeclaration: the same arguments, the same values"
        )
