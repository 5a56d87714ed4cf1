"""``tiergate mcp config``: what to write into an agent's configuration so that it starts the server."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiergate.cli import Group, State
from tiergate.cli.choices import NamedChoice
from tiergate.cli.output import write_json
from tiergate.errors import UsageError

if TYPE_CHECKING:
    from tiergate.store import StoreAddress

TOKEN_VARIABLE = "TIERGATE_TOKEN"
"""The variable that snippets take the bearer token from; the token itself is in none of them."""


@dataclass(frozen=True, slots=True)
class Client:
    """How a client wants to be told of a server.

    Attributes:
        file: where its configuration is.
        key: under which the servers stand.
        names_type: whether each server says how it is reached.
        token: how the file refers to the variable of the token; None where it cannot reach servers over HTTP.
    """

    file: str
    key: str = "mcpServers"
    names_type: bool = False
    token: str | None = f"${{env:{TOKEN_VARIABLE}}}"


CLIENTS = {
    "claude-code": Client(".mcp.json in the project", names_type=True, token=f"${{{TOKEN_VARIABLE}}}"),
    "claude-desktop": Client("claude_desktop_config.json (Settings, Developer, Edit Config)", token=None),
    "cursor": Client("~/.cursor/mcp.json, or .cursor/mcp.json in the project"),
    "vscode": Client(".vscode/mcp.json in the workspace", key="servers", names_type=True),
    "windsurf": Client("~/.codeium/windsurf/mcp_config.json"),
    "zed": Client("settings.json of Zed", key="context_servers", token=None),
}


@click.group(cls=Group, short_help="Set up agents that use the server.")
def command() -> None:
    """Set up agents that use the server."""


@command.command("config", short_help="Print the snippet for an agent's configuration.")
@click.option(
    "--client",
    type=NamedChoice("client", sorted(CLIENTS)),
    default="claude-code",
    show_default=True,
    metavar="NAME",
    help=f"Who is to use it: {', '.join(sorted(CLIENTS))}.",
)
@click.option("--store", metavar="URL", help="The store to serve, such as sqlite:work.db.")
@click.option("--name", default="tiergate", show_default=True, help="What the client is to call the server.")
@click.option("--url", metavar="URL", help="Use a server that runs at this address instead of starting one.")
@click.option("--token", is_flag=True, help=f"With --url: send the bearer token in {TOKEN_VARIABLE}.")
@click.pass_obj
def config(state: State, client: str, store: str | None, name: str, url: str | None, token: bool) -> None:
    """Print the JSON that makes a client start the server, or use one that runs."""
    wanted = CLIENTS[client]
    if token and url is None:
        raise UsageError("--token needs --url", hint="a server that the client starts has no other client")
    if url is not None:
        server = _remote(client, wanted, url, with_token=token)
    else:
        server = _local(wanted, served_address(state, state.config({"store": store}).config.store))
    write_json({wanted.key: {name: server}})
    if not state.quiet:
        print(f"tiergate: put this into {wanted.file}", file=sys.stderr)


def served_address(state: State, text: str) -> StoreAddress:
    """The address of a store that is to be served; its path no longer depends on the folder.

    Raises:
        UsageError: it is none, or has no path.
    """
    address = state.store_address(text)
    if not address.path:
        raise UsageError(
            "there is no store to serve",
            hint="give --store sqlite:work.db, or set store in tiergate.toml or TIERGATE_STORE",
        )
    if address.scheme == "store":
        return address
    return replace(address, path=str(Path(address.path).absolute()))


def _local(client: Client, store: StoreAddress) -> dict[str, Any]:
    # -P: clients start servers in the folder of a project, whose modules must not shadow what is imported.
    words = ["-P", "-m", "tiergate", "serve", "--store", str(store)]
    named = {"type": "stdio"} if client.names_type else {}
    return {**named, "command": sys.executable, "args": words}


def _remote(name: str, client: Client, url: str, *, with_token: bool) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is no URL", where="--url", hint="write http://127.0.0.1:8765/mcp")
    if client.token is None:
        raise UsageError(f"{name} reaches no server over HTTP from its configuration", hint="leave --url out")
    server: dict[str, Any] = {**({"type": "http"} if client.names_type else {}), "url": url}
    if with_token:
        server["headers"] = {"Authorization": f"Bearer {client.token}"}
    return server
