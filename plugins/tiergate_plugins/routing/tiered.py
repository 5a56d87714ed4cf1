"""What routers that choose a tier share: which worker of the tier, and what to do where it has none."""

from __future__ import annotations

from hashlib import blake2b

from tiergate.routing import TIERS, Choice, PoolView, Tier, WorkerView


def place(tier: Tier, session: str | None, estimate_s: float, pool: PoolView) -> Choice:
    """Put a request on a worker of a tier.

    Requests of one session go to the same worker, the one with the highest hash of session and worker
    (rendezvous hashing: Thaler & Ravishankar, 1998), so that a worker's end moves its own sessions only.
    Requests without a session go to whichever worker of the tier is free first.

    Raises:
        LookupError: the pool has no worker at all.
    """
    workers = pool.of_tier(tier)
    if not workers:
        tier, workers = _nearest(tier, pool)
    if session is None:
        return Choice(tier, None, estimate_s)
    if len(workers) == 1:
        return Choice(tier, workers[0].name, estimate_s)
    return Choice(tier, max(workers, key=lambda worker: _score(session, worker)).name, estimate_s)


def _nearest(tier: Tier, pool: PoolView) -> tuple[Tier, list[WorkerView]]:
    """The nearest tier that has workers, colder ones first."""
    position = TIERS.index(tier)
    for candidate in (*TIERS[position + 1 :], *reversed(TIERS[:position])):
        workers = pool.of_tier(candidate)
        if workers:
            return candidate, workers
    raise LookupError("no worker is ready")


def _score(session: str, worker: WorkerView) -> bytes:
    # The built-in hash of text differs from process to process.
    return blake2b(f"{session}\0{worker.name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
