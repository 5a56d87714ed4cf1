"""Any MCP server that speaks over standard input and output, as a target."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from shutil import which
from typing import TYPE_CHECKING

from tiergate.errors import UsageError
from tiergate.hooks import LoadTargetDeclaration, hookimpl
from tiergate.target import Target, TargetSetup, Tool

if TYPE_CHECKING:
    from tiergate_plugins.targets.copies import Copies
    from tiergate_plugins.targets.mcp_lines import McpLines

MOST_COPIES = 256
_WHERE = "target mcp-stdio"


def _read(setup: TargetSetup) -> tuple[list[str], int]:
    """The words of the command, and how many copies of it.

    Raises:
        UsageError: there is no command, it cannot be split into words, or an option is wrong.
    """
    try:
        words = shlex.split(setup.argument)
    except ValueError as error:
        raise UsageError(f"the command cannot be split into words: {error}", where=_WHERE) from None
    if not words:
        raise UsageError("no command is given", where=_WHERE, hint="write --target 'mcp-stdio:PROGRAM WORDS'")
    unknown = sorted(set(setup.options) - {"copies"})
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}", where=_WHERE, hint="known: copies")
    copies = setup.options.get("copies", "1")
    if not copies.isdecimal() or not 1 <= int(copies) <= MOST_COPIES:
        raise UsageError(
            f"copies must be a whole number from 1 to {MOST_COPIES}, not {copies!r}", where=_WHERE
        )
    return words, int(copies)


def check_mcp_stdio(setup: TargetSetup) -> None:
    """Find out whether the words are right and the program is there.

    Raises:
        UsageError: they are not, or it is not.
    """
    words, _ = _read(setup)
    if which(words[0]) is None:
        raise UsageError(
            f"no such program, or none that may be run: {words[0]!r}",
            where=_WHERE,
            hint="check its name, or give its path",
        )


def open_mcp_stdio(setup: TargetSetup) -> Target:
    """The server as a target, not yet started. ``{store}`` in its command becomes the address of the store.

    Raises:
        UsageError: there is no command, it cannot be split into words, or an option is wrong.
    """
    from tiergate_plugins.targets.mcp_lines import McpLines  # listing plugins must not pay for asyncio

    return _copies(setup, McpLines)


def _copies(setup: TargetSetup, language: Callable[[], McpLines]) -> Copies:
    from tiergate_plugins.targets.copies import Copies

    words, copies = _read(setup)
    return Copies([word.replace("{store}", setup.store) for word in words], copies, setup.store, language)


def list_mcp_stdio(setup: TargetSetup) -> Sequence[Tool]:
    """Start the server, ask it for its tools, and end it.

    Raises:
        UsageError: the argument or an option is wrong.
        RunError: it cannot be started, or does not answer.
    """
    import asyncio  # listing plugins must not pay for it

    from tiergate_plugins.targets.mcp_lines import McpLines

    language = McpLines()

    async def ask() -> None:
        target = _copies(setup, lambda: language)
        try:
            await target.start()
        finally:
            await target.close()

    asyncio.run(ask())
    return language.tools


@hookimpl
def tiergate_targets() -> Iterator[LoadTargetDeclaration]:
    """The target of this module."""
    yield LoadTargetDeclaration(
        name="mcp-stdio",
        summary="an MCP server over standard input and output; each request is a tool call",
        open=open_mcp_stdio,
        check=check_mcp_stdio,
        tools=list_mcp_stdio,
    )
