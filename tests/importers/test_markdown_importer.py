"""Markdown checklists and reports: what is a task, what it says, and what is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tiergate.errors import SourceError
from tiergate.hooks import Imported
from tiergate.model import Session, Status, Task
from tiergate_plugins.importers import markdown

Write = Callable[[str, str | bytes], Path]

REPORT = """# Status of the plans

## Session `WORKER_POOL_INTEGRATION_NOV17` (primary, high priority, warming)

The session is 83 % complete.

1. WorkerPoolManager.ts (~550 lines) (completed)
2. MultiTierPoolManager.ts (active)
3. MCPCoordinator.ts (queued, needs 2)
4. Integration tests (queued, weight 6, needs 2 and 3)
5. Monitoring (queued, weight 5, needs 2)

## FLOW_BALANCER_OPTIMIZATION_NOV17 (flowing)

1. [x] MCPCoordinator.ts
2. [ ] Integration tests (active, momentum 10 %)
   - [ ] plan
   - [ ] implement (needs 1)

## Optimisations

- faster JSON
"""


@pytest.fixture
def read(write: Write) -> Callable[[str], Imported]:
    """Read a text as ``PLAN.md``."""
    return lambda text: markdown.read(write("PLAN.md", text))


def only(imported: Imported) -> Session:
    (session,) = imported.sessions
    return session


def test_a_report_becomes_its_sessions(read: Callable[[str], Imported]) -> None:
    first, second = read(REPORT).sessions
    assert first.id == "WORKER_POOL_INTEGRATION_NOV17"
    assert first.title == "Session `WORKER_POOL_INTEGRATION_NOV17` (primary, high priority, warming)"
    assert first.extra["stated_progress"] == [
        {"percent": 83.0, "line": 5, "text": "The session is 83 % complete."}
    ]
    assert [(task.id, task.title, task.status, task.weight, task.dependencies) for task in first.tasks] == [
        ("1", "WorkerPoolManager.ts (~550 lines)", Status.COMPLETED, 1.0, ()),
        ("2", "MultiTierPoolManager.ts", Status.ACTIVE, 1.0, ()),
        ("3", "MCPCoordinator.ts", Status.QUEUED, 1.0, ("2",)),
        ("4", "Integration tests", Status.QUEUED, 6.0, ("2", "3")),
        ("5", "Monitoring", Status.QUEUED, 5.0, ("2",)),
    ]
    assert second.id == "FLOW_BALANCER_OPTIMIZATION_NOV17"
    assert [(task.id, task.status, task.momentum, task.dependencies) for task in second.tasks] == [
        ("1", Status.COMPLETED, 0.0, ()),
        ("2", Status.ACTIVE, 0.1, ()),
        ("2.1", Status.QUEUED, 0.0, ()),
        ("2.2", Status.QUEUED, 0.0, ("2.1",)),
    ]


def test_a_checklist_is_one_session_with_sections(read: Callable[[str], Imported]) -> None:
    session = only(
        read("# My plan\n\n- [ ] a\n\n## Build\n\n* [x] b\n\n### Core\n\n+ [X] c\n  more\n\n  words\n")
    )
    assert (session.id, session.title) == ("PLAN", "My plan")
    assert [(task.id, task.title, task.extra.get("section")) for task in session.tasks] == [
        ("1", "a", None),
        ("2", "b", "Build"),
        ("3", "c", "Build > Core"),
    ]
    assert session.tasks[2].notes == "more\nwords"


def test_several_headings_of_the_first_level_are_sessions(read: Callable[[str], Imported]) -> None:
    assert [one.id for one in read("# One\n- [ ] a\n# Two b\n- [ ] a\n").sessions] == ["one", "two-b"]


@pytest.mark.parametrize(
    ("item", "status", "word"),
    [
        ("- [ ] t", Status.QUEUED, "[ ]"),
        ("- [x] t", Status.COMPLETED, "[x]"),
        ("- [X] t", Status.COMPLETED, "[X]"),
        ("- [/] t", Status.ACTIVE, "[/]"),
        ("- [-] t", Status.ABANDONED, "[-]"),
        ("- [ ] t (in progress)", Status.ACTIVE, "in progress"),
        ("- [ ] t (Blocked)", Status.BLOCKED, "Blocked"),
        ("- t (done)", Status.COMPLETED, "done"),
        ("- [ ] t (dropped)", Status.ABANDONED, "dropped"),
    ],
)
def test_each_status_is_mapped_and_its_word_kept(
    read: Callable[[str], Imported], item: str, status: Status, word: str
) -> None:
    imported = read(item)
    (task,) = only(imported).tasks
    assert (task.title, task.status, task.source_status) == ("t", status, word)
    assert imported.statuses[word] is status


@pytest.mark.parametrize(("item", "status"), [("[x] t (queued)", "completed"), ("[ ] t (done)", "queued")])
def test_where_box_and_words_contradict_each_other_the_box_counts(
    read: Callable[[str], Imported], item: str, status: str
) -> None:
    imported = read(f"- {item}\n")
    (task,) = only(imported).tasks
    assert task.status == status
    assert task.extra["stated_status"] in ("queued", "done")
    assert any("contradict each other" in note and "line 1" in note for note in imported.notes)


def test_an_unknown_mark_is_queued_and_noted(read: Callable[[str], Imported]) -> None:
    imported = read("- [?] t\n")
    assert only(imported).tasks[0].source_status == "[?]"
    assert "unknown status '[?]': 1 task queued" in imported.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "```\n- [ ] code\n```\n",
        "    - [ ] indented code\n",
        "<!--\n- [ ] a comment\n-->\n",
        "[ ] no item\n",
        "- plain\n- (see above)\n- a link [x](y)\n",
        "-[ ] no blank\n",
    ],
)
def test_what_only_looks_like_a_task_is_none(read: Callable[[str], Imported], text: str) -> None:
    assert [one for one in read(text).sessions if one.tasks] == []


def test_lists_that_are_nested_too_deeply_are_noted(read: Callable[[str], Imported]) -> None:
    imported = read("".join(f"{'  ' * depth}- [ ] deep\n" for depth in range(60)))
    assert len(only(imported).tasks) == 50
    assert imported.notes[0].startswith("line 50: lists are nested more than 50 deep")
    shallow = read("".join(f"{'  ' * depth}- [ ] deep\n" for depth in range(49)))
    assert (len(only(shallow).tasks), shallow.notes) == (49, [])


def test_numbers_that_begin_again_get_their_section(read: Callable[[str], Imported]) -> None:
    session = only(read("# P\n## A b\n1. [ ] x\n2. [ ] y (needs 1)\n## C\n1. [ ] z\n2. [ ] w (needs 1)\n"))
    assert [(task.id, task.dependencies) for task in session.tasks] == [
        ("1", ()),
        ("2", ("1",)),
        ("1@c", ()),
        ("2@c", ("1@c",)),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("83 % complete", [83.0]),
        ("it is 12.5% done", [12.5]),
        ("12,5 % finished", [12.5]),
        ("Progress: 40%", [40.0]),
        ("completion ~ 7 %", [7.0]),
        ("20 % faster", []),
        ("250 % complete", []),
    ],
)
def test_statements_of_progress_are_kept(
    read: Callable[[str], Imported], text: str, expected: list[float]
) -> None:
    session = only(read(f"{text}\n\n- [ ] t\n"))
    found = session.extra.get("stated_progress", [])
    assert [claim["percent"] for claim in found] == expected


def test_counts_are_statements_too_and_belong_to_their_task(read: Callable[[str], Imported]) -> None:
    session = only(read("1 of 6 tasks are done\n\n- [ ] t, 2/3 done\n"))
    assert session.extra["stated_progress"] == [
        {"done": 1, "of": 6, "line": 1, "text": "1 of 6 tasks are done"}
    ]
    assert session.tasks[0].extra["stated_progress"][0] | {"text": ""} == {
        "done": 2,
        "of": 3,
        "line": 3,
        "text": "",
    }


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        ("- [ ] t", {"status": Status.COMPLETED}, "- [x] t"),
        ("- [X]  t  ", {"status": Status.QUEUED}, "- [ ]  t  "),
        ("- [ ] t", {"status": Status.ACTIVE}, "- [ ] t (active)"),
        ("- [ ] t (blocked, weight 2)", {"status": Status.COMPLETED}, "- [x] t (weight 2)"),
        ("- [ ] t\n- [/] u", {"status": Status.ACTIVE}, "- [/] t\n- [/] u"),
        ("1. t (queued)", {"status": Status.BLOCKED}, "1. t (blocked)"),
        ("> * [ ] t\n", {"title": "u"}, "> * [ ] u\n"),
        ("- [ ] t", {"weight": 2.5}, "- [ ] t (weight 2.5)"),
        ("- [ ] t (weight 3)", {"weight": 1.0}, "- [ ] t"),
        ("1. [ ] t\n2. [ ] u", {"dependencies": ("2",)}, "1. [ ] t (needs 2)\n2. [ ] u"),
        ("- [ ] t (needs 2, active)\r\n- [ ] u", {"dependencies": ()}, "- [ ] t (active)\r\n- [ ] u"),
    ],
)
def test_an_item_is_written_as_it_is_read(
    write: Write, text: str, changes: dict[str, Any], expected: str
) -> None:
    path = write("PLAN.md", text)
    (session,) = markdown.read(path).sessions
    after = replace(session.tasks[0], **changes)
    (content,) = markdown.write(path, [replace(session, tasks=(after,))]).values()
    assert content.decode() == expected


@pytest.mark.parametrize("title", ["two\nlines", " lead", "t (done)", "", "a\rb", "nul\0", "half\ud800"])
def test_a_title_that_a_line_cannot_say_is_refused(write: Write, title: str) -> None:
    path = write("PLAN.md", "- [ ] t\n- [ ] u\n")
    (session,) = markdown.read(path).sessions
    after: Task = replace(session.tasks[0], title=title)
    with pytest.raises(SourceError, match="nothing was written"):
        markdown.write(path, [replace(session, tasks=(after,))])


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.md", "# x\n\n- [ ] y\n", True),
        ("a.markdown", "1. y (queued, needs 2)\n", True),
        ("a.txt", "- [x] y\n", True),
        ("a.md", "# x\n\n- y\n", False),
        ("a.json", "- [ ] y\n", False),
    ],
)
def test_detection_looks_for_a_task(write: Write, name: str, content: str, expected: bool) -> None:
    assert markdown.detect(write(name, content)) is expected
