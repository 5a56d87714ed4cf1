"""What a run is aimed at: the pool with each router, or something else that a plugin opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tiergate.errors import UsageError
from tiergate.hooks import LoadTargetDeclaration, RouterDeclaration
from tiergate.plugins import PluginHost
from tiergate.pool import Pool
from tiergate.routed import RoutedPool
from tiergate.routing import Choice, PoolView, RequestFacts, Router
from tiergate.target import Target, TargetSetup


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A target as the user named it.

    Attributes:
        text: ``NAME``, ``NAME:ARGUMENT`` or ``NAME?KEY=VALUE&…:ARGUMENT``.
    """

    text: str
    declaration: LoadTargetDeclaration
    argument: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Find out what is wrong with the argument and the options while nothing is measured yet.

        Raises:
            UsageError: its argument or an option is wrong.
        """
        self.declaration.check(TargetSetup(argument=self.argument, options=self.options, store=""))

    def open(self, *, store: str, pool: Pool | None = None, router: Router | None = None) -> Target:
        """A target that has not been started.

        Raises:
            UsageError: its argument or an option is wrong.
        """
        return self.declaration.open(
            TargetSetup(argument=self.argument, options=self.options, store=store, pool=pool, router=router)
        )

    def contestant(self) -> RouterDeclaration:
        """What stands for a target that is not routed where a run lists its routers."""
        return RouterDeclaration(
            name=self.declaration.name,
            summary=f"no router of ours: {self.text}",
            build=Unrouted,
            chooses_tier=False,
        )


class Unrouted(Router):
    """Chooses nothing: the target does that itself, or has nothing to choose from."""

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:  # noqa: ARG002
        """No tier and no worker."""
        return Choice()


def parse_target(text: str, host: PluginHost) -> Aim:
    """Read what ``--target`` was given.

    Raises:
        UsageError: there is no such target, or an option has no value.
    """
    head, _, argument = text.partition(":")
    name, _, query = head.partition("?")
    options: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        key, equals, value = part.partition("=")
        if not equals:
            raise UsageError(
                f"option {part!r} has no value",
                where=f"--target {text}",
                hint="write NAME?key=value:ARGUMENT",
            )
        options[key] = value
    declaration = host.get(LoadTargetDeclaration, name)
    return Aim(text=text, declaration=declaration, argument=argument, options=options)


def routed(aim: Aim | None, pool: Pool, router: Router, store: str) -> Target:
    """The pool and the router as a target, by way of the plugin that was named, if one was."""
    return RoutedPool(pool, router) if aim is None else aim.open(store=store, pool=pool, router=router)
