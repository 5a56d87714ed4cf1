"""What the requests take on each kind of store: in this process, passes interleaved, each on a fresh copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from shutil import rmtree

from tiergate.errors import RunError, TiergateError
from tiergate.hooks import OperationDeclaration
from tiergate.load.intervals import geometric_mean, ratio_interval
from tiergate.load.stage import fill
from tiergate.model import Session
from tiergate.operation import Request
from tiergate.plugins import PluginHost
from tiergate.run_record import Interval
from tiergate.worker import Service


@dataclass(frozen=True, slots=True)
class Served:
    """Service times in seconds, by store; for each a list of passes, each in the order of the requests.

    Attributes:
        served: indices of the requests whose times these are; others were refused.
    """

    times: Mapping[str, Sequence[Sequence[float]]]
    served: Sequence[int]

    def ratio(self, store: str, to: str) -> tuple[float, Interval]:
        """All requests of a pass on one store over the same on another one, and 95 % of it by passes."""
        ratios = [sum(one) / sum(other) for one, other in zip(self.times[store], self.times[to], strict=True)]
        interval = ratio_interval(ratios)
        assert interval is not None, "at least two passes"
        return geometric_mean(ratios), interval


def serve_all(
    host: PluginHost,
    stores: Sequence[str],
    sessions: Sequence[Session],
    requests: Sequence[Request],
    passes: int,
    folder: Path,
    step: Callable[[], None],
) -> Served:
    """Serve the requests on every store, `passes` times, in an order that is drawn for each pass.

    Args:
        stores: kinds, such as ``sqlite`` or ``zstd+json``; writes are durable on each.
        folder: for the fresh copies.

    Raises:
        RunError: a store cannot be filled, or no request is served.
    """
    random = Random("order of stores")
    operations = host.all(OperationDeclaration)
    times: dict[str, list[list[float]]] = {store: [] for store in stores}
    refused: set[int] = set()
    for number in range(passes):
        for store in random.sample(list(stores), k=len(stores)):
            place = folder / f"{number}-{stores.index(store)}"
            place.mkdir()
            try:
                taken, failed = _serve(host, operations, f"{store}:{place / 'store'}", sessions, requests)
            except (OSError, TiergateError) as error:
                raise RunError(f"{store} could not be measured: {error}") from error
            finally:
                rmtree(place, ignore_errors=True)
            times[store].append(taken)
            refused |= failed
            step()
    kept = [index for index in range(len(requests)) if index not in refused]
    if not kept:
        raise RunError("no request of the trace is served on these sessions")
    return Served(
        {store: [[one[index] for index in kept] for one in taken] for store, taken in times.items()}, kept
    )


def _serve(
    host: PluginHost,
    operations: Sequence[OperationDeclaration],
    address: str,
    sessions: Sequence[Session],
    requests: Sequence[Request],
) -> tuple[list[float], set[int]]:
    with host.opener().open(address) as store:
        fill(store, sessions)
    with Service(host.opener().open(address), operations) as service:
        replies = [service.handle(request) for request in requests]
    failed = {index for index, reply in enumerate(replies) if reply.failure is not None}
    return [reply.service_ns / 1e9 for reply in replies], failed
