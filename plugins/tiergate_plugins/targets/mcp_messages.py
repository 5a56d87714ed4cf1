"""Messages of the Model Context Protocol: JSON-RPC requests as bytes, and answers as they are read.

Leaner than the SDK's models, because one process sends thousands a second: the result of a call is checked to
be a result, and only its refusals are looked into.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tiergate.operation import Request
from tiergate_plugins.targets.language import Answer, no_answer
from tiergate_plugins.targets.mcp_names import called

MODERN = "2026-07-28"
"""The version whose requests stand alone: each says its version and its client, and there is no handshake."""

META = "io.modelcontextprotocol/"
CLIENT = {"name": "tiergate-load", "version": "1"}
METHOD_NOT_FOUND = -32601

_LONGEST_WORDS = 200
_ENCODER = msgspec.json.Encoder()


class RpcError(msgspec.Struct, frozen=True):
    """The error of a JSON-RPC answer."""

    code: int
    message: str = ""
    data: Any = None

    def words(self) -> str:
        """Code and message in one line."""
        return f"error {self.code}: {self.message[:_LONGEST_WORDS]}"


class Message(msgspec.Struct, frozen=True):
    """Whatever the server may send: an answer, a request of its own, or a notification."""

    id: int | str | None = None
    method: str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: RpcError | None = None

    @property
    def has_result(self) -> bool:
        """Whether it carries a result."""
        return len(self.result) > 0


class _Called(msgspec.Struct, frozen=True, rename="camel"):
    content: list[dict[str, Any]] = []
    is_error: bool = False
    result_type: str = "complete"


class _Glance(msgspec.Struct, frozen=True, rename="camel"):
    """What tells a result that is well from one that must be looked into."""

    is_error: bool = False
    result_type: str = "complete"


_MESSAGE = msgspec.json.Decoder(Message)
_GLANCE = msgspec.json.Decoder(_Glance)
_CALLED = msgspec.json.Decoder(_Called)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What client and server agreed on before the first call.

    Attributes:
        version: of the protocol.
        tools: their input schemas by name.
    """

    version: str = MODERN
    tools: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def is_modern(self) -> bool:
        """Whether each request stands alone."""
        return self.version == MODERN

    def call(self, request: Request) -> tuple[str, dict[str, Any], bytes]:
        """The call that a request asks for: name of the tool, its arguments, and the whole message."""
        name, arguments = called(request, self.tools)
        params: dict[str, Any] = {"name": name, "arguments": arguments}
        return name, arguments, message(request.id, "tools/call", params, modern=self.is_modern)


def message(number: int | str, method: str, params: dict[str, Any], *, modern: bool) -> bytes:
    """A request, without an end of line."""
    if modern:
        params = {**params, "_meta": _STAMP}
    return _ENCODER.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


_STAMP = {
    f"{META}protocolVersion": MODERN,
    f"{META}clientInfo": CLIENT,
    f"{META}clientCapabilities": {},
}


def notification(method: str, params: dict[str, Any] | None = None) -> bytes:
    """A message that wants no answer, without an end of line."""
    return _ENCODER.encode({"jsonrpc": "2.0", "method": method, "params": params or {}})


def cancelled(number: int) -> bytes:
    """Says that nobody waits for the answer to a request any longer."""
    return notification("notifications/cancelled", {"requestId": number, "reason": "deadline exceeded"})


def read_message(text: bytes) -> Message:
    """A message of the server.

    Raises:
        ValueError: it is none.
    """
    try:
        return _MESSAGE.decode(text)
    except msgspec.DecodeError as error:
        raise no_answer(text, error) from None


def answer_to_server(found: Message) -> bytes:
    """What the server gets that asks something itself: a ping is answered, everything else refused."""
    said: dict[str, Any] = {"jsonrpc": "2.0", "id": found.id}
    if found.method == "ping":
        said["result"] = {}
    else:
        said["error"] = {"code": METHOD_NOT_FOUND, "message": "this client only calls tools"}
    return _ENCODER.encode(said)


def read_answer(found: Message) -> Answer:
    """What an answer to a tool call says.

    A tool that failed is a refusal. An error of the protocol is none: the call was not understood, and the
    answer has a fault.

    Raises:
        ValueError: it carries the id of no call, or is no result of one.
    """
    if not isinstance(found.id, int):
        said = "" if found.error is None else f" ({found.error.words()})"
        raise ValueError(f"answered what was not asked: id {found.id!r}{said}")  # noqa: TRY004
    if found.error is not None:
        return Answer(found.id, fault=found.error.words())
    if not found.has_result:
        raise ValueError(f"answered request {found.id} with neither result nor error")
    try:
        glance = _GLANCE.decode(found.result)
        if not glance.is_error and glance.result_type == "complete":
            return Answer(found.id)
        failed = _CALLED.decode(found.result)
    except msgspec.DecodeError as error:
        raise no_answer(bytes(found.result), error) from None
    if failed.result_type != "complete":
        return Answer(found.id, error=f"wants more: {failed.result_type}", kind="InputRequired")
    words = next((str(part["text"]) for part in failed.content if "text" in part), "the tool failed")
    return Answer(found.id, error=words[:_LONGEST_WORDS], kind="ToolError")
