"""What the checks of the pool contract are given; a plugin author overrides the first at least."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tiergate.hooks import PoolDeclaration
from tiergate.operation import Reply, Request
from tiergate.pool import Pool, PoolSpec, TierSpec
from tiergate.testing.pool_parts import REFERENCE, SCHEME

KillWorker = Callable[[Pool, str], Awaitable[None] | None]
"""Ends the worker of that name from outside, at once, whatever it does."""

TIERS = (TierSpec("hot", 2), TierSpec("cold", 1))

_Result = TypeVar("_Result")


class PoolFixtures:
    """Fixtures of the pool contract."""

    PATIENCE_S = 60.0
    """No check takes longer than that; raise it for a pool whose workers start slowly."""

    @pytest.fixture
    def declaration(self) -> PoolDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the PoolDeclaration to test")

    @pytest.fixture
    def store_address(self, tmp_path: Path) -> str:
        """Where an empty store is that all workers share. Override it when a local path will not do."""
        return f"{SCHEME}:{tmp_path / 'contract.json'}"

    @pytest.fixture
    def kill_worker(self) -> KillWorker | None:
        """How to end a worker from outside. Override it; checks that need it are skipped without."""
        return None

    @pytest.fixture
    def spec(self, store_address: str) -> PoolSpec:
        """A pool of two hot workers and a cold one."""
        return PoolSpec(
            tiers=TIERS,
            store=store_address,
            store_plugins=[REFERENCE],
            operation_plugins=[REFERENCE],
            start_timeout_s=self.PATIENCE_S,
        )

    def use(
        self,
        declaration: PoolDeclaration,
        spec: PoolSpec,
        check: Callable[[Pool], Awaitable[_Result]],
        **changes: Any,
    ) -> _Result:
        """Run a check on a pool that is started and closed."""

        async def run() -> _Result:
            async with _patience(self.PATIENCE_S), declaration.build(replace(spec, **changes)) as pool:
                return await check(pool)

        return asyncio.run(run())


@asynccontextmanager
async def _patience(seconds: float) -> Any:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise AssertionError(f"Pool: every request is answered; {seconds:g} s went by") from error


def ask(operation: str, number: int = 0, **arguments: Any) -> Request:
    """A request of the operations of `pool_parts`; `session` and `key` become those of the request."""
    session, key = arguments.pop("session", "counter"), arguments.pop("key", None)
    return Request(number, operation, session, arguments, key)


async def settled(answers: Sequence[Awaitable[Reply]]) -> list[Reply | BaseException]:
    """The reply or the error of each."""
    return await asyncio.gather(*answers, return_exceptions=True)
