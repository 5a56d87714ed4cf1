"""``tiergate top``: a running server at a glance, looked at again and again."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import click

from tiergate.cli import State
from tiergate.cli.output import output_width, write_json
from tiergate.errors import EXIT_OK, TiergateError

if TYPE_CHECKING:
    from rich.console import Console

    from tiergate.cli.top_source import Source

DEFAULT_URL = "http://127.0.0.1:8765"
PIPED_WIDTH = 100
"""Characters in a line where nothing limits them."""


@click.command(short_help="Watch a running server: tiers, queues, rates, latencies, events.")
@click.argument("url", default=DEFAULT_URL, metavar="[URL]")
@click.option("--once", is_flag=True, help="Show it once; so it is where standard output is no terminal.")
@click.option("--json", "as_json", is_flag=True, help="Write the status as JSON, once.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to look.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The file with the bearer token that the server demands.",
)
@click.pass_obj
def command(_state: State, url: str, once: bool, as_json: bool, every: float, token_file: Path | None) -> int:
    """Show how the server at URL is, such as http://127.0.0.1:8765, until Ctrl-C.

    Rates and times are of the last minute. The server is one that was started with `tiergate serve --http`.
    """
    from tiergate.cli.top_source import Source

    source = Source(url, token_file)
    status = source.status()
    if as_json:
        write_json(status)
        return EXIT_OK
    console = _console()
    if once or not console.is_terminal:
        from tiergate.cli.top_view import view

        console.print(view(status, console.width))
        return EXIT_OK
    with suppress(KeyboardInterrupt):  # this is how one leaves it
        _watch(source, console, every)
    return EXIT_OK


def _console() -> Console:
    from rich.console import Console  # `--json` must not pay for it

    # The width of a terminal may change, so rich asks for it; a pipe it would take to be 80 wide.
    width = None if sys.stdout.isatty() else output_width() or PIPED_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False)


def _watch(source: Source, console: Console, every: float) -> None:
    """Look until interrupted. A server that is gone for a while is waited for."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from tiergate.cli.top_view import view

    shown = view(source.status(), console.width, console.height)
    with Live(shown, console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            sleep(every)
            try:
                shown = view(source.status(), console.width, console.height)
                live.update(shown, refresh=True)
            except TiergateError as error:
                live.update(Group(Text(str(error), style="bold red"), shown), refresh=True)
