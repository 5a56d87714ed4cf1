"""The contract suite for kinds of evidence checks."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from tiergate.errors import SourceError
from tiergate.evidence import Found
from tiergate.hooks import EvidenceCheckDeclaration
from tiergate.reconcile.root import Folder
from tiergate.testing.importers import Files, fingerprint

Options = Mapping[str, Any]

OUTCOMES = {"holds", "fails", "unknown"}
PLACES = {"tree", "history", ""}
_OUTSIDE = ("/etc/passwd", "../outside.txt", "link-out/outside.txt", "C:\\outside.txt", "", "nul\0.txt")
_OF_ANOTHER_TYPE = ([["a"], {"a": 1}], None)


class Look(Protocol):
    """Carries the check out in the folder of the test."""

    def __call__(self, options: Options, *, allow_commands: bool = False) -> list[Found]:
        """What it finds."""


class EvidenceCheckContract:
    """A check says whether something holds, by what and where, and neither leaves the root nor changes it.

    Subclass it, and override the fixtures ``declaration``, ``files``, ``holding`` and ``failing``::

        class TestMyCheck(EvidenceCheckContract):
            @pytest.fixture
            def declaration(self) -> EvidenceCheckDeclaration:
                return MY_CHECK

            @pytest.fixture
            def files(self) -> Files:
                return {"src/pool.py": b"class Pool: ...\\n"}

            @pytest.fixture
            def holding(self) -> Options:
                return {"path": "src/pool.py"}

            @pytest.fixture
            def failing(self) -> Options:
                return {"path": "src/queue.py"}
    """

    @pytest.fixture
    def declaration(self) -> EvidenceCheckDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the EvidenceCheckDeclaration to test")

    @pytest.fixture
    def files(self) -> Files:
        """What the folder holds, by path. Override it; the suite commits it to git as well."""
        pytest.fail("override the fixture `files`: return the files of a folder to look in")

    @pytest.fixture
    def holding(self) -> Options:
        """Options with which the check holds there, without those that may be left out. Override it."""
        pytest.fail("override the fixture `holding`: return options with which the check holds")

    @pytest.fixture
    def failing(self) -> Options:
        """Options with which it fails there. Override it."""
        pytest.fail("override the fixture `failing`: return options with which the check fails")

    @pytest.fixture
    def path_option(self, declaration: EvidenceCheckDeclaration) -> str | None:
        """The option that names a file; None where there is none. Override it when yours is not ``path``."""
        return "path" if "path" in declaration.options else None

    @pytest.fixture
    def folder(self, files: Files, tmp_path: Path) -> Path:
        """The folder, which is a git repository, beside a file that no check may see."""
        folder = tmp_path / "root"
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        _git(folder, "init", "-q")
        _git(folder, "add", "-A")
        _git(folder, "commit", "-q", "-m", "Everything that the check looks for")
        (tmp_path / "outside.txt").write_bytes(b"class Pool: ...\n")
        (folder / "link-out").symlink_to(tmp_path)
        return folder

    @pytest.fixture
    def look(self, declaration: EvidenceCheckDeclaration, folder: Path) -> Look:
        """The check, in that folder."""

        def carried_out(options: Options, *, allow_commands: bool = False) -> list[Found]:
            root = Folder(folder, allow_commands=allow_commands or declaration.is_command)
            return declaration.check(dict(options), root)

        return carried_out

    def test_it_holds_and_says_by_what(self, look: Look, holding: Options) -> None:
        found = look(holding)
        assert "holds" in {one.outcome for one in found}, "check: holds where what it looks for is there"
        _expect_readable(found)

    def test_it_fails_and_says_by_what(self, look: Look, failing: Options) -> None:
        found = look(failing)
        assert found, "check: what was not found is told too"
        assert {one.outcome for one in found} == {"fails"}, "check: fails where it is not there"
        _expect_readable(found)

    def test_it_answers_the_same_again(self, look: Look, holding: Options, failing: Options) -> None:
        for options in (holding, failing):
            assert look(options) == look(options), "check: the same folder gives the same"

    def test_every_option_is_documented(
        self, declaration: EvidenceCheckDeclaration, holding: Options, failing: Options
    ) -> None:
        assert {*holding, *failing} <= declaration.options.keys(), "options: each with a line about it"
        assert all(line.strip() for line in declaration.options.values()), "options: a line each"

    def test_wrong_options_are_refused_in_one_line(self, look: Look, holding: Options) -> None:
        wrong: list[Options] = [{**holding, "no_such_option": 1}]
        wrong += [{**holding, name: value} for name in holding for value in _OF_ANOTHER_TYPE]
        wrong += [{other: holding[other] for other in holding if other != name} for name in holding]
        for options in wrong:
            with pytest.raises(SourceError) as refused:
                look(options)
            assert "\n" not in str(refused.value), f"check: refuses {options!r} in one line"

    def test_a_path_that_leads_outside_is_refused(
        self, look: Look, holding: Options, path_option: str | None
    ) -> None:
        if path_option is None:
            pytest.skip("the check takes no path")
        for path in _OUTSIDE:
            try:
                found = look({**holding, path_option: path})
            except SourceError:
                continue
            pytest.fail(f"check: {path!r} leads outside and is refused; found {found}")

    def test_what_was_deleted_is_found_in_history(
        self, look: Look, holding: Options, path_option: str | None, folder: Path
    ) -> None:
        if path_option is None:
            pytest.skip("the check takes no path")
        (folder / holding[path_option]).unlink()
        found = {one.where: one.outcome for one in look(holding)}
        assert found.get("tree") == "fails", "Found.where: the working tree no longer has it"
        assert found.get("history") == "holds", "Found.where: the last commit that had it is looked into"

    def test_it_changes_nothing_in_the_folder(
        self, look: Look, holding: Options, failing: Options, folder: Path
    ) -> None:
        before = fingerprint(folder)
        look(holding)
        look(failing)
        assert fingerprint(folder) == before, "check: looks, and changes nothing"

    def test_no_command_runs_unless_allowed(
        self, declaration: EvidenceCheckDeclaration, holding: Options, folder: Path
    ) -> None:
        root = Watched(folder)
        if declaration.is_command:
            with pytest.raises(SourceError, match="--allow-commands"):
                declaration.check(dict(holding), root)
        else:
            declaration.check(dict(holding), root)
            assert root.asked == [], "is_command: a check that runs commands says so"


class Watched(Folder):
    """A folder in which no command may run, and which remembers those that were asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[str] = []

    def run(self, command: str, timeout_s: float) -> tuple[int, str]:
        """Refuse, and remember."""
        self.asked.append(command)
        return super().run(command, timeout_s)


def _expect_readable(found: list[Found]) -> None:
    for one in found:
        assert one.outcome in OUTCOMES, f"Found.outcome: one of {sorted(OUTCOMES)}, not {one.outcome!r}"
        assert one.subject.strip(), "Found.subject: what was looked for"
        assert one.message.strip(), "Found.message: what was found, for a person"
        assert "\n" not in one.message, f"Found.message: one line; {one.message!r}"
        assert one.where in PLACES, f"Found.where: tree, history or nothing, not {one.where!r}"


def _git(folder: Path, *words: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)
