"""The contract suite: the rules that ship and the documented example keep it, and broken rules do not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tiergate.deciding import Inquiry, Question, Ruling
from tiergate.hooks import DecisionRuleDeclaration
from tiergate.testing import DecisionRuleContract, make_inquiry, make_question, varied_questions
from tiergate_plugins.reconcile.rules import evidence, most_advanced, newest, three_way

PAGE = (
    Path(__file__).resolve().parents[3] / "docs" / "reference" / "hooks" / "tiergate_decision_rules.md"
).read_text("utf-8")
EXAMPLE, SUITE = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SHIPPED = [
    one for module in (evidence, three_way, most_advanced, newest) for one in module.tiergate_decision_rules()
]


def example() -> dict[str, Any]:
    """The names that the page's example defines, and then its suite."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(EXAMPLE + SUITE.replace("from __future__ import annotations", ""), names)
    return names


class TestShipped(DecisionRuleContract):
    @pytest.fixture(params=SHIPPED, ids=lambda one: one.name)
    def declaration(self, request: pytest.FixtureRequest) -> DecisionRuleDeclaration:
        found: DecisionRuleDeclaration = request.param
        return found


class TestExample(DecisionRuleContract):
    @pytest.fixture
    def declaration(self) -> DecisionRuleDeclaration:
        [found] = example()["tiergate_decision_rules"]()
        assert isinstance(found, DecisionRuleDeclaration)
        return found


def test_the_suite_of_the_page_is_one() -> None:
    assert issubclass(example()["TestTrusted"], DecisionRuleContract)


def test_the_ranks_are_those_of_the_pages() -> None:
    assert [(one.name, one.rank) for one in SHIPPED] == [
        ("evidence", 100),
        ("three-way", 200),
        ("most-advanced", 300),
        ("newest", 400),
    ]


def test_the_example_trusts_one_source_in_wordings() -> None:
    [declared] = example()["tiergate_decision_rules"]()
    question = make_question("title", ("a", "b"))
    assert not declared.rule(question, make_inquiry()).decided
    [one, other] = question.options
    trusted = type(one)(task=type(one.task)("docs/roadmap.md", "s", "t"), value="c")
    ruling = declared.rule(Question(id="", field="title", options=(one, other, trusted)), make_inquiry())
    assert (ruling.decided, ruling.value) == (True, "c")
    assert not declared.rule(Question(id="", field="status", options=(trusted,)), make_inquiry()).decided


def silent(question: Question, inquiry: Inquiry) -> Ruling:
    return Ruling(reason=" ")


def first(question: Question, inquiry: Inquiry) -> Ruling:
    return Ruling(decided=True, value=question.options[0].value, reason="the first one")


def inventive(question: Question, inquiry: Inquiry) -> Ruling:
    return Ruling(decided=True, value={"no": "value"}, reason="because")


@pytest.mark.parametrize(
    ("rule", "test", "words"),
    [
        (silent, "test_every_ruling_has_a_reason_in_one_line", "Ruling.reason: always given"),
        (first, "test_no_side_comes_first", "the order of the options changes nothing"),
        (inventive, "test_what_it_decides_is_a_value_of_the_field", "Ruling.value: a value of"),
    ],
)
def test_a_broken_rule_is_told_what_it_breaks(rule: Any, test: str, words: str) -> None:
    declared = DecisionRuleDeclaration(name="broken", summary="", rank=1, rule=rule)
    with pytest.raises(AssertionError, match=words):
        getattr(DecisionRuleContract(), test)(declared, varied_questions(seed=1, count=100))


def test_the_same_seed_gives_the_same_questions() -> None:
    assert varied_questions(3, 50) == varied_questions(3, 50) != varied_questions(4, 50)
