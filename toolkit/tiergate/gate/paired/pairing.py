"""Which benchmarks both sides have, and what to say of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from tiergate.errors import UsageError
from tiergate.gate.paired.generation import Collected
from tiergate.gate.paired.trees import Tree
from tiergate.record import GateUnpaired, SideName


@dataclass(frozen=True, slots=True)
class Suite:
    """Benchmarks that both sides have, in the order of the new side, and what else there is.

    Attributes:
        pythons: versions of the interpreters, base and new.
    """

    names: Sequence[str]
    unpaired: Sequence[GateUnpaired]
    pythons: tuple[str, str]


def pair_up(base: Collected, new: Collected) -> Suite:
    """Benchmarks by name.

    Raises:
        UsageError: there is nothing to compare.
    """
    for side, found, other in (("base", base, new), ("new", new, base)):
        if not found.benchmarks:
            raise UsageError(
                f"the {side} side has no benchmark", where="gate paired", hint=_why(found, other)
            )
    names = [name for name in new.benchmarks if name in set(base.benchmarks)]
    if not names:
        raise UsageError(
            "no benchmark is on both sides",
            where="gate paired",
            hint=f"base has {base.benchmarks[0]}, new has {new.benchmarks[0]}",
        )
    unpaired = [*_missing(base, new, "new"), *_missing(new, base, "base")]
    return Suite(names, unpaired, (base.python, new.python))


def _why(found: Collected, other: Collected) -> str:
    if found.errors:
        name, detail = next(iter(found.errors.items()))
        return f"{name}: {detail}"
    count = len(other.benchmarks)
    return f"tests that ask for the fixture `benchmark` are compared; the other side has {count}"


def _missing(having: Collected, lacking: Collected, side: SideName) -> list[GateUnpaired]:
    """What one side has and the other lacks, with the name it may have there."""
    candidates = [name for name in lacking.benchmarks if name not in set(having.benchmarks)]
    found = []
    for name in having.benchmarks:
        if name in set(lacking.benchmarks):
            continue
        broken = lacking.errors.get(name.partition("::")[0])
        near = get_close_matches(name, candidates, n=1)
        detail = broken or (f"renamed to {near[0]}?" if near and side == "new" else "")
        found.append(
            GateUnpaired(name=name, side=side, problem="failed" if broken else "missing", detail=detail)
        )
    return found


def refuse_mixed_up(side: SideName, found: Collected, own: Tree, other: Tree) -> None:
    """A side that runs the code of the other one would compare it with itself; installed code is neither's.

    Raises:
        UsageError: it imports from the tree of the other side.
    """
    for path in map(Path, found.modules):
        holders = [tree.root for tree in (own, other) if tree.root in path.parents]
        if "site-packages" in path.parts:
            continue
        # One tree may lie within the other: what both hold is the inner one's.
        if holders and max(holders, key=lambda root: len(root.parts)) != own.root:
            raise UsageError(
                f"the {side} side imports {path.relative_to(other.root)} from the other tree",
                where=own.label,
                hint="let each side be installed into an environment of its own, without --python",
            )
