"""beads issue files: what becomes what, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tiergate.errors import SourceError
from tiergate.hooks import Imported, ImporterDeclaration
from tiergate.model import Status, Task
from tiergate.sources import read_source
from tiergate_plugins.importers import beads

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def read(write: Write) -> Callable[..., Imported]:
    """Read issues as a file ``work.jsonl``."""

    def read_issues(*issues: dict[str, Any]) -> Imported:
        return beads.read(write("work.jsonl", "\n".join(map(json.dumps, issues)) + "\n"))

    return read_issues


@pytest.fixture
def one(read: Callable[..., Imported]) -> Callable[..., Task]:
    """Read one issue with these fields beside its id and title."""

    def read_one(**fields: Any) -> Task:
        return read({"id": "bd-1", "title": "One", **fields}).sessions[0].tasks[0]

    return read_one


def test_a_file_becomes_one_session_named_after_it(read: Callable[..., Imported]) -> None:
    imported = read({"id": "bd-1", "title": "One"}, {"id": "bd-2", "title": "Two"})
    (session,) = imported.sessions
    assert (session.id, session.title, session.version) == ("work", "work", 0)
    assert [(task.id, task.title) for task in session.tasks] == [("bd-1", "One"), ("bd-2", "Two")]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("open", Status.QUEUED),
        ("in_progress", Status.ACTIVE),
        ("hooked", Status.ACTIVE),
        ("blocked", Status.BLOCKED),
        ("deferred", Status.BLOCKED),
        ("closed", Status.COMPLETED),
        ("tombstone", Status.ABANDONED),
        ("pinned", Status.QUEUED),
    ],
)
def test_each_status_word_is_mapped_and_kept(
    read: Callable[..., Imported], word: str, status: Status
) -> None:
    imported = read({"id": "bd-1", "title": "One", "status": word})
    task = imported.sessions[0].tasks[0]
    assert (task.status, task.source_status) == (status, word)
    assert imported.statuses == {word: status}


def test_pinned_becomes_a_label_beside_the_others_and_is_noted(read: Callable[..., Imported]) -> None:
    imported = read({"id": "bd-1", "title": "One", "status": "pinned", "labels": ["ui"]})
    assert imported.sessions[0].tasks[0].labels == ("ui", "pinned")
    assert imported.notes == ["status 'pinned': 1 task queued, with the label 'pinned'"]


def test_an_unknown_status_is_queued_keeps_its_word_and_is_noted(read: Callable[..., Imported]) -> None:
    imported = read(
        {"id": "bd-1", "title": "One", "status": "paused"}, {"id": "bd-2", "title": "Two", "status": "paused"}
    )
    assert [task.source_status for task in imported.sessions[0].tasks] == ["paused", "paused"]
    assert imported.statuses == {"paused": Status.QUEUED}
    (note,) = imported.notes
    assert "unknown status 'paused': 2 tasks queued" in note
    assert "tombstone" in note


def test_a_missing_status_is_queued_and_noted(read: Callable[..., Imported]) -> None:
    imported = read({"id": "bd-1", "title": "One"})
    task = imported.sessions[0].tasks[0]
    assert (task.status, task.source_status) == (Status.QUEUED, None)
    assert imported.notes == ["no status: 1 task queued"]


def test_a_status_that_is_no_text_is_kept_aside(one: Callable[..., Task]) -> None:
    assert one(status=7).extra == {"status": 7}


@pytest.mark.parametrize(("priority", "weight"), [(0, 5), (1, 4), (2, 3), (3, 2), (4, 1)])
def test_the_highest_priority_weighs_most(one: Callable[..., Task], priority: Any, weight: int) -> None:
    task = one(priority=priority)
    assert task.weight == weight
    assert task.extra["priority"] == priority


@pytest.mark.parametrize("priority", [-1, 5, True, "1", None, 1.5])
def test_any_other_priority_weighs_one_and_is_noted(read: Callable[..., Imported], priority: Any) -> None:
    imported = read({"id": "bd-1", "title": "One", "status": "open", "priority": priority})
    assert imported.sessions[0].tasks[0].weight == 1
    assert imported.notes == ["priority other than 0 to 4: 1 task with the weight 1"]


def test_only_blocking_links_from_the_issue_itself_are_dependencies(one: Callable[..., Task]) -> None:
    def link(target: str, kind: str, source: str = "bd-1") -> dict[str, str]:
        return {"issue_id": source, "depends_on_id": target, "type": kind}

    links = [
        link("bd-2", "blocks"),
        link("bd-3", "parent-child"),
        link("bd-4", "discovered-from"),
        link("bd-2", "blocks"),
        link("bd-5", "blocks", source="bd-9"),
    ]
    task = one(dependencies=links)
    assert task.dependencies == ("bd-2",)
    assert task.extra["dependencies"] == links


@pytest.mark.parametrize("links", [None, "bd-2", ["bd-2"], [{"type": "blocks", "depends_on_id": 2}], {}])
def test_dependencies_of_another_shape_are_kept_aside(one: Callable[..., Task], links: Any) -> None:
    task = one(dependencies=links)
    assert task.dependencies == ()
    assert task.extra["dependencies"] == links


def test_a_dependency_on_an_absent_issue_is_kept_and_noted(read: Callable[..., Imported]) -> None:
    link = {"issue_id": "bd-1", "depends_on_id": "bd-7", "type": "blocks"}
    imported = read({"id": "bd-1", "title": "One", "status": "open", "dependencies": [link]})
    assert imported.sessions[0].tasks[0].dependencies == ("bd-7",)
    assert imported.notes == ["work: 1 dependency on absent tasks, kept as written: bd-7"]


def test_the_description_becomes_the_notes_and_other_texts_stay_aside(one: Callable[..., Task]) -> None:
    task = one(description="Why", notes="Later", design="How", acceptance_criteria="When")
    assert task.notes == "Why"
    assert task.extra == {"notes": "Later", "design": "How", "acceptance_criteria": "When"}


@pytest.mark.parametrize(
    "description", [{}, {"description": ""}, {"description": " \n"}, {"description": None}]
)
def test_without_a_description_the_next_best_text_serves(one: Callable[..., Task], description: Any) -> None:
    task = one(**description, notes="Later", acceptance_criteria="When")
    assert task.notes == "When"
    assert task.extra["acceptance_criteria"] == "When"


def test_times_are_kept_to_the_last_digit(one: Callable[..., Task]) -> None:
    task = one(created_at="2025-12-14T14:25:28.448654-08:00", updated_at="2025-12-14T22:25:28.44Z")
    assert task.created_at == "2025-12-14T14:25:28.448654-08:00"
    assert task.updated_at == "2025-12-14T22:25:28.44Z"
    assert task.extra == {}


def test_unknown_fields_and_unexpected_types_are_kept_unchanged(one: Callable[..., Task]) -> None:
    fields = {"labels": ["a", 1], "created_at": 12, "wisp": True, "nested": {"a": [1, None]}}
    assert one(**fields).extra == fields


def test_blank_lines_a_byte_order_mark_and_foreign_line_ends_do_no_harm(write: Write) -> None:
    path = write("work.jsonl", b'\xef\xbb\xbf{"id": "a", "title": "A"}\r\n\r\n{"id": "b", "title": "B"}')
    assert [task.id for task in beads.read(path).sessions[0].tasks] == ["a", "b"]


def test_line_separators_inside_a_text_do_not_end_a_line(write: Write) -> None:
    path = write("work.jsonl", '{"id": "a", "title": "A\u2028\u0085B"}\n')
    assert beads.read(path).sessions[0].tasks[0].title == "A\u2028\u0085B"


GOOD = '{"id": "a", "title": "Ä"}\n'


@pytest.mark.parametrize(
    ("content", "place", "what"),
    [
        (GOOD + '{"id": "b", }', ":2:13", "not JSON"),
        (GOOD + '{"id": "ä", "title": x}', ":2:22", "not JSON: invalid character"),
        (GOOD + '{"id": "b", "title": "B"', ":2:25", "not JSON"),
        (GOOD + "\n[1]", ":3:1", "not an issue: a list instead of an object"),
        (GOOD + '"text"', ":2:1", "not an issue: a text"),
        (GOOD + "null", ":2:1", "not an issue: null"),
        (GOOD + "12", ":2:1", "not an issue: a number"),
        ('{"title": "B"}', ":1:1", "`id` is missing"),
        ('{"id": "", "title": "B"}', ":1:1", "`id` is missing"),
        ('{"id": 4, "title": "B"}', ":1:1", "`id` is missing or no text"),
        (GOOD + '{"id": "b"}', ":2:1", "`title` is missing"),
        ('{"id": "b", "title": "B", "n": 1e999}', ":1", "not JSON that can be read"),
        ('{"id": "b", "title": "B", "n": ' + "[" * 100_000, ":1", "nested too deeply"),
        ('{"id": "b", "title": "B", "n": NaN}', ":1:32", "not JSON"),
        (GOOD + '{"id": "b", "title": "B"}\n' + GOOD, ":3:1", "'a' stands twice: in line 1 and in line 3"),
        (GOOD.encode() + b'{"id": "\xff"}', ":2:9", "not UTF-8 text"),
        ('{"id": "a", "title": "Ä"}'.encode("utf-16"), ":1:1", "UTF-16 text, not UTF-8"),
        ('{"id": "a", "title": "Ä"}'.encode("latin-1"), ":1:23", "not UTF-8 text"),
        (b"{}\0", "", "a binary file"),
        (b" \n", "", "the file is empty"),
    ],
)
def test_a_damaged_file_is_named_with_line_and_column(
    write: Write, importers: list[ImporterDeclaration], content: str | bytes, place: str, what: str
) -> None:
    path = write("work.jsonl", content)
    with pytest.raises(SourceError) as caught:
        read_source(path, "beads", importers)
    assert caught.value.where == f"{path}{place}"
    assert what in caught.value.what
    assert "\n" not in str(caught.value)


def test_every_damaged_line_is_left_out_and_noted(write: Write) -> None:
    path = write("work.jsonl", GOOD + '{"id"\n' + GOOD + "3\n" + '{"id": "b", "title": "B"}')
    imported = beads.read(path)
    assert [task.id for task in imported.sessions[0].tasks] == ["a", "b"]
    assert sorted(str(error.where) for error in imported.damage) == [
        f"{path}:{n}" for n in ("2:6", "3:1", "4:1")
    ]


@pytest.mark.parametrize(
    ("before", "status", "after"),
    [
        ('"status":"open"', Status.COMPLETED, '"status":"closed","updated_at":"T","closed_at":"T"'),
        ('"status":"closed","closed_at":"S"', Status.ACTIVE, '"status":"in_progress","updated_at":"T"'),
        (
            '"closed_at":"S","status":"closed"',
            Status.ABANDONED,
            '"status":"tombstone","deleted_at":"T","updated_at":"T"',
        ),
        ('"status":"hooked","priority":0', Status.ACTIVE, '"status":"hooked","priority":0,"updated_at":"T"'),
    ],
)
def test_a_status_is_written_with_its_time(write: Write, before: str, status: Status, after: str) -> None:
    path = write("work.jsonl", f'{{"id":"a","title":"A",{before}}}\n')
    (session,) = beads.read(path).sessions
    task = replace(session.tasks[0], status=status, updated_at="T")
    (content,) = beads.write(path, [replace(session, tasks=(task,))]).values()
    found = json.loads(content)
    assert found == json.loads(f'{{"id":"a","title":"A",{after}}}')
    assert "closed_at" in found or status is not Status.COMPLETED


def test_without_a_time_nothing_is_closed(write: Write) -> None:
    path = write("work.jsonl", GOOD)
    (session,) = beads.read(path).sessions
    task = replace(session.tasks[0], status=Status.COMPLETED)
    with pytest.raises(SourceError, match=r"'closed' goes with closed_at.*give updated_at"):
        beads.write(path, [replace(session, tasks=(task,))])


def test_links_of_other_types_stay_where_they_are(
    write: Write, samples: dict[str, list[dict[str, bytes]]]
) -> None:
    path = write("issues.jsonl", samples["beads"][0]["issues.jsonl"])
    (session,) = beads.read(path).sessions
    task = replace(session.tasks[1], dependencies=("bd-3", "bd-1"))
    (content,) = beads.write(path, [replace(session, tasks=(task,))]).values()
    links = json.loads(content.splitlines()[1])["dependencies"]
    assert [(link["depends_on_id"], link["type"]) for link in links] == [
        ("bd-9", "parent-child"),
        ("bd-3", "blocks"),
        ("bd-1", "blocks"),
    ]
    assert links[2]["created_by"] == "ann"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        beads.read(tmp_path / "none.jsonl")
    with pytest.raises(SourceError, match="not a file"):
        beads.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", '{"id": "a", "title": "A", "status": "open"}\n', True),
        ("a.txt", '\n{"title": "A", "priority": 1, "id": "a"}\n', True),
        ("a.jsonl", 'garbage\n{"id": "a", "title": "A", "status": "open"}\n', True),
        ("a.txt", 'garbage\n{"id": "a", "title": "A", "status": "open"}\n', False),
        ("a.jsonl", '{"id": "a", "title": "' + "long " * 5000 + '", "status": "open"}\n', True),
        ("a.jsonl", '{"id": "a", "title": ', True),
        ("a.jsonl", '{"id": "a", "title": "A"}\n', False),
        ("a.jsonl", '{"at": 0.5, "op": "task_update"}\n', False),
        ("a.jsonl", "", False),
        ("a.json", '{"master": {"tasks": [\n{"id": 1, "title": "x", "status": "done"}\n]}}', False),
    ],
)
def test_detection_looks_at_the_beginning(
    write: Write, name: str, content: str | bytes, expected: bool
) -> None:
    assert beads.detect(write(name, content)) is expected


def test_detection_of_a_folder_or_nothing_is_no(tmp_path: Path) -> None:
    assert beads.detect(tmp_path) is False
    assert beads.detect(tmp_path / "none") is False
    assert beads.detect(Path("a\0b")) is False
