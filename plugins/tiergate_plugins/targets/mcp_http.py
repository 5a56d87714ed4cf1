"""Any MCP server that speaks streamable HTTP, as a target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tiergate.errors import UsageError
from tiergate.hooks import LoadTargetDeclaration, Requirement, hookimpl
from tiergate.target import Target, TargetSetup, Tool

if TYPE_CHECKING:
    from tiergate_plugins.targets.mcp_posts import McpPosts

CONCURRENCY = 100
MOST_CONCURRENCY = 10_000
_OPTIONS = ("concurrency", "token-file")
_WHERE = "target mcp-http"


def check_mcp_http(setup: TargetSetup) -> None:
    """Find out whether URL and options are right, and the token can be read.

    Raises:
        UsageError: they are not, or it cannot.
    """
    from tiergate_plugins.targets.mcp_post import parse_url

    parse_url(setup.argument, _WHERE)
    unknown = sorted(set(setup.options) - set(_OPTIONS))
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}", where=_WHERE, hint=f"known: {', '.join(_OPTIONS)}")
    _concurrency(setup)
    _token(setup)


def open_mcp_http(setup: TargetSetup) -> Target:
    """The server as a target. It runs already, on a store of its own.

    Raises:
        UsageError: the URL or an option is wrong, or the token cannot be read.
    """
    return _posts(setup)


def list_mcp_http(setup: TargetSetup) -> Sequence[Tool]:
    """Ask the server for its tools.

    Raises:
        UsageError: the URL or an option is wrong.
        RunError: it cannot be reached, or does not answer.
    """
    import asyncio  # listing plugins must not pay for it

    async def ask() -> Sequence[Tool]:
        target = _posts(setup)
        try:
            await target.start()
        finally:
            await target.close()
        return target.tools

    return asyncio.run(ask())


def _posts(setup: TargetSetup) -> McpPosts:
    check_mcp_http(setup)
    from tiergate_plugins.targets.mcp_post import parse_url
    from tiergate_plugins.targets.mcp_posts import McpPosts  # listing plugins must not pay for the SDK

    return McpPosts(parse_url(setup.argument, _WHERE), _concurrency(setup), _token(setup))


def _concurrency(setup: TargetSetup) -> int:
    text = setup.options.get("concurrency", str(CONCURRENCY))
    if not text.isdecimal() or not 1 <= int(text) <= MOST_CONCURRENCY:
        raise UsageError(
            f"concurrency must be a whole number from 1 to {MOST_CONCURRENCY}, not {text!r}", where=_WHERE
        )
    return int(text)


def _token(setup: TargetSetup) -> str | None:
    name = setup.options.get("token-file")
    if name is None:
        return None
    try:
        token = Path(name).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no ASCII text"
        raise UsageError(f"the token cannot be read: {why}", where=name) from None
    if not token or not token.isprintable() or " " in token:
        raise UsageError("it holds no token", where=name, hint="write one word into it")
    return token


@hookimpl
def tiergate_targets() -> Iterator[LoadTargetDeclaration]:
    """The target of this module."""
    yield LoadTargetDeclaration(
        name="mcp-http",
        summary="an MCP server at a URL; each request is a tool call",
        requires=(Requirement(module="mcp", install="tiergate[serve]"),),
        open=open_mcp_http,
        check=check_mcp_http,
        tools=list_mcp_http,
    )
