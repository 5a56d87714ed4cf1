"""The rules that ship, and what decisions make of plans."""

from __future__ import annotations

import pytest

from tiergate.hooks import DecisionRuleDeclaration
from tiergate_plugins.reconcile.rules import evidence, most_advanced, newest, three_way


@pytest.fixture(scope="session")
def rules() -> list[DecisionRuleDeclaration]:
    """The built-in rules, in no particular order."""
    modules = (newest, evidence, most_advanced, three_way)
    return [declared for module in modules for declared in module.tiergate_decision_rules()]
