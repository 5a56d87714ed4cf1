"""Tasks that decisions add stand in the plans before these are merged."""

from __future__ import annotations

from tiergate.model import Task
from tiergate.reconcile.adding import with_added
from tiergate.reconcile_record import Change, Decision
from tiergate.testing import make_plan, make_ref


def test_a_task_that_is_added_stands_at_the_end_of_its_session() -> None:
    plans = [make_plan("one", "s", [Task(id="1", title="Dig")]), make_plan("two", "s", [])]
    new = {"id": "2", "title": "Plant", "extra": {"estimate": "1 h"}}
    needs = Change(task=make_ref("s/1"), field="dependencies", before=[], after=["2"])
    added = Decision(
        tasks=(make_ref("s/2"),),
        rule="tree",
        outcome="it is missing",
        trace=(),
        changes=(Change(task=make_ref("s/2"), field="added", before=None, after=new), needs),
    )
    other = Decision(tasks=(), rule="ask", outcome="well?", trace=())
    grown, left = with_added(plans, [added, other])
    assert [task.id for task in grown[0].sessions[0].tasks] == ["1", "2"]
    assert grown[0].sessions[0].tasks[1] == Task(id="2", title="Plant", extra={"estimate": "1 h"})
    assert grown[1] == plans[1]
    assert [one.changes for one in left] == [(needs,), ()]
    assert (left[0].outcome, left[1]) == (added.outcome, other)
