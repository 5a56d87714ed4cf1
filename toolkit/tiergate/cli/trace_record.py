"""``tiergate trace record``: write the requests that pass by into a trace."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import IO, TYPE_CHECKING

import click

from tiergate.cli.state import State
from tiergate.errors import SourceError, UsageError

if TYPE_CHECKING:
    from tiergate.load.trace_recording import TraceRecording


@click.command()
@click.option(
    "--workload", metavar="WORKLOAD", help="What makes the training trace: name the one most like yours."
)
@click.option("--seed", type=int, metavar="N", help="Of the training trace.")
@click.option(
    "--tools", is_flag=True, help="Each op is the name of a tool; any name and arguments are taken."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    required=True,
    help="Write the trace there, whole or not at all.",
)
@click.pass_obj
def record(state: State, workload: str | None, seed: int | None, tools: bool, output: Path) -> None:
    """Record requests from standard input, and pass them on to standard output.

    One JSON object a line, as a command target reads them: op, session, args. Each gets the time at which
    it came. Ends with the input, or with Ctrl-C; what came until then is written. A line that is no request
    is passed on like all others, and said at the end.

    \b
    Example, between what asks and what answers:
      my-agent | tiergate trace record -o day.jsonl | my-server
    """
    from tiergate.cli.files import replace_file
    from tiergate.hooks import OperationDeclaration, WorkloadDeclaration
    from tiergate.load.trace import TOOLS
    from tiergate.load.trace_recording import TraceRecording

    settings = state.config({"workload": workload, "seed": seed}).config
    host = state.host()
    declared = host.get(WorkloadDeclaration, settings.workload)
    if tools and workload is not None:
        raise UsageError("--workload and --tools exclude each other", hint="nothing of ours makes tool calls")
    recording = TraceRecording(None if tools else host.all(OperationDeclaration))
    with suppress(KeyboardInterrupt):
        _pass_on(recording, sys.stdin.buffer, sys.stdout.buffer)
    if not len(recording):
        raise SourceError(
            recording.first_refusal or "no request came",
            where="standard input",
            hint='write one JSON object a line: {"op": …, "session": …, "args": {…}}',
        )
    if recording.refused:
        state.warn(f"{recording.refused} lines are not in the trace; the first: {recording.first_refusal}")
    replace_file(output, recording.trace(TOOLS if tools else declared.name, settings.seed).encode())
    if not state.quiet:
        print(f"wrote {output}: {len(recording)} requests", file=sys.stderr)


def _pass_on(recording: TraceRecording, lines: IO[bytes], onward: IO[bytes]) -> None:
    """Read to the end. Whoever reads what is passed on may go first; then only the recording goes on."""
    listens = True
    for line in lines:
        recording.line(line, monotonic())
        if listens:
            try:
                onward.write(line)
                onward.flush()
            except BrokenPipeError:
                listens = False
