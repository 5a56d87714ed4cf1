"""The frame of the command line: exit codes, one-line errors, global options."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

import tiergate
import tiergate.cli
from tiergate.cli import Group, State, main
from tiergate.errors import RunError, SourceError, TiergateError, UsageError
from tiergate.store import StoreDamaged

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run a command line in an empty folder; `does` is what the command ``probe`` does with the state."""
    monkeypatch.chdir(tmp_path)
    for variable in ("TIERGATE_DEBUG", "NO_COLOR", "TIERGATE_DISABLE_PLUGINS", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)

    def call(*words: str, does: Callable[[State], Any] = lambda _: None) -> tuple[int, str, str]:
        module = ModuleType("probe")
        module.command = _probe(does)  # type: ignore[attr-defined]
        monkeypatch.setitem(tiergate.cli.COMMANDS, "probe", ("probe", "Try something."))
        monkeypatch.setitem(sys.modules, "probe", module)
        code = main(words)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def _probe(does: Callable[[State], Any]) -> click.Command:
    @click.group(cls=Group, invoke_without_command=True)
    @click.option("--number", type=int)
    @click.pass_context
    def command(context: click.Context, number: int | None) -> Any:
        return None if context.invoked_subcommand else does(context.obj)

    @command.command()
    @click.option("-v", "--variant")
    @click.pass_obj
    def inner(state: State, variant: str | None) -> Any:
        click.echo(f"variant {variant}")
        return does(state)

    return command


def raises(error: BaseException) -> Callable[[State], Any]:
    def does(state: State) -> None:
        raise error

    return does


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (4, 4), ("text", 0), ([1], 0)])
def test_a_command_returns_its_exit_code(run: Run, returned: Any, code: int) -> None:
    assert run("probe", does=lambda _: returned) == (code, "", "")


def test_a_command_may_exit_through_the_context(run: Run) -> None:
    assert run("probe", does=lambda _: click.get_current_context().exit(4))[0] == 4


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TiergateError("broken", where="here", hint="mend it"), 2),
        (UsageError("broken", where="here", hint="mend it"), 2),
        (SourceError("broken", where="here", hint="mend it"), 2),
        (RunError("broken", where="here", hint="mend it"), 3),
        (StoreDamaged("broken", where="here", hint="mend it"), 1),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(run: Run, error: TiergateError, code: int) -> None:
    assert run("probe", does=raises(error)) == (code, "", "tiergate: error: here: broken (mend it)\n")


def test_an_unexpected_error_asks_for_a_report(run: Run) -> None:
    code, out, err = run("probe", does=raises(ValueError("two\nlines")))
    assert (code, out) == (3, "")
    assert err == "tiergate: internal error: ValueError: two lines (run again with --debug and report it)\n"


@pytest.mark.parametrize("words", [("--debug", "probe"), ("probe", "--debug"), ("probe", "inner", "--debug")])
def test_debug_shows_the_traceback_too(run: Run, words: tuple[str, ...]) -> None:
    code, _, err = run(*words, does=raises(ValueError("odd")))
    assert code == 3
    assert err.startswith("Traceback (most recent call last):")
    assert err.endswith("tiergate: internal error: ValueError: odd (please report it)\n")


def test_a_variable_can_ask_for_the_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERGATE_DEBUG", "1")
    assert "Traceback" in run("probe", does=raises(UsageError("odd")))[2]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_said_so(run: Run, error: BaseException) -> None:
    assert run("probe", does=raises(error)) == (130, "", "tiergate: interrupted\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plugns"], "unknown command 'plugns' (did you mean 'plugins'?)"),
        (["plugins", "lst"], "tiergate plugins: unknown command 'lst' (did you mean 'list'?)"),
        (["--versio"], "unknown option '--versio' (did you mean '--version'?)"),
        (["probe", "--nmber", "1"], "unknown option '--nmber' (did you mean '--number'?)"),
        (["probe", "--zzz"], "unknown option '--zzz' (see `tiergate probe --help`)"),
        (
            ["probe", "--number", "x"],
            "invalid value for '--number': 'x' is not a valid integer (see `tiergate probe --help`)",
        ),
        (["probe", "--number"], "option '--number' requires an argument (see `tiergate --help`)"),
        (["--no-plugin"], "--no-plugin needs a name (`tiergate plugins list` shows them)"),
        (
            ["probe", "--no-plugin", "--number"],
            "--no-plugin needs a name (`tiergate plugins list` shows them)",
        ),
        (["--no-plugin="], "--no-plugin needs a name (`tiergate plugins list` shows them)"),
    ],
)
def test_wrong_usage_is_one_line_with_a_way_out(run: Run, words: list[str], message: str) -> None:
    assert run(*words) == (2, "", f"tiergate: error: {message}\n")


def test_an_unlike_command_gets_the_known_ones(run: Run) -> None:
    code, _, err = run("zzz")
    assert code == 2
    known = ", ".join(sorted(tiergate.cli.COMMANDS))
    assert err == f"tiergate: error: unknown command 'zzz' (known: {known})\n"


@pytest.mark.parametrize("words", [[], ["config"]])
def test_without_a_command_the_help_is_shown_as_for_wrong_usage(run: Run, words: list[str]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("Usage: tiergate")


def test_plugins_alone_lists_them(run: Run) -> None:
    code, out, _ = run("plugins")
    assert code == 0
    assert out.split(maxsplit=1)[0] == "NAME"


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"tiergate {tiergate.__version__}\n", "")


def test_help_lists_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name, (_, summary) in tiergate.cli.COMMANDS.items():
        assert any(line.split(maxsplit=1) == [name, summary] for line in out.splitlines())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), (False, False, False)),
        (("-q", "--"), (True, False, False)),
        (("--quiet", "--verbose"), (True, True, False)),
        (("-v", "--debug"), (False, True, True)),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_global_options_stand_before_or_after_the_command(
    run: Run, words: tuple[str, ...], expected: tuple[bool, bool, bool], after: bool
) -> None:
    seen: list[tuple[bool, bool, bool]] = []

    def does(state: State) -> None:
        seen.append((state.quiet, state.verbose, state.debug))

    options = [word for word in words if word != "--"]
    line = ["probe", *options] if after else [*options, "probe"]
    assert run(*line, does=does)[0] == 0
    assert seen == [expected]


def test_a_command_s_own_option_goes_before_a_global_one(run: Run) -> None:
    seen: list[bool] = []
    code, out, _ = run("probe", "inner", "-v", "mine", does=lambda state: seen.append(state.verbose))
    assert (code, out, seen) == (0, "variant mine\n", [False])


@pytest.mark.parametrize(
    ("words", "disabled"),
    [
        (["--no-plugin", "a", "probe", "--no-plugin=b"], ("a", "b")),
        (["probe", "--no-plugin", "a", "inner", "--no-plugin", "b"], ("a", "b")),
    ],
)
def test_no_plugin_may_stand_anywhere(run: Run, words: list[str], disabled: tuple[str, ...]) -> None:
    seen: list[tuple[str, ...]] = []
    assert run(*words, does=lambda state: seen.append(state.disabled))[0] == 0
    assert seen == [disabled]


def test_words_after_two_dashes_are_left_alone() -> None:
    from tiergate.cli.state import split_disabled

    assert split_disabled(["x", "--", "--no-plugin", "a"]) == ([], ["x", "--", "--no-plugin", "a"])


def test_a_warning_is_said_once_and_not_when_quiet(run: Run) -> None:
    def does(state: State) -> None:
        state.warn("odd")
        state.warn("odd")

    assert run("probe", does=does)[2] == "tiergate: warning: odd\n"
    assert run("probe", "-q", does=does)[2] == ""


def test_a_command_that_needs_plugins_warns_of_each_problem_once(run: Run) -> None:
    def does(state: State) -> int:
        assert state.host() is state.host()
        return 0

    code, _, err = run("probe", "--no-plugin", "routing-orcale", does=does)
    assert code == 0
    [line] = [line for line in err.splitlines() if "orcale" in line]
    assert line.startswith("tiergate: warning: cannot leave out 'routing-orcale': unknown plugin")
    assert "did you mean 'routing-oracle'?" in line
    assert run("probe", "-q", "--no-plugin", "routing-orcale", does=does) == (0, "", "")


@pytest.mark.parametrize(("value", "colored"), [("", True), ("1", False)])
def test_no_color_is_respected(run: Run, monkeypatch: pytest.MonkeyPatch, value: str, colored: bool) -> None:
    monkeypatch.setenv("NO_COLOR", value)

    def does(state: State) -> None:
        context = click.get_current_context()
        # Click strips colours from what is no terminal, unless the context decides.
        if context.color is None:
            context.color = True
        click.echo(click.style("x", fg="red"))

    assert ("\x1b[" in run("probe", does=does)[1]) is colored
