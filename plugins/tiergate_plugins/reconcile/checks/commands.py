"""The check that a command exits with 0. It runs only where a person has allowed commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from tiergate.evidence import Found, Root
from tiergate.hooks import EvidenceCheckDeclaration, hookimpl
from tiergate_plugins.reconcile.checks.looking import read_options


class CommandOptions(msgspec.Struct, forbid_unknown_fields=True):
    """`command`: words as a shell would part them, but no shell; `timeout_s`: after which it is ended."""

    command: str
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 60.0


def command(options: dict[str, Any], root: Root) -> list[Found]:
    """Whether a command exits with 0."""
    asked = read_options(options, CommandOptions)
    code, said = root.run(asked.command, asked.timeout_s)
    last = said.splitlines()[-1] if said else ""
    message = f"{asked.command!r} exits with {code}" + (f": {last}" if last and code else "")
    return [Found(asked.command, "holds" if code == 0 else "fails", message, "tree")]


@hookimpl
def tiergate_evidence_checks() -> Iterator[EvidenceCheckDeclaration]:
    """The check ``command``."""
    yield EvidenceCheckDeclaration(
        name="command",
        summary="a command exits with 0 (only with --allow-commands)",
        check=command,
        options={
            "command": "words as a shell would part them; no shell takes part",
            "timeout_s": "seconds after which it is ended (60)",
        },
        is_command=True,
    )
