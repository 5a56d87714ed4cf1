"""One tool call: from its arguments to a request, and from the reply to a result."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import blake2b
from itertools import count
from typing import Any

import msgspec

from tiergate.coordinator.toolbox import AnyTool, OperationTool
from tiergate.dispatch import Dispatcher
from tiergate.errors import TiergateError, unknown_name
from tiergate.operation import Reply

PAGE = 20
"""Rows of a page where the caller names no limit."""

Answer = dict[str, Any]
"""The result of ``tools/call`` as the protocol has it. A model of it would be made, checked and taken apart
again for each call."""

UNSENDABLE = (UnicodeEncodeError, RecursionError)
"""What writing arguments down can raise: JSON has forms for half a character, and for any depth."""

_sorted = msgspec.json.Encoder(order="sorted")


class BadCall(TiergateError):
    """The arguments of a call are not those of the tool."""


class Caller:
    """Has tool calls done by a dispatcher.

    A write without a key of the client's gets a fresh one, so that the pool may repeat it when a worker dies.
    """

    def __init__(self, dispatcher: Dispatcher, tools: Mapping[str, AnyTool]) -> None:
        self.tools = tools
        self._dispatcher = dispatcher
        self._prefix = os.urandom(12).hex()
        self._numbers = count(1)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Call a tool. What the tool refuses is a result that says `isError`, and one line.

        Raises:
            UsageError: there is no such tool.
        """
        found = self.tools.get(name)
        if found is None:
            raise unknown_name("tool", name, self.tools)
        try:
            if not isinstance(found, OperationTool):
                if arguments:
                    raise BadCall(f"{name} takes no arguments")
                return _result(msgspec.to_builtins(found.answer()))
            return _result(await self._operate(found, dict(arguments)))
        except (TiergateError, msgspec.ValidationError) as error:
            return failed(" ".join(str(error).split()))
        except UNSENDABLE as error:
            return failed(str(_unsendable(error)))

    async def operate(self, operation: str, session: str | None, arguments: Mapping[str, Any]) -> Any:
        """The result of an operation that only reads, for what is no tool.

        Raises:
            TiergateError: the operation refused, or the pool did not answer.
        """
        try:
            reply = await self._dispatcher.call(operation, session, arguments)
        except UNSENDABLE as error:
            raise _unsendable(error) from error
        return _require_result(reply)

    async def _operate(self, found: OperationTool, arguments: dict[str, Any]) -> Any:
        text, operation = found.text, found.operation
        session = _session(arguments) if operation.needs_session or text.may_name_session else None
        if session is None and operation.needs_session:
            raise BadCall("argument session is missing", hint="session_list shows the sessions")
        skip = limit = 0
        if text.paged:
            skip, limit = _page(arguments)
            arguments |= {"skip": skip, "limit": limit + 1}
        key = self._key(operation.name, session, arguments) if operation.writes else None
        reply = await self._dispatcher.call(operation.name, session, arguments, key=key)
        result = _require_result(reply)
        if not text.rows:
            return result
        if not text.paged:
            return {text.rows: result}
        more = len(result) > limit
        return {text.rows: result[:limit], "next_cursor": str(skip + limit) if more else None}

    def _key(self, operation: str, session: str | None, arguments: dict[str, Any]) -> str:
        given = arguments.pop("request_key", None)
        if given is None:
            return f"{self._prefix}-{next(self._numbers)}"
        if not isinstance(given, str):
            raise BadCall("argument request_key must be a text")
        # With its arguments: a key that is used for another write by mistake must not swallow that write.
        digest = blake2b(_sorted.encode((given, operation, session, arguments)), digest_size=20)
        return f"client-{digest.hexdigest()}"


def _unsendable(error: BaseException) -> BadCall:
    return BadCall(
        f"the arguments cannot be sent: {error}", hint="text must be valid Unicode, and not lie too deep"
    )


def failed(line: str) -> Answer:
    """The result of a call that failed."""
    return {"content": [{"type": "text", "text": line}], "isError": True, "resultType": "complete"}


def _result(value: Any) -> Answer:
    text = msgspec.json.encode(value).decode()
    answer: Answer = {
        "content": [{"type": "text", "text": text}],
        "isError": False,
        "resultType": "complete",
    }
    if isinstance(value, dict):
        answer["structuredContent"] = value
    return answer


def _require_result(reply: Reply) -> Any:
    if reply.failure is not None:
        raise BadCall(reply.failure.message)
    return reply.result


def _session(arguments: dict[str, Any]) -> str | None:
    session = arguments.pop("session", None)
    if session is not None and (not isinstance(session, str) or not session):
        raise BadCall("argument session must be the id of a session")
    return session


def _page(arguments: dict[str, Any]) -> tuple[int, int]:
    """Where the page begins, and how many rows it may have; both are taken out of the arguments."""
    cursor = arguments.pop("cursor", None)
    limit = arguments.get("limit", PAGE)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise BadCall("argument limit must be a number of at least 1")
    if cursor is None:
        return 0, limit
    if not isinstance(cursor, str) or not cursor.isdecimal() or len(cursor) > 12:
        raise BadCall("argument cursor is none that a page gave", hint="leave it out for the first page")
    return int(cursor), limit
