"""``tiergate serve``: sessions, balancing and plans as an MCP server."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from tiergate.cli import State
from tiergate.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from tiergate.config import Config
    from tiergate.coordinator.assembly import ServePlan


@click.command(short_help="Serve sessions, balancing and plans to agents (MCP).")
@click.option("--store", metavar="URL", help="The store to serve, such as sqlite:work.db.")
@click.option("--http", metavar="HOST:PORT", help="Serve over HTTP at /mcp, not standard input and output.")
@click.option("--router", metavar="NAME", help="Picks tier and worker of each request (default: learned).")
@click.option("--tier", "tiers", multiple=True, metavar="NAME=N", help="Workers of a tier; may be repeated.")
@click.pass_obj
def command(
    state: State,
    store: str | None,
    http: str | None,
    router: str | None,
    tiers: tuple[str, ...],
) -> None:
    """Serve the sessions of a store through the Model Context Protocol.

    Over standard input and output, as clients on this machine start it, unless --http is given.
    """
    from tiergate.plugins import require_well

    overrides = {"store": store, "tiers": dict(map(_tier, tiers)) or None}
    settings = state.config(overrides).config
    host = state.host()
    require_well(host)
    _require_extra()
    plan = _plan(state, settings, router)
    from tiergate.coordinator.serving import serve_stdio
    from tiergate.loops import new_event_loop

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve_stdio(plan, host, _say))


def _plan(state: State, settings: Config, router: str | None) -> ServePlan:
    from tiergate.coordinator.assembly import DEFAULT_ROUTER, ServePlan

    return ServePlan(
        store=state.store_address(settings.store),
        pool=settings.pool,
        router=router or DEFAULT_ROUTER,
        tiers={str(tier): workers for tier, workers in settings.tiers.items()},
        deadline_s=settings.deadline_s,
    )


def _require_extra() -> None:
    from importlib.util import find_spec

    if find_spec("mcp") is None:
        raise UsageError("serve needs the package mcp", hint="pip install 'tiergate[serve]'")


def _tier(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in ("hot", "warm", "cold"):
        raise unknown_name("tier", name, ("hot", "warm", "cold"), where="--tier")
    if not number.isdecimal():
        raise UsageError(f"{text!r} names no number of workers", where="--tier", hint="write hot=2")
    return name, int(number)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"{text!r} is no address", where="--http", hint="write 127.0.0.1:8765")
    return host.strip("[]") or "127.0.0.1", int(port)


def _say(line: str) -> None:
    print(f"tiergate: {line}", file=sys.stderr, flush=True)
