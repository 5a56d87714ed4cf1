"""Addresses that commands refuse, as their user wrote them; and how the system's refusals end a command."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.model import Session
from tiergate_plugins.storage import files

Cli = Callable[..., tuple[int, str, str]]
Fill = Callable[..., None]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("json:work?mode=xx", "json:work?mode=xx: unknown mode 'xx' (known: ro, rw)"),
        ("json:work?foo=1", "json:work?foo=1: unknown option 'foo' (known: durability, mode, damage)"),
        ("zstd+json:work?foo=1", "json:work?foo=1: unknown option 'foo' (known: durability, mode, damage)"),
        ("nosuch:x", "nosuch:x: unknown store 'nosuch' (known: json, jsonfile, sqlite, store, zstd+)"),
        ("zstd:x", "zstd:x: 'zstd' is a cache, not a store (write zstd+SCHEME:PATH)"),
        ("zstdx+json:work", "zstdx+json:work: unknown cache 'zstdx' (did you mean 'zstd'?)"),
    ],
)
def test_an_address_is_shown_as_it_was_written(
    cli: Cli, fill: Fill, work: list[Session], address: str, said: str
) -> None:
    fill("json:work", *work)
    assert cli("sessions", "list", address) == (2, "", f"tiergate: error: {said}\n")


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_a_mode_that_is_one_makes_no_difference_to_reading(
    cli: Cli, fill: Fill, work: list[Session], mode: str
) -> None:
    fill("json:work", *work)
    assert cli("sessions", "list", f"json:work?mode={mode}")[0] == 0


def test_an_empty_database_says_where_it_comes_from(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "work.db").touch()
    code, _, err = cli("sessions", "list", "sqlite:work.db")
    assert code == 2
    assert "the database is empty, as an import that was stopped leaves it" in err
    assert "mode=ro" not in err


@pytest.mark.parametrize(("code", "ends"), [(errno.ENOSPC, 3), (errno.EFBIG, 3), (errno.ENAMETOOLONG, 2)])
def test_a_full_disk_is_a_run_that_broke_and_a_wrong_path_is_wrong_usage(code: int, ends: int) -> None:
    error = files.in_words(OSError(code, os.strerror(code)), "write", "place")
    assert error.exit_code == ends
    assert error.hint not in {None, "check the disk"}


def test_an_export_to_a_full_disk_ends_as_a_store_does(cli: Cli, fill: Fill, work: list[Session]) -> None:
    fill("json:work", *work)
    code, out, err = cli("sessions", "export", "json:work", "-o", "/dev/full")
    assert (code, out) == (3, "")
    assert err.endswith("No space left on device (free some space and repeat)\n")


def test_a_name_that_is_too_long_is_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "tasks.json").write_text('{"tasks": []}')
    code, _, err = cli("import", "tasks.json", "json:" + "x" * 300)
    assert (code, err.count("\n")) == (2, 1)
    assert "name a shorter path" in err


def test_help_names_every_exit_code(cli: Cli) -> None:
    said = " ".join(cli("--help")[1].split())
    for code in (
        "0 fine",
        "1 a gate failed",
        "2 wrong usage",
        "3 the run itself broke",
        "4 incon",
        "130 int",
    ):
        assert code in said
