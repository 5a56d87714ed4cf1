"""Whatever text `evidence.toml` holds, it is read, or refused in one line with its place."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.errors import UsageError
from tiergate.evidence import Check
from tiergate.hooks import EvidenceCheckDeclaration
from tiergate.model import Task
from tiergate.plugins import PluginHost
from tiergate.reconcile.evidence_file import read_checks
from tiergate.reconcile.grouping import Tasks
from tiergate.testing import make_inquiry, make_plan

KINDS = {one.name: one for one in PluginHost().all(EvidenceCheckDeclaration)}
TASKS = Tasks(make_inquiry([make_plan("one", "S", [Task(id="a", title="A"), Task(id="b", title="B")])]))

WORDS = st.sampled_from(["file", "lines", "commit", "a", "S/a", "one", "src/a.py", "", "é", "x\ny", "nobody"])
NAMES = st.sampled_from(
    ["kind", "name", "tasks", "path", "least", "pattern", "mentions", "other", "kind.deep"]
)
VALUES = st.recursive(
    WORDS.map(lambda word: '"' + word.replace("\n", "\\n") + '"')
    | st.sampled_from(["1", "-1", "1.5", "true", "nan", "2026-01-01", "[]", "{}"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda many: f"[{', '.join(many)}]"),
    max_leaves=4,
)
LINES = st.builds(lambda name, value: f"{name} = {value}", NAMES, VALUES)
HEADERS = st.sampled_from(["[[check]]", "[check]", "[[check.more]]", "[other]", "# a note", "[[check"])
TEXTS = st.lists(HEADERS | LINES | LINES, max_size=12).map("\n".join)


def outcome_of(content: bytes) -> list[Check] | str:
    """What reading gives: checks, or the words of the refusal."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "evidence.toml")
        path.write_bytes(content)
        try:
            return read_checks(path, TASKS, KINDS)
        except UsageError as error:
            return str(error)


def expect_sound(found: list[Check] | str) -> None:
    if isinstance(found, str):
        assert re.search(r"evidence\.toml(:\d+)?: ", found), "a refusal says where"
        assert "\n" not in found, "a refusal is one line"
        return
    assert found, "a file without a check is refused"
    for one in found:
        assert one.kind in KINDS
        assert set(one.tasks) <= set(TASKS)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_tables_are_read_or_refused(text: str) -> None:
    expect_sound(outcome_of(text.encode()))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    expect_sound(outcome_of(content))


PATHS = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,2}\.py", fullmatch=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(PATHS, st.sampled_from(["a", "b"])), min_size=1, max_size=6))
def test_every_check_that_is_written_rightly_is_read(written: list[tuple[str, str]]) -> None:
    tables = (f'[[check]]\nkind = "file"\npath = "{path}"\ntasks = ["{task}"]\n' for path, task in written)
    found = outcome_of("\n".join(tables).encode())
    assert not isinstance(found, str), found
    assert [(one.options["path"], one.tasks[0].task) for one in found] == written
