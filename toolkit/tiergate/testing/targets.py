"""The contract suite for load targets."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from time import perf_counter

import pytest

from tiergate.catalogue import bare_facts
from tiergate.errors import UsageError
from tiergate.hooks import LoadTargetDeclaration
from tiergate.operation import Request
from tiergate.pool import PoolUsage
from tiergate.target import Flight, Target, TargetSetup

PATIENCE_S = 30.0
FLIGHTS = 20


class TargetContract:
    """Every promise of a `Target`, tested against one that is not routed.

    Subclass it, and override the fixtures ``declaration``, ``setup`` and ``wrong``.
    """

    @pytest.fixture
    def declaration(self) -> LoadTargetDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the LoadTargetDeclaration to test")

    @pytest.fixture
    def setup(self) -> TargetSetup:
        """What a target is opened with that serves `requests`. Override it."""
        pytest.fail("override the fixture `setup`: return a TargetSetup with the argument to open it with")

    @pytest.fixture
    def wrong(self) -> TargetSetup | None:
        """What it refuses to be opened with; None for a target that takes anything."""
        return None

    @pytest.fixture
    def requests(self) -> Sequence[Request]:
        """What is sent. Override it where the target serves other operations."""
        return [Request(number, "task_get", "s", {"task": "t"}) for number in range(FLIGHTS)]

    def test_every_flight_lands_exactly_once(
        self, declaration: LoadTargetDeclaration, setup: TargetSetup, requests: Sequence[Request]
    ) -> None:
        flights, landings = asyncio.run(_fly(declaration.open(setup), requests, PATIENCE_S))
        assert set(landings.values()) == {1}, "Target.send: every flight lands exactly once"
        assert len(landings) == len(requests), "Target.send: every flight lands exactly once"
        for flight in flights:
            assert (flight.reply is None) != (flight.error is None), (
                "Flight.landed: called once `reply` or `error` is set"
            )
            if flight.reply is not None:
                assert flight.reply.id == flight.request.id, "Reply.id: that of the request"

    def test_sending_never_blocks(
        self, declaration: LoadTargetDeclaration, setup: TargetSetup, requests: Sequence[Request]
    ) -> None:
        async def send() -> float:
            target = declaration.open(setup)
            await target.start()
            began = perf_counter()
            for request in requests:
                target.send(_flight(request, PATIENCE_S, lambda _: None))
            took = perf_counter() - began
            await target.close()
            return took

        assert asyncio.run(send()) < PATIENCE_S / 2, "Target.send: never blocks"

    def test_closing_twice_does_nothing_more(
        self, declaration: LoadTargetDeclaration, setup: TargetSetup
    ) -> None:
        async def close() -> PoolUsage:
            target = declaration.open(setup)
            await target.start()
            await target.close()
            return await target.close()

        usage = asyncio.run(close())
        assert isinstance(usage, PoolUsage), "Target.close: says what it used, as far as that can be known"

    def test_a_good_argument_is_taken_and_a_wrong_one_refused(
        self, declaration: LoadTargetDeclaration, setup: TargetSetup, wrong: TargetSetup | None
    ) -> None:
        declaration.check(setup)
        if wrong is None:
            return

        def refused() -> None:
            declaration.check(wrong)
            declaration.open(wrong)

        with pytest.raises(UsageError) as refusal:
            refused()
        assert "\n" not in str(refusal.value), "TiergateError: one line"


async def _fly(
    target: Target, requests: Sequence[Request], left_s: float
) -> tuple[list[Flight], Counter[int]]:
    landings: Counter[int] = Counter()

    def landed(flight: Flight) -> None:
        landings[flight.request.id] += 1

    await target.start()
    try:
        await target.warm_up(requests[:1])
        flights = [_flight(request, left_s, landed) for request in requests]
        for flight in flights:
            target.send(flight)
        ends = perf_counter() + left_s
        while len(landings) < len(requests) and perf_counter() < ends:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)  # one that lands twice does so now
    finally:
        await target.close()
    return flights, landings


def _flight(request: Request, left_s: float, landed: object) -> Flight:
    now = perf_counter()
    return Flight(
        request=request,
        facts=bare_facts(request),
        landed=landed,  # type: ignore[arg-type]
        intended=now,
        sent=now,
        ends=now + left_s,
    )
