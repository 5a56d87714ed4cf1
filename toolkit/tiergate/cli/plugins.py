"""``tiergate plugins``: what was found, what became of it, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from tiergate.cli.groups import Group
from tiergate.cli.output import output_width, table, write, write_json
from tiergate.cli.state import State
from tiergate.errors import EXIT_FAILED, EXIT_OK
from tiergate.plugins import PluginHost, PluginInfo

_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Write one JSON document to standard output."
)


@click.group(cls=Group, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the plugins, or check that they are well. Without a command: list."""
    if context.invoked_subcommand is None:
        context.invoke(list_plugins)


@command.command(name="list")
@_json_option
@click.pass_obj
def list_plugins(state: State, as_json: bool = False) -> None:
    """List every plugin with its kind, version, distribution, status and what it declares."""
    host = state.host(warn=False)
    if as_json:
        write_json(_document(host))
        return
    headers = ("NAME", "KIND", "VERSION", "DISTRIBUTION", "STATUS", "DECLARES")
    write(*table(headers, [_row(plugin) for plugin in host.plugins], output_width()))
    below = [*_missing(host), *host.problems(), *host.warnings]
    if below:
        write("", *below)


@command.command()
@_json_option
@click.pass_obj
def check(state: State, as_json: bool) -> int:
    """Name what is wrong with each plugin and what to do. Exits with 1 when anything is."""
    host = state.host(warn=False)
    unwell = [plugin for plugin in host.plugins if plugin.problems]
    if as_json:
        write_json({**_document(host), "ok": not unwell})
    else:
        write(*_findings(unwell), *_missing(host), *host.warnings, _verdict(host, unwell))
    return EXIT_FAILED if unwell else EXIT_OK


@command.command(name="new")
@click.argument("name")
@click.option(
    "--kind", required=True, metavar="KIND", help="What it adds, such as store, router or importer."
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    metavar="DIR",
    help="Make its folder there instead of here.",
)
def new_plugin(name: str, kind: str, into: Path) -> None:
    """Write a complete distribution for a plugin: code that works, typed, with the tests of its kind.

    Example: tiergate plugins new tiergate-redis --kind store
    """
    from tiergate.scaffold.distribution import distribution
    from tiergate.scaffold.writing import write_distribution

    texts = distribution(name, kind)
    folder = write_distribution(into, texts)
    write(
        *(f"wrote {folder / path}" for path in texts),
        "",
        f"next: cd {folder} && pip install -e '.[test]' && pytest",
    )


def _row(plugin: PluginInfo) -> tuple[str, ...]:
    return (
        plugin.name,
        ", ".join(plugin.kinds),
        plugin.version,
        plugin.distribution,
        plugin.status.value,
        _declares(plugin),
    )


def _declares(plugin: PluginInfo) -> str:
    """The names that a plugin declares, with their kind where it declares more than one kind."""
    by_kind = {
        kind: ", ".join(one.declaration.name for one in plugin.declares if one.kind == kind)
        for kind in plugin.kinds
    }
    if len(by_kind) == 1:
        return next(iter(by_kind.values()))
    return "; ".join(f"{kind} {names}" for kind, names in by_kind.items())


def _missing(host: PluginHost) -> Iterator[str]:
    for plugin in host.plugins:
        for one in plugin.declares:
            if one.missing:
                yield f"{one.kind} {one.declaration.name} of {plugin} is unavailable: run `{one.missing}`"


def _findings(unwell: list[PluginInfo]) -> Iterator[str]:
    for plugin in unwell:
        for problem in plugin.problems:
            yield f"{plugin}: {problem.what}"
            yield f"    what to do: {problem.advice}"


def _verdict(host: PluginHost, unwell: list[PluginInfo]) -> str:
    if unwell:
        return f"{len(unwell)} of {len(host.plugins)} plugins have problems."
    return f"{len(host.plugins)} plugins, no problems."


def _document(host: PluginHost) -> dict[str, object]:
    return {
        "schema": "tiergate.plugins/1",
        "plugins": [
            {
                "name": plugin.name,
                "kinds": plugin.kinds,
                "version": plugin.version,
                "distribution": plugin.distribution,
                "reference": plugin.reference,
                "builtin": plugin.builtin,
                "status": plugin.status,
                "declares": [
                    {
                        "kind": one.kind,
                        "name": one.declaration.name,
                        "summary": one.declaration.summary,
                        "missing": one.missing,
                    }
                    for one in plugin.declares
                ],
                "problems": plugin.problems,
            }
            for plugin in host.plugins
        ],
        "warnings": host.warnings,
    }
