"""Whatever stands in a source, an importer reads it or refuses it as damaged, and never fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiergate.errors import SourceError
from tiergate.hooks import ImporterDeclaration
from tiergate.model import canonical, decode_session

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "uuid",
                    "name",
                    "number",
                    "content",
                    "description",
                    "state",
                    "body",
                    "depends",
                    "title",
                    "status",
                    "tasks",
                    "subtasks",
                    "dependencies",
                    "labels",
                    "priority",
                    "metadata",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)
json_texts = st.lists(json_values, min_size=1, max_size=3).map(
    lambda values: "\n".join(map(json.dumps, values)).encode()
)
yaml_texts = st.text("---\n:[]{}&*!|>'\"#%@`, \tidtle1\x85\u2028\ud7ff", max_size=60).map(
    lambda text: b"---\nid: task-1\n" + text.encode() + b"\n---\nbody"
)
marked_texts = st.text("-*1.[x ]/()#>`\n\r\t:+@ need%,weight", max_size=80).map(str.encode)
contents = (
    st.binary(max_size=200) | st.text(max_size=100).map(str.encode) | json_texts | yaml_texts | marked_texts
)


def expect_whole_or_refused(importer: ImporterDeclaration, path: Path) -> None:
    assert importer.detect(path) in (True, False)
    refused: SourceError | None = None
    try:
        imported = importer.read(path)
    except SourceError as error:
        refused = error
    if refused is not None:
        assert str(refused).startswith(str(path))
        return
    for error in imported.damage:
        assert str(error).startswith(str(path))
        assert "\n" not in str(error)
    if importer.write is not None:
        assert importer.write(path, imported.sessions) == {}
    for session in imported.sessions:
        assert decode_session(canonical(session)) == session
        ids = [task.id for task in session.tasks]
        assert len(set(ids)) == len(ids)


FILES = {
    "beads": "source.jsonl",
    "taskmaster": "tasks.json",
    "backlog": "",
    "shrimp": "tasks.json",
    "taskwarrior": "export.json",
    "todotxt": "todo.txt",
    "markdown": "plan.md",
    "claude-todos": "todos.json",
    "github": "issues.json",
    "tiergate": "export.jsonl",
}


def test_no_importer_is_left_out(importers: list[ImporterDeclaration]) -> None:
    assert {importer.name for importer in importers} == set(FILES)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=contents)
def test_garbage_is_read_or_refused(
    tmp_path: Path, importers: list[ImporterDeclaration], name: str, content: bytes
) -> None:
    (importer,) = (declared for declared in importers if declared.name == name)
    if name == "backlog":
        folder = tmp_path / "tasks"
        folder.mkdir(exist_ok=True)
        (folder / "a.md").write_bytes(content)
        expect_whole_or_refused(importer, tmp_path)
    else:
        path = tmp_path / FILES[name]
        path.write_bytes(content)
        expect_whole_or_refused(importer, path)


LONG = 200_000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plan.md", f"- [ ] a{' ' * LONG}b (done)\n- [ ] {'(' * LONG}\n- [ ] c ({'needs 1, ' * LONG}\n"),
        ("plan.md", f"- [ ] c ({'needs 1, ' * LONG})\n{'#' * LONG}\n{'1 % ' * LONG}\n- [ ] d{' ' * LONG}\n"),
        ("plan.md", "".join(f"{'  ' * depth}- [ ] deep\n" for depth in range(300))),
        ("todo.txt", f"x{' ' * LONG}y {'+tag ' * LONG}\n{'a:b:' * LONG}\n"),
        ("tasks.json", '{"tasks": [{"id": "a", "name": "A"}, ' + "[" * LONG),
        ("issues.json", '{"number": 1, "title": "x"} ' * 20_000 + '"' + "\\" * LONG),
        ("issues.jsonl", '{"id": "a"}\n' * 20_000),
    ],
    ids=lambda value: value[:12] if "." in value[:12] else "",
)
def test_what_is_long_takes_no_longer_than_its_length(
    tmp_path: Path, importers: list[ImporterDeclaration], name: str, content: str
) -> None:
    """A pattern that backtracks over such a text would not come to an end while anybody waits."""
    path = tmp_path / name
    path.write_text(content)
    for importer in importers:
        if importer.name in FILES and importer.name != "backlog":
            expect_whole_or_refused(importer, path)
