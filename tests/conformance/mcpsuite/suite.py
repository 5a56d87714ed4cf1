"""Run the conformance suite against a server, and read what it found."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from mcpsuite.node import Programs
from mcpsuite.verdict import Check

# The suite runs what belongs to no revision only where it is named.
EXTENSION = "extension"
_LINE = re.compile(r"^\s+- (?P<scenario>\S+) \[(?P<revisions>[^\]]+)\]$")
_FOLDER = re.compile(r"^server-(?P<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z$")
_TIMEOUT_S = 300.0


class SuiteError(Exception):
    """The suite itself did not work; the message is one line."""


def scenarios(programs: Programs) -> dict[str, list[str]]:
    """The scenarios for servers by revision of the protocol, oldest first, and `EXTENSION` last.

    Raises:
        SuiteError: it lists none.
    """
    found: dict[str, list[str]] = {}
    for line in _run(programs, "list", "--server").splitlines():
        match = _LINE.match(line)
        if match:
            for revision in match["revisions"].split(","):
                found.setdefault(revision, []).append(match["scenario"])
    if not found:
        raise SuiteError("the conformance suite lists no scenario for servers")
    # A date sorts before a word.
    return dict(sorted(found.items()))


def run(
    programs: Programs, url: str, expected: Mapping[str, Sequence[str]], folder: Path
) -> dict[tuple[str, str], list[Check]]:
    """Run every scenario in every revision that it belongs to.

    Args:
        expected: what `scenarios` told.
        folder: gets what the suite writes; nothing else is in it.

    Raises:
        SuiteError: it ran nothing of a revision.
    """
    results = {}
    for revision, names in expected.items():
        if revision == EXTENSION:
            for name in names:
                results.update(run_one(programs, url, revision, name, folder))
        else:
            words = ["--suite", "all", "--spec-version", revision]
            results.update(_run_server(programs, url, words, revision, folder / revision))
    return results


def run_one(
    programs: Programs, url: str, revision: str, name: str, folder: Path
) -> dict[tuple[str, str], list[Check]]:
    """Run one scenario in one revision; otherwise as `run`.

    Raises:
        SuiteError: it did not run.
    """
    words = ["--scenario", name]
    if revision != EXTENSION:
        words += ["--spec-version", revision]
    return _run_server(programs, url, words, revision, folder / revision / name)


def _run_server(
    programs: Programs, url: str, words: Sequence[str], revision: str, into: Path
) -> dict[tuple[str, str], list[Check]]:
    said = _run(programs, "server", "--url", url, *words, "-o", str(into))
    found = {(revision, name): checks for name, checks in _read(into)}
    if not found:
        raise SuiteError(
            f"the conformance suite ran nothing of {revision} ({' '.join(words)}): {_last_line(said)}"
        )
    return found


def _read(folder: Path) -> Iterator[tuple[str, list[Check]]]:
    for file in sorted(folder.glob("*/checks.json")):
        match = _FOLDER.match(file.parent.name)
        if match:
            yield match["scenario"], msgspec.json.decode(file.read_bytes(), type=list[Check])


def _run(programs: Programs, *words: str) -> str:
    """What the suite prints. Its exit code tells of a list of its own and is not asked."""
    command = [programs.node, programs.suite, *words]
    try:
        done = subprocess.run(
            command,
            env=programs.environment(),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SuiteError(f"`conformance {' '.join(words)}` took over {_TIMEOUT_S:.0f} s") from None
    return done.stdout + done.stderr


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing"
