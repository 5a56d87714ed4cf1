"""Matching two plans of which half the tasks are the same."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tiergate.hooks import MatcherDeclaration
from tiergate.matching import Plan
from tiergate.model import Session
from tiergate.plugins import PluginHost


def test_match(benchmark: BenchmarkFixture, host: PluginHost, sessions: list[Session]) -> None:
    pytest.importorskip("sparse_dot_topn", reason="it comes with tiergate[reconcile]")
    match = host.get(MatcherDeclaration, "ngrams").match
    plans = [
        Plan(source="a", sessions=tuple(sessions[:20])),
        Plan(source="b", sessions=tuple(sessions[10:30])),
    ]
    assert benchmark(match, plans).matches
