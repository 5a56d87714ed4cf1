"""Checks that the text of a task asks for by what it names: paths, lines of them, and ids in commits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from tiergate.evidence import Check
from tiergate.model import Status
from tiergate.reconcile.grouping import Known, Tasks
from tiergate.reconcile_record import Evidence

_LONGEST = 4_000
_MOST_PATHS = 8
"""Of one task; a text that names more is about a whole tree."""

_PATH = re.compile(
    r"(?<![\w/:.@-])(?P<path>(?:\.?[\w@-]+/)*\.?[\w@-]+(?:\.[\w-]+)*\.[A-Za-z][A-Za-z0-9]{0,4})(?![\w/])"
)
_LINES = re.compile(r"[~≈]?\s?(\d{2,6})(?:\s*[-–]\s*\d+)?\s+lines\b", re.IGNORECASE)
_DISTINCTIVE = re.compile(r"(?=.*[a-z])(?=.*\d)[a-z]{2,}-[a-z0-9]{2,}(?:\.\d+)*", re.IGNORECASE)
_SUFFIXES = frozenset(
    "py pyi ts tsx mts cts js jsx mjs cjs json toml yaml yml md rst txt go rs rb java kt c h cc cpp hpp cs sh"
    " sql html css scss vue svelte lua php swift proto ini cfg lock".split()
)
_FEW, _SOME = 5, 0.1
_NEAR_ENOUGH = 0.8
"""Of a stated number of lines, which is most often a guess."""


def inferred(tasks: Tasks, files: Iterable[PurePosixPath]) -> list[Check]:
    """The checks for every task that is open or completed.

    Args:
        files: of the working tree, by which a name without its folders is found.
    """
    by_name: dict[str, str] = {}
    for file in files:
        # A name that several files bear says of none of them that it is meant.
        by_name[file.name] = "" if file.name in by_name else str(file)
    return [check for known in tasks.values() for check in _of(known, by_name)]


def is_their_root(found: Sequence[Evidence]) -> bool:
    """Whether what texts name is looked for in the right folder: some of the files are there, or were once.

    In a folder of other work nothing is there, which says nothing about the tasks.
    """
    files = {(one.subject, one.outcome) for one in found if one.check == "file"}
    there = {subject for subject, outcome in files if outcome == "holds"}
    named = {subject for subject, _ in files}
    return len(named) < _FEW or len(there) >= _SOME * len(named)


def _of(known: Known, by_name: Mapping[str, str]) -> Iterator[Check]:
    if known.task.status is Status.ABANDONED:
        return
    text = f"{known.task.title}\n{known.task.notes}"[:_LONGEST]
    seen: set[str] = set()
    for match in _PATH.finditer(text):
        path = match["path"]
        if path in seen or PurePosixPath(path).suffix[1:].lower() not in _SUFFIXES or "://" in path:
            continue
        seen.add(path)
        if "/" not in path:
            if by_name.get(path) == "" or (path not in by_name and not _ALONE.search(path)):
                continue
            path = by_name.get(path, path)
        yield Check(kind="file", options={"path": path}, tasks=(known.ref,), declared=False)
        after = text[match.end() : match.end() + 40].partition("\n")[0]
        stated = _LINES.search(after)
        if stated is not None:
            least = max(1, int(int(stated[1]) * _NEAR_ENOUGH))
            options = {"path": path, "least": least}
            yield Check(kind="lines", options=options, tasks=(known.ref,), declared=False)
        if len(seen) >= _MOST_PATHS:
            break
    if _DISTINCTIVE.fullmatch(known.ref.task):
        yield Check(kind="commit", options={"mentions": known.ref.task}, tasks=(known.ref,), declared=False)


_ALONE = re.compile(r"[A-Z_-]")
"""A bare name such as ``MultiTierPoolManager.ts`` names a file; one such as ``index.js`` names any."""
