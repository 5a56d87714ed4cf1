"""How results of the suite are judged beside the list of what does not apply."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcpsuite.verdict import (
    WIRE_CHECK,
    Check,
    Exemption,
    Judgement,
    ListError,
    Outcome,
    judge,
    read_exemptions,
)

REVISION = "2025-11-25"
WIRE = Check(WIRE_CHECK, "SUCCESS")


def judged(*checks: Check, exempt: list[Exemption] | None = None) -> Judgement:
    """The judgement on one scenario ``s``."""
    (judgement,) = judge({REVISION: ["s"]}, {(REVISION, "s"): list(checks)}, exempt or [])
    return judgement


def test_one_that_succeeds_passes() -> None:
    judgement = judged(Check("a", "SUCCESS"), Check("b", "SKIPPED"), WIRE)
    assert (judgement.outcome, judgement.passed) == (Outcome.PASSED, 2)


@pytest.mark.parametrize("status", ["FAILURE", "WARNING"])
def test_one_that_fails_and_is_not_listed_is_a_fault(status: str) -> None:
    judgement = judged(Check("a", "SUCCESS"), Check("b", status, "went\n wrong"), WIRE)
    assert judgement.outcome is Outcome.FAILED
    assert judgement.faults == ("b: went wrong",)


def test_a_check_that_failed_once_failed() -> None:
    assert judged(Check("a", "SUCCESS"), Check("a", "FAILURE", "x")).faults == ("a: x",)


def test_one_of_which_nothing_could_be_tried_has_not_passed() -> None:
    assert judged(Check("a", "SKIPPED"), Check("b", "INFO"), WIRE).outcome is Outcome.FAILED
    listed = [Exemption("not ours", ["s"])]
    assert judged(Check("a", "SKIPPED"), WIRE, exempt=listed).outcome is Outcome.EXEMPT


def test_one_that_is_listed_and_fails_is_exempt() -> None:
    judgement = judged(Check("a", "FAILURE"), exempt=[Exemption("other", ["s"], ["2025-11-25"])])
    assert (judgement.outcome, judgement.reasons) == (Outcome.EXEMPT, (1,))


def test_one_that_is_listed_and_passes_is_a_fault() -> None:
    assert judged(Check("a", "SUCCESS"), exempt=[Exemption("why", ["s"])]).faults == (
        "passes: take it off the list",
    )


def test_a_single_check_is_exempt_alone() -> None:
    exempt = [Exemption("why", ["s:b"])]
    passed = judged(Check("a", "SUCCESS"), Check("b", "FAILURE"), exempt=exempt)
    assert (passed.outcome, passed.reasons) == (Outcome.PASSED, (1,))
    failed = judged(Check("a", "FAILURE", "x"), Check("b", "FAILURE"), exempt=exempt)
    assert failed.faults == ("a: x",)


@pytest.mark.parametrize(
    ("named", "fault"),
    [("s:a", "a passes: take it off the list"), ("s:z", "z is on the list but is no check of it")],
)
def test_a_single_check_that_passes_or_does_not_exist_is_a_fault(named: str, fault: str) -> None:
    assert judged(Check("a", "SUCCESS"), exempt=[Exemption("why", [named])]).faults == (fault,)


def test_one_listed_both_ways_is_a_fault() -> None:
    judgement = judged(Check("a", "FAILURE"), exempt=[Exemption("why", ["s", "s:a"])])
    assert judgement.outcome is Outcome.FAILED


def test_one_that_did_not_run_is_a_fault_even_where_it_is_listed() -> None:
    for exempt in ([], [Exemption("why", ["s"])]):
        (judgement,) = judge({REVISION: ["s"]}, {}, exempt)
        assert judgement.faults == ("did not run",)


def test_an_exemption_holds_for_its_revisions_only() -> None:
    checks = [Check("a", "FAILURE")]
    old, new = judge(
        {"2025-06-18": ["s"], REVISION: ["s"]},
        {("2025-06-18", "s"): checks, (REVISION, "s"): checks},
        [Exemption("why", ["s"], [REVISION])],
    )
    assert (old.outcome, new.outcome) == (Outcome.FAILED, Outcome.EXEMPT)


@pytest.mark.parametrize(
    "exemption",
    [
        Exemption("why", ["gone"]),
        Exemption("why", ["s"], ["1999-01-01"]),
        Exemption("why", ["t"], [REVISION]),
    ],
)
def test_an_exemption_for_what_the_suite_does_not_have_is_refused(exemption: Exemption) -> None:
    with pytest.raises(ListError, match="does not have"):
        judge({REVISION: ["s"], "2025-06-18": ["t"]}, {}, [exemption])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {why: '', scenarios: [s]}", "s has no reason"),
        ("- {why: a, scenarios: [s]}\n- {why: b, scenarios: [s]}", "s is named twice"),
        ("- {why: a, scenarios: [s], until: b}", "until"),
        ("- {why: a, scenarios: [s], revisions: [2025-11-25]}", "Expected `str`"),
        ("- [", "list.yaml"),
    ],
)
def test_a_list_that_is_wrong_in_itself_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(text)
    with pytest.raises(ListError, match=said) as caught:
        read_exemptions(path)
    assert "\n" not in str(caught.value)


def test_the_list_of_the_project_is_well_formed() -> None:
    exemptions = read_exemptions(Path(__file__).with_name("not-applicable.yaml"))
    assert all(len(exemption.why) > 20 for exemption in exemptions)
