"""What every gate command can write of its record, and the exit code that follows from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tiergate.cli import State
from tiergate.cli.output import write, write_json
from tiergate.errors import EXIT_BROKE, EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_OK, UsageError

if TYPE_CHECKING:
    from tiergate.record import GateRecord

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)

_OPTIONS = (
    click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write the gate record there."),
    click.option(
        "--json", "as_json", is_flag=True, help="Write the gate record to standard output, and nothing else."
    ),
    click.option("--html", type=_FILE, metavar="FILE", help="Write the report there."),
    click.option("--junit", type=_FILE, metavar="FILE", help="Write JUnit XML there."),
    click.option("--bencher", type=_FILE, metavar="FILE", help="Write Bencher's metric format there."),
    click.option(
        "--action-benchmark",
        metavar="PREFIX",
        help="Write PREFIX-smaller.json and PREFIX-bigger.json for github-action-benchmark.",
    ),
    click.option(
        "--inconclusive",
        type=click.Choice(["fail", "warn", "pass"]),
        help="Exit with 4 (fail), or with 0 and a warning (warn) or without (pass).",
    ),
)

ACCEPTED = Path("tiergate-accepted.toml")
"""Where accepted slowdowns are kept, unless told otherwise."""

accepted_option = click.option(
    "--accepted",
    type=_FILE,
    default=ACCEPTED,
    metavar="FILE",
    show_default=True,
    help="Slowdowns that were accepted (see gate accept).",
)


def output_options(command: _Command) -> _Command:
    """Give a command the options; it gets them as keyword arguments, for `Outputs`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class Outputs:
    """What was asked for of the record.

    Args:
        state: of the command.
        words: the options.

    Raises:
        UsageError: a file cannot be written where it was asked for, or two have one name.
    """

    def __init__(self, state: State, **words: Any) -> None:
        from tiergate.cli.files import require_folder

        self._state, self._words = state, words
        files = [path for path, _ in self._files()]
        for path in files:
            require_folder(path)
        twice = next((path for path in files if files.count(path) > 1), None)
        if twice is not None:
            raise UsageError("two outputs have this name", where=str(twice), hint="name two files")

    def deliver(self, record: GateRecord, lines: Callable[[], list[str]]) -> int:
        """Write whatever was asked for; the exit code.

        Args:
            lines: for a person, unless JSON was asked for.
        """
        from tiergate.cli.files import replace_file

        for path, content in self._files():
            replace_file(path, content(record))
        if self._words["as_json"]:
            write_json(record)
        else:
            write(*lines())
        self._tell_github(record)
        return self._exit_code(record)

    def _files(self) -> Iterator[tuple[Path, Callable[[GateRecord], bytes]]]:
        from tiergate.cli.files import render_html
        from tiergate.gate.outputs.junit import junit
        from tiergate.gate.outputs.series import bencher, bigger_is_better, smaller_is_better
        from tiergate.record import encode_record

        words = self._words
        if words["output"] is not None:
            yield words["output"], encode_record
        if words["html"] is not None:
            yield words["html"], lambda record: render_html(self._state.host(), [record])
        if words["junit"] is not None:
            yield words["junit"], junit
        if words["bencher"] is not None:
            yield words["bencher"], bencher
        if words["action_benchmark"] is not None:
            prefix = words["action_benchmark"]
            yield Path(f"{prefix}-smaller.json"), smaller_is_better
            yield Path(f"{prefix}-bigger.json"), bigger_is_better

    def _tell_github(self, record: GateRecord) -> None:
        """Annotations and the summary of the job, where this is one of GitHub's."""
        if os.environ.get("GITHUB_ACTIONS") != "true":
            return
        from tiergate.gate.outputs.github import summary, workflow_commands

        for line in workflow_commands(record):
            # Standard output may have to be pure JSON; the runner reads both.
            print(line, file=sys.stderr)
        file = os.environ.get("GITHUB_STEP_SUMMARY")
        if file:
            with Path(file).open("a", encoding="utf-8") as stream:
                stream.write(summary(record))

    def _exit_code(self, record: GateRecord) -> int:
        """A slowdown counts more than a benchmark that broke, that more than one that is undecided."""
        if record.verdict == "fail":
            return EXIT_FAILED
        if any(one.problem == "failed" for one in record.unpaired):
            return EXIT_BROKE
        if record.verdict == "pass":
            return EXIT_OK
        wanted = self._state.config({"inconclusive": self._words["inconclusive"]}).config.inconclusive
        if wanted == "fail":
            return EXIT_INCONCLUSIVE
        if wanted == "warn":
            self._state.warn("the gate is inconclusive")
        return EXIT_OK
