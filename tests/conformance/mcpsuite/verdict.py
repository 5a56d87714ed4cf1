"""What the results of the suite amount to, beside the list of what does not apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec
import yaml

# Every scenario has it, whatever it could try: alone it shows nothing about the scenario.
WIRE_CHECK = "wire-schema-valid"


class ListError(Exception):
    """The list of what does not apply is wrong in itself; the message is one line."""


class Check(msgspec.Struct, frozen=True, rename="camel"):
    """One check of a scenario, as the suite writes it."""

    id: str
    status: str
    error_message: str | None = None


class Exemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Scenarios that do not apply.

    Attributes:
        why: the reason.
        scenarios: names; ``scenario:check`` exempts a single check.
        revisions: of the protocol; all where it is empty.
    """

    why: str
    scenarios: list[str]
    revisions: list[str] = []


class Outcome(StrEnum):
    """What became of a scenario."""

    PASSED = "passed"
    EXEMPT = "exempt"
    FAILED = "failed"


class Judgement(msgspec.Struct, frozen=True):
    """One scenario in one revision.

    Attributes:
        passed: how many different checks succeeded.
        faults: one line each; with any of them it failed.
        reasons: numbers of the exemptions that hold for it, from 1.
        whole: whether they exempt all of it, and not single checks.
    """

    revision: str
    scenario: str
    passed: int
    faults: tuple[str, ...] = ()
    reasons: tuple[int, ...] = ()
    whole: bool = False

    @property
    def outcome(self) -> Outcome:
        """A fault outweighs an exemption."""
        if self.faults:
            return Outcome.FAILED
        return Outcome.EXEMPT if self.whole else Outcome.PASSED


def read_exemptions(path: Path) -> list[Exemption]:
    """The list of what does not apply.

    Raises:
        ListError: it cannot be read, or gives no reason, or names something twice.
    """
    try:
        found = msgspec.convert(yaml.safe_load(path.read_text()), list[Exemption])
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ListError(f"{path.name}: {' '.join(str(error).split())}") from None
    seen: set[tuple[str, str]] = set()
    for exemption in found:
        if not exemption.why.strip():
            raise ListError(f"{path.name}: {', '.join(exemption.scenarios)} has no reason")
        for named in exemption.scenarios:
            for revision in exemption.revisions or [""]:
                if {(named, revision), (named, "")} & seen:
                    raise ListError(f"{path.name}: {named} is named twice")
                seen.add((named, revision))
    return found


def judge(
    expected: Mapping[str, Sequence[str]],
    results: Mapping[tuple[str, str], Sequence[Check]],
    exemptions: Sequence[Exemption],
) -> list[Judgement]:
    """Judge every scenario that the suite has.

    Args:
        expected: the scenarios of each revision.
        results: the checks of each (revision, scenario) that ran.

    Raises:
        ListError: an exemption names what the suite does not have.
    """
    _refuse_unknown(expected, exemptions)
    return [
        _judged(revision, scenario, results.get((revision, scenario)), _held(exemptions, revision, scenario))
        for revision, scenarios in expected.items()
        for scenario in scenarios
    ]


def _refuse_unknown(expected: Mapping[str, Sequence[str]], exemptions: Iterable[Exemption]) -> None:
    for exemption in exemptions:
        unknown = set(exemption.revisions) - set(expected)
        if unknown:
            raise ListError(f"an exemption is for the revision {min(unknown)}, which the suite does not have")
        for named in exemption.scenarios:
            for revision in exemption.revisions or [""]:
                within = [revision] if revision else list(expected)
                if not any(named.partition(":")[0] in expected[one] for one in within):
                    raise ListError(
                        f"an exemption names {named}, which the suite does not have {revision}".rstrip()
                    )


def _held(exemptions: Sequence[Exemption], revision: str, scenario: str) -> dict[str, int]:
    """The checks that are exempt, each with the number of its reason; an empty name is the whole scenario."""
    held = {}
    for number, exemption in enumerate(exemptions, 1):
        if exemption.revisions and revision not in exemption.revisions:
            continue
        for named in exemption.scenarios:
            name, _, check = named.partition(":")
            if name == scenario:
                held[check] = number
    return held


def _judged(
    revision: str, scenario: str, checks: Sequence[Check] | None, held: Mapping[str, int]
) -> Judgement:
    if not checks:
        return Judgement(revision, scenario, 0, ("did not run",))
    bad = {
        check.id: check.error_message or check.status
        for check in checks
        if check.status in {"FAILURE", "WARNING"}
    }
    good = {check.id for check in checks if check.status == "SUCCESS"} - set(bad)
    failing = [f"{name}: {' '.join(said.split())}" for name, said in bad.items()]
    if not good - {WIRE_CHECK} and not failing:
        failing = ["nothing of it could be tried"]
    if "" in held:
        faults = _of_the_whole(failing, held)
    else:
        faults = [line for line in failing if line.partition(":")[0] not in held]
        faults += [f"{name} passes: take it off the list" for name in held if name in good]
        faults += [
            f"{name} is on the list but is no check of it" for name in held if name not in good | set(bad)
        ]
    reasons = tuple(sorted(set(held.values())))
    return Judgement(revision, scenario, len(good), tuple(faults), reasons, "" in held)


def _of_the_whole(failing: Sequence[str], held: Mapping[str, int]) -> list[str]:
    if len(held) > 1:
        return ["is on the list as a whole and by single checks: keep one of them"]
    return [] if failing else ["passes: take it off the list"]
