"""The walk through open questions, typed by a person who is not there."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tiergate.deciding import Inquiry
from tiergate.errors import UsageError
from tiergate.model import Status, Task
from tiergate.reconcile.answers import Answer, read_answers
from tiergate.reconcile.deciding_chain import decide
from tiergate.reconcile.review import Reviewed, review
from tiergate.testing import make_evidence, make_inquiry, make_match, make_plan, make_ref


class Keys(io.StringIO):
    """What is typed, from something that says it is a terminal."""

    def isatty(self) -> bool:
        return True


EVIL = "\x1b[2JWrite it\u202e[bold]"


@pytest.fixture
def inquiry() -> Inquiry:
    """Two statuses and one weight that nobody but a person can settle."""

    def plan(source: str, statuses: tuple[str, str], weight: float) -> Any:
        tasks = [
            Task(
                id=f"bd-{number}", title=EVIL, notes="n" * 900, status=Status(status), weight=weight * number
            )
            for number, status in enumerate(statuses)
        ]
        return make_plan(source, "s", tasks)

    return make_inquiry(
        [plan("one", ("abandoned", "queued"), 1.0), plan("two", ("active", "abandoned"), 2.0)],
        [make_match(make_ref(f"s/bd-{n}", "one"), make_ref(f"s/bd-{n}", "two")) for n in (0, 1)],
        [make_evidence("unknown", make_ref("s/bd-0", "two"), message="c\x1b[31mommands are not allowed")],
    )


Play = Callable[..., tuple[Reviewed, str]]


@pytest.fixture
def play(inquiry: Inquiry, rules: Any, tmp_path: Path) -> Play:
    """Review with these lines typed, and give what it came to and what was shown."""

    def run(*lines: str, width: int = 100) -> tuple[Reviewed, str]:
        shown = io.StringIO()
        path = tmp_path / "answers.toml"
        decisions = decide(inquiry, rules, answers=read_answers(path))
        done = review(
            decisions,
            inquiry,
            path,
            source=Keys("".join(f"{line}\n" for line in lines)),
            console=Console(file=shown, width=width, force_terminal=False),
            by="Ada",
        )
        return done, shown.getvalue()

    return run


def kept(folder: Path) -> list[tuple[str, Any, str]]:
    return [(one.id.split(":")[0], one.value, one.why) for one in read_answers(folder / "answers.toml")]


def test_every_open_question_is_asked_and_every_answer_kept(play: Play, tmp_path: Path) -> None:
    done, shown = play("2", "we go on", "1", "", "v", "4", "")
    assert (done.answered, done.left) == (3, 0)
    assert kept(tmp_path) == [("status", "active", "we go on"), ("status", "queued", ""), ("weight", 4.0, "")]
    [first, *_] = read_answers(tmp_path / "answers.toml")
    assert (first.by, first.seen) == ("Ada", ("abandoned", "active"))
    assert "3 answers kept in" in shown.replace("\n", "")


def test_a_review_that_was_left_goes_on_where_it_was(play: Play, tmp_path: Path) -> None:
    assert play("2", "", "q")[0] == Reviewed(1, 2)
    done, shown = play("1", "", "q")
    assert done == Reviewed(1, 1)
    assert "1 of 2" in shown
    assert play()[0] == Reviewed(0, 1)
    assert len(kept(tmp_path)) == 2


def test_an_input_that_ends_loses_no_answer(play: Play, tmp_path: Path) -> None:
    assert play("2")[0] == Reviewed(1, 2)
    assert kept(tmp_path) == [("status", "active", "")]


def test_skipping_and_going_back(play: Play, tmp_path: Path) -> None:
    done, shown = play("b", "s", "1", "", "b", "2", "", "q")
    assert done == Reviewed(1, 2)
    assert kept(tmp_path) == [("status", "abandoned", "")]
    assert "this is the first question" in shown


def test_what_is_not_understood_is_asked_again(play: Play, tmp_path: Path) -> None:
    done, shown = play("9", "x", "v", "finished", "v", "blocked", "", "q")
    assert done.answered == 1
    assert kept(tmp_path) == [("status", "blocked", "")]
    assert "'9' is none of the keys" in shown
    assert "status cannot be 'finished'" in " ".join(shown.split())


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_the_question_fits_and_nothing_in_it_acts_on_the_terminal(play: Play, width: int) -> None:
    _, shown = play("q", width=width)
    assert max(map(len, shown.splitlines())) <= width
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    flat = "".join(shown.split())
    assert "\\x1b[2JWrite" in flat
    assert "[bold]" in flat
    assert "commandsarenotallowed" in flat.replace("\\x1b[31m", "")
    for rule in ("evidence", "three-way", "most-advanced", "newest"):
        assert f"{rule}:" in shown


def test_both_tasks_stand_side_by_side(play: Play) -> None:
    for width in (60, 100):
        _, shown = play("q", width=width)
        [line] = [line for line in shown.splitlines() if line.count("status:") == 2]
        assert line.index("abandoned") < line.index("active")


def test_pairs_are_asked_by_their_choices_alone(rules: Any, tmp_path: Path) -> None:
    plans = [make_plan(name, name, [Task(id="1", title=f"Write {name}")]) for name in ("a", "b")]
    inquiry = make_inquiry(plans, [make_match(make_ref("a/1", "a"), make_ref("b/1", "b"), 0.6)])
    shown = io.StringIO()
    review(
        decide(inquiry, rules),
        inquiry,
        tmp_path / "answers.json",
        source=Keys("v\n2\n\n"),
        console=Console(file=shown, width=80),
    )
    [answer] = read_answers(tmp_path / "answers.json")
    assert answer.value == "apart"
    assert "'v' is none of the keys" in shown.getvalue()


def test_without_a_terminal_it_is_refused(inquiry: Inquiry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--review: a review needs a terminal to type into"):
        review([], inquiry, tmp_path / "a.toml", source=io.StringIO(), console=Console(file=io.StringIO()))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_none_is_left_alone(inquiry: Inquiry, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[[answer]")
    with pytest.raises(UsageError, match="is no file of answers"):
        review([], inquiry, path, source=Keys(), console=Console(file=io.StringIO()))
    assert path.read_text() == "[[answer]"


def test_answers_to_other_questions_stay_in_the_file(play: Play, tmp_path: Path) -> None:
    (tmp_path / "answers.toml").write_text('[[answer]]\nid = "status:gone/1:0"\nvalue = "queued"\n')
    play("2", "", "q")
    assert Answer(id="status:gone/1:0", value="queued") in read_answers(tmp_path / "answers.toml")
