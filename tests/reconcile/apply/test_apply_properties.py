"""Whatever a store holds and a plan says: applied is what the plan says, undone is what was there."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from apply_desk import Desk
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.model import Session, Status, Task
from tiergate.reconcile.applying import reading

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
tasks = st.builds(
    Task,
    id=texts,
    title=texts,
    notes=texts,
    status=st.sampled_from(Status),
    weight=st.floats(0, 100) | st.just(1.0),
    dependencies=st.lists(texts, max_size=2).map(tuple),
    updated_at=st.none() | texts,
    extra=st.dictionaries(st.sampled_from(["k", "ключ", "undecided"]), json, max_size=2),
)
sessions = st.dictionaries(
    st.sampled_from(["a", "b", "сессия"]),
    st.tuples(texts, st.lists(tasks, max_size=3, unique_by=lambda task: task.id).map(tuple)),
).map(lambda found: {name: Session(id=name, title=one[0], tasks=one[1]) for name, one in found.items()})


@pytest.mark.parametrize("scheme", ["json", "jsonfile", "sqlite", "plain"])
def test_applied_and_undone(scheme: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(sessions, sessions)
    def check(before: dict[str, Session], plan: dict[str, Session]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            desk = Desk(Path(folder), scheme)
            desk.save(*before.values())
            done = desk.apply(*plan.values(), read=reading(desk.opener, desk.address))
            assert desk.content() == {**before, **plan}
            assert {*done.made, *done.changed, *done.equal} == set(plan)
            assert {change.session for change in done.changes} == {
                name for name in done.changed + done.made if plan[name] != before.get(name, Session(id=name))
            }
            if done.id is not None:
                desk.undo()
            assert desk.content() == before

    check()
