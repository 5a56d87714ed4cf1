"""Recording a trace: requests as they come, each with the moment at which it came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tiergate.errors import TiergateError
from tiergate.hooks import OperationDeclaration
from tiergate.load.trace import Trace, make_trace
from tiergate.load.trace_file import check_request
from tiergate.operation import Request


class Asked(msgspec.Struct, frozen=True):
    """A request as it is written to a command target; other fields, such as its id, are passed over."""

    op: str
    session: str | None = None
    args: dict[str, Any] = {}
    key: str | None = None


class TraceRecording:
    """Collects requests.

    Args:
        operations: what a request may call; None for whatever a target offers.

    Attributes:
        refused: how many lines were no request that could be replayed.
        first_refusal: what was wrong with the first of them, and where; empty while there is none.
    """

    def __init__(self, operations: Sequence[OperationDeclaration] | None) -> None:
        self._operations = None if operations is None else {one.name: one for one in operations}
        self._decoder = msgspec.json.Decoder(Asked)
        self._requests: list[Request] = []
        self._times: list[float] = []
        self._lines = 0
        self.refused = 0
        self.first_refusal = ""

    def __len__(self) -> int:
        return len(self._requests)

    def line(self, text: bytes, at_s: float) -> None:
        """Note a line that came at a moment, in seconds of any clock that does not go back."""
        self._lines += 1
        try:
            asked = self._decoder.decode(text)
            request = Request(len(self._requests), asked.op, asked.session, asked.args, asked.key)
            if self._operations is not None:
                check_request(request, self._operations, f"line {self._lines}")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._refuse(f"line {self._lines}: not a request: {error}")
        except TiergateError as error:
            self._refuse(str(error))
        else:
            self._requests.append(request)
            self._times.append(at_s)

    def _refuse(self, why: str) -> None:
        self.refused += 1
        self.first_refusal = self.first_refusal or why

    def trace(self, workload: str, seed: int) -> Trace:
        """What was recorded, from the first request on.

        Args:
            workload: what makes the training trace when it is replayed.
            seed: likewise.
        """
        began = self._times[0] if self._times else 0.0
        return make_trace(workload, seed, self._requests, [at_s - began for at_s in self._times])
