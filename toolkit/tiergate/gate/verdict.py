"""The verdict of a whole gate, from those of its parts."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.record import GateBenchmark, GateUnpaired, GateVerdict


def verdict_of(benchmarks: Sequence[GateBenchmark], unpaired: Sequence[GateUnpaired]) -> GateVerdict:
    """Of the whole gate: it fails by one slowdown that nobody accepted, and passes only what was judged.

    One that the base runs and the new side lacks or skips was not judged; one that only the new side runs is
    new, and one that neither runs is no loss.
    """
    if any(one.verdict == "regressed" and not one.accepted for one in benchmarks):
        return "fail"
    undecided = any(one.verdict == "inconclusive" for one in benchmarks)
    lost = any(one.side == "new" or one.problem == "failed" for one in unpaired)
    return "inconclusive" if undecided or lost or not benchmarks else "pass"


def worst_of(verdicts: Sequence[GateVerdict]) -> GateVerdict:
    """Of several checks: all have to pass."""
    return "fail" if "fail" in verdicts else "inconclusive" if "inconclusive" in verdicts else "pass"
