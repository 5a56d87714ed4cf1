"""The verdict of a whole comparison."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.record import GateBenchmark, GateUnpaired, GateVerdict


def verdict_of(benchmarks: Sequence[GateBenchmark], unpaired: Sequence[GateUnpaired]) -> GateVerdict:
    """Of the whole gate: it fails by one slowdown that nobody accepted, and passes only what was judged.

    One that the base has and the new side lacks was not judged; one that only the new side has is new.
    """
    if any(one.verdict == "regressed" and not one.accepted for one in benchmarks):
        return "fail"
    undecided = any(one.verdict == "inconclusive" for one in benchmarks)
    lost = any(one.side == "new" or one.problem == "failed" for one in unpaired)
    return "inconclusive" if undecided or lost or not benchmarks else "pass"
