"""What is known of a request before it runs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tiergate.catalogue import Catalogue
from tiergate.errors import UsageError
from tiergate.hooks import OperationDeclaration
from tiergate.operation import Request, Scope
from tiergate.plugins import PluginHost
from tiergate.store import SessionSize

SIZES = [SessionSize("large", 10, 5000), SessionSize("small", 2, 300), SessionSize("empty", 0, 50)]


@pytest.fixture
def catalogue(host: PluginHost) -> Catalogue:
    return Catalogue(SIZES, host.all(OperationDeclaration))


@pytest.mark.parametrize(
    ("operation", "session", "arguments", "scope", "tasks", "size"),
    [
        ("task_get", "large", {"task": "t1"}, Scope.TASK, 1, 500),
        ("task_get", "empty", {"task": "t1"}, Scope.TASK, 1, 50),
        ("task_get", "nowhere", {"task": "t1"}, Scope.TASK, 0, 0),
        ("critical_path", "small", {}, Scope.SESSION, 2, 300),
        ("tasks_query", None, {}, Scope.STORE, 12, 5350),
        ("search", "small", {"text": "x", "within": "session"}, Scope.SESSION, 2, 300),
        ("search", "small", {"text": "x", "within": "store"}, Scope.STORE, 12, 5350),
    ],
)
def test_scope_and_sizes_of_a_request(
    catalogue: Catalogue,
    operation: str,
    session: str | None,
    arguments: dict[str, Any],
    scope: Scope,
    tasks: int,
    size: int,
) -> None:
    facts = catalogue.facts(Request(4, operation, session, arguments))
    assert (facts.scope, facts.read_tasks, facts.read_bytes) == (scope, tasks, size)
    assert (facts.request, facts.operation, facts.session) == (4, operation, session)
    assert facts.payload_bytes == len(msgspec.json.encode(arguments))


def test_facts_say_whether_an_operation_writes(catalogue: Catalogue) -> None:
    read, written = catalogue.all_facts(
        [Request(0, "task_get", "small", {"task": "t"}), Request(1, "task_update", "small", {"task": "t"})]
    )
    assert not read.writes
    assert written.writes


def test_an_unknown_operation_gets_the_nearest_name(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match=r"unknown operation 'task_gte' \(did you mean 'task_get'\?\)"):
        catalogue.facts(Request(0, "task_gte", "small", {}))


def test_foreign_arguments_are_refused(catalogue: Catalogue) -> None:
    with pytest.raises(msgspec.ValidationError):
        catalogue.facts(Request(0, "task_get", "small", {"tusk": "t"}))
