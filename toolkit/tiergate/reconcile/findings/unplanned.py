"""Items of a list of wishes that no session has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tiergate.reconcile.findings.view import View, named, words_of
from tiergate.reconcile.matrix import covering
from tiergate.reconcile_record import Finding, FindingKind

_OPTIONAL = re.compile(
    r"\b(?:optional(?:ly)?|only (?:if|when)|if needed|when needed|nice to have)\b", re.IGNORECASE
)


def unplanned(view: View) -> Iterator[Finding]:
    """One finding for each item of the lists that is open and that no task of a session covers."""
    covered = covering(view)
    for known in view.wishes.values():
        if known.ref in covered or known.task.status in ("completed", "abandoned"):
            continue
        optional = _OPTIONAL.search(words_of(known)) is not None
        yield Finding(
            kind=FindingKind.UNPLANNED,
            severity="low" if optional else "medium",
            tasks=(known.ref,),
            message=f"no session plans {named(known)}" + (", which is optional" if optional else ""),
            hint="add it to the session that it belongs to, or drop it from the list",
        )
