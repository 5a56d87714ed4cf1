"""``tiergate trace make --target``: a trace of the tools that a target offers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiergate.errors import UsageError

if TYPE_CHECKING:
    from tiergate.cli.state import State
    from tiergate.load.tool_trace import Selection
    from tiergate.load.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tools of which target.

    Attributes:
        named: only these; empty for all.
    """

    target: str
    named: Sequence[str]
    writes: bool
    destroys: bool


def make_of_tools(state: State, wanted: Wanted, seed: int, count: int) -> Trace:
    """List the tools of the target, and draw calls of them. Says on standard error what is called, what not.

    Raises:
        UsageError: the target has no tools of its own, or none that may be called.
        RunError: it cannot be asked.
    """
    from tiergate.load.aim import parse_target
    from tiergate.load.tool_trace import select_tools, trace_of_tools
    from tiergate.target import TargetSetup

    aim = parse_target(wanted.target, state.host())
    if aim.declaration.tools is None:
        raise UsageError(
            f"target {aim.declaration.name} defines no operations of its own",
            where=f"--target {wanted.target}",
            hint="name a workload instead",
        )
    aim.check()
    tools = aim.declaration.tools(TargetSetup(argument=aim.argument, options=aim.options))
    selection = select_tools(tools, wanted.named, writes=wanted.writes, destroys=wanted.destroys, seed=seed)
    if not state.quiet:
        for line in _lines(selection):
            print(line, file=sys.stderr)
    return trace_of_tools(selection.called, seed, count)


def _lines(selection: Selection) -> list[str]:
    from tiergate.cli.terminal import visible

    called = ", ".join(visible(tool.name) for tool in selection.called)
    return [
        f"calls {called}",
        *(f"not {visible(name)}: {visible(reason)}" for name, reason in selection.left_out.items()),
    ]
