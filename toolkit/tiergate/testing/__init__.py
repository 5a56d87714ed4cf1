"""Contract suites for plugin authors.

Subclass a suite in a test module, name what is to be tested, and run pytest::

    class TestMyStore(StoreContract):
        @pytest.fixture
        def declaration(self) -> StoreDeclaration:
            return MY_STORE

Each failure quotes the sentence of the contract that was broken. This package needs pytest; nothing
else of tiergate does.
"""

from __future__ import annotations

import pytest

# Asserts outside test modules are explained only when asked for, and before they are imported.
pytest.register_assert_rewrite(
    "tiergate.testing.caches",
    "tiergate.testing.evidence_checks",
    "tiergate.testing.exporters",
    "tiergate.testing.importers",
    "tiergate.testing.matchers",
    "tiergate.testing.operations",
    "tiergate.testing.pool_faults",
    "tiergate.testing.pool_fixtures",
    "tiergate.testing.pool_serving",
    "tiergate.testing.profilers",
    "tiergate.testing.store_lifetime",
    "tiergate.testing.store_queries",
    "tiergate.testing.store_sessions",
    "tiergate.testing.router_words",
    "tiergate.testing.routers",
    "tiergate.testing.rules",
    "tiergate.testing.targets",
    "tiergate.testing.workloads",
)

from tiergate.testing.caches import CacheContract  # noqa: E402
from tiergate.testing.evidence_checks import EvidenceCheckContract  # noqa: E402
from tiergate.testing.exporters import ExporterContract  # noqa: E402
from tiergate.testing.importers import ImporterContract  # noqa: E402
from tiergate.testing.inquiries import (  # noqa: E402
    make_evidence,
    make_inquiry,
    make_match,
    make_plan,
    make_question,
    make_ref,
    varied_questions,
)
from tiergate.testing.matchers import MatcherContract  # noqa: E402
from tiergate.testing.operations import OperationContract  # noqa: E402
from tiergate.testing.pools import PoolContract  # noqa: E402
from tiergate.testing.profilers import ProfilerContract  # noqa: E402
from tiergate.testing.routers import RouterContract  # noqa: E402
from tiergate.testing.rules import DecisionRuleContract  # noqa: E402
from tiergate.testing.samples import (  # noqa: E402
    AWKWARD_TEXTS,
    make_facts,
    make_pool,
    make_session,
    make_setup,
    make_task,
    varied_facts,
    varied_pools,
)
from tiergate.testing.stores import StoreContract  # noqa: E402
from tiergate.testing.targets import TargetContract  # noqa: E402
from tiergate.testing.workloads import WorkloadContract  # noqa: E402

__all__ = [
    "AWKWARD_TEXTS",
    "CacheContract",
    "DecisionRuleContract",
    "EvidenceCheckContract",
    "ExporterContract",
    "ImporterContract",
    "MatcherContract",
    "OperationContract",
    "PoolContract",
    "ProfilerContract",
    "RouterContract",
    "StoreContract",
    "TargetContract",
    "WorkloadContract",
    "make_evidence",
    "make_facts",
    "make_inquiry",
    "make_match",
    "make_plan",
    "make_pool",
    "make_question",
    "make_ref",
    "make_session",
    "make_setup",
    "make_task",
    "varied_facts",
    "varied_pools",
    "varied_questions",
]
