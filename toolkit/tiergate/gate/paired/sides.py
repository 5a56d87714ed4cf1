"""From what the user names to two sides that can be started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tiergate.environment import git_commit
from tiergate.errors import UsageError
from tiergate.gate.paired.cache import cache_folder
from tiergate.gate.paired.environments import own_environment, shared_environment
from tiergate.gate.paired.generation import Collected
from tiergate.gate.paired.pairing import refuse_mixed_up
from tiergate.gate.paired.processes import SidePlan
from tiergate.gate.paired.trees import Tree, base_tree, folder_tree
from tiergate.record import SideName


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says.

    Attributes:
        base: a git reference or a folder.
        new: a folder.
        paths: of benchmarks, within the trees.
        python: interpreter for both sides; None gives each an environment of its own.
        install: arguments of ``pip install`` for those.
        sources: folders of the trees that hold packages, where they are not installed.
        pytest_arguments: further options of pytest.
    """

    base: str
    new: Path
    paths: Sequence[str]
    python: Path | None
    install: Sequence[str]
    sources: Sequence[str]
    pytest_arguments: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sides:
    """Both trees, and how to run each."""

    base: Tree
    new: Tree
    plans: tuple[SidePlan, SidePlan]

    def check(self, base: Collected, new: Collected) -> None:
        """Refuse a side that runs the code of the other.

        Raises:
            UsageError: one does.
        """
        refuse_mixed_up("base", base, self.base, self.new)
        refuse_mixed_up("new", new, self.new, self.base)


def prepare(wanted: Wanted, progress: Callable[[str], None]) -> Sides:
    """Check out, install, and say how to start both sides.

    Raises:
        UsageError: a tree is not there, has no such path, or does not install.
    """
    cache = cache_folder()
    new = folder_tree(wanted.new)
    base = base_tree(wanted.base, new.root, cache)
    for side, tree in (("base", base), ("new", new)):
        for path in wanted.paths:
            if not (tree.root / path.partition("::")[0]).exists():
                raise UsageError(
                    f"the {side} side has no {path}", where=tree.label, hint="paths are relative to each tree"
                )
    plans = (_plan("base", base, wanted, cache, progress), _plan("new", new, wanted, cache, progress))
    return Sides(base, Tree(new.label, new.root, git_commit(new.root)), plans)


def _plan(
    side: SideName, tree: Tree, wanted: Wanted, cache: Path, progress: Callable[[str], None]
) -> SidePlan:
    if wanted.python is not None:
        environment = shared_environment(tree, wanted.python, wanted.sources)
    else:
        environment = own_environment(tree, wanted.install, cache, progress)
    return SidePlan(
        name=side,
        label=tree.label,
        root=tree.root,
        python=environment.python,
        pytest_arguments=[*wanted.paths, *wanted.pytest_arguments],
        environ=environment.environ,
        bytecode=cache / "bytecode" / sha256(str(tree.root).encode()).hexdigest()[:20],
    )
