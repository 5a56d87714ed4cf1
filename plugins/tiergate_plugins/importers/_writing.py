"""Writing changed tasks back into the text that they were read from.

Whatever a format's own code does, the new text is read again, and must say what was asked for and the same as
before of everything else; otherwise nothing is written. So a value that a format has no word for is refused,
and never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from tiergate.errors import SourceError
from tiergate.hooks import Imported
from tiergate.model import Session, Status, Task
from tiergate_plugins.importers._edits import Edit, applied
from tiergate_plugins.importers._reading import BOM, printable, read_text, text_of, unreadable

_Place = TypeVar("_Place")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[_Place]):
    """What a text says, and where.

    Attributes:
        imported: the sessions.
        places: where each task stands, by the ids of its session and of itself.
    """

    imported: Imported
    places: Mapping[tuple[str, str], _Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change(Generic[_Place]):
    """A task that is to be written differently.

    Attributes:
        before: as the source says it now.
        after: as it is to say it.
        place: where it stands.
        path: the file, for messages.
    """

    before: Task
    after: Task
    place: _Place
    path: Path

    def of(self, name: str) -> bool:
        """Whether a field of the task is to change."""
        return bool(getattr(self.before, name) != getattr(self.after, name))

    def refuse(self, what: str, hint: str) -> SourceError:
        """An error about what cannot be written."""
        return SourceError(
            f"task {self.after.id!r}: {what}; nothing was written", where=printable(self.path), hint=hint
        )

    def require_said(self, said: Task, fields: Iterable[str]) -> None:
        """Refuse what is not said once it is written.

        Args:
            said: the task as the new text has it.
            fields: those that are compared.

        Raises:
            SourceError: a field is not as it is to be.
        """
        for name in fields:
            value = getattr(self.after, name)
            if getattr(said, name) != value:
                shown = str(value) if isinstance(value, Status) else repr(value)
                what = f"the format cannot say {name} {shown} here"
                raise self.refuse(what, "change it with the format's own tool")

    def time(self, what: str) -> str:
        """When the task changed, which is its new updated_at.

        Args:
            what: what the format needs it for.

        Raises:
            SourceError: no other time was given.
        """
        if not self.of("updated_at") or not self.after.updated_at:
            raise self.refuse(what, "give updated_at, the time of the change")
        return self.after.updated_at

    def word(self, words: Mapping[Status, str]) -> str:
        """The format's word for the new status.

        Raises:
            SourceError: it has none.
        """
        if self.after.status not in words:
            raise self.refuse(
                f"the format has no word for {self.after.status!s}", f"it has: {', '.join(words)}"
            )
        return words[self.after.status]

    def rank(self, ranks: Mapping[float, _Rank]) -> _Rank:
        """The format's word for the new weight.

        Raises:
            SourceError: it has none.
        """
        if self.after.weight not in ranks:
            known = ", ".join(f"{weight:g}" for weight in ranks)
            raise self.refuse(
                f"the format cannot say the weight {self.after.weight:g}", f"it can say {known}"
            )
        return ranks[self.after.weight]


_Rank = TypeVar("_Rank")

Parse = Callable[[str, Path], Parsed[_Place]]
MakeEdits = Callable[[str, Sequence[Change[_Place]]], Iterable[Edit]]


def rewritten(
    path: Path,
    sessions: Sequence[Session],
    writes: Iterable[str],
    parse: Parse[_Place],
    make_edits: MakeEdits[_Place],
) -> dict[Path, bytes]:
    """The new content of a file by its path; nothing where no change is asked for.

    Args:
        path: the source, which is read and not changed.
        sessions: how tasks are to be; a session or task that is not among them stays as it is.
        writes: the fields that are compared and written.
        parse: reads a text of the format.
        make_edits: the edits of a text that make the changes.

    Raises:
        SourceError: the source cannot be read, lacks a session or task, or cannot say what is asked for.
    """
    fields = tuple(writes)
    text = read_text(path)
    parsed = parse(text, path)
    changes = list(changes_of(path, parsed, sessions, fields))
    if not changes:
        return {}
    data = bytes_of(applied(text, make_edits(text, changes)), path)
    try:
        now = parse(text_of(data, path), path).imported
    except SourceError as error:
        raise _unsayable(path) from error
    _require_said(path, parsed.imported, now, changes, fields)
    return {path: data}


def bytes_of(text: str, path: Path) -> bytes:
    """A new text of a file as bytes, with the byte order mark that the file has.

    Raises:
        SourceError: the text has half of a surrogate pair, or the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            mark = file.read(len(BOM))
        return (BOM if mark == BOM else b"") + text.encode()
    except UnicodeEncodeError as error:
        raise _unsayable(path) from error
    except OSError as error:
        raise unreadable(path, error) from error


def changes_of(
    path: Path, parsed: Parsed[_Place], sessions: Sequence[Session], fields: Sequence[str]
) -> Iterator[Change[_Place]]:
    """The tasks that are to be written differently.

    Raises:
        SourceError: the source lacks a session or a task.
    """
    there = {session.id: {task.id: task for task in session.tasks} for session in parsed.imported.sessions}
    for session in sessions:
        tasks = _required(there, session.id, "session", path)
        for after in session.tasks:
            before = _required(tasks, after.id, f"task of session {session.id!r}", path)
            if any(getattr(before, name) != getattr(after, name) for name in fields):
                yield Change(before, after, parsed.places[session.id, after.id], path)


def _required(found: Mapping[str, Any], name: str, kind: str, path: Path) -> Any:
    if name not in found:
        raise SourceError(
            f"no {kind} {name!r} in it; nothing was written",
            where=printable(path),
            hint="add it with the tool that the file belongs to",
        )
    return found[name]


def _require_said(
    path: Path, before: Imported, now: Imported, changes: Sequence[Change[Any]], fields: Sequence[str]
) -> None:
    """Refuse a text that does not say what it was to say.

    Raises:
        SourceError: it does not.
    """
    wanted = {id(change.before): change for change in changes}
    pairs = zip(before.sessions, now.sessions, strict=False)
    same = [session.id for session in before.sessions] == [session.id for session in now.sessions]
    for old, new in pairs if same else ():
        if [task.id for task in old.tasks] != [task.id for task in new.tasks]:
            same = False
            break
        for task, said in zip(old.tasks, new.tasks, strict=True):
            change = wanted.get(id(task))
            if change is None:
                same = same and task == said
                continue
            change.require_said(said, fields)
    if not same:
        raise _unsayable(path)


def _unsayable(path: Path) -> SourceError:
    """The error for a change that would make another source of it than was asked for."""
    return SourceError(
        "the change would alter more than it is to; nothing was written",
        where=printable(path),
        hint="a text with line breaks, control characters or marks of the format cannot stand in it",
    )
