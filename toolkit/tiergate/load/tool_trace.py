"""A trace of calls of the tools that a target offers, with arguments made from their schemas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tiergate.arrivals import poisson
from tiergate.errors import RunError, UsageError, unknown_name
from tiergate.load.tool_arguments import CannotMake, draw_arguments
from tiergate.load.trace import TOOLS, Trace, make_trace
from tiergate.operation import Request
from tiergate.target import Tool


@dataclass(slots=True)
class Selection:
    """Which tools are called.

    Attributes:
        called: those.
        left_out: the names of the others, each with its reason.
    """

    called: list[Tool] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def select_tools(
    tools: Sequence[Tool], named: Sequence[str], *, writes: bool, destroys: bool, seed: int
) -> Selection:
    """The tools that may be called and can be.

    Args:
        named: only these; empty for all.
        writes: whether those may be called that may change something, but take nothing away.
        destroys: whether every tool may be called.

    Raises:
        UsageError: a name is that of no tool, or no tool is left; says why.
    """
    offered = {tool.name for tool in tools}
    for name in named:
        if name not in offered:
            raise unknown_name("tool", name, offered, where="--tool")
    found = Selection()
    for tool in tools:
        reason = _why_not(tool, named, writes=writes or destroys, destroys=destroys, seed=seed)
        if reason:
            found.left_out[tool.name] = reason
        else:
            found.called.append(tool)
    if not found.called:
        name, reason = next(iter(found.left_out.items()), ("", ""))
        what = f"no tool can be called; {name!r}: {reason}" if name else "the target offers no tool"
        raise UsageError(what, hint="--allow-writes and --allow-destructive let more be called")
    return found


def _why_not(tool: Tool, named: Sequence[str], *, writes: bool, destroys: bool, seed: int) -> str:
    if named and tool.name not in named:
        return "not asked for"
    if tool.destroys and not destroys:
        return "it may take something away, and is not said to only read"
    if tool.writes and not writes:
        return "it may change something"
    try:
        draw_arguments(tool.schema, Random(f"{seed} {tool.name}"))
    except CannotMake as error:
        return error.what
    return ""


def trace_of_tools(tools: Sequence[Tool], seed: int, count: int) -> Trace:
    """A trace of `count` calls at a nominal rate of 100 a second; each tool is as likely as another.

    Raises:
        RunError: arguments of a tool cannot be made.
    """
    random = Random(f"tools {seed}")
    requests = []
    for number in range(count):
        tool = random.choice(tools)
        try:
            arguments = draw_arguments(tool.schema, random)
        except CannotMake as error:
            raise RunError(error.what, where=f"tool {tool.name!r}", hint="name others with --tool") from None
        requests.append(Request(number, tool.name, None, arguments))
    return make_trace(TOOLS, seed, requests, poisson(seed, count))
