"""Files of answers: written, read, refused, and reported where they decide nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiergate.errors import UsageError
from tiergate.reconcile import answers as module
from tiergate.reconcile.answers import Answer, answered, read_answers, unused, write_answers
from tiergate.state_files import StateError

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
values = (
    texts
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(texts)
)
made = st.builds(
    Answer, id=texts, value=values, why=texts, by=texts, at=texts, seen=st.lists(texts, max_size=3).map(tuple)
)


@pytest.mark.parametrize("name", ["answers.toml", "answers.json"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_answers=st.lists(made, max_size=4, unique_by=lambda one: one.id))
def test_what_is_written_is_read_again(tmp_path: Path, name: str, given_answers: list[Answer]) -> None:
    path = tmp_path / name
    write_answers(path, given_answers)
    assert read_answers(path) == sorted(given_answers, key=lambda one: one.id)


def test_the_order_of_answers_does_not_change_the_file(tmp_path: Path) -> None:
    first = [Answer(id="b", value=1), Answer(id="a", value="x", why="so")]
    write_answers(tmp_path / "one.toml", first)
    write_answers(tmp_path / "two.toml", reversed(first))
    assert (tmp_path / "one.toml").read_bytes() == (tmp_path / "two.toml").read_bytes()


def test_where_there_is_no_file_nobody_has_answered(tmp_path: Path) -> None:
    assert read_answers(tmp_path / "none.toml") == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[[answer]]\nid = 'x'", "is no file of answers: .*`value`"),
        ("[[answer]]\nid = 'x'\nvalue = 1\nwho = 'me'", "is no file of answers: .*`who`"),
        ("answer = 3", "is no file of answers: "),
        ("[[answer]", "is no file of answers: .*line 1"),
        (
            "[[answer]]\nid = 'x'\nvalue = 1\n[[answer]]\nid = 'x'\nvalue = 2",
            "question 'x' is answered twice",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, text: str, error: str) -> None:
    path = tmp_path / "answers.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=error):
        read_answers(path)


def test_json_that_is_none_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UsageError, match="is no file of answers"):
        read_answers(tmp_path / "a.json")
    (tmp_path / "a.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is not UTF-8 at byte 0"):
        read_answers(tmp_path / "a.toml")
    with pytest.raises(UsageError, match="cannot read the answers"):
        read_answers(tmp_path)


@pytest.mark.parametrize("value", [None, {"a": 1}, "\ud800"])
def test_what_toml_cannot_say_is_an_error_and_the_old_file_stays(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "answers.toml"
    write_answers(path, [Answer(id="a", value=1)])
    with pytest.raises(UsageError, match=r"the answer to 'a' (cannot be written|would not be read)"):
        write_answers(path, [Answer(id="a", value=value)])
    assert read_answers(path) == [Answer(id="a", value=1)]


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "answers.toml"
    write_answers(path, [Answer(id="a", value=1)])

    def full(_path: Path, _data: bytes) -> None:
        raise StateError("no space left")

    monkeypatch.setattr(module, "replace_durably", full)
    with pytest.raises(StateError):
        write_answers(path, [Answer(id="b", value=2)])
    assert read_answers(path) == [Answer(id="a", value=1)]


def test_choices_are_compared_by_what_they_say() -> None:
    given_answers = {"q": Answer(id="q", value="a", seen=("Fix  it", "Ship it"))}
    found, step = answered("q", ("ship it", "fix it"), given_answers, "title")
    assert found is given_answers["q"]
    assert step.decided
    found, step = answered("q", ("ship it", "drop it"), given_answers, "title")
    assert found is None
    assert step.said.startswith("outdated: ")


def test_an_answer_without_a_question_is_reported() -> None:
    [line] = unused([Answer(id="status:gone/1:0", value="completed")], [])
    assert line == (
        "answer to status:gone/1:0: not used; there is no such question any more: "
        "the plans have changed, or agree now"
    )
