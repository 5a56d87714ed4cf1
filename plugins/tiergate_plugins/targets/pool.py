"""The pool in process as a target: each request goes where the router of the run sends it."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.errors import UsageError
from tiergate.hooks import LoadTargetDeclaration, hookimpl
from tiergate.target import Target, TargetSetup


def check_pool(setup: TargetSetup) -> None:
    """Refuse words that would say nothing.

    Raises:
        UsageError: an argument or an option was given.
    """
    if setup.argument or setup.options:
        raise UsageError("target pool takes no argument and no option", hint="write --target pool")


def open_pool(setup: TargetSetup) -> Target:
    """The pool and the router of the run.

    Raises:
        UsageError: an argument or an option was given, or there is no pool.
    """
    from tiergate.routed import RoutedPool  # listing plugins needs none

    check_pool(setup)
    if setup.pool is None or setup.router is None:
        raise UsageError("target pool needs a pool and a router", hint="run it with `tiergate load`")
    return RoutedPool(setup.pool, setup.router)


@hookimpl
def tiergate_targets() -> Iterator[LoadTargetDeclaration]:
    """The target of this module."""
    yield LoadTargetDeclaration(
        name="pool",
        summary="the worker pool in process, by each router",
        open=open_pool,
        check=check_pool,
        routed=True,
    )
