"""What the evidence about a task proves, taken together: for rules that decide, and for decision trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from tiergate.reconcile_record import Evidence

__all__ = ["Outcome", "Proof", "one_outcome", "weigh"]

Outcome = Literal["holds", "fails", "unknown"]

MOST_FACTS = 3
"""Facts that a reason lists."""


class Proof(NamedTuple):
    """What evidence proves.

    Attributes:
        of: ``done`` where all that could be told holds, ``missing`` where all of it fails, ``begun`` where
            some holds, and ``nothing`` where nothing could be told.
        declared: whether a person asked for the checks that it rests on.
        facts: what they found, in one line.
    """

    of: Literal["done", "begun", "missing", "nothing"]
    declared: bool
    facts: str


def weigh(evidence: Sequence[Evidence]) -> Proof:
    """Weigh all evidence about a piece of work; inferred checks count only where no declared one could tell.

    What holds in history alone was there once and is gone: it proves neither. That no commit speaks of a task
    proves nothing unless a person asked for it.
    """
    for declared in (True, False):
        checks: dict[tuple[str, str, str], list[Evidence]] = {}
        for one in evidence:
            if one.declared is declared:
                checks.setdefault((one.name, one.check, one.subject), []).append(one)
        told: dict[Outcome, list[Evidence]] = {"holds": [], "fails": []}
        for found in checks.values():
            outcome = one_outcome(found)
            if outcome != "unknown" and (declared or outcome == "holds" or found[0].where != "history"):
                told[outcome].append(_telling(found, outcome))
        if told["holds"] or told["fails"]:
            facts = _facts([*told["fails"], *told["holds"]])
            of: Literal["done", "begun", "missing"] = (
                "missing" if not told["holds"] else "begun" if told["fails"] else "done"
            )
            return Proof(of, declared, facts)
    return Proof("nothing", False, _facts(evidence))


def one_outcome(found: Iterable[Evidence]) -> Outcome:
    """The outcome of one check that may have looked in several places: the working tree counts first.

    What fails in the tree and holds in history is unknown here: it was there and is gone. A check that found
    several things holds where one of them does.
    """
    places: dict[str, set[str]] = {}
    for one in found:
        places.setdefault(one.where or "tree", set()).add(one.outcome)
    tree, history = places.get("tree", set()), places.get("history", set())
    if "holds" in tree:
        return "holds"
    if not tree:
        return "holds" if "holds" in history else "fails" if history == {"fails"} else "unknown"
    return "fails" if tree == {"fails"} and "holds" not in history else "unknown"


def _telling(found: Sequence[Evidence], outcome: Outcome) -> Evidence:
    return next(one for one in found if one.outcome == outcome)


def _facts(evidence: Iterable[Evidence]) -> str:
    messages = list(dict.fromkeys(one.message for one in evidence))
    more = len(messages) - MOST_FACTS
    return "; ".join(messages[:MOST_FACTS]) + (f"; and {more} more" if more > 0 else "")
