"""What comes before the first tool call: which protocol the server speaks, and which tools it has.

A server is first asked by ``server/discover`` whether it speaks the version without a handshake. Whatever is
no sure yes leads to the ``initialize`` handshake of the versions before it, as the protocol advises.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import msgspec

from tiergate.errors import RunError
from tiergate.target import Tool
from tiergate_plugins.targets.mcp_messages import CLIENT, MODERN, Agreed, RpcError

HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""The versions that begin with a handshake, the newest first."""

UNSUPPORTED_VERSION = -32022
PROBE_TIMEOUT_S = 5.0
"""How long a server may take for the first question before the handshake is tried: some old ones do not
answer what comes before it."""

START_TIMEOUT_S = 30.0
MOST_PAGES = 100
"""Of a list of tools; a list that never ends must not hang the run."""


class Refused(Exception):
    """The server answered with an error of the protocol."""

    def __init__(self, error: RpcError) -> None:
        super().__init__(error.words())
        self.error = error


class Line(ABC):
    """A way to ask a server something and wait for its answer."""

    @abstractmethod
    async def ask(
        self, method: str, params: dict[str, Any], *, version: str | None, timeout_s: float
    ) -> bytes:
        """The result, as JSON.

        Args:
            version: of the protocol that was agreed on, or that is tried; None during the handshake.

        Raises:
            Refused: it answered with an error.
            TimeoutError: it did not answer in time.
            RunError: it is gone, or what it says is no answer.
        """

    @abstractmethod
    async def tell(self, method: str, version: str) -> None:
        """Send a notification."""


class _Discovered(msgspec.Struct, rename="camel"):
    supported_versions: list[str]


class _Initialized(msgspec.Struct, rename="camel"):
    protocol_version: str


class _Hints(msgspec.Struct, rename="camel"):
    read_only_hint: bool | None = None
    destructive_hint: bool | None = None


class _Listed(msgspec.Struct, rename="camel"):
    name: str
    input_schema: dict[str, Any]
    annotations: _Hints | None = None


class _Page(msgspec.Struct, rename="camel"):
    tools: list[_Listed]
    next_cursor: str | None = None


async def greet(line: Line, where: str) -> tuple[Agreed, list[Tool]]:
    """Agree with a server on a version, and list its tools.

    Raises:
        RunError: the server speaks no version that is known here, or does not list its tools.
    """
    try:
        version = await _agree(line)
        tools = await _tools(line, version)
    except Refused as refused:
        raise RunError(f"the server refused the beginning: {refused}", where=where) from None
    except TimeoutError:
        raise RunError(f"the server did not answer in {START_TIMEOUT_S:g} s", where=where) from None
    except msgspec.DecodeError as error:
        raise RunError(f"the server does not speak the protocol: {error}", where=where) from None
    return Agreed(version, {tool.name: dict(tool.schema) for tool in tools}), tools


async def _agree(line: Line) -> str:
    """The version of the protocol to speak."""
    try:
        if await _is_modern(line, PROBE_TIMEOUT_S):
            return MODERN
    except Refused as refused:
        _require_handshake(refused)
    except (TimeoutError, msgspec.DecodeError):
        pass  # no sign of the version without a handshake
    try:
        return await _shake_hands(line)
    except Refused as refused:
        # A slow start: the first question was taken after its time, and no handshake may follow it.
        if refused.error.code == UNSUPPORTED_VERSION and await _is_modern(line, START_TIMEOUT_S):
            return MODERN
        raise


async def _is_modern(line: Line, timeout_s: float) -> bool:
    """Whether the server says that it speaks the version without a handshake."""
    found = await line.ask("server/discover", {}, version=MODERN, timeout_s=timeout_s)
    return MODERN in msgspec.json.decode(found, type=_Discovered).supported_versions


async def _shake_hands(line: Line) -> str:
    """The version that the server chooses in a handshake."""
    params = {"protocolVersion": HANDSHAKE[0], "capabilities": {}, "clientInfo": CLIENT}
    begun = await line.ask("initialize", params, version=None, timeout_s=START_TIMEOUT_S)
    version = msgspec.json.decode(begun, type=_Initialized).protocol_version
    if version not in HANDSHAKE:
        raise RunError(
            f"the server speaks protocol version {version!r}",
            hint=f"known here: {', '.join((MODERN, *HANDSHAKE))}",
        )
    await line.tell("notifications/initialized", version)
    return version


def _require_handshake(refused: Refused) -> None:
    """Let a refusal through unless the server says that it knows no version with a handshake either."""
    data = refused.error.data
    supported = data.get("supported") if isinstance(data, dict) else None
    if refused.error.code != UNSUPPORTED_VERSION or not isinstance(supported, list):
        return
    if not any(version in HANDSHAKE for version in supported):
        raise refused


async def _tools(line: Line, version: str) -> list[Tool]:
    """Every tool that the server lists."""
    tools: list[Tool] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        params = {} if cursor is None else {"cursor": cursor}
        found = await line.ask("tools/list", params, version=version, timeout_s=START_TIMEOUT_S)
        page = msgspec.json.decode(found, type=_Page)
        tools += [_tool(listed) for listed in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            return tools
    raise RunError(f"its list of tools does not end after {MOST_PAGES} pages")


def _tool(listed: _Listed) -> Tool:
    """What is not said to only read may write, and what may write may destroy, as the protocol has it."""
    hints = listed.annotations or _Hints()
    reads = hints.read_only_hint is True
    return Tool(
        name=listed.name,
        schema=listed.input_schema,
        writes=not reads,
        destroys=not reads and hints.destructive_hint is not False,
    )
