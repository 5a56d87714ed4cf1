"""The contract suite for decision rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tiergate.deciding import SET_FIELDS, Inquiry, Question, Ruling, folded
from tiergate.hooks import DecisionRuleDeclaration
from tiergate.model import Status
from tiergate.testing.inquiries import make_inquiry, varied_questions


class DecisionRuleContract:
    """Every promise of `tiergate.deciding.Rule`, tested against one rule.

    Subclass it, and override the fixture ``declaration``::

        class TestMyRule(DecisionRuleContract):
            @pytest.fixture
            def declaration(self) -> DecisionRuleDeclaration:
                return MY_RULE
    """

    QUESTIONS = 300

    @pytest.fixture
    def declaration(self) -> DecisionRuleDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the DecisionRuleDeclaration to test")

    @pytest.fixture
    def asked(self) -> Sequence[tuple[Question, Inquiry]]:
        """What the rule is asked. Override it when yours has something else to be tested with."""
        return varied_questions(seed=11, count=self.QUESTIONS)

    def test_every_ruling_has_a_reason_in_one_line(
        self, declaration: DecisionRuleDeclaration, asked: Sequence[tuple[Question, Inquiry]]
    ) -> None:
        for question, inquiry in asked:
            ruling = declaration.rule(question, inquiry)
            assert isinstance(ruling, Ruling), "Rule: settles a question or passes it on, as a Ruling"
            assert ruling.reason.strip(), f"Ruling.reason: always given; there is none for {question}"
            assert "\n" not in ruling.reason, f"Ruling.reason: one line; {ruling.reason!r}"

    def test_what_it_decides_is_a_value_of_the_field(
        self, declaration: DecisionRuleDeclaration, asked: Sequence[tuple[Question, Inquiry]]
    ) -> None:
        for question, inquiry in asked:
            ruling = declaration.rule(question, inquiry)
            if ruling.decided:
                assert _fits(question.field, ruling.value), (
                    f"Ruling.value: a value of {question.field!r}, as JSON has it; {ruling.value!r} is none"
                )

    def test_the_same_question_has_the_same_ruling(
        self, declaration: DecisionRuleDeclaration, asked: Sequence[tuple[Question, Inquiry]]
    ) -> None:
        for question, inquiry in asked:
            first, again = declaration.rule(question, inquiry), declaration.rule(question, inquiry)
            assert first == again, "Rule: never guesses; the same question was ruled on in two ways"

    def test_no_side_comes_first(
        self, declaration: DecisionRuleDeclaration, asked: Sequence[tuple[Question, Inquiry]]
    ) -> None:
        for question, inquiry in asked:
            turned = msgspec.structs.replace(question, options=tuple(reversed(question.options)))
            one, other = declaration.rule(question, inquiry), declaration.rule(turned, inquiry)
            assert one.decided == other.decided, f"Rule: the order of the options changes nothing; {question}"
            assert folded(question.field, one.value) == folded(question.field, other.value), (
                f"Rule: the order of the options changes nothing; {question}"
            )

    def test_it_is_asked_where_nothing_is_known(
        self, declaration: DecisionRuleDeclaration, asked: Sequence[tuple[Question, Inquiry]]
    ) -> None:
        for question, _ in asked:
            ruling = declaration.rule(question, make_inquiry())
            assert ruling.reason, (
                "Ruling.reason: always given, also where the inquiry has nothing but a moment"
            )


def _fits(name: str, value: Any) -> bool:
    if name == "status":
        return value in set(Status)
    if name in SET_FIELDS:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, float | int if name == "weight" else str)
