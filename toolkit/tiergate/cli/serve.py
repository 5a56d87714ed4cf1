"""``tiergate serve``: sessions, balancing and plans as an MCP server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiergate.cli import State
from tiergate.errors import EXIT_INTERRUPTED, EXIT_OK, UsageError, unknown_name

if TYPE_CHECKING:
    from tiergate.config import Config
    from tiergate.coordinator.assembly import ServePlan
    from tiergate.coordinator.http import HttpPlan
    from tiergate.plugins import PluginHost


@click.command(short_help="Serve sessions, balancing and plans to agents (MCP).")
@click.option("--store", metavar="URL", help="The store to serve, such as sqlite:work.db.")
@click.option("--http", metavar="HOST:PORT", help="Serve over HTTP at /mcp, not standard input and output.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Only answer HTTP requests that bear the token in that file.",
)
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which HTTP clients may address the server; may be repeated.",
)
@click.option("--router", metavar="NAME", help="Picks tier and worker of each request (default: learned).")
@click.option("--tier", "tiers", multiple=True, metavar="NAME=N", help="Workers of a tier; may be repeated.")
@click.option(
    "--queue-limit",
    type=click.IntRange(min=1),
    default=1_000,
    show_default=True,
    metavar="N",
    help="Requests that may wait; long ones are turned away first, before that.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: a line of JSON on standard error for each call and each event, beside the lines of text.",
)
@click.pass_obj
def command(
    state: State,
    store: str | None,
    http: str | None,
    token_file: Path | None,
    allowed_hosts: tuple[str, ...],
    router: str | None,
    tiers: tuple[str, ...],
    queue_limit: int,
    log_format: str,
) -> int:
    """Serve the sessions of a store through the Model Context Protocol.

    Over standard input and output, as clients on this machine start it, unless --http is given. SIGTERM lets
    the calls that are under way finish; a second signal ends them. With --debug, asyncio tells of callbacks
    that hold up the loop and of coroutines that nobody awaits.
    """
    from tiergate.plugins import require_well

    settings = state.config({"store": store, "tiers": dict(map(_tier, tiers)) or None}).config
    host = state.host()
    require_well(host)
    _require_extra()
    _require_http(http, token_file, allowed_hosts)
    plan = _plan(state, settings, router, queue_limit)
    served = None if http is None else _http_plan(http, token_file, allowed_hosts)
    return _run(plan, host, served, state, logs=log_format == "json")


def _run(plan: ServePlan, host: PluginHost, http: HttpPlan | None, state: State, *, logs: bool) -> int:
    import asyncio
    import signal

    from tiergate.coordinator.observing import observed
    from tiergate.coordinator.serving import serve_http, serve_stdio
    from tiergate.coordinator.telling import logged, traced_by_environment
    from tiergate.loops import new_event_loop

    extensions = [observed(plan), traced_by_environment, *([logged] if logs else [])]

    def say(line: str) -> None:
        if not state.quiet:
            print(f"tiergate: {line}", file=sys.stderr, flush=True)

    with asyncio.Runner(loop_factory=new_event_loop, debug=state.debug) as runner:
        if http is None:
            came = runner.run(serve_stdio(plan, host, say, extensions))
        else:
            came = runner.run(serve_http(plan, http, host, say, extensions))
    return EXIT_INTERRUPTED if came is signal.SIGINT else EXIT_OK


def _plan(state: State, settings: Config, router: str | None, queue_limit: int) -> ServePlan:
    from tiergate.cli.mcp import served_address
    from tiergate.coordinator.assembly import DEFAULT_ROUTER, ServePlan

    return ServePlan(
        store=served_address(state, settings.store),
        pool=settings.pool,
        router=router or DEFAULT_ROUTER,
        tiers={str(tier): workers for tier, workers in settings.tiers.items()},
        deadline_s=settings.deadline_s,
        queue_limit=queue_limit,
    )


def _require_extra() -> None:
    from importlib.util import find_spec

    if find_spec("mcp") is None:
        raise UsageError("serve needs packages that are not installed", hint="pip install 'tiergate[serve]'")


def _tier(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in ("hot", "warm", "cold"):
        raise unknown_name("tier", name, ("hot", "warm", "cold"), where="--tier")
    if not number.isdecimal():
        raise UsageError(f"{text!r} names no number of workers", where="--tier", hint="write hot=2")
    return name, int(number)


def _require_http(http: str | None, token_file: Path | None, allowed_hosts: tuple[str, ...]) -> None:
    given = "--token-file" if token_file is not None else "--allow-host" if allowed_hosts else None
    if http is None and given is not None:
        raise UsageError(f"{given} needs --http", hint="standard input and output have one client only")


def _http_plan(http: str, token_file: Path | None, allowed_hosts: tuple[str, ...]) -> HttpPlan:
    from tiergate.coordinator.http import HttpPlan
    from tiergate.coordinator.listening import HttpAddress, read_token, require_token

    address = HttpAddress.parse(http)
    token = None if token_file is None else read_token(token_file)
    require_token(address, token)
    return HttpPlan(address=address, token=token, allowed_hosts=allowed_hosts)
