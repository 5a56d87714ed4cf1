"""todo.txt: the rules of the format, and what is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tiergate.errors import SourceError
from tiergate.model import Status, Task
from tiergate_plugins.importers import todotxt

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def one(write: Write) -> Callable[[str], Task]:
    """Read one line."""
    return lambda line: todotxt.read(write("todo.txt", line)).sessions[0].tasks[0]


@pytest.fixture
def rewritten(write: Write) -> Callable[..., str]:
    """Read a line, change its task, and return the line that is written."""

    def rewrite(line: str, **changes: Any) -> str:
        path = write("todo.txt", f"{line}\nother id:o\n")
        (session,) = todotxt.read(path).sessions
        after = replace(session.tasks[0], **changes)
        (content,) = todotxt.write(path, [replace(session, tasks=(after,))]).values()
        first, rest = content.decode().split("\n", 1)
        assert rest == "other id:o\n"
        return first

    return rewrite


@pytest.mark.parametrize(
    ("line", "title", "done", "weight", "created"),
    [
        # The priority is the first thing, a capital letter in brackets with a blank behind it.
        ("(A) Call Mom", "Call Mom", False, 4.0, None),
        ("(b) Get back to the boss", "(b) Get back to the boss", False, 1.0, None),
        ("(B)->Submit", "(B)->Submit", False, 1.0, None),
        ("Really gotta call (A)", "Really gotta call (A)", False, 1.0, None),
        # The day of creation follows the priority, or begins the line.
        ("2011-03-02 Document +TodoTxt", "Document", False, 1.0, "2011-03-02"),
        ("(C) 2011-03-02 Call", "Call", False, 2.0, "2011-03-02"),
        ("Call 2011-03-02", "Call 2011-03-02", False, 1.0, None),
        # Two days belong to what is completed; the second is that of creation.
        ("2011-03-02 2011-03-01 x", "2011-03-01 x", False, 1.0, "2011-03-02"),
        ("x 2011-03-02 2011-03-01 Review @github", "Review", True, 1.0, "2011-03-01"),
        ("x 2011-03-02 Review", "Review", True, 1.0, None),
        # What begins with x but is no lower-case x with a blank is not completed.
        ("xylophone lesson", "xylophone lesson", False, 1.0, None),
        ("X 2012-01-01 Make", "X 2012-01-01 Make", False, 1.0, None),
        ("(A) x Find", "x Find", False, 4.0, None),
        ("x (B) Done pri:A", "Done", True, 3.0, None),
        ("x Done pri:A", "Done", True, 4.0, None),
    ],
)
def test_the_rules(
    one: Callable[[str], Task], line: str, title: str, done: bool, weight: float, created: str | None
) -> None:
    task = one(line)
    assert (task.title, task.weight, task.created_at) == (title, weight, created)
    assert (task.status is Status.COMPLETED, task.source_status == "x") == (done, done)


def test_projects_contexts_and_pairs_are_found_anywhere(one: Callable[[str], Task]) -> None:
    task = one("Ask +Sales about 2+2 me@example.com at http://x/ @phone t:2025-01-01 due:2025-02-01")
    assert task.title == "Ask +Sales about 2+2 me@example.com at http://x/"
    assert task.labels == ("+Sales", "@phone")
    assert task.extra == {"t": "2025-01-01", "due": "2025-02-01"}


def test_a_line_without_an_id_has_its_number(write: Write) -> None:
    path = write("todo.txt", "one\n\ntwo id:1\nthree after:1,4\r\n")
    tasks = todotxt.read(path).sessions[0].tasks
    assert [(task.id, task.dependencies) for task in tasks] == [
        ("line-1", ()),
        ("1", ()),
        ("4", ("1", "4")),
    ]


@pytest.mark.parametrize(
    ("line", "changes", "expected"),
    [
        ("(A) Call @phone", {"status": Status.COMPLETED}, "x Call @phone pri:A"),
        ("x Call @phone pri:A", {"status": Status.QUEUED}, "(A) Call @phone"),
        ("x 2025-01-02 2025-01-01 Call", {"status": Status.QUEUED}, "2025-01-01 Call"),
        (
            "2025-01-01 Call",
            {"status": Status.COMPLETED, "updated_at": "2025-01-09T10:00:00Z"},
            "x 2025-01-09 2025-01-01 Call",
        ),
        ("Call  due:2025-01-01", {"title": "Ring"}, "Ring  due:2025-01-01"),
        ("Call", {"weight": 4.0}, "(A) Call"),
        ("(A) Call", {"weight": 1.0}, "Call"),
        ("x Call", {"weight": 3.0}, "x Call pri:B"),
        ("Call @a", {"dependencies": ("o",)}, "Call @a after:o"),
        ("Call after:o @a", {"dependencies": ()}, "Call @a"),
    ],
)
def test_a_line_is_written_by_the_rules(
    rewritten: Callable[..., str], line: str, changes: dict[str, Any], expected: str
) -> None:
    assert rewritten(line, **changes) == expected


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"status": Status.ACTIVE}, "no word for active"),
        ({"status": Status.COMPLETED}, "needs the day of its completion"),
        ({"weight": 2.5}, "cannot say the weight 2.5"),
        ({"title": "two\nlines"}, "nothing was written"),
        ({"title": "ends with a @tag"}, "cannot say title"),
        ({"title": "x looks done"}, "cannot say title|nothing was written"),
        ({"dependencies": ("9",)}, "no line has id:9"),
    ],
)
def test_what_a_line_cannot_say_is_refused(
    rewritten: Callable[..., str], changes: dict[str, Any], what: str
) -> None:
    line = "Call" if "title" in changes else "2025-01-01 Call"
    with pytest.raises(SourceError, match=what):
        rewritten(line, **changes)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("todo.txt", "anything", True),
        ("work.todo.txt", "anything", True),
        ("list.txt", "x 2025-01-01 done\n", True),
        ("list.txt", "Dear all,\n(A) to B\n", True),
        ("list.txt", "Dear all,\n", False),
        ("todo.md", "(A) x\n", False),
        ("todo.txt", " \n", False),
    ],
)
def test_detection_goes_by_name_or_by_rules(write: Write, name: str, content: str, expected: bool) -> None:
    assert todotxt.detect(write(name, content)) is expected
