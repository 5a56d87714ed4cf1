"""What ``tiergate load`` refuses: one line each, before anything is measured."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Cli = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--closed", "0"], "invalid value for '--closed'"),
        (["--closed", "2", "--rate", "10"], "--rate and --closed exclude each other"),
        (["--closed", "2", "--sweep"], "--sweep and --closed exclude each other"),
        (["--target", "pol"], "unknown target 'pol' (did you mean 'pool'?)"),
        (["--target", "pool:x"], "target pool takes no argument and no option (write --target pool)"),
        (["--target", "pool?copies=2"], "target pool takes no argument and no option"),
        (["--target", "command:./gone.sh"], "no such program, or none that may be run: './gone.sh'"),
        (["--target", "command?copies=0:cat"], "copies must be a whole number from 1 to 256, not '0'"),
        (["--target", "command"], "target command: no command is given"),
        (["--target", "command?copies:cat"], "--target command?copies:cat: option 'copies' has no value"),
        (
            ["--target", "command:cat", "--router", "oracle"],
            "--router and --target command exclude each other",
        ),
    ],
)
def test_a_wrong_option_is_one_line_and_code_2(cli: Cli, words: list[str], message: str) -> None:
    code, out, errors = cli("load", *words)
    assert (code, out) == (2, "")
    [line] = errors.splitlines()
    assert line.startswith("tiergate: error: ")
    assert message in line


def test_targets_are_listed_among_the_plugins(cli: Cli) -> None:
    code, out, _ = cli("plugins", "list")
    assert code == 0
    assert "target" in out
    assert "targets-command" in out
