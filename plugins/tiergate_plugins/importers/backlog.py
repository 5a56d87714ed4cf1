"""Imports Backlog.md projects: a folder with one Markdown file a task. A project becomes one session.

What becomes what:

- the files of ``tasks``, ``completed``, ``drafts``, ``archive/tasks`` and ``archive/drafts`` are
  tasks; a file without front matter (a readme) is none. Documents, decisions and milestones are not.
- the body of the file becomes the notes.
- an archived task is abandoned, unless its status says that it was done. A draft gets the label ``draft``.
- ``dependencies`` are written as the ids in the folder (see `_backlog_ids`); where that changed the
  list, ``extra`` keeps it as written.
- ``created_date`` and ``updated_date`` become created_at and updated_at, the text as it stands.
- ``priority`` high, medium, low becomes the weight 3, 2, 1; without one the weight is 1.
- of two files with one id, the later in the order above gets the id ``ID@FOLDER`` (with ``-`` for
  ``/`` and, where that is taken too, a number), and ``extra`` keeps the id as written.
- every other field is kept in ``extra``, beside ``source_folder`` and ``source_file``.
- written back, each into its file, are the title, the status (in the words of the project's settings), the
  weight as ``priority``, and the dependencies. A file stays in its folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration, hookimpl
from tiergate.model import Session, Status, Task
from tiergate_plugins.importers._backlog_files import (
    FOLDERS,
    Folder,
    looks_like_project,
    markdown_files,
    project_name,
    project_root,
    settings,
    slug,
)
from tiergate_plugins.importers._backlog_ids import IdIndex
from tiergate_plugins.importers._fields import (
    Statuses,
    count_of,
    dangling_note,
    priority_weight,
    some,
    take_text,
    take_texts,
)
from tiergate_plugins.importers._front_matter import parse, split
from tiergate_plugins.importers._reading import printable, read_text, text_of
from tiergate_plugins.importers._writing import Change, Parsed, changes_of

STATUSES = {
    "to do": Status.QUEUED,
    "draft": Status.QUEUED,
    "in progress": Status.ACTIVE,
    "done": Status.COMPLETED,
    "won't do": Status.ABANDONED,
}
WRITES = frozenset({"title", "status", "weight", "dependencies"})
_DRAFT = "draft"


@hookimpl
def tiergate_importers() -> Iterator[ImporterDeclaration]:
    """Declare the importer."""
    yield ImporterDeclaration(
        name="backlog",
        summary="a Backlog.md folder, one Markdown file a task",
        detect=detect,
        read=read,
        write=write,
        writes=WRITES,
    )


def detect(path: Path) -> bool:
    """Whether the folder is a Backlog.md project, or holds one in ``backlog``."""
    return looks_like_project(path)


def read(path: Path) -> Imported:
    """Read every task of the project.

    Raises:
        SourceError: it is no project, a file cannot be read or has broken front matter, or no file is a task.
    """
    return _parse(path).parsed.imported


def write(path: Path, sessions: Sequence[Session]) -> Mapping[Path, bytes]:
    """The files of changed tasks.

    Raises:
        SourceError: the project cannot be read, lacks a task, or cannot say what is asked for.
    """
    from tiergate_plugins.importers._backlog_writing import words_of, written

    project = _parse(path)
    changes = list(changes_of(path, project.parsed, sessions, tuple(WRITES)))
    words = words_of(project.config, STATUSES)
    files: dict[Path, bytes] = {}
    for change in changes:
        file, _ = change.place
        files[file] = written(change, file, words)
        change.require_said(project.again(change, files[file]), WRITES)
    return files


@dataclass(frozen=True, slots=True)
class _Project:
    """A project that was read.

    Attributes:
        root: the folder with the folders of tasks.
        config: its settings.
        index: finds the id that a reference means.
        parsed: what it says, and the file and folder of each task.
    """

    root: Path
    config: dict[str, Any]
    index: IdIndex
    parsed: Parsed[tuple[Path, Folder]]

    def again(self, change: Change[tuple[Path, Folder]], data: bytes) -> Task:
        """The task of a file that holds something else."""
        file, folder = change.place
        reader = _ProjectReader(self.root)
        try:
            reader.add_text(text_of(data, file), file, folder)
        except SourceError as error:
            raise change.refuse("it cannot be said in front matter", error.what) from error
        (task,) = reader.tasks.values()
        return _with_dependencies(task, self.index)


def _parse(path: Path) -> _Project:
    root = project_root(path)
    config = settings(root)
    reader = _ProjectReader(root)
    for folder in FOLDERS:
        for file in markdown_files(root, folder):
            reader.add(file, folder)
    if not reader.tasks and not reader.damage:
        raise SourceError(
            "no task in the folder", where=printable(root), hint="no file has front matter with an id"
        )
    prefix = config.get("task_prefix")
    index = IdIndex(reader.tasks, prefix if isinstance(prefix, str) else "")
    tasks = tuple(_with_dependencies(task, index) for task in reader.tasks.values())
    name = project_name(root, config.get("project_name"))
    session = Session(id=slug(name), title=name, tasks=tasks, extra={"config": config} if config else {})
    imported = Imported(
        sessions=[session],
        statuses=reader.statuses.met,
        notes=[*reader.notes(), *dangling_note(tasks, session.id)],
        damage=reader.damage,
    )
    places = {(session.id, identity): place for identity, place in reader.places.items()}
    return _Project(root, config, index, Parsed(imported, places))


@dataclass(slots=True)
class _ProjectReader:
    """Collects the tasks of a project, by id and in the order of their files."""

    root: Path
    statuses: Statuses = field(default_factory=lambda: Statuses(STATUSES))
    tasks: dict[str, Task] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    folders: Counter[str] = field(default_factory=Counter)
    no_tasks: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    places: dict[str, tuple[Path, Folder]] = field(default_factory=dict)
    damage: list[SourceError] = field(default_factory=list)

    def add(self, file: Path, folder: Folder) -> None:
        """Read one file; one that cannot be read is noted and left out."""
        try:
            self.add_text(read_text(file, empty_ok=True), file, folder)
        except SourceError as error:
            self.damage.append(error)

    def add_text(self, text: str, file: Path, folder: Folder) -> None:
        """Read the text of one file. Without front matter, or without an id in it, it is no task."""
        name = printable(file.relative_to(self.root))
        parts = split(text, file)
        fields = parse(parts[0], file, line=2) if parts else {}
        written = _scalar(fields.get("id"))
        if parts is None or not written:
            self.no_tasks.append(name)
            return
        identity = self._free_id(written, folder, name)
        if identity == written:
            del fields["id"]
        self.folders[folder.name] += 1
        where = {"source_folder": folder.name, "source_file": name}
        self.tasks[identity] = self._task(identity, where | fields, parts[1], folder, file)
        self.places[identity] = (file, folder)

    def notes(self) -> Iterator[str]:
        """What a reader should know about the tasks, one line each."""
        counts = ", ".join(f"{count} in {name}" for name, count in self.folders.items())
        yield f"tasks by folder: {counts}"
        if self.no_tasks:
            count = count_of(len(self.no_tasks), "file")
            yield f"no tasks, without front matter or id: {count}: {some(self.no_tasks)}"
        yield from self.renamed
        archived = [
            task for task in self.tasks.values() if task.extra.get("source_folder") == "archive/tasks"
        ]
        gone = sum(task.status is Status.ABANDONED for task in archived)
        if gone:
            yield f"archive/tasks: {count_of(gone, 'task')} abandoned, {len(archived) - gone} done before"
        yield from self.statuses.notes()

    def _free_id(self, written: str, folder: Folder, name: str) -> str:
        """The id, or another where an earlier file has it in whatever case."""
        identity, number = written, 1
        while identity.casefold() in self.taken:
            suffix = folder.name.replace("/", "-") + (f"-{number}" if number > 1 else "")
            identity, number = f"{written}@{suffix}", number + 1
        self.taken.add(identity.casefold())
        if identity != written:
            self.renamed.append(f"{name}: the id {written!r} is taken, the task is {identity!r} here")
        return identity

    def _task(self, identity: str, fields: dict[str, Any], body: str, folder: Folder, file: Path) -> Task:
        status, word = self.statuses.take(fields)
        if folder.archived and status is not Status.COMPLETED:
            status = Status.ABANDONED
        labels = take_texts(fields, "labels")
        if folder.draft:
            labels = tuple(dict.fromkeys((*labels, _DRAFT)))
        title = _scalar(fields.get("title"))
        if title:
            del fields["title"]
        return Task(
            id=identity,
            title=title or printable(file.stem),
            notes=body.strip("\r\n"),
            status=status,
            weight=priority_weight(fields.get("priority")),
            labels=labels,
            created_at=take_text(fields, "created_date"),
            updated_at=take_text(fields, "updated_date"),
            source_status=word,
            extra=fields,
        )


def _with_dependencies(task: Task, index: IdIndex) -> Task:
    written = task.extra.get("dependencies")
    names = [_scalar(name) for name in (written if isinstance(written, list) else [written])]
    found = dict.fromkeys(index.find(name) or name for name in names if name)
    extra = task.extra
    if list(found) == written:
        extra = {name: value for name, value in extra.items() if name != "dependencies"}
    return msgspec.structs.replace(task, dependencies=tuple(found), extra=extra)


def _scalar(value: Any) -> str:
    """A scalar of YAML as the text that stood there; empty for null, a list or a mapping."""
    return str(value) if isinstance(value, str | int) else ""
