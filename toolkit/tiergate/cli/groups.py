"""Groups of commands: imported when they are called, and with help for misspelt names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import click


class Group(click.Group):
    """A group that offers the nearest command for an unknown one, and shows its help without any."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words. Without any, show the help and exit as for wrong usage.

        Click's own releases differ in what they do then.
        """
        if not args and not self.invoke_without_command and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names.

        Raises:
            UsageError: there is none.
        """
        name = args[0]
        if not name.startswith("-") and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            from tiergate.errors import unknown_name  # only a mistake pays for it

            raise unknown_name(
                "command", name, self.list_commands(ctx), where=ctx.command_path if ctx.parent else None
            )
        return super().resolve_command(ctx, args)


class DefaultGroup(Group):
    """A group whose own arguments stand where the others have the name of a command.

    What it does with them is its command `DEFAULT`, which is hidden.

    Args:
        usage: its own arguments, for the help.
    """

    DEFAULT = "run"
    _FLAGS = frozenset({"-q", "--quiet", "-v", "--verbose", "--debug"})

    def __init__(self, *arguments: Any, usage: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._usage = usage

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words; without the name of a command they are those of the group itself."""
        words = [word for word in args if word not in self._FLAGS]
        first = next(iter(words), "--help")
        is_command = first == "--help" or first in super().list_commands(ctx)
        if not is_command and not self.is_misspelt(words):
            args = [self.DEFAULT, *args]
        return super().parse_args(ctx, args)

    def is_misspelt(self, words: list[str]) -> bool:  # noqa: ARG002
        """Whether words that name no command were meant to."""
        return False

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, and not of what the group does itself."""
        return [name for name in super().list_commands(ctx) if name != self.DEFAULT]

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Both forms."""
        formatter.write_usage(ctx.command_path, self._usage)
        formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", prefix="   or: ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of what the group does itself, and the commands."""
        self.commands[self.DEFAULT].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


class LazyGroup(Group):
    """The root: its commands live in modules of their own, which ``--help`` does not import.

    Args:
        table: by name of the command, the module whose attribute ``command`` it is, and one line of help.
    """

    def __init__(self, *arguments: Any, table: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command of that name."""
        if cmd_name not in self.table:
            return None
        command: click.Command = import_module(self.table[cmd_name][0]).command
        share_options(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands with the table's help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.table.items()])


def global_options(*, hidden: bool = False) -> Iterator[click.Option]:
    """New copies of the options that every command takes."""
    yield _switch(["-q", "--quiet"], "Say nothing but results and errors.", hidden=hidden)
    yield _switch(["-v", "--verbose"], "Say more.", hidden=hidden)
    yield _switch(["--debug"], "Show the traceback of an error.", hidden=hidden, envvar="TIERGATE_DEBUG")


def share_options(command: click.Command) -> None:
    """Let a command and its subcommands take the global options too, but not in place of their own."""
    taken = {word for parameter in command.params for word in parameter.opts}
    for option in global_options(hidden=True):
        if taken.isdisjoint(option.opts):
            command.params.append(option)
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            share_options(subcommand)


def _switch(words: list[str], text: str, **options: Any) -> click.Option:
    return click.Option(words, is_flag=True, expose_value=False, callback=_set, help=text, **options)


def _set(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value and context.obj is not None:
        setattr(context.obj, str(option.name), True)
