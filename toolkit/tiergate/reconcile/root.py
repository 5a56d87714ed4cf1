"""The folder that evidence is looked for in. No path leads out of it, and nothing in it is changed."""

from __future__ import annotations

import os
import shlex
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath

from tiergate.errors import SourceError, UsageError
from tiergate.evidence import Commit
from tiergate.reconcile.git_history import History

LARGEST_BYTES = 16 * 1024 * 1024
"""A larger file is no source text that a check would look into."""

_KEPT_FILES = 2_000
_SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox"})
_TAIL = 400


class Folder:
    """A folder as `tiergate.evidence.Root`.

    Args:
        path: it must be there.
        allow_commands: whether checks may run commands.

    Raises:
        UsageError: it is no folder.
    """

    def __init__(self, path: Path, *, allow_commands: bool = False) -> None:
        self._path = path.resolve()
        if not self._path.is_dir():
            raise UsageError(
                "no such folder", where=str(path), hint="name the folder of the work with --root"
            )
        self._allow_commands = allow_commands
        self.history = History(self._path)
        self._content = lru_cache(_KEPT_FILES)(self._read)

    @cached_property
    def _files(self) -> list[PurePosixPath]:
        listed = self.history.files()
        if listed is not None:
            return [PurePosixPath(name) for name in listed if (self._path / name).is_file()]
        found = []
        for folder, folders, names in os.walk(self._path):
            folders[:] = sorted(set(folders) - _SKIPPED)
            here = Path(folder).relative_to(self._path)
            found += [PurePosixPath(here.as_posix()) / name for name in names]
        return sorted(found)

    def files(self) -> Iterator[PurePosixPath]:
        """See `tiergate.evidence.Root.files`."""
        return iter(self._files)

    def read(self, path: str) -> bytes | None:
        """See `tiergate.evidence.Root.read`."""
        return self._content(path)

    def _read(self, path: str) -> bytes | None:
        place = self._inside(path)
        try:
            found = place.stat()
            if not stat.S_ISREG(found.st_mode):
                return None
            if found.st_size > LARGEST_BYTES:
                raise SourceError(
                    f"is larger than {LARGEST_BYTES // 1024 // 1024} MiB",
                    where=path,
                    hint="check another file",
                )
            return place.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SourceError(f"cannot be read: {error.strerror}", where=path) from error

    def last_seen(self, path: str) -> tuple[Commit, bytes] | None:
        """See `tiergate.evidence.Root.last_seen`."""
        self._inside(path)
        return self.history.last_seen(str(PurePosixPath(path)))

    def commits(self) -> Iterator[Commit]:
        """See `tiergate.evidence.Root.commits`."""
        return iter(self.history.commits)

    def run(self, command: str, timeout_s: float) -> tuple[int, str]:
        """See `tiergate.evidence.Root.run`. A command that takes too long is ended with all that it began."""
        if not self._allow_commands:
            raise SourceError("commands are not run", where=command, hint="allow them with --allow-commands")
        try:
            words = shlex.split(command)
            process = subprocess.Popen(
                words,
                cwd=self._path,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (ValueError, OSError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise SourceError(f"cannot be run: {why}", where=command) from error
        with process:
            try:
                said, _ = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired as error:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise SourceError(f"took longer than {timeout_s:g} s", where=command) from error
        return process.returncode, said[-_TAIL:].decode(errors="replace").strip()

    def _inside(self, path: str) -> Path:
        """The place of a relative path.

        Raises:
            SourceError: it leads out of the folder.
        """
        pure = PurePosixPath(path)
        if "\0" in path or not path:
            raise SourceError("is no path", where=repr(path))
        if pure.is_absolute() or PureWindowsPath(path).drive or ".." in pure.parts:
            raise SourceError("leads out of the root", where=path, hint="write it relative to --root")
        try:
            place = (self._path / pure).resolve()
        except (OSError, RuntimeError) as error:
            raise SourceError("leads in a circle of links", where=path) from error
        if not place.is_relative_to(self._path):
            raise SourceError("a link in it leads out of the root", where=path)
        return place
