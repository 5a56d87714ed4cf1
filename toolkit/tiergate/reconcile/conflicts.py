"""One conflict of a merge, as version control has it: two sides, maybe a base, and no plans around them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tiergate.deciding import Inquiry, Option, Question
from tiergate.hooks import DecisionRuleDeclaration
from tiergate.reconcile.verdicts import Verdict, ask_rules
from tiergate.reconcile_record import TaskRef

OURS, THEIRS = TaskRef("ours", "", ""), TaskRef("theirs", "", "")


def settle_conflict(
    field: str,
    base: Any,
    ours: Any,
    theirs: Any,
    *,
    ours_updated: str | None,
    theirs_updated: str | None,
    rules: Sequence[DecisionRuleDeclaration],
    now: datetime,
) -> Verdict:
    """Decide one field of one record that two sides have.

    Args:
        field: of `tiergate.model.Task`, with values as it has them: a status is a `tiergate.model.Status`, so
            words of other tools are mapped before.
        base: None where the base does not have the record.
        ours_updated, theirs_updated: when each side changed the record, as it was written.
        now: what times in the future are told by, with an offset.
    """
    options = (
        Option(task=OURS, value=ours, updated_at=ours_updated),
        Option(task=THEIRS, value=theirs, updated_at=theirs_updated),
    )
    question = Question(id="", field=field, options=options, base=base, has_base=base is not None)
    return ask_rules(question, Inquiry(plans=(), now=now), rules)
