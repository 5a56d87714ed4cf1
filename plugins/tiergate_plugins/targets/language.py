"""What is written to a process, and how its lines are read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import msgspec

from tiergate.operation import Request

_SHOWN = 80


class Answer(msgspec.Struct, frozen=True):
    """One answer as it is read: a result, or an error in words.

    `service_ms` is how long the process says that it worked; see `CommandProcess` for what holds without it.
    `kind` is what kind of refusal an error is. `fault` says that it is no answer to what was asked, though
    the process can go on.
    """

    id: int
    result: Any = None
    error: str | None = None
    service_ms: float | None = None
    kind: str = "Refused"
    fault: str = ""


class Language(ABC):
    """How one process is spoken to, line by line."""

    @abstractmethod
    def request(self, request: Request) -> bytes:
        """A request as lines, each with its end."""

    @abstractmethod
    def read(self, line: bytes) -> Answer | bytes:
        """An answer, or else the lines to write back at once, often none.

        Raises:
            ValueError: the line is nothing that the process may say.
        """

    async def greet(self, write: Callable[[bytes], None]) -> None:  # noqa: B027
        """What comes before the first request; nothing, unless a language has it otherwise.

        Raises:
            RunError: the process did not answer as it should.
        """

    def cancel(self, request: int) -> bytes:  # noqa: ARG002
        """The lines that say that nobody waits for a request any longer; none unless a language has them."""
        return b""

    def lost(self, why: str) -> None:  # noqa: B027
        """Nothing more will be read; a language that waits for something ends the wait."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request as it is written, the fields of a trace's line and the id."""

    id: int
    op: str
    session: str | None = None
    args: dict[str, Any] = {}
    key: str | None = None


_ENCODER = msgspec.json.Encoder()


def request_line(request: Request) -> bytes:
    """One request as a line."""
    line = Line(request.id, request.operation, request.session, request.arguments, request.key)
    return _ENCODER.encode(line) + b"\n"


class _Said(msgspec.Struct, frozen=True):
    id: int
    result: Any = None
    error: str | None = None
    service_ms: float | None = None


class PlainLines(Language):
    """The language of command targets: the fields of a trace's line, and an answer of a few fields."""

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(_Said)

    def request(self, request: Request) -> bytes:
        """One line."""
        return request_line(request)

    def read(self, line: bytes) -> Answer | bytes:
        """Every line is an answer."""
        try:
            said = self._decoder.decode(line)
        except msgspec.DecodeError as error:
            raise no_answer(line, error) from None
        return Answer(said.id, said.result, said.error, said.service_ms)


def no_answer(line: bytes, why: Exception) -> ValueError:
    """What to raise of a line that is none."""
    shown = line[:_SHOWN].decode(errors="replace")
    return ValueError(f"wrote a line that is no answer: {shown!r} ({why})")
