"""What every policy is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tiergate.dispatch import Gatekeeper
from tiergate.operation import Failure

Failed = ("OperationCrashed",)
"""Kinds of failure for which the caller is not to blame."""


class Policy(Gatekeeper, Protocol):
    """A gatekeeper that can say what is wrong."""

    def troubles(self) -> Sequence[str]:
        """Why the service is degraded, one sentence each; empty while the policy refuses nothing."""


class Note(Protocol):
    """Keeps what happened; see `tiergate.monitoring.happenings.Happenings.note`."""

    def __call__(self, kind: str, who: str = "", cause: str = "", effect: str = "") -> None: ...


def one_line(failure: Failure | None, error: BaseException | None) -> str:
    """What went wrong."""
    if failure is not None:
        return f"{failure.kind}: {failure.message}"
    return " ".join(f"{type(error).__name__}: {error}".split())
